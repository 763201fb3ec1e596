"""What venues answer, late, twice, wrongly or not at all."""

import itertools
from decimal import Decimal
from typing import Any

from bestex.domain.fills import ReportKind
from bestex.domain.orders import Algorithm, ExecutionStyle, ParentState
from bestex.messages.execution import (
    AlgorithmExecution,
    ChildOrderCancelRequested,
    ChildOrderSubmitted,
    ExecutionCompleted,
    ExecutionParameters,
    ExecutionRequest,
    PauseExecution,
    StartExecution,
    WorkingConstraints,
)
from bestex.messages.records import ChildOrderRow, FillRow
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.service import AlgorithmService
from tests.unit.services.algorithm.paper_desk import (
    MINUTE,
    OPEN,
    SECOND,
    FlatCurve,
    PaperDesk,
    Reference,
    parent_order,
)


def silent(style: ExecutionStyle = ExecutionStyle.BALANCED, **changes: Any) -> tuple[PaperDesk, str]:
    """A desk whose venue says nothing, and its first child."""
    desk = PaperDesk(answers=False)
    desk.create(parent_order(style=style, **changes))
    while not desk.live():
        desk.run_until(desk.now_ns + 100_000_000)
    return desk, desk.live()[0]


def child_state(desk: PaperDesk, child: str) -> str:
    return [row.state for row in desk.records if isinstance(row, ChildOrderRow) and row.child_order_id == child][-1]


def test_a_venue_that_does_not_answer_makes_the_child_unknown_and_keeps_its_quantity() -> None:
    desk, child = silent()
    quantity = desk.children[child].quantity
    desk.run_until(desk.now_ns + SECOND)
    assert child_state(desk, child) == "UNKNOWN"
    assert desk.progress().unknown_quantity == quantity
    assert desk.progress().live_quantity >= quantity
    assert "does not answer" in desk.progress().reason
    assert child in {event.child_order_id for event in desk.of(ChildOrderCancelRequested)}


def test_a_paused_order_goes_on_saying_why_it_paused_while_a_venue_is_silent() -> None:
    desk, _ = silent()
    desk.tell(PauseExecution(order_id="P1", actor="trader", reason="news"))
    desk.run_until(desk.now_ns + 5 * SECOND)
    assert desk.progress().unknown_quantity > 0
    assert "news" in desk.progress().reason


def test_an_unknown_child_is_asked_again_after_longer_and_longer_waits_and_not_for_ever() -> None:
    desk, child = silent()
    desk.run_until(desk.now_ns + 10 * MINUTE)
    times = [
        message.time_ns
        for message, effects in zip(desk.log, desk.effects, strict=True)
        for _, event in effects.events
        if isinstance(event, ChildOrderCancelRequested) and event.child_order_id == child
    ]
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [n * SECOND for n in (1, 2, 4, 8, 16)]


def test_an_order_does_not_end_while_a_child_is_unknown_and_ends_when_it_is_answered() -> None:
    desk, _ = silent(quantity=600)
    desk.run_until(OPEN + 40 * MINUTE)
    assert desk.of(ExecutionCompleted) == []
    assert desk.progress().unknown_quantity > 0
    for child in desk.live():
        desk.report(child, ReportKind.CANCELLED, desk.leaves[child])
    (completed,) = desk.of(ExecutionCompleted)
    assert completed.state is ParentState.EXPIRED


def test_a_fill_that_overtakes_the_acknowledgement_is_booked() -> None:
    desk, child = silent()
    desk.report(child, ReportKind.FILL, 10)
    desk.report(child, ReportKind.NEW)
    assert desk.progress().filled_quantity == 10
    assert child_state(desk, child) == "PARTIALLY_FILLED"


def test_the_same_execution_twice_is_once() -> None:
    desk, child = silent()
    desk.report(child, ReportKind.FILL, 10, execution_id="same")
    events = len(desk.events)
    desk.tell(desk.log[-1].payload)
    assert len(desk.events) == events
    assert desk.progress().filled_quantity == 10


