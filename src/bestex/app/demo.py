"""`bestex demo`: a few parent orders through all four services on a generated market, in event time."""

import random
import sys
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.clock import WallClock
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.domain.ids import InstrumentId, ParentOrderId
from bestex.domain.orders import ExecutionInstructions, Objective, ParentOrder, Side, Urgency
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND
from bestex.messages.codec import client_view, json_bytes
from bestex.messages.envelope import Message
from bestex.messages.monitoring import TradeExecuted
from bestex.messages.orders import CreateOrder
from bestex.messages.quality import ExecutionQualityAnalyzed
from bestex.messages.strategy import ExecutionStrategySelected
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference

_SPACING_NS = 2 * NS_PER_MINUTE
_LIMIT_NS = 3 * 3600 * NS_PER_SECOND


def run(*, orders: int, seed: int, as_json: bool) -> None:
    """Runs and prints; same seed and day, same numbers."""
    market = GeneratedMarket(seed=seed, start_ns=None, wall_ns=WallClock().now_ns())
    reference = GeneratedReference(market)
    journal = MemoryJournal()
    driver = ReplayDriver(Desk(services("all", reference, timed=False), market), journal)
    driver.restore_catalogues()
    parents = _parents(orders, seed, reference)
    start_ns = market.now_ns
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("working orders", total=orders)
        for number, parent in enumerate(parents):
            driver.run_until(start_ns + number * _SPACING_NS)
            request = CreateOrder(order=parent, actor="demo", market=market.snapshot(parent.instrument_id))
            driver.request("order-desk", request, order_id=parent.order_id)
            progress.update(task, completed=_done(journal))
        while _done(journal) < orders and market.now_ns < start_ns + _LIMIT_NS:
            driver.run_until(market.now_ns + NS_PER_MINUTE)
            progress.update(task, completed=_done(journal))
    _show(journal.messages, as_json=as_json)


def _parents(count: int, seed: int, reference: GeneratedReference) -> list[ParentOrder]:
    randomness = random.Random(seed)
    instruments = list(reference.instruments())
    parents = []
    for number in range(count):
        instrument = randomness.choice(instruments)
        share = Decimal(str(round(randomness.uniform(0.001, 0.01), 4)))
        volume = instrument.average_daily_volume or Decimal(100_000)
        parents.append(
            ParentOrder(
                order_id=ParentOrderId(f"demo-{number + 1:03d}"),
                instrument_id=InstrumentId(instrument.instrument_id),
                side=randomness.choice(list(Side)),
                quantity=max(instrument.lot_size, instrument.round_down_to_lot(volume * share)),
                instructions=ExecutionInstructions(
                    objective=randomness.choice(list(Objective)), urgency=randomness.choice(list(Urgency))
                ),
            )
        )
    return parents


def _done(journal: MemoryJournal) -> int:
    return sum(message.event_type == "trade_executed" for message in journal.messages)


def _show(messages: list[Message[Any]], *, as_json: bool) -> None:
    selected = {m.order_id: m.payload for m in messages if isinstance(m.payload, ExecutionStrategySelected)}
    graded = {m.order_id: m.payload for m in messages if isinstance(m.payload, ExecutionQualityAnalyzed)}
    executed = {m.order_id: m.payload for m in messages if isinstance(m.payload, TradeExecuted)}
    if as_json:
        rows = [client_view(executed[order_id]) for order_id in sorted(executed)]
        sys.stdout.write(json_bytes({"generated": True, "trade_executed": rows}).decode() + "\n")
        return
    table = Table("order", "instrument", "side", "filled", "strategy", "expected bps", "cost bps", "grade")
    for column in (3, 5, 6):
        table.columns[column].justify = "right"
    for order_id in sorted(executed):
        trade, choice, grade = executed[order_id], selected.get(order_id), graded.get(order_id)
        table.add_row(
            order_id,
            trade.execution.instrument_id,
            trade.execution.side,
            f"{trade.execution.executed_quantity:,.0f} of {trade.execution.requested_quantity:,.0f}",
            choice.recommended_strategy.strategy_name if choice else "-",
            f"{choice.expected_outcomes.estimated_cost * 1e4:.2f}" if choice else "-",
            f"{trade.execution_quality.total_cost_bps:.2f}",
            (grade.quality_grade or "-") if grade else "-",
        )
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{len(messages)} messages; generated market, no real prices; cost positive = worse for us")
