"""Runs the desk beside the wall clock: requests come at any time, turns share commits, listeners hear durable facts."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from bestex.app.clock import PacedClock, stopwatch_ns
from bestex.app.desk import Desk
from bestex.app.host import Turn
from bestex.app.observer import SILENT, Observer
from bestex.app.pacer import Pacer
from bestex.domain.errors import VenueUnavailable
from bestex.messages.codec import client_json
from bestex.messages.envelope import Message, Payload
from bestex.messages.records import IdempotencyRow
from bestex.ports import Idempotency, Journal

log = structlog.get_logger()


class LiveDriver:
    """`Requests` and `Feed` over one desk. One task paces the market, one commits; both stop with `stop`."""

    def __init__(self, desk: Desk, journal: Journal, clock: PacedClock, observer: Observer = SILENT) -> None:
        self.desk = desk
        self._observer = observer
        desk.step = observer.step
        self.journal = journal
        self.pacer = Pacer(desk, clock)
        self.failure: BaseException | None = None
        self._listeners: list[Callable[[int, Message[Any]], None]] = []
        self._unsent: deque[tuple[Turn, asyncio.Future[Any] | None]] = deque()
        self._outbound = 0  # turns with orders for the market that are not durable yet
        self._wake = asyncio.Event()
        self._released = asyncio.Event()
        self._released.set()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._guarded(self._pace())),
            asyncio.create_task(self._guarded(self._commit())),
        ]

    async def stop(self) -> None:
        """Take no more turns, commit what was taken, then return."""
        self._stopping = True
        self._wake.set()
        self._released.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def is_running(self) -> bool:
        return bool(self._tasks) and self.failure is None and not self._stopping

    async def ask(
        self, service: str, payload: Payload, *, order_id: str, idempotency: Idempotency | None = None
    ) -> Any:
        if not self.is_running:
            raise VenueUnavailable("the desk is not running; its last error is in the log and in /readyz")
        turn = self.desk.request(
            service,
            payload,
            order_id=order_id,
            time_ns=self.desk.market.now_ns,  # desk time is the market's, also while it lags behind the clock
            correlation_id=None,
        )
        if idempotency is not None:
            turn.records.append(
                IdempotencyRow(
                    idempotency_key=idempotency.key,
                    request_digest=idempotency.request_digest,
                    response=client_json(turn.answer).decode(),
                    created_at_ns=turn.time_ns,
                )
            )
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._send(turn, done)
        await done
        return turn.answer

    def subscribe(self, listener: Callable[[int, Message[Any]], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def _pace(self) -> None:
        while not self._stopping:
            # The market waits until orders for it are durable: a slow disk costs wall time, never market time.
            await self._released.wait()
            for turn in self.pacer.tick():
                self._send(turn, None)
                if not self._released.is_set():
                    break
            await asyncio.sleep(self.pacer.pause_seconds)

    def _send(self, turn: Turn, done: asyncio.Future[Any] | None) -> None:
        self._unsent.append((turn, done))
        if turn.is_outbound:
            self._outbound += 1
            self._released.clear()
        self._wake.set()

    async def _commit(self) -> None:
        """Group commit: whatever gathered during the last commit goes into the next one."""
        while not (self._stopping and not self._unsent):
            await self._wake.wait()
            self._wake.clear()
            while self._unsent:
                taken = list(self._unsent)
                self._unsent.clear()
                began_ns = stopwatch_ns()
                try:
                    positions = await asyncio.gather(*(self.journal.append(turn.batch) for turn, _ in taken))
                except BaseException as error:
                    _refuse([done for _, done in taken], error)
                    raise
                turns = [turn for turn, _ in taken]
                said = [message for turn in turns for message in turn.messages]
                self._observer.committed("desk", began_ns, turns, said, sends=True)
                for (turn, done), numbers in zip(taken, positions, strict=True):
                    self.desk.release(turn)
                    if turn.is_outbound:
                        self._outbound -= 1
                    self._tell(turn, numbers)
                    if done is not None and not done.done():
                        done.set_result(None)
                if not self._outbound:
                    self._released.set()

    def _tell(self, turn: Turn, positions: Sequence[int]) -> None:
        for position, message in zip(positions, turn.messages, strict=True):
            for listener in tuple(self._listeners):
                listener(position, message)

    async def _guarded(self, work: Any) -> None:
        """A broken invariant or a lost disk stops the desk, visibly: no more turns, and everyone waiting is told."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            log.exception("desk stopped")
            self.failure = error
            self._stopping = True
            self._wake.set()
            self._released.set()
            _refuse([done for _, done in self._unsent], error)


def _refuse(waiting: Sequence[asyncio.Future[Any] | None], error: BaseException) -> None:
    for done in waiting:
        if done is not None and not done.done():
            done.set_exception(VenueUnavailable(f"the desk stopped: {error}"))
