"""Serves one target of the separate desk: its worker, and the HTTP routes of its services."""

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any

from bestex.api.access import Access, ServiceHealth
from bestex.api.application import create_application
from bestex.api.audit import AuditTrail
from bestex.app import http_server, identity_file, separate, start_checks
from bestex.app.agreement import WithheldOrders
from bestex.app.clock import MarketClock, WallClock
from bestex.app.market_feed import RemoteMarket
from bestex.app.separate import Separate
from bestex.app.settings import Settings
from bestex.app.watching import watched

_SWITCH_SECONDS = 0.0005  # the interpreter is handed on this often, so that no thread waits long for it


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM. `ready` is told the address once requests are taken."""
    listener = http_server.bind(settings.host, settings.port)
    address = f"http://{settings.host}:{listener.getsockname()[1]}"
    async with start_checks.started(settings) as process, watched(process):
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        sys.setswitchinterval(_SWITCH_SECONDS)
        application = create_application(access_of(process), target=settings.target)
        try:
            await http_server.run(application, listener, lambda: ready(address), until=process.broken)
        finally:
            gc.unfreeze()
        if process.broken.done():
            raise process.broken.result()


def access_of(process: Separate) -> Access:
    """The process as its API sees it."""
    return Access(
        requests=WithheldOrders(process.requests, process.agreement),
        store=process.store,
        journal=process.journal,
        feed=process,
        market=process.market,
        reference=process.reference,
        clock=MarketClock(process.market),
        wall=WallClock(),
        health=lambda: _health(process),
        new_id=separate.new_id,
        about=lambda: _about(process),
        authentication=identity_file.authentication(process.settings),
        internal_key=process.settings.internal_secret,
        allowed_origins=frozenset(process.settings.allowed_origins),
        limits=identity_file.limits(process.settings, process.settings.cache_url),
        audit=AuditTrail(journal=process.journal, store=process.journal),
        is_embedded=False,
        tracer=process.observer.tracer,
    )


def _health(process: Separate) -> Sequence[ServiceHealth]:
    """Well means: it works under a lease, or another process of its kind does and this one waits for its turn."""
    workers = process.keeper.workers
    working = [name for name, worker in workers.items() if worker.ready.is_set()]
    parked = sum(len(worker.parked) for worker in workers.values())
    detail = f"works {', '.join(working)}" if working else "waits for a lease"
    if parked:
        detail += f"; {parked} orders parked"
    status = "ok" if len(working) == len(workers) else "starting"
    if isinstance(process.market, RemoteMarket) and process.market.age_seconds > 10 and not process.settings.event_time:
        status, detail = "failed", f"{detail}; nothing comes from the market"
    return [ServiceHealth(name=process.settings.target, status=status, detail=detail)]


def _about(process: Separate) -> dict[str, Any]:
    settings, market = process.settings, process.market
    lag_ns = market.lag_ns if isinstance(market, RemoteMarket) else process.pacer.lag_ns if process.pacer else 0
    return {
        "speed": settings.speed,
        "market": {"kind": "generated", "seed": settings.seed, "label": "generated market: no real prices"},
        "pace": {"due_ns": market.now_ns, "wall_ns": WallClock().now_ns()},
        "feed": {"last_event_age_ms": round(lag_ns / 1e6 / settings.speed, 1)},
        "target": settings.target,
        "instance": process.instance,
        "builds": sorted(process.agreement.builds),
        "leases": {name: worker.lease.epoch for name, worker in process.keeper.workers.items() if worker.lease},
    }
