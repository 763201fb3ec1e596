"""The whole story of one parent order, told by messages to monitoring and quality."""

from decimal import Decimal
from typing import Any

import pytest

from bestex.domain.fills import Liquidity, ReportKind
from bestex.domain.orders import ParentState, Side
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.codec import decode, encode
from bestex.messages.orders import OrderAmended, OrderCancelled
from bestex.messages.records import MonitoringRow, QualityResultRow, VenueProfileRow
from bestex.services.monitoring.config import MonitoringConfig
from bestex.services.monitoring.service import MonitoringService
from tests.scenarios.order_story import ORDER, START, Reference, Story


def filled_story(**options: Any) -> Story:
    """Buy 1,000: 600 taken at the ask, 400 rested at the bid after the mid rose by 2 cents; done at 30 s."""
    story = Story(**options)
    story.create()
    story.select()
    story.plan()
    story.work()
    story.send("c1", 600)
    story.pass_time(0.5)
    story.fill("c1", 600, "100.01", fee="1.80")
    story.trade("100.00", 4400)
    story.pass_time(20)
    story.quote("100.01", "100.03")
    story.send("c2", 400)
    story.report(ReportKind.NEW, "c2", 400)
    story.pass_time(30)
    story.fill("c2", 400, "100.01", liquidity=Liquidity.ADDED, fee="-0.80")
    story.work(ParentState.FILLED)
    story.complete(ParentState.FILLED)
    story.pass_time(80)
    return story


def test_a_filled_order_is_measured_graded_and_told_once_in_that_order() -> None:
    story = filled_story()
    kinds = [message.event_type for message in story.messages]
    ends = [
        "execution_completed",
        "execution_measured",
        "execution_quality_analyzed",
        "trade_executed",
    ]
    assert [kind for kind in kinds if kind in ends] == ends
    assert story.timers == {}


def test_the_costs_are_those_of_a_calculation_by_hand() -> None:
    # arrival mid 100.00; bought 600 at 100.01 (mid 100.00) and 400 at 100.01 (mid 100.02), fees 1.80 - 0.80
    costs = filled_story().last("execution_measured").costs
    assert costs.arrival_price == Decimal("100.00")
    assert costs.total == Decimal(10) + Decimal("1.00")  # 1000 x 0.01 + fees
    assert costs.spread == Decimal("6.00") - Decimal("4.00")  # 600 x 0.01 paid, 400 x 0.01 captured
    assert costs.market_impact == Decimal("5.000000")  # 0.5 bps of 100,000
    assert costs.timing == Decimal(10) - Decimal("2.00") - Decimal(5)
    assert costs.opportunity == 0
    assert costs.delay == 0
    assert costs.fees == Decimal("1.00")
    assert costs.implementation_shortfall_bps == pytest.approx(1.1)
    assert costs.arrival_slippage_bps == pytest.approx(1.0)
    # own 1,000 at 100.01 and 4,400 at 100.00 of others
    assert costs.interval_vwap == Decimal("100.00185185")  # (100.01 x 1000 + 100.00 x 4400) / 5400
    assert costs.interval_twap == Decimal("100.00666667")  # (100.00 x 20 + 100.02 x 10) / 30


def test_the_parts_of_the_cost_add_up_to_the_last_digit() -> None:
    costs = filled_story().last("trade_executed").cost_breakdown
    parts = costs.delay + costs.spread + costs.market_impact + costs.timing + costs.opportunity
    assert parts + costs.commission + costs.fees == costs.total


def test_markouts_are_taken_at_their_horizons_and_null_where_the_watch_ended() -> None:
    measured = filled_story().last("execution_measured")
    first, second = measured.fills
    assert first.markouts_bps["10"] == 0.0  # the mid stood still until 20 s
    assert first.markouts_bps["60"] is None  # due at 60.5 s, the watch ends 10 s after completion at 30 s
    assert second.markouts_bps["1"] == 0.0
    assert measured.costs.markouts_bps["60"] is None
    assert any(note.startswith("markout 60 s: observed for 0%") for note in measured.costs.notes)


def test_an_update_is_published_at_each_fill_each_state_and_each_second() -> None:
    story = filled_story()
    updates = story.of("execution_monitoring")
    assert sum(update.last_fill is not None for update in updates) == 2
    by_timer = [m for m in story.messages if m.event_type == "timer_due" and m.payload.name == "monitor"]
    assert len(by_timer) == 30  # 1 s to 30 s, when the order completes
    assert updates[-1].execution_progress == 1.0
    assert updates[-1].metrics.passive_share == pytest.approx(0.4)


