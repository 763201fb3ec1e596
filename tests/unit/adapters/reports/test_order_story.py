"""What a report gathers from the messages of an order, and what it refuses."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bestex.adapters.reports.order_story import order_story
from bestex.domain.errors import Conflict, InvalidInput, NotFound
from bestex.domain.orders import Algorithm, ParentState, Side
from tests.unit.adapters.reports.worked_orders import Worked, worked


@pytest.fixture(scope="module")
def run() -> Worked:
    return worked(Side.BUY, 4000, algorithm=Algorithm.VWAP)


def test_the_children_fill_what_the_order_filled(run: Worked) -> None:
    story = run.story
    assert sum(life.filled_quantity for life in story.children) == story.measured.executed_quantity
    assert sum(life.fees for life in story.children) == story.measured.costs.fees
    assert {life.outcome for life in story.children} <= {"FILLED", "CANCELLED"}
    assert all(life.filled_quantity == life.child.quantity for life in story.children if life.outcome == "FILLED")
    assert len(story.children) == story.completed.child_orders


def test_a_report_told_twice_counts_once(run: Worked) -> None:
    twice = [message for message in run.messages for _ in range(2 if message.event_type == "execution_report" else 1)]
    assert order_story(twice).children == run.story.children
    assert [step.filled_before for step in order_story(twice).plans] == [step.filled_before for step in run.story.plans]


def test_the_timeline_begins_with_the_request_and_ends_with_what_the_outside_hears(run: Worked) -> None:
    events = run.story.timeline
    assert events[0].text == "BUY 4,000 AAPL MARKET, by trader"
    assert events[-1].event_type == "trade_executed"
    assert [event.time_ns for event in events] == sorted(event.time_ns for event in events)
    fills = [event for event in events if event.event_type == "execution_report" and " filled " in event.text]
    assert len(fills) == len(run.story.fills)


def test_a_cancelled_order_keeps_who_cancelled_it_and_why() -> None:
    story = worked(Side.SELL, 20_000, minutes=10, cancel_after_s=90, algorithm=Algorithm.TWAP).story
    assert story.measured.state is ParentState.CANCELLED
    assert 0 < story.measured.executed_quantity < 20_000
    texts = [event.text for event in story.timeline]
    assert "cancelled by trader: changed my mind" in texts


def test_an_order_without_its_end_is_refused_with_what_is_missing(run: Worked) -> None:
    until = [message for message in run.messages if message.event_type not in ("trade_executed", "execution_measured")]
    with pytest.raises(Conflict, match="execution_measured, trade_executed missing"):
        order_story(until)


def test_an_unknown_order_is_named(run: Worked) -> None:
    with pytest.raises(NotFound, match="no order order-9 was created"):
        order_story(run.messages, "order-9")
    with pytest.raises(NotFound, match="order_created is missing"):
        order_story([])


def test_two_orders_need_a_choice(run: Worked) -> None:
    other = worked(Side.SELL, 100, minutes=2, order_id="order-2", algorithm=Algorithm.TWAP)
    both = [*run.messages, *other.messages]
    with pytest.raises(InvalidInput, match="hold 2 orders and none is named"):
        order_story(both)
    assert order_story(both, "order-2").measured.executed_quantity == Decimal(100)
    assert order_story(both, "order-1") == run.story


def test_an_order_that_was_never_graded_has_a_story(run: Worked) -> None:
    ungraded = [message for message in run.messages if message.event_type != "execution_quality_analyzed"]
    assert order_story(ungraded).graded is None
    assert replace(run.story, graded=None).measured == order_story(ungraded).measured
