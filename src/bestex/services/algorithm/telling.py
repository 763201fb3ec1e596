"""The messages and rows that show one parent order to others. Nothing else speaks for it."""

import msgspec

from bestex.domain.orders import ChildState, ParentState
from bestex.messages.effects import Effects
from bestex.messages.execution import AlgorithmExecution, ExecutionAcknowledged, ExecutionCompleted, ExecutionPlanned
from bestex.messages.records import ChildOrderRow, ExecutionPlanRow, ExecutionStatusRow
from bestex.services.algorithm.children import Child
from bestex.services.algorithm.parent import Parent


def show_plan(parent: Parent, effects: Effects, now_ns: int, *, reason: str | None = None) -> None:
    """execution_planned, and its row."""
    assert parent.plan is not None
    assert parent.instruction is not None
    assert parent.table is not None
    parameters = {**parent.instruction.parameters(), "volume_curve": parent.table.volume_name}
    if reason is not None:
        parameters["revised_because"] = reason
    planned = ExecutionPlanned(
        order_id=parent.order_id,
        algorithm_used=parent.plan.algorithm_used,
        child_orders=parent.plan.child_orders,
        execution_schedule=parent.plan.execution_schedule,
        estimated_cost=parent.plan.estimated_cost,
        expected_completion_ns=parent.plan.expected_completion_ns,
        start_time_ns=parent.instruction.start_ns,
        end_time_ns=parent.instruction.end_ns,
        execution_style=parent.instruction.style,
        parameters=parameters,
        revision=parent.revision,
        deadline_time_ns=parent.instruction.deadline_ns,
        estimated_impact=parent.plan.estimated_impact,
        cost_sd=parent.plan.cost_sd,
    )
    effects.events.append((parent.order_id, planned))
    effects.records.append(_plan_row(parent, now_ns, "WORKING"))


def show(parent: Parent, effects: Effects, now_ns: int) -> None:
    """algorithm_execution, and its row, if anything about the order has changed."""
    ledger = parent.ledger
    scheduled = min(parent.scheduled(now_ns), ledger.ordered)
    live = ledger.live_children()
    seen = (
        parent.state,
        parent.reason,
        ledger.ordered,
        ledger.filled,
        ledger.live,
        ledger.unknown,
        scheduled,
        len(live),
        parent.breach,
    )
    if seen == parent.shown:
        return
    parent.shown = seen
    progress = AlgorithmExecution(
        order_id=parent.order_id,
        algorithm=parent.algorithm,
        state=parent.state,
        quantity=ledger.ordered,
        filled_quantity=ledger.filled,
        live_quantity=ledger.live,
        unknown_quantity=ledger.unknown,
        remaining_quantity=ledger.remaining,
        scheduled_quantity=scheduled,
        average_fill_price=ledger.average_price,
        schedule_deviation=float((ledger.filled - scheduled) / ledger.ordered) if ledger.ordered else 0.0,
        decision_latency_ns=parent.latency_ns,
        live_children=len(live),
        reason=parent.reason,
        breach=parent.breach,
    )
    parent.latency_ns = None
    effects.events.append((parent.order_id, progress))
    instruction = parent.instruction
    if instruction is not None:
        effects.records.append(
            ExecutionStatusRow(
                order_id=parent.order_id,
                instrument_id=parent.order.instrument_id,
                side=parent.order.side,
                algorithm=progress.algorithm,
                execution_style=instruction.style,
                state=parent.state,
                quantity=progress.quantity,
                filled_quantity=progress.filled_quantity,
                live_quantity=progress.live_quantity,
                unknown_quantity=progress.unknown_quantity,
                remaining_quantity=progress.remaining_quantity,
                scheduled_quantity=progress.scheduled_quantity,
                average_fill_price=progress.average_fill_price,
                schedule_deviation=progress.schedule_deviation,
                start_time_ns=instruction.start_ns,
                end_time_ns=instruction.end_ns,
                updated_time_ns=now_ns,
                reason=parent.reason,
            )
        )


