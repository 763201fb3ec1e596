"""Everything the desk needs from outside, on one page. Adapters, the simulation and the wiring implement these.

Each method's docstring is a promise; `tests/conformance` runs one suite over every implementation of a port.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from bestex.domain.fills import VenueReport
from bestex.domain.instruments import Instrument
from bestex.domain.market import Bar, Book, MarketSnapshot, Quote, Trade
from bestex.domain.orders import ChildOrder
from bestex.domain.venues import Venue
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message, Payload
from bestex.messages.records import Record

R = TypeVar("R", bound=Record)


class Service(Protocol):
    """One of the desk's services: a pure step over the messages of each order.

    `handle` must be deterministic: the same messages in the same order lead to the same effects. All time comes from
    `message.time_ns`, all market data from the message. Raises BestexError to refuse a request (nothing is stored).
    `state` is all it knows of one order, for checks that replay gives the same state.
    """

    name: str
    takes: frozenset[str]  # message types

    def handle(self, message: Message[Any]) -> Effects: ...

    def state(self, order_id: str) -> object: ...


class Clock(Protocol):
    def now_ns(self) -> int:
        """UTC nanoseconds of the desk; never goes backwards."""
        ...


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one turn of the desk commits, all or nothing: messages in order, and the rows that go with them."""

    messages: Sequence[Message[Any]]
    records: Sequence[Record]
    lease: "Lease | None" = None  # checked in the same transaction; None where nobody else can write


class Journal(Protocol):
    """The append-only log of all messages, with the rows that go with them."""

    async def append(self, batch: Batch) -> Sequence[int]:
        """Durable when it returns: the positions given to the messages, from 1, without gaps, in order.

        Batches are applied in call order; callers may wait for several at once (they share a commit).

        Raises:
            Conflict: if an event_id, or an (order_id, source_service, sequence), is already there; nothing is kept.
            Fenced: if the batch's lease is not the newest of its name; nothing is kept.
        """
        ...

    def read(
        self,
        *,
        order_id: str | None = None,
        source: str | None = None,
        after_sequence: int = 0,
        after_position: int = 0,
    ) -> AsyncIterator[tuple[int, Message[Any]]]:
        """Messages in position order: all of an order, of a source, or everything."""
        ...


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of rows. `next_cursor` continues after the last; None at the end."""

    rows: Sequence[Any]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work under a name until it runs out. Each grant to another holder has a higher epoch."""

    name: str  # "algorithm-3": a service and one of its shards
    holder: str
    epoch: int
    seconds: float  # how long it lasts from each grant or renewal, by the database's clock


