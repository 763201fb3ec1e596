"""Event time over several processes: the market waits until everybody has heard and said everything of an instant.

Each worker tells how many records it has read from and published to each stream, in one report after everything it has
read is committed and everything that led to is published. The desk is at rest when, by the newest reports, every stream
has been read to its end by everyone who reads it. A record that is published but not reported is always the consequence
of a read that is not reported either, so an old report can hide nothing.
"""

import asyncio
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
    """What a worker has read and published since its start."""

    worker: str
    read: dict[str, int]
    published: dict[str, int]


class Reporter:
    """Publishes a worker's counts whenever it has settled."""

    def __init__(self, worker: Worker, bus: Bus) -> None:
        self._worker, self._bus = worker, bus
        self._changed = asyncio.Event()
        self._number = 0
        worker.when_settled(self._changed.set)

    async def run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            body = msgspec.json.encode(settled(self._worker))
            self._number += 1
            record = Outgoing(key=self._worker.name, body=body, headers={}, sequence=self._number)
            await self._bus.publish(SETTLED, 0, f"{self._worker.name}-settled-{id(self)}", [record])


def settled(worker: Worker) -> Settled:
    counts = {
        kind: {f"{topic}/{shard}": number for (topic, shard), number in streams.items()}
        for kind, streams in worker.counts.items()
    }
    return Settled(worker=worker.name, read=counts["read"], published=counts["published"])


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
        if self._worker.outbox or not self._worker.is_idle:
            return False
        own = settled(self._worker)
        reports = [own, *self._reports.values()]
        total: dict[str, int] = {}
        for report in reports:
            for stream, count in report.published.items():
                total[stream] = total.get(stream, 0) + count
        readers = {**self._readers, own.worker: [f"{topic}/{shard}" for topic, shard in self._worker.reads]}
        by_name = {report.worker: report for report in reports}
        for name, streams in readers.items():
            report_of = by_name.get(name)
            for stream in streams:
                if total.get(stream, 0) != (0 if report_of is None else report_of.read.get(stream, 0)):
                    return False
        return True
