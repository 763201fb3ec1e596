"""A database and a bus namespace of one's own on the servers of `make services`, removed afterwards."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2

from bestex.app.settings import Settings, load
from tests.scenarios.event_time import TEN_NS

VARIABLES = ("BESTEX_TEST_POSTGRES_URL", "BESTEX_TEST_PULSAR_URL", "BESTEX_TEST_PULSAR_ADMIN_URL")


@dataclass(frozen=True)
class OwnServers:
    store_url: str
    bus_url: str
    bus_admin_url: str
    namespace: str

    def settings(self, target: str, **more: Any) -> Settings:
        """Of a process of a target: any free port, the market's day from ten o'clock."""
        return load(
            target=target,
            port=0,
            start_ns=TEN_NS,
            store_url=self.store_url,
            bus_url=self.bus_url,
            bus_admin_url=self.bus_admin_url,
            bus_namespace=self.namespace,
            **more,
        )


@contextlib.contextmanager
def own_servers(purpose: str) -> Iterator[OwnServers]:
    """From `BESTEX_TEST_*`. `purpose`: lower-case letters, part of the names.

    Raises:
        SystemExit: naming the addresses that are not in the environment.
    """
    if missing := [name for name in VARIABLES if name not in os.environ]:
        raise SystemExit(f"set {', '.join(missing)}: `make services` starts the servers and tells their addresses")
    postgres, pulsar, admin = (os.environ[name] for name in VARIABLES)
    name = f"{purpose}_{secrets.token_hex(4)}"
    namespace = f"public/{name.replace('_', '-')}"
    asyncio.run(_execute(postgres, f'CREATE DATABASE "{name}"'))
    try:
        yield OwnServers(urlunsplit(urlsplit(postgres)._replace(path=f"/{name}")), pulsar, admin, namespace)
    finally:
        asyncio.run(_execute(postgres, f'DROP DATABASE "{name}" WITH (FORCE)'))
        httpx2.delete(f"{admin}/admin/v2/namespaces/{namespace}?force=true", timeout=60)


async def _execute(url: str, statement: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
