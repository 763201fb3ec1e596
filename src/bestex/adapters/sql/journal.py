"""The journal and its rows in a SQL database. SQLite is the embedded default; PostgreSQL serves separate services."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, func, select, tuple_
from sqlalchemy.exc import IntegrityError, StatementError

from bestex.adapters.sql import rows
from bestex.adapters.sql.database import ConnectionLostError, Database, Result, open_database, patiently
from bestex.adapters.sql.leases import check
from bestex.adapters.sql.tables import JOURNAL, day_of
from bestex.domain.errors import BestexError, Conflict, Fenced, StoreUnavailable
from bestex.messages.codec import decode
from bestex.messages.envelope import Message
from bestex.messages.records import Record
from bestex.ports import Batch, Lease, Page, R

_PAGE = 500

Waiting = list[tuple[Batch, "asyncio.Future[Sequence[int]]"]]


class SqlJournal:
    """`Journal` and `Store` over one shard of a schema. Batches that wait together share one transaction.

    The positions of a shard are counted by its one writer: the holder of its lease, or the one process there is.
    """

    def __init__(self, database: Database, shard: int | None) -> None:
        self._database = database
        self._shard = shard
        self._owns_database = False
        self._position: int | None = None  # None: not known, to be read in the next transaction
        self._last = 0
        self._lease: Lease | None = None  # of the last commit
        self._unsettled: set[str] = set()  # first event ids of batches of which nobody knows whether they are stored
        self._waiting: Waiting = []
        self._writer: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str, *, schema: str | None = None, shard: int | None = 0, **options: Any) -> "SqlJournal":
        """Connect, bring the tables up to date, find the end of the journal.

        Args:
            schema: the service's, on PostgreSQL.
            shard: whose messages are written and read; None reads those of all shards, and cannot write.
            options: of `open_database`.

        Raises:
            InvalidInput: if the url, the schema or a setting of the server is not right.
            StoreUnavailable: if the server does not answer.
        """
        database = await open_database(url, schema=schema, **options)
        try:
            journal = await cls.over(database, shard=shard)
        except BaseException:
            await database.close()
            raise
        journal._owns_database = True
        return journal

    @classmethod
    async def over(cls, database: Database, *, shard: int | None = 0) -> "SqlJournal":
        """One more shard over a database that is open already; closing the journal leaves that open."""
        journal = cls(database, shard)
        await journal.last()
        return journal

    @classmethod
    async def open_file(cls, path: Path) -> "SqlJournal":
        path.parent.mkdir(parents=True, exist_ok=True)
        return await cls.open(f"sqlite:///{path}")

    @property
    def last_position(self) -> int:
        """Position of the last durable message that this journal knows of; 0 in an empty journal."""
        return self._last

    async def last(self) -> int:
        """`last_position`, read again: somebody else may have held the shard."""
        position = await self._database.read(partial(_last_position, self._shard))
        if self._writer is None or self._writer.done():
            self._position = self._last = position
        return position

    async def close(self) -> None:
        """Finish what was asked, then disconnect."""
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)
        if self._owns_database:
            await self._database.close()

    async def append(self, batch: Batch) -> Sequence[int]:
        """As `Journal.append`.

        Raises:
            StoreUnavailable: if the database stays away; whether the batch is stored shows when it is appended again,
                which stores it once.
        """
        assert self._shard is not None, "a journal over all shards only reads"
        done: asyncio.Future[Sequence[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((batch, done))
        if self._writer is None or self._writer.done():
            # A task of its own: a caller that is cancelled must not take the others' commit with it.
            self._writer = asyncio.create_task(self._write_waiting())
        return await asyncio.shield(done)

    async def _write_waiting(self) -> None:
        """Group commit: whatever gathered during the last one goes into the next."""
        while self._waiting:
            group, self._waiting = self._waiting, []
            await self._write(group)

    async def _write(self, group: Waiting) -> None:
        """One transaction for the group; if it fails, one each, so that only the batch at fault is refused."""
        try:
            position = await self._commit([batch for batch, _ in group])
        except (BestexError, IntegrityError, StatementError) as error:
            if len(group) > 1 and not isinstance(error, StoreUnavailable):
                for item in group:
                    await self._write([item])
            else:
                _refuse(group, error)
            return
        except Exception as error:
            self._position = None
            _refuse(group, error)
            return
        for batch, done in group:
            count = len(batch.messages)
            if not done.done():
                done.set_result(range(position + 1, position + count + 1))
            position += count
        self._position = self._last = position

    async def _commit(self, batches: list[Batch]) -> int:
        """Store the batches, once, whatever becomes of the connection; returns the position before the first.

        Whether a COMMIT whose answer was lost took place is read from the journal: its messages are there, or not.
        """
        ids = [message.event_id for batch in batches for message in batch.messages]
        is_repeat = not self._unsettled.isdisjoint(ids)
        first_try = True

        async def attempt() -> int:
            nonlocal is_repeat, first_try
            if is_repeat and (stored := await self._stored(batches)) is not None:
                return stored
            try:
                return await self._insert(batches)
            except ConnectionLostError:
                is_repeat, self._position = True, None
                raise
            except (IntegrityError, Fenced) as error:
                # The lost transaction may have been committed while its repeat was on the way.
                if is_repeat and (stored := await self._stored(batches)) is not None:
                    return stored
                if not first_try or isinstance(error, Fenced):
                    raise
            # Another holder may have counted on, or a day may have been dropped, since this one last looked.
            first_try, self._position = False, None
            self._database.forget_days()
            return await attempt()

        try:
            position = await patiently(self._database, attempt, self._database.patience_seconds)
        except StoreUnavailable:
            self._unsettled.update(ids)
            raise
        self._unsettled.difference_update(ids)
        return position

    async def _insert(self, batches: list[Batch]) -> int:
        messages = [message for batch in batches for message in batch.messages]
        records = [record for batch in batches for record in batch.records]
        leases = list(dict.fromkeys(batch.lease for batch in batches if batch.lease is not None))
        if leases and leases[-1] != self._lease:
            self._position = None  # others may have written between two leases
        await self._database.keep_days(rows.days_of(messages, records))
        position = await self._database.write(
            partial(_insert, self._database, self._shard or 0, self._position, messages, records, leases)
        )
        self._lease = leases[-1] if leases else self._lease
        return position

    async def _stored(self, batches: list[Batch]) -> int | None:
        """The position before the first message of the batches, if they are stored; they are all, or none is."""
        messages = [message for batch in batches for message in batch.messages]
        if not messages:
            return None  # rows alone: saving them again changes nothing
        first = messages[0]
        query = select(JOURNAL.c.position).where(
            JOURNAL.c.shard == self._shard,
            JOURNAL.c.event_id == first.event_id,
            JOURNAL.c.day == day_of(first.time_ns),
        )
        found = await self._database.read(partial(rows.fetched, query))
        return int(found[0][0]) - 1 if found else None

    async def _transaction(self, work: Callable[[Connection], Result]) -> Result:
        return await self._database.write(work)

    async def read(
        self,
        *,
        order_id: str | None = None,
        source: str | None = None,
        after_sequence: int = 0,
        after_position: int = 0,
    ) -> AsyncIterator[tuple[int, Message[Any]]]:
        """As `Journal.read`. Over all shards by time, then shard, then position, which counts within its shard."""
        order = [JOURNAL.c.position]
        if self._shard is None:
            order = [JOURNAL.c.time_ns, JOURNAL.c.shard, JOURNAL.c.position]
        query = select(JOURNAL.c.position, JOURNAL.c.body, *order).order_by(*order).limit(_PAGE)
        query = query.where(JOURNAL.c.position > after_position)
        if self._shard is not None:
            query = query.where(JOURNAL.c.shard == self._shard)
        if order_id is not None:
            query = query.where(JOURNAL.c.order_id == order_id)
        if source is not None:
            query = query.where(JOURNAL.c.source_service == source)
        if after_sequence:
            query = query.where(JOURNAL.c.sequence > after_sequence)
        page: Select[Any] = query
        while True:
            found = await self._database.read(partial(rows.fetched, page))
            for row in found:
                yield row[0], decode(row[1])
            if len(found) < _PAGE:
                return
            page = query.where(tuple_(*order) > tuple_(*found[-1][2:]))

    async def get(self, record: type[R], *key: object) -> R | None:
        return await rows.get(self._database, record, key)

    async def find(
        self,
        record: type[R],
        *,
        where: dict[str, object] | None = None,
        order_by: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        return await rows.find(self._database, record, where=where, order_by=order_by, limit=limit, cursor=cursor)


def _refuse(group: Waiting, error: Exception) -> None:
    if isinstance(error, IntegrityError):
        error = Conflict(f"already in the journal: {error.orig}", field="event_id")
    elif isinstance(error, StatementError) and isinstance(error.orig, BestexError):
        error = error.orig
    for _, done in group:
        if not done.done():
            done.set_exception(error)


def _last_position(shard: int | None, connection: Connection) -> int:
    query = select(func.max(JOURNAL.c.position))
    return connection.scalar(query if shard is None else query.where(JOURNAL.c.shard == shard)) or 0


def _insert(
    database: Database,
    shard: int,
    position: int | None,
    messages: Sequence[Message[Any]],
    records: Sequence[Record],
    leases: Sequence[Lease],
    connection: Connection,
) -> int:
    for lease in leases:
        check(database, lease, connection)
    if position is None:
        position = _last_position(shard, connection)
    rows.insert_messages(database, shard, position, messages, connection)
    rows.save_records(database, records, connection)
    return position
