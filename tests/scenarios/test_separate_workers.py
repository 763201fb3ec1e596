"""Separate workers on a bus give the ledger, the costs and the grades of one process, whatever the bus repeats."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from bestex.adapters.memory.bus import MemoryBus
from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.host import Host
from bestex.app.worker import Worker
from bestex.domain.errors import Conflict, Fenced
from bestex.messages.codec import encode
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.messages.orders import OrderAmended, OrderCancelled
from bestex.messages.records import ParkedRow
from bestex.messages.streams import ORDERS
from bestex.ports import Delivery, Lease, Outgoing
from tests.scenarios.separate_workers import SeparateWorkers, in_one_process, small_orders

ORDERS_SENT = 6


class RepeatingBus(MemoryBus):
    """Gives every tenth group a second time, as a bus does that promises at least once."""

    def __init__(self, shards: int, seed: int) -> None:
        super().__init__(shards, lambda: 0)
        self._randomness = random.Random(seed)

    async def read(self, topic: str, shard: int, *, after: str | None) -> AsyncIterator[Sequence[Delivery]]:
        async for group in super().read(topic, shard, after=after):
            yield group
            if topic == ORDERS and self._randomness.random() < 0.1:
                yield group


def test_separate_workers_give_what_one_process_gives() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    parents = small_orders(ORDERS_SENT, seed)

    async def story() -> SeparateWorkers:
        desk = SeparateWorkers(seed=seed)
        async with desk.running():
            await desk.work(parents)
        return desk

    desk = asyncio.run(story())
    assert desk.executed == in_one_process(parents, seed)
    assert not any(worker.parked for worker in desk.workers.values())


def test_what_the_bus_repeats_changes_nothing() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    parents = small_orders(3, seed)

    async def story() -> SeparateWorkers:
        desk = SeparateWorkers(seed=seed, bus=RepeatingBus(4, seed))
        async with desk.running():
            await desk.work(parents)
        return desk

    desk = asyncio.run(asyncio.wait_for(story(), 120))
    assert sum(worker.repeated for worker in desk.workers.values()) > 0
    assert desk.executed == in_one_process(parents, seed)


class Fragile:
    """Breaks on the second message of order B, until it is mended."""

    name = "fragile"
    takes = frozenset({"order_cancelled"})
    mended = False

    def __init__(self) -> None:
        self.heard: list[str] = []

    def handle(self, message: Message[Any]) -> Effects:
        if message.order_id == "B" and message.sequence == 2 and not Fragile.mended:
            raise ZeroDivisionError("a step that broke")
        self.heard.append(f"{message.order_id}{message.sequence}")
        return Effects()

    def state(self, order_id: str) -> object:
        return tuple(item for item in self.heard if item.startswith(order_id))


def fact(order_id: str, sequence: int) -> Outgoing:
    message: Message[Any] = Message(
        event_id=f"{order_id}-{sequence}",
        event_type="order_cancelled",
        schema_version=1,
        time_ns=sequence,
        source_service="desk-elsewhere",
        order_id=order_id,
        sequence=sequence,
        causation_id=None,
        correlation_id="x",
        payload=OrderCancelled(order_id=order_id, actor="x"),
    )
    headers = {"event_type": "order_cancelled", "source": "desk-elsewhere", "sequence": str(sequence)}
    return Outgoing(key=order_id, body=encode(message), headers=headers, sequence=_number())


_count = iter(range(1, 10**9))


def _number() -> int:
    return next(_count)


@pytest.fixture
def mended() -> Any:
    Fragile.mended = False
    yield
    Fragile.mended = False


async def _settle(worker: Worker) -> None:
    for _ in range(200):
        await asyncio.sleep(0)


def test_an_order_that_breaks_its_service_is_parked_and_the_others_go_on(mended: None) -> None:
    async def story() -> None:
        bus, journal = MemoryBus(1, lambda: 0), MemoryJournal()
        worker = Worker("fragile", lambda: Host([Fragile()]), journal, bus, [(ORDERS, 0)])
        task = asyncio.create_task(worker.run())
        await worker.ready.wait()
        sent = [fact("A", 1), fact("B", 1), fact("B", 2), fact("A", 2), fact("B", 3)]
        await bus.publish(ORDERS, 0, "x", sent)
        await _settle(worker)
        service = worker.host.services[0]
        assert service.state("A") == ("A1", "A2")
        assert service.state("B") == ("B1",)
        assert worker.parked == {"B": 2}
        rows = (await journal.find(ParkedRow)).rows
        assert [row.reason for row in rows] == ["ZeroDivisionError: a step that broke", "after a parked message"]
        Fragile.mended = True
        assert await worker.release("B", actor="operator") == 2
        assert worker.host.services[0].state("B") == ("B1", "B2", "B3")
        assert [row.actor for row in (await journal.find(ParkedRow)).rows] == ["operator", "operator"]
        with pytest.raises(Conflict):
            await worker.release("B", actor="operator")
        task.cancel()

    asyncio.run(story())


def test_a_missing_message_parks_its_order() -> None:
    async def story() -> None:
        bus, journal = MemoryBus(1, lambda: 0), MemoryJournal()
        worker = Worker("fragile", lambda: Host([Fragile()]), journal, bus, [(ORDERS, 0)])
        task = asyncio.create_task(worker.run())
        await worker.ready.wait()
        await bus.publish(ORDERS, 0, "x", [fact("A", 1), fact("A", 3)])
        await _settle(worker)
        assert worker.host.services[0].state("A") == ("A1",)
        assert worker.parked == {"A": 1}
        task.cancel()

    asyncio.run(story())


def test_an_earlier_epoch_is_refused() -> None:
    async def story() -> None:
        bus, journal = MemoryBus(1, lambda: 0), MemoryJournal()
        worker = Worker("fragile", lambda: Host([Fragile()]), journal, bus, [(ORDERS, 0)])
        task = asyncio.create_task(worker.run())
        await worker.ready.wait()

        def under(epoch: int, record: Outgoing) -> Outgoing:
            headers = record.headers | {"lease": "desk-elsewhere-0", "epoch": str(epoch)}
            return Outgoing(key=record.key, body=record.body, headers=headers, sequence=record.sequence)

        await bus.publish(ORDERS, 0, "x", [under(1, fact("A", 1)), under(2, fact("A", 2)), under(1, fact("A", 3))])
        await _settle(worker)
        assert worker.host.services[0].state("A") == ("A1", "A2")
        assert worker.stale == 1
        task.cancel()

    asyncio.run(story())


def test_a_worker_whose_lease_may_have_run_out_says_nothing() -> None:
    async def story() -> int:
        bus = MemoryBus(1, lambda: 0)
        lease = Lease(name="parrot", holder="me", epoch=1, seconds=3.0)
        worker = Worker(
            "parrot", lambda: Host([Parrot()]), MemoryJournal(), bus, [(ORDERS, 0)], lease=lease, may_send=lambda: False
        )
        task = asyncio.create_task(worker.run())
        await worker.ready.wait()
        await bus.publish(ORDERS, 0, "x", [fact("A", 1)])
        with pytest.raises(Fenced):
            await task
        return len(bus._shard(ORDERS, 0).records)

    assert asyncio.run(story()) == 1


class Parrot:
    """Says something of whatever it hears."""

    name = "parrot"
    takes = frozenset({"order_cancelled"})

    def handle(self, message: Message[Any]) -> Effects:
        return Effects(events=[(message.order_id, OrderAmended(order_id=message.order_id, actor="parrot"))])

    def state(self, order_id: str) -> object:
        return None


def test_what_was_committed_and_not_published_goes_out_first_after_a_restart() -> None:
    async def story() -> list[str]:
        bus, journal = MemoryBus(1, lambda: 0), MemoryJournal()
        lease = Lease(name="parrot", holder="me", epoch=1, seconds=3.0)
        await bus.publish(ORDERS, 0, "x", [fact("A", 1), fact("A", 2)])
        mute = Worker(
            "parrot", lambda: Host([Parrot()]), journal, bus, [(ORDERS, 0)], lease=lease, may_send=lambda: False
        )
        with pytest.raises(Fenced):
            await mute.run()
        worker = Worker("parrot", lambda: Host([Parrot()]), journal, bus, [(ORDERS, 0)])
        task = asyncio.create_task(worker.run())
        await worker.ready.wait()
        await bus.publish(ORDERS, 0, "x", [fact("A", 3)])
        await _settle(worker)
        task.cancel()
        return [r.headers["sequence"] for r in bus._shard(ORDERS, 0).records if r.headers["source"] == "parrot"]

    assert asyncio.run(story()) == ["1", "2", "3"]
