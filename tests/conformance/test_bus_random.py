"""Random publishers, repeats, readers, listeners and restarts at once: what a bus promises holds in every interleaving.

Each run prints its seed. The same check catches buses that are broken on purpose.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bestex.adapters.memory.bus import MemoryBus
from bestex.ports import Bus, Delivery, Outgoing
from tests.conformance import bus_places
from tests.conformance.bus_places import (
    SHARDS,
    Place,
    bodies,
    outgoing,
    place_of,
    take,
)

RECORDS = 40  # of each producer in each shard
PRODUCERS = ("api-0", "algorithm-0", "market-0")

Open = Callable[[], Awaitable[Bus]]


async def publish_with_repeats(bus: Bus, rng: random.Random, producer: str, shard: int, upto: int, since: int) -> None:
    """Records since..upto in pieces, some of them again from an earlier one, as after a lost answer."""
    done = since
    while done < upto:
        first = max(done - rng.randrange(4), 0) if rng.random() < 0.3 else done
        last = min(done + rng.randrange(1, 6), upto)
        await bus.publish("orders", shard, producer, outgoing(*range(first, last), key=f"k{first % 5}", text=producer))
        done = last
        if rng.random() < 0.2:
            await asyncio.sleep(rng.random() * 0.004)


async def listen(bus: Bus, rng: random.Random, shard: int, count: int) -> list[Delivery]:
    """Receive all, acknowledging now and then only a part of what came."""
    found: list[Delivery] = []
    async with asyncio.timeout(bus_places.PATIENCE_SECONDS):
        while len(found) < count:
            group = await bus.receive("orders", "audit", shard, rng.randrange(1, 9), 0.5)
            if group and (kept := group[: rng.randrange(len(group) + 1)]):
                await bus.acknowledge("orders", "audit", shard, kept[-1].position)
                found.extend(kept)
    return found


async def check(open_bus: Open, rng: random.Random, *, restarts: bool) -> None:
    """One life of a bus. Raises AssertionError where a promise is broken."""
    bus = await open_bus()
    await bus.subscribe("orders", "audit", from_start=True)
    half = RECORDS // 2 if restarts else 0
    if restarts:
        await publish_all(bus, rng, 0, half)
        await bus.close()
        bus = await open_bus()
    total = RECORDS * len(PRODUCERS)
    try:
        _, *found = await asyncio.gather(
            publish_all(bus, rng, half, RECORDS),
            *(take(bus, total, shard=shard) for shard in range(SHARDS) for _ in range(2)),
            *(listen(bus, rng, shard, total) for shard in range(SHARDS)),
        )
        readers, listeners = found[: 2 * SHARDS], found[2 * SHARDS :]
        for shard in range(SHARDS):
            first, second, heard = readers[2 * shard], readers[2 * shard + 1], listeners[shard]
            assert first == second, "two readers saw different records"
            assert bodies(heard) == bodies(first), "a subscription gave something else than a reader"
            for producer in PRODUCERS:
                of = [text for text in bodies(first) if text.startswith(producer)]
                assert of == [f"{producer} {number}" for number in range(RECORDS)], f"{producer} in shard {shard}"
            start = rng.randrange(total - 1)
            rest = await take(bus, total - start - 1, shard=shard, after=first[start].position)
            assert rest == first[start + 1 :], "a reader did not go on after its position"
    finally:
        await bus.close()


async def publish_all(bus: Bus, rng: random.Random, since: int, upto: int) -> None:
    await asyncio.gather(
        *(
            publish_with_repeats(bus, random.Random(rng.random()), producer, shard, upto, since)
            for producer in PRODUCERS
            for shard in range(SHARDS)
        )
    )


@pytest.fixture(params=["memory", "sqlite", "postgresql", "pulsar"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(request, tmp_path)


async def test_every_promise_holds_in_random_interleavings(place: Place) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    await check(place.open, random.Random(seed), restarts=place.is_durable)


class ReordersNowAndThen(MemoryBus):
    async def publish(self, topic: str, shard: int, producer: str, records: Sequence[Outgoing]) -> None:
        turned = [replace(record, body=other.body) for record, other in zip(records, reversed(records), strict=True)]
        await super().publish(topic, shard, producer, turned if len(records) > 3 else records)


class DropsNowAndThen(MemoryBus):
    async def publish(self, topic: str, shard: int, producer: str, records: Sequence[Outgoing]) -> None:
        await super().publish(topic, shard, producer, [item for item in records if item.sequence % 17 != 16])


class ForgetsWhatItHas(MemoryBus):
    async def publish(self, topic: str, shard: int, producer: str, records: Sequence[Outgoing]) -> None:
        self._shard(topic, shard).newest.clear()
        await super().publish(topic, shard, producer, records)


class AcknowledgesTooMuch(MemoryBus):
    async def acknowledge(self, topic: str, name: str, shard: int, position: str) -> None:
        end = await self.end(topic, shard)
        await super().acknowledge(topic, name, shard, str(min(int(position) + 1, int(end or 0))))


@pytest.mark.parametrize("broken", [ReordersNowAndThen, DropsNowAndThen, ForgetsWhatItHas, AcknowledgesTooMuch])
async def test_a_broken_bus_is_caught(broken: type[MemoryBus], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.conformance.bus_places.PATIENCE_SECONDS", 1.0)
    bus = broken(SHARDS, time.time_ns)

    async def open_bus() -> Bus:
        return bus

    with pytest.raises((AssertionError, TimeoutError)):
        await check(open_bus, random.Random(7), restarts=False)
