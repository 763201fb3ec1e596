"""SQLite through exactly one connection with `synchronous=FULL` in WAL mode.

One writer, no second connection that could meet SQLite's WAL-reset race, and an acknowledged commit survives a power
cut (docs/decisions/0004-sqlite.md). The connection lives on a thread of its own: the event loop waits once for a
transaction, not for each statement in it.
"""

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Engine, cast, create_engine, event, func
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import StaticPool

from bestex.adapters.sql.database import Result
from bestex.adapters.sql.migrate import upgrade
from bestex.adapters.sql.tables import LEASES

_UNIX_EPOCH_JULIAN = 2440587.5
_MS_PER_DAY = 86_400_000


class SqliteDatabase:
    """`Database` in one file. It has no schemas, and a day needs no room of its own."""

    patience_seconds = 0.0  # a file is there, or it is not
    day_is_in_keys = False
    insert = staticmethod(sqlite.insert)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sql")  # one transaction at a time
        self.address = engine.url.render_as_string()

    @classmethod
    async def open(cls, url: str, *, upgraded: bool = True) -> "SqliteDatabase":
        engine = create_engine(url, poolclass=StaticPool)
        event.listen(engine, "connect", _durable)
        database = cls(engine)
        if upgraded:
            try:
                await database.write(_up_to_date)
            except BaseException:
                await database.close()
                raise
        return database

    def now_ns(self) -> ColumnElement[int]:
        milliseconds = func.round((func.julianday("now") - _UNIX_EPOCH_JULIAN) * _MS_PER_DAY)
        return cast(milliseconds, BigInteger) * 1_000_000

    def leases(self) -> Any:
        return LEASES

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        def transaction() -> Result:
            with self._engine.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, transaction)

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        return await self.write(work)

    async def keep_days(self, days: Collection[int]) -> None:
        """A day is a column here."""

    def forget_days(self) -> None:
        """There is nothing to forget."""

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown()


def _durable(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "mmap_size=0"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _up_to_date(connection: Connection) -> None:
    # The driver begins none for DDL: a power cut between two tables would shut the journal for good.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    upgrade(connection)
