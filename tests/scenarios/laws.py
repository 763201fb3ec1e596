"""What holds of any journal of some orders, whatever was killed, paused or repeated."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bestex.domain.fills import ReportKind
from bestex.messages.envelope import Message
from bestex.messages.execution import ChildOrderSubmitted, ExecutionReport
from bestex.messages.streams import is_of_an_order

_ENDS = (ReportKind.CANCELLED, ReportKind.REJECTED, ReportKind.EXPIRED)


def broken_laws(
    messages: Iterable[Message[Any]],
    ordered: Mapping[str, Decimal],
    *,
    keeps_all: bool,
    ends: Sequence[str] = ("execution_completed", "trade_executed", "execution_quality_analyzed"),
) -> list[str]:
    """Every law that does not hold, in words; empty if all do.

    Args:
        messages: in the journal's order.
        ordered: parent order id -> quantity.
        keeps_all: the journal has every fact of these orders, which are over: no gap, one end each, nothing live.
        ends: what is said once of every order that is over.
    """
    found: list[str] = []
    last: dict[tuple[str, str], int] = defaultdict(int)
    children: dict[str, str] = {}  # child id -> parent id
    left: dict[str, Decimal] = {}  # child id -> quantity not filled and not returned
    filled: dict[str, Decimal] = defaultdict(Decimal)
    live: dict[str, Decimal] = defaultdict(Decimal)
    executions: set[tuple[str, str]] = set()
    counted: Counter[tuple[str, str]] = Counter()
    for message in messages:
        order_id = message.order_id
        if not is_of_an_order(order_id):
            continue
        key = (order_id, message.source_service)
        if message.sequence <= last[key] or (keeps_all and message.sequence != last[key] + 1):
            found.append(f"{order_id}: {message.source_service} said {message.sequence} after {last[key]}")
        last[key] = message.sequence
        counted[order_id, message.event_type] += 1
        match message.payload:
            case ChildOrderSubmitted(child=child):
                if child.child_order_id in children:
                    found.append(f"{order_id}: child {child.child_order_id} was sent twice")
                    continue
                children[child.child_order_id] = order_id
                left[child.child_order_id] = child.quantity
                live[order_id] += child.quantity
                if filled[order_id] + live[order_id] > ordered[order_id]:
                    found.append(f"{order_id}: {filled[order_id]} filled and {live[order_id]} live: too much")
            case ExecutionReport(report=report):
                child_id = report.child_order_id
                if child_id not in left:
                    found.append(f"{order_id}: a report about {child_id}, which was not sent")
                elif report.kind is ReportKind.FILL:
                    if (report.venue, report.execution_id) in executions:
                        found.append(f"{order_id}: execution {report.execution_id} was counted twice")
                    executions.add((report.venue, report.execution_id))
                    filled[order_id] += report.quantity
                    live[order_id] -= report.quantity
                    left[child_id] -= report.quantity
                    if left[child_id] < 0:
                        found.append(f"{order_id}: child {child_id} is overfilled by {-left[child_id]}")
                elif report.kind in _ENDS:
                    live[order_id] -= left[child_id]
                    left[child_id] = Decimal(0)
            case _:
                pass
    if keeps_all:
        for order_id in ordered:
            found += [
                f"{order_id}: {event_type} {counted[order_id, event_type]} times"
                for event_type in ends
                if counted[order_id, event_type] != 1
            ]
            if live[order_id]:
                found.append(f"{order_id}: {live[order_id]} still live after its end")
    return found
