"""Kills the real processes of the separate services with SIGKILL at random moments, and compares what became of the orders.

    python -m tests.scenarios.process_kills [--kills 300] [--orders 10] [--seed 20261121]

Needs the servers of `make services`. In rounds: the strategy, algorithm, monitoring and quality services work the same
orders as one process on SQLite does, in event time, while one of them after the other is killed and started again.
The market, which stands for the venues, stays. Then every order's ledger, costs and grade must be equal, by hash, to
the undisturbed run's, and the journals must keep the laws of `tests/scenarios/laws.py`. Ends with 1 otherwise.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bestex.adapters.sql.journal import SqlJournal
from bestex.app import logs, separate
from bestex.domain.orders import ParentOrder
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.orders import CreateOrder
from tests.scenarios.laws import broken_laws
from tests.scenarios.own_servers import OwnServers, own_servers
from tests.scenarios.separate_workers import arrival_ns, small_orders
from tests.scenarios.service_processes import ServiceProcess, patient_market, quantile
from tests.scenarios.two_wirings import SERVICES, SPEED, Outcomes, conductor_of, in_one_process

LEASE_SECONDS = 2.0  # all processes of a desk agree on it
_ROUND_SECONDS = 1800
_READY_SECONDS = 60


@dataclass
class Result:
    kills: int = 0
    while_starting: int = 0
    orders: int = 0
    children: int = 0
    broken: list[str] = field(default_factory=list)
    process_seconds: list[float] = field(default_factory=list)  # from the start of a process to the last of its workers
    worker_seconds: list[float] = field(default_factory=list)  # from a worker's lease to its work


class Killer:
    """Keeps the services running, and kills them."""

    def __init__(self, servers: OwnServers, folder: Path, seed: int, randomness: random.Random, result: Result) -> None:
        self._settings = {
            target: servers.settings(target, seed=seed, event_time=True, speed=SPEED, lease_seconds=LEASE_SECONDS)
            for target in SERVICES
        }
        self._folder, self._randomness, self._result = folder, randomness, result
        self._starts = 0
        self._noted: set[int] = set()  # starts whose times are in the result
        self.running = {target: self._start(target) for target in SERVICES}

    async def run(self, kills: int, told: Callable[[int], None]) -> None:
        """Kill so often in all, then leave them alone: one, two or all at once; one in five again while it starts."""
        randomness, result = self._randomness, self._result
        while True:
            await self._all_ready()
            if result.kills >= kills:
                return
            await asyncio.sleep(randomness.uniform(0.0, 1.5))
            together = randomness.choices((1, 2, len(SERVICES)), weights=(55, 30, 15))[0]
            targets = randomness.sample(SERVICES, min(together, kills - result.kills))
            await asyncio.to_thread(self._kill, targets)  # the market keeps its lease meanwhile
            target = targets[0]
            if randomness.random() < 0.2 and result.kills < kills:
                await asyncio.sleep(randomness.uniform(0.0, 3.0))
                result.while_starting += not self.running[target].is_ready()
                await asyncio.to_thread(self._kill, [target])
            told(result.kills)

    def end(self) -> None:
        for process in self.running.values():
            process.kill()

    def _start(self, target: str) -> ServiceProcess:
        self._starts += 1
        return ServiceProcess(self._settings[target], self._folder, target, self._starts)

    def _kill(self, targets: Sequence[str]) -> None:
        for target in targets:
            self.running[target].kill()
        self._result.kills += len(targets)
        for target in targets:
            self.running[target] = self._start(target)

    async def _all_ready(self) -> None:
        for target, process in self.running.items():
            deadline = time.monotonic() + _READY_SECONDS
            while not process.is_ready():
                if not process.is_alive or time.monotonic() > deadline:
                    raise AssertionError(f"{target} did not get ready:\n{process.trouble()}")
                await asyncio.sleep(0.05)
            if process.number not in self._noted:
                self._noted.add(process.number)
                times = process.ready().values()
                self._result.process_seconds.append(max(whole for whole, _ in times))
                self._result.worker_seconds.extend(own for _, own in times)


async def one_round(
    parents: list[ParentOrder],
    expected: dict[str, str],
    servers: OwnServers,
    killer: Killer,
    seed: int,
    kills: int,
    result: Result,
    told: Callable[[int], None],
) -> None:
    """Work the orders while processes die; add what is wrong to the result."""
    settings = servers.settings("market", seed=seed, event_time=True, speed=SPEED, lease_seconds=LEASE_SECONDS)
    outcomes = Outcomes()
    async with separate.running(settings) as market, asyncio.timeout(_ROUND_SECONDS):
        market.subscribe(lambda _, message: outcomes.note(message))
        conductor = await conductor_of(market)
        killing = asyncio.create_task(killer.run(kills, told))
        working = asyncio.create_task(_work(conductor, parents, outcomes))
        done, _ = await asyncio.wait([killing, working], return_when=asyncio.FIRST_EXCEPTION)
        if killing in done:
            killing.result()  # raises what went wrong there
        await working
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        await conductor.rest()
    await _audit(parents, expected, settings, servers, result)


async def _work(conductor: separate.Conductor, parents: list[ParentOrder], outcomes: Outcomes) -> None:
    desk = conductor.desk
    for number, parent in enumerate(parents):
        await conductor.run_until(arrival_ns(number))
        request = CreateOrder(order=parent, actor="test", market=desk.market.snapshot(parent.instrument_id))
        turn = desk.request(
            "order-desk", request, order_id=parent.order_id, time_ns=desk.market.now_ns, correlation_id=None
        )
        await conductor.take([turn])
    while outcomes.over < len(parents):
        await conductor.run_until(desk.market.now_ns + NS_PER_MINUTE)


async def _audit(
    parents: list[ParentOrder],
    expected: dict[str, str],
    settings: separate.Settings,
    servers: OwnServers,
    result: Result,
) -> None:
    ordered = {str(parent.order_id): parent.quantity for parent in parents}
    outcomes = Outcomes()
    for schema in ("market", "monitoring"):  # what the venues were sent, and what the independent watcher heard
        journal = await SqlJournal.open(separate.store_url(settings), schema=schema)
        messages = [message async for _, message in journal.read()]
        await journal.close()
        laws = broken_laws(messages, ordered, keeps_all=schema == "monitoring")
        result.broken += [f"{schema}: {law}" for law in laws]
        if schema == "monitoring":
            for message in messages:
                outcomes.note(message)
            result.children += sum(message.event_type == "child_order_submitted" for message in messages)
    became = outcomes.digests()
    result.broken += [
        f"{order_id}: not what became of it undisturbed"
        for order_id in expected
        if became.get(order_id) != expected[order_id]
    ]
    result.orders += len(parents)


def run(kills: int, orders: int, seed: int, progress: Progress) -> Result:
    """Rounds until so many kills are done."""
    randomness, result = random.Random(seed), Result()
    task = progress.add_task("kills", total=kills)
    number = 0
    while result.kills < kills and not result.broken:
        number += 1
        parents = small_orders(orders, seed + number)
        with tempfile.TemporaryDirectory() as name, own_servers("kills") as servers, patient_market():
            folder = Path(name)
            expected = in_one_process(parents, seed + number, folder / "one.sqlite", lambda _: None)
            killer = Killer(servers, folder, seed + number, randomness, result)
            try:
                asyncio.run(
                    one_round(
                        parents,
                        expected,
                        servers,
                        killer,
                        seed + number,
                        kills,
                        result,
                        lambda done: progress.update(task, completed=done),
                    )
                )
            except BaseException:
                for process in killer.running.values():
                    progress.console.print(f"--- {process.instance}", process.trouble(), markup=False)
                raise
            finally:
                killer.end()
        progress.console.print(
            f"round {number}: {result.kills} kills, {result.orders} orders, {result.broken or 'equal'}"
        )
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--orders", type=int, default=10, help="of one round")
    parser.add_argument("--seed", type=int, default=20_261_121)
    arguments = parser.parse_args()
    logs.configure("error")
    with Progress(console=Console(stderr=True)) as progress:
        result = run(arguments.kills, arguments.orders, arguments.seed, progress)
    print(
        f"seed {arguments.seed}: {result.kills} kills ({result.while_starting} of processes still starting), "
        f"{result.orders} orders with {result.children} children; "
        + ("; ".join(result.broken[:10]) or "nothing lost, doubled or oversent; every order as in the undisturbed run")
    )
    workers, processes = result.worker_seconds, result.process_seconds
    print(
        f"ready again: worker P50 {quantile(workers, 0.5):.2f} P99 {quantile(workers, 0.99):.2f} s from its lease "
        f"({len(workers)}); process P50 {quantile(processes, 0.5):.2f} P99 {quantile(processes, 0.99):.2f} s from its "
        f"start ({len(processes)}), the dead one's lease of {LEASE_SECONDS:g} s included"
    )
    return 1 if result.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
