"""One suite for every `Bus`: the promises of `bestex.ports`, on memory, SQLite, PostgreSQL and Pulsar."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bestex.domain.errors import InvalidInput, NotFound
from bestex.ports import Bus
from tests.conformance.bus_places import (
    SHARDS,
    Place,
    bodies,
    opened,
    outgoing,
    place_of,
    receive,
    take,
)


@pytest.fixture(params=["memory", "sqlite", "postgresql", "pulsar"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(request, tmp_path)


@pytest.fixture
async def bus(place: Place) -> AsyncIterator[Bus]:
    async with opened(place) as bus:
        yield bus


async def lag(bus: Bus, name: str, expected: int) -> None:
    """A broker may take a moment to count an acknowledgement."""
    for _ in range(40):
        [found] = [item for item in await bus.subscriptions("orders") if (item.name, item.shard) == (name, 0)]
        if found.lag == expected:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{name} has a lag of {found.lag}, not {expected}")


async def is_paused(bus: Bus, name: str) -> bool:
    return all(item.is_paused for item in await bus.subscriptions("orders") if item.name == name)


async def test_a_record_comes_as_it_was_published(bus: Bus) -> None:
    before_ns = time.time_ns()
    await bus.publish("orders", 0, "api-0", outgoing(0, key="Ä-1", text="\x00 ü"))
    [record] = await take(bus, 1)
    assert (record.key, record.body) == ("Ä-1", "\x00 ü 0".encode())
    assert record.headers == {"event_type": "filled"}
    assert before_ns - 2_000_000_000 < record.published_ns < time.time_ns() + 2_000_000_000


async def test_records_of_a_shard_arrive_in_the_order_of_publication(bus: Bus) -> None:
    for sequence in range(0, 30, 3):
        await bus.publish("orders", 0, "api-0", outgoing(sequence, sequence + 1, sequence + 2))
    assert bodies(await take(bus, 30)) == [f"record {number}" for number in range(30)]


async def test_shards_and_topics_do_not_mix(bus: Bus) -> None:
    await bus.publish("orders", 0, "api-0", outgoing(0, text="orders 0"))
    await bus.publish("orders", 1, "api-0", outgoing(0, text="orders 1"))
    await bus.publish("desk", 0, "api-0", outgoing(0, text="desk 0"))
    assert bodies(await take(bus, 1, shard=0)) == ["orders 0 0"]
    assert bodies(await take(bus, 1, shard=1)) == ["orders 1 0"]
    assert bodies(await take(bus, 1, topic="desk")) == ["desk 0 0"]
    assert set(await bus.topics()) >= {"desk", "orders"}


async def test_a_repeat_of_a_producer_is_dropped_and_the_rest_of_it_is_kept(bus: Bus) -> None:
    await bus.publish("orders", 0, "api-0", outgoing(0, 1, 2))
    await bus.publish("orders", 0, "api-0", outgoing(0, 1, 2))
    await bus.publish("orders", 0, "api-0", outgoing(1, 2, 3, 7))
    await bus.publish("orders", 0, "other", outgoing(0, text="other"))
    assert bodies(await take(bus, 6)) == [*(f"record {number}" for number in (0, 1, 2, 3, 7)), "other 0"]


async def test_repeats_are_known_per_shard(bus: Bus) -> None:
    await bus.publish("orders", 0, "api-0", outgoing(5))
    await bus.publish("orders", 1, "api-0", outgoing(3))
    assert bodies(await take(bus, 1, shard=1)) == ["record 3"]


async def test_two_publishers_in_one_shard_keep_their_own_order(bus: Bus) -> None:
    async def publish(producer: str) -> None:
        for sequence in range(20):
            await bus.publish("orders", 0, producer, outgoing(sequence, text=producer))

    await asyncio.gather(publish("api-0"), publish("market-0"))
    found = bodies(await take(bus, 40))
    for producer in ("api-0", "market-0"):
        assert [text for text in found if text.startswith(producer)] == [f"{producer} {n}" for n in range(20)]


async def test_publications_that_wait_together_are_all_kept_in_their_order(bus: Bus) -> None:
    await asyncio.gather(*(bus.publish("orders", 0, "api-0", outgoing(sequence)) for sequence in range(50)))
    assert bodies(await take(bus, 50)) == [f"record {number}" for number in range(50)]


async def test_a_reader_goes_on_after_its_position(bus: Bus) -> None:
    await bus.publish("orders", 0, "api-0", outgoing(*range(6)))
    found = await take(bus, 6)
    assert bodies(await take(bus, 3, after=found[2].position)) == ["record 3", "record 4", "record 5"]


async def test_a_reader_waits_for_new_records(bus: Bus) -> None:
    await bus.publish("orders", 0, "api-0", outgoing(0))
    end = await bus.end("orders", 0)
    waiting = asyncio.create_task(take(bus, 1, after=end))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await bus.publish("orders", 0, "api-0", outgoing(1))
    assert bodies(await waiting) == ["record 1"]


async def test_a_reader_may_wait_before_the_first_record(bus: Bus) -> None:
    waiting = asyncio.create_task(take(bus, 1, after=None))
    await asyncio.sleep(0.05)
    await bus.publish("orders", 0, "api-0", outgoing(0))
    assert bodies(await waiting) == ["record 0"]


async def test_many_readers_see_the_same(bus: Bus) -> None:
    readers = [asyncio.create_task(take(bus, 20)) for _ in range(5)]
    for sequence in range(20):
        await bus.publish("orders", 0, "api-0", outgoing(sequence))
    found = await asyncio.gather(*readers)
    assert all(item == found[0] for item in found)
    assert bodies(found[0]) == [f"record {number}" for number in range(20)]


async def test_the_end_is_the_newest_records_position(bus: Bus) -> None:
    assert await bus.end("orders", 0) is None
    await bus.publish("orders", 0, "api-0", outgoing(0, 1))
    assert await bus.end("orders", 0) == (await take(bus, 2))[-1].position


async def test_what_was_published_is_there_after_a_restart_and_repeats_are_still_known(place: Place) -> None:
    if not place.is_durable:
        pytest.skip("the bus in memory is lost with its process, as it says")
    async with opened(place) as bus:
        await bus.publish("orders", 0, "api-0", outgoing(0, 1, 2))
        position = (await take(bus, 3))[0].position
        await bus.subscribe("orders", "audit", from_start=True)
        await receive(bus, "audit", 2, limit=2)
    async with opened(place) as bus:
        await bus.publish("orders", 0, "api-0", outgoing(1, 2, 3))
        assert bodies(await take(bus, 3, after=position)) == ["record 1", "record 2", "record 3"]
        assert bodies(await receive(bus, "audit", 2)) == ["record 2", "record 3"]


async def test_what_is_older_than_the_retention_is_gone_and_a_position_before_it_is_refused(
    place: Place, bus: Bus
) -> None:
    await bus.publish("orders", 0, "api-0", outgoing(0, 1, 2))
    found = await take(bus, 3)
    await asyncio.sleep(0.01)
    await place.expire(bus)
    with pytest.raises(NotFound, match="no longer keeps"):
        await take(bus, 1, after=found[0].position)
    await bus.publish("orders", 0, "api-0", outgoing(3))
    with pytest.raises(NotFound, match="no longer keeps"):
        await take(bus, 1, after=found[0].position)
    assert bodies(await take(bus, 1, after=None)) == ["record 3"]


async def test_the_retention_keeps_what_is_young_and_what_a_subscription_has_not_acknowledged(bus: Bus) -> None:
    await bus.subscribe("orders", "audit")
    await bus.publish("orders", 0, "api-0", outgoing(0, 1, 2))
    await bus.retain(3_600)
    await receive(bus, "audit", 1, limit=1)
    await asyncio.sleep(0.01)
    await bus.retain(0)
    assert bodies(await receive(bus, "audit", 2)) == ["record 1", "record 2"]


async def test_the_retention_of_one_topic_leaves_the_others(bus: Bus) -> None:
    for topic in ("orders", "desk"):
        await bus.publish(topic, 0, "api-0", outgoing(0, text=topic))
    await asyncio.sleep(0.01)
    await bus.retain(0, topic="desk")
    await bus.publish("orders", 0, "api-0", outgoing(1, text="orders"))
    assert bodies(await take(bus, 2)) == ["orders 0", "orders 1"]


async def test_a_removed_topic_is_gone_with_all_that_was_known_of_it(bus: Bus) -> None:
    await bus.publish("orders", 0, "api-0", outgoing(0, 1, 2))
    await bus.publish("desk", 0, "api-0", outgoing(0, text="desk"))
    await bus.subscribe("orders", "audit")
    await bus.remove("orders")
    await bus.remove("orders")
    assert list(await bus.topics()) == ["desk"]
    assert list(await bus.subscriptions("orders")) == []
    await bus.publish("orders", 0, "api-0", outgoing(0, text="new"))
    assert bodies(await take(bus, 1)) == ["new 0"]


@pytest.mark.parametrize("position", ["999999999", "not a position"])
async def test_a_position_of_another_bus_is_refused(bus: Bus, position: str) -> None:
    await bus.publish("orders", 0, "api-0", outgoing(0))
    with pytest.raises(NotFound, match="not one of this bus"):
        await take(bus, 1, after=position)


async def test_a_subscription_begins_at_the_end_or_at_the_start(bus: Bus) -> None:
    await bus.publish("orders", 0, "api-0", outgoing(0, 1))
    await bus.subscribe("orders", "new")
    await bus.subscribe("orders", "all", from_start=True)
    await bus.publish("orders", 0, "api-0", outgoing(2))
    assert bodies(await receive(bus, "new", 1)) == ["record 2"]
    assert bodies(await receive(bus, "all", 3)) == ["record 0", "record 1", "record 2"]


async def test_subscribing_again_changes_nothing(bus: Bus) -> None:
    await bus.subscribe("orders", "audit")
    await bus.publish("orders", 0, "api-0", outgoing(0))
    await bus.subscribe("orders", "audit")
    assert bodies(await receive(bus, "audit", 1)) == ["record 0"]


async def test_a_subscription_has_every_shard(bus: Bus) -> None:
    await bus.subscribe("orders", "audit")
    assert [(item.name, item.shard) for item in await bus.subscriptions("orders")] == [
        ("audit", shard) for shard in range(SHARDS)
    ]
    await bus.publish("orders", 2, "api-0", outgoing(0))
    assert bodies(await receive(bus, "audit", 1, shard=2)) == ["record 0"]


async def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(bus: Bus) -> None:
    await bus.subscribe("orders", "audit")
    await bus.publish("orders", 0, "api-0", outgoing(0, 1, 2))
    first = await bus.receive("orders", "audit", 0, 2, 10.0)
    assert bodies(first)[0] == "record 0"
    again = await bus.receive("orders", "audit", 0, 1, 10.0)
    assert bodies(again) == ["record 0"]
    await bus.acknowledge("orders", "audit", 0, again[-1].position)
    assert bodies(await receive(bus, "audit", 2)) == ["record 1", "record 2"]


async def test_a_receiver_waits_for_a_record_and_gets_nothing_if_none_comes(bus: Bus) -> None:
    await bus.subscribe("orders", "audit")
    assert list(await bus.receive("orders", "audit", 0, 10, 0.05)) == []
    waiting = asyncio.create_task(bus.receive("orders", "audit", 0, 10, 10.0))
    await asyncio.sleep(0.05)
    await bus.publish("orders", 0, "api-0", outgoing(0))
    assert bodies(await waiting) == ["record 0"]


async def test_the_lag_is_what_is_not_acknowledged(bus: Bus) -> None:
    await bus.subscribe("orders", "audit")
    await lag(bus, "audit", 0)
    await bus.publish("orders", 0, "api-0", outgoing(*range(5)))
    await lag(bus, "audit", 5)
    await receive(bus, "audit", 2, limit=2)
    await lag(bus, "audit", 3)
    [item] = [item for item in await bus.subscriptions("orders") if item.shard == 0]
    assert item.position == (await take(bus, 5))[1].position


async def test_seek_by_sequence_goes_back_and_forth(bus: Bus) -> None:
    await bus.subscribe("orders", "audit")
    await bus.publish("orders", 0, "api-0", outgoing(*range(5)))
    await receive(bus, "audit", 5)
    await bus.seek("orders", "audit", sequence=1)
    assert bodies(await receive(bus, "audit", 4)) == [f"record {number}" for number in range(1, 5)]
    await bus.seek("orders", "audit", sequence=0)
    await lag(bus, "audit", 5)
    await bus.seek("orders", "audit", sequence=99)
    await lag(bus, "audit", 0)
    await bus.publish("orders", 0, "api-0", outgoing(5))
    assert bodies(await receive(bus, "audit", 1)) == ["record 5"]


async def test_seek_by_time_goes_to_the_first_record_of_that_time(bus: Bus) -> None:
    await bus.subscribe("orders", "audit")
    for sequence in range(4):
        await bus.publish("orders", 0, "api-0", outgoing(sequence))
        await asyncio.sleep(0.01)
    found = await receive(bus, "audit", 4)
    await bus.seek("orders", "audit", time_ns=found[2].published_ns)
    assert bodies(await receive(bus, "audit", 2)) == ["record 2", "record 3"]
    await bus.seek("orders", "audit", time_ns=found[0].published_ns - 10**9)
    assert bodies(await receive(bus, "audit", 4)) == [f"record {number}" for number in range(4)]
    await bus.seek("orders", "audit", time_ns=found[3].published_ns + 10**9)
    await lag(bus, "audit", 0)


async def test_a_paused_subscription_gives_nothing_and_loses_nothing(bus: Bus) -> None:
    await bus.subscribe("orders", "audit")
    await bus.pause("orders", "audit", paused=True)
    await bus.publish("orders", 0, "api-0", outgoing(0, 1))
    assert list(await bus.receive("orders", "audit", 0, 10, 0.05)) == []
    await lag(bus, "audit", 2)
    assert await is_paused(bus, "audit")
    await bus.pause("orders", "audit", paused=False)
    assert not await is_paused(bus, "audit")
    assert bodies(await receive(bus, "audit", 2)) == ["record 0", "record 1"]


async def test_a_deleted_subscription_is_unknown(bus: Bus) -> None:
    await bus.subscribe("orders", "audit")
    await bus.unsubscribe("orders", "audit")
    assert list(await bus.subscriptions("orders")) == []
    for call in (
        bus.unsubscribe("orders", "audit"),
        bus.receive("orders", "audit", 0, 1, 0.0),
        bus.acknowledge("orders", "audit", 0, "0"),
        bus.seek("orders", "audit", sequence=0),
        bus.pause("orders", "audit", paused=True),
    ):
        with pytest.raises(NotFound, match="no subscription 'audit'"):
            await call


async def test_a_subscription_ignores_the_others_and_many_live_together(bus: Bus) -> None:
    for name in ("one", "two"):
        await bus.subscribe("orders", name)
    await bus.publish("orders", 0, "api-0", outgoing(0, 1))
    await receive(bus, "one", 2)
    await lag(bus, "one", 0)
    await lag(bus, "two", 2)


async def test_what_the_bus_cannot_have_is_refused_by_name(bus: Bus) -> None:
    with pytest.raises(InvalidInput, match="no shard 3"):
        await bus.publish("orders", SHARDS, "api-0", outgoing(0))
    with pytest.raises(InvalidInput, match="topic 'a/b'"):
        await bus.publish("a/b", 0, "api-0", outgoing(0))
    await bus.subscribe("orders", "audit")
    with pytest.raises(InvalidInput, match="give one of them"):
        await bus.seek("orders", "audit")