class Leases(Protocol):
    """Who may work what, decided by one database with its own clock."""

    async def acquire(self, name: str, holder: str, seconds: float) -> Lease | None:
        """The lease, with an epoch above all earlier ones; None while somebody else's runs. One's own is renewed."""
        ...

    async def renew(self, lease: Lease) -> bool:
        """Whether it still holds, for `seconds` from now. False: it ran out and may be another's; send nothing more."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give it back now. Nothing happens if it was lost before."""
        ...

    async def holders(self) -> Sequence[Lease]:
        """The leases that run at this moment, by name."""
        ...


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One record for the bus."""

    key: str  # ordering key: records of one key in one shard arrive in the order of publication
    body: bytes
    headers: dict[str, str]  # what a reader may want to know without decoding the body
    sequence: (
        int  # from 0, grows per producer in each shard; the bus drops what is not above the producer's newest there
    )


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One record from the bus. `position` is opaque, and is later in a shard than all before it."""

    position: str
    key: str
    body: bytes
    headers: dict[str, str]
    published_ns: int  # by the bus's clock; Pulsar takes the publisher's, in whole milliseconds


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A durable cursor on one shard of a topic, kept by the bus until it is deleted."""

    name: str
    topic: str
    shard: int
    position: str | None  # of the last acknowledged record; None before the first
    lag: int  # records after it
    is_paused: bool


class Bus(Protocol):
    """Ordered topics in shards: durable, at least once. Every implementation passes tests/conformance/test_bus.py.

    Two ways to read. A worker reads from a position that it keeps beside its own effects (`read`), so that effect and
    position are one commit. A listener outside reads through a durable subscription that the bus keeps.
    """

    shards: int  # of every sharded topic

    async def publish(self, topic: str, shard: int, producer: str, records: Sequence[Outgoing]) -> None:
        """Durable and in order when it returns. A repeat (same producer, sequence not above its newest) is dropped.

        Raises:
            BusUnavailable: after the bus's own retries; the caller still has the records and may publish them again.
        """
        ...

    def read(self, topic: str, shard: int, *, after: str | None) -> AsyncIterator[Sequence[Delivery]]:
        """Groups of records after a position (None = from the first one kept), then new ones as they come, for ever.

        Raises:
            BusUnavailable: when the bus is lost for longer than its own retries; read again from the last position.
            NotFound: if the bus no longer keeps what follows the position, or the position is not one of this bus.
        """
        ...

    async def end(self, topic: str, shard: int) -> str | None:
        """Position of the newest record that is kept; None where nothing is."""
        ...

    async def topics(self) -> Sequence[str]:
        """The topics that have been published to or subscribed to, by name."""
        ...

    async def subscriptions(self, topic: str) -> Sequence[Subscription]: ...

    async def subscribe(self, topic: str, name: str, *, from_start: bool = False) -> None:
        """Create a subscription on every shard of the topic, at its end or its start. Nothing happens if it exists."""
        ...

    async def unsubscribe(self, topic: str, name: str) -> None:
        """Raises NotFound."""
        ...

    async def receive(self, topic: str, name: str, shard: int, limit: int, wait_seconds: float) -> Sequence[Delivery]:
        """At most `limit` after the acknowledged position; empty if nothing comes in time, or while it is paused.

        What is not acknowledged comes again with the next call. One process at a time gets the records of a shard;
        another waits until that one is gone. Raises NotFound.
        """
        ...

    async def acknowledge(self, topic: str, name: str, shard: int, position: str) -> None:
        """This one and all before it in the shard are done. Raises NotFound."""
        ...

    async def seek(self, topic: str, name: str, *, time_ns: int | None = None, sequence: int | None = None) -> None:
        """Go back or forth: to the first record published at or after a time, or to the n-th (from 0) still kept.

        In every shard of the topic; past the newest record is the end. Raises NotFound.
        """
        ...

    async def pause(self, topic: str, name: str, *, paused: bool) -> None:
        """While paused, `receive` gives nothing and the lag grows. Raises NotFound."""
        ...

    async def retain(self, older_than_seconds: float, *, topic: str | None = None) -> None:
        """Records published longer ago than this, that every subscription has acknowledged, need not be kept.

        Of one topic, or of all that have no time of their own. A SQL bus removes them now; Pulsar keeps to it from now
        on (in whole minutes, upwards).
        """
        ...

    async def remove(self, topic: str) -> None:
        """The topic with all that is in it and known of it. Nothing happens if it is not there."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Namespace:
    """A kind of answer that may be kept, and for how long."""

    name: str
    seconds: float  # a copy younger than this is given; each lives up to a tenth shorter, so that not all end at once
    stale_seconds: float = 0.0  # for so long after that it is still given, while the source is asked for a new one


@dataclass(kw_only=True)
class CacheUse:
    """How a namespace was used since the start of the process."""

    reads: dict[str, int]  # by answer: hit, stale, miss, shared (waited for another's miss), bypass (no cache to ask)
    bytes_kept: int = 0  # of values in this process

    @property
    def hit_ratio(self) -> float | None:
        """Share of the reads that did not ask the source, 0..1; None before the first."""
        total = sum(self.reads.values())
        return None if total == 0 else (self.reads["hit"] + self.reads["stale"] + self.reads["shared"]) / total


class Cache(Protocol):
    """Copies of answers to reads. Limits, kill state and leases are never asked here; nothing about an order is decided
    by what it says. A cache that is down, slow, emptied or corrupted only makes reads slower."""

    async def read(
        self,
        namespace: str,
        tenant: str,
        key: str,
        load: Callable[[], Awaitable[bytes]],
        *,
        version: str = "",
    ) -> bytes:
        """The copy, or what `load` gives; equal reads at one time load once.

        Args:
            tenant: whose answer it is; nobody else gets it.
            version: of the source now. A copy of another version is not given.

        Raises what `load` raises.
        """
        ...

    def use(self) -> dict[str, CacheUse]:
        """By namespace."""
        ...

    async def close(self) -> None: ...


