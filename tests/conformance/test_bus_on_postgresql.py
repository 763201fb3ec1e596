"""The bus on PostgreSQL: late commits, cut connections, a server that is away, several processes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from bestex.adapters.sql.bus import SqlBus
from bestex.domain.errors import BusUnavailable
from tests.conformance.bus_places import SHARDS, PostgresPlace, bodies, opened, outgoing, take
from tests.fault_proxy import COMMIT, FaultProxy, fault_proxy


@pytest.fixture
def place(bus_database: str) -> PostgresPlace:
    return PostgresPlace(bus_database)


@asynccontextmanager
async def through_proxy(place: PostgresPlace, patience_seconds: float) -> AsyncIterator[tuple[FaultProxy, SqlBus]]:
    async with opened(place):  # empty
        pass
    address = make_url(place.url)
    async with fault_proxy(address.host or "", address.port or 5432) as proxy:
        near = address.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        bus = await SqlBus.open(near, SHARDS, patience_seconds=patience_seconds)
        try:
            yield proxy, bus
        finally:
            await bus.close()


async def test_a_publication_that_commits_late_is_not_stepped_over(place: PostgresPlace) -> None:
    """A reader that asks for "number > last" must not see a later record before an earlier one is committed."""
    async with opened(place) as bus:
        await bus.publish("orders", 0, "api-0", outgoing(0))
        late = await asyncpg.connect(place.url)
        transaction = late.transaction()
        await transaction.start()
        # What a publication does first: it takes the shard, and its number, and then takes its time.
        newest = await late.fetchval(
            "SELECT newest FROM bus.bus_shards WHERE topic = 'orders' AND shard = 0 FOR UPDATE"
        )
        await late.execute(
            "INSERT INTO bus.bus_records (topic, shard, number, key, headers, body, published_ns)"
            " VALUES ('orders', 0, $1, 'A', '{}', 'late', 1)",
            newest + 1,
        )
        await late.execute("UPDATE bus.bus_shards SET newest = $1 WHERE topic = 'orders' AND shard = 0", newest + 1)
        async with opened(place) as other:
            overtaking = asyncio.create_task(other.publish("orders", 0, "market-0", outgoing(0, text="overtaking")))
            reading = asyncio.create_task(take(bus, 3))
            await asyncio.sleep(0.3)
            assert not overtaking.done()
            await transaction.commit()
            await overtaking
            assert bodies(await reading) == ["record 0", "late", "overtaking 0"]
        await late.close()


async def test_a_commit_cut_at_any_byte_publishes_once(place: PostgresPlace) -> None:
    cuts = [("cut_up", n) for n in range(0, len(COMMIT) + 1, 2)] + [("cut_down", n) for n in range(0, 20, 3)]
    async with through_proxy(place, 10.0) as (proxy, bus):
        for number, (direction, at) in enumerate(cuts):
            setattr(proxy, direction, at)
            await bus.publish("orders", 0, "api-0", outgoing(number))
        assert proxy.faults == len(cuts)
        await bus.publish("orders", 0, "api-0", outgoing(len(cuts)))
        found = await take(bus, len(cuts) + 1)
        assert bodies(found) == [f"record {number}" for number in range(len(cuts) + 1)]


async def test_a_server_that_is_away_is_waited_for_then_refused_and_works_again(place: PostgresPlace) -> None:
    async with through_proxy(place, 1.0) as (proxy, bus):
        await bus.publish("orders", 0, "api-0", outgoing(0))
        position = (await take(bus, 1))[0].position
        await proxy.stop()
        with pytest.raises(BusUnavailable, match="does not answer") as refused:
            await bus.publish("orders", 0, "api-0", outgoing(1))
        assert make_url(place.url).password not in str(refused.value)
        with pytest.raises(BusUnavailable):
            await take(bus, 1, after=position)
        await proxy.start()
        await bus.publish("orders", 0, "api-0", outgoing(0, 1))
        assert bodies(await take(bus, 1, after=position)) == ["record 1"]


async def test_another_process_that_waits_is_woken_at_once(place: PostgresPlace) -> None:
    async with opened(place) as bus, opened(place) as other:
        await bus.publish("orders", 0, "api-0", outgoing(0))
        position = await other.end("orders", 0)
        waits = []
        for sequence in range(1, 6):
            waiting = asyncio.create_task(take(other, 1, after=position))
            await asyncio.sleep(0.1)
            started = time.monotonic()
            await bus.publish("orders", 0, "api-0", outgoing(sequence))
            position = (await waiting)[-1].position
            waits.append(time.monotonic() - started)
        assert sorted(waits)[2] < 0.5, waits  # it would look by itself after a second


async def test_a_server_that_is_not_there_at_the_start_is_named_without_its_password() -> None:
    with pytest.raises(BusUnavailable, match=r"postgresql.*desk:\*\*\*@127\.0\.0\.1:1/bestex"):
        await SqlBus.open("postgresql://desk:secret@127.0.0.1:1/bestex", SHARDS, patience_seconds=0.5)
