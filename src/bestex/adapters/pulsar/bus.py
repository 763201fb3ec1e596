"""The bus on Apache Pulsar: partitioned topics, one partition a shard; named producers, broker deduplication.

We choose the shard ourselves and publish to the partition's own topic, so that every implementation and language puts
a key in the same place. What Pulsar is trusted with, and what not: docs/decisions/0067-what-pulsar-is-trusted-with.md.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from bestex.adapters.memory.bus import check_name, check_place, check_seek, no_subscription
from bestex.adapters.pulsar.admin import Admin, AdminError
from bestex.adapters.pulsar.listening import QUEUE, Listener
from bestex.adapters.pulsar.positions import Position
from bestex.adapters.pulsar.publishing import Publisher
from bestex.adapters.pulsar.reading import GROUP, PartitionReader
from bestex.domain.errors import BusUnavailable, InvalidInput
from bestex.ports import Delivery, Outgoing, Subscription

_OPERATION_SECONDS = 5
_LOOK_SECONDS = 0.5  # how often a reader that gets nothing looks whether it is still connected
_PAUSED_SECONDS = 1.0  # how long the answer whether a subscription is paused holds
_FIRST_PAUSE_SECONDS = 0.05
_PAUSE_SECONDS_MAX = 1.0
_BODY_BYTES_MAX = 4 * 2**20  # the broker takes 5 MiB with key and headers

Result = TypeVar("Result")


class PulsarBus:
    """`Bus` in one namespace of a Pulsar cluster. A position is `ledger:entry`."""

    def __init__(self, client: Any, library: Any, admin: Admin, namespace: str, url: str, **options: Any) -> None:
        self.shards: int = options["shards"]
        self._patience_seconds: float = options["patience_seconds"]
        self._client, self._library, self._admin = client, library, admin
        self._namespace, self._url = namespace, url
        self._topics: set[str] = set()
        self._publishers: dict[tuple[str, int, str], Publisher] = {}
        self._listeners: dict[tuple[str, str, int], Listener] = {}
        self._opening: dict[tuple[str, str, int], asyncio.Lock] = {}
        self._paused: dict[tuple[str, str, int], tuple[float, bool]] = {}

    @classmethod
    async def open(
        cls,
        url: str,
        admin_url: str,
        shards: int,
        *,
        namespace: str = "public/bestex",
        patience_seconds: float = 10.0,
        client_log: str = os.devnull,
    ) -> "PulsarBus":
        """Connect, and make the namespace ready: deduplication on, no topic or subscription by accident.

        Args:
            url: `pulsar://HOST:PORT`.
            admin_url: `http://HOST:PORT` of the administration.
            shards: partitions of every topic; the same at each opening.
            namespace: tenant and namespace, made if they are missing.
            patience_seconds: how long a lost broker is waited for before BusUnavailable.
            client_log: file of the client library's own log.

        Raises:
            InvalidInput: if an address is not one, or the client library is not installed.
            BusUnavailable: if nobody answers there; the message names both addresses.
        """
        _check_address("bus.url", url, ("pulsar://", "pulsar+ssl://"))
        _check_address("bus.admin_url", admin_url, ("http://", "https://"))
        library = _library()
        client = library.asyncio.Client(
            url,
            operation_timeout_seconds=_OPERATION_SECONDS,
            connection_timeout_ms=_OPERATION_SECONDS * 1_000,
            logger=library.FileLogger(library.LoggerLevel.Warn, client_log),
        )
        admin = Admin(admin_url.rstrip("/"), namespace)
        bus = cls(client, library, admin, namespace, url, shards=shards, patience_seconds=patience_seconds)
        try:
            await bus._patiently(admin.prepare_namespace)
        except BaseException:
            await bus.close()
            raise
        return bus

    # -- publishing ----------------------------------------------------------------------------------------------

    async def publish(self, topic: str, shard: int, producer: str, records: Sequence[Outgoing]) -> None:
        check_place(topic, shard, self.shards)
        for record in records:
            if len(record.body) > _BODY_BYTES_MAX:
                raise InvalidInput(
                    f"a record of {len(record.body)} bytes is too large for the bus",
                    field="body",
                    value=len(record.body),
                    expected=f"at most {_BODY_BYTES_MAX} bytes",
                )
        key = (topic, shard, producer)
        if key not in self._publishers:
            self._publishers[key] = Publisher(partial(self._make_producer, *key), self._patiently)
        await self._publishers[key].publish(records)

    async def _make_producer(self, topic: str, shard: int, producer: str) -> Any:
        await self._ready(topic)
        try:
            return await self._client.create_producer(
                self._partition(topic, shard),
                producer_name=producer,
                batching_enabled=False,  # the broker remembers one sequence for a batch; we need it for each record
                max_pending_messages=10_000,
                send_timeout_millis=_OPERATION_SECONDS * 1_000,
            )
        except self._library.asyncio.PulsarException as error:
            if error.error().name == "TopicNotFound":  # somebody has removed it: the next try makes it again
                self._topics.discard(topic)
            raise

    # -- reading from a position that the reader keeps -----------------------------------------------------------

    async def read(self, topic: str, shard: int, *, after: str | None) -> AsyncIterator[Sequence[Delivery]]:
        check_place(topic, shard, self.shards)
        await self._patiently(partial(self._ready, topic))
        start = None if after is None else Position.read(after)
        kept = partial(self._patiently, partial(self._admin.kept, topic, shard))
        is_at_end = start is not None and (await kept()).is_end(start)
        make = partial(self._make_reader, topic, shard, start)
        reader = PartitionReader(await self._patiently(make), start, kept, is_at_end=is_at_end)
        lost_at: float | None = None
        try:
            while True:
                group = await reader.next_group(_LOOK_SECONDS)
                if group:
                    lost_at = None
                    yield group
                elif await reader.look():
                    lost_at = None
                else:  # the client connects again by itself, if there is something to connect to
                    now = asyncio.get_running_loop().time()
                    lost_at = now if lost_at is None else lost_at
                    if now - lost_at > self._patience_seconds:
                        raise self._unavailable("the reader's connection is lost")
        except self._library.asyncio.PulsarException as error:
            raise self._unavailable(str(error)) from error
        finally:
            await reader.close()

    async def _make_reader(self, topic: str, shard: int, after: Position | None) -> Any:
        start = self._library.MessageId.earliest if after is None else self._message_id(after)
        return await self._client.create_reader(self._partition(topic, shard), start, receiver_queue_size=GROUP)

    async def end(self, topic: str, shard: int) -> str | None:
        check_place(topic, shard, self.shards)
        await self._patiently(partial(self._ready, topic))
        end = (await self._patiently(partial(self._admin.kept, topic, shard))).end()
        return None if end is None else str(end)

    # -- subscriptions that the broker keeps ---------------------------------------------------------------------

    async def topics(self) -> Sequence[str]:
        return await self._patiently(self._admin.topics)

    async def subscriptions(self, topic: str) -> Sequence[Subscription]:
        if topic not in await self.topics():
            return ()
        found = await asyncio.gather(
            *(self._patiently(partial(self._admin.cursors, topic, shard)) for shard in range(self.shards))
        )
        rows = [
            Subscription(
                name=cursor.name,
                topic=topic,
                shard=shard,
                position=None if cursor.position is None else str(cursor.position),
                lag=cursor.lag,
                is_paused=cursor.is_paused,
            )
            for shard, cursors in enumerate(found)
            for cursor in cursors
        ]
        return sorted(rows, key=lambda row: (row.name, row.shard))

    async def subscribe(self, topic: str, name: str, *, from_start: bool = False) -> None:
        check_place(topic, 0, self.shards)
        check_name("subscription", name)
        await self._patiently(partial(self._ready, topic))
        await self._patiently(partial(self._admin.subscribe, topic, name, from_start=from_start))

    async def unsubscribe(self, topic: str, name: str) -> None:
        await self._let_go(topic, name)
        await self._of_subscription(topic, name, partial(self._admin.unsubscribe, topic, name))

    async def receive(self, topic: str, name: str, shard: int, limit: int, wait_seconds: float) -> Sequence[Delivery]:
        check_place(topic, shard, self.shards)
        clock = asyncio.get_running_loop().time
        deadline = clock() + wait_seconds
        while True:
            paused = await self._is_paused(topic, name, shard)
            listener = await self._listener(topic, name, shard)
            listener.more.clear()
            if not paused and (found := listener.first(limit)):
                return found
            left = deadline - clock()
            if left <= 0:
                return ()
            if listener.failure is not None:
                await self._let_go(topic, name)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, _PAUSED_SECONDS)):
                    await listener.more.wait()

    async def acknowledge(self, topic: str, name: str, shard: int, position: str) -> None:
        check_place(topic, shard, self.shards)
        await self._is_paused(topic, name, shard)
        listener = await self._listener(topic, name, shard)
        at = Position.read(position)
        try:
            await listener.acknowledge(at, self._message_id(at))
        except self._library.asyncio.PulsarException as error:
            raise self._unavailable(str(error)) from error

    async def seek(self, topic: str, name: str, *, time_ns: int | None = None, sequence: int | None = None) -> None:
        check_seek(time_ns, sequence)
        await self._let_go(topic, name)
        for shard in range(self.shards):
            seek = partial(self._seek_shard, topic, name, shard, time_ns, sequence)
            await self._of_subscription(topic, name, seek)

    async def _seek_shard(self, topic: str, name: str, shard: int, time_ns: int | None, sequence: int | None) -> None:
        if time_ns is not None:
            await self._admin.seek_time(topic, name, shard, -(-time_ns // 1_000_000))
            return
        record = (await self._admin.kept(topic, shard)).number(sequence or 0)
        if record is None:
            await self._admin.seek_end(topic, name, shard)
        else:
            await self._admin.seek_record(topic, name, shard, record)

    async def pause(self, topic: str, name: str, *, paused: bool) -> None:
        # A pause of a subscription that is not there would be taken without a word.
        await self._of_subscription(topic, name, partial(self._admin.is_paused, topic, name, 0))
        await self._of_subscription(topic, name, partial(self._admin.pause, topic, name, paused=paused))
        self._paused.clear()
        for key, listener in self._listeners.items():
            if key[:2] == (topic, name):
                listener.more.set()

    async def retain(self, older_than_seconds: float, *, topic: str | None = None) -> None:
        if topic is not None:
            await self._patiently(partial(self._ready, topic))
        await self._patiently(partial(self._admin.retain, older_than_seconds, topic))

    async def remove(self, topic: str) -> None:
        for key in [key for key in self._publishers if key[0] == topic]:
            await self._publishers.pop(key).finish()
        for name in {name for of, name, _ in self._listeners if of == topic}:
            await self._let_go(topic, name)
        self._topics.discard(topic)
        await self._patiently(partial(self._admin.remove_topic, topic))

    async def close(self) -> None:
        """Finish what was asked, then disconnect."""
        await asyncio.gather(*(publisher.finish() for publisher in self._publishers.values()))
        await asyncio.gather(*(listener.close() for listener in self._listeners.values()))
        with contextlib.suppress(Exception):  # the broker may be gone
            await self._client.close()

    async def _listener(self, topic: str, name: str, shard: int) -> Listener:
        key = (topic, name, shard)
        async with self._opening.setdefault(key, asyncio.Lock()):
            if key not in self._listeners:
                subscribe = partial(
                    self._client.subscribe,
                    self._partition(topic, shard),
                    name,
                    # One consumer of the shard at a time, the next one from the acknowledged position: the order of
                    # a key survives that consumers come and go.
                    consumer_type=self._library.ConsumerType.Failover,
                    receiver_queue_size=QUEUE,
                )
                self._listeners[key] = Listener(await self._of_subscription(topic, name, subscribe))
            return self._listeners[key]

    async def _let_go(self, topic: str, name: str) -> None:
        for key in [key for key in self._listeners if key[:2] == (topic, name)]:
            await self._listeners.pop(key).close()
        self._paused.clear()

    async def _is_paused(self, topic: str, name: str, shard: int) -> bool:
        """Raises NotFound."""
        key, now = (topic, name, shard), asyncio.get_running_loop().time()
        until, paused = self._paused.get(key, (0.0, False))
        if now >= until:
            ask = partial(self._admin.is_paused, *key)
            paused = await self._of_subscription(topic, name, ask)
            self._paused[key] = (now + _PAUSED_SECONDS, paused)
        return paused

    # -- the broker ----------------------------------------------------------------------------------------------

    async def _ready(self, topic: str) -> None:
        if topic not in self._topics:
            await self._admin.make_topic(topic, self.shards)
            self._topics.add(topic)

    def _partition(self, topic: str, shard: int) -> str:
        return f"persistent://{self._namespace}/{topic}-partition-{shard}"

    def _message_id(self, position: Position) -> Any:
        return self._library.MessageId(-1, position.ledger, position.entry, position.index)

    async def _of_subscription(self, topic: str, name: str, call: Callable[[], Awaitable[Result]]) -> Result:
        """Raises NotFound where the broker does not know the subscription."""
        try:
            return await self._patiently(call, unknown=("SubscriptionNotFound", "TopicNotFound"))
        except AdminError as error:
            if error.status == 404:
                raise no_subscription(topic, name) from error
            raise self._unavailable(str(error)) from error
        except self._library.asyncio.PulsarException as error:
            raise no_subscription(topic, name) from error

    async def _patiently(self, call: Callable[[], Awaitable[Result]], *, unknown: Sequence[str] = ()) -> Result:
        """Repeat while the broker does not answer: everything here may be done twice and is the same.

        Raises:
            PulsarException: if the broker's answer is one of `unknown`.
            AdminError: for a refusal (4xx) of the administration, where `unknown` is given.
            BusUnavailable: for any other refusal, and when the patience is over.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._patience_seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await call()
            except (AdminError, OSError, self._library.asyncio.PulsarException) as error:
                if isinstance(error, AdminError) and unknown and 400 <= error.status < 500:
                    raise
                if isinstance(error, self._library.asyncio.PulsarException) and error.error().name in unknown:
                    raise
                # Right after a topic was made, it may not be found for a moment.
                is_refused = isinstance(error, AdminError) and 400 <= error.status < 500 and error.status != 404
                if is_refused or clock() + pause > deadline:
                    raise self._unavailable(str(error)) from error
                await asyncio.sleep(pause)
                pause = min(2 * pause, _PAUSE_SECONDS_MAX)

    def _unavailable(self, reason: str) -> BusUnavailable:
        return BusUnavailable(
            f"Pulsar at {self._url} (administration {self._admin.url}) does not answer: {reason}",
            field="bus.url",
            value=self._url,
            expected="a broker that runs and can be reached",
        )


def _library() -> Any:
    """The client, loaded only where it is used. Raises InvalidInput."""
    try:
        import pulsar
        import pulsar.asyncio
    except ModuleNotFoundError as error:
        raise InvalidInput(
            "a bus on Pulsar needs pulsar-client, which is not installed",
            field="bus.url",
            expected="pip install 'bestex[production]'",
        ) from error
    return pulsar


def _check_address(field: str, url: str, schemes: tuple[str, ...]) -> None:
    scheme = next((scheme for scheme in schemes if url.startswith(scheme)), None)
    if scheme is None or not url.removeprefix(scheme).strip("/"):
        raise InvalidInput(
            f"{field} {url!r} is not an address", field=field, value=url, expected=f"{schemes[0]}HOST:PORT"
        )