def test_a_sell_into_a_falling_market_costs_as_much_as_a_buy_into_a_rising_one() -> None:
    story = Story(side=Side.SELL)
    story.create()
    story.select()
    story.plan()
    story.send("c1", 1000)
    story.quote("99.97", "99.99")
    story.fill("c1", 1000, "99.97")
    story.complete(ParentState.FILLED)
    story.pass_time(20)
    costs = story.last("execution_measured").costs
    assert costs.total == Decimal(30)
    assert costs.spread == Decimal(10)


def test_without_an_answer_of_quality_the_trade_is_told_after_the_time_out_with_a_null_score() -> None:
    story = filled_story(quality_answers=False)
    (trade,) = story.of("trade_executed")
    assert trade.execution_quality.execution_quality_score is None
    told = next(message for message in story.messages if message.event_type == "trade_executed")
    assert told.time_ns == START + (30 + 10 + 30) * NS_PER_SECOND


def test_the_score_reaches_the_trade_and_the_grade_lies_in_its_interval() -> None:
    story = filled_story()
    graded = story.last("execution_quality_analyzed")
    assert story.last("trade_executed").execution_quality.execution_quality_score == graded.overall_quality_score
    assert graded.interval.low <= graded.overall_quality_score <= graded.interval.high
    assert graded.quality_grade == "AVERAGE"
    assert len(graded.metric_breakdown) >= 20
    assert sum(score.weight for score in graded.metric_breakdown.values()) == pytest.approx(1.0)
    assert graded.standard_version == "2026-11-1"


def test_venues_and_the_algorithm_are_rolled_up_and_abstain_after_one_order() -> None:
    story = filled_story()
    (venue,) = story.of("venue_performance")
    assert (venue.venue, venue.orders, venue.fills) == ("NYSE", 1, 2)
    assert venue.quality_grade is None
    assert "1 orders, 50 needed" in venue.note
    assert venue.metrics["fill_rate"] == 1.0
    (algorithm,) = story.of("algorithm_performance")
    assert (algorithm.algorithm, algorithm.orders, algorithm.quality_score) == ("TWAP", 1, None)


def test_an_order_cancelled_before_any_fill_is_still_measured_and_told() -> None:
    story = Story()
    story.create()
    story.select()
    story.plan()
    story.send("c1", 100)
    story.pass_time(2)
    story.tell(OrderCancelled(order_id=ORDER, actor="trader"))
    story.report(ReportKind.CANCELLED, "c1", 100)
    story.complete(ParentState.CANCELLED)
    story.pass_time(20)
    measured = story.last("execution_measured")
    assert measured.costs.arrival_slippage_bps is None
    assert measured.costs.opportunity == 0  # the mid has not moved
    assert any("nothing was executed" in note for note in measured.costs.notes)
    graded = story.last("execution_quality_analyzed")
    assert (graded.overall_quality_score, graded.quality_grade, graded.interval) == (None, None, None)
    assert story.last("trade_executed").execution.executed_quantity == 0


def test_a_rejected_order_that_never_had_a_plan_is_measured_and_told() -> None:
    story = Story()
    story.create()
    story.complete(ParentState.REJECTED)
    story.pass_time(20)
    assert story.last("execution_measured").algorithm == "NONE"
    assert len(story.of("trade_executed")) == 1


def test_without_a_quote_at_arrival_costs_are_null_with_the_reason_and_never_zero() -> None:
    story = Story(bid=None)
    story.create()
    story.select()
    story.plan()
    story.send("c1", 1000)
    story.fill("c1", 1000, "100.01", fee="2")
    story.complete(ParentState.FILLED)
    story.pass_time(20)
    costs = story.last("execution_measured").costs
    for name in ("arrival_price", "total", "spread", "timing", "arrival_slippage_bps", "implementation_shortfall_bps"):
        assert getattr(costs, name) is None, name
    assert costs.fees == Decimal(2)
    assert costs.notes[0].startswith("the book was one-sided or crossed at arrival")
    assert story.last("trade_executed").cost_breakdown.total is None
    graded = story.last("execution_quality_analyzed")
    assert graded.quality_grade is None
    assert graded.metric_breakdown["SLIPPAGE"].metric_value is None
    assert graded.metric_breakdown["SLIPPAGE"].note


