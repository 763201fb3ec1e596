"""Watches whether workers go on: one that stands still behind the end of a stream is stuck, or its bus is lost."""

import asyncio
from collections.abc import Callable, Iterable

from bestex.app import metrics
from bestex.app.worker import Stream, Worker
from bestex.domain.errors import BusUnavailable
from bestex.ports import Bus

_EVERY_SECONDS = 2.0


class BusLag:
    """Positions are opaque, so lag is told in seconds: how long a worker has stood still behind an end."""

    def __init__(self, bus: Bus, workers: Callable[[], Iterable[Worker]]) -> None:
        self._bus = bus
        self._workers = workers
        self._stuck: dict[tuple[str, Stream], tuple[str | None, float]] = {}  # -> (position, since)

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_SECONDS)

    async def look(self) -> None:
        """Set `bestex_bus_lag_seconds` of every worker. While the bus is lost, the last figures go on growing."""
        now = asyncio.get_running_loop().time()
        for worker in tuple(self._workers()):
            lags = [await self._lag(worker, stream, now) for stream in worker.reads]
            metrics.BUS_LAG_SECONDS.labels(worker.name).set(max(lags, default=0.0))

    async def _lag(self, worker: Worker, stream: Stream, now: float) -> float:
        key, position = (worker.name, stream), worker.position(stream)
        try:
            end = await self._bus.end(*stream)
        except BusUnavailable:
            end = None if key not in self._stuck else "unknown"
        if end is None or end == position:
            self._stuck.pop(key, None)
            return 0.0
        before, since = self._stuck.get(key, (position, now))
        if before != position:
            since = now
        self._stuck[key] = (position, since)
        return now - since
