"""Where the buses under test keep their records: a place can be opened again, and then it is the same bus."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bestex.adapters.memory.bus import MemoryBus
from bestex.adapters.pulsar.bus import PulsarBus
from bestex.adapters.sql.bus import SqlBus
from bestex.adapters.sql.bus_tables import BUS_RECORDS, CURSORS, PRODUCERS
from bestex.adapters.sql.bus_tables import SHARDS as SHARD_ROWS
from bestex.ports import Bus, Delivery, Outgoing
from tests.databases import execute
from tests.servers import PulsarServer

SHARDS = 3
TABLES = (BUS_RECORDS, CURSORS, PRODUCERS, SHARD_ROWS)
PATIENCE_SECONDS = 30.0  # a broker on a busy machine


class MemoryPlace:
    """Opened again, it is the same object: it has nowhere else to be."""

    name = "memory"
    is_durable = False

    def __init__(self) -> None:
        self._bus = MemoryBus(SHARDS, time.time_ns)

    async def open(self) -> Bus:
        return self._bus

    async def expire(self, bus: Bus) -> None:
        await bus.retain(0)


class SqlitePlace:
    name = "sqlite"
    is_durable = True

    def __init__(self, path: Path) -> None:
        self.path = path

    async def open(self) -> Bus:
        return await SqlBus.open(f"sqlite:///{self.path}", SHARDS, patience_seconds=0.5)

    async def expire(self, bus: Bus) -> None:
        await bus.retain(0)


class PostgresPlace:
    name = "postgresql"
    is_durable = True

    def __init__(self, url: str) -> None:
        """`url` of a database that several tests share; each begins with an empty bus."""
        self.url = url
        self._is_fresh = False

    async def open(self) -> Bus:
        bus = await SqlBus.open(self.url, SHARDS)
        if not self._is_fresh:
            await execute(self.url, *(f"TRUNCATE bus.{table.name}" for table in TABLES))
            self._is_fresh = True
        return bus

    async def expire(self, bus: Bus) -> None:
        await bus.retain(0)


class PulsarPlace:
    name = "pulsar"
    is_durable = True

    def __init__(self, server: PulsarServer, namespace: str) -> None:
        self.server, self.namespace = server, namespace

    async def open(self) -> Bus:
        return await PulsarBus.open(
            self.server.url, self.server.admin_url, SHARDS, namespace=self.namespace, patience_seconds=8.0
        )

    async def expire(self, bus: Bus) -> None:
        """The broker removes what is old when it comes to it; this makes it come now."""
        await bus.retain(0)
        for shard in range(SHARDS):
            partition = f"/persistent/{self.namespace}/orders-partition-{shard}"
            await asyncio.to_thread(self.server.admin, "PUT", f"{partition}/unload")
            await asyncio.to_thread(self.server.admin, "DELETE", f"{partition}/truncate")


Place = MemoryPlace | SqlitePlace | PostgresPlace | PulsarPlace


def place_of(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The place of a parametrised test; it is skipped where there is no server for it."""
    match request.param:
        case "memory":
            return MemoryPlace()
        case "sqlite":
            return SqlitePlace(tmp_path / "bus.sqlite")
        case "postgresql":
            return PostgresPlace(request.getfixturevalue("bus_database"))
        case _:
            server = request.getfixturevalue("pulsar_server")
            return PulsarPlace(server, request.getfixturevalue("pulsar_namespace"))


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Bus]:
    bus = await place.open()
    try:
        yield bus
    finally:
        await bus.close()


def outgoing(*sequences: int, key: str = "A", text: str = "record") -> list[Outgoing]:
    return [
        Outgoing(key=key, body=f"{text} {sequence}".encode(), headers={"event_type": "filled"}, sequence=sequence)
        for sequence in sequences
    ]


def bodies(deliveries: Sequence[Delivery]) -> list[str]:
    return [delivery.body.decode() for delivery in deliveries]


async def take(
    bus: Bus, count: int, *, topic: str = "orders", shard: int = 0, after: str | None = None
) -> list[Delivery]:
    """The next `count` records after a position; more than were asked for if they came in one group."""
    found: list[Delivery] = []
    reader = bus.read(topic, shard, after=after)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for group in reader:
                found.extend(group)
                if len(found) >= count:
                    return found
    except TimeoutError:
        raise AssertionError(f"only {len(found)} of {count} records came: {bodies(found)[-3:]}") from None
    finally:
        await reader.aclose()  # type: ignore[attr-defined]
    raise AssertionError("a reader ended by itself")


async def receive(bus: Bus, name: str, count: int, *, shard: int = 0, limit: int = 100) -> list[Delivery]:
    """Receive and acknowledge until `count` records came."""
    found: list[Delivery] = []
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while len(found) < count:
        assert asyncio.get_running_loop().time() < deadline, f"only {len(found)} of {count} records came"
        if group := await bus.receive("orders", name, shard, limit, 1.0):
            await bus.acknowledge("orders", name, shard, group[-1].position)
            found.extend(group)
    return found
