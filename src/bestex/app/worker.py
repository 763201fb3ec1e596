"""One host of services between the bus and its journal: hear, commit, say.

What is heard, what the services make of it, how far it has read and the check of its lease are one commit. Only what is
committed is published, in the journal's order; after a crash the unpublished rest goes out first. So every effect
happens once, whatever the bus repeats, and a holder whose lease has gone to another can neither write nor say anything.
"""

import asyncio
import contextlib
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import structlog

from bestex.app import recovery
from bestex.app.clock import stopwatch_ns
from bestex.app.desk import Desk
from bestex.app.host import Host, Turn
from bestex.app.observer import SILENT, Observer
from bestex.domain.errors import BestexError, BusUnavailable, Conflict, Fenced
from bestex.messages.codec import client_view, decode, encode, json_bytes
from bestex.messages.envelope import Message
from bestex.messages.records import DeskStateRow, IdempotencyRow, InboxRow, ParkedRow, ReadPositionRow, Record
from bestex.messages.requests import Request, answer_bytes, read_request, refusal_bytes
from bestex.messages.streams import ANSWERS, is_of_an_order, shard_of, topic_of
from bestex.ports import Batch, Bus, Delivery, Journal, Lease, Outgoing, Store

log = structlog.get_logger()

Stream = tuple[str, int]  # (topic, shard)

_GROUP = 256  # deliveries that share a commit at most
_OUTBOX_MAX = 20_000  # unpublished messages; more, and the worker hears nothing new until the bus takes some
_RETRY_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)
_ENDS = "trade_executed"  # every worker keeps it, so that a restart knows which orders are over


class WorkerJournal(Journal, Store, Protocol):
    """A journal with its rows, of one service and shard, with one writer at a time."""


