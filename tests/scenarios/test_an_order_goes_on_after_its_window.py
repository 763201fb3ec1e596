"""A thin instrument, a tight cap, a client with time: what the recommended window leaves is worked on until the deadline."""

from decimal import Decimal
from functools import cache
from typing import Any

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.domain.ids import InstrumentId, ParentOrderId
from bestex.domain.orders import ExecutionInstructions, Objective, ParentOrder, ParentState, Side, Urgency
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND
from bestex.messages.envelope import Message
from bestex.messages.orders import CreateOrder
from bestex.messages.strategy import ExecutionConstraints, Recommendation, RecommendExecution
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference

WALL_NS = 1_795_000_000 * NS_PER_SECOND
CAP = 0.05
QUANTITY = Decimal(3_000)
DEADLINE_MINUTES = 150


@cache
def journal(is_limited_in_time: bool = False) -> tuple[Message[Any], ...]:
    """3,000 WOBL at 5 % of a day's 250,000; the desk wants it done in less time than it gets."""
    market = GeneratedMarket(seed=21, wall_ns=WALL_NS)
    reference = GeneratedReference(market)
    kept = MemoryJournal()
    driver = ReplayDriver(Desk(services("all", reference, timed=False), market), kept)
    driver.restore_catalogues()
    request = RecommendExecution(
        order_id="W1",
        instrument_id="WOBL",
        side=Side.BUY,
        quantity=QUANTITY,
        objective=Objective.MINIMIZE_TIME,
        urgency=Urgency.HIGH,
        constraints=ExecutionConstraints(
            max_participation_rate=CAP, time_limit_minutes=20 if is_limited_in_time else None
        ),
        market=market.snapshot("WOBL"),
    )
    proposal = driver.request("strategy", request, order_id="W1")
    assert isinstance(proposal, Recommendation)
    order = ParentOrder(
        order_id=ParentOrderId("W1"),
        instrument_id=InstrumentId("WOBL"),
        side=Side.BUY,
        quantity=QUANTITY,
        instructions=ExecutionInstructions(
            selection_id=proposal.selection_id,
            end_time_ns=market.now_ns + DEADLINE_MINUTES * NS_PER_MINUTE,
        ),
    )
    create = CreateOrder(order=order, actor="client", market=market.snapshot("WOBL"))
    driver.request("order-desk", create, order_id=order.order_id)
    driver.run_until(market.now_ns + (DEADLINE_MINUTES + 1) * NS_PER_MINUTE)
    return tuple(kept.messages)


def of(event_type: str, **which: Any) -> list[Any]:
    return [message.payload for message in journal(**which) if message.event_type == event_type]


def test_the_order_outlives_its_recommended_window_and_says_so() -> None:
    plans = of("execution_planned")
    [created] = of("order_created")
    assert len(plans) > 1
    assert {plan.deadline_time_ns for plan in plans} == {created.order.instructions.end_time_ns}
    assert [plan.revision for plan in plans] == list(range(len(plans)))
    for plan in plans[1:]:
        assert "window ended with" in plan.parameters["revised_because"]
        assert "going on until" in plan.parameters["revised_because"]
    assert {plan.algorithm_used for plan in plans} == {plans[0].algorithm_used}


def test_it_ends_filled_or_at_the_deadline_with_everything_accounted_for() -> None:
    [completed] = of("execution_completed")
    [created] = of("order_created")
    plans = of("execution_planned")
    fills = sum(
        (report.report.quantity for report in of("execution_report") if report.report.kind == "FILL"), Decimal(0)
    )
    assert completed.filled_quantity == fills
    assert completed.filled_quantity + completed.unfilled_quantity == QUANTITY
    assert completed.completed_ns > plans[0].end_time_ns
    deadline = created.order.instructions.end_time_ns
    assert completed.state is ParentState.FILLED or completed.completed_ns >= deadline


def test_the_cap_holds_over_all_windows() -> None:
    [measured] = of("execution_measured")
    assert measured.metrics.participation_rate is not None
    assert measured.metrics.participation_rate <= CAP + 0.01


def test_a_time_limit_of_the_proposal_is_the_deadline_where_the_order_gives_a_later_end() -> None:
    [completed] = of("execution_completed", is_limited_in_time=True)
    [created] = of("order_created", is_limited_in_time=True)
    plans = of("execution_planned", is_limited_in_time=True)
    assert {plan.deadline_time_ns for plan in plans} == {created.submission_time_ns + 20 * NS_PER_MINUTE}
    assert completed.completed_ns <= created.submission_time_ns + 20 * NS_PER_MINUTE + NS_PER_SECOND
