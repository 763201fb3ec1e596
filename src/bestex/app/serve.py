"""One process of the desk: embedded store, generated market, services, API and dashboard."""

import asyncio
import contextlib
import gc
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import structlog

from bestex.adapters.marketdata.calendars import session_at_or_after
from bestex.adapters.sql.journal import SqlJournal
from bestex.api.access import Access, ServiceHealth
from bestex.api.application import create_application
from bestex.api.audit import AuditTrail
from bestex.api.kept import warm_up
from bestex.app import free_space, http_server, identity_file, instruments, kept_market, recovery, targets
from bestex.app.caches import open_cache
from bestex.app.clock import MarketClock, PacedClock, WallClock, stopwatch_ns
from bestex.app.desk import Desk
from bestex.app.history_keeper import HistoryKeeper
from bestex.app.live_driver import LiveDriver
from bestex.app.loop_lag import watch_loop_lag
from bestex.app.metrics import STANDING
from bestex.app.settings import Settings
from bestex.app.state_lock import StateLock
from bestex.app.tracing import observing
from bestex.domain.ids import time_ordered_uuid
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.records import DeskStateRow
from bestex.ports import Batch
from bestex.services.reference.desk_reference import DeskReference
from bestex.services.reference.service import ReferenceService
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.cost_model import cost_model
from bestex.simulation.generated_reference import GeneratedReference

log = structlog.get_logger()
# The journal's thread asks for the interpreter a few times a commit; the default lets it wait 5 ms each time.
_SWITCH_SECONDS = 0.0005


@contextlib.asynccontextmanager
async def running_desk(settings: Settings) -> AsyncIterator[tuple[Access, LiveDriver]]:
    """The desk of a state directory: recovered, running, and stopped cleanly at the end."""
    journal = await SqlJournal.open_file(settings.state_dir / "desk.sqlite")
    stack = contextlib.ExitStack()
    try:
        market, seed = await kept_market.open_market(settings, journal)
        clock = PacedClock(market.now_ns, settings.speed)
        reference = DeskReference(GeneratedReference(market), session_at_or_after)
        services = targets.services(settings.target, reference, timed=True, speed=settings.speed)
        desk = Desk([ReferenceService(reference), *services], market)
        if await journal.get(DeskStateRow, "market") is None:
            await _first_start(desk, journal, seed)
        observer = stack.enter_context(observing(settings, "desk"))
        began_ns = stopwatch_ns()
        open_orders = await recovery.recover(desk, journal, journal)
        if lost := await recovery.lost_children(journal, market.now_ns):
            turn = desk.reports(lost)
            await journal.append(turn.batch)
            desk.release(turn)
        log.info("desk recovered", open_orders=open_orders, lost_children=len(lost), seed=seed)
        files = instruments.files_of(settings.state_dir, settings.instruments)
        await instruments.take_files(files, reference, desk, journal)
        driver = LiveDriver(desk, journal, clock, observer)
        observer.recovered("desk", (stopwatch_ns() - began_ns) / NS_PER_SECOND)
        # What exists now stays; walking it again in every full collection stopped the desk for 100 ms and more.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        sys.setswitchinterval(_SWITCH_SECONDS)
        keeper = HistoryKeeper(settings.state_dir / "history", journal)
        keeper.listen(driver)
        driver.start()
        work = (kept_market.keep_time_on(journal, market), keeper.run(), watch_loop_lag())
        cache = await open_cache(settings)
        beside = [asyncio.create_task(item) for item in work]
        lag = STANDING.market_lag(lambda: driver.pacer.lag_ns / NS_PER_SECOND / settings.speed)
        trail = AuditTrail(journal=journal, store=journal)
        try:
            with lag, STANDING.cache(cache.use):
                access = Access(
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
                    cost_models=(cost_model(StrategyConfig()),),
                    authentication=identity_file.authentication(settings),
                    internal_key=settings.internal_secret,
                    allowed_origins=frozenset(settings.allowed_origins),
                    cache=cache,
                    version_of=observer.versions.of,
                    limits=identity_file.limits(settings, settings.cache_url),
                    audit=trail,
                    tracer=observer.tracer,
                )
                await warm_up(access)
                yield access, driver
        finally:
            gc.unfreeze()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await cache.close()
            await driver.stop()
            await trail.settled()
            await kept_market.keep_time(journal, market)
    finally:
        stack.close()
        await journal.close()


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM. `ready` is told the address once the desk takes orders."""
    lock = StateLock(settings.state_dir)
    try:
        free_space.check(settings.state_dir, settings.free_space_mb)
        listener = http_server.bind(settings.host, settings.port)
        address = f"http://{settings.host}:{listener.getsockname()[1]}"
        lock.say(address)
        async with running_desk(settings) as (access, _):
            application = create_application(access, Path(str(files("bestex.dashboard") / "static")))
            await http_server.run(application, listener, lambda: ready(address))
    finally:
        lock.release()


async def _first_start(desk: Desk, journal: SqlJournal, seed: int) -> None:
    records: list[Any] = [kept_market.market_row(seed)]
    for service in desk.services:
        if isinstance(service, recovery.KeepsRecords):
            records.extend(service.initial_records(desk.market.now_ns))
    await journal.append(Batch(messages=(), records=records))


def _health(settings: Settings, driver: LiveDriver) -> Sequence[ServiceHealth]:
    status = "ok" if driver.is_running else "failed"
    detail = "takes work" if driver.failure is None else f"stopped: {driver.failure}"
    names = (ReferenceService.name, *targets.TARGETS[settings.target])
    return [ServiceHealth(name=name, status=status, detail=detail) for name in names]


def _about(settings: Settings, driver: LiveDriver, seed: int) -> dict[str, Any]:
    return {
        "speed": settings.speed,
        "market": {"kind": "generated", "seed": seed, "label": "generated market: no real prices"},
        "pace": {"due_ns": driver.pacer.clock.now_ns(), "wall_ns": WallClock().now_ns()},
        "feed": {"last_event_age_ms": round(driver.pacer.lag_ns / 1e6 / settings.speed, 1)},
        "target": settings.target,
    }


def _new_id(prefix: str) -> str:
    """A fresh id at the edge; everything behind it is derived."""
    return f"{prefix}_{time_ordered_uuid(WallClock().now_ns(), os.urandom(16).hex())}"