def test_a_late_fill_after_cancel_is_kept_and_flagged_and_the_parent_frozen() -> None:
    desk, child = silent()
    desk.report(child, ReportKind.CANCELLED, desk.leaves[child])
    desk.report(child, ReportKind.FILL, 10)
    progress = desk.progress()
    assert progress.filled_quantity == 10
    assert progress.state is ParentState.PAUSED
    assert "late fill" in progress.reason
    assert [row.quantity for row in desk.records if isinstance(row, FillRow)] == [10]


def test_a_fill_after_the_end_is_booked_and_the_order_completes_only_once() -> None:
    desk, child = silent(quantity=600)
    desk.answer_cancels()
    desk.bid = desk.ask = None
    desk.run_until(OPEN + 31 * MINUTE)
    (completed,) = desk.of(ExecutionCompleted)
    desk.report(child, ReportKind.FILL, 10)
    assert desk.of(ExecutionCompleted) == [completed]
    assert desk.progress().filled_quantity == completed.filled_quantity + 10
    assert desk.progress().state is completed.state
    assert "late fill" in desk.progress().reason


def test_an_overfill_by_the_venue_is_booked_and_what_else_is_live_taken_back() -> None:
    desk, child = silent(ExecutionStyle.AGGRESSIVE, quantity=10, parameters={"slices": 1})
    desk.report(child, ReportKind.FILL, 10)
    desk.report(child, ReportKind.FILL, 20)
    state: Any = desk.service.state("P1")
    assert state["ledger"]["filled"] == 30
    assert state["ledger"]["overfilled"] == 20


def test_a_cancel_answer_for_less_than_the_leaves_keeps_the_rest_reserved() -> None:
    desk, child = silent()
    leaves = desk.leaves[child]
    desk.report(child, ReportKind.CANCELLED, leaves - 10)
    state: Any = desk.service.state("P1")
    assert child_state(desk, child) == "UNKNOWN"
    assert state["ledger"]["live"] == 10
    desk.report(child, ReportKind.FILL, 10)
    assert child_state(desk, child) == "FILLED"


def test_a_repeat_that_is_refused_gives_nothing_back() -> None:
    desk, child = silent()
    live = desk.progress().live_quantity
    desk.report(child, ReportKind.NEW)
    desk.report(child, ReportKind.REJECTED, 0, reason="child id seen before")
    assert desk.progress().live_quantity == live
    assert child_state(desk, child) == "WORKING"


def test_a_rejected_child_is_tried_again_after_a_pause_with_another_id() -> None:
    desk, child = silent()
    at = desk.now_ns
    desk.report(child, ReportKind.REJECTED, desk.leaves[child], reason="post-only would cross")
    assert "would cross" in desk.progress().reason
    desk.run_until(at + 249_000_000)
    assert list(desk.children) == [child]
    desk.run_until(at + 250_000_000)
    first, second = desk.children
    assert first == child
    assert second != child


def test_after_five_rejects_in_a_row_the_parent_pauses_and_says_why() -> None:
    desk, child = silent()
    waits = []
    for _ in range(5):
        before = desk.now_ns
        while not desk.live():
            desk.run_until(desk.now_ns + 50_000_000)
        waits.append(desk.now_ns - before)
        child = desk.live()[-1]
        desk.report(child, ReportKind.REJECTED, desk.leaves[child], reason="closed")
    assert desk.progress().state is ParentState.PAUSED
    assert "5 rejects in a row" in desk.progress().reason
    assert waits == sorted(waits), "each wait is at least the one before"


