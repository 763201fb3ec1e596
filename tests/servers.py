"""The servers of production in tests: their addresses from `BESTEX_TEST_*`, and a place of one's own on each.

`make services` starts them and `make test` then finds them. A server that is absent skips the tests that ask for it, in
one visible line; where `BESTEX_REQUIRE_SERVERS` is set it fails them instead, Pulsar excepted.
"""

import asyncio
import json
import os
import secrets
import urllib.request
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest


def address(variable: str, server: str, *, may_be_absent: bool = False) -> str:
    if url := os.environ.get(variable):
        return url
    reason = f"no {server}: {variable} is not set (`make services` starts one)"
    if os.environ.get("BESTEX_REQUIRE_SERVERS") and not may_be_absent:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """`postgresql://...` of a superuser on the server's own database. Use `fresh_database` unless you test the server."""
    return address("BESTEX_TEST_POSTGRES_URL", "PostgreSQL")


@pytest.fixture
def fresh_database(postgres_url: str) -> Iterator[str]:
    """`postgresql://...` of an empty database, dropped afterwards with whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    execute(postgres_url, f'CREATE DATABASE "{name}"')
    yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    execute(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def redis_url() -> str:
    return address("BESTEX_TEST_REDIS_URL", "Redis")


@pytest.fixture
def redis_prefix(redis_url: str) -> Iterator[str]:
    """What every key of the test begins with; the keys are removed afterwards."""
    import redis

    prefix = f"test:{secrets.token_hex(6)}:"
    yield prefix
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter(f"{prefix}*"):
            client.delete(key)


@dataclass(frozen=True, slots=True)
class PulsarServer:
    url: str
    admin_url: str

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """Ask the administration, `path` after `/admin/v2`; raises `urllib.error.HTTPError`."""
        request = urllib.request.Request(
            f"{self.admin_url}/admin/v2{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@pytest.fixture(scope="session")
def pulsar_server() -> PulsarServer:
    return PulsarServer(
        address("BESTEX_TEST_PULSAR_URL", "Pulsar", may_be_absent=True),
        address("BESTEX_TEST_PULSAR_ADMIN_URL", "Pulsar", may_be_absent=True),
    )


@pytest.fixture
def pulsar_namespace(pulsar_server: PulsarServer) -> Iterator[str]:
    """`public/test-...`, empty, removed afterwards with its topics."""
    name = f"public/test-{secrets.token_hex(6)}"
    pulsar_server.admin("PUT", f"/namespaces/{name}")
    yield name
    pulsar_server.admin("DELETE", f"/namespaces/{name}?force=true")


def execute(url: str, statement: str) -> None:
    import asyncpg

    async def once() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    beside_the_test(once())


def beside_the_test(work: Coroutine[Any, Any, None]) -> None:
    """In a loop of its own, so that plain and async tests can both ask."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