def test_a_late_fill_after_the_cancel_is_kept_and_flagged() -> None:
    story = Story()
    story.create()
    story.select()
    story.plan()
    story.send("c1", 1000)
    story.pass_time(5)
    story.report(ReportKind.CANCELLED, "c1", 1000)
    story.complete(ParentState.CANCELLED)
    story.pass_time(6)
    story.fill("c1", 300, "100.01")
    story.pass_time(20)
    measured = story.last("execution_measured")
    assert measured.executed_quantity == 300
    assert [fill.is_late for fill in measured.fills] == [True]
    (alert,) = story.of("execution_alert_generated")
    assert (alert.alert_type, alert.state) == ("DATA_QUALITY", "FIRING")
    assert "300 filled at NYSE after its order had ended" in alert.recommendation


def test_the_same_execution_twice_is_counted_once() -> None:
    story = Story()
    story.create()
    story.plan()
    story.send("c1", 1000)
    payload = story.fill("c1", 400, "100.01", execution_id="X")
    before = len(story.of("execution_monitoring"))
    story.tell(payload, source="market")
    assert len(story.of("execution_monitoring")) == before
    assert story.last("execution_monitoring").filled_quantity == 400


def test_more_filled_and_live_than_ordered_is_a_critical_alert() -> None:
    story = Story()
    story.create()
    story.plan()
    story.send("c1", 1000)
    assert story.of("execution_alert_generated") == []
    story.send("c2", 1)
    (alert,) = story.of("execution_alert_generated")
    assert (alert.alert_type, alert.severity, alert.value) == ("LIMIT_BREACH", "CRITICAL", 1.0)
    assert "1 too much" in alert.recommendation


def test_an_overfilled_order_is_unacceptable_whatever_it_cost() -> None:
    story = Story()
    story.create()
    story.select()
    story.plan()
    story.send("c1", 1000)
    story.fill("c1", 1000, "99.99")
    story.fill("c1", 1, "99.99")
    story.complete(ParentState.FILLED)
    story.pass_time(20)
    graded = story.last("execution_quality_analyzed")
    assert graded.quality_grade == "UNACCEPTABLE"
    assert graded.interval.grade_low == graded.interval.grade_high == "UNACCEPTABLE"
    assert "1001 was filled of 1000 ordered" in graded.improvement_recommendations[0]
    assert story.last("quality_alert").subject == ORDER


def test_the_same_messages_give_the_same_events_and_rows() -> None:
    one, two = filled_story(), filled_story()
    assert [encode(message) for message in one.messages] == [encode(message) for message in two.messages]
    assert one.records == two.records


def test_every_message_of_the_story_survives_the_wire() -> None:
    for message in filled_story().messages:
        assert decode(encode(message)) == message


def test_a_fresh_service_fed_the_same_messages_reaches_the_same_state() -> None:
    story = filled_story()
    fresh = MonitoringService(Reference(), MonitoringConfig())
    for message in story.messages:
        if message.event_type in fresh.takes:
            fresh.handle(message)
    assert fresh.state(ORDER) == story.monitoring.state(ORDER)


def test_the_rows_hold_the_measurement_the_trade_and_the_grade() -> None:
    story = filled_story()
    monitoring = [row for row in story.records if isinstance(row, MonitoringRow)][-1]
    assert monitoring.measured is not None
    assert monitoring.trade_executed is not None
    assert monitoring.state == "FILLED"
    assert [row.quality_grade for row in story.records if isinstance(row, QualityResultRow)] == ["AVERAGE"]
    assert len([row for row in story.records if isinstance(row, VenueProfileRow)]) == 1


def test_a_fill_beyond_the_limit_of_the_time_is_a_breach_and_a_later_limit_counts_from_then() -> None:
    story = Story(price=Decimal("100.01"))
    story.create()
    story.select()
    story.plan()
    story.send("c1", 600)
    story.fill("c1", 600, "100.01")
    story.tell(OrderAmended(order_id=ORDER, actor="trader", price=Decimal("100.03")))
    story.send("c2", 400)
    story.fill("c2", 400, "100.04", execution_id="dear")
    story.complete(ParentState.FILLED)
    story.pass_time(20)
    assert story.last("execution_measured").breaches == ("fill dear at 100.04 is beyond the limit 100.03",)
    assert story.last("execution_quality_analyzed").quality_grade == "UNACCEPTABLE"


def test_an_amended_quantity_is_what_the_order_is_measured_against() -> None:
    story = Story()
    story.create()
    story.select()
    story.plan()
    story.send("c1", 600)
    story.fill("c1", 600, "100.01")
    story.tell(OrderAmended(order_id=ORDER, actor="trader", quantity=Decimal(800)))
    story.plan(revision=1)
    assert story.last("execution_monitoring").execution_progress == 0.75
    story.complete(ParentState.EXPIRED)
    story.pass_time(20)
    measured = story.last("execution_measured")
    assert measured.requested_quantity == 800
    assert measured.costs.notional == 80_000


