"""A parent order's life, by messages alone."""

from decimal import Decimal

from bestex.domain.orders import ExecutionStyle, ParentState, TimeInForce
from bestex.messages.execution import ChildOrderSubmitted, ExecutionCompleted, ExecutionPlanned
from tests.unit.services.algorithm.paper_desk import MINUTE, OPEN, SECOND, PaperDesk, parent_order


def test_an_aggressive_twap_sends_one_child_a_slice_and_is_filled_by_its_end() -> None:
    desk = PaperDesk()
    desk.create(parent_order(quantity=6_000))
    desk.run_until(OPEN + 30 * MINUTE)
    sent = desk.of(ChildOrderSubmitted)
    assert sum(event.child.quantity for event in sent) == 6_000
    assert {event.slice_id for event in sent} == set(range(30))
    assert all(event.child.time_in_force is TimeInForce.IOC for event in sent)
    (completed,) = desk.of(ExecutionCompleted)
    assert completed.state is ParentState.FILLED
    assert completed.filled_quantity == 6_000
    assert completed.notional == Decimal(6_000) * Decimal("100.02")
    assert desk.timers == {}


def test_the_plan_is_published_before_the_first_child_and_its_slices_sum_to_the_order() -> None:
    desk = PaperDesk()
    desk.create(parent_order(quantity=6_000))
    desk.run_until(OPEN + 5 * SECOND)
    kinds = [type(event) for _, event in desk.events]
    assert kinds.index(ExecutionPlanned) < kinds.index(ChildOrderSubmitted)
    (planned,) = desk.of(ExecutionPlanned)
    assert sum(part.target_quantity for part in planned.execution_schedule) == 6_000
    assert sum(child.quantity for child in planned.child_orders) == 6_000
    assert planned.estimated_cost > 0


def test_a_balanced_order_posts_and_crosses_what_the_next_slice_finds_unfilled() -> None:
    desk = PaperDesk()
    desk.create(parent_order(quantity=6_000, style=ExecutionStyle.BALANCED))
    desk.run_until(OPEN + 5 * SECOND)
    first = desk.of(ChildOrderSubmitted)
    assert first
    assert all(event.child.post_only for event in first)
    desk.run_until(OPEN + 30 * MINUTE)
    assert any(not event.child.post_only for event in desk.of(ChildOrderSubmitted))
    (completed,) = desk.of(ExecutionCompleted)
    assert completed.state is ParentState.FILLED


def test_a_passive_order_that_never_trades_expires_with_everything_accounted_for() -> None:
    desk = PaperDesk(ask=None)
    desk.create(parent_order(quantity=600, style=ExecutionStyle.PASSIVE))
    desk.run_until(OPEN + 31 * MINUTE)
    (completed,) = desk.of(ExecutionCompleted)
    assert completed.state is ParentState.EXPIRED
    assert completed.unfilled_quantity == 600
    assert desk.live() == []
