"""The life of an alert: pending, firing, resolved; and what people may say to rules and alerts."""

import pytest

from bestex.domain.errors import Conflict, InvalidInput, NotFound
from bestex.domain.orders import ParentState
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.monitoring import AcknowledgeAlert, DeleteAlertRule, SaveAlertRule, StartMonitoring
from bestex.messages.records import AlertRow, AlertRuleRow
from bestex.services.monitoring.alerts import RaisedAlert, rule, step
from bestex.services.monitoring.config import MonitoringConfig
from bestex.services.monitoring.service import MonitoringService
from tests.scenarios.order_story import ORDER, Reference, Story

LATE = rule("late", "SLOW_EXECUTION", "schedule_deviation", "below", -0.1, 10.0, "MEDIUM")
FIRED = AlertRow(
    alert_id="A",
    order_id="P",
    alert_type="SLOW_EXECUTION",
    severity="MEDIUM",
    state="FIRING",
    recommendation="",
    value=-0.2,
    threshold=-0.1,
    raised_time_ns=0,
    updated_time_ns=0,
    acknowledged_by=None,
)


def evaluate(raised: RaisedAlert, value: float | None, second: float) -> tuple[RaisedAlert, str | None]:
    return step(
        raised,
        LATE,
        value=value,
        threshold=LATE.threshold,
        now_ns=int(second * NS_PER_SECOND),
        keep_firing_ns=2 * NS_PER_SECOND,
    )


def outcome(values: dict[float, float | None]) -> list[str | None]:
    raised = RaisedAlert()
    happened = []
    for second, value in values.items():
        raised, what = evaluate(raised, value, second)
        happened.append(what)
    return happened


def test_a_rule_fires_only_after_holding_for_its_whole_time() -> None:
    assert outcome({0: -0.2, 5: -0.2, 9.9: -0.2, 10: -0.2}) == [None, None, None, "FIRE"]


def test_one_false_evaluation_starts_the_time_again() -> None:
    assert outcome({0: -0.2, 9: 0.0, 10: -0.2, 19: -0.2, 20: -0.2}) == [None, None, None, None, "FIRE"]


def test_a_value_that_cannot_be_computed_starts_the_time_again() -> None:
    assert outcome({0: -0.2, 9: None, 10: -0.2, 19: -0.2}) == [None] * 4


def test_the_threshold_itself_does_not_hold() -> None:
    assert outcome({0: -0.1, 10: -0.1, 20: -0.1}) == [None] * 3


def test_a_firing_alert_resolves_after_being_false_for_the_keeping_time() -> None:
    raised = RaisedAlert(row=FIRED)
    raised, what = evaluate(raised, 0.0, 20)
    assert what is None
    raised, what = evaluate(raised, -0.2, 21)  # flaps: the keeping time starts again
    raised, what = evaluate(raised, 0.0, 22)
    assert what is None
    assert evaluate(raised, 0.0, 24)[1] == "RESOLVE"


def test_a_firing_alert_does_not_resolve_because_nothing_is_known() -> None:
    raised, what = evaluate(RaisedAlert(row=FIRED), None, 100)
    assert what is None
    assert raised.is_open


def behind() -> Story:
    """A plan of six slices in a minute, and nothing filled for 40 s."""
    story = Story()
    story.create()
    story.select()
    story.plan()
    story.work()
    story.pass_time(40)
    return story


def test_an_order_behind_its_schedule_is_told_with_the_numbers_and_ends_with_the_order() -> None:
    story = behind()
    (alert,) = story.of("execution_alert_generated")
    # more than 1.5 slices behind from 16 s on (the updates are at whole seconds), for 10 s
    assert alert.alert_type == "SLOW_EXECUTION"
    raised = next(message for message in story.messages if message.event_type == "execution_alert_generated")
    assert raised.time_ns == story.now_ns - 14 * NS_PER_SECOND
    assert alert.recommendation.startswith("433 behind the schedule's 433, with 0 live")
    assert alert.expected_progress == pytest.approx(0.4333, abs=1e-3)
    story.complete(ParentState.EXPIRED)
    assert [one.state for one in story.of("execution_alert_generated")] == ["FIRING", "RESOLVED"]
    assert story.last("execution_monitoring").alerts_open == 0


