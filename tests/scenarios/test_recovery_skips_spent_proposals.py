"""After a restart a recommendation is computed again only where somebody may still take it or has taken it."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app import recovery
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.domain.orders import ExecutionInstructions, Objective, ParentOrder, Side, Urgency
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND
from bestex.messages.orders import CreateOrder
from bestex.messages.strategy import ExecutionConstraints, RecommendExecution
from bestex.services.strategy.service import StrategyService
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference

WALL_NS = 1_795_000_000 * NS_PER_SECOND


def fresh(market: GeneratedMarket) -> Desk:
    return Desk(services("all", GeneratedReference(market), timed=False), market)


def recommend(driver: ReplayDriver, order_id: str) -> Any:
    request = RecommendExecution(
        order_id=order_id,
        instrument_id="AAPL",
        side=Side.BUY,
        quantity=Decimal(5_000),
        objective=Objective.BALANCED_EXECUTION,
        urgency=Urgency.NORMAL,
        constraints=ExecutionConstraints(),
        market=driver.desk.market.snapshot("AAPL"),
    )
    return driver.request("strategy", request, order_id=order_id)


def create(driver: ReplayDriver, order_id: str, selection_id: str | None) -> None:
    order = ParentOrder(
        order_id=order_id,  # type: ignore[arg-type]
        instrument_id="AAPL",  # type: ignore[arg-type]
        side=Side.BUY,
        quantity=Decimal(5_000),
        instructions=ExecutionInstructions(selection_id=selection_id),
    )
    driver.request(
        "order-desk",
        CreateOrder(order=order, actor="client", market=driver.desk.market.snapshot("AAPL")),
        order_id=order_id,
    )


def recomputed(journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch) -> tuple[Desk, list[str]]:
    """A desk recovered from the journal, and the order ids whose recommendations it computed again."""
    market = GeneratedMarket(seed=5, start_ns=journal.messages[-1].time_ns)
    desk, asked = fresh(market), []
    real = StrategyService._recommend

    def counted(self: StrategyService, request: RecommendExecution, now_ns: int) -> Any:
        asked.append(request.order_id)
        return real(self, request, now_ns)

    monkeypatch.setattr(StrategyService, "_recommend", counted)
    asyncio.run(recovery.recover(desk, journal, journal))
    monkeypatch.undo()
    return desk, asked


def worked(monkeypatch: pytest.MonkeyPatch) -> tuple[Desk, Desk, list[str], Any]:
    """One old proposal nobody took, one old one an open order took under another name, one that is new."""
    driver = ReplayDriver(fresh(GeneratedMarket(seed=5, wall_ns=WALL_NS)), MemoryJournal())
    driver.restore_catalogues()
    recommend(driver, "idle")
    driver.run_until(driver.desk.market.now_ns + 20 * NS_PER_MINUTE)
    taken = recommend(driver, "asked")
    create(driver, "open", taken.selection_id)
    driver.run_until(driver.desk.market.now_ns + 20 * NS_PER_SECOND)
    create(driver, "idle", None)
    recommend(driver, "spent")
    driver.run_until(driver.desk.market.now_ns + 16 * NS_PER_MINUTE)
    recommend(driver, "new")
    again, asked = recomputed(driver.journal, monkeypatch)
    return driver.desk, again, asked, taken


def test_only_what_may_be_or_was_taken_is_computed_again_and_the_state_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, after, asked, _ = worked(monkeypatch)
    assert "spent" not in asked
    assert {"asked", "new"} <= set(asked)
    for old, new in zip(before.services, after.services, strict=True):
        if old.name == "strategy":
            for order_id in ("open", "idle"):
                assert repr(old.state(order_id)) == repr(new.state(order_id)), order_id


def test_forgetting_what_an_open_order_took_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "PROPOSAL_AGE_NS", -1)
    with pytest.raises(AssertionError):
        test_only_what_may_be_or_was_taken_is_computed_again_and_the_state_is_the_same(monkeypatch)
