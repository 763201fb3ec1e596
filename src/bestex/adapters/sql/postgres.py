"""PostgreSQL through asyncpg: one schema of one database, a pool of connections, each transaction on one of them.

What is done with a connection is the same code as on SQLite; here it waits on the event loop, there on a thread.
"""

import asyncio
import importlib.util
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, MetaData, cast, func, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bestex.adapters.sql import partitions
from bestex.adapters.sql.database import ConnectionLostError, Result, patiently, without_password
from bestex.adapters.sql.migrate import upgrade
from bestex.adapters.sql.tables import LEASES
from bestex.domain.errors import InvalidInput, StoreUnavailable

DESK_SCHEMA = "desk"  # what belongs to no service: the leases
_TRIES = 5  # of a transaction that lost against another one
_DAYS_AHEAD = 2
_READ_PATIENCE_SECONDS = 2.0  # a client waits for it
_CONFLICTS = ("40001", "40P01")  # serialization failure, deadlock: nothing was done, and the same may work now
# Connection, resources, operator intervention, lock and transaction time-outs, a server that has become a replica.
_AWAY = ("08", "53", "57", "55P03", "25P02", "25P03", "25006")
_REFUSED = ("28", "3D000")  # unknown user or password; unknown database
_NO_TABLE = ("42P01", "3F000")  # undefined table, undefined schema
_MUST_BE: Mapping[str, tuple[str, ...]] = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
}


class PostgresDatabase:
    """`Database` in one schema of a PostgreSQL server."""

    day_is_in_keys = True
    insert = staticmethod(postgresql.insert)

    def __init__(self, engine: AsyncEngine, url: str, schema: str, patience_seconds: float) -> None:
        self._engine = engine
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")  # one statement needs no transaction
        self.address = f"{without_password(url)}, schema {schema}"
        self.schema = schema
        self.patience_seconds = patience_seconds
        self._read_patience_seconds = min(patience_seconds, _READ_PATIENCE_SECONDS)
        self._days: set[int] = set()
        self._leases = LEASES.to_metadata(MetaData(), schema=DESK_SCHEMA)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        schema: str,
        upgraded: bool = True,
        read_only: bool = False,
        connections: int = 4,
        patience_seconds: float = 10.0,
        answer_seconds: float = 5.0,
        idle_seconds: float = 1.0,
    ) -> "PostgresDatabase":
        """Connect, refuse a server that could lose an acknowledged commit, bring the schema up to date.

        Args:
            connections: kept open; twice as many while there is need.
            patience_seconds: how long a lost server is waited for, each time.
            answer_seconds: a statement that takes longer is ended by the server.
            idle_seconds: a transaction whose process says nothing for longer is ended by the server: a process that is
                paused in the middle of one holds its lease's row, and with it the take-over, no longer than this.

        Raises:
            InvalidInput: naming the setting of the server that is not right.
            StoreUnavailable: if it does not answer.
        """
        if importlib.util.find_spec("asyncpg") is None:
            raise InvalidInput(
                "PostgreSQL needs asyncpg, which is not installed",
                field="store.url",
                value=without_password(url),
                expected="pip install 'bestex[production]'",
            )
        settings = {
            "application_name": f"bestex {schema}",
            "search_path": schema,
            "timezone": "UTC",
            "statement_timeout": str(int(answer_seconds * 1000)),
            "idle_in_transaction_session_timeout": str(int(idle_seconds * 1000)),
            "default_transaction_read_only": "on" if read_only else "off",
        }
        engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=connections,
            max_overflow=connections,
            pool_timeout=answer_seconds,
            connect_args={
                "server_settings": settings,
                "timeout": answer_seconds,
                "command_timeout": 2 * answer_seconds,
            },
        )
        database = cls(engine, url, schema, patience_seconds)
        try:
            await database._patiently_write(partial(_check_server, database.address, is_writer=not read_only))
            if upgraded and not read_only:
                await database._patiently_write(partial(_up_to_date, schema))
        except BaseException as error:
            await database.close()
            if _sqlstate(error).startswith(_REFUSED):
                raise InvalidInput(
                    f"{database.address} refused: {_driver_error(error)}",
                    field="store.url",
                    value=without_password(url),
                    expected="a database, user and password that the server knows",
                ) from error
            raise
        return database

    def now_ns(self) -> ColumnElement[int]:
        # In whole microseconds first: the product in nanoseconds would not be exact in a double.
        return cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger) * 1_000

    def leases(self) -> Any:
        return self._leases

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        for tries in range(1, _TRIES + 1):
            try:
                return await self._transaction(self._engine, work)
            except DBAPIError as error:
                if _sqlstate(error) not in _CONFLICTS or tries == _TRIES:
                    raise
                await asyncio.sleep(0.002 * 2**tries)
        raise AssertionError("the last try raises")

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        try:
            return await self._read(work)
        except ProgrammingError as error:
            if _sqlstate(error) not in _NO_TABLE:
                raise
            raise StoreUnavailable(
                f"{self.address} has no tables yet ({_driver_error(error)}): start services or `bestex store upgrade`",
                field="store.url",
                value=self.address,
                expected="a database of this version",
            ) from error

    async def _read(self, work: Callable[[Connection], Result]) -> Result:
        return await patiently(self, partial(self._transaction, self._reader, work), self._read_patience_seconds)

    async def keep_days(self, days: Collection[int]) -> None:
        if missing := set(days) - self._days:
            wanted = missing | {day + ahead for day in missing for ahead in range(1, _DAYS_AHEAD + 1)}
            await self.write(partial(partitions.make, sorted(wanted)))
            self._days |= wanted

    def forget_days(self) -> None:
        self._days.clear()

    async def close(self) -> None:
        await self._engine.dispose()

    async def _patiently_write(self, work: Callable[[Connection], Result]) -> Result:
        return await patiently(self, partial(self.write, work), self.patience_seconds)

    async def _transaction(self, engine: AsyncEngine, work: Callable[[Connection], Result]) -> Result:
        try:
            async with engine.connect() as connection, connection.begin():
                return await connection.run_sync(work)
        except PoolTimeoutError as error:
            raise ConnectionLostError("all connections of the pool are busy") from error
        except Exception as error:
            if _is_away(error):
                raise ConnectionLostError(_words(error)) from error
            raise


