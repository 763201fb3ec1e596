"""Keeps the leases of one process: takes its fair share, renews them, and hands over what others should have."""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bestex.app.observer import SILENT, Observer
from bestex.app.worker import Worker
from bestex.domain.errors import Fenced, StoreUnavailable
from bestex.ports import Lease, Leases

log = structlog.get_logger()

Work = Coroutine[Any, Any, None]

_DRAIN_SECONDS = 5.0


@dataclass
class _Held:
    lease: Lease
    renewed: float  # by the loop's clock, from before the database was asked
    worker: Worker
    task: asyncio.Task[None]
    beside: Sequence[asyncio.Task[None]]


class LeaseKeeper:
    """Runs a worker for each lease it holds. All processes of one service share its names evenly."""

    def __init__(
        self,
        service: str,
        names: Sequence[str],
        leases: Leases,
        instance: str,
        seconds: float,
        make_worker: Callable[[Lease, Callable[[], bool]], Awaitable[tuple[Worker, Sequence[Work]]]],
        is_unique: bool = False,
        observer: Observer = SILENT,
    ) -> None:
        """
        Args:
            service: whose processes share the names.
            names: of all leases there are for the service.
            instance: this start of this process; never used again.
            seconds: how long a lease lasts without a renewal.
            make_worker: from a lease and the question whether its worker may still send, the worker and what else
                runs for as long as the lease is held.
            is_unique: the process holds what no other can take over while it lives (a market): losing a lease, or
                its worker, ends the process.
        """
        self._service = service
        self._names = tuple(names)
        self._leases = leases
        self._instance = instance
        self._seconds = seconds
        self._make_worker = make_worker
        self._is_unique = is_unique
        self._observer = observer
        self._held: dict[str, _Held] = {}
        self._presence: Lease | None = None

    @property
    def workers(self) -> dict[str, Worker]:
        """The workers of the leases held, by name."""
        return {name: held.worker for name, held in self._held.items()}

    async def run(self) -> None:
        """For ever. What another process has taken over is dropped at once; its worker could not write any more."""
        while True:
            try:
                await self._round()
            except StoreUnavailable as error:
                log.warning("leases cannot be renewed", instance=self._instance, error=error.message)
            await asyncio.sleep(self._seconds / 6)

    async def stop(self) -> None:
        """Say what is committed, then give every lease back, so that others need not wait for it to run out."""
        for held in list(self._held.values()):
            await self._hand_over(held)
        if self._presence is not None:
            with contextlib.suppress(StoreUnavailable):
                await self._leases.release(self._presence)

    async def _round(self) -> None:
        presence = f"present-{self._service}-{self._instance}"
        self._presence = await self._leases.acquire(presence, self._instance, self._seconds)
        for held in list(self._held.values()):
            await self._renew(held)
        running = await self._leases.holders()
        present = sum(lease.name.startswith(f"present-{self._service}-") for lease in running)
        share = math.ceil(len(self._names) / max(1, present))
        for held in list(self._held.values())[share:]:
            log.info("lease handed over", name=held.lease.name, instance=self._instance)
            self._observer.lease(held.lease.name, "handed_over")
            await self._hand_over(held)
        taken = {lease.name for lease in running}
        for name in self._names:
            if len(self._held) >= share:
                break
            if name not in taken and name not in self._held:
                await self._take(name)

    async def _take(self, name: str) -> None:
        asked = asyncio.get_running_loop().time()
        lease = await self._leases.acquire(name, self._instance, self._seconds)
        if lease is None:
            return
        log.info("lease taken", name=name, epoch=lease.epoch, instance=self._instance)
        self._observer.lease(name, "taken")
        try:
            worker, beside = await self._make_worker(lease, lambda: self._may_send(name))
        except BaseException:
            with contextlib.suppress(StoreUnavailable):
                await self._leases.release(lease)
            raise
        task = asyncio.create_task(worker.run(), name=name)
        self._held[name] = _Held(lease, asked, worker, task, [asyncio.create_task(work) for work in beside])

    async def _renew(self, held: _Held) -> None:
        if held.task.done():
            await self._ended(held)
            return
        asked = asyncio.get_running_loop().time()
        if await self._leases.renew(held.lease):
            held.renewed = asked
        else:
            log.warning("lease lost", name=held.lease.name, epoch=held.lease.epoch, instance=self._instance)
            self._observer.lease(held.lease.name, "lost")
            await self._drop(held)
            if self._is_unique:
                raise Fenced(f"the lease {held.lease.name} ran out or is another's; this process ends", field="lease")

    async def _ended(self, held: _Held) -> None:
        """A worker that stopped by itself: fenced, or broken. Broken ones start afresh under a new lease."""
        error = held.task.exception()
        log.error("worker stopped", name=held.lease.name, instance=self._instance, error=repr(error))
        self._observer.lease(held.lease.name, "lost" if isinstance(error, Fenced) else "broken")
        await self._drop(held)
        if not isinstance(error, Fenced):
            await self._leases.release(held.lease)
        if self._is_unique and error is not None:
            raise error

    async def _hand_over(self, held: _Held) -> None:
        await held.worker.drain(_DRAIN_SECONDS)
        await self._drop(held)
        with contextlib.suppress(StoreUnavailable):
            await self._leases.release(held.lease)

    async def _drop(self, held: _Held) -> None:
        self._held.pop(held.lease.name, None)
        for task in (held.task, *held.beside):
            task.cancel()
        await asyncio.gather(held.task, *held.beside, return_exceptions=True)

    def _may_send(self, name: str) -> bool:
        """Until half the lease has passed without a renewal, by this process's own clock."""
        held = self._held.get(name)
        if held is None:
            return False
        return asyncio.get_running_loop().time() - held.renewed < held.lease.seconds / 2
