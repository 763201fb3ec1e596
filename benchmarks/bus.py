"""What the bus costs: a record published and acknowledged, a record until it is read, and records per second.

    python -m benchmarks.bus memory sqlite postgresql pulsar [--records 3000] [--seed 20261121]

Records of 600 bytes. The first two figures are with one record at a time; the rate is with four publishers of groups of
64 in four shards while four readers follow. Servers come from BESTEX_TEST_POSTGRES_URL, BESTEX_TEST_PULSAR_URL and
BESTEX_TEST_PULSAR_ADMIN_URL (`make services` prints them); what it writes stays there, in the namespace
`public/benchmark`, under new topics.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

from bestex.adapters.memory.bus import MemoryBus
from bestex.app.buses import BusAddress, open_bus
from bestex.ports import Bus, Outgoing

SHARDS = 4
GROUP = 64
BODY_BYTES = 600


async def opened(kind: str, folder: Path) -> Bus:
    match kind:
        case "memory":
            return MemoryBus(SHARDS, time.time_ns)
        case "sqlite":
            address = BusAddress(url=f"sqlite:///{folder}/bus.sqlite")
        case "postgresql":
            address = BusAddress(url=os.environ["BESTEX_TEST_POSTGRES_URL"], namespace="public/benchmark")
        case "pulsar":
            address = BusAddress(
                url=os.environ["BESTEX_TEST_PULSAR_URL"],
                admin_url=os.environ["BESTEX_TEST_PULSAR_ADMIN_URL"],
                namespace="public/benchmark",
            )
        case _:
            raise SystemExit(f"there is no bus {kind!r}")
    return await open_bus(address)


def record(rng: random.Random, sequence: int) -> Outgoing:
    return Outgoing(key=f"order-{sequence % 50}", body=rng.randbytes(BODY_BYTES), headers={"a": "b"}, sequence=sequence)


async def one_at_a_time(bus: Bus, topic: str, rng: random.Random, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds to the acknowledgement, and to a reader that waits."""
    arrived: asyncio.Queue[float] = asyncio.Queue()

    async def read() -> None:
        async for group in bus.read(topic, 0, after=None):
            for _ in group:
                arrived.put_nowait(time.perf_counter())

    reader = asyncio.create_task(read())
    await asyncio.sleep(0.5)
    published, heard = [], []
    for sequence in range(count):
        started = time.perf_counter()
        await bus.publish(topic, 0, "benchmark", [record(rng, sequence)])
        published.append((time.perf_counter() - started) * 1e3)
        heard.append((await arrived.get() - started) * 1e3)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    return published, heard


async def together(bus: Bus, topic: str, rng: random.Random, count: int) -> float:
    """Records per second, published and read."""

    async def publish(shard: int) -> None:
        for first in range(0, count, GROUP):
            await bus.publish(topic, shard, "benchmark", [record(rng, first + number) for number in range(GROUP)])

    async def read(shard: int) -> None:
        heard = 0
        async for group in bus.read(topic, shard, after=None):
            heard += len(group)
            if heard >= count:
                return

    started = time.perf_counter()
    await asyncio.gather(*(publish(shard) for shard in range(SHARDS)), *(read(shard) for shard in range(SHARDS)))
    return SHARDS * count / (time.perf_counter() - started)


def shown(values: list[float]) -> str:
    cuts = statistics.quantiles(values, n=100)
    return f"P50 {statistics.median(values):6.2f}  P99 {cuts[98]:6.2f}"


async def measure(kinds: list[str], records: int, seed: int) -> None:
    rng = random.Random(seed)
    print(f"seed {seed}; milliseconds; {records} records in each shard for the rate")
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            bus = await opened(kind, Path(folder))
            run = f"run-{time.time_ns()}"
            published, heard = await one_at_a_time(bus, f"{run}-one", rng, 500)
            rate = await together(bus, f"{run}-many", rng, records - records % GROUP)
            await bus.close()
        print(f"{kind:11} acknowledged {shown(published)}   read {shown(heard)}   {rate:9,.0f} records/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=["memory", "sqlite"])
    parser.add_argument("--records", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=20_261_121)
    given = parser.parse_args()
    asyncio.run(measure(given.kinds, given.records, given.seed))


if __name__ == "__main__":
    main()