class Worker:
    """`Feed` over one host. `run` returns when it is stopped, or raises Fenced when its lease is another's."""

    def __init__(
        self,
        name: str,
        make_host: Callable[[], Host],
        journal: WorkerJournal,
        bus: Bus,
        reads: Sequence[Stream],
        *,
        lease: Lease | None = None,
        may_send: Callable[[], bool] = lambda: True,
        keeps_all: bool = False,
        observer: Observer = SILENT,
    ) -> None:
        """
        Args:
            name: of the host and its shard, e.g. "algorithm-3": the same for every process that may hold it.
            make_host: fresh services, without any order.
            reads: the streams it hears. Requests among them are answered.
            lease: the right under which it writes; None where nobody else could.
            may_send: asked before every publication; False = the lease may have run out by now.
            keeps_all: journal every fact of its streams, also those that no service here takes.
            observer: hears what the worker does.
        """
        self.name = name
        self._observer = observer
        self._make_host = make_host
        self.host = self._new_host()
        self.lease = lease
        self.stale = 0  # deliveries of an earlier epoch, refused
        self.repeated = 0  # deliveries heard before
        self.parked: dict[str, int] = {}  # order id -> messages waiting
        self.ready = asyncio.Event()
        self._journal = journal
        self._bus = bus
        self.reads = tuple(reads)
        self._may_send = may_send
        self._keeps_all = keeps_all
        self._arrived: asyncio.Queue[tuple[Stream, Sequence[Delivery]]] = asyncio.Queue(maxsize=64)
        self._heard: dict[tuple[str, str], int] = {}  # (order, source) -> sequence
        self._epochs: dict[str, int] = {}  # lease name -> highest epoch heard
        self._positions: dict[str, str] = {}  # stream -> position
        self._gathered = _Gathered()
        self._outbox: deque[tuple[int, Message[Any]]] = deque()
        self._answers: deque[tuple[str, bytes]] = deque()
        self._answered = 0
        self._producer = name if lease is None else f"{name}.{lease.epoch}"  # one holder never waits for another's
        self._published = 0  # journal position
        self._saved = 0  # of it, what a commit has kept
        self._busy = False  # between hearing and the commit of it
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._listeners: list[Callable[[int, Message[Any]], None]] = []
        self._settled: list[Callable[[], None]] = []
        self._unheard: set[tuple[str, str, int]] = set()  # own facts, by order, source, sequence: not yet read back
        observer.works(self)

    def _new_host(self) -> Host:
        host = self._make_host()
        host.step = self._observer.step
        return host

    # -- life ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        await self._recover()
        tasks = [asyncio.create_task(self._listen(stream)) for stream in self.reads]
        tasks += [asyncio.create_task(self._work()), asyncio.create_task(self._say())]
        self.ready.set()
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            self.ready.clear()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def drain(self, seconds: float) -> None:
        """Wait until everything committed is published, for at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._outbox or self._answers:
                    self._room.clear()
                    await self._room.wait()

    def subscribe(self, listener: Callable[[int, Message[Any]], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def when_settled(self, listener: Callable[[], None]) -> None:
        """Call whenever everything heard so far is committed and everything said is published."""
        self._settled.append(listener)

    @property
    def outbox(self) -> int:
        """Messages committed and not yet published."""
        return len(self._outbox)

    @property
    def arrived(self) -> int:
        """Groups of records read and not yet handled."""
        return self._arrived.qsize()

    def position(self, stream: Stream) -> str | None:
        """Of the newest record of the stream that is handled; None before the first."""
        return self._positions.get(_label(stream))

    @property
    def is_idle(self) -> bool:
        """Whether nothing heard waits for its commit, nothing committed for its publication.

        What it published on streams that it reads has come back by then, so `positions` are not before it.
        """
        waits = self._busy or self._outbox or self._answers or self._unheard
        return self._arrived.empty() and not waits

    @property
    def positions(self) -> Mapping[str, str]:
        """Of the newest record handled, by stream ("orders/2"); none before the first."""
        return {_label(stream): at for stream in self.reads if (at := self._positions.get(_label(stream))) is not None}

    async def take(self, turns: Sequence[Turn]) -> None:
        """Commit turns that did not start on the bus: a market's reports and timers."""
        for turn in turns:
            self._gathered.turns.append(turn)
        await self._commit()

    async def release(self, order_id: str, actor: str) -> int:
        """Let a parked order go on: its messages are heard again, in order. Returns how many.

        Raises:
            Conflict: if nothing of the order is parked.
        """
        rows = await self._parked_rows(order_id)
        if not rows:
            raise Conflict(f"nothing of order {order_id} is parked in {self.name}", field="order_id", value=order_id)
        log.warning("parked order released", worker=self.name, order_id=order_id, actor=actor, messages=len(rows))
        del self.parked[order_id]
        released = [msgspec.structs.replace(row, state="RELEASED", actor=actor) for row in rows]
        self._gathered.records.extend(released)
        await self._commit()
        for row in rows:
            self._hear_fact(decode(row.body))
        await self._commit()
        return len(rows)

    # -- hearing -------------------------------------------------------------------------------------------------

    async def _listen(self, stream: Stream) -> None:
        topic, shard = stream
        failures = 0
        while True:
            try:
                async for group in self._bus.read(topic, shard, after=self._positions.get(_label(stream))):
                    failures = 0
                    await self._arrived.put((stream, group))
            except BusUnavailable as error:
                log.warning("bus lost, reading again", worker=self.name, stream=_label(stream), error=error.message)
                await asyncio.sleep(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)])
                failures += 1

    async def _work(self) -> None:
        while True:
            arrived = [await self._arrived.get()]
            self._busy = True
            count = len(arrived[0][1])
            while count < _GROUP and not self._arrived.empty():
                arrived.append(self._arrived.get_nowait())
                count += len(arrived[-1][1])
            for stream, group in arrived:
                label = _label(stream)
                for delivery in group:
                    await self._take(stream, delivery)
                    # No waiting between the step and this: a commit has both or neither.
                    self._positions[label] = self._gathered.positions[label] = delivery.position
            await self._commit()
            for _, group in arrived:
                self._observer.read(self.name, group)
            self._busy = False
            self._something.set()
            while len(self._outbox) > _OUTBOX_MAX:
                self._room.clear()
                await self._room.wait()

    async def _take(self, stream: Stream, delivery: Delivery) -> None:
        headers = delivery.headers
        if "request" in headers:
            await self._answer(delivery)
            return
        source = headers["source"]
        order_id, sequence = delivery.key, int(headers["sequence"])
        if source in self.host.sources:
            self._unheard.discard((order_id, source, sequence))
            return
        if self._is_stale(headers):
            return
        before = self._heard.get((order_id, source), 0)
        if sequence <= before:
            self.repeated += 1
            return
        self._heard[order_id, source] = self._gathered.heard[order_id, source] = sequence
        wanted = self._keeps_all or headers["event_type"] == _ENDS or self.host.takes(headers["event_type"])
        if not wanted and sequence == before + 1 and order_id not in self.parked:
            return
        if order_id in self.parked:
            self._park(order_id, delivery.body.decode(), "after a parked message")
            return
        if sequence != before + 1:
            self._park(order_id, delivery.body.decode(), f"{source} said {sequence} after {before}")
            return
        try:
            message = decode(delivery.body)
            self._observer.heard(message, headers)
            self._hear_fact(message)
        except Exception as error:
            await self._set_aside(order_id, delivery.body.decode(), error)

    def _hear_fact(self, message: Message[Any]) -> None:
        self._gathered.turns.append(self.host.hear(message))

    def _is_stale(self, headers: Mapping[str, str]) -> bool:
        if "lease" not in headers:
            return False
        name, epoch = headers["lease"], int(headers["epoch"])
        highest = self._epochs.get(name, 0)
        if epoch > highest:
            self._epochs[name] = epoch
            self._gathered.positions[f"epoch/{name}"] = str(epoch)
        elif epoch < highest:
            self.stale += 1
            self._observer.refused_stale(self.name)
            log.warning("earlier epoch refused", worker=self.name, lease=name, epoch=epoch, newest=highest)
        return epoch < highest

    async def _answer(self, delivery: Delivery) -> None:
        request, payload = read_request(delivery.body)
        try:
            if request.idempotency_key is not None:
                await self._check_new(request.idempotency_key)
            with self._observer.following(delivery.headers):
                turn = self.host.request(
                    request.service,
                    payload,
                    order_id=request.order_id,
                    time_ns=max(request.time_ns or 0, self.host.now_ns),
                    correlation_id=request.request_id,
                )
        except BestexError as error:
            self._gathered.answers.append((request.answer_to, refusal_bytes(request.request_id, error)))
            return
        except Exception as error:
            refusal = Conflict(f"the service could not handle this request: {error}; it changed nothing")
            self._gathered.answers.append((request.answer_to, refusal_bytes(request.request_id, refusal)))
            log.error("request failed", worker=self.name, request=request.request_id, trace=traceback.format_exc())
            await self._start_afresh()
            return
        if (row := _idempotency(request, turn)) is not None:
            turn.records.append(row)
        self._gathered.turns.append(turn)
        self._gathered.answers.append((request.answer_to, answer_bytes(request.request_id, turn.answer)))

    async def _check_new(self, key: str) -> None:
        gathered = any(
            isinstance(row, IdempotencyRow) and row.idempotency_key == key
            for turn in self._gathered.turns
            for row in turn.records
        )
        if gathered or await self._journal.get(IdempotencyRow, key) is not None:
            raise Conflict("a request with this Idempotency-Key has been answered; ask again", field="Idempotency-Key")

    # -- what cannot be handled ----------------------------------------------------------------------------------

    async def _set_aside(self, order_id: str, body: str, error: Exception) -> None:
        """Park the order and go on with the others, on services that never met this message."""
        log.error("order parked", worker=self.name, order_id=order_id, error=repr(error), trace=traceback.format_exc())
        self._park(order_id, body, f"{type(error).__name__}: {error}"[:300])
        await self._start_afresh()

    async def _start_afresh(self) -> None:
        """A step that broke may have left its service between two states: commit what is whole, then rebuild."""
        await self._commit()
        self.host = self._new_host()
        await recovery.recover(self.host, self._journal, self._journal)

    def _park(self, order_id: str, body: str, reason: str) -> None:
        self.parked[order_id] = number = self.parked.get(order_id, 0) + 1
        self._gathered.records.append(
            ParkedRow(
                worker=self.name,
                order_id=order_id,
                number=number,
                body=body,
                reason=reason,
                state="PARKED",
                parked_at_ns=self.host.now_ns,
                actor=None,
            )
        )

    async def _parked_rows(self, order_id: str | None = None) -> list[ParkedRow]:
        where: dict[str, object] = {"worker": self.name, "state": "PARKED"}
        if order_id is not None:
            where["order_id"] = order_id
        rows = await _all(self._journal, ParkedRow, where)
        return sorted(rows, key=lambda row: (row.order_id, row.number))

    # -- committing ----------------------------------------------------------------------------------------------

    async def _commit(self) -> None:
        gathered, self._gathered = self._gathered, _Gathered()
        if gathered.is_empty:
            return
        records: list[Record] = [row for turn in gathered.turns for row in turn.batch.records]
        records += gathered.records
        records += [
            InboxRow(worker=self.name, order_id=order_id, source_service=source, sequence=sequence)
            for (order_id, source), sequence in gathered.heard.items()
        ]
        positions = gathered.positions | {"outbox": str(self._published)}
        records += [
            ReadPositionRow(worker=self.name, stream=stream, position=position)
            for stream, position in positions.items()
        ]
        messages = [message for turn in gathered.turns for message in turn.messages]
        batch = Batch(messages=messages, records=records, lease=self.lease)
        began_ns = stopwatch_ns()
        numbers = await self._journal.append(batch)
        self._saved = self._published
        own = self.host.sources
        said = [pair for pair in zip(numbers, messages, strict=True) if pair[1].source_service in own]
        for number, message in said:
            self._to_say(number, message)
        sends = isinstance(self.host, Desk)
        self._observer.committed(self.name, began_ns, gathered.turns, [message for _, message in said], sends=sends)
        self._answers.extend(gathered.answers)
        for turn in gathered.turns:
            self.host.release(turn)
        for number, message in zip(numbers, messages, strict=True):
            for listener in tuple(self._listeners):
                listener(number, message)
        self._something.set()

    # -- saying --------------------------------------------------------------------------------------------------

    def _to_say(self, number: int, message: Message[Any]) -> None:
        self._outbox.append((number, message))
        if self._stream_of(message) in self.reads:
            self._unheard.add((message.order_id, message.source_service, message.sequence))

    def _stream_of(self, message: Message[Any]) -> Stream:
        shard = shard_of(message.order_id, self._bus.shards) if is_of_an_order(message.order_id) else 0
        return topic_of(message.order_id), shard

    async def _say(self) -> None:
        failures = 0
        while True:
            await self._something.wait()
            self._something.clear()
            try:
                while self._outbox or self._answers:
                    await self._publish()
                    failures = 0
            except BusUnavailable as error:
                log.warning("bus lost, publishing again", worker=self.name, error=error.message)
                await asyncio.sleep(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)])
                failures += 1
                self._something.set()
                continue
            if self.is_idle:
                for listener in self._settled:
                    listener()

    async def _publish(self) -> None:
        if not self._may_send():
            raise Fenced(f"{self.name} has not renewed its lease in time; it says nothing more", field="lease")
        began_ns = stopwatch_ns()
        taken = list(self._outbox)[:_GROUP]
        by_stream: dict[Stream, list[Outgoing]] = {}
        for number, message in taken:
            by_stream.setdefault(self._stream_of(message), []).append(self._outgoing(number, message))
        await asyncio.gather(
            *(self._bus.publish(*stream, self._producer, records) for stream, records in by_stream.items()),
            self._publish_answers(),
        )
        for _ in taken:
            self._outbox.popleft()
        if taken:
            self._published = taken[-1][0]
            self._observer.published(self.name, began_ns, [message for _, message in taken], len(self._outbox))
        self._room.set()

    async def _publish_answers(self) -> None:
        while self._answers:
            instance, body = self._answers[0]
            self._answered += 1
            record = Outgoing(key=instance, body=body, headers={"answer": self.name}, sequence=self._answered)
            shard = shard_of(instance, self._bus.shards)
            await self._bus.publish(ANSWERS, shard, f"{self._producer}-answers", [record])
            self._answers.popleft()

    def _outgoing(self, number: int, message: Message[Any]) -> Outgoing:
        headers = {
            "event_type": message.event_type,
            "schema_version": str(message.schema_version),
            "source": message.source_service,
            "sequence": str(message.sequence),
        }
        if self.lease is not None:
            headers |= {"lease": self.lease.name, "epoch": str(self.lease.epoch)}
        headers |= self._observer.headers(message)
        return Outgoing(key=message.order_id, body=encode(message), headers=headers, sequence=number)

    # -- starting ------------------------------------------------------------------------------------------------

    async def _recover(self) -> None:
        started = time.monotonic()
        if await self._journal.get(DeskStateRow, "first_start") is None:
            records: list[Record] = [DeskStateRow(name="first_start", value={"worker": self.name})]
            for service in self.host.services:
                if isinstance(service, recovery.KeepsRecords):
                    records.extend(service.initial_records(self.host.now_ns))
            await self._journal.append(Batch(messages=(), records=records, lease=self.lease))
        for row in await _all(self._journal, InboxRow, {"worker": self.name}):
            self._heard[row.order_id, row.source_service] = row.sequence
        for position in await _all(self._journal, ReadPositionRow, {"worker": self.name}):
            if position.stream.startswith("epoch/"):
                self._epochs[position.stream.removeprefix("epoch/")] = int(position.position)
            elif position.stream == "outbox":
                self._published = self._saved = int(position.position)
            else:
                self._positions[position.stream] = position.position
        for parked in await self._parked_rows():
            self.parked[parked.order_id] = max(self.parked.get(parked.order_id, 0), parked.number)
        opened = await recovery.recover(self.host, self._journal, self._journal)
        own = self.host.sources
        async for number, message in self._journal.read(after_position=self._published):
            if message.source_service in own:
                self._to_say(number, message)
        self._something.set()
        self._observer.recovered(self.name, time.monotonic() - started)
        log.info(
            "worker recovered",
            worker=self.name,
            epoch=None if self.lease is None else self.lease.epoch,
            open_orders=opened,
            unpublished=len(self._outbox),
            seconds=round(time.monotonic() - started, 3),
        )


class _Gathered:
    """What the next commit takes."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.records: list[Record] = []
        self.heard: dict[tuple[str, str], int] = {}
        self.positions: dict[str, str] = {}
        self.answers: list[tuple[str, bytes]] = []

    @property
    def is_empty(self) -> bool:
        return not (self.turns or self.records or self.heard or self.positions or self.answers)


def _label(stream: Stream) -> str:
    return f"{stream[0]}/{stream[1]}"


def _idempotency(request: Request, turn: Turn) -> IdempotencyRow | None:
    if request.idempotency_key is None or request.request_digest is None:
        return None
    return IdempotencyRow(
        idempotency_key=request.idempotency_key,
        request_digest=request.request_digest,
        response=json_bytes(client_view(turn.answer)).decode(),
        created_at_ns=turn.time_ns,
    )


async def _all(store: Store, record: type[Any], where: dict[str, object]) -> list[Any]:
    rows: list[Any] = []
    cursor: str | None = None
    while True:
        page = await store.find(record, where=where, limit=1000, cursor=cursor)
        rows.extend(page.rows)
        cursor = page.next_cursor
        if cursor is None:
            return rows
