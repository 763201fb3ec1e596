"""The life of a parent order event by event, in plain words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bestex.adapters.reports.number_format import bps, price, quantity
from bestex.domain.fills import ReportKind, VenueReport
from bestex.messages.envelope import Message, Payload
from bestex.messages.execution import (
    AlgorithmExecution,
    CancelExecution,
    ChildOrderCancelRequested,
    ChildOrderSubmitted,
    ExecutionCompleted,
    ExecutionPlanned,
    ExecutionReport,
    KillExecutions,
    KillSwitchChanged,
    ModifyExecution,
    PauseExecution,
    RearmExecutions,
    ResumeExecution,
    StartExecution,
)
from bestex.messages.monitoring import ExecutionAlertGenerated, ExecutionMeasured, TradeExecuted
from bestex.messages.orders import AmendOrder, CancelOrder, OrderAmended, OrderCancelled, OrderCreated
from bestex.messages.quality import ExecutionQualityAnalyzed
from bestex.messages.strategy import AdaptStrategy, ExecutionStrategySelected


@dataclass(frozen=True, kw_only=True)
class TimelineEvent:
    """One event as a person reads it."""

    time_ns: int
    source: str  # the service, venue or client it came from
    event_type: str
    text: str


def timeline(messages: Sequence[Message[Any]]) -> tuple[TimelineEvent, ...]:
    """Everything that happened to the order; timers and periodic updates, which change nothing, are left out."""
    return tuple(_events(messages))


def _events(messages: Sequence[Message[Any]]) -> Iterator[TimelineEvent]:
    state = None
    for message in messages:
        payload = message.payload
        if isinstance(payload, AlgorithmExecution):
            if payload.state is state:
                continue
            state = payload.state
        text = _sentence(payload)
        if text is not None:
            yield TimelineEvent(
                time_ns=message.time_ns, source=message.source_service, event_type=message.event_type, text=text
            )


def _sentence(payload: Payload) -> str | None:
    """None for what changes nothing."""
    return _of_order(payload) or _of_request(payload) or _of_work(payload) or _of_result(payload)


def _of_order(payload: Payload) -> str | None:
    match payload:
        case OrderCreated(order=order, actor=actor):
            limit = "" if order.price is None else f", limit {price(order.price)}"
            return (
                f"{order.side} {quantity(order.quantity)} {order.instrument_id} {order.order_type}{limit}, by {actor}"
            )
        case OrderAmended() as amended:
            return f"amended by {amended.actor}: {_changes(amended)}{_why(amended.reason)}"
        case OrderCancelled(actor=actor, reason=reason):
            return f"cancelled by {actor}{_why(reason)}"
        case _:
            return None


def _changes(amended: OrderAmended) -> str:
    parts = [
        None if amended.quantity is None else f"quantity {quantity(amended.quantity)}",
        None if amended.price is None else f"limit {price(amended.price)}",
        None if amended.end_time_ns is None else "a new end time",
        None
        if amended.max_participation_rate is None
        else f"participation at most {amended.max_participation_rate:.1%}",
        None if amended.urgency is None else f"urgency {amended.urgency}",
    ]
    return ", ".join(part for part in parts if part) or "nothing"


def _of_request(payload: Payload) -> str | None:
    match payload:
        case AmendOrder(actor=actor, reason=reason) | ModifyExecution(actor=actor, reason=reason):
            return f"a change is asked by {actor}{_why(reason)}"
        case CancelOrder(actor=actor, reason=reason) | CancelExecution(actor=actor, reason=reason):
            return f"cancel is asked by {actor}{_why(reason)}"
        case PauseExecution(actor=actor, reason=reason):
            return f"pause is asked by {actor}{_why(reason)}"
        case ResumeExecution(actor=actor, reason=reason):
            return f"resume is asked by {actor}{_why(reason)}"
        case StartExecution(actor=actor):
            return f"start is asked by {actor}"
        case AdaptStrategy(actor=actor, reason=reason):
            return f"another execution strategy is asked by {actor}{_why(reason)}"
        case KillExecutions(actor=actor, reason=reason, scope=scope, scope_value=value):
            return f"kill of {scope} {value or ''} is asked by {actor}{_why(reason)}"
        case RearmExecutions(actor=actor, reason=reason, scope=scope, scope_value=value):
            return f"re-arming of {scope} {value or ''} is asked by {actor}{_why(reason)}"
        case KillSwitchChanged() as switch:
            return f"{'armed' if switch.armed else 'killed'}: {switch.orders_affected} orders{_why(switch.reason)}"
        case _:
            return None


def _of_work(payload: Payload) -> str | None:
    match payload:
        case ExecutionStrategySelected() as selected:
            expected = selected.expected_outcomes.estimated_cost * 1e4
            strategy = selected.recommended_strategy
            return (
                f"{strategy.strategy_name} ({strategy.algorithm}) selected, "
                f"expected cost {bps(expected)} bps{_why(selected.reason)}"
            )
        case ExecutionPlanned() as plan:
            return f"plan {plan.revision}: {plan.algorithm_used}, {len(plan.execution_schedule)} slices"
        case AlgorithmExecution() as progress:
            return f"{progress.state}: {progress.reason}"
        case ChildOrderSubmitted(child=child, reason=reason):
            at = "" if child.price is None else f" at {price(child.price)}"
            return (
                f"{child.child_order_id}: {child.side} {quantity(child.quantity)} {child.order_type}{at} "
                f"to {child.venue}; {reason}"
            )
        case ChildOrderCancelRequested(child_order_id=child_id, reason=reason):
            return f"{child_id}: cancel; {reason}"
        case ExecutionReport(report=report):
            return _answer(report)
        case _:
            return None


def _answer(report: VenueReport) -> str:
    head = f"{report.child_order_id}: {report.venue} "
    if report.kind is ReportKind.FILL:
        at = "" if report.price is None else f" at {price(report.price)}"
        return head + f"filled {quantity(report.quantity)}{at} ({report.liquidity or 'liquidity unknown'})"
    if report.kind is ReportKind.NEW:
        return head + "accepted it"
    return head + f"{report.kind.lower()} {quantity(report.quantity)}{_why(report.reason)}"


def _of_result(payload: Payload) -> str | None:
    match payload:
        case ExecutionAlertGenerated() as alert:
            return f"{alert.severity} {alert.alert_type} {alert.state}: {alert.recommendation}"
        case ExecutionCompleted() as done:
            return f"{done.state}: {quantity(done.filled_quantity)} of {quantity(done.quantity)} filled; {done.reason}"
        case ExecutionMeasured(costs=costs):
            total = costs.total_cost_bps
            return "measured" if total is None else f"measured: total cost {bps(total)} bps"
        case ExecutionQualityAnalyzed(quality_grade=grade):
            return f"graded {grade}" if grade else "not graded: there was nothing to grade by"
        case TradeExecuted():
            return "reported to the outside"
        case _:
            return None


def _why(reason: str | None) -> str:
    return f": {reason}" if reason else ""
