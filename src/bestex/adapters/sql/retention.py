"""Old days leave the database: written to Parquet first, read back, then dropped whole.

A day stays while a parent order that has a message in it is still open, and while it holds the newest message of a
shard: positions count on from that one. Messages of no single order (the kill switch, a listing) outlive their day, and
so does the end of an order that has messages on other days: without it a restart would take the order for open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, not_, or_, select, update

from bestex.adapters.sql import partitions, rows
from bestex.adapters.sql.database import Database, Result, patiently
from bestex.adapters.sql.tables import JOURNAL, TABLES
from bestex.domain.errors import InvalidData
from bestex.messages.records import FillRow
from bestex.messages.streams import DESK

_FILLS = TABLES[FillRow]
_ROWS = 20_000  # of a part of a day's journal on disk, and in memory
_ENDED = "trade_executed"
# An id that was only asked about never became an order.
_ASKS = ("recommend_execution", "assess_market", "adapt_strategy")


@dataclass(frozen=True, kw_only=True)
class DayLeft:
    """What became of one day."""

    day: int  # since 1970-01-01, UTC
    messages: int  # of orders
    fills: int
    files: Sequence[Path]
    kept_because: str | None  # None: the day was removed


async def old_days(database: Database, before: int) -> list[int]:
    """Days before a day that have rows to remove."""
    return await database.read(partial(_old_days, before))


async def retain_day(database: Database, day: int, folder: Path, *, dry_run: bool) -> DayLeft:
    """Write one day to `folder` and remove it, unless something still needs it.

    Raises:
        InvalidData: if what was written does not read back as it was; then nothing is removed.
        StoreUnavailable: if the database stays away; running it again goes on.
    """
    messages, fills, reason = await database.read(partial(_look, day))
    if reason is not None or dry_run:
        return DayLeft(day=day, messages=messages, fills=fills, files=(), kept_because=reason or "a dry run")
    files = [*await _write_journal(database, day, folder, messages), *await _write_fills(database, day, folder)]
    await _write(database, partial(_remove, day, day_is_partition=database.day_is_in_keys))
    database.forget_days()
    return DayLeft(day=day, messages=messages, fills=fills, files=files, kept_because=None)


async def _write_journal(database: Database, day: int, folder: Path, count: int) -> list[Path]:
    """journal/DAY.N.parquet: one row a message, its body as the stored JSON."""
    import polars as pl

    columns = [JOURNAL.c[name] for name in ("shard", "position", "event_id", "event_type", "order_id")]
    columns += [JOURNAL.c[name] for name in ("source_service", "sequence", "time_ns", "body")]
    target = folder / "journal"
    target.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    after, written = (-1, -1), 0
    while True:
        beyond = or_(JOURNAL.c.shard > after[0], and_(JOURNAL.c.shard == after[0], JOURNAL.c.position > after[1]))
        query: Select[tuple[object, ...]] = select(*columns).where(JOURNAL.c.day == day, beyond)
        query = query.order_by(JOURNAL.c.shard, JOURNAL.c.position).limit(_ROWS)
        found = await database.read(partial(rows.fetched, query))
        if not found:
            break
        after = (found[-1].shard, found[-1].position)
        path = target / f"{partitions.date_of(day)}.{len(files) + 1:04d}.parquet"
        frame = pl.DataFrame([tuple(row) for row in found], schema=[item.name for item in columns], orient="row")
        partial_path = path.with_suffix(".partial")
        frame.write_parquet(partial_path, compression="zstd", statistics=True)
        partial_path.replace(path)
        if not pl.read_parquet(path).equals(frame):
            raise InvalidData(f"{path} does not read back as it was written", field="folder", value=path)
        files.append(path)
        written += len(found)
    if written < count:
        raise InvalidData(f"{written} messages of {partitions.date_of(day)} were written, and there are {count}")
    return files


async def _write_fills(database: Database, day: int, folder: Path) -> list[Path]:
    from bestex.adapters.marketdata.parquet import ParquetHistory

    query = select(_FILLS).where(_FILLS.c.day == day).order_by(_FILLS.c.received_time_ns)
    fills = [rows.as_record(FillRow, row) for row in await database.read(partial(rows.fetched, query))]
    files = ParquetHistory(folder).write_fills(fills)
    if fills:
        venue_days = sorted(partitions.date_of(fill.venue_time_ns // (86_400 * 10**9)) for fill in fills)
        there = {
            (fill.venue, fill.execution_id) for fill in ParquetHistory(folder).fills(venue_days[0], venue_days[-1])
        }
        if missing := [fill for fill in fills if (fill.venue, fill.execution_id) not in there]:
            raise InvalidData(f"fill {missing[0].execution_id} was not written to {folder}", field="folder")
    return files


async def _write(database: Database, work: "partial[Result]") -> Result:
    return await patiently(database, partial(database.write, work), database.patience_seconds)


def _is_of_an_order() -> ColumnElement[bool]:
    """As `messages.streams.is_of_an_order`."""
    return and_(JOURNAL.c.order_id != DESK, not_(JOURNAL.c.order_id.like("venue:%")))


def _old_days(before: int, connection: Connection) -> list[int]:
    messages = select(JOURNAL.c.day).where(JOURNAL.c.day.between(0, before - 1), _is_of_an_order())
    fills = select(_FILLS.c.day).where(_FILLS.c.day.between(0, before - 1))
    return sorted(connection.execute(messages.union(fills)).scalars())


def _look(day: int, connection: Connection) -> tuple[int, int, str | None]:
    messages = connection.scalar(select(func.count()).where(JOURNAL.c.day == day, _is_of_an_order())) or 0
    fills = connection.scalar(select(func.count()).where(_FILLS.c.day == day)) or 0
    newest = (
        select(JOURNAL.c.shard, func.max(JOURNAL.c.position).label("position")).group_by(JOURNAL.c.shard).subquery()
    )
    ends = select(JOURNAL.c.shard).join(
        newest, and_(JOURNAL.c.shard == newest.c.shard, JOURNAL.c.position == newest.c.position)
    )
    if (shard := connection.scalar(ends.where(JOURNAL.c.day == day).limit(1))) is not None:
        return messages, fills, f"the newest message of shard {shard} is of this day"
    ended = select(JOURNAL.c.order_id).where(JOURNAL.c.event_type == _ENDED)
    open_orders = (
        select(JOURNAL.c.order_id)
        .where(JOURNAL.c.day == day, _is_of_an_order(), JOURNAL.c.event_type.not_in(_ASKS))
        .where(JOURNAL.c.order_id.not_in(ended))
        .order_by(JOURNAL.c.order_id)
        .limit(1)
    )
    if (order_id := connection.scalar(open_orders)) is not None:
        return messages, fills, f"order {order_id} is still open"
    return messages, fills, None


def _remove(day: int, connection: Connection, *, day_is_partition: bool) -> None:
    if day_is_partition:
        partitions.make([partitions.KEPT], connection)
    other = JOURNAL.alias()
    lives_on = select(other.c.order_id).where(other.c.day >= 0, other.c.day != day)
    outlives = or_(not_(_is_of_an_order()), and_(JOURNAL.c.event_type == _ENDED, JOURNAL.c.order_id.in_(lives_on)))
    connection.execute(update(JOURNAL).where(JOURNAL.c.day == day, outlives).values(day=partitions.KEPT))
    if day_is_partition:
        partitions.drop(day, connection)
    else:
        for table in (JOURNAL, _FILLS):
            connection.execute(delete(table).where(table.c.day == day))
