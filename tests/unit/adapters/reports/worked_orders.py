"""Parent orders worked from end to end on the generated market, for reports to be made of."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bestex.adapters.memory.journal import MemoryJournal
from bestex.adapters.reports.order_story import OrderStory, ReportContext, order_story
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.domain.ids import InstrumentId, ParentOrderId
from bestex.domain.orders import ExecutionInstructions, OrderType, ParentOrder, Side
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND, from_iso
from bestex.messages.envelope import Message
from bestex.messages.orders import CancelOrder, CreateOrder
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference

START_NS = from_iso("2025-11-20T15:00:00Z")  # 10:00 in New York
SEED = 5
CONTEXT = ReportContext(
    title="A test's order",
    market_kind="generated market",
    caveats=("The market answers to our orders.",),
    seed=SEED,
    command="bestex replay --side BUY",
)


@dataclass(frozen=True, kw_only=True)
class Worked:
    messages: list[Message[Any]]
    market: GeneratedMarket

    @property
    def story(self) -> OrderStory:
        return order_story(self.messages)


def worked(
    side: Side,
    quantity: int,
    *,
    minutes: int | None = 4,
    limit: str | None = None,
    cancel_after_s: int | None = None,
    order_id: str = "order-1",
    actor: str = "trader",
    **instructions: Any,
) -> Worked:
    """One order on AAPL, from its creation to its trade_executed."""
    market = GeneratedMarket(seed=SEED, start_ns=START_NS)
    journal = MemoryJournal()
    driver = ReplayDriver(Desk(services("all", GeneratedReference(market), timed=False), market), journal)
    driver.restore_catalogues()
    order = ParentOrder(
        order_id=ParentOrderId(order_id),
        instrument_id=InstrumentId("AAPL"),
        side=side,
        quantity=Decimal(quantity),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        price=None if limit is None else Decimal(limit),
        instructions=ExecutionInstructions(
            end_time_ns=None if minutes is None else START_NS + minutes * NS_PER_MINUTE, **instructions
        ),
    )
    create = CreateOrder(order=order, actor=actor, market=market.snapshot("AAPL"))
    driver.request("order-desk", create, order_id=order_id)
    if cancel_after_s is not None:
        driver.run_until(START_NS + cancel_after_s * NS_PER_SECOND)
        cancel = CancelOrder(order_id=order_id, actor=actor, reason="changed my mind")
        driver.request("order-desk", cancel, order_id=order_id)
    while not any(message.event_type == "trade_executed" for message in journal.messages):
        assert market.now_ns < START_NS + 60 * NS_PER_MINUTE, "the order does not come to its end"
        driver.run_until(market.now_ns + NS_PER_MINUTE)
    return Worked(messages=journal.messages, market=market)
