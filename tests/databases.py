"""A database of its own on the PostgreSQL server that the tests are given."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import asyncpg
import pytest
from sqlalchemy.engine import make_url

_NUMBERS = count(1)


def postgres_url() -> str:
    """Address of the server; skips the test visibly where there is none."""
    url = os.environ.get("BESTEX_TEST_POSTGRES_URL")
    if url:
        return url
    if os.environ.get("BESTEX_REQUIRE_SERVERS"):
        pytest.fail("BESTEX_TEST_POSTGRES_URL is not set, and BESTEX_REQUIRE_SERVERS says that it has to be")
    pytest.skip("BESTEX_TEST_POSTGRES_URL is not set: no PostgreSQL to test on")


@asynccontextmanager
async def postgres_database() -> AsyncIterator[str]:
    """Url of an empty database, dropped at the end whoever is still connected."""
    server = make_url(postgres_url()).set(drivername="postgresql")
    name = f"bestex_test_{os.getpid()}_{next(_NUMBERS)}"
    admin = await asyncpg.connect(server.render_as_string(hide_password=False))
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            await asyncio.shield(admin.execute(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        await admin.close()
