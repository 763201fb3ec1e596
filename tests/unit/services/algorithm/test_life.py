"""A parent order's life, by messages alone."""

from decimal import Decimal

from bestex.domain.orders import ExecutionStyle, ParentState, Side, TimeInForce
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


def test_a_passive_order_that_follows_the_price_moves_its_children_within_the_slice() -> None:
    desk = PaperDesk()
    desk.create(parent_order(style=ExecutionStyle.PASSIVE, parameters={"follows_price": True}))
    desk.run_until(OPEN + 5 * SECOND)
    posted = len(desk.of(ChildOrderSubmitted))
    desk.quote("99.99", "100.02")  # away from us: what stands at a better price stays
    assert len(desk.of(ChildOrderSubmitted)) == posted
    desk.quote("100.01", "100.02")
    moved = desk.of(ChildOrderSubmitted)[posted:]
    assert {event.child.price for event in moved} == {Decimal("100.01")}
    assert sum(event.child.quantity for event in moved) == 200
    desk.run_until(OPEN + 31 * MINUTE)
    assert desk.watches == {}


def test_a_passive_order_that_does_not_follow_the_price_hears_of_no_quote() -> None:
    desk = PaperDesk()
    desk.create(parent_order(style=ExecutionStyle.PASSIVE, price="100.01"))
    desk.run_until(OPEN + 5 * SECOND)
    assert desk.of(ChildOrderSubmitted)
    assert desk.watches == {}


def test_what_a_limit_holds_back_leaves_when_the_price_is_within_it() -> None:
    desk = PaperDesk()
    desk.create(parent_order(side=Side.SELL, price="100.01", parameters={"follows_price": True}))
    desk.run_until(OPEN + 5 * SECOND)
    assert desk.of(ChildOrderSubmitted) == []
    desk.quote("100.005", "100.02")
    assert desk.of(ChildOrderSubmitted) == []
    desk.quote("100.01", "100.02")
    assert {event.child.price for event in desk.of(ChildOrderSubmitted)} == {Decimal("100.01")}
