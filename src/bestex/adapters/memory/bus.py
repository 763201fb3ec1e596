"""The bus in memory: for one process, for tests, and as the plainest form of what the port promises."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from bestex.domain.errors import InvalidInput, NotFound
from bestex.ports import Delivery, Outgoing, Subscription


@dataclass
class _Shard:
    removed: int = 0  # how many of the first records are no longer kept
    records: list[Delivery] = field(default_factory=list)
    newest: dict[str, int] = field(default_factory=dict)  # producer -> its newest sequence
    more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def count(self) -> int:
        return self.removed + len(self.records)

    def after(self, number: int, limit: int | None = None) -> Sequence[Delivery]:
        start = number - self.removed
        return self.records[start : None if limit is None else start + limit]

    def wake(self) -> None:
        self.more.set()
        self.more = asyncio.Event()


@dataclass
class _Cursor:
    done: int  # number of the last acknowledged record
    is_paused: bool = False


class MemoryBus:
    """`Bus` over lists. Lost with the process. A position is the record's number in its shard, from 1."""

    def __init__(self, shards: int, clock_ns: Callable[[], int]) -> None:
        self.shards = shards
        self._clock_ns = clock_ns
        self._shards: dict[tuple[str, int], _Shard] = {}
        self._cursors: dict[tuple[str, str, int], _Cursor] = {}

    def _shard(self, topic: str, shard: int) -> _Shard:
        check_place(topic, shard, self.shards)
        return self._shards.setdefault((topic, shard), _Shard())

    async def publish(self, topic: str, shard: int, producer: str, records: Sequence[Outgoing]) -> None:
        at = self._shard(topic, shard)
        for record in records:
            if record.sequence <= at.newest.get(producer, -1):
                continue
            at.newest[producer] = record.sequence
            at.records.append(
                Delivery(
                    position=str(at.count + 1),
                    key=record.key,
                    body=record.body,
                    headers=dict(record.headers),
                    published_ns=self._clock_ns(),
                )
            )
        at.wake()

    async def read(self, topic: str, shard: int, *, after: str | None) -> AsyncIterator[Sequence[Delivery]]:
        at = self._shard(topic, shard)
        number = at.removed if after is None else check_number(after, at.removed, at.count)
        while True:
            more = at.more
            if number < at.removed:
                raise no_longer_kept(str(number))
            if group := at.after(number):
                number += len(group)
                yield group
            else:
                await more.wait()

    async def end(self, topic: str, shard: int) -> str | None:
        records = self._shard(topic, shard).records
        return records[-1].position if records else None

    async def topics(self) -> Sequence[str]:
        return sorted({topic for topic, _ in self._shards})

    async def subscribe(self, topic: str, name: str, *, from_start: bool = False) -> None:
        for shard in range(self.shards):
            at = self._shard(topic, shard)
            self._cursors.setdefault((topic, name, shard), _Cursor(done=at.removed if from_start else at.count))

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
                lag=self._shard(topic, shard).count - cursor.done,
                is_paused=cursor.is_paused,
            )
            for (of, name, shard), cursor in sorted(self._cursors.items())
            if of == topic
        ]

    async def receive(self, topic: str, name: str, shard: int, limit: int, wait_seconds: float) -> Sequence[Delivery]:
        at = self._shard(topic, shard)
        self._named(topic, name)
        deadline = asyncio.get_running_loop().time() + wait_seconds
        while True:
            more, cursor = at.more, self._cursors.get((topic, name, shard))
            if cursor is None:
                raise no_subscription(topic, name)
            if not cursor.is_paused and (found := at.after(cursor.done, limit)):
                return found
            try:
                async with asyncio.timeout_at(deadline):
                    await more.wait()
            except TimeoutError:
                return ()

    async def acknowledge(self, topic: str, name: str, shard: int, position: str) -> None:
        at = self._shard(topic, shard)
        self._named(topic, name)
        cursor = self._cursors[topic, name, shard]
        cursor.done = max(cursor.done, check_number(position, 0, at.count))

    async def seek(self, topic: str, name: str, *, time_ns: int | None = None, sequence: int | None = None) -> None:
        check_seek(time_ns, sequence)
        for key in self._named(topic, name):
            at = self._shard(topic, key[2])
            before = sum(record.published_ns < time_ns for record in at.records) if time_ns is not None else sequence
            self._cursors[key].done = at.removed + min(before or 0, len(at.records))
            at.wake()

    async def pause(self, topic: str, name: str, *, paused: bool) -> None:
        for key in self._named(topic, name):
            self._cursors[key].is_paused = paused
            self._shard(topic, key[2]).wake()

    async def retain(self, older_than_seconds: float, *, topic: str | None = None) -> None:
        before_ns = self._clock_ns() - int(older_than_seconds * 1e9)
        for (name, shard), at in self._shards.items():
            if topic not in (None, name):
                continue
            old = sum(record.published_ns < before_ns for record in at.records)
            done = [cursor.done for (of, _, number), cursor in self._cursors.items() if (of, number) == (name, shard)]
            count = max(min([at.removed + old, *done]) - at.removed, 0)
            del at.records[:count]
            at.removed += count

    async def remove(self, topic: str) -> None:
        self._shards = {place: at for place, at in self._shards.items() if place[0] != topic}
        self._cursors = {key: cursor for key, cursor in self._cursors.items() if key[0] != topic}

    async def close(self) -> None:
        """Nothing to give back."""

    def _named(self, topic: str, name: str) -> list[tuple[str, str, int]]:
        keys = [key for key in self._cursors if key[:2] == (topic, name)]
        if not keys:
            raise no_subscription(topic, name)
        return keys


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check_name(field: str, name: str) -> None:
    """Raises InvalidInput if it cannot be the name of a topic or a subscription on every bus."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{field} {name!r} cannot be used as a name",
            field=field,
            value=name,
            expected="letters, digits, '.', '_' and '-', at most 100, first a letter or digit",
        )


def check_place(topic: str, shard: int, shards: int) -> None:
    """Raises InvalidInput if the bus cannot have this topic or shard."""
    check_name("topic", topic)
    if not 0 <= shard < shards:
        raise InvalidInput(
            f"topic {topic} has no shard {shard}", field="shard", value=shard, expected=f"0 to {shards - 1}"
        )


def check_number(position: str, removed: int, newest: int) -> int:
    """The record number that a position stands for, where positions are numbers. Raises NotFound."""
    number = int(position) if position.isascii() and position.isdigit() else -1
    if number < 0 or number > newest:
        raise not_of_this_bus(position)
    if number < removed:
        raise no_longer_kept(position)
    return number


def check_seek(time_ns: int | None, sequence: int | None) -> None:
    """Raises InvalidInput unless exactly one of the two is given, and not negative."""
    if (time_ns is None) == (sequence is None) or min(time_ns or 0, sequence or 0) < 0:
        raise InvalidInput(
            f"seek to time {time_ns} and sequence {sequence}: give one of them",
            field="seek",
            value=time_ns if sequence is None else sequence,
            expected="a time in nanoseconds, or a number from 0",
        )


def not_of_this_bus(position: str) -> NotFound:
    return NotFound(
        f"position {position!r} is not one of this bus: was it set up anew?",
        field="position",
        value=position,
        expected="a position that came with a record of this bus",
    )


def no_longer_kept(position: str) -> NotFound:
    return NotFound(
        f"the bus no longer keeps what follows position {position!r}",
        field="position",
        value=position,
        expected="a position inside the bus's retention",
    )


def no_subscription(topic: str, name: str) -> NotFound:
    return NotFound(f"topic {topic!r} has no subscription {name!r}", field="subscription", value=name)
