"""The same orders through one process on SQLite and through separate processes on PostgreSQL and Pulsar.

    python -m tests.scenarios.two_wirings [--orders 200] [--seed 20261121]

Needs the servers of `make services`. Starts the four services as processes of their own (`bestex serve --target ...`)
in event time, keeps the market here, and compares what became of every order: ledger, costs and grade, by hash.
"""

import argparse
import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from rich.console import Console
from rich.progress import Progress

from bestex.adapters.sql.journal import SqlJournal
from bestex.app import logs, separate
from bestex.app.conductor import Conductor
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.separate import Separate
from bestex.app.settings import Settings
from bestex.app.targets import services
from bestex.domain.orders import ParentOrder
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.envelope import Message
from bestex.messages.orders import CreateOrder
from bestex.messages.streams import is_of_an_order
from bestex.ports import Batch
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference
from tests.scenarios.event_time import TEN_NS
from tests.scenarios.own_servers import own_servers
from tests.scenarios.separate_workers import arrival_ns, small_orders

SPEED = 60.0  # updates of an order come every 15 desk seconds
SERVICES = ("strategy", "algorithm", "monitoring", "quality")
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")


class Outcome:
    """What became of one order: its fills, its cost and its grade."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Any]] = {}
        self.is_over = False

    def note(self, message: Message[Any]) -> None:
        if message.event_type in ("execution_report", "execution_quality_analyzed", "trade_executed"):
            self._parts.setdefault(message.event_type, []).append(message.payload)
        self.is_over |= message.event_type == "trade_executed"

    def digest(self) -> str:
        return hashlib.sha256(_ENCODER.encode(self._parts)).hexdigest()


class Outcomes:
    """Of all orders."""

    def __init__(self) -> None:
        self._orders: dict[str, Outcome] = {}

    def note(self, message: Message[Any]) -> None:
        if is_of_an_order(message.order_id):
            self._orders.setdefault(message.order_id, Outcome()).note(message)

    @property
    def over(self) -> int:
        return sum(outcome.is_over for outcome in self._orders.values())

    def digests(self) -> dict[str, str]:
        return {order_id: outcome.digest() for order_id, outcome in sorted(self._orders.items()) if outcome.is_over}


class _SqliteJournal:
    """`MemoryJournal.write` on a SQLite file, one commit a turn."""

    def __init__(self, path: Path, outcomes: Outcomes) -> None:
        self._loop = asyncio.new_event_loop()
        self._journal = self._loop.run_until_complete(SqlJournal.open_file(path))
        self._outcomes = outcomes

    def write(self, batch: Batch) -> Sequence[int]:
        for message in batch.messages:
            self._outcomes.note(message)
        return self._loop.run_until_complete(self._journal.append(batch))

    def close(self) -> None:
        self._loop.run_until_complete(self._journal.close())
        self._loop.close()


def in_one_process(parents: list[ParentOrder], seed: int, path: Path, told: Callable[[int], None]) -> dict[str, str]:
    outcomes = Outcomes()
    journal = _SqliteJournal(path, outcomes)
    market = GeneratedMarket(seed=seed, start_ns=TEN_NS)
    driver = ReplayDriver(Desk(services("all", GeneratedReference(market), timed=False, speed=SPEED), market), journal)  # type: ignore[arg-type]
    driver.restore_catalogues()
    for number, parent in enumerate(parents):
        driver.run_until(arrival_ns(number))
        request = CreateOrder(order=parent, actor="test", market=market.snapshot(parent.instrument_id))
        driver.request("order-desk", request, order_id=parent.order_id)
        told(outcomes.over)
    while outcomes.over < len(parents):
        driver.run_until(market.now_ns + NS_PER_MINUTE)
        told(outcomes.over)
    journal.close()
    return outcomes.digests()


def environment_of(settings: Settings, log_level: str) -> dict[str, str]:
    assert settings.store_url is not None
    own = {
        "BESTEX_SEED": str(settings.seed),
        "BESTEX_PORT": "0",
        "BESTEX_EVENT_TIME": "1" if settings.event_time else "0",
        "BESTEX_SPEED": str(settings.speed),
        "BESTEX_STORE_URL": settings.store_url.get_secret_value(),
        "BESTEX_BUS_URL": str(settings.bus_url),
        "BESTEX_BUS_ADMIN_URL": str(settings.bus_admin_url),
        "BESTEX_BUS_NAMESPACE": settings.bus_namespace,
        "BESTEX_LEASE_SECONDS": str(settings.lease_seconds),
        "BESTEX_LOG_LEVEL": log_level,
    }
    return {**os.environ, **own}


def start(target: str, settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    """A service as a process of its own."""
    command = [sys.executable, "-m", "bestex", "serve", "--target", target, "--instance", target]
    with log.open("ab") as out:
        return subprocess.Popen(command, env=environment_of(settings, "warning"), stdout=out, stderr=out)


async def in_separate_processes(
    parents: list[ParentOrder], settings: Settings, folder: Path, told: Callable[[int], None]
) -> dict[str, str]:
    processes = [start(target, settings, folder / f"{target}.log") for target in SERVICES]
    working = asyncio.create_task(_work(parents, settings, told))
    ending = asyncio.create_task(_until_one_ends(processes))
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            said = _logs(folder)
            raise AssertionError(f"a service ended by itself: {said}")
        working.result()
    finally:
        for task in (working, ending):
            task.cancel()
        await asyncio.gather(working, ending, return_exceptions=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
    return await _monitored(settings)


async def _work(parents: list[ParentOrder], settings: Settings, told: Callable[[int], None]) -> None:
    outcomes = Outcomes()
    async with separate.running(settings) as market:
        market.subscribe(lambda _, message: outcomes.note(message))
        conductor = await conductor_of(market)
        desk = conductor.desk
        for number, parent in enumerate(parents):
            await conductor.run_until(arrival_ns(number))
            request = CreateOrder(order=parent, actor="test", market=desk.market.snapshot(parent.instrument_id))
            turn = desk.request(
                "order-desk", request, order_id=parent.order_id, time_ns=desk.market.now_ns, correlation_id=None
            )
            await conductor.take([turn])
            told(outcomes.over)
        while outcomes.over < len(parents):
            await conductor.run_until(desk.market.now_ns + NS_PER_MINUTE)
            told(outcomes.over)


def _logs(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text()[-2000:] for path in sorted(folder.glob("*.log"))}


async def _until_one_ends(processes: list[subprocess.Popen[bytes]]) -> None:
    """Nobody would answer for a process that has ended, and the market would wait for ever."""
    while all(process.poll() is None for process in processes):  # noqa: ASYNC110 - a process has no event
        await asyncio.sleep(0.2)


async def _monitored(settings: Settings) -> dict[str, str]:
    """What the monitoring service has in its journal, which keeps every fact."""
    outcomes = Outcomes()
    journal = await SqlJournal.open(separate.store_url(settings), schema="monitoring")
    async for _, message in journal.read():
        outcomes.note(message)
    await journal.close()
    return outcomes.digests()


async def conductor_of(market: Separate) -> Conductor:
    """The conductor of a market process in event time, once it works."""
    async with asyncio.timeout(30):
        while "market" not in market.keeper.workers:  # noqa: ASYNC110 - the keeper has no event for it
            await asyncio.sleep(0.05)
        await market.keeper.workers["market"].ready.wait()
    assert market.conductor is not None, "event time"
    return market.conductor


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20_261_121)
    arguments = parser.parse_args()
    logs.configure("warning")
    parents = small_orders(arguments.orders, arguments.seed)
    console = Console(stderr=True)
    with Progress(console=console) as progress, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task = progress.add_task("one process on SQLite", total=len(parents))
        began = time.monotonic()
        one = in_one_process(
            parents, arguments.seed, folder / "one.sqlite", lambda n: progress.update(task, completed=n)
        )
        one_seconds = time.monotonic() - began
        task = progress.add_task("separate processes", total=len(parents))
        began = time.monotonic()
        with own_servers("wirings") as servers:
            settings = servers.settings("market", seed=arguments.seed, event_time=True, speed=SPEED)
            try:
                many = uvloop.run(
                    in_separate_processes(parents, settings, folder, lambda n: progress.update(task, completed=n))
                )
            except BaseException:
                for log in sorted(folder.glob("*.log")):
                    console.print(f"--- {log.name}", log.read_text()[-3000:], markup=False)
                raise
        many_seconds = time.monotonic() - began
    equal = sum(many.get(order_id) == digest for order_id, digest in one.items())
    print(
        f"seed {arguments.seed}: {equal} of {len(one)} orders equal in ledger, costs and grade; "
        f"one process {one_seconds:.1f} s, separate processes {many_seconds:.1f} s; "
        f"all of them: {hashlib.sha256(repr(sorted(one.items())).encode()).hexdigest()[:16]} and "
        f"{hashlib.sha256(repr(sorted(many.items())).encode()).hexdigest()[:16]}"
    )
    return 0 if one == many else 1


if __name__ == "__main__":
    raise SystemExit(main())
