"""The desk as separate workers on a bus in event time, in one process: everything of the split but the network."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

from bestex.adapters.memory.bus import MemoryBus
from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.conductor import Conductor, Reporter
from bestex.app.desk import Desk
from bestex.app.host import Host
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.app.worker import Stream, Worker, WorkerJournal
from bestex.domain.ids import InstrumentId, ParentOrderId
from bestex.domain.orders import ExecutionInstructions, Objective, ParentOrder, Side, Urgency
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND
from bestex.messages.envelope import Message
from bestex.messages.monitoring import TradeExecuted
from bestex.messages.orders import CreateOrder
from bestex.messages.streams import DESK, ORDERS
from bestex.ports import Bus, Service
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference
from tests.scenarios.event_time import TEN_NS

_MARKET = ("order-desk", "router")
_LATEST_NS = TEN_NS + 5 * 3600 * NS_PER_SECOND


def small_orders(count: int, seed: int) -> list[ParentOrder]:
    """Orders of a few children each, every ten seconds one, each with ten minutes to go."""
    randomness = random.Random(seed)
    return [
        ParentOrder(
            order_id=ParentOrderId(f"small-{number:03d}"),
            instrument_id=InstrumentId(randomness.choice(("AAPL", "MSFT", "KRNL"))),
            side=randomness.choice(list(Side)),
            quantity=Decimal(randomness.randrange(100, 700, 100)),
            instructions=ExecutionInstructions(
                objective=randomness.choice(list(Objective)),
                urgency=randomness.choice(list(Urgency)),
                end_time_ns=arrival_ns(number) + 10 * NS_PER_MINUTE,
            ),
        )
        for number in range(count)
    ]


def arrival_ns(number: int) -> int:
    return TEN_NS + number * 10 * NS_PER_SECOND


class SeparateWorkers:
    """A worker for the market, one each for strategy, monitoring and quality, one a shard for algorithm."""

    def __init__(
        self,
        *,
        seed: int,
        bus: Bus | None = None,
        journal_of: Callable[[str], WorkerJournal] | None = None,
    ) -> None:
        self.bus = bus or MemoryBus(4, lambda: 0)
        self.market = GeneratedMarket(seed=seed, start_ns=TEN_NS)
        self.reference = GeneratedReference(self.market)
        self.desk = Desk(self._services(*_MARKET), self.market)
        self.journals: dict[str, WorkerJournal] = {}
        self.workers: dict[str, Worker] = {}
        self._journal_of = journal_of or (lambda _: MemoryJournal())
        shards = range(self.bus.shards)
        every = [*((ORDERS, shard) for shard in shards), (DESK, 0)]
        self._add("market", lambda: self.desk, every)
        for name in ("strategy", "monitoring", "quality"):
            self._add(name, lambda name=name: Host(self._services(name)), every)
        for shard in shards:
            self._add(
                f"algorithm-{shard}",
                lambda shard=shard: Host(self._services("algorithm"), shard),
                [(ORDERS, shard), (DESK, 0)],
            )
        readers = {name: worker.reads for name, worker in self.workers.items() if name != "market"}
        self.conductor = Conductor(self.workers["market"], lambda: self.desk, self.bus, readers)
        self.executed: dict[str, TradeExecuted] = {}
        self.workers["monitoring"].subscribe(self._note)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(worker.run()) for worker in self.workers.values()]
        tasks.append(asyncio.create_task(self.conductor.listen()))
        tasks += [
            asyncio.create_task(Reporter(worker, self.bus).run())
            for name, worker in self.workers.items()
            if name != "market"
        ]
        try:
            for worker in self.workers.values():
                await worker.ready.wait()
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            broken = [error for error in ended if not isinstance(error, asyncio.CancelledError)]
            assert not broken, broken

    async def work(self, parents: list[ParentOrder]) -> None:
        for number, parent in enumerate(parents):
            await self.conductor.run_until(arrival_ns(number))
            request = CreateOrder(order=parent, actor="test", market=self.market.snapshot(parent.instrument_id))
            turn = self.desk.request(
                "order-desk", request, order_id=parent.order_id, time_ns=self.market.now_ns, correlation_id=None
            )
            await self.conductor.take([turn])
        await self.conductor.run_until(_LATEST_NS, lambda: len(self.executed) == len(parents))

    def _services(self, *names: str) -> list[Service]:
        return [service for service in services("all", self.reference, timed=False) if service.name in names]

    def _add(self, name: str, make_host: Callable[[], Host], reads: list[Stream]) -> None:
        self.journals[name] = self._journal_of(name)
        self.workers[name] = Worker(name, make_host, self.journals[name], self.bus, reads)

    def _note(self, _: int, message: Message[object]) -> None:
        if isinstance(message.payload, TradeExecuted):
            self.executed[message.order_id] = message.payload


def in_one_process(parents: list[ParentOrder], seed: int) -> dict[str, TradeExecuted]:
    """The same orders through one desk."""
    market = GeneratedMarket(seed=seed, start_ns=TEN_NS)
    journal = MemoryJournal()
    driver = ReplayDriver(Desk(services("all", GeneratedReference(market), timed=False), market), journal)
    driver.restore_catalogues()
    for number, parent in enumerate(parents):
        driver.run_until(arrival_ns(number))
        request = CreateOrder(order=parent, actor="test", market=market.snapshot(parent.instrument_id))
        driver.request("order-desk", request, order_id=parent.order_id)
    while market.now_ns < _LATEST_NS:
        driver.run_until(market.now_ns + NS_PER_MINUTE)
        executed = {m.order_id: m.payload for m in journal.messages if isinstance(m.payload, TradeExecuted)}
        if len(executed) == len(parents):
            return executed
    raise AssertionError(f"{len(parents) - len(executed)} orders were not over by {market.now_ns}")
