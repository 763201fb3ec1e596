"""Orders worked while their lists are read through a cache that is well, absent, hung, emptied or corrupted."""

import asyncio

import pytest

from bestex.adapters.cache.cashews_cache import CashewsCache
from bestex.api.answers import page
from bestex.api.kept import NAMESPACES
from bestex.domain.orders import Algorithm, Side
from bestex.messages.records import ParentOrderRow
from tests.scenarios.event_time import EventTimeDesk, digest

_SPACES = tuple(NAMESPACES.values())


async def _read_orders(desk: EventTimeDesk, cache: CashewsCache) -> list[bytes]:
    """The list through the cache, and as it is."""

    async def load() -> bytes:
        return bytes(page((await desk.journal.find(ParentOrderRow)).rows).body)

    version = str(len(desk.messages))
    return [await cache.read("orders", "house", "all", load, version=version), await load()]


async def _told(cache: CashewsCache | None, damage: str = "none") -> str:
    desk = EventTimeDesk(seed=11)
    desk.send("first", quantity=3_000)
    desk.send("second", side=Side.SELL, algorithm=Algorithm.TWAP)
    for _ in range(4):
        desk.run(seconds=20)
        if cache is None:
            continue
        for _ in range(2):
            kept, fresh = await _read_orders(desk, cache)
            assert kept == fresh
            if damage == "emptied":
                await cache._memory.clear()
            elif damage == "corrupted":
                for key in list(cache._memory.store):
                    await cache._memory.set(key, b"not a copy", expire=60)
    desk.run_to_the_end("first", "second")
    return digest(desk.messages)


@pytest.fixture(scope="module")
def without_cache() -> str:
    return asyncio.run(_told(None))


@pytest.mark.parametrize("damage", ["none", "emptied", "corrupted"])
async def test_orders_are_worked_the_same_whatever_became_of_the_copies(without_cache: str, damage: str) -> None:
    cache = await CashewsCache.open(_SPACES)
    assert await _told(cache, damage) == without_cache
    assert cache.use()["orders"].reads["hit"] == (4 if damage == "none" else 0)
    await cache.close()


async def test_orders_are_worked_the_same_where_redis_is_killed(without_cache: str) -> None:
    cache = await CashewsCache.open(_SPACES, redis_url="redis://127.0.0.1:1/0")
    assert await _told(cache) == without_cache
    assert cache.use()["orders"].reads["bypass"] == 8
    await cache.close()


async def test_orders_are_worked_the_same_where_redis_hangs(without_cache: str) -> None:
    writers: list[asyncio.StreamWriter] = []

    async def silence(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    cache = await CashewsCache.open(_SPACES, redis_url=f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
    assert await _told(cache) == without_cache
    assert cache.use()["orders"].reads["hit"] == 0
    await cache.close()
    server.close()
    for writer in writers:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def test_another_order_gives_another_digest(without_cache: str) -> None:
    desk = EventTimeDesk(seed=11)
    desk.send("first", quantity=3_100)
    desk.run_to_the_end("first")
    assert digest(desk.messages) != without_cache
