"""Messages and records to statements, and rows back to records: the same for both databases."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, false, or_, select, true

from bestex.adapters.memory.journal import check_query, decode_cursor, encode_cursor
from bestex.adapters.sql.database import Database
from bestex.adapters.sql.tables import DAY_OF, JOURNAL, TABLES, JsonText, column_type, day_of
from bestex.domain.tenants import HOUSE, MARK, OfTenant
from bestex.messages.codec import encode
from bestex.messages.envelope import Message
from bestex.messages.records import Record
from bestex.ports import Page, R


def insert_messages(
    database: Database, shard: int, position: int, messages: Sequence[Message[Any]], connection: Connection
) -> None:
    """Write messages at the positions after `position`."""
    if messages:
        connection.execute(
            database.insert(JOURNAL),
            [
                {
                    "shard": shard,
                    "position": position + number,
                    "event_id": message.event_id,
                    "event_type": message.event_type,
                    "order_id": message.order_id,
                    "source_service": message.source_service,
                    "sequence": message.sequence,
                    "time_ns": message.time_ns,
                    "day": day_of(message.time_ns),
                    "body": encode(message).decode(),
                }
                for number, message in enumerate(messages, start=1)
            ],
        )


def save_records(database: Database, records: Iterable[Record], connection: Connection) -> None:
    """The last record of a key wins, over what is stored and over those before it."""
    latest = {(row.table, *(getattr(row, name) for name in row.key)): row for row in records}
    # Always in one order: two writers that save the same rows wait for each other instead of locking each other out.
    ordered = sorted(latest.items(), key=lambda item: tuple(map(str, item[0])))
    for record, rows in groupby((row for _, row in ordered), key=type):
        connection.execute(_upsert(record, database.insert, database.day_is_in_keys), [_values(row) for row in rows])


def days_of(messages: Iterable[Message[Any]], records: Iterable[Record]) -> set[int]:
    """Days under which these will be kept."""
    days = {day_of(message.time_ns) for message in messages}
    return days | {day_of(getattr(row, DAY_OF[type(row)])) for row in records if type(row) in DAY_OF}


def _values(row: Record) -> dict[str, Any]:
    values = msgspec.structs.asdict(row)
    if type(row) in DAY_OF:
        values["day"] = day_of(values[DAY_OF[type(row)]])
    return values


@cache
def _upsert(record: type[Record], insert: Callable[[Any], Any], day_is_in_keys: bool) -> Any:
    table = TABLES[record]
    statement = insert(table)
    keys = [*record.key, *(["day"] if record in DAY_OF and day_is_in_keys else [])]
    changes = {column.name: statement.excluded[column.name] for column in table.c if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


async def get(database: Database, record: type[R], key: Sequence[object], table: Any = None) -> R | None:
    """The row of a key."""
    table = TABLES[record] if table is None else table
    query = select(table).where(
        and_(true(), *(table.c[name] == value for name, value in zip(record.key, key, strict=True)))
    )
    rows = await database.read(lambda connection: fetched(query.limit(1), connection))
    return as_record(record, rows[0]) if rows else None


async def find(
    database: Database,
    record: type[R],
    *,
    where: dict[str, object] | None,
    order_by: str | None,
    limit: int,
    cursor: str | None,
    table: Any = None,
) -> Page:
    """A page of rows, as `Store.find` promises."""
    columns = check_query(record, where, order_by)
    table = TABLES[record] if table is None else table
    query = select(table)
    for name, value in (where or {}).items():
        query = query.where(_condition(table.c[name], value))
    if cursor is not None:
        query = query.where(_after(table, columns, decode_cursor(record, cursor, columns)))
    for name, descending in columns:
        column = table.c[name]
        order = column.desc() if descending else column.asc()
        if column.nullable:  # said only where it matters: it would keep PostgreSQL from using an index
            order = order.nulls_last() if descending else order.nulls_first()
        query = query.order_by(order)
    found = await database.read(lambda connection: fetched(query.limit(limit + 1), connection))
    rows = [as_record(record, row) for row in found[:limit]]
    return Page(rows=rows, next_cursor=encode_cursor(rows[-1], columns) if len(found) > limit else None)


def _condition(column: Any, value: object) -> Any:
    if isinstance(value, OfTenant):
        if value.tenant == HOUSE:
            return column.not_like(f"%{MARK}%")
        return column.like(f"{value.tenant}{MARK}%")  # a tenant's name holds no wildcard
    return column.in_(value) if isinstance(value, tuple) else column == value


def fetched(query: Select[Any], connection: Connection) -> Sequence[Any]:
    """All rows of a query."""
    return connection.execute(query).all()


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


def as_record(record: type[R], row: Any) -> R:
    """The record of a row of its table."""
    values = dict(row._mapping)
    if record in DAY_OF:
        del values["day"]
    for name, decoder in _nested(record).items():
        if values[name] is not None:
            values[name] = decoder.decode(values[name])
    return record(**values)
