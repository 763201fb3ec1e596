"""One service of the desk in a process of its own, on a common database and bus."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bestex.adapters.marketdata.calendars import session_at_or_after
from bestex.adapters.pulsar.bus import PulsarBus
from bestex.adapters.sql.database import Database, open_database
from bestex.adapters.sql.journal import SqlJournal
from bestex.adapters.sql.leases import SqlLeases
from bestex.adapters.sql.store import SqlStore
from bestex.app import agreement, kept_market, recovery, targets
from bestex.app.agreement import Agreement
from bestex.app.bus_requests import BusRequests
from bestex.app.clock import PacedClock, WallClock
from bestex.app.conductor import Conductor, Reporter
from bestex.app.desk import Desk
from bestex.app.host import Host
from bestex.app.lease_keeper import LeaseKeeper, Work
from bestex.app.market_feed import MarketFeed, RemoteMarket
from bestex.app.metered import Metered
from bestex.app.pacer import Pacer
from bestex.app.settings import Settings
from bestex.app.tracing import observing
from bestex.app.worker import Stream, Worker
from bestex.domain.fills import VenueReport
from bestex.domain.ids import time_ordered_uuid
from bestex.messages.envelope import Message
from bestex.messages.streams import ANSWERS, DESK, MARKET, ORDERS, requests_of
from bestex.ports import Batch, Bus, Lease, Market, ReferenceData, Service, Store
from bestex.services.reference.desk_reference import DeskReference
from bestex.services.reference.service import ReferenceService
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference

log = structlog.get_logger()

_NEWEST_KEPT_SECONDS = 600.0  # of what matters only now, and is much
_PATIENCE_SECONDS = 30.0  # with a database that does not answer; several processes may be making their tables

SHARED = frozenset({"algorithm"})  # services whose orders several processes share, shard by shard


@dataclass(kw_only=True)
class Separate:
    """What a process of its own has, while it runs."""

    settings: Settings
    instance: str
    bus: Bus
    agreement: Agreement
    keeper: LeaseKeeper
    market: Market
    reference: ReferenceData
    requests: BusRequests
    observer: Metered
    journal: SqlJournal
    store: Store
    conductor: Conductor | None = None
    pacer: Pacer | None = None

    def subscribe(self, listener: Callable[[int, Message[Any]], None]) -> Callable[[], None]:
        """`Feed` of everything that this process commits, whichever of its workers does."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def __post_init__(self) -> None:
        self._listeners: list[Callable[[int, Message[Any]], None]] = []
        self.broken: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def supervised(self, work: Work) -> None:
        """Run for as long as the process lives. Work that breaks ends the process: a restart is the repair."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            log.exception("a task of this process broke")
            if not self.broken.done():
                self.broken.set_result(error)

    def tell(self, position: int, message: Message[Any]) -> None:
        for listener in tuple(self._listeners):
            listener(position, message)


def lease_names(settings: Settings, target: str) -> list[str]:
    """The leases of a target, which are the names of its workers."""
    return [f"{target}-{shard}" for shard in range(settings.shards)] if target in SHARED else [target]


def streams(settings: Settings, name: str) -> list[Stream]:
    """What the worker of a lease reads."""
    target, _, shard = name.partition("-")
    shards = [int(shard)] if shard else list(range(settings.shards))
    services = [*targets.TARGETS[target], *(("reference",) if target == "market" else ())]
    asked = [(requests_of(service), number) for service in services for number in shards]
    return [*((ORDERS, number) for number in shards), (DESK, 0), *asked]


async def open_bus(settings: Settings) -> PulsarBus:
    assert settings.bus_url is not None, "checked with the settings"
    assert settings.bus_admin_url is not None, "checked with the settings"
    bus = await PulsarBus.open(
        settings.bus_url, settings.bus_admin_url, settings.shards, namespace=settings.bus_namespace
    )
    try:
        await bus.end(ORDERS, 0)  # made with other shards: said now, not by a worker that cannot read
    except BaseException:
        await bus.close()
        raise
    return bus


def _schemas() -> dict[str, str]:
    """The schema of each service's rows is named after the target that hosts it."""
    hosted = {service: target for target, names in targets.TARGETS.items() if target != "all" for service in names}
    return hosted | {"reference": "market"}


def store_url(settings: Settings) -> str:
    assert settings.store_url is not None, "checked with the settings"
    return settings.store_url.get_secret_value().replace("postgresql://", "postgresql+asyncpg://", 1)