def finish(parent: Parent, effects: Effects, now_ns: int, final: ParentState, reason: str) -> None:
    """The one end of the order: its state, execution_completed, and no timers left."""
    end_untold(parent, effects, final, reason)
    if parent.instruction is not None:
        show(parent, effects, now_ns)
        effects.records.append(_plan_row(parent, now_ns, final))
    ledger = parent.ledger
    effects.events.append(
        (
            parent.order_id,
            ExecutionCompleted(
                order_id=parent.order_id,
                state=final,
                quantity=ledger.ordered,
                filled_quantity=ledger.filled,
                unfilled_quantity=ledger.cancelled,
                average_fill_price=ledger.average_price,
                notional=ledger.notional * parent.instrument.multiplier,
                fees=ledger.fees,
                started_ns=parent.started_ns,
                completed_ns=now_ns,
                child_orders=len(ledger.children),
                reason=parent.reason,
            ),
        )
    )


def end_untold(parent: Parent, effects: Effects, final: ParentState, reason: str) -> None:
    """End an order whose completion somebody else has told already."""
    assert parent.ledger.live == 0, f"{parent.order_id} cannot end with {parent.ledger.live} live"
    parent.change(final)
    parent.reason = reason if parent.flag is None or parent.flag in reason else f"{reason}; {parent.flag}"
    parent.ledger.close()
    parent.clear_timers(effects)


def child_row(parent: Parent, child: Child) -> ChildOrderRow:
    order = child.order
    return ChildOrderRow(
        child_order_id=order.child_order_id,
        order_id=parent.order_id,
        instrument_id=order.instrument_id,
        side=order.side,
        quantity=order.quantity,
        filled_quantity=child.filled,
        price=order.price,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        post_only=order.post_only,
        venue=order.venue,
        state=child.state,
        slice_id=child.slice_id,
        reason=child.reason,
        submitted_time_ns=child.submitted_ns,
        updated_time_ns=child.updated_ns,
    )


def acknowledgement(parent: Parent) -> ExecutionAcknowledged:
    live = parent.ledger.live_children()
    return ExecutionAcknowledged(
        order_id=parent.order_id,
        state=parent.state,
        live_children=len(live),
        reason=parent.reason,
        unconfirmed=tuple(
            child.child_order_id for child in live if child.state in (ChildState.CANCEL_PENDING, ChildState.UNKNOWN)
        ),
    )


def _plan_row(parent: Parent, now_ns: int, status: str) -> ExecutionPlanRow:
    assert parent.plan is not None
    assert parent.instruction is not None
    return ExecutionPlanRow(
        order_id=parent.order_id,
        algorithm_used=parent.plan.algorithm_used,
        execution_plan={
            **msgspec.structs.asdict(parent.plan),
            "child_orders": [msgspec.structs.asdict(child) for child in parent.plan.child_orders],
            "execution_schedule": [msgspec.structs.asdict(part) for part in parent.plan.execution_schedule],
            "start_time_ns": parent.instruction.start_ns,
            "end_time_ns": parent.instruction.end_ns,
            "execution_style": parent.instruction.style,
            "parameters": parent.instruction.parameters(),
            "revision": parent.revision,
        },
        estimated_cost=parent.plan.estimated_cost,
        actual_cost=_actual_cost(parent),
        completion_status=status,
        created_at_ns=now_ns,
    )


def _actual_cost(parent: Parent) -> float | None:
    """Slippage of what was filled against the arrival mid, with fees, as a fraction; None where neither exists."""
    average, mid = parent.ledger.average_price, parent.arrival.mid
    if average is None or mid is None:
        return None
    fees = parent.ledger.fees / parent.ledger.filled / parent.instrument.multiplier
    return float((parent.order.side.sign * (average - mid) + fees) / mid)
