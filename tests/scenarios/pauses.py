"""Stops one of three algorithm processes for longer than its lease, again and again, and looks for what it says afterwards.

    python -m tests.scenarios.pauses [--pauses 300] [--lease 1.0] [--seed 20261121] [--broken]

Needs the servers of `make services`. Orders are worked live, fast, while SIGSTOP and SIGCONT hit a random holder of
shards. A listener of its own reads every fact from the bus: a record under an epoch below one already seen there is
stale; the market has to refuse every one. Ends with 1 if it accepted one, if a take-over took longer than the lease and
a second (99 of 100), if an order did not end, or if a law is broken. `--broken` starts processes that never look at
their lease again, and a market that does not look at epochs: it has to end with 1.
"""

import argparse
import asyncio
import random
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from bestex.app import logs, separate
from bestex.app.separate import Separate
from bestex.app.worker import Worker
from bestex.domain.ids import InstrumentId, ParentOrderId
from bestex.domain.orders import Algorithm, ExecutionInstructions, ParentOrder, Side
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.codec import decode
from bestex.messages.envelope import Message
from bestex.messages.orders import CreateOrder
from bestex.messages.streams import ORDERS
from tests.scenarios.laws import broken_laws
from tests.scenarios.own_servers import OwnServers, own_servers
from tests.scenarios.service_processes import ServiceProcess, patient_market, quantile

PROCESSES = 3
OPEN_ORDERS = 8
SPEED = 60.0
_END_SECONDS = 120


class _Trusting(Worker):
    """Broken on purpose: hears whatever comes under whatever epoch."""

    def _is_stale(self, headers: Any) -> bool:
        return False


@dataclass
class Result:
    pauses: int = 0
    orders: int = 0
    stale_on_bus: int = 0
    stale_refused: int = 0
    takeover_seconds: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def stale_accepted(self) -> int:
        return max(0, self.stale_on_bus - self.stale_refused)


class Listener:
    """Reads every fact about orders from the bus, by itself, and keeps each once."""

    def __init__(self, market: Separate) -> None:
        self._bus = market.bus
        self.stale = 0
        self.log: list[Message[Any]] = []
        self.over: set[str] = set()
        self._epochs: dict[str, int] = {}
        self._seen: set[tuple[str, str, int]] = set()

    async def run(self) -> None:
        await asyncio.gather(*(self._listen(shard) for shard in range(self._bus.shards)))

    async def _listen(self, shard: int) -> None:
        async for group in self._bus.read(ORDERS, shard, after=None):
            for delivery in group:
                headers = delivery.headers
                if "lease" in headers:
                    name, epoch = headers["lease"], int(headers["epoch"])
                    highest = self._epochs.get(name, 0)
                    self._epochs[name] = max(highest, epoch)
                    if epoch < highest:
                        self.stale += 1
                        continue
                key = (delivery.key, headers["source"], int(headers["sequence"]))
                if key not in self._seen:
                    self._seen.add(key)
                    message = decode(delivery.body)
                    self.log.append(message)
                    if message.event_type == "execution_completed":
                        self.over.add(message.order_id)


class Flow:
    """Keeps some orders open, each a few minutes long."""

    def __init__(self, market: Separate, listener: Listener, randomness: random.Random) -> None:
        self._market, self._listener, self._randomness = market, listener, randomness
        self.ordered: dict[str, Decimal] = {}

    async def run(self) -> None:
        while True:
            while len(self.ordered) - len(self._listener.over) < OPEN_ORDERS:
                await self._send()
            await asyncio.sleep(0.1)

    async def _send(self) -> None:
        randomness, market = self._randomness, self._market.market
        parent = ParentOrder(
            order_id=ParentOrderId(f"paused-{len(self.ordered):04d}"),
            instrument_id=InstrumentId(randomness.choice(("AAPL", "MSFT", "KRNL"))),
            side=randomness.choice(list(Side)),
            quantity=Decimal(randomness.randrange(500, 3000, 100)),
            instructions=ExecutionInstructions(
                algorithm=Algorithm.TWAP, end_time_ns=market.now_ns + randomness.randrange(5, 20) * NS_PER_MINUTE
            ),
        )
        self.ordered[str(parent.order_id)] = parent.quantity
        request = CreateOrder(order=parent, actor="test", market=market.snapshot(parent.instrument_id))
        worker = self._market.keeper.workers["market"]
        order_id = parent.order_id
        turn = worker.host.request("order-desk", request, order_id=order_id, time_ns=market.now_ns, correlation_id=None)
        await worker.take([turn])


def _holdings(processes: list[ServiceProcess]) -> dict[str, ServiceProcess]:
    """By lease, the process that took it under the highest epoch."""
    newest: dict[str, tuple[int, ServiceProcess]] = {}
    for process in processes:
        for _, fields in process.events():
            if fields["event"] == "lease taken":
                name, epoch = str(fields["name"]), int(str(fields["epoch"]))
                if epoch > newest.get(name, (0, process))[0]:
                    newest[name] = (epoch, process)
    return {name: process for name, (_, process) in newest.items()}


