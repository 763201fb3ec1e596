"""A bus that goes away: its own retries first, then a clear refusal, then work again without a restart."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bestex.adapters.sql.bus import SqlBus
from bestex.domain.errors import BusUnavailable
from tests.conformance.bus_places import SqlitePlace, bodies, opened, outgoing, take


@pytest.fixture
def place(tmp_path: Path) -> SqlitePlace:
    return SqlitePlace(tmp_path / "bus.sqlite")


def locked(place: SqlitePlace) -> sqlite3.Connection:
    """Another process that does not let go of the file."""
    other = sqlite3.connect(place.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


async def test_a_locked_file_is_waited_for_then_refused_and_works_again_when_it_is_free(place: SqlitePlace) -> None:
    async with opened(place) as bus:
        await bus.publish("orders", 0, "api-0", outgoing(0))
        other = locked(place)
        with pytest.raises(BusUnavailable, match=r"bus\.sqlite does not answer: database is locked"):
            await bus.publish("orders", 0, "api-0", outgoing(1))
        other.execute("ROLLBACK")
        other.close()
        await bus.publish("orders", 0, "api-0", outgoing(1, 2))
        assert bodies(await take(bus, 3)) == ["record 0", "record 1", "record 2"]


async def test_a_file_that_is_locked_for_a_moment_is_not_noticed(place: SqlitePlace) -> None:
    async with opened(place) as bus:
        await bus.publish("orders", 0, "api-0", outgoing(0))
        other = locked(place)
        publishing = asyncio.create_task(bus.publish("orders", 0, "api-0", outgoing(1)))
        await asyncio.sleep(0.2)
        assert not publishing.done()
        other.execute("ROLLBACK")
        other.close()
        await publishing
        assert bodies(await take(bus, 2)) == ["record 0", "record 1"]


async def test_a_bus_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(BusUnavailable, match=r"nowhere/bus\.sqlite does not answer"):
        await SqlBus.open(f"sqlite:///{tmp_path}/nowhere/bus.sqlite", 1)
