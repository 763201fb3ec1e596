"""The journal and its rows in a SQL database, over SQLAlchemy. SQLite is the embedded default.

SQLite is used through exactly one connection with `synchronous=FULL` in WAL mode: one writer, no second connection that
could meet SQLite's WAL-reset race, and an acknowledged commit survives a power cut (docs/decisions/0004-sqlite.md).
The connection lives on a thread of its own: the event loop waits once for a transaction, not for each statement in it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, Select, and_, create_engine, event, false, func, or_, select, true
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import StaticPool

from bestex.adapters.memory.journal import check_query, decode_cursor, encode_cursor
from bestex.adapters.sql.migrate import upgrade
from bestex.adapters.sql.tables import JOURNAL, TABLES, JsonText, column_type
from bestex.domain.errors import Conflict
from bestex.messages.codec import decode, encode
from bestex.messages.envelope import Message
from bestex.messages.records import Record
from bestex.ports import Batch, Page, R

_PAGE = 500

Result = TypeVar("Result")


class SqlJournal:
    """`Journal` and `Store`. Batches that wait together share one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sql")  # one transaction at a time
        self._position = 0
        self._waiting: list[tuple[Batch, asyncio.Future[Sequence[int]]]] = []
        self._writer: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str) -> "SqlJournal":
        """Connect, bring the tables up to date, find the end of the journal."""
        engine = create_engine(url, poolclass=StaticPool)
        event.listen(engine, "connect", _durable)
        journal = cls(engine)
        try:
            await journal._transaction(_up_to_date)
            journal._position = await journal._transaction(_last_position)
        except BaseException:
            await journal.close()
            raise
        return journal

    @classmethod
    async def open_file(cls, path: Path) -> "SqlJournal":
        path.parent.mkdir(parents=True, exist_ok=True)
        return await cls.open(f"sqlite:///{path}")

    @property
    def last_position(self) -> int:
        """Position of the last durable message; 0 in an empty journal."""
        return self._position

    async def close(self) -> None:
        """Finish what was asked, then disconnect."""
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown()

    async def append(self, batch: Batch) -> Sequence[int]:
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

    async def _write(self, group: list[tuple[Batch, "asyncio.Future[Sequence[int]]"]]) -> None:
        """One transaction for the group; if it fails, one each, so that only the batch at fault is refused."""
        try:
            await self._transaction(partial(_insert, [batch for batch, _ in group], self._position))
        except IntegrityError as error:
            if len(group) > 1:
                for item in group:
                    await self._write([item])
                return
            if not group[0][1].done():
                group[0][1].set_exception(Conflict(f"already in the journal: {error.orig}", field="event_id"))
            return
        except Exception as error:
            for _, done in group:
                if not done.done():
                    done.set_exception(error)
            return
        for batch, done in group:
            count = len(batch.messages)
            if not done.done():
                done.set_result(range(self._position + 1, self._position + count + 1))
            self._position += count

    async def _transaction(self, work: Callable[[Connection], Result]) -> Result:
        """Run on the connection's thread; committed when it returns, rolled back if it raises."""

        def transaction() -> Result:
            with self._engine.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, transaction)

    async def read(
        self,
        *,
        order_id: str | None = None,
        source: str | None = None,
        after_sequence: int = 0,
        after_position: int = 0,
    ) -> AsyncIterator[tuple[int, Message[Any]]]:
        query = select(JOURNAL.c.position, JOURNAL.c.body).order_by(JOURNAL.c.position).limit(_PAGE)
        if order_id is not None:
            query = query.where(JOURNAL.c.order_id == order_id)
        if source is not None:
            query = query.where(JOURNAL.c.source_service == source)
        if after_sequence:
            query = query.where(JOURNAL.c.sequence > after_sequence)
        while True:
            rows = await self._transaction(partial(_rows, query.where(JOURNAL.c.position > after_position)))
            for position, body in rows:
                yield position, decode(body)
            if len(rows) < _PAGE:
                return
            after_position = rows[-1][0]

    async def get(self, record: type[R], *key: object) -> R | None:
        table = TABLES[record]
        query = select(table).where(
            and_(true(), *(table.c[name] == value for name, value in zip(record.key, key, strict=True)))
        )
        rows = await self._transaction(partial(_rows, query.limit(1)))
        return _record(record, rows[0]) if rows else None

    async def find(
        self,
        record: type[R],
        *,
        where: dict[str, object] | None = None,
        order_by: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        columns = check_query(record, where, order_by)
        table = TABLES[record]
        query = select(table)
        for name, value in (where or {}).items():
            query = query.where(table.c[name].in_(value) if isinstance(value, tuple) else table.c[name] == value)
        if cursor is not None:
            query = query.where(_after(table, columns, decode_cursor(record, cursor, columns)))
        for name, descending in columns:
            order = table.c[name].desc().nulls_last() if descending else table.c[name].asc().nulls_first()
            query = query.order_by(order)
        found = await self._transaction(partial(_rows, query.limit(limit + 1)))
        rows = [_record(record, row) for row in found[:limit]]
        return Page(rows=rows, next_cursor=encode_cursor(rows[-1], columns) if len(found) > limit else None)


def _durable(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "mmap_size=0"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _rows(query: Select[Any], connection: Connection) -> Sequence[Any]:
    return connection.execute(query).all()


def _up_to_date(connection: Connection) -> None:
    # The driver begins none for DDL: a power cut between two tables would shut the journal for good.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    upgrade(connection)


def _last_position(connection: Connection) -> int:
    return connection.scalar(select(func.max(JOURNAL.c.position))) or 0


def _insert(batches: list[Batch], position: int, connection: Connection) -> None:
    messages = [message for batch in batches for message in batch.messages]
    if messages:
        connection.execute(
            JOURNAL.insert(),
            [
                {
                    "position": position + number,
                    "event_id": message.event_id,
                    "event_type": message.event_type,
                    "order_id": message.order_id,
                    "source_service": message.source_service,
                    "sequence": message.sequence,
                    "time_ns": message.time_ns,
                    "body": encode(message).decode(),
                }
                for number, message in enumerate(messages, start=1)
            ],
        )
    latest = {(type(row), *(getattr(row, name) for name in row.key)): row for batch in batches for row in batch.records}
    for record, rows in groupby(sorted(latest.values(), key=lambda row: row.table), key=type):
        connection.execute(_upsert(record), [msgspec.structs.asdict(row) for row in rows])


@cache
def _upsert(record: type[Record]) -> Any:
    table = TABLES[record]
    statement = sqlite.insert(table)
    changes = {column.name: statement.excluded[column.name] for column in table.c if column.name not in record.key}
    return statement.on_conflict_do_update(index_elements=list(record.key), set_=changes)


def _after(table: Any, columns: list[tuple[str, bool]], values: list[Any]) -> Any:
    """Rows that come after `values` in the sort order, null being the smallest."""
    condition: Any = false()
    for (name, descending), value in reversed(list(zip(columns, values, strict=True))):
        column = table.c[name]
        if descending:
            beyond = false() if value is None else or_(column < value, column.is_(None))
        else:
            beyond = column.is_not(None) if value is None else column > value
        same = column.is_(None) if value is None else column == value
        condition = or_(beyond, and_(same, condition))
    return condition


@cache
def _nested(record: type[Record]) -> dict[str, "msgspec.json.Decoder[Any]"]:
    """A decoder for each JSON column, by the record's own type, so that typed decimals come back exact."""
    return {
        item.name: msgspec.json.Decoder(item.type)
        for item in msgspec.structs.fields(record)
        if isinstance(column_type(item.type)[0], JsonText)
    }


def _record(record: type[R], row: Any) -> R:
    values = dict(row._mapping)
    for name, decoder in _nested(record).items():
        if values[name] is not None:
            values[name] = decoder.decode(values[name])
    return record(**values)
