"""Databases that the tests of one module share: a database and its tables take two seconds to make."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.engine import make_url

from bestex.adapters.sql.tables import metadata
from tests import servers


@contextmanager
def postgres_database() -> Iterator[str]:
    """Url of an empty database, dropped at the end whoever is still connected. Leave it `emptied` for the next test."""
    server = servers.address("BESTEX_TEST_POSTGRES_URL", "PostgreSQL")
    name = f"test_{secrets.token_hex(6)}"
    servers.execute(server, f"CREATE DATABASE {name}")
    try:
        yield make_url(server).set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    finally:
        servers.execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def emptied(url: str, schema: str) -> None:
    """Remove all rows that a test wrote."""
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
