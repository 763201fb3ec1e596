"""The live driver, with a journal whose disk is slow."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.clock import PacedClock
from bestex.app.desk import Desk
from bestex.app.host import Turn
from bestex.app.live_driver import LiveDriver
from bestex.domain.errors import Conflict, VenueUnavailable
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.orders import CancelOrder
from bestex.ports import Batch
from tests.unit.app.test_desk import Opener, Sender, StillMarket, order


class SlowJournal(MemoryJournal):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def append(self, batch: Batch) -> Sequence[int]:
        await asyncio.sleep(self.seconds)
        return self.write(batch)


class FullDisk(MemoryJournal):
    async def append(self, batch: Batch) -> Sequence[int]:
        raise OSError(28, "No space left on device")


class OpenMarket(StillMarket):
    def instruments(self) -> Sequence[Any]:
        return ()


def driver(journal: MemoryJournal, speed: float = 1.0) -> LiveDriver:
    market = OpenMarket()
    return LiveDriver(Desk([Opener(), Sender()], market), journal, PacedClock(market.now_ns, speed))  # type: ignore[arg-type]


async def test_an_answer_comes_only_after_its_turn_is_durable() -> None:
    live = driver(SlowJournal(0.05))
    live.start()
    asked = asyncio.create_task(live.ask("opener", order(), order_id="A"))
    await asyncio.sleep(0.02)
    assert not asked.done()
    assert live.desk.market.submitted == []  # type: ignore[attr-defined]
    assert await asked == "created"
    assert len(live.desk.market.submitted) == 1  # type: ignore[attr-defined]
    await live.stop()


async def test_the_market_waits_for_a_slow_disk_instead_of_running_away_from_our_orders() -> None:
    live = driver(SlowJournal(0.3), speed=1000.0)
    live.start()
    asked = asyncio.create_task(live.ask("opener", order(), order_id="A"))
    await asyncio.sleep(0.2)  # 200 desk seconds
    assert live.desk.market.now_ns <= live.desk.time_ns
    await asked
    assert live.desk.market.submitted[0].child_order_id == "A-0001-001"  # type: ignore[attr-defined]
    await live.stop()


async def test_a_desk_that_cannot_keep_up_slips_instead_of_running_after_the_wall() -> None:
    live = driver(SlowJournal(0.4), speed=1000.0)
    live.start()
    await live.ask("opener", order(), order_id="A")
    await asyncio.sleep(0.05)
    assert live.pacer.clock.now_ns() < live.desk.market.now_ns + 300 * NS_PER_SECOND
    await live.stop()


async def test_a_desk_with_much_to_do_gives_way_to_requests_every_few_milliseconds() -> None:
    class Busy(Desk):
        def timer_turn(self) -> Turn:
            time.sleep(0.001)
            return Turn(time_ns=self.time_ns)

    market = OpenMarket()
    live = LiveDriver(Busy([Opener(), Sender()], market), MemoryJournal(), PacedClock(market.now_ns, 1.0))  # type: ignore[arg-type]
    live.start()
    longest, before = 0.0, time.perf_counter()
    for _ in range(10):
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    assert await live.ask("opener", order(), order_id="A") == "created"
    await live.stop()
    assert longest < 0.1  # a hundred turns at once would be 0.1 s and more


async def test_listeners_hear_durable_messages_in_position_order() -> None:
    live = driver(MemoryJournal())
    heard: list[int] = []
    live.subscribe(lambda position, _: heard.append(position))
    live.start()
    await asyncio.gather(*(live.ask("opener", order(), order_id="A") for _ in range(1)))
    await live.stop()
    assert heard == list(range(1, len(heard) + 1))
    assert len(heard) >= 3


async def test_a_refusal_reaches_the_one_who_asked_and_the_desk_goes_on() -> None:
    live = driver(MemoryJournal())
    live.start()
    with pytest.raises(Conflict):
        await live.ask("opener", CancelOrder(order_id="A", actor="x"), order_id="A")
    assert await live.ask("opener", order(), order_id="A") == "created"
    await live.stop()


async def test_a_full_disk_stops_the_desk_visibly_and_sends_nothing() -> None:
    live = driver(FullDisk())
    live.start()
    with pytest.raises(VenueUnavailable, match="No space left"):
        await asyncio.wait_for(live.ask("opener", order(), order_id="A"), 2)
    assert live.failure is not None
    assert not live.is_running
    assert live.desk.market.submitted == []  # type: ignore[attr-defined]
    with pytest.raises(VenueUnavailable):
        await live.ask("opener", order(), order_id="A")
    await live.stop()
