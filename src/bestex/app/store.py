"""`bestex store`: the database behind a desk, looked at and looked after."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table as View
from sqlalchemy import Connection, func, select
from sqlalchemy.engine import make_url

from bestex.adapters.sql import migrate, partitions, retention
from bestex.adapters.sql.database import Database, checked_schema, open_database, without_password
from bestex.adapters.sql.leases import SqlLeases
from bestex.adapters.sql.tables import JOURNAL
from bestex.app.state_lock import StateLock
from bestex.domain.errors import NotFound
from bestex.messages.codec import json_bytes

SCHEMAS = ("market", "strategy", "algorithm", "monitoring", "quality")
Result = TypeVar("Result")
out = Console(soft_wrap=True, highlight=False)


def upgrade(url: str, schemas: Sequence[str]) -> None:
    """Bring every schema to the newest tables."""
    for schema in _schemas(url, schemas):
        found = _with_database(url, schema, _revision, upgraded=True)
        out.print(f"{schema or without_password(url)}: tables of revision {found}")


def status(url: str, schemas: Sequence[str], *, as_json: bool) -> None:
    """What there is: revision, days, messages, positions, and who holds which lease."""
    found = [
        {"schema": schema, **_with_database(url, schema, _status, upgraded=False)} for schema in _schemas(url, schemas)
    ]
    leases: list[dict[str, Any]] = []
    if any(item["revision"] for item in found):
        leases = _with_database(url, _schemas(url, schemas)[0], _holders, upgraded=False)
    if as_json:
        out.print(json_bytes({"url": without_password(url), "schemas": found, "leases": leases}).decode())
        return
    view = View("schema", "revision", "days", "first", "last", "messages", "shard: last position", box=None)
    for item in found:
        shards = ", ".join(f"{shard}: {position}" for shard, position in item["positions"].items())
        revision = item["revision"] or "no tables yet"
        if item["revision"] not in (None, migrate.newest()):
            revision += f" (newest {migrate.newest()}: bestex store upgrade)"
        view.add_row(
            item["schema"] or "-", revision, str(item["days"]), item["first_day"] or "-", item["last_day"] or "-",
            f"{item['messages']:,}", shards or "-",
        )  # fmt: skip
    out.print(without_password(url))
    out.print(view)
    for lease in leases:
        out.print(f"lease {lease['name']}: {lease['holder']}, epoch {lease['epoch']}")


def make_partitions(url: str, schemas: Sequence[str], *, ahead: int) -> None:
    """Make room for today and the days ahead."""
    today = partitions.day_of_date(datetime.now(UTC).date())
    wanted = range(today, today + ahead + 1)

    async def make(database: Database) -> list[int]:
        return await database.write(partial(partitions.make, wanted)) if database.day_is_in_keys else []

    for schema in _schemas(url, schemas):
        made = _with_database(url, schema, make, upgraded=True)
        if schema is None:
            out.print(f"{without_password(url)}: SQLite keeps all days together; nothing to make")
        else:
            days = ", ".join(str(partitions.date_of(day)) for day in made) or "none missing"
            out.print(f"{schema}: {days}")


def retain(url: str, schemas: Sequence[str], *, days: int, folder: Path, dry_run: bool) -> None:
    """Write what is older than `days` to Parquet and remove it, day by day; say what was done."""
    first_kept = datetime.now(UTC).date() - timedelta(days=days)

    async def work(schema: str | None, database: Database) -> None:
        found = await retention.old_days(database, partitions.day_of_date(first_kept))
        if not found:
            out.print(f"{schema or 'journal'}: nothing before {first_kept}")
        target = folder if schema is None else folder / schema
        for day in found:
            _tell(schema, await retention.retain_day(database, day, target, dry_run=dry_run), dry_run=dry_run)

    for schema in _schemas(url, schemas):
        _with_database(url, schema, partial(work, schema), upgraded=False)


def _tell(schema: str | None, left: retention.DayLeft, *, dry_run: bool) -> None:
    what = f"{schema or 'journal'} {partitions.date_of(left.day)}: {left.messages:,} messages, {left.fills:,} fills"
    if left.kept_because is None:
        out.print(f"{what}: removed; written to {', '.join(map(str, left.files))}")
    elif dry_run and left.kept_because == "a dry run":
        out.print(f"{what}: would be written and removed")
    else:
        out.print(f"{what}: kept, {left.kept_because}")


def _schemas(url: str, schemas: Sequence[str]) -> Sequence[str | None]:
    if make_url(url).get_backend_name() == "sqlite":
        return (None,)
    return [checked_schema(schema) for schema in schemas or SCHEMAS]


def _with_database(
    url: str, schema: str | None, work: Callable[[Database], Awaitable[Result]], *, upgraded: bool
) -> Result:
    """Run on a database of its own. A SQLite file is opened only while no desk runs on it: it has one connection."""

    async def run() -> Result:
        options: dict[str, Any] = {"answer_seconds": 60.0, "patience_seconds": 2.0} if schema else {}
        database = await open_database(url, schema=schema, upgraded=upgraded, **options)
        try:
            return await work(database)
        finally:
            await database.close()

    if schema is not None:
        return asyncio.run(run())
    path = Path(make_url(url).database or "")
    if not upgraded and not path.is_file():
        raise NotFound(f"there is no {path}: no desk has run there yet", field="store.url", value=path)
    lock = StateLock(path.parent)
    try:
        return asyncio.run(run())
    finally:
        lock.release()


async def _revision(database: Database) -> str | None:
    return await database.read(migrate.revision)


async def _status(database: Database) -> dict[str, Any]:
    return await database.read(_look)


def _look(connection: Connection) -> dict[str, Any]:
    revision = migrate.revision(connection)
    if revision is None:
        return {"revision": None, "days": 0, "first_day": None, "last_day": None, "messages": 0, "positions": {}}
    by_day = connection.execute(
        select(JOURNAL.c.day, func.count()).where(JOURNAL.c.day >= 0).group_by(JOURNAL.c.day).order_by(JOURNAL.c.day)
    ).all()
    shards = connection.execute(
        select(JOURNAL.c.shard, func.max(JOURNAL.c.position)).group_by(JOURNAL.c.shard).order_by(JOURNAL.c.shard)
    ).all()
    return {
        "revision": revision,
        "days": len(by_day),
        "first_day": str(partitions.date_of(by_day[0][0])) if by_day else None,
        "last_day": str(partitions.date_of(by_day[-1][0])) if by_day else None,
        "messages": sum(count for _, count in by_day),
        "positions": {str(shard): position for shard, position in shards},
    }


async def _holders(database: Database) -> list[dict[str, Any]]:
    return [
        {"name": lease.name, "holder": lease.holder, "epoch": lease.epoch}
        for lease in await SqlLeases(database).holders()
    ]
