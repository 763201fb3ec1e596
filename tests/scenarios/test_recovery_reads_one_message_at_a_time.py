"""A long journal needs no more memory at a restart than a short one: its messages pass, they do not gather."""

import gc
from collections.abc import AsyncIterator
from typing import Any

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app import recovery
from bestex.domain.orders import Algorithm
from bestex.messages.codec import decode, encode
from bestex.messages.envelope import Message
from tests.scenarios.event_time import EventTimeDesk

HELD_AT_ONCE = 10  # the one in hand, and what the interpreter has not let go of yet


class StoredJournal(MemoryJournal):
    """As on a disk: each message is made when it is read. Counts how many readers hold at once."""

    def __init__(self, messages: list[Message[Any]]) -> None:
        super().__init__()
        self.stored = [encode(message) for message in messages]
        self.held = 0
        self.readings = 0

    async def read(self, **which: Any) -> AsyncIterator[tuple[int, Message[Any]]]:
        assert not which, "all of it"
        others = alive()
        for position, body in enumerate(self.stored, start=1):
            yield position, decode(body)
            if position % 100 == 0:
                self.held = max(self.held, alive() - others)
        self.readings += 1


def alive() -> int:
    return sum(isinstance(item, Message) for item in gc.get_objects())


def long_day() -> EventTimeDesk:
    desk = EventTimeDesk(seed=3)
    for number in range(3):
        desk.send(f"order-{number}", quantity=1_000, minutes=1, algorithm=Algorithm.TWAP)
        desk.run(seconds=100)
    desk.send("open", quantity=2_000, minutes=5, algorithm=Algorithm.VWAP)
    desk.run(seconds=30)
    return desk


async def test_recovery_holds_a_handful_of_messages_of_a_journal_of_many() -> None:
    live = long_day()
    journal = StoredJournal(live.messages)
    assert len(journal.stored) > 300
    fresh = live.fresh_desk()
    assert await recovery.recover(fresh, journal, live.journal) == 1
    assert journal.readings == 2
    assert journal.held <= HELD_AT_ONCE
    assert fresh.next_timer_ns() == live.desk.next_timer_ns()


async def test_a_reader_that_gathers_the_journal_is_caught() -> None:
    journal = StoredJournal(long_day().messages)
    gathered = [message async for _, message in journal.read()]
    assert len(gathered) == len(journal.stored)
    assert journal.held > HELD_AT_ONCE
