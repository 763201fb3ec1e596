"""After a restart: the journal is fed to the services again, and what was live at a venue is accounted for."""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

import structlog

from bestex.app.desk import Desk
from bestex.domain.fills import ReportKind, VenueReport
from bestex.domain.ids import ChildOrderId, ExecutionId, VenueId
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.envelope import Message
from bestex.messages.records import ChildOrderRow, Record
from bestex.ports import Journal, Store
from bestex.services.strategy.config import StrategyConfig

log = structlog.get_logger()

_LIVE = ("PENDING", "WORKING", "PARTIALLY_FILLED", "CANCEL_PENDING", "UNKNOWN")


@runtime_checkable
class KeepsRecords(Protocol):
    """A service with rows of its own that outlive single orders: a catalogue, rules, roll-ups."""

    restores: tuple[type[Record], ...]

    def initial_records(self, now_ns: int) -> Sequence[Record]:
        """Saved once, at the first start of a state directory."""
        ...

    def restore(self, rows: Sequence[Record]) -> None:
        """Continue from the rows of an earlier run."""
        ...


PROPOSAL_AGE_NS = StrategyConfig().proposal_age_minutes_max * NS_PER_MINUTE  # an older proposal cannot be committed


async def recover(desk: Desk, journal: Journal, store: Store) -> int:
    """Bring the services to the state of the journal; returns the number of orders still open.

    Rows come back first (catalogues, roll-ups), then the messages of every order without a `trade_executed`, in order.
    An order that quality has graded is not graded again. A recommendation is computed again only if an order may still
    commit it, or an open order may have committed it.
    """
    for service in desk.services:
        if isinstance(service, KeepsRecords):
            for kind in service.restores:
                service.restore((await store.find(kind, limit=100_000)).rows)
    closed: set[str] = set()
    graded: set[str] = set()
    messages: list[tuple[int, Message[Any]]] = []
    async for position, message in journal.read():
        messages.append((position, message))
        if message.event_type == "trade_executed":
            closed.add(message.order_id)
        elif message.event_type == "execution_quality_analyzed":
            graded.add(message.order_id)
    opened: set[str] = set()
    spent = _spent_proposals([message for _, message in messages], closed)
    for _, message in messages:
        if message.event_id in spent:
            desk.recover(message, only=frozenset())
            continue
        if message.order_id in closed:
            desk.recover(message, only=frozenset({"order-desk"}))
            continue
        if message.event_type == "order_created":
            opened.add(message.order_id)
        desk.recover(message, skip=frozenset({"quality"}) if message.order_id in graded else frozenset())
    return len(opened)


def _spent_proposals(messages: Sequence[Message[Any]], closed: set[str]) -> set[str]:
    """Event ids of the recommendations that led to no open order and are too old for a new one."""
    created = [message for message in messages if message.event_type == "order_created"]
    opened = {message.order_id for message in created} - closed
    commits = [
        message.time_ns
        for message in created
        if message.order_id in opened and message.payload.order.instructions.selection_id is not None
    ]
    wanted = sorted([*commits, messages[-1].time_ns] if messages else [])
    spent = set()
    for message in messages:
        if message.event_type == "recommend_execution" and message.order_id not in opened:
            nearest = bisect_left(wanted, message.time_ns)
            if nearest == len(wanted) or wanted[nearest] > message.time_ns + PROPOSAL_AGE_NS:
                spent.add(message.event_id)
    return spent


async def lost_children(store: Store, now_ns: int) -> list[VenueReport]:
    """Reports for the children that were live when the process ended.

    The paper venues live in this process and promise cancel-on-disconnect, so their answer is definite: what had not
    been filled was cancelled.
    """
    rows = (await store.find(ChildOrderRow, where={"state": _LIVE}, limit=100_000)).rows
    reports = []
    for row in rows:
        log.info("child order cancelled on disconnect", child_order_id=row.child_order_id, venue=row.venue)
        reports.append(
            VenueReport(
                kind=ReportKind.CANCELLED,
                child_order_id=ChildOrderId(row.child_order_id),
                execution_id=ExecutionId(f"{row.child_order_id}-disconnect"),
                venue=VenueId(row.venue),
                venue_time_ns=now_ns,
                received_time_ns=now_ns,
                quantity=row.quantity - row.filled_quantity,
                fee=Decimal(0),
                reason="venue session lost: cancelled on disconnect",
            )
        )
    return reports