def _recovered(processes: list[ServiceProcess], name: str, after: float) -> float | None:
    """When one of the processes first worked a lease again after a moment; Unix time."""
    found = [
        at
        for process in processes
        for at, fields in process.events()
        if fields["event"] == "worker recovered" and fields["worker"] == name and at > after
    ]
    return min(found, default=None)


async def _pause(processes: list[ServiceProcess], lease: float, randomness: random.Random, result: Result) -> None:
    """One process, for longer than its lease, until others work what it held."""
    held = _holdings(processes)
    paused = randomness.choice(sorted(set(held.values()), key=lambda process: process.instance))
    names = [name for name, process in held.items() if process is paused]
    others = [process for process in processes if process is not paused]
    began = time.time()
    paused.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(lease * randomness.uniform(1.1, 1.6))
        taken = dict.fromkeys(names, None) | {name: _recovered(others, name, began) for name in names}
        deadline = time.monotonic() + lease + 20
        while None in taken.values() and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            taken = {name: _recovered(others, name, began) for name in names}
    finally:
        paused.signal(signal.SIGCONT)
    for name, at in taken.items():
        if at is None:
            result.broken.append(f"nobody took {name} over")
        else:
            result.takeover_seconds.append(at - began)
    result.pauses += 1


async def _run(
    pauses: int, lease: float, seed: int, servers: OwnServers, folder: Path, broken: bool, told: Callable[[int], None]
) -> Result:
    randomness, result = random.Random(seed), Result()
    common: dict[str, Any] = {"seed": seed, "speed": SPEED, "lease_seconds": lease}
    processes: list[ServiceProcess] = []
    try:
        async with separate.running(servers.settings("market", **common)) as market:
            listener = Listener(market)
            flow = Flow(market, listener, randomness)
            settings = servers.settings("algorithm", **common)
            for number in range(PROCESSES):
                start = (settings, folder, f"algorithm-{'abc'[number]}", number)
                processes.append(await asyncio.to_thread(ServiceProcess, *start, forgets_leases=broken))
            await _until(lambda: "market" in market.keeper.workers, "the market works")
            await market.keeper.workers["market"].ready.wait()
            await _until(lambda: len(_holdings(processes)) == market.bus.shards, "every shard is held")
            listening = asyncio.create_task(listener.run())
            flowing = asyncio.create_task(flow.run())
            while result.pauses < pauses and not result.broken:
                await _pause(processes, lease, randomness, result)
                told(result.pauses)
                await asyncio.sleep(randomness.uniform(0.0, 1.0))
                result.stale_on_bus = listener.stale
                result.stale_refused = market.keeper.workers["market"].stale
                if broken and result.stale_accepted:
                    break
            flowing.cancel()
            if not broken:
                await _until(lambda: listener.over >= set(flow.ordered), "every order is over", _END_SECONDS)
            result.stale_on_bus = listener.stale
            result.stale_refused = market.keeper.workers["market"].stale
            listening.cancel()
            await asyncio.gather(flowing, listening, return_exceptions=True)
        result.orders = len(flow.ordered)
        if not broken:
            ends = ("execution_completed",)
            result.broken += broken_laws(listener.log, flow.ordered, keeps_all=True, ends=ends)
    finally:
        for process in processes:
            process.kill()
    return result


async def _until(holds: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(0.05)


def run(pauses: int, lease: float, seed: int, told: Callable[[int], None], *, broken: bool = False) -> Result:
    worker = separate.Worker
    with tempfile.TemporaryDirectory() as name, own_servers("pauses") as servers, patient_market():
        try:
            if broken:
                separate.Worker = _Trusting  # type: ignore[misc]
            return asyncio.run(_run(pauses, lease, seed, servers, Path(name), broken, told))
        finally:
            separate.Worker = worker  # type: ignore[misc]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pauses", type=int, default=300)
    parser.add_argument("--lease", type=float, default=1.0, help="seconds")
    parser.add_argument("--seed", type=int, default=20_261_121)
    parser.add_argument("--broken", action="store_true", help="processes that must be caught")
    arguments = parser.parse_args()
    logs.configure("error")
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("pauses", total=arguments.pauses)
        result = run(
            arguments.pauses,
            arguments.lease,
            arguments.seed,
            lambda done: progress.update(task, completed=done),
            broken=arguments.broken,
        )
    slow = quantile(result.takeover_seconds, 0.99) > arguments.lease + 1.0
    print(
        f"seed {arguments.seed}: {result.pauses} pauses longer than a lease of {arguments.lease:g} s, {result.orders} "
        f"orders; stale messages accepted {result.stale_accepted}, refused {result.stale_refused}; taken over after "
        f"P50 {quantile(result.takeover_seconds, 0.5):.2f} P99 {quantile(result.takeover_seconds, 0.99):.2f} s"
        f"{' (too slow)' if slow else ''}; {'; '.join(result.broken[:8]) or 'no law broken'}"
    )
    return 1 if result.broken or result.stale_accepted or slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