class Store(Protocol):
    """Reads of the rows that services saved."""

    async def get(self, record: type[R], *key: object) -> R | None: ...

    async def find(
        self,
        record: type[R],
        *,
        where: dict[str, object] | None = None,  # field = value, all must hold; a tuple: any of; see OfTenant
        order_by: str | None = None,  # field name, "-" before it for descending; the key otherwise
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Rows in order. Raises InvalidInput for an unknown field or a cursor that is not of this query."""
        ...


class Market(Protocol):
    """A market to trade against, replayed or generated, with its own event time. Integers inside, decimals here."""

    now_ns: int

    def instruments(self) -> Sequence[Instrument]: ...

    def venues(self) -> Sequence[Venue]: ...

    def snapshot(self, instrument_id: str) -> MarketSnapshot:
        """The consolidated market now. Raises NotFound."""
        ...

    def submit(self, child: ChildOrder, at_ns: int) -> None:
        """Send a child order at desk time `at_ns`; it reaches the venue after the venue's latency.

        A child id seen before is refused with a REJECTED report; nothing is raised for what a venue would answer.
        """
        ...

    def cancel(self, child_order_id: str, at_ns: int) -> None:
        """Ask to cancel. The answer is a CANCELLED report, or nothing more if it has already ended; an id that this
        market has never seen gets a CANCELLED report of quantity 0 with reason "unknown child order"."""
        ...

    def advance(self, until_ns: int) -> Sequence[VenueReport]:
        """Let the market run until `until_ns`, or to the first instant with reports for us; `now_ns` says which.

        Reports come in order of `received_time_ns`, all equal to `now_ns`.
        """
        ...

    def session(self, instrument_id: str, time_ns: int) -> tuple[int, int] | None:
        """Open and close of the session at or after the time; None if there is none."""
        ...

    def quotes(self, instrument_id: str, start_ns: int, end_ns: int, limit: int = 10_000) -> Sequence[Quote]:
        """The best quote that stood at `start_ns`, then each change before `end_ns`: the latest `limit`, in order.

        Raises InvalidInput for a limit below 1."""
        ...

    def trades(self, instrument_id: str, start_ns: int, end_ns: int, limit: int = 10_000) -> Sequence[Trade]:
        """The latest `limit` prints of [start_ns, end_ns), ours included, in order. Raises as `quotes`."""
        ...

    def bars(self, instrument_id: str, start_ns: int, end_ns: int, bar_seconds: int) -> Sequence[Bar]: ...

    def book(self, instrument_id: str, levels: int = 10) -> Book: ...


class VolumeCurve(Protocol):
    def share(self, start_ns: int, end_ns: int) -> float:
        """Expected share of the session's volume in [start, end), 0..1."""
        ...

    @property
    def name(self) -> str:
        """Where it comes from, e.g. "mean of 20 days" or "flat (no history)"."""
        ...


class ReferenceData(Protocol):
    """What is known before the first tick. Raises NotFound for an unknown instrument."""

    def instrument(self, instrument_id: str) -> Instrument: ...

    def instruments(self) -> Sequence[Instrument]: ...

    def venue(self, venue_id: str) -> Venue: ...

    def venues(self, instrument_id: str | None = None) -> Sequence[Venue]: ...

    def session(self, instrument_id: str, time_ns: int) -> tuple[int, int] | None: ...

    def volume_curve(self, instrument_id: str, time_ns: int) -> VolumeCurve: ...


@dataclass(frozen=True, kw_only=True)
class Idempotency:
    """A client's Idempotency-Key and a digest of what it asked for."""

    key: str
    request_digest: str


class Requests(Protocol):
    """Ask a service for an answer, wherever it runs."""

    async def ask(
        self, service: str, payload: Payload, *, order_id: str, idempotency: "Idempotency | None" = None
    ) -> Any:
        """The service's answer, after everything it changed is durable. Raises the BestexError with which it refused.

        With `idempotency`, an IdempotencyRow with the answer is part of the same commit.
        """
        ...


class Feed(Protocol):
    """Committed messages as they happen."""

    def subscribe(self, listener: Callable[[int, Message[Any]], None]) -> Callable[[], None]:
        """Call `listener(position, message)` for each committed message, in order; returns the unsubscribe."""
        ...
