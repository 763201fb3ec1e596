"""The generated market of a store: where the last run left it, or a fresh one half an hour into the latest session."""

import asyncio
from typing import Protocol

from bestex.app.clock import WallClock
from bestex.app.settings import Settings
from bestex.messages.records import DeskStateRow
from bestex.ports import Batch, Journal, Lease, Store
from bestex.simulation.generated_market import GeneratedMarket

_SAVE_SECONDS = 5.0


class KeptJournal(Journal, Store, Protocol):
    @property
    def last_position(self) -> int: ...


async def open_market(settings: Settings, journal: KeptJournal) -> tuple[GeneratedMarket, int]:
    """The market and its seed, which the first start chooses for good."""
    kept = await journal.get(DeskStateRow, "market")
    seed = settings.seed if kept is None else int(kept.value["seed"])
    clock_row = await journal.get(DeskStateRow, "clock")
    start_ns = settings.start_ns if clock_row is None else int(clock_row.value["time_ns"])
    last = 0
    async for _, message in journal.read(after_position=max(0, journal.last_position - 1)):
        last = message.time_ns
    if start_ns is not None or last:
        start_ns = max(start_ns or 0, last)
    return GeneratedMarket(seed=seed, start_ns=start_ns, wall_ns=WallClock().now_ns()), seed


def market_row(seed: int) -> DeskStateRow:
    return DeskStateRow(name="market", value={"kind": "generated", "seed": seed})


async def keep_time(journal: Journal, market: GeneratedMarket, lease: Lease | None = None) -> None:
    """A restart goes on from here."""
    row = DeskStateRow(name="clock", value={"time_ns": market.now_ns})
    await journal.append(Batch(messages=(), records=[row], lease=lease))


async def keep_time_on(journal: Journal, market: GeneratedMarket, lease: Lease | None = None) -> None:
    """For ever."""
    while True:
        await asyncio.sleep(_SAVE_SECONDS)
        await keep_time(journal, market, lease)
