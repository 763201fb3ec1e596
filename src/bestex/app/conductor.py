"""Event time over several processes: the market waits until everybody has heard and said everything of an instant.

Each worker tells how far it has read each stream, in one report after everything it has read is committed, everything
that led to is published, and what it published has come back to it. The desk is at rest when, by the newest reports,
everyone who reads a stream has read it equally far. A record beyond a report is always the consequence of a read beyond
a report, so an old report can hide nothing. Positions are durable: a worker may die and another go on in its place.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from bestex.app.desk import Desk
from bestex.app.host import Turn
from bestex.app.worker import Stream, Worker
from bestex.domain.time import NS_PER_MILLISECOND
from bestex.ports import Bus, Outgoing

SETTLED = "settled"  # topic of the reports
_VOLUME_STEP_NS = 100 * NS_PER_MILLISECOND


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """How far a worker has read, by stream, with everything that followed from it said."""

    worker: str
    epoch: int  # of its lease; 0 without one
    positions: dict[str, str]


class Reporter:
    """Publishes how far a worker is whenever it has settled."""

    def __init__(self, worker: Worker, bus: Bus) -> None:
        self._worker, self._bus = worker, bus
        self._changed = asyncio.Event()
        self._number = 0
        # The bus remembers a producer's numbers for longer than a process lives.
        self._producer = f"{worker.name}-settled-{time.time_ns()}"
        worker.when_settled(self._changed.set)

    async def run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            body = msgspec.json.encode(settled(self._worker))
            self._number += 1
            record = Outgoing(key=self._worker.name, body=body, headers={}, sequence=self._number)
            await self._bus.publish(SETTLED, 0, self._producer, [record])


def settled(worker: Worker) -> Settled:
    epoch = 0 if worker.lease is None else worker.lease.epoch
    return Settled(worker=worker.name, epoch=epoch, positions=dict(worker.positions))


class Conductor:
    """Drives the process that keeps the market. `readers`: for every other worker, the streams it reads."""

    def __init__(
        self, worker: Worker, desk: Callable[[], Desk], bus: Bus, readers: Mapping[str, Sequence[Stream]]
    ) -> None:
        self._worker, self._desk, self._bus = worker, desk, bus
        self._readers = {name: [f"{topic}/{shard}" for topic, shard in streams] for name, streams in readers.items()}
        self._reports: dict[str, Settled] = {}
        self._changed = asyncio.Event()
        worker.when_settled(self._changed.set)
        self.instants = 0

    @property
    def desk(self) -> Desk:
        return self._desk()

    async def listen(self) -> None:
        """Take the other workers' reports, from now on."""
        async for group in self._bus.read(SETTLED, 0, after=await self._bus.end(SETTLED, 0)):
            for delivery in group:
                report = msgspec.json.decode(delivery.body, type=Settled)
                newest = self._reports.get(report.worker)
                if newest is None or report.epoch >= newest.epoch:
                    self._reports[report.worker] = report
            self._changed.set()

    async def rest(self) -> None:
        """Return when nothing is under way."""
        while not self._is_at_rest():
            await self._changed.wait()
            self._changed.clear()

    async def run_until(self, until_ns: int, is_over: Callable[[], bool] = lambda: False) -> None:
        """Let the market, the venues' answers and the timers happen in their order up to `until_ns`."""
        desk = self.desk
        while True:
            await self.rest()
            if is_over():
                return
            if turns := self._due(desk):
                await self._worker.take(turns)
                continue
            if desk.market.now_ns >= until_ns:
                return
            goal = until_ns
            if (timer_ns := desk.next_timer_ns()) is not None:
                goal = min(goal, timer_ns)
            if desk.watches_market:
                goal = min(goal, desk.market.now_ns + _VOLUME_STEP_NS)
            self.instants += 1
            if reports := desk.advance(max(goal, desk.market.now_ns)):
                await self._worker.take([desk.reports(reports)])

    async def take(self, turns: Sequence[Turn]) -> None:
        """Commit turns that begin here, and rest."""
        await self._worker.take(turns)
        await self.rest()

    def _due(self, desk: Desk) -> list[Turn]:
        turns = []
        while (turn := desk.timer_turn()) is not None:
            turns.append(turn)
        return turns

    def _is_at_rest(self) -> bool:
        if not self._worker.is_idle:
            return False
        own = self._worker.positions
        furthest = {f"{topic}/{shard}": own.get(f"{topic}/{shard}") for topic, shard in self._worker.reads}
        for name, streams in self._readers.items():
            report = self._reports.get(name)
            for stream in streams:
                position = None if report is None else report.positions.get(stream)
                if position != furthest.setdefault(stream, position):
                    return False
        return True
