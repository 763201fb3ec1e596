"""The cache's promises, on memory and on Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bestex.adapters.cache import cashews_cache
from bestex.adapters.cache.bounded_memory import BoundedMemory
from bestex.adapters.cache.cashews_cache import CashewsCache
from bestex.ports import Cache, Namespace

SPACES = (
    Namespace(name="orders", seconds=60),
    Namespace(name="short", seconds=0.05),
    Namespace(name="catalogue", seconds=0.05, stale_seconds=60),
)


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    if request.param == "memory":
        made = await CashewsCache.open(SPACES)
    else:
        made = await CashewsCache.open(
            SPACES, redis_url=request.getfixturevalue("redis_url"), prefix=request.getfixturevalue("redis_prefix")
        )
        assert made._connecting is not None
        await asyncio.wait_for(asyncio.shield(made._connecting), 5)
    yield made
    await made.close()


class Source:
    """Counts how often it is read."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.reads = 0
        self.seconds = seconds

    async def load(self) -> bytes:
        self.reads += 1
        number = self.reads
        await asyncio.sleep(self.seconds)
        return b"read %d" % number


async def test_a_second_read_does_not_ask_the_source(cache: Cache) -> None:
    source = Source()
    assert await cache.read("orders", "t", "k", source.load) == b"read 1"
    assert await cache.read("orders", "t", "k", source.load) == b"read 1"
    assert source.reads == 1
    assert cache.use()["orders"].reads["hit"] == 1
    assert cache.use()["orders"].hit_ratio == 0.5
    assert cache.use()["orders"].bytes_kept > 0
    assert cache.use()["short"].hit_ratio is None


async def test_a_thousand_parallel_misses_read_the_source_once(cache: Cache) -> None:
    source = Source(0.05)
    answers = await asyncio.gather(*(cache.read("orders", "t", "k", source.load) for _ in range(1_000)))
    assert set(answers) == {b"read 1"}
    assert source.reads == 1


async def test_one_tenant_never_gets_the_copy_of_another(cache: Cache) -> None:
    source = Source()
    assert await cache.read("orders", "a:b", "k", source.load) == b"read 1"
    assert await cache.read("orders", "a", "b:k", source.load) == b"read 2"
    assert await cache.read("orders", "a", "k", source.load) == b"read 3"


async def test_a_copy_of_another_version_is_not_given(cache: Cache) -> None:
    source = Source()
    assert await cache.read("catalogue", "t", "k", source.load, version="1") == b"read 1"
    assert await cache.read("catalogue", "t", "k", source.load, version="2") == b"read 2"
    assert await cache.read("catalogue", "t", "k", source.load, version="2") == b"read 2"


async def test_a_copy_ends_with_its_time(cache: Cache) -> None:
    source = Source()
    await cache.read("short", "t", "k", source.load)
    await asyncio.sleep(0.06)
    assert await cache.read("short", "t", "k", source.load) == b"read 2"


async def test_an_old_copy_is_given_once_more_while_a_new_one_is_made(cache: Cache) -> None:
    source = Source(0.01)
    await cache.read("catalogue", "t", "k", source.load)
    await asyncio.sleep(0.06)
    assert await cache.read("catalogue", "t", "k", source.load) == b"read 1"
    await asyncio.sleep(0.03)
    assert await cache.read("catalogue", "t", "k", source.load) == b"read 2"
    assert cache.use()["catalogue"].reads["stale"] == 1


async def test_a_source_that_fails_is_told_and_asked_again(cache: Cache) -> None:
    async def broken() -> bytes:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        await cache.read("orders", "t", "k", broken)
    assert await cache.read("orders", "t", "k", Source().load) == b"read 1"


async def test_a_reader_who_leaves_takes_nothing_from_those_who_wait(cache: Cache) -> None:
    source = Source(0.05)
    leaves = asyncio.create_task(cache.read("orders", "t", "k", source.load))
    stays = asyncio.create_task(cache.read("orders", "t", "k", source.load))
    await asyncio.sleep(0.01)
    leaves.cancel()
    assert await stays == b"read 1"


@pytest.mark.parametrize("damage", [b"", b"x" * 100, b"12345"])
async def test_a_corrupted_copy_is_read_from_the_source_again(cache: CashewsCache, damage: bytes) -> None:
    source = Source()
    await cache.read("orders", "t", "k", source.load)
    backend = cache._backend
    assert backend is not None
    async for key in backend.scan("orders:*"):
        await backend.set(key, damage)
    assert await cache.read("orders", "t", "k", source.load) == b"read 2"


async def test_an_emptied_cache_is_filled_again(cache: CashewsCache) -> None:
    source = Source()
    await cache.read("orders", "t", "k", source.load)
    backend = cache._backend
    assert backend is not None
    keys = [key async for key in backend.scan("orders:*")]
    await backend.delete_many(*keys)
    assert await cache.read("orders", "t", "k", source.load) == b"read 2"


async def test_a_redis_that_is_not_there_only_makes_reads_slower() -> None:
    cache = await CashewsCache.open(SPACES, redis_url="redis://127.0.0.1:1/0")
    source = Source()
    assert await cache.read("orders", "t", "k", source.load) == b"read 1"
    assert await cache.read("orders", "t", "k", source.load) == b"read 2"
    assert cache.use()["orders"].reads["bypass"] == 2
    await cache.close()


async def test_a_redis_that_hangs_costs_one_timeout_and_then_nothing_for_a_while() -> None:
    writers: list[asyncio.StreamWriter] = []

    async def silence(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    cache = await CashewsCache.open(SPACES, redis_url=f"redis://127.0.0.1:{port}/0")
    loop = asyncio.get_running_loop()
    source, began = Source(), loop.time()
    for _ in range(20):
        await cache.read("orders", "t", "k", source.load)
    assert loop.time() - began < 4 * cashews_cache.TIMEOUT_SECONDS
    await cache.close()
    server.close()
    for writer in writers:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def test_memory_stays_within_its_bound_and_drops_what_was_used_longest_ago() -> None:
    memory = BoundedMemory(10_000)
    await memory.init()
    for number in range(100):
        await memory.set(f"orders:{number}", b"x" * 1_000, expire=60)
        await memory.get("orders:0")
    assert memory.kept["orders"] <= 10_000
    assert memory.kept["orders"] == sum(len(key) + len(value) for key, (_, value) in memory.store.items())
    assert await memory.get("orders:0") is not None
    assert await memory.get("orders:50") is None
    await memory.close()
