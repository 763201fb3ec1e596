"""Databases of their own on the PostgreSQL server that the tests are given."""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from bestex.adapters.sql.tables import metadata

_NUMBERS = count(1)


def postgres_url() -> str:
    """Address of the server; skips the test visibly where there is none."""
    url = os.environ.get("BESTEX_TEST_POSTGRES_URL")
    if url:
        return url
    if os.environ.get("BESTEX_REQUIRE_SERVERS"):
        pytest.fail("BESTEX_TEST_POSTGRES_URL is not set, and BESTEX_REQUIRE_SERVERS says that it has to be")
    pytest.skip("BESTEX_TEST_POSTGRES_URL is not set: no PostgreSQL to test on")


@contextmanager
def postgres_database() -> Iterator[str]:
    """Url of an empty database, dropped at the end whoever is still connected.

    Several tests may share one and leave it `emptied`: a database and its tables take two seconds to make.
    """
    server = make_url(postgres_url()).set(drivername="postgresql")
    name = f"bestex_test_{os.getpid()}_{next(_NUMBERS)}"
    _beside(execute(postgres_url(), f"CREATE DATABASE {name}"))
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        _beside(execute(postgres_url(), f"DROP DATABASE {name} WITH (FORCE)"))


def _beside(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end on a thread: a fixture of a module is made while the loop of its first test runs."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, work).result()


async def emptied(url: str, schema: str) -> None:
    """Remove all rows that the tests of one module wrote."""
    names = [table.name for table in metadata.sorted_tables]
    await execute(url, *(f"DELETE FROM {schema}.{name}" for name in names), "DELETE FROM desk.leases")


async def execute(url: str, *statements: str) -> None:
    """Run statements, each committed."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
