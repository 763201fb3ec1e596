"""What a recommendation promises of cost, value, size, rate and conditions is held while its order is worked."""

from decimal import Decimal
from typing import Any

import pytest

from bestex.domain.fills import ReportKind
from bestex.domain.orders import ParentState, Side
from bestex.messages.execution import (
    AlgorithmExecution,
    ChildOrderCancelRequested,
    ChildOrderSubmitted,
    ExecutionCompleted,
    PauseExecution,
    ResumeExecution,
)
from bestex.messages.orders import OrderAmended
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.risk_controls import Controls
from bestex.services.algorithm.service import AlgorithmService
from tests.unit.services.algorithm.paper_desk import MINUTE, OPEN, SECOND, PaperDesk, Reference, parent_order, snapshot
from tests.unit.services.algorithm.test_selections import selected


def working(side: Side = Side.BUY, style: str = "AGGRESSIVE", **controls: Any) -> PaperDesk:
    """A selection of 20 slices over 20 minutes, worked for two. The arrival mid is 100.01."""
    desk = PaperDesk()
    desk.create(parent_order(algorithm=None, style=None, minutes=None, side=side))
    desk.tell(selected(controls=controls, execution_style=style))
    desk.answer_cancels()
    desk.run_until(OPEN + 2 * MINUTE)
    return desk


def move(desk: PaperDesk, mid: str, seconds: int = 60) -> None:
    desk.bid, desk.ask = str(Decimal(mid) - Decimal("0.01")), str(Decimal(mid) + Decimal("0.01"))
    desk.run_until(desk.now_ns + seconds * SECOND)


def resume(desk: PaperDesk) -> None:
    desk.tell(ResumeExecution(order_id="P1", actor="trader", market=desk.market()))
    desk.answer_cancels()


def paid_bps(desk: PaperDesk, side: Side = Side.BUY) -> float:
    average = desk.progress().average_fill_price
    assert average is not None
    return float(side.sign * (average / Decimal("100.01") - 1) * 10_000)


def replayed(desk: PaperDesk) -> AlgorithmService:
    """Another process that hears the journal again."""
    again = AlgorithmService(Reference(), AlgorithmConfig())
    for message, effects in zip(desk.log, desk.effects, strict=True):
        assert again.handle(message) == effects, message.event_type
    return again


@pytest.mark.parametrize(("side", "mid"), [(Side.BUY, "101.00"), (Side.SELL, "99.00")])
def test_an_order_pauses_before_the_child_that_would_make_it_dearer_than_promised(side: Side, mid: str) -> None:
    desk = working(side, max_slippage_bps=20.0)
    assert desk.progress().state is ParentState.WORKING
    move(desk, mid, seconds=600)
    shown = desk.progress()
    assert shown.state is ParentState.PAUSED
    assert shown.breach is not None
    assert shown.breach.control == "max_slippage_bps"
    assert shown.breach.limit == 20.0 < shown.breach.value
    assert f"slippage {shown.breach.value:.1f} bps is beyond max_slippage_bps 20.0" in shown.reason
    assert 0 < paid_bps(desk, side) <= 20.0
    assert desk.live() == []


def test_a_market_that_has_gone_before_the_first_child_pauses_the_order_with_nothing_filled() -> None:
    desk = PaperDesk()
    desk.create(parent_order(algorithm=None, style=None, minutes=None))
    desk.bid, desk.ask = "101.00", "101.02"
    desk.tell(selected(start_ns=OPEN + MINUTE, controls={"max_slippage_bps": 50.0}))
    desk.run_until(OPEN + 5 * MINUTE)
    assert desk.progress().state is ParentState.PAUSED
    assert desk.of(ChildOrderSubmitted) == []


def test_a_favourable_market_is_no_breach() -> None:
    desk = working(max_slippage_bps=5.0)
    move(desk, "98.00", seconds=60 * 20)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_a_person_goes_on_and_is_not_asked_again_until_it_has_grown_by_the_limit_again() -> None:
    desk = working(max_slippage_bps=20.0)
    move(desk, "101.00", seconds=180)
    first = desk.progress().breach
    assert first is not None
    resume(desk)
    assert desk.progress().state is ParentState.WORKING
    assert desk.progress().breach is None
    desk.run_until(desk.now_ns + 30 * SECOND)
    assert desk.progress().state is ParentState.WORKING
    assert paid_bps(desk) > 20.0
    move(desk, "102.00", seconds=600)
    second = desk.progress().breach
    assert second is not None
    assert desk.progress().state is ParentState.PAUSED
    assert second.limit == pytest.approx(first.value + 20.0)
    assert paid_bps(desk) <= second.limit
    pauses = {item.breach.limit for item in desk.of(AlgorithmExecution) if item.breach is not None}
    assert pauses == {first.limit, second.limit}


def test_resuming_an_order_that_a_person_had_paused_allows_nothing_more() -> None:
    desk = working(max_slippage_bps=20.0)
    desk.tell(PauseExecution(order_id="P1", actor="trader"))
    desk.answer_cancels()
    resume(desk)
    move(desk, "101.00", seconds=600)
    breach = desk.progress().breach
    assert breach is not None
    assert breach.limit == 20.0