def new_id(prefix: str) -> str:
    """A fresh id at the edge; everything behind it is derived."""
    return f"{prefix}_{time_ordered_uuid(WallClock().now_ns(), os.urandom(16).hex())}"


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Separate]:
    """The process of a target, until the block ends; then it says what is committed and hands its leases over."""
    target = settings.target
    instance = f"{settings.instance or target}-{os.urandom(4).hex()}"
    async with contextlib.AsyncExitStack() as stack:
        database = await open_database(store_url(settings), schema=target, patience_seconds=_PATIENCE_SECONDS)
        stack.push_async_callback(database.close)
        leases = await SqlLeases.open(store_url(settings))
        stack.push_async_callback(leases.close)
        agreed = Agreement(leases, instance, agreement.described(settings, agreement.build()), settings.lease_seconds)
        await agreed.join()
        stack.push_async_callback(agreed.leave)
        store = await SqlStore.open(store_url(settings), schemas=_schemas())
        stack.push_async_callback(store.close)
        bus = await open_bus(settings)
        stack.push_async_callback(bus.close)
        observer = stack.enter_context(observing(settings, settings.instance or target))
        tasks: list[asyncio.Task[None]] = []
        stack.push_async_callback(_cancel, tasks)
        separate = await _assembled(settings, instance, database, leases, agreed, store, bus, observer)
        stack.push_async_callback(separate.keeper.stop)
        tasks.append(asyncio.create_task(separate.requests.run()))
        tasks.append(asyncio.create_task(separate.supervised(agreed.keep())))
        if isinstance(separate.market, RemoteMarket):
            tasks.append(asyncio.create_task(separate.market.run()))
        tasks.append(asyncio.create_task(separate.supervised(separate.keeper.run())))
        yield separate


async def _assembled(
    settings: Settings,
    instance: str,
    database: Database,
    leases: SqlLeases,
    agreed: Agreement,
    store: SqlStore,
    bus: Bus,
    observer: Metered,
) -> Separate:
    target = settings.target
    journal = await SqlJournal.over(database, shard=None if target in SHARED else 0)
    market: Market
    if target == "market":
        market, _ = await kept_market.open_market(settings, journal)
    else:
        market = RemoteMarket(GeneratedMarket(seed=settings.seed, start_ns=None, wall_ns=WallClock().now_ns()), bus)
    reference = DeskReference(GeneratedReference(market), session_at_or_after)
    separate: Separate

    async def make_worker(lease: Lease, may_send: Callable[[], bool]) -> tuple[Worker, Sequence[Work]]:
        shard = int(lease.name.partition("-")[2] or 0)
        worker_journal = await SqlJournal.over(database, shard=shard)
        worker = Worker(
            lease.name,
            _host_of(settings, reference, market, shard if target in SHARED else None),
            worker_journal,
            bus,
            streams(settings, lease.name),
            lease=lease,
            may_send=may_send,
            keeps_all=target == "monitoring",
            observer=observer,
        )
        worker.subscribe(separate.tell)
        if isinstance(worker.host, Desk):
            return worker, await _keep_market(separate, worker, worker.host, worker_journal, lease)
        return worker, [separate.supervised(Reporter(worker, bus).run())] if settings.event_time else []

    separate = Separate(
        settings=settings,
        instance=instance,
        bus=bus,
        agreement=agreed,
        keeper=LeaseKeeper(
            target,
            lease_names(settings, target),
            leases,
            instance,
            settings.market_lease_seconds if target == "market" else settings.lease_seconds,
            make_worker,
            is_unique=target == "market",
            observer=observer,
        ),
        market=market,
        reference=reference,
        requests=BusRequests(bus, instance, lambda: market.now_ns, new_id, SHARED, observer=observer),
        observer=observer,
        journal=journal,
        store=store,
    )
    return separate


def _host_of(settings: Settings, reference: DeskReference, market: Market, shard: int | None) -> Callable[[], Host]:
    def services() -> Sequence[Service]:
        timed = not settings.event_time
        own = targets.services(settings.target, reference, timed=timed, speed=settings.speed, are_apart=timed)
        name = "reference" if settings.target == "market" else f"reference-{settings.target}"
        return [ReferenceService(reference, name), *own]

    if settings.target == "market":
        return lambda: Desk(services(), market)
    return lambda: Host(services(), shard)


async def _keep_market(
    separate: Separate, worker: Worker, desk: Desk, journal: SqlJournal, lease: Lease
) -> Sequence[Work]:
    """What the process that keeps the market does beside its worker: its time, its feed, its place for a restart."""
    settings, market = separate.settings, desk.market
    assert isinstance(market, GeneratedMarket), "the market process keeps a generated market"
    await journal.append(Batch(messages=(), records=[kept_market.market_row(settings.seed)], lease=lease))
    lost = await recovery.lost_at_the_market(journal, market.now_ns)
    separate.pacer = pacer = Pacer(desk, PacedClock(market.now_ns, settings.speed))
    for topic in (MARKET, ANSWERS):
        await separate.bus.retain(_NEWEST_KEPT_SECONDS, topic=topic)
    beside: list[Work] = [kept_market.keep_time_on(journal, market, lease)]
    if settings.event_time:
        others = [target for target in targets.TARGETS if target not in ("all", "market")]
        readers = {name: streams(settings, name) for target in others for name in lease_names(settings, target)}
        separate.conductor = Conductor(worker, lambda: desk, separate.bus, readers)
        beside.append(separate.conductor.listen())
    else:
        feed = MarketFeed(market, separate.bus, f"{separate.instance}-{lease.epoch}", lambda: pacer.lag_ns)
        beside += [feed.run(), _pace(worker, pacer, lost)]
    return [separate.supervised(work) for work in beside]


async def _pace(worker: Worker, pacer: Pacer, lost: Sequence[VenueReport]) -> None:
    await worker.ready.wait()
    if lost:
        await worker.take([pacer.desk.reports(lost)])
    while True:
        if turns := list(pacer.tick()):
            await worker.take(turns)
        await asyncio.sleep(pacer.pause_seconds)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
