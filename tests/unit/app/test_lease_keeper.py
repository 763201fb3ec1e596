"""Processes of one service share its leases evenly, take over from the dead, and never work under a lost one."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bestex.adapters.memory.leases import MemoryLeases
from bestex.app.lease_keeper import LeaseKeeper, Work
from bestex.domain.errors import Fenced
from bestex.ports import Lease

NAMES = ("algorithm-0", "algorithm-1", "algorithm-2", "algorithm-3")
SECONDS = 0.6


class Idle:
    """A worker that works until it is stopped, or breaks when told."""

    def __init__(self, lease: Lease, may_send: Callable[[], bool]) -> None:
        self.lease, self.may_send = lease, may_send
        self.broken = asyncio.Event()

    async def run(self) -> None:
        await self.broken.wait()
        raise ZeroDivisionError("a worker that broke")

    async def drain(self, seconds: float) -> None:
        pass


class Process:
    """One process of the service."""

    def __init__(self, leases: MemoryLeases, instance: str, *, is_unique: bool = False) -> None:
        self.keeper = LeaseKeeper("algorithm", NAMES, leases, instance, SECONDS, self._make, is_unique)
        self.task = asyncio.create_task(self.keeper.run())

    async def _make(self, lease: Lease, may_send: Callable[[], bool]) -> tuple[Any, Sequence[Work]]:
        return Idle(lease, may_send), []

    @property
    def held(self) -> set[str]:
        return set(self.keeper.workers)

    async def freeze(self) -> None:
        """As SIGKILL does: no renewal, nothing given back."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def leases() -> MemoryLeases:
    return MemoryLeases(lambda: int(asyncio.get_running_loop().time() * 1e9))


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - there is no event for what a process holds
            await asyncio.sleep(0.01)


@pytest.fixture
async def started() -> Any:
    running: list[Process] = []
    yield running
    for process in running:
        await process.freeze()


async def test_one_process_works_everything_and_two_share_it_evenly(started: list[Process]) -> None:
    table = leases()
    started.append(first := Process(table, "a"))
    await until(lambda: first.held == set(NAMES))
    started.append(second := Process(table, "b"))
    await until(lambda: len(first.held) == len(second.held) == 2)
    assert first.held | second.held == set(NAMES)


async def test_the_share_of_a_dead_process_goes_to_the_living_with_a_higher_epoch(started: list[Process]) -> None:
    table = leases()
    started += [Process(table, "a"), Process(table, "b")]
    first, second = started
    await until(lambda: len(first.held) == len(second.held) == 2)
    before = {name: worker.lease.epoch for name, worker in second.keeper.workers.items() if worker.lease}
    await second.freeze()
    began = asyncio.get_running_loop().time()
    await until(lambda: first.held == set(NAMES))
    assert asyncio.get_running_loop().time() - began <= SECONDS + 1.0
    taken = {name: worker.lease.epoch for name, worker in first.keeper.workers.items() if worker.lease}
    assert all(taken[name] > epoch for name, epoch in before.items())


async def test_a_process_that_stops_gives_its_leases_back_at_once(started: list[Process]) -> None:
    table = leases()
    started += [Process(table, "a"), Process(table, "b")]
    first, second = started
    await until(lambda: len(first.held) == len(second.held) == 2)
    await second.freeze()
    await second.keeper.stop()
    assert {lease.holder for lease in await table.holders()} == {"a"}
    await until(lambda: first.held == set(NAMES))


async def test_nothing_is_sent_after_half_a_lease_without_a_renewal(started: list[Process]) -> None:
    started.append(process := Process(leases(), "a"))
    await until(lambda: process.held == set(NAMES))
    worker: Any = process.keeper.workers[NAMES[0]]
    assert worker.may_send()
    await process.freeze()
    await asyncio.sleep(SECONDS / 2 + 0.05)
    assert not worker.may_send()


async def test_a_worker_that_breaks_starts_afresh_under_a_new_epoch(started: list[Process]) -> None:
    started.append(process := Process(leases(), "a"))
    await until(lambda: process.held == set(NAMES))
    broken: Any = process.keeper.workers[NAMES[0]]
    broken.broken.set()
    await until(lambda: process.keeper.workers.get(NAMES[0]) not in (None, broken))
    renewed: Any = process.keeper.workers[NAMES[0]]
    assert renewed.lease.epoch == broken.lease.epoch + 1


async def test_losing_what_cannot_be_taken_over_ends_the_process() -> None:
    table = leases()
    process = Process(table, "a", is_unique=True)
    await until(lambda: process.held == set(NAMES))
    table._granted.clear()
    await table.acquire(NAMES[0], "somebody else", 60.0)
    with pytest.raises(Fenced):
        await asyncio.wait_for(process.task, 5.0)
