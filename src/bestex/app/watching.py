"""What a process of its own watches about itself, beside its work."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from bestex.app.bus_lag import BusLag
from bestex.app.loop_lag import watch_loop_lag
from bestex.app.market_feed import RemoteMarket
from bestex.app.metrics import STANDING
from bestex.app.separate import Separate
from bestex.domain.time import NS_PER_SECOND


@contextlib.asynccontextmanager
async def watched(process: Separate) -> AsyncIterator[None]:
    """While inside, the lags of the loop, the bus and the market are measured."""
    bus = BusLag(process.bus, process.keeper.workers.values)
    tasks = [asyncio.create_task(watch_loop_lag()), asyncio.create_task(bus.run())]

    def market_lag_seconds() -> float:
        if isinstance(process.market, RemoteMarket):
            return process.market.lag_ns / NS_PER_SECOND / process.settings.speed
        return process.pacer.lag_ns / NS_PER_SECOND / process.settings.speed if process.pacer else 0.0

    try:
        with STANDING.market_lag(market_lag_seconds):
            yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
