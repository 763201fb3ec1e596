"""What a journal, a store and leases need of a database, and which of the two kinds a url means."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bestex.domain.errors import InvalidInput, StoreUnavailable

Result = TypeVar("Result")
_FIRST_PAUSE_SECONDS = 0.02
_PAUSE_SECONDS_MAX = 0.5


class ConnectionLostError(Exception):
    """The connection went away before the answer came: the transaction was done, or it was not."""


class Database(Protocol):
    """One database, seen through one schema where it has schemas."""

    address: str  # url without its password
    patience_seconds: float  # how long a lost database is waited for before StoreUnavailable
    day_is_in_keys: bool  # whether the keys of the big tables include their day

    @property
    def insert(self) -> Callable[[Any], Any]:
        """Makes an INSERT of this dialect, which knows ON CONFLICT."""
        ...

    def now_ns(self) -> ColumnElement[int]:
        """UTC nanoseconds of the database's own clock, as SQL."""
        ...

    def leases(self) -> Any:
        """The table of the leases: one for all schemas."""
        ...

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """One transaction: committed when it returns, rolled back if `work` raises.

        Raises:
            ConnectionLostError: if nobody knows whether it was committed.
        """
        ...

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """One query, or several that need not agree. Raises StoreUnavailable."""
        ...

    async def keep_days(self, days: Collection[int]) -> None:
        """Make room for rows of these days, where a day needs it. Raises ConnectionLostError."""
        ...

    def forget_days(self) -> None:
        """Somebody else may have removed days."""
        ...

    async def close(self) -> None: ...


async def open_database(url: str, *, schema: str | None = None, upgraded: bool = True, **options: Any) -> Database:
    """Connect to `sqlite:///FILE` or `postgresql+asyncpg://USER:PASSWORD@HOST:PORT/NAME`.

    Args:
        schema: the service's schema; PostgreSQL only, where it is required.
        upgraded: bring the tables to the newest revision first.
        options: of `PostgresDatabase.open`.

    Raises:
        InvalidInput: if the url, the schema or a setting of the server is not right.
        StoreUnavailable: if the server does not answer; the message names it, without the password.
    """
    try:
        kind = make_url(url).get_backend_name()
    except (ArgumentError, ValueError):
        kind = "none"
    if kind == "sqlite":
        from bestex.adapters.sql.sqlite import SqliteDatabase

        return await SqliteDatabase.open(url, upgraded=upgraded)
    if kind == "postgresql":
        from bestex.adapters.sql.postgres import PostgresDatabase

        return await PostgresDatabase.open(url, schema=checked_schema(schema), upgraded=upgraded, **options)
    raise InvalidInput(
        f"store url {without_password(url)!r} is of no known database",
        field="store.url",
        value=without_password(url),
        expected="sqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST:PORT/NAME",
    )


def without_password(url: str) -> str:
    """The url as it may be shown."""
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)


def checked_schema(schema: str | None) -> str:
    """Raises InvalidInput if it cannot be the name of a schema."""
    if schema is None or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", schema):
        raise InvalidInput(
            f"schema {schema!r} cannot be used",
            field="store.schema",
            value=schema,
            expected="a service's name: lower-case letters, digits and '_', first a letter",
        )
    return schema


async def patiently(database: Database, attempt: Callable[[], Awaitable[Result]], seconds: float) -> Result:
    """Repeat `attempt` while the connection is lost, pausing longer each time.

    Raises:
        StoreUnavailable: if it is still lost after `seconds`.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await attempt()
        except ConnectionLostError as error:
            if loop.time() + pause > deadline:
                raise StoreUnavailable(
                    f"{database.address} did not answer within {seconds:g} s: {error}",
                    field="store.url",
                    value=database.address,
                    expected="a PostgreSQL server that runs and can be reached",
                ) from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, _PAUSE_SECONDS_MAX)