def told(story: Story) -> list[str]:
    return [alert.recommendation for alert in story.of("execution_alert_generated") if alert.state == "FIRING"]


def test_nothing_is_slow_in_the_first_slice_of_a_plan_however_long_it_is() -> None:
    story = Story()
    story.create()
    story.plan(slices=1, deadline=600)
    story.work()
    story.pass_time(58)
    assert told(story) == []


def test_an_order_whose_quantity_rests_and_never_fills_is_told_in_the_last_tenth_before_its_deadline() -> None:
    story = Story()
    story.create()
    story.plan(deadline=100)
    story.work()
    story.send("c1", 1000)
    story.pass_time(89)
    assert told(story) == []
    story.pass_time(91)
    assert told(story) == ["1,000 of 1,000 is unfilled near the end: extend it or raise the urgency."]


def test_the_end_of_a_window_is_not_the_end_of_the_order() -> None:
    story = Story()
    story.create()
    story.plan(deadline=600)
    story.work()
    story.send("c1", 1000)
    story.pass_time(60)
    story.plan(revision=1, deadline=540)
    story.pass_time(539)
    assert told(story) == []
    story.pass_time(541)
    assert told(story) == ["1,000 of 1,000 is unfilled near the end: extend it or raise the urgency."]


def test_a_cost_within_what_chance_does_in_one_order_of_twenty_is_not_told() -> None:
    story = Story()
    story.create()
    story.select(cost=0.0002, sd=0.0002)
    story.plan()
    story.work()
    story.send("c1", 1000)
    story.fill("c1", 500, "100.065")  # 6.5 bps: 2.25 standard deviations
    story.work()
    story.pass_time(12)
    assert told(story) == []


def test_a_paused_order_is_not_slow() -> None:
    story = Story()
    story.create()
    story.plan()
    story.work()
    story.work(ParentState.PAUSED)
    story.pass_time(40)
    assert story.of("execution_alert_generated") == []


def test_a_dear_order_is_told_after_five_seconds() -> None:
    story = Story()
    story.create()
    story.select(cost=0.0002, sd=0.0002)
    story.plan()
    story.work()
    story.send("c1", 1000)
    story.pass_time(0.5)
    story.fill("c1", 500, "100.07")  # 7 bps against 2 + 2 x 2
    story.work()
    story.pass_time(5)
    assert story.of("execution_alert_generated") == []
    story.pass_time(6)
    (alert,) = story.of("execution_alert_generated")
    assert (alert.alert_type, alert.severity) == ("HIGH_COST", "HIGH")
    assert "7.0 bps against 2.0 bps expected, 2.5 standard deviations above" in alert.recommendation


def test_a_count_of_fills_that_differs_from_the_algorithms_is_critical() -> None:
    story = Story()
    story.create()
    story.plan()
    story.work()
    story.send("c1", 600)
    story.fill("c1", 600, "100.01")
    story.filled -= 100  # the algorithm service has missed some
    story.work()
    story.pass_time(7)
    (alert,) = story.of("execution_alert_generated")
    assert (alert.severity, alert.value) == ("CRITICAL", 100.0)
    assert "600 is filled by the venues' reports, 500 by the algorithm's count" in alert.recommendation


def test_an_alert_is_acknowledged_once_by_name() -> None:
    story = behind()
    alert_id = story.last("execution_alert_generated").alert_id
    request = AcknowledgeAlert(order_id=ORDER, alert_id=alert_id, actor="ana")
    answer = story.tell(request).answer
    assert (answer.state, answer.acknowledged_by) == ("ACKNOWLEDGED", "ana")
    assert story.last("execution_alert_generated").state == "ACKNOWLEDGED"
    assert story.last("execution_monitoring").alerts_open == 1
    again = story.tell(AcknowledgeAlert(order_id=ORDER, alert_id=alert_id, actor="ben"))
    assert (again.answer.acknowledged_by, again.events) == ("ana", [])
    story.complete(ParentState.EXPIRED)
    with pytest.raises(Conflict, match="resolved already"):
        story.tell(request)


