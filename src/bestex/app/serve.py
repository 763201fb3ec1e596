"""One process of the desk: embedded store, generated market, services, API and dashboard."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from bestex.adapters.marketdata.calendars import session_at_or_after
from bestex.adapters.sql.journal import SqlJournal
from bestex.api.access import Access, ServiceHealth
from bestex.api.application import create_application
from bestex.app import instruments, recovery, targets
from bestex.app.clock import MarketClock, PacedClock, WallClock
from bestex.app.desk import Desk
from bestex.app.history_keeper import HistoryKeeper
from bestex.app.live_driver import LiveDriver
from bestex.app.settings import Settings
from bestex.app.state_lock import StateLock
from bestex.domain.errors import InvalidInput
from bestex.domain.ids import time_ordered_uuid
from bestex.messages.records import DeskStateRow
from bestex.ports import Batch
from bestex.services.reference.desk_reference import DeskReference
from bestex.services.reference.service import ReferenceService
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference

log = structlog.get_logger()
_SAVE_CLOCK_SECONDS = 5.0
# The journal's thread asks for the interpreter a few times a commit; the default lets it wait 5 ms each time.
_SWITCH_SECONDS = 0.0005


class _Server(uvicorn.Server):
    """Stops on our word: uvicorn's own handling would raise the signal again before the desk has closed its journal."""

    on_start: Callable[[], None]

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_start()

    def stop(self) -> None:
        self.should_exit = True


@contextlib.asynccontextmanager
async def running_desk(settings: Settings) -> AsyncIterator[tuple[Access, LiveDriver]]:
    """The desk of a state directory: recovered, running, and stopped cleanly at the end."""
    journal = await SqlJournal.open_file(settings.state_dir / "desk.sqlite")
    try:
        market, clock, seed = await _market(settings, journal)
        reference = DeskReference(GeneratedReference(market), session_at_or_after)
        services = targets.services(settings.target, reference, timed=True, speed=settings.speed)
        desk = Desk([ReferenceService(reference), *services], market)
        if await journal.get(DeskStateRow, "market") is None:
            await _first_start(desk, journal, seed)
        open_orders = await recovery.recover(desk, journal, journal)
        if lost := await recovery.lost_children(journal, market.now_ns):
            turn = desk.reports(lost)
            await journal.append(turn.batch)
            desk.release(turn)
        log.info("desk recovered", open_orders=open_orders, lost_children=len(lost), seed=seed)
        files = instruments.files_of(settings.state_dir, settings.instruments)
        await instruments.take_files(files, reference, desk, journal)
        driver = LiveDriver(desk, journal, clock)
        # What exists now stays; walking it again in every full collection stopped the desk for 100 ms and more.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        sys.setswitchinterval(_SWITCH_SECONDS)
        keeper = HistoryKeeper(settings.state_dir / "history", journal)
        keeper.listen(driver)
        driver.start()
        beside = [asyncio.create_task(_save_clock(journal, market)), asyncio.create_task(keeper.run())]
        try:
            yield (
                Access(
                    requests=driver,
                    store=journal,
                    journal=journal,
                    feed=driver,
                    market=market,
                    reference=reference,
                    clock=MarketClock(market),
                    wall=WallClock(),
                    health=lambda: _health(settings, driver),
                    new_id=_new_id,
                    about=lambda: _about(settings, driver, seed),
                ),
                driver,
            )
        finally:
            gc.unfreeze()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await driver.stop()
            await _keep_clock(journal, market)
    finally:
        await journal.close()


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM. `ready` is told the address once the desk takes orders."""
    lock = StateLock(settings.state_dir)
    try:
        listener = _bind(settings)
        address = f"http://{settings.host}:{listener.getsockname()[1]}"
        lock.say(address)
        async with running_desk(settings) as (access, _):
            application = create_application(access, Path(str(files("bestex.dashboard") / "static")))
            server = _Server(
                uvicorn.Config(
                    application,
                    log_config=None,
                    access_log=False,
                    timeout_graceful_shutdown=3,
                    ws_max_size=64 * 1024,
                    ws_per_message_deflate=False,  # a frame of 2 kB on loopback is sooner sent than packed
                )
            )
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, server.stop)
            server.on_start = lambda: ready(address)
            await server.serve(sockets=[listener])
    finally:
        lock.release()


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then; without it every answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise InvalidInput(
            f"port {settings.port} on {settings.host} cannot be used: {error.strerror}; give another with --port",
            field="port",
            value=settings.port,
            expected="a free port",
        ) from None
    return listener


async def _market(settings: Settings, journal: SqlJournal) -> tuple[GeneratedMarket, PacedClock, int]:
    """The market where the last run left it, or a fresh one half an hour into the latest session."""
    kept = await journal.get(DeskStateRow, "market")
    seed = settings.seed if kept is None else int(kept.value["seed"])
    clock_row = await journal.get(DeskStateRow, "clock")
    start_ns = None if clock_row is None else int(clock_row.value["time_ns"])
    last = 0
    async for _, message in journal.read(after_position=max(0, journal.last_position - 1)):
        last = message.time_ns
    if start_ns is not None or last:
        start_ns = max(start_ns or 0, last)
    market = GeneratedMarket(seed=seed, start_ns=start_ns, wall_ns=WallClock().now_ns())
    return market, PacedClock(market.now_ns, settings.speed), seed


async def _first_start(desk: Desk, journal: SqlJournal, seed: int) -> None:
    records: list[Any] = [DeskStateRow(name="market", value={"kind": "generated", "seed": seed})]
    for service in desk.services:
        if isinstance(service, recovery.KeepsRecords):
            records.extend(service.initial_records(desk.market.now_ns))
    await journal.append(Batch(messages=(), records=records))


async def _save_clock(journal: SqlJournal, market: GeneratedMarket) -> None:
    while True:
        await asyncio.sleep(_SAVE_CLOCK_SECONDS)
        await _keep_clock(journal, market)


async def _keep_clock(journal: SqlJournal, market: GeneratedMarket) -> None:
    await journal.append(Batch(messages=(), records=[DeskStateRow(name="clock", value={"time_ns": market.now_ns})]))


def _health(settings: Settings, driver: LiveDriver) -> Sequence[ServiceHealth]:
    status = "ok" if driver.is_running else "failed"
    detail = "takes work" if driver.failure is None else f"stopped: {driver.failure}"
    names = (ReferenceService.name, *targets.TARGETS[settings.target])
    return [ServiceHealth(name=name, status=status, detail=detail) for name in names]


def _about(settings: Settings, driver: LiveDriver, seed: int) -> dict[str, Any]:
    return {
        "speed": settings.speed,
        "market": {"kind": "generated", "seed": seed, "label": "generated market: no real prices"},
        "pace": {"due_ns": driver.clock.now_ns(), "wall_ns": WallClock().now_ns()},
        "feed": {"last_event_age_ms": round(driver.lag_ns / 1e6 / settings.speed, 1)},
        "target": settings.target,
    }


def _new_id(prefix: str) -> str:
    """A fresh id at the edge; everything behind it is derived."""
    return f"{prefix}_{time_ordered_uuid(WallClock().now_ns(), os.urandom(16).hex())}"
