"""The bus in a SQL database: durable, for a desk without a broker. SQLite in a file of its own, or PostgreSQL.

Records are numbered per shard without gaps, by whoever has the shard's row locked, so that "number > last" can never
step over a record that is committed late. What waits to be published together shares one transaction.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from bestex.adapters.memory.bus import check_name, check_place, check_seek
from bestex.adapters.sql.bus_statements import Place, Publication, Statements
from bestex.adapters.sql.bus_wakeups import listen
from bestex.adapters.sql.database import ConnectionLostError, Database, open_database, without_password
from bestex.domain.errors import BusUnavailable, StoreUnavailable
from bestex.ports import Delivery, Outgoing, Subscription

_LOST = (OperationalError, InterfaceError, ConnectionLostError, StoreUnavailable)
_GROUP = 500  # records that a reader gets at once, at most
_LOOK_AGAIN_SECONDS = 1.0  # when nobody says that there is more
_FIRST_PAUSE_SECONDS = 0.02
_PAUSE_SECONDS_MAX = 0.5

Result = TypeVar("Result")


class SqlBus:
    """`Bus` in one database. A position is the record's number in its shard, from 1."""

    def __init__(self, database: Database, shards: int, *, patience_seconds: float, channel: str | None) -> None:
        self.shards = shards
        self._database = database
        self._statements = Statements(insert=database.insert, now_ns=database.now_ns, channel=channel)
        self._patience_seconds = patience_seconds
        self._waiting: list[tuple[Publication, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._more: dict[Place, asyncio.Event] = {}
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, url: str, shards: int, *, schema: str = "bus", connections: int = 4, patience_seconds: float = 5.0
    ) -> "SqlBus":
        """Connect and bring the tables up to date.

        Args:
            url: `sqlite:///FILE`, which no other process may have open, or `postgresql://USER:PASSWORD@HOST:PORT/NAME`.
            shards: of every topic; the same at each opening.
            schema: on PostgreSQL.
            connections: kept open; PostgreSQL only.
            patience_seconds: how long a database that does not answer is asked again before BusUnavailable.

        Raises:
            BusUnavailable: if the database does not answer; the message names it, without the password.
            InvalidInput: if the url, the schema or a setting of the server is not right.
        """
        is_server = url.startswith("postgresql")
        options: dict[str, Any] = (
            {"connections": connections, "patience_seconds": patience_seconds} if is_server else {}
        )
        try:
            database = await open_database(url, schema=schema, **options)
        except _LOST as error:
            raise _unavailable(without_password(url), error) from error
        channel = f"bus_{schema}" if is_server else None
        bus = cls(database, shards, patience_seconds=patience_seconds, channel=channel)
        if channel is not None:
            bus._listening = asyncio.create_task(listen(url, channel, lambda place: bus._wake([place])))
        return bus

    async def publish(self, topic: str, shard: int, producer: str, records: Sequence[Outgoing]) -> None:
        check_place(topic, shard, self.shards)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((Publication(place=(topic, shard), producer=producer, records=records), done))
        if self._writer is None or self._writer.done():
            # A task of its own: a caller that is cancelled must not take the others' commit with it.
            self._writer = asyncio.create_task(self._write_waiting())
        await asyncio.shield(done)

    async def _write_waiting(self) -> None:
        """Group commit: whatever gathered during the last one goes into the next."""
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                publish = partial(self._statements.publish, [publication for publication, _ in group])
                self._wake(await self._patiently(self._database.write, publish))
            except Exception as error:
                for _, done in group:
                    if not done.done():
                        done.set_exception(error)
            for _, done in group:
                if not done.done():
                    done.set_result(None)

    async def read(self, topic: str, shard: int, *, after: str | None) -> AsyncIterator[Sequence[Delivery]]:
        check_place(topic, shard, self.shards)
        place = (topic, shard)
        number = await self._ask(partial(self._statements.check_position, place, after))
        while True:
            more = self._more_of(place)
            group = await self._ask(partial(self._statements.read, place, number, _GROUP))
            if group:
                number = int(group[-1].position)
                yield group
            else:
                await _wait(more, _LOOK_AGAIN_SECONDS)

    async def end(self, topic: str, shard: int) -> str | None:
        check_place(topic, shard, self.shards)
        return await self._ask(partial(self._statements.end, (topic, shard)))

    async def topics(self) -> Sequence[str]:
        return await self._ask(self._statements.topics)

    async def subscriptions(self, topic: str) -> Sequence[Subscription]:
        return await self._ask(partial(self._statements.subscriptions, topic))

    async def subscribe(self, topic: str, name: str, *, from_start: bool = False) -> None:
        check_place(topic, 0, self.shards)
        check_name("subscription", name)
        await self._change(partial(self._statements.subscribe, topic, name, self.shards, from_start))

    async def unsubscribe(self, topic: str, name: str) -> None:
        await self._change(partial(self._statements.unsubscribe, topic, name))

    async def receive(self, topic: str, name: str, shard: int, limit: int, wait_seconds: float) -> Sequence[Delivery]:
        check_place(topic, shard, self.shards)
        place = (topic, shard)
        clock = asyncio.get_running_loop().time
        deadline = clock() + wait_seconds
        while True:
            more = self._more_of(place)
            found = await self._ask(partial(self._statements.receive, place, name, limit))
            left = deadline - clock()
            if found or left <= 0:
                return found
            await _wait(more, min(left, _LOOK_AGAIN_SECONDS))

    async def acknowledge(self, topic: str, name: str, shard: int, position: str) -> None:
        check_place(topic, shard, self.shards)
        await self._change(partial(self._statements.acknowledge, (topic, shard), name, position))

    async def seek(self, topic: str, name: str, *, time_ns: int | None = None, sequence: int | None = None) -> None:
        check_seek(time_ns, sequence)
        self._wake(await self._change(partial(self._statements.seek, topic, name, time_ns, sequence)))

    async def pause(self, topic: str, name: str, *, paused: bool) -> None:
        self._wake(await self._change(partial(self._statements.pause, topic, name, paused)))

    async def retain(self, older_than_seconds: float, *, topic: str | None = None) -> None:
        await self._change(partial(self._statements.retain, older_than_seconds, topic))

    async def remove(self, topic: str) -> None:
        await self._change(partial(self._statements.remove, topic))

    async def close(self) -> None:
        """Finish what was asked, then disconnect."""
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._database.close()

    async def _ask(self, work: Callable[[Connection], Result]) -> Result:
        return await self._patiently(self._database.read, work)

    async def _change(self, work: Callable[[Connection], Result]) -> Result:
        return await self._patiently(self._database.write, work)

    async def _patiently(
        self,
        run: Callable[[Callable[[Connection], Result]], Awaitable[Result]],
        work: Callable[[Connection], Result],
    ) -> Result:
        """Repeat while the database does not answer: everything here may be done twice and is the same."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._patience_seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await run(work)
            except _LOST as error:
                if clock() + pause > deadline:
                    raise _unavailable(self._database.address, error) from error
                await asyncio.sleep(pause)
                pause = min(2 * pause, _PAUSE_SECONDS_MAX)

    def _more_of(self, place: Place) -> asyncio.Event:
        return self._more.setdefault(place, asyncio.Event())

    def _wake(self, places: Iterable[Place]) -> None:
        for place in places:
            self._more.pop(place, asyncio.Event()).set()


async def _wait(more: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await more.wait()
    except TimeoutError:
        return


def _unavailable(address: str, error: Exception) -> BusUnavailable:
    return BusUnavailable(
        f"the bus in {address} does not answer: {getattr(error, 'orig', None) or error}",
        field="bus.url",
        value=address,
        expected="a database that can be reached and written",
    )
