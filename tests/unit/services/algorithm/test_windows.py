"""A strategy's window is not the client's deadline: what a window leaves is worked on until then."""

from decimal import Decimal
from typing import Any

import pytest

from bestex.domain.errors import Conflict
from bestex.domain.orders import Algorithm, ExecutionStyle, ParentState
from bestex.messages.execution import (
    AlgorithmExecution,
    ExecutionCompleted,
    ExecutionPlanned,
    ModifyExecution,
    PauseExecution,
    ResumeExecution,
)
from bestex.messages.orders import OrderAmended
from bestex.services.algorithm.working import Working
from tests.unit.services.algorithm.paper_desk import CLOSE, MINUTE, OPEN, SECOND, PaperDesk, parent_order
from tests.unit.services.algorithm.test_selections import selected

RATE = 0.2


def starved(*, minutes: int | None = 120, quantity: int = 40_000, **changes: Any) -> PaperDesk:
    """100 units of others a second, 20 % at most: 25 of ours a second, 30,000 in the selected 20 minutes."""
    desk = PaperDesk(volume_per_second=100)
    desk.create(parent_order(algorithm=None, style=None, minutes=minutes, quantity=quantity, **changes))
    controls = {"max_order_value": Decimal(10**9)}
    desk.tell(selected(algorithm="PARTICIPATION_RATE", participation_rate=RATE, controls=controls))
    desk.answer_cancels()
    return desk


def test_what_the_window_leaves_is_planned_again_and_filled_before_the_clients_end() -> None:
    desk = starved()
    desk.run_until(OPEN + 20 * MINUTE + SECOND)
    first, second = desk.of(ExecutionPlanned)
    left = 40_000 - desk.progress().filled_quantity
    assert 9_000 < left < 12_000
    assert (second.revision, second.algorithm_used) == (first.revision + 1, first.algorithm_used)
    assert second.execution_style == first.execution_style
    assert OPEN + 25 * MINUTE <= second.end_time_ns < OPEN + 120 * MINUTE
    assert second.deadline_time_ns == first.deadline_time_ns == OPEN + 120 * MINUTE
    because = second.parameters["revised_because"]
    assert "held to 20 % of volume; going on until" in because
    assert "window ended with" in because
    assert any(because == fact.reason for fact in desk.of(AlgorithmExecution)), "the order says it too"
    desk.run_until(OPEN + 120 * MINUTE)
    (completed,) = desk.of(ExecutionCompleted)
    assert (completed.state, completed.filled_quantity) == (ParentState.FILLED, 40_000)


def test_an_order_that_cannot_be_done_by_the_deadline_expires_there_and_not_before() -> None:
    desk = starved(quantity=1_000_000)
    desk.run_until(OPEN + 120 * MINUTE - SECOND)
    assert desk.of(ExecutionCompleted) == []
    desk.run_until(OPEN + 121 * MINUTE)
    (completed,) = desk.of(ExecutionCompleted)
    assert (completed.state, completed.completed_ns) == (ParentState.EXPIRED, OPEN + 120 * MINUTE)
    assert completed.filled_quantity + completed.unfilled_quantity == 1_000_000
    others = Decimal(100 * 60 * 120)
    assert completed.filled_quantity / (completed.filled_quantity + others) <= Decimal(str(RATE))
    assert desk.timers == {}


def test_without_an_end_the_deadline_is_a_minute_before_the_close() -> None:
    desk = starved(minutes=None, quantity=1_000_000)
    desk.run_until(CLOSE)
    assert desk.of(ExecutionPlanned)[0].deadline_time_ns == CLOSE - MINUTE
    (completed,) = desk.of(ExecutionCompleted)
    assert (completed.state, completed.completed_ns) == (ParentState.EXPIRED, CLOSE - MINUTE)


def test_a_named_algorithm_with_an_end_expires_at_that_end() -> None:
    desk = PaperDesk(volume_per_second=100)
    desk.create(
        parent_order(quantity=50_000, algorithm=Algorithm.PARTICIPATION_RATE, parameters={"participation_rate": RATE})
    )
    desk.run_until(OPEN + 31 * MINUTE)
    (completed,) = desk.of(ExecutionCompleted)
    assert (completed.state, completed.completed_ns) == (ParentState.EXPIRED, OPEN + 30 * MINUTE)
    assert len(desk.of(ExecutionPlanned)) == 1


