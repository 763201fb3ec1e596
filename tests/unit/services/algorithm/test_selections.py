"""Selected execution strategies: the first one starts the order, later ones change what remains."""

from decimal import Decimal
from typing import Any

import pytest

from bestex.domain.errors import Conflict
from bestex.domain.orders import ExecutionStyle, ParentState, Side
from bestex.messages.execution import CancelExecution, ChildOrderSubmitted, ExecutionCompleted, ExecutionPlanned
from bestex.messages.strategy import (
    ExecutionStrategy,
    ExecutionStrategySelected,
    ExpectedOutcomes,
    RiskControls,
    TimeAllocation,
)
from tests.unit.services.algorithm.paper_desk import MINUTE, OPEN, SECOND, PaperDesk, parent_order

OUTCOMES = ExpectedOutcomes(
    estimated_cost=0.0005,
    estimated_time_minutes=20,
    market_impact=0.0003,
    completion_probability=0.9,
    risk_score=0.2,
)


def selected(
    *,
    adaptation: int = 0,
    algorithm: str = "TWAP",
    start_ns: int = OPEN,
    minutes: int = 20,
    venues: dict[str, float] | None = None,
    controls: dict[str, Any] | None = None,
    **parameters: Any,
) -> ExecutionStrategySelected:
    return ExecutionStrategySelected(
        order_id="P1",
        selection_id=f"S{adaptation}",
        recommended_strategy=ExecutionStrategy(
            strategy_name="Chosen",
            algorithm=algorithm,
            parameters={"execution_style": "AGGRESSIVE", "slices": 20, **parameters},
            venue_allocation=venues or {"LIT1": 1.0},
            time_allocation=TimeAllocation(start_time_ns=start_ns, end_time_ns=OPEN + minutes * MINUTE, slices=()),
            risk_controls=RiskControls(
                **{
                    "max_participation_rate": 0.25,
                    "max_slippage_bps": 50.0,
                    "max_order_value": Decimal(10_000_000),
                    **(controls or {}),
                }
            ),
        ),
        strategy_rationale="because",
        expected_outcomes=OUTCOMES,
        confidence=0.8,
        adaptation=adaptation,
        reason="volatility rose" if adaptation else None,
    )


def created(**changes: Any) -> PaperDesk:
    desk = PaperDesk()
    desk.create(parent_order(algorithm=None, **{"style": None, "minutes": None, **changes}))
    return desk


def test_the_first_selection_starts_the_order_with_its_window_and_parameters() -> None:
    desk = created()
    assert desk.events == []
    desk.tell(selected())
    (planned,) = desk.of(ExecutionPlanned)
    assert planned.end_time_ns == OPEN + 20 * MINUTE
    assert planned.execution_style == ExecutionStyle.AGGRESSIVE
    assert planned.parameters["participation_rate"] == 0.25
    assert len(planned.execution_schedule) == 20
    desk.answer_cancels()
    desk.run_until(OPEN + 21 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_an_order_with_a_selection_id_waits_for_its_selection_even_with_an_algorithm() -> None:
    desk = PaperDesk()
    desk.create(parent_order(selection_id="S0"))
    assert desk.events == []
    desk.tell(selected())
    assert len(desk.of(ExecutionPlanned)) == 1


def test_what_the_client_said_is_stricter_than_the_selection() -> None:
    desk = created(max_participation_rate=0.05, price="100.05", venue_restrictions=("LIT2",))
    desk.tell(selected(venues={"LIT1": 0.4, "LIT2": 0.6}, controls={"price_limit": Decimal("100.207")}))
    (planned,) = desk.of(ExecutionPlanned)
    assert planned.parameters["participation_rate"] == 0.05
    desk.run_until(OPEN + 20 * MINUTE)
    sent = [event.child for event in desk.of(ChildOrderSubmitted)]
    assert sent
    assert {child.venue for child in sent} == {"LIT1"}
    assert max(child.price for child in sent) <= Decimal("100.05")


@pytest.mark.parametrize(("side", "limit"), [(Side.BUY, Decimal("100.02")), (Side.SELL, Decimal("99.99"))])
def test_an_estimated_limit_is_brought_to_the_stricter_tick(side: Side, limit: Decimal) -> None:
    desk = created(side=side)
    estimate = {Side.BUY: Decimal("100.0271"), Side.SELL: Decimal("99.9812")}[side]
    desk.tell(selected(controls={"price_limit": estimate}))
    desk.run_until(OPEN + 2 * MINUTE)
    assert {event.child.price for event in desk.of(ChildOrderSubmitted)} == {limit}


def test_an_adaptation_changes_what_remains() -> None:
    desk = created()
    desk.tell(selected())
    desk.answer_cancels()
    desk.run_until(OPEN + 5 * MINUTE + SECOND)
    filled = desk.progress().filled_quantity
    desk.tell(selected(adaptation=1, algorithm="IMPLEMENTATION_SHORTFALL", minutes=10, kappa_T=3.0))
    first, second = desk.of(ExecutionPlanned)
    assert second.revision == first.revision + 1
    assert second.algorithm_used == "IMPLEMENTATION_SHORTFALL"
    assert "volatility rose" in second.parameters["revised_because"]
    assert sum(part.target_quantity for part in second.execution_schedule) == 6_000 - filled
    desk.run_until(OPEN + 11 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_a_repeated_first_selection_changes_nothing() -> None:
    desk = created()
    desk.tell(selected())
    assert desk.tell(selected()).events == []


def test_an_order_above_the_selections_value_limit_is_rejected() -> None:
    desk = created()
    desk.tell(selected(controls={"max_order_value": Decimal(1_000)}))
    (completed,) = desk.of(ExecutionCompleted)
    assert completed.state is ParentState.REJECTED
    assert "max_order_value" in completed.reason


def test_a_selection_that_cannot_be_worked_ends_rejected_and_an_adaptation_that_cannot_is_said() -> None:
    desk = created()
    desk.tell(selected(algorithm="MAGIC"))
    assert desk.of(ExecutionCompleted)[0].state is ParentState.REJECTED
    desk = created()
    desk.tell(selected())
    desk.tell(selected(adaptation=1, execution_style="SLOPPY"))
    assert "change not applied" in desk.progress().reason


def test_an_order_that_no_strategy_may_work_has_ended_here_too_and_is_told_by_nobody_twice() -> None:
    desk = created()
    refused = ExecutionCompleted(
        order_id="P1",
        state=ParentState.REJECTED,
        quantity=Decimal(6_000),
        filled_quantity=Decimal(0),
        unfilled_quantity=Decimal(6_000),
        average_fill_price=None,
        notional=Decimal(0),
        fees=Decimal(0),
        started_ns=None,
        completed_ns=desk.now_ns,
        child_orders=0,
        reason="no execution strategy: the window is too short",
    )
    assert desk.tell(refused).events == []
    state: Any = desk.service.state("P1")
    assert (state["state"], state["reason"]) == (ParentState.REJECTED, refused.reason)
    assert desk.tell(selected()).events == []
    with pytest.raises(Conflict):
        desk.tell(CancelExecution(order_id="P1", actor="trader"))
