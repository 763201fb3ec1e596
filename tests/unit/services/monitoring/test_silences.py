"""Silencing an alert: nobody is told for a while, nothing is lost, and it ends by itself."""

from typing import Any

import pytest

from bestex.domain.errors import Conflict, InvalidInput, NotFound
from bestex.domain.orders import ParentState
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.monitoring import AcknowledgeAlert, SilenceAlert
from bestex.messages.records import AlertRow
from tests.scenarios.order_story import ORDER, Story
from tests.unit.services.monitoring.test_alerts import behind


def silence(story: Story, seconds: int, alert_id: str | None = None) -> Any:
    alert = alert_id or story.last("execution_alert_generated").alert_id
    request = SilenceAlert(
        order_id=ORDER, alert_id=alert, actor="ana", duration_seconds=seconds, reason="the venue is slow today"
    )
    return story.tell(request)


def told(story: Story) -> list[tuple[str, bool]]:
    """State and whether silenced, of each message about the order being behind its schedule."""
    found = [one for one in story.of("execution_alert_generated") if one.severity == "MEDIUM"]
    return [(one.state, one.silenced_until_ns is not None) for one in found]


def kept(story: Story) -> list[AlertRow]:
    """The same alerts' rows as the store would have them, oldest first."""
    rows = {row.alert_id: row for row in story.records if isinstance(row, AlertRow)}
    return [row for row in rows.values() if row.severity == "MEDIUM"]


def test_a_silenced_alert_is_shown_with_its_silence_and_told_again_when_it_is_over() -> None:
    story = behind()
    row = silence(story, 10).answer
    assert isinstance(row, AlertRow)
    assert (row.state, row.silenced_by, row.silence_reason) == ("FIRING", "ana", "the venue is slow today")
    assert row.silenced_until_ns == story.now_ns + 10 * NS_PER_SECOND
    story.pass_time(49)
    assert told(story) == [("FIRING", False), ("FIRING", True)]
    story.pass_time(51)
    assert told(story) == [("FIRING", False), ("FIRING", True), ("FIRING", False)]
    story.pass_time(56)
    assert len(told(story)) == 3


def test_what_fires_into_a_silence_is_kept_and_told_only_when_the_silence_ends() -> None:
    story = behind()
    silence(story, 600)
    story.send("c1", 550)
    story.fill("c1", 550, "100.01")  # back on schedule: it resolves, and whoever heard of it hears of that
    story.work()
    story.pass_time(44)
    assert told(story) == [("FIRING", False), ("FIRING", True), ("RESOLVED", True)]
    story.pass_time(90)  # behind again
    assert len(told(story)) == 3
    rows = kept(story)
    assert [row.state for row in rows] == ["RESOLVED", "FIRING"]
    assert rows[1].silenced_until_ns == rows[0].silenced_until_ns
    others = [one for one in story.of("execution_alert_generated") if one.severity == "HIGH"]
    assert [one.state for one in others] == ["FIRING"]  # unfilled near the end: another rule is not silenced
    assert story.last("execution_monitoring").alerts_open == 2
    answer = silence(story, 0, rows[1].alert_id).answer
    assert (answer.silenced_until_ns, answer.silenced_by) == (None, None)
    assert told(story)[3:] == [("FIRING", False)]


def test_an_alert_that_came_and_went_in_a_silence_is_told_to_nobody() -> None:
    story = behind()
    silence(story, 600)
    story.send("c1", 550)
    story.fill("c1", 550, "100.01")
    story.work()
    story.pass_time(90)
    before = len(told(story))
    story.complete(ParentState.EXPIRED)
    assert len(told(story)) == before
    assert [row.state for row in kept(story)] == ["RESOLVED", "RESOLVED"]


def test_an_acknowledgement_is_told_also_in_a_silence() -> None:
    story = behind()
    alert_id = silence(story, 600).answer.alert_id
    story.tell(AcknowledgeAlert(order_id=ORDER, alert_id=alert_id, actor="ben"))
    assert told(story)[2:] == [("ACKNOWLEDGED", True)]


@pytest.mark.parametrize("seconds", [-1, 86_401])
def test_a_silence_lasts_at_most_a_day(seconds: int) -> None:
    with pytest.raises(InvalidInput, match="0 to 86400"):
        silence(behind(), seconds)


def test_an_alert_that_is_not_there_cannot_be_silenced() -> None:
    with pytest.raises(NotFound, match="has no alert X"):
        silence(behind(), 60, "X")


def test_an_order_that_is_over_cannot_be_silenced() -> None:
    story = behind()
    story.complete(ParentState.EXPIRED)
    with pytest.raises(Conflict, match="is over"):
        silence(story, 60)


def test_a_broken_invariant_cannot_be_silenced() -> None:
    story = Story()
    story.create()
    story.plan()
    story.work()
    story.send("c1", 600)
    story.fill("c1", 600, "100.01")
    story.filled -= 100  # the algorithm service has missed some
    story.work()
    story.pass_time(7)
    with pytest.raises(Conflict, match="cannot be silenced"):
        silence(story, 60)