def _driver_error(error: BaseException) -> BaseException:
    """What asyncpg said, behind SQLAlchemy's two layers."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    return error.__cause__ if isinstance(error.__cause__, Exception) else error


def _sqlstate(error: BaseException) -> str:
    return str(getattr(_driver_error(error), "sqlstate", None) or "")


def _is_away(error: BaseException) -> bool:
    """Whether the server, the network or the connection is away for now."""
    import asyncpg

    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    lost = (OSError, EOFError, asyncpg.InterfaceError, asyncpg.InternalClientError)  # TimeoutError is an OSError
    return isinstance(_driver_error(error), lost) or _sqlstate(error).startswith(_AWAY)


def _words(error: BaseException) -> str:
    error = _driver_error(error)
    return f"{type(error).__name__}: {error}".strip(": ")


def _check_server(address: str, connection: Connection, *, is_writer: bool) -> None:
    for name, right in _MUST_BE.items():
        value = connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar()
        if value not in right:
            raise InvalidInput(
                f"{address}: {name} is {value}, so an acknowledged commit could be lost",
                field=name,
                value=value,
                expected=" or ".join(right),
            )
    if is_writer and connection.execute(text("SELECT pg_is_in_recovery()")).scalar():
        raise InvalidInput(
            f"{address} is a replica, and decisions are made on the primary alone",
            field="store.url",
            value=address,
            expected="the address of the primary",
        )


def _up_to_date(schema: str, connection: Connection) -> None:
    """Services that start together wait for one another here."""
    connection.exec_driver_sql("SET LOCAL statement_timeout = '60s'")
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '60s'")
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('bestex upgrade'))"))
    for name in {DESK_SCHEMA, schema}:
        connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{name}"')
        connection.exec_driver_sql(f'SET LOCAL search_path TO "{name}"')
        upgrade(connection)
    connection.exec_driver_sql(f'SET LOCAL search_path TO "{schema}"')