def test_an_alert_that_is_not_there_cannot_be_acknowledged() -> None:
    story = behind()
    with pytest.raises(NotFound, match="has no alert X"):
        story.tell(AcknowledgeAlert(order_id=ORDER, alert_id="X", actor="ana"))
    with pytest.raises(NotFound, match="no order P9"):
        story.tell(AcknowledgeAlert(order_id="P9", alert_id="X", actor="ana"), order_id="P9")


def saved(**changes: object) -> SaveAlertRule:
    fields: dict[str, object] = {
        "rule_name": "participation",
        "alert_type": "LIMIT_BREACH",
        "metric": "participation_rate",
        "comparison": "above",
        "threshold": 0.5,
        "for_seconds": 0.0,
        "severity": "LOW",
        "actor": "ana",
    }
    return SaveAlertRule(**(fields | changes))  # type: ignore[arg-type]


def test_a_rule_that_a_user_saves_works_from_then_on_and_until_deleted() -> None:
    story = Story()
    answer = story.tell(saved(), order_id="desk").answer
    assert isinstance(answer, AlertRuleRow)
    story.create()
    story.plan()
    story.work()
    story.send("c1", 600)
    story.fill("c1", 600, "100.01")  # all of the volume since arrival
    assert [one.alert_type for one in story.of("execution_alert_generated")] == ["LIMIT_BREACH"]
    gone = story.tell(DeleteAlertRule(rule_name="participation", actor="ana"), order_id="desk").answer
    assert gone.enabled is False
    story.pass_time(1)
    assert story.last("execution_alert_generated").state == "RESOLVED"


def test_a_wrong_rule_is_refused_with_every_field_that_is_wrong() -> None:
    with pytest.raises(InvalidInput) as caught:
        Story().tell(
            saved(metric="moon_phase", severity="BAD", for_seconds=-1.0, rule_name="conservation"), order_id="desk"
        )
    assert {error.field for error in caught.value.errors} == {"metric", "severity", "for_seconds", "rule_name"}


def test_an_unknown_rule_cannot_be_deleted() -> None:
    with pytest.raises(NotFound, match="no alert rule 'x'"):
        Story().tell(DeleteAlertRule(rule_name="x", actor="ana"), order_id="desk")


def test_thresholds_of_one_order_are_its_own() -> None:
    story = Story()
    story.create()
    request = StartMonitoring(order_id=ORDER, actor="ana", alert_thresholds={"behind schedule": 100.0})
    session = story.tell(request).answer
    assert session.alert_thresholds == {"behind schedule": 100.0}
    story.plan()
    story.work()
    story.pass_time(40)
    assert story.of("execution_alert_generated") == []


def test_a_session_with_unknown_metrics_or_rules_is_refused() -> None:
    story = Story()
    story.create()
    with pytest.raises(InvalidInput, match="monitoring_metrics MOON"):
        story.tell(StartMonitoring(order_id=ORDER, actor="ana", monitoring_metrics=("SLIPPAGE", "MOON")))
    with pytest.raises(InvalidInput, match="names no rule: moon"):
        story.tell(StartMonitoring(order_id=ORDER, actor="ana", alert_thresholds={"moon": 1.0}))
    with pytest.raises(NotFound):
        story.tell(StartMonitoring(order_id="P9", actor="ana"), order_id="P9")


def test_without_real_time_updates_only_fills_and_states_are_published() -> None:
    story = Story()
    story.create()
    story.tell(StartMonitoring(order_id=ORDER, actor="ana", real_time_updates=False))
    story.plan()
    story.pass_time(30)
    assert len(story.of("execution_monitoring")) == 2  # created, planned


def test_rules_come_back_from_their_rows_and_defaults_stay_without_any() -> None:
    service = MonitoringService(Reference(), MonitoringConfig())
    defaults = service.initial_records(7)
    assert {row.created_at_ns for row in defaults} == {7}
    service.restore([])
    assert len(service.initial_records(7)) == len(defaults)
    service.restore(defaults[:2])
    assert service.initial_records(7) == defaults[:2]


def test_a_config_that_cannot_work_says_everything_that_is_wrong() -> None:
    with pytest.raises(InvalidInput) as caught:
        MonitoringConfig(update_interval_ns=0, participation_tolerance=1.0)
    assert {error.field for error in caught.value.errors} == {
        "monitoring.update_interval_ns",
        "monitoring.participation_tolerance",
    }
