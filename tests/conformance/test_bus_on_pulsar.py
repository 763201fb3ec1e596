"""The bus on Pulsar: a broker of the test's own is killed and comes back; listeners take over from each other."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bestex.adapters.pulsar.bus import PulsarBus
from bestex.domain.errors import BusUnavailable, InvalidInput
from deploy.development import pulsar as server
from deploy.development.folders import cache_folder
from deploy.development.processes import Running
from tests.conformance.bus_places import SHARDS, PulsarPlace, bodies, opened, outgoing, receive, take
from tests.servers import PulsarServer


class Broker:
    """A broker that may be killed."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self.running: Running = server.start(state, cache_folder())
        self.url, self.admin_url = server.urls(self.running)

    def kill(self) -> None:
        os.kill(self.running.pid, signal.SIGKILL)

    def start(self) -> None:
        self.running = server.start(self._state, cache_folder())
        assert server.urls(self.running) == (self.url, self.admin_url)


@pytest.fixture(scope="module")
def broker(pulsar_server: PulsarServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    if "BESTEX_PULSAR_HOME" not in os.environ and not list(cache_folder().glob("pulsar-*")):
        pytest.skip("no Pulsar to kill: `make services` fetches its jars")
    broker = Broker(tmp_path_factory.mktemp("pulsar"))
    yield broker
    broker.running.stop(signal.SIGKILL)


async def test_a_killed_broker_is_waited_for_then_refused_and_works_again_without_a_restart(broker: Broker) -> None:
    bus = await PulsarBus.open(broker.url, broker.admin_url, 1, patience_seconds=2.0)
    patient = await PulsarBus.open(broker.url, broker.admin_url, 1, patience_seconds=120.0)
    try:
        await bus.subscribe("orders", "audit")
        await bus.publish("orders", 0, "api-0", outgoing(*range(5)))
        assert bodies(await receive(bus, "audit", 2, limit=2)) == ["record 0", "record 1"]
        position = (await take(bus, 5))[1].position
        reading = asyncio.create_task(take(bus, 99, after=position))
        waiting = asyncio.create_task(take(patient, 6, after=position))
        broker.kill()
        with pytest.raises(BusUnavailable, match="does not answer"):
            await bus.publish("orders", 0, "api-0", outgoing(5))
        with pytest.raises(BusUnavailable, match="does not answer"):
            await reading
        publishing = asyncio.create_task(patient.publish("orders", 0, "market-0", outgoing(0, text="patient")))
        await asyncio.to_thread(broker.start)
        await publishing
        await bus.publish("orders", 0, "api-0", outgoing(4, 5, 6))
        whole = bodies(await take(bus, 8))
        assert [text for text in whole if text.startswith("record")] == [f"record {number}" for number in range(7)]
        assert [text for text in whole if text.startswith("patient")] == ["patient 0"]
        assert bodies(await waiting) == whole[2:8]
        heard = bodies(await receive(bus, "audit", 6))
        assert heard[-6:] == whole[2:8]
    finally:
        await bus.close()
        await patient.close()


HOLDER = """
import asyncio, sys
from bestex.adapters.pulsar.bus import PulsarBus
from bestex.ports import Outgoing

async def hold(url, admin_url):
    bus = await PulsarBus.open(url, admin_url, 1, namespace="public/holders")
    await bus.publish("orders", 0, "algorithm-3", [Outgoing(key="A", body=b"old", headers={}, sequence=0)])
    print("published", flush=True)
    await asyncio.sleep(600)

asyncio.run(hold(*sys.argv[1:]))
"""


async def test_the_name_of_a_paused_process_is_free_for_the_next_holder_within_two_seconds(broker: Broker) -> None:
    command = (sys.executable, "-c", HOLDER, broker.url, broker.admin_url)
    old = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert old.stdout is not None
    bus = await PulsarBus.open(broker.url, broker.admin_url, 1, namespace="public/holders", patience_seconds=30.0)
    try:
        assert await old.stdout.readline() == b"published\n"
        old.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        await bus.publish("orders", 0, "algorithm-3", outgoing(0, 1))
        assert time.monotonic() - started < 2.0
        old.send_signal(signal.SIGCONT)
        await bus.publish("orders", 0, "algorithm-3", outgoing(2))
        assert bodies(await take(bus, 3)) == ["old", "record 1", "record 2"]
    finally:
        old.kill()
        await old.wait()
        await bus.close()


@pytest.fixture
def place(pulsar_server: PulsarServer, pulsar_namespace: str) -> PulsarPlace:
    return PulsarPlace(pulsar_server, pulsar_namespace)


async def test_a_second_listener_goes_on_in_order_where_the_first_one_stopped(place: PulsarPlace) -> None:
    async with opened(place) as bus:
        await bus.subscribe("orders", "audit")
        await bus.publish("orders", 0, "api-0", outgoing(*range(20)))
        async with opened(place) as first:
            assert bodies(await receive(first, "audit", 5, limit=5)) == [f"record {number}" for number in range(5)]
            assert list(await bus.receive("orders", "audit", 0, 5, 0.3)) == []  # one listener of a shard at a time
        assert bodies(await receive(bus, "audit", 15)) == [f"record {number}" for number in range(5, 20)]


async def test_a_producer_of_the_same_name_elsewhere_goes_on_after_what_the_broker_has(place: PulsarPlace) -> None:
    async with opened(place) as bus:
        async with opened(place) as first:
            await first.publish("orders", 0, "algorithm-3", outgoing(*range(5)))
        await bus.publish("orders", 0, "algorithm-3", outgoing(*range(3, 8)))
        assert bodies(await take(bus, 8)) == [f"record {number}" for number in range(8)]


async def test_a_topic_that_another_process_removed_is_made_again(place: PulsarPlace) -> None:
    async with opened(place) as bus, opened(place) as other:
        await bus.publish("answers-x", 0, "api-0", outgoing(0))
        await bus.publish("answers-y", 0, "api-0", outgoing(0))
        for topic in ("answers-x", "answers-y", "answers-z"):
            await other.remove(topic)
        await bus.publish("answers-x", 0, "api-0", outgoing(1))
        await bus.publish("answers-y", 1, "api-0", outgoing(0, text="another shard"))
        assert bodies(await take(bus, 1, topic="answers-x")) == ["record 1"]
        assert bodies(await take(bus, 1, topic="answers-y", shard=1)) == ["another shard 0"]


async def test_a_topic_with_another_number_of_shards_is_refused(place: PulsarPlace) -> None:
    async with opened(place) as bus:
        await bus.publish("orders", 0, "api-0", outgoing(0))
    other = await PulsarBus.open(place.server.url, place.server.admin_url, SHARDS + 1, namespace=place.namespace)
    with pytest.raises(InvalidInput, match=f"has {SHARDS} shards on the broker"):
        await other.publish("orders", 0, "api-0", outgoing(1))
    await other.close()


async def test_a_record_that_the_broker_would_refuse_is_refused_before_any_is_sent(place: PulsarPlace) -> None:
    async with opened(place) as bus:
        records = outgoing(0) + outgoing(1, text="x" * 4_200_000)
        with pytest.raises(InvalidInput, match="too large"):
            await bus.publish("orders", 0, "api-0", records)
        assert await bus.end("orders", 0) is None


async def test_a_broker_that_is_not_there_at_the_start_is_named() -> None:
    with pytest.raises(BusUnavailable, match=r"pulsar://127\.0\.0\.1:1 .*http://127\.0\.0\.1:1.* does not answer"):
        await PulsarBus.open("pulsar://127.0.0.1:1", "http://127.0.0.1:1", SHARDS, patience_seconds=0.3)