def test_more_value_than_promised_pauses_the_order_at_the_figure() -> None:
    desk = PaperDesk()
    desk.create(parent_order(algorithm=None, style=None, minutes=None))
    desk.tell(selected(controls={"max_order_value": Decimal(600_200), "max_slippage_bps": 500.0}))
    desk.answer_cancels()
    desk.run_until(OPEN + 2 * MINUTE)
    move(desk, "104.00", seconds=60 * 20)
    breach = desk.progress().breach
    assert breach is not None
    assert breach.control == "max_order_value"
    assert desk.progress().state is ParentState.PAUSED
    assert breach.limit == 600_200 < breach.value
    filled = desk.progress()
    assert filled.average_fill_price is not None
    assert filled.filled_quantity * filled.average_fill_price <= 600_200
    resume(desk)
    desk.run_until(desk.now_ns + 20 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_a_client_who_orders_more_may_pay_for_more() -> None:
    desk = working(max_order_value=Decimal(605_000))
    desk.tell(OrderAmended(order_id="P1", actor="client", quantity=Decimal(9_000)))
    desk.answer_cancels()
    desk.run_until(OPEN + 20 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED
    assert desk.progress().filled_quantity == 9_000


def test_an_adaptation_answers_for_what_it_adds_and_not_for_what_was_paid_before() -> None:
    desk = working(max_slippage_bps=20.0)
    move(desk, "101.00", seconds=180)
    assert desk.progress().state is ParentState.PAUSED
    desk.tell(selected(adaptation=1, controls={"max_slippage_bps": 20.0}))
    assert desk.progress().breach is None
    resume(desk)
    desk.run_until(OPEN + 20 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_a_crossed_quote_takes_back_what_rests_and_the_order_goes_on_by_itself() -> None:
    desk = working(style="PASSIVE", pause_on=("CROSSED_QUOTE",))
    assert desk.live()
    before = len(desk.of(ChildOrderSubmitted))
    desk.bid, desk.ask = "100.05", "100.02"
    desk.run_until(desk.now_ns + 2 * MINUTE)
    assert desk.live() == []
    assert len(desk.of(ChildOrderSubmitted)) == before
    assert "CROSSED_QUOTE: bid 100.05 is above ask 100.02" in desk.progress().reason
    desk.bid, desk.ask = "100.00", "100.02"
    desk.run_until(desk.now_ns + 2 * MINUTE)
    assert len(desk.of(ChildOrderSubmitted)) > before
    assert desk.progress().state is ParentState.WORKING


def test_without_the_condition_what_rests_stays_in_a_crossed_market() -> None:
    desk = working(style="PASSIVE")
    desk.bid, desk.ask = "100.05", "100.02"
    asked = len(desk.of(ChildOrderCancelRequested))
    desk.run_until(desk.now_ns + 5 * SECOND)
    assert desk.live()
    assert len(desk.of(ChildOrderCancelRequested)) == asked


class StandsStill(PaperDesk):
    """Its quotes stop at a time."""

    stopped_ns: int | None = None

    def market(self) -> Any:
        now_ns = self.now_ns if self.stopped_ns is None else min(self.now_ns, self.stopped_ns)
        return snapshot(now_ns, volume=(self.now_ns - OPEN) * 1_000 // SECOND)


def test_a_stale_quote_takes_back_what_rests_until_there_is_a_new_one() -> None:
    desk = StandsStill()
    desk.create(parent_order(algorithm=None, style=None, minutes=None))
    desk.tell(selected(controls={"pause_on": ("STALE_QUOTE",)}, execution_style="PASSIVE"))
    desk.answer_cancels()
    desk.run_until(OPEN + 2 * MINUTE)
    assert desk.live()
    desk.stopped_ns = desk.now_ns
    desk.run_until(desk.now_ns + 2 * MINUTE)
    assert desk.live() == []
    assert "STALE_QUOTE: quote is" in desk.progress().reason
    desk.stopped_ns = None
    desk.run_until(desk.now_ns + MINUTE)
    assert desk.live()


def test_a_condition_that_nobody_can_tell_is_refused_in_words() -> None:
    desk = PaperDesk()
    desk.create(parent_order(algorithm=None, style=None, minutes=None))
    desk.tell(selected(controls={"pause_on": ("FULL_MOON",)}))
    ended = desk.of(ExecutionCompleted)[0]
    assert ended.state is ParentState.REJECTED
    assert "pause_on FULL_MOON cannot be told" in ended.reason


def test_no_child_is_larger_than_promised_and_none_passes_the_promised_rate() -> None:
    desk = working(max_child_quantity=Decimal(60), max_participation_rate=0.02)
    desk.volume_per_second = 100
    desk.run_until(OPEN + 20 * MINUTE)
    assert max(event.child.quantity for event in desk.of(ChildOrderSubmitted)) <= 60
    others = desk.market().cumulative_volume - desk.ours
    assert desk.ours <= Decimal("0.02") / Decimal("0.98") * others + 10


def test_the_journal_gives_a_paused_and_a_resumed_order_the_same_controls_again() -> None:
    desk = working(max_slippage_bps=20.0)
    move(desk, "101.00", seconds=180)
    assert replayed(desk).state("P1") == desk.service.state("P1")
    resume(desk)
    move(desk, "102.00", seconds=60)
    state: Any = desk.service.state("P1")
    assert state["controls"].slippage_bps_allowed > 20.0
    assert replayed(desk).state("P1") == state


def test_controls_that_never_break_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Controls, "breach", lambda *_, **__: None)
    with pytest.raises(AssertionError):
        test_an_order_pauses_before_the_child_that_would_make_it_dearer_than_promised(Side.BUY, "101.00")
    with pytest.raises(AssertionError):
        test_more_value_than_promised_pauses_the_order_at_the_figure()


def test_a_report_of_a_dear_fill_pauses_the_order_even_where_no_child_follows() -> None:
    desk = working(style="PASSIVE", max_slippage_bps=5.0)
    child = desk.live()[0]
    desk.report(child, ReportKind.FILL, desk.leaves[child], price="101.50")
    assert desk.progress().state is ParentState.PAUSED
