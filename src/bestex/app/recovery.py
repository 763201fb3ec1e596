"""After a restart: the journal is fed to the services again, and what was live at a venue is accounted for."""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

import structlog

from bestex.app.host import Host
from bestex.domain.fills import ReportKind, VenueReport
from bestex.domain.ids import ChildOrderId, ExecutionId, VenueId
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.envelope import Message
from bestex.messages.execution import ChildOrderSubmitted, ExecutionReport
from bestex.messages.records import ChildOrderRow, Record
from bestex.ports import Journal, Store
from bestex.services.strategy.config import StrategyConfig

log = structlog.get_logger()

_ENDS = (ReportKind.CANCELLED, ReportKind.REJECTED, ReportKind.EXPIRED)
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


async def recover(host: Host, journal: Journal, store: Store) -> int:
    """Bring the services to the state of the journal; returns the number of orders still open.

    Rows come back first (catalogues, roll-ups), then the messages of every order without a `trade_executed`, in order.
    An order that quality has graded is not graded again. A recommendation is computed again only if an order may still
    commit it, or an open order may have committed it.

    The journal is read twice, one message at a time: once for which orders are over, once to feed what is needed.
    Between the two, only ids and a few times are kept, so a long journal needs no more memory than a short one.
    """
    for service in host.services:
        if isinstance(service, KeepsRecords):
            for kind in service.restores:
                service.restore((await store.find(kind, limit=100_000)).rows)
    standing = Standing()
    async for _, message in journal.read():
        standing.note(message)
    wanted_ns = standing.wanted_ns()
    async for _, message in journal.read():
        if standing.is_spent(message, wanted_ns):
            host.recover(message, only=frozenset())
        elif message.order_id in standing.closed:
            host.recover(message, only=frozenset({"order-desk"}))
        else:
            graded = message.order_id in standing.graded
            host.recover(message, skip=frozenset({"quality"}) if graded else frozenset())
    return len(standing.opened)


class Standing:
    """What the first reading of a journal leaves: which orders are open, over or graded. Ids and times only."""

    def __init__(self) -> None:
        self.opened: set[str] = set()
        self.closed: set[str] = set()
        self.graded: set[str] = set()  # of those that are not closed
        self._commits_ns: dict[str, int] = {}  # open order -> when it committed a proposal
        self._last_ns: int | None = None

    def note(self, message: Message[Any]) -> None:
        order_id, self._last_ns = message.order_id, message.time_ns
        match message.event_type:
            case "order_created":
                self.opened.add(order_id)
                if message.payload.order.instructions.selection_id is not None:
                    self._commits_ns[order_id] = message.time_ns
            case "execution_quality_analyzed":
                self.graded.add(order_id)
            case "trade_executed":
                self.closed.add(order_id)
                self.opened.discard(order_id)
                self.graded.discard(order_id)
                self._commits_ns.pop(order_id, None)

    def wanted_ns(self) -> list[int]:
        """When a proposal was or may be committed, in order: at the commits of open orders, and from now on."""
        return sorted([*self._commits_ns.values(), *(() if self._last_ns is None else (self._last_ns,))])

    def is_spent(self, message: Message[Any], wanted_ns: Sequence[int]) -> bool:
        """Whether it asks for a recommendation that led to no open order and is too old for a new one."""
        if message.event_type != "recommend_execution" or message.order_id in self.opened:
            return False
        nearest = bisect_left(wanted_ns, message.time_ns)
        return nearest == len(wanted_ns) or wanted_ns[nearest] > message.time_ns + PROPOSAL_AGE_NS


async def lost_children(store: Store, now_ns: int) -> list[VenueReport]:
    """Reports for the children that were live when the process ended.

    The paper venues live in this process and promise cancel-on-disconnect, so their answer is definite: what had not
    been filled was cancelled.
    """
    rows = (await store.find(ChildOrderRow, where={"state": _LIVE}, limit=100_000)).rows
    return [_lost(row.child_order_id, row.venue, row.quantity - row.filled_quantity, now_ns) for row in rows]


async def lost_at_the_market(journal: Journal, now_ns: int) -> list[VenueReport]:
    """As `lost_children`, where the market is a process of its own and knows only its own journal."""
    live: dict[str, tuple[str, Decimal]] = {}  # child order id -> (venue, quantity not filled)
    async for _, message in journal.read():
        match message.payload:
            case ChildOrderSubmitted() as sent:
                live[sent.child.child_order_id] = (sent.child.venue, sent.child.quantity)
            case ExecutionReport() as heard if heard.report.child_order_id in live:
                venue, left = live[heard.report.child_order_id]
                left -= heard.report.quantity if heard.report.kind is ReportKind.FILL else Decimal(0)
                if heard.report.kind in _ENDS or left <= 0:
                    del live[heard.report.child_order_id]
                else:
                    live[heard.report.child_order_id] = (venue, left)
            case _:
                pass
    return [_lost(child_order_id, venue, left, now_ns) for child_order_id, (venue, left) in live.items()]


def _lost(child_order_id: str, venue: str, quantity: Decimal, now_ns: int) -> VenueReport:
    log.info("child order cancelled on disconnect", child_order_id=child_order_id, venue=venue)
    return VenueReport(
        kind=ReportKind.CANCELLED,
        child_order_id=ChildOrderId(child_order_id),
        execution_id=ExecutionId(f"{child_order_id}-disconnect"),
        venue=VenueId(venue),
        venue_time_ns=now_ns,
        received_time_ns=now_ns,
        quantity=quantity,
        fee=Decimal(0),
        reason="venue session lost: cancelled on disconnect",
    )
