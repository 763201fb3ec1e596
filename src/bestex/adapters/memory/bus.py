"""The bus in memory: for one process, for tests, and as the plainest form of what the port promises."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from bestex.domain.errors import NotFound
from bestex.ports import Delivery, Outgoing, Subscription


@dataclass
class _Shard:
    records: list[Delivery] = field(default_factory=list)
    newest: dict[str, int] = field(default_factory=dict)  # producer -> its newest sequence
    more: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class _Cursor:
    done: int  # records acknowledged
    is_paused: bool = False


class MemoryBus:
    """`Bus` over lists. Lost with the process. A position is the record's number in its shard, from 1."""

    def __init__(self, shards: int, clock_ns: Callable[[], int]) -> None:
        self.shards = shards
        self._clock_ns = clock_ns
        self._shards: dict[tuple[str, int], _Shard] = {}
        self._cursors: dict[tuple[str, str, int], _Cursor] = {}

    def _shard(self, topic: str, shard: int) -> _Shard:
        return self._shards.setdefault((topic, shard), _Shard())

    async def publish(self, topic: str, shard: int, producer: str, records: Sequence[Outgoing]) -> None:
        at = self._shard(topic, shard)
        for record in records:
            if record.sequence <= at.newest.get(producer, -1):
                continue
            at.newest[producer] = record.sequence
            at.records.append(
                Delivery(
                    position=str(len(at.records) + 1),
                    key=record.key,
                    body=record.body,
                    headers=dict(record.headers),
                    published_ns=self._clock_ns(),
                )
            )
        at.more.set()
        at.more = asyncio.Event()

    async def read(self, topic: str, shard: int, *, after: str | None) -> AsyncIterator[Sequence[Delivery]]:
        at, number = self._shard(topic, shard), int(after or 0)
        while True:
            more = at.more
            if group := at.records[number:]:
                number += len(group)
                yield group
            else:
                await more.wait()

    async def end(self, topic: str, shard: int) -> str | None:
        records = self._shard(topic, shard).records
        return records[-1].position if records else None

    async def subscribe(self, topic: str, name: str, *, from_start: bool = False) -> None:
        for shard in range(self.shards):
            end = 0 if from_start else len(self._shard(topic, shard).records)
            self._cursors.setdefault((topic, name, shard), _Cursor(done=end))

    async def unsubscribe(self, topic: str, name: str) -> None:
        for cursor in self._named(topic, name):
            del self._cursors[cursor]

    async def subscriptions(self, topic: str) -> Sequence[Subscription]:
        return [
            Subscription(
                name=name,
                topic=topic,
                shard=shard,
                position=str(cursor.done) if cursor.done else None,
                lag=len(self._shard(topic, shard).records) - cursor.done,
                is_paused=cursor.is_paused,
            )
            for (of, name, shard), cursor in sorted(self._cursors.items())
            if of == topic
        ]

    async def receive(self, topic: str, name: str, shard: int, limit: int, wait_seconds: float) -> Sequence[Delivery]:
        self._named(topic, name)
        at, cursor = self._shard(topic, shard), self._cursors[topic, name, shard]
        if cursor.is_paused or len(at.records) == cursor.done:
            try:
                await asyncio.wait_for(at.more.wait(), wait_seconds)
            except TimeoutError:
                return ()
        return () if cursor.is_paused else at.records[cursor.done : cursor.done + limit]

    async def acknowledge(self, topic: str, name: str, shard: int, position: str) -> None:
        self._named(topic, name)
        cursor = self._cursors[topic, name, shard]
        cursor.done = max(cursor.done, int(position))

    async def seek(self, topic: str, name: str, *, time_ns: int | None = None, sequence: int | None = None) -> None:
        for key in self._named(topic, name):
            records = self._shard(topic, key[2]).records
            if sequence is not None:
                self._cursors[key].done = min(sequence, len(records))
            elif time_ns is not None:
                self._cursors[key].done = sum(record.published_ns < time_ns for record in records)

    async def pause(self, topic: str, name: str, *, paused: bool) -> None:
        for key in self._named(topic, name):
            self._cursors[key].is_paused = paused

    async def close(self) -> None:
        """Nothing to give back."""

    def _named(self, topic: str, name: str) -> list[tuple[str, str, int]]:
        keys = [key for key in self._cursors if key[:2] == (topic, name)]
        if not keys:
            raise NotFound(f"topic {topic!r} has no subscription {name!r}", field="subscription", value=name)
        return keys
