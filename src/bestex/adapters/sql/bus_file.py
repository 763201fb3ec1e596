"""The SQLite file of a bus: one connection with `synchronous=FULL`, on a thread of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Connection, Engine, cast, create_engine, event, func
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import StaticPool

from bestex.adapters.sql.migrate import upgrade

Result = TypeVar("Result")


class BusFile:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bus")
        self.address = engine.url.render_as_string()

    @classmethod
    async def open(cls, url: str) -> "BusFile":
        engine = create_engine(url, poolclass=StaticPool, connect_args={"timeout": 1.0})
        event.listen(engine, "connect", _durable)
        file = cls(engine)
        try:
            await file.write(_up_to_date)
        except BaseException:
            await file.close()
            raise
        return file

    def insert(self, table: Any) -> Any:
        return sqlite.insert(table)

    def now_ns(self) -> ColumnElement[int]:
        return cast(func.round((func.julianday("now") - 2440587.5) * 86_400_000), BigInteger) * 1_000_000

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        def transaction() -> Result:
            with self._engine.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, transaction)

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        return await self.write(work)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown()


def _durable(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "mmap_size=0"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _up_to_date(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    upgrade(connection)