def test_a_named_algorithm_with_a_horizon_expires_with_it_and_without_any_end_goes_on() -> None:
    horizon, endless = PaperDesk(volume_per_second=100), PaperDesk(volume_per_second=100)
    horizon.create(parent_order(quantity=500_000, minutes=None, parameters={"time_horizon_minutes": 10}))
    endless.create(parent_order(quantity=100_000, minutes=None))
    for desk in (horizon, endless):
        desk.run_until(OPEN + 180 * MINUTE)
    assert horizon.of(ExecutionCompleted)[0].completed_ns == OPEN + 10 * MINUTE
    assert endless.of(ExecutionCompleted)[0].state is ParentState.FILLED
    assert len(endless.of(ExecutionPlanned)) > 1


def test_a_limit_away_from_the_market_is_not_planned_every_few_minutes() -> None:
    desk = PaperDesk()
    desk.create(parent_order(algorithm=None, minutes=100, price="99.00", style=ExecutionStyle.AGGRESSIVE))
    desk.tell(selected())
    desk.run_until(OPEN + 101 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.EXPIRED
    windows = [plan.end_time_ns - plan.start_time_ns for plan in desk.of(ExecutionPlanned)]
    assert len(windows) <= 4
    assert windows[:-1] == sorted(windows[:-1])


def test_a_pause_over_the_end_of_the_window_leaves_the_rest_for_after_it() -> None:
    desk = starved()
    desk.run_until(OPEN + 10 * MINUTE)
    desk.tell(PauseExecution(order_id="P1", actor="trader"))
    desk.answer_cancels()
    desk.run_until(OPEN + 40 * MINUTE)
    assert desk.progress().state is ParentState.PAUSED
    desk.tell(ResumeExecution(order_id="P1", actor="trader", market=desk.market()))
    assert desk.of(ExecutionPlanned)[-1].start_time_ns == OPEN + 40 * MINUTE
    desk.run_until(OPEN + 120 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_a_paused_order_expires_at_the_deadline_and_cannot_be_resumed_after_it() -> None:
    desk = starved()
    desk.tell(PauseExecution(order_id="P1", actor="trader"))
    desk.answer_cancels()
    desk.run_until(OPEN + 121 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].completed_ns == OPEN + 120 * MINUTE
    with pytest.raises(Conflict):
        desk.tell(ResumeExecution(order_id="P1", actor="trader", market=desk.market()))


def test_a_price_changed_while_paused_after_the_window_spreads_the_rest_to_the_deadline() -> None:
    desk = starved()
    desk.tell(PauseExecution(order_id="P1", actor="trader"))
    desk.answer_cancels()
    desk.run_until(OPEN + 30 * MINUTE)
    desk.tell(ModifyExecution(order_id="P1", actor="trader", market=desk.market(), price_limit=Decimal("101.00")))
    assert desk.of(ExecutionPlanned)[-1].end_time_ns == OPEN + 120 * MINUTE


def test_an_end_that_the_client_amends_is_the_new_deadline() -> None:
    desk = starved(quantity=1_000_000)
    desk.run_until(OPEN + 5 * MINUTE)
    desk.tell(OrderAmended(order_id="P1", actor="client", end_time_ns=OPEN + 15 * MINUTE))
    desk.run_until(OPEN + 16 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].completed_ns == OPEN + 15 * MINUTE


def test_what_stands_unknown_at_a_venue_does_not_hold_back_the_rest_nor_is_it_sent_twice() -> None:
    desk = PaperDesk(answers=False)
    desk.create(parent_order(algorithm=None, style=None, minutes=60, quantity=6_000))
    desk.tell(selected())
    desk.run_until(OPEN + 5 * MINUTE)
    desk.ask, desk.answers = None, True
    desk._outbox.clear()
    desk.run_until(OPEN + 20 * MINUTE - SECOND)
    desk.ask = "100.02"
    desk.run_until(OPEN + 59 * MINUTE)
    assert len(desk.of(ExecutionPlanned)) > 1
    progress = desk.progress()
    assert progress.unknown_quantity == progress.live_quantity > 0
    assert progress.filled_quantity == 6_000 - progress.unknown_quantity


def test_a_desk_that_forgets_to_go_on_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Working, "go_on_after_window", lambda *_: None)
    with pytest.raises(ValueError, match="not enough values"):
        test_what_the_window_leaves_is_planned_again_and_filled_before_the_clients_end()
