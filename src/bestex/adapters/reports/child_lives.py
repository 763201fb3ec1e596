"""What became of each child order: sent, answered, filled, ended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from bestex.domain.fills import ReportKind, VenueReport
from bestex.domain.orders import ChildOrder
from bestex.messages.envelope import Message
from bestex.messages.execution import ChildOrderSubmitted, ExecutionReport

ZERO = Decimal(0)
NO_ANSWER = "NO ANSWER"
WORKING = "WORKING"
FILLED = "FILLED"


@dataclass(frozen=True, kw_only=True)
class ChildLife:
    """One child order from its durable intent to its end."""

    child: ChildOrder
    sent_time_ns: int
    slice_id: int
    reason: str  # why it was sent, in the algorithm's words
    bid: Decimal | None  # the quote it was decided on; None where a side was empty
    ask: Decimal | None
    answered_time_ns: int | None = None  # first answer of the venue, as received; None = none came
    ended_time_ns: int | None = None  # None = no final answer came
    filled_quantity: Decimal = ZERO
    filled_notional: Decimal = ZERO  # sum of price x quantity, without the contract multiplier
    fees: Decimal = ZERO  # currency; negative = rebate
    outcome: str = NO_ANSWER  # FILLED, CANCELLED, REJECTED, EXPIRED, WORKING or NO ANSWER
    outcome_reason: str | None = None  # the venue's, where it gave one

    @property
    def average_price(self) -> Decimal | None:
        """None while nothing is filled."""
        return self.filled_notional / self.filled_quantity if self.filled_quantity else None


def child_lives(messages: Sequence[Message[Any]]) -> tuple[ChildLife, ...]:
    """Every child order of the messages of one parent order, in the order they were sent."""
    lives: dict[str, ChildLife] = {}
    seen: set[tuple[str, str]] = set()
    for message in messages:
        match message.payload:
            case ChildOrderSubmitted() as intent:
                lives[intent.child.child_order_id] = ChildLife(
                    child=intent.child,
                    sent_time_ns=message.time_ns,
                    slice_id=intent.slice_id,
                    reason=intent.reason,
                    bid=intent.bid,
                    ask=intent.ask,
                )
            case ExecutionReport(report=report) if report.child_order_id in lives:
                identity = (report.venue, report.execution_id)
                if identity not in seen:
                    seen.add(identity)
                    lives[report.child_order_id] = _after(lives[report.child_order_id], report)
    return tuple(lives.values())


def _after(life: ChildLife, report: VenueReport) -> ChildLife:
    answered = report.received_time_ns if life.answered_time_ns is None else life.answered_time_ns
    life = replace(life, answered_time_ns=answered)
    if report.kind is ReportKind.NEW:
        return replace(life, outcome=WORKING) if life.outcome == NO_ANSWER else life
    if report.kind is ReportKind.FILL:
        assert report.price is not None, f"fill {report.execution_id} has no price"
        filled = life.filled_quantity + report.quantity
        is_done = filled >= life.child.quantity
        return replace(
            life,
            filled_quantity=filled,
            filled_notional=life.filled_notional + report.price * report.quantity,
            fees=life.fees + report.fee,
            outcome=FILLED if is_done else WORKING if life.ended_time_ns is None else life.outcome,
            ended_time_ns=report.received_time_ns if is_done else life.ended_time_ns,
        )
    return replace(life, outcome=report.kind.value, outcome_reason=report.reason, ended_time_ns=report.received_time_ns)