def test_an_empty_book_is_waited_out() -> None:
    desk = PaperDesk(bid=None, ask=None)
    desk.create(parent_order())
    desk.run_until(OPEN + 5 * MINUTE)
    assert desk.of(ChildOrderSubmitted) == []
    assert "no quote" in desk.progress().reason
    desk.bid, desk.ask = "100.00", "100.02"
    desk.run_until(OPEN + 31 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_a_crossed_quote_is_no_market() -> None:
    desk = PaperDesk(bid="100.05", ask="100.00")
    desk.create(parent_order())
    desk.run_until(OPEN + 5 * MINUTE)
    assert desk.of(ChildOrderSubmitted) == []


def test_a_price_beyond_the_limit_is_never_paid_and_the_rest_expires() -> None:
    desk = PaperDesk(ask="100.20", bid="100.18")
    desk.create(parent_order(price="100.10"))
    desk.run_until(OPEN + 31 * MINUTE)
    assert desk.of(ChildOrderSubmitted) == []
    (completed,) = desk.of(ExecutionCompleted)
    assert (completed.state, completed.filled_quantity) == (ParentState.EXPIRED, 0)


def test_no_child_is_sent_in_a_no_trade_zone_and_what_rests_is_taken_back() -> None:
    desk = PaperDesk()
    order = parent_order(algorithm=None)
    desk.create(order)
    zone = (OPEN + 10 * MINUTE, OPEN + 20 * MINUTE)
    request = ExecutionRequest(
        order_id="P1",
        instrument_id="ABC",
        side=order.side,
        quantity=order.quantity,
        algorithm="TWAP",
        execution_style=ExecutionStyle.BALANCED,
        parameters=ExecutionParameters(),
        constraints=WorkingConstraints(no_trade_zones=(zone,)),
        start_time_ns=OPEN,
        target_completion_time_ns=OPEN + 30 * MINUTE,
    )
    desk.tell(StartExecution(request=request, market=desk.market(), actor="trader"))
    desk.run_until(OPEN + 31 * MINUTE)
    times = [
        message.time_ns
        for message, effects in zip(desk.log, desk.effects, strict=True)
        for _, event in effects.events
        if isinstance(event, ChildOrderSubmitted)
    ]
    assert not [time for time in times if zone[0] <= time < zone[1]]
    assert any("no-trade zone" in event.reason for event in desk.of(AlgorithmExecution))
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_participation_follows_the_others_volume_and_not_our_own_prints() -> None:
    desk = PaperDesk(volume_per_second=100)
    desk.create(
        parent_order(quantity=50_000, algorithm=Algorithm.PARTICIPATION_RATE, parameters={"participation_rate": 0.2})
    )
    desk.run_until(OPEN + 30 * MINUTE - SECOND)
    filled = desk.progress().filled_quantity
    others = Decimal(100 * (30 * 60 - 1))
    assert filled / (filled + others) <= Decimal("0.2")
    assert filled / (filled + others) > Decimal("0.19")
    desk.run_until(OPEN + 31 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.EXPIRED, "the rate is never passed to finish"


def test_a_vwap_follows_the_volume_curve() -> None:
    class AllInTheFirstHalf(FlatCurve):
        def share(self, start_ns: int, end_ns: int) -> float:
            low, high = max(start_ns, OPEN), min(end_ns, OPEN + 15 * MINUTE)
            return max(0, high - low) / (15 * MINUTE)

    desk = PaperDesk(service=AlgorithmService(Reference(AllInTheFirstHalf()), AlgorithmConfig()))
    desk.create(parent_order(algorithm=Algorithm.VWAP))
    desk.run_until(OPEN + 16 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_a_stopwatch_shows_the_decisions_latency_and_none_leaves_it_out() -> None:
    ticks = iter(range(0, 10**9, 700))
    timed = PaperDesk(service=AlgorithmService(Reference(), AlgorithmConfig(), lambda: next(ticks)))
    plain = PaperDesk()
    for desk in (timed, plain):
        desk.create(parent_order())
        desk.run_until(OPEN + 2 * MINUTE)
    assert 700 in {event.decision_latency_ns for event in timed.of(AlgorithmExecution)}
    assert {event.decision_latency_ns for event in plain.of(AlgorithmExecution)} == {None}
