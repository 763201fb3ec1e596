"""All that the messages tell of one parent order, gathered for a report."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from bestex.adapters.reports.child_lives import ChildLife, child_lives
from bestex.adapters.reports.timeline import TimelineEvent, timeline
from bestex.domain.errors import Conflict, InvalidInput, NotFound
from bestex.domain.fills import ReportKind
from bestex.domain.orders import ParentOrder
from bestex.messages.envelope import Message, Payload
from bestex.messages.execution import ExecutionCompleted, ExecutionPlanned, ExecutionReport
from bestex.messages.monitoring import (
    ExecutionAlertGenerated,
    ExecutionMeasured,
    ExecutionMonitoring,
    FillMeasure,
    TradeExecuted,
)
from bestex.messages.orders import OrderAmended, OrderCreated
from bestex.messages.quality import ExecutionQualityAnalyzed
from bestex.messages.strategy import ExecutionStrategySelected

P = TypeVar("P", bound=Payload)
DESK = "desk"


@dataclass(frozen=True, kw_only=True)
class ReportContext:
    """What the messages do not say: where the market came from and how the run was asked for."""

    title: str
    market_kind: str  # "generated market", "replay of <file>"
    source_lines: tuple[str, ...] = ()  # what the tape reader reported; empty for a market without a tape
    caveats: tuple[str, ...] = ()  # what a reader of the results must know
    seed: int | None = None  # None where nothing was random
    command: str | None = None  # the command line; None when it was not run from one


@dataclass(frozen=True, kw_only=True)
class PlanStep:
    """A plan from the moment it holds; the next revision replaces it."""

    time_ns: int
    plan: ExecutionPlanned
    filled_before: Decimal  # what was filled when it was made: its slices plan the rest


@dataclass(frozen=True, kw_only=True)
class LimitStep:
    """The client's limit from `time_ns` on; None = no limit."""

    time_ns: int
    price: Decimal | None


@dataclass(frozen=True, kw_only=True)
class OrderStory:
    """One completed parent order. Everything is in the order in which it happened."""

    order: ParentOrder  # as created; `measured.requested_quantity` knows later changes
    created: OrderCreated
    selections: tuple[ExecutionStrategySelected, ...]  # the first, then adaptations; empty when the client named all
    plans: tuple[PlanStep, ...]
    limits: tuple[LimitStep, ...]
    children: tuple[ChildLife, ...]
    fills: tuple[FillMeasure, ...]
    updates: tuple[ExecutionMonitoring, ...]
    alerts: tuple[ExecutionAlertGenerated, ...]
    completed: ExecutionCompleted
    measured: ExecutionMeasured
    graded: ExecutionQualityAnalyzed | None  # None: the quality service did not answer in time
    trade_executed: TradeExecuted
    timeline: tuple[TimelineEvent, ...]

    @property
    def selection(self) -> ExecutionStrategySelected | None:
        """What was chosen before the first fill; None when no execution strategy was selected."""
        return self.selections[0] if self.selections else None


def order_story(messages: Sequence[Message[Any]], order_id: str | None = None) -> OrderStory:
    """The story of one order.

    Args:
        messages: of a journal, in its order; other orders' messages may stand between.
        order_id: None when the messages hold one order only.

    Raises:
        NotFound: if the order was never created.
        InvalidInput: if no order is named and there are several.
        Conflict: if the order is not complete yet; the message says what is missing.
    """
    order_id = order_id or _only_order(messages)
    own = [message for message in messages if message.order_id == order_id]
    created = _first(own, OrderCreated)
    if created is None:
        raise NotFound(f"no order {order_id} was created", field="order_id", value=order_id)
    completed, measured, trade = (
        _last(own, ExecutionCompleted),
        _last(own, ExecutionMeasured),
        _last(own, TradeExecuted),
    )
    if completed is None or measured is None or trade is None:
        needed: tuple[tuple[type[Payload], object], ...] = (
            (ExecutionCompleted, completed),
            (ExecutionMeasured, measured),
            (TradeExecuted, trade),
        )
        missing = ", ".join(kind.message_type for kind, found in needed if found is None)
        raise Conflict(
            f"order {order_id} is not complete: {missing} missing; let it run until its trade_executed",
            field="order_id",
            value=order_id,
            expected="an order with trade_executed",
        )
    return OrderStory(
        order=created.order,
        created=created,
        selections=_all(own, ExecutionStrategySelected),
        plans=_plans(own),
        limits=_limits(own, created.order.price),
        children=child_lives(own),
        fills=measured.fills,
        updates=_all(own, ExecutionMonitoring),
        alerts=_all(own, ExecutionAlertGenerated),
        completed=completed,
        measured=measured,
        graded=_last(own, ExecutionQualityAnalyzed),
        trade_executed=trade,
        timeline=timeline(_with_desk(messages, own)),
    )


def _only_order(messages: Sequence[Message[Any]]) -> str:
    found = [message.order_id for message in messages if isinstance(message.payload, OrderCreated)]
    if not found:
        raise NotFound("the messages hold no order: order_created is missing", field="order_id")
    if len(found) > 1:
        raise InvalidInput(
            f"the messages hold {len(found)} orders and none is named",
            field="order_id",
            value=None,
            expected="one of " + ", ".join(found[:10]),
        )
    return found[0]


def _all(messages: Sequence[Message[Any]], kind: type[P]) -> tuple[P, ...]:
    return tuple(message.payload for message in messages if isinstance(message.payload, kind))


def _first(messages: Sequence[Message[Any]], kind: type[P]) -> P | None:
    return next(iter(_all(messages, kind)), None)


def _last(messages: Sequence[Message[Any]], kind: type[P]) -> P | None:
    return next(iter(reversed(_all(messages, kind))), None)


def _plans(messages: Sequence[Message[Any]]) -> tuple[PlanStep, ...]:
    filled = Decimal(0)
    seen: set[tuple[str, str]] = set()
    steps = []
    for message in messages:
        match message.payload:
            case ExecutionReport(report=report) if report.kind is ReportKind.FILL:
                identity = (report.venue, report.execution_id)
                if identity not in seen:
                    seen.add(identity)
                    filled += report.quantity
            case ExecutionPlanned() as plan:
                steps.append(PlanStep(time_ns=message.time_ns, plan=plan, filled_before=filled))
    return tuple(steps)


def _limits(messages: Sequence[Message[Any]], first: Decimal | None) -> tuple[LimitStep, ...]:
    steps: list[LimitStep] = []
    for message in messages:
        match message.payload:
            case OrderCreated():
                steps.append(LimitStep(time_ns=message.time_ns, price=first))
            case OrderAmended(price=Decimal() as amended):
                steps.append(LimitStep(time_ns=message.time_ns, price=amended))
    return tuple(steps)


def _with_desk(messages: Sequence[Message[Any]], own: Sequence[Message[Any]]) -> list[Message[Any]]:
    """The order's messages with those to the whole desk (kill, re-arm) during its life."""
    begun, ended = own[0].time_ns, own[-1].time_ns
    order_id = own[0].order_id
    return [
        message
        for message in messages
        if message.order_id == order_id
        or (message.order_id == DESK and "kill" in message.event_type and begun <= message.time_ns <= ended)
    ]