def test_trading_above_the_participation_cap_is_told_and_unacceptable() -> None:
    story = Story()
    story.create(max_participation_rate=0.10)
    story.select()
    story.plan()
    story.work()
    story.send("c1", 1000)
    story.fill("c1", 1000, "100.01")
    story.work()
    story.trade("100.01", 1000)
    story.pass_time(7)
    (alert,) = story.of("execution_alert_generated")
    assert alert.recommendation.startswith("Participation is 50.0 % against a cap of 10.0 %")
    story.complete(ParentState.FILLED)
    story.pass_time(20)
    assert story.last("execution_measured").breaches == ("participation was 50.0% against a cap of 10.0%",)


def test_rejects_an_empty_book_and_a_rest_near_the_end_are_told_in_words() -> None:
    story = Story()
    story.create()
    story.plan(slices=1)
    story.work()
    for number in range(5):
        story.send(f"c{number}", 100)
        story.report(ReportKind.REJECTED, f"c{number}", 100)
    story.quote(None, "100.01")
    story.pass_time(58)
    told = [alert.recommendation for alert in story.of("execution_alert_generated")]
    assert told[0].startswith("5 of 5 answered child orders were rejected")
    assert told[1].startswith("The book is one-sided or crossed")
    assert told[2] == "1,000 of 1,000 is unfilled near the end: extend it or raise the urgency."


def test_a_fill_nobody_sent_is_named_in_the_alert() -> None:
    story = Story()
    story.create()
    story.plan()
    story.fill("unknown", 100, "100.01", execution_id="X7")
    (alert,) = story.of("execution_alert_generated")
    assert (alert.severity, alert.alert_type) == ("CRITICAL", "LIMIT_BREACH")
    assert "X7 at NYSE" in alert.recommendation


def test_a_fill_after_the_trade_was_told_changes_the_ledger_and_not_the_trade() -> None:
    story = filled_story()
    story.send("c3", 10)
    story.fill("c3", 10, "100.01")
    assert len(story.of("trade_executed")) == len(story.of("execution_measured")) == 1
    update = story.last("execution_monitoring")
    assert (update.filled_quantity, update.late_fills) == (1010, 1)
    assert {alert.alert_type for alert in story.of("execution_alert_generated")} == {"LIMIT_BREACH", "DATA_QUALITY"}


def test_an_unfilled_order_whose_book_is_empty_at_the_end_has_no_opportunity_cost_and_says_why() -> None:
    story = Story()
    story.create()
    story.plan()
    story.quote("99.99", None)
    story.pass_time(1)
    story.complete(ParentState.EXPIRED)
    story.pass_time(20)
    costs = story.last("execution_measured").costs
    assert (costs.opportunity, costs.total, costs.end_price) == (None, None, None)
    assert any("crossed at the end" in note for note in costs.notes)


def test_an_execution_without_volatility_or_plan_is_measured_and_not_graded() -> None:
    story = Story()
    story.create()
    story.send("c1", 1000)
    story.fill("c1", 1000, "100.01")
    story.complete(ParentState.FILLED)
    story.pass_time(20)
    graded = story.last("execution_quality_analyzed")
    assert (graded.overall_quality_score, graded.quality_grade) == (None, None)
    assert "neither a recommendation nor a plan" in graded.metric_breakdown["COST_VS_MODEL"].note


def counted_story(*, algorithm_counts: bool) -> Story:
    """One child filled every 6 s, longer apart than the ledgers may differ, with no look of our own in between."""
    story = Story(config=MonitoringConfig(update_interval_ns=1000 * NS_PER_SECOND))
    story.create()
    story.plan()
    story.work()
    story.send("c1", 600)
    for number in range(6):
        story.pass_time(6.0 * number + 1)
        story.fill("c1", 100, "100.01")
        if algorithm_counts:
            story.work()
    return story


def test_ledgers_that_agree_after_every_fill_raise_no_alert_however_far_apart_the_fills_are() -> None:
    assert [alert.alert_type for alert in counted_story(algorithm_counts=True).of("execution_alert_generated")] == []


def test_an_algorithm_that_stops_counting_fills_is_a_critical_alert() -> None:
    (alert,) = counted_story(algorithm_counts=False).of("execution_alert_generated")
    assert (alert.alert_type, alert.severity) == ("LIMIT_BREACH", "CRITICAL")
    assert "by the algorithm's count" in alert.recommendation
