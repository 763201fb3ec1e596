"""Kills the algorithm engine with SIGKILL at random moments, thousands of times, and checks the laws after each.

    python -m tests.scenarios.engine_kills [--kills 10000] [--seed 20261121] [--first 0] [--broken send-first|random-ids]

The engine is forked from this warm process: a worker over a journal on SQLite. The market, the venues and the bus stay
here, over a socket pair. A fifth of the engines die while they start, the others 0.5 to 12 ms after their first commit
since they are ready. The venue takes turns in three kinds: it refuses a repeated child id; it only answers whether it knows an id; or neither,
and only the session's inbox stands between it and a repeat. The bus repeats one group in ten.

After every kill: every child order that a venue has was durable first (I4), no child id and no execution came twice
(I3), filled + live is never above ordered (I1, I2), and the state after recovery equals the state at the same position
before it (I8). After every round: each order ended once. Continue an interrupted run with `--first` and the same seed:
the rounds from there are others than those before. Ends with 1 at the first broken law.
"""

import argparse
import asyncio
import gc
import os
import random
import signal
import socket
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from bestex.adapters.sql.journal import SqlJournal
from bestex.app.desk import Desk
from bestex.app.host import Host, Turn
from bestex.app.targets import services
from bestex.domain.ids import InstrumentId, ParentOrderId
from bestex.domain.orders import Algorithm, ExecutionInstructions, ParentOrder, Side
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.codec import decode, encode
from bestex.messages.envelope import Message
from bestex.messages.execution import ChildOrderSubmitted
from bestex.messages.orders import CreateOrder
from bestex.messages.streams import DESK, ORDERS, is_of_an_order
from bestex.ports import Outgoing
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference
from tests.scenarios.engine_bus import ParentBus
from tests.scenarios.engine_process import BROKEN, forked
from tests.scenarios.event_time import TEN_NS
from tests.scenarios.laws import broken_laws
from tests.scenarios.service_processes import quantile

VENUES = ("dedupes", "query", "neither")
KILLS_OF_A_ROUND = 30
_REPEATS = 0.1
_STEP_NS = 5 * NS_PER_SECOND
_PATIENCE_SECONDS = 30.0
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


@dataclass
class Result:
    kills: int = 0
    while_starting: int = 0
    rounds: int = 0
    orders: int = 0
    children: int = 0
    repeats_refused: int = 0  # child orders that came to the venue's session again
    states_compared: int = 0
    ready_seconds: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


class Round:
    """Six orders from their creation to their end, with engines dying under them."""

    def __init__(self, seed: int, venue: str, folder: Path, broken: str, result: Result) -> None:
        self.randomness = random.Random(seed)
        self._venue, self._path, self._broken, self._result = venue, folder / "engine.sqlite", broken, result
        self._market = GeneratedMarket(seed=seed, start_ns=TEN_NS)
        reference = GeneratedReference(self._market)
        everything = services("all", reference, timed=False)
        self._desk = Desk([item for item in everything if item.name in ("order-desk", "router")], self._market)
        self._make_host = lambda: Host(services("algorithm", reference, timed=False))
        self._bus = ParentBus(self.randomness, _REPEATS)
        self._heard: dict[tuple[str, str], int] = {}
        self._log: list[Message[Any]] = []  # every fact once, in the bus's order
        self._at_venue: Counter[str] = Counter()
        self._states: dict[int, str] = {}  # journal position -> digest of the engine's state there
        self._ended = 0
        self._pid = 0
        self._ready = self._works = False
        self.ordered: dict[str, Decimal] = {}

    # -- the desk around the engine --------------------------------------------------------------------------------

    def open_orders(self) -> None:
        for number in range(6):
            parent = ParentOrder(
                order_id=ParentOrderId(f"order-{number}"),
                instrument_id=InstrumentId(self.randomness.choice(("AAPL", "MSFT", "KRNL"))),
                side=self.randomness.choice(list(Side)),
                quantity=Decimal(self.randomness.randrange(500, 3000, 100)),
                instructions=ExecutionInstructions(
                    algorithm=self.randomness.choice((Algorithm.TWAP, Algorithm.PARTICIPATION_RATE)),
                    end_time_ns=TEN_NS + self.randomness.randrange(300, 900) * NS_PER_SECOND,
                ),
            )
            self.ordered[str(parent.order_id)] = parent.quantity
            request = CreateOrder(order=parent, actor="test", market=self._market.snapshot(parent.instrument_id))
            now_ns = self._market.now_ns
            order_id = parent.order_id
            self._say(self._desk.request("order-desk", request, order_id=order_id, time_ns=now_ns, correlation_id=None))

    @property
    def is_over(self) -> bool:
        return self._ended == len(self.ordered)

    def _say(self, turn: Turn) -> None:
        """The desk's own process never dies: what it says is on the bus at once."""
        for message in turn.messages:
            if message.source_service in self._desk.sources:
                self._log.append(message)
                headers = {
                    "event_type": message.event_type,
                    "source": message.source_service,
                    "sequence": str(message.sequence),
                }
                record = Outgoing(key=message.order_id, body=encode(message), headers=headers, sequence=0)
                self._bus.append((ORDERS if is_of_an_order(message.order_id) else DESK, 0), record)
        self._desk.release(turn)

    def _hear(self, record: Outgoing) -> None:
        """A fact of the engine, as the market's process takes it: at least once, and each once."""
        message = decode(record.body)
        key, sequence = (message.order_id, message.source_service), message.sequence
        before = self._heard.get(key, 0)
        is_repeat = sequence <= before
        if isinstance(message.payload, ChildOrderSubmitted):
            child_id = message.payload.child.child_order_id
            known = self._at_venue[child_id] > 0
            if is_repeat if self._venue == "neither" else known:
                self._result.repeats_refused += 1
            else:
                self._at_venue[child_id] += 1
                if is_repeat:
                    self._result.broken.append(f"{child_id}: message {sequence} came again with another child")
        if is_repeat:
            return
        if sequence != before + 1:
            self._result.broken.append(f"{key}: {sequence} after {before}")
        self._heard[key] = sequence
        self._log.append(message)
        self._ended += message.event_type == "execution_completed"
        if self._desk.takes(message.event_type):
            self._say(self._desk.hear(message))

    def _go_on(self) -> None:
        """A step of the market's time, with its timers and reports."""
        if (turn := self._desk.timer_turn()) is not None:
            self._say(turn)
            return
        goal_ns = self._market.now_ns + _STEP_NS
        if (timer_ns := self._desk.next_timer_ns()) is not None:
            goal_ns = min(goal_ns, max(timer_ns, self._market.now_ns))
        if reports := self._desk.advance(goal_ns):
            self._say(self._desk.reports(reports))

    # -- the engine ------------------------------------------------------------------------------------------------

    def live(self, seconds: float, *, starting: bool = False) -> bool:
        """One engine from fork to SIGKILL: so long after it works, or after its fork. False: all is over."""
        ours, theirs = socket.socketpair()
        began = time.monotonic()
        self._pid, self._ready = forked(theirs, ours, self._path, self._make_host, self._broken), False
        self._bus.connect(ours)
        deadline = began + (seconds if starting else _PATIENCE_SECONDS)
        self._works = False
        is_set = starting
        while time.monotonic() < deadline and not self._result.broken:
            was_ready = self._ready
            frames = self._bus.frames(min(0.0005, deadline - time.monotonic()))
            self._take(frames)
            if self._ready and not was_ready:
                self._result.ready_seconds.append(time.monotonic() - began)
            if self._works and not is_set:
                deadline, is_set = time.monotonic() + seconds, True
            if not frames and self._ready:
                if self.is_over:
                    break
                self._go_on()
            self._bus.feed()
        else:
            if not is_set and not self._result.broken:
                self._result.broken.append(f"an engine did nothing within {_PATIENCE_SECONDS:g} s")
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._result.while_starting += not self._ready
        self._take(self._bus.disconnect())
        self._check()
        return not self.is_over and not self._result.broken

    def _take(self, frames: list[tuple[Any, ...]]) -> None:
        for kind, *content in frames:
            match kind:
                case "read":
                    self._bus.reading(*content)
                case "publish":
                    number, stream, records = content
                    for record in records:
                        self._bus.append(stream, record)
                        self._hear(record)
                    self._bus.stored(number)
                case "state":
                    self._works = self._ready
                    self._states[content[0]] = content[1]
                case "ready":
                    position, state = content
                    self._ready = True
                    if position in self._states:
                        self._result.states_compared += 1
                        if self._states[position] != state:
                            self._result.broken.append(f"the state at {position} is another after recovery (I8)")

    def _check(self) -> None:
        durable = self._durable()
        for child_id in self._at_venue:
            if child_id not in durable:
                self._result.broken.append(f"{child_id} is at the venue and not in the journal (I4)")
        for child_id, times in self._at_venue.items():
            if times > 1:
                self._result.broken.append(f"{child_id} is at the venue {times} times (I3)")
        self._result.broken += broken_laws(self._log, self.ordered, keeps_all=False)

    def _durable(self) -> set[str]:
        if not self._path.exists():
            return set()
        connection = sqlite3.connect(self._path)
        try:
            bodies = connection.execute(
                "SELECT body FROM journal WHERE event_type = 'child_order_submitted'"
            ).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return set()  # it died before its first start was over
            raise
        finally:
            connection.close()
        return {decode(body).payload.child.child_order_id for (body,) in bodies}

    def conclude(self) -> None:
        """The orders are over: nothing was lost."""
        laws = broken_laws(self._log, self.ordered, keeps_all=True, ends=("execution_completed",))
        self._result.broken += laws
        lost = self._durable() - set(self._at_venue)
        self._result.broken += [f"{child_id} is in the journal and never came to the venue" for child_id in lost]
        self._result.rounds += 1
        self._result.orders += len(self.ordered)
        self._result.children += len(self._at_venue)


async def _open_and_close(path: Path) -> None:
    await (await SqlJournal.open_file(path)).close()


def run(kills: int, seed: int, broken: str, told: Callable[[int], None], first: int = 0) -> Result:
    """Rounds of at most KILLS_OF_A_ROUND kills, each with its own seed and the next kind of venue."""
    result = Result()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_open_and_close(Path(folder) / "warm.sqlite"))  # what is imported here, no engine imports
    gc.collect()
    gc.freeze()  # the engines share these pages
    number = 0
    while result.kills < kills and not result.broken:
        with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
            own_seed = random.Random(f"{seed}/{first}/{number}").randrange(2**32)
            one = Round(own_seed, VENUES[number % 3], Path(folder), broken, result)
            one.open_orders()
            randomness = one.randomness
            for _ in range(min(KILLS_OF_A_ROUND, kills - result.kills)):
                starting = randomness.random() < 0.2
                span = randomness.uniform(0.0005, 0.1) if starting else randomness.uniform(0.0005, 0.012)
                goes_on = one.live(span, starting=starting)
                result.kills += 1
                told(first + result.kills)
                if not goes_on:
                    break
            if not one.is_over and not result.broken:
                one.live(60.0)  # undisturbed, to its end
                if not one.is_over:
                    result.broken.append("the orders were not over after 60 s undisturbed")
            if not result.broken:
                one.conclude()
        number += 1
        if result.broken:
            result.broken.append(f"round {number - 1} of seed {seed}, venue that {VENUES[(number - 1) % 3]}")
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20_261_121)
    parser.add_argument("--first", type=int, default=0, help="kills done before, to go on where a run stopped")
    parser.add_argument("--broken", choices=BROKEN, default="", help="an engine that must be caught")
    arguments = parser.parse_args()
    columns = ("kills", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=arguments.kills, completed=arguments.first)
        result = run(
            arguments.kills - arguments.first,
            arguments.seed,
            arguments.broken,
            lambda done: progress.update(task, completed=done),
            arguments.first,
        )
    print(
        f"seed {arguments.seed}: {result.kills} kills ({result.while_starting} of engines still starting) in "
        f"{result.rounds} rounds, {result.orders} orders, {result.children} children, {result.repeats_refused} repeats "
        f"refused, {result.states_compared} recovered states compared"
    )
    ready = result.ready_seconds
    print(f"fork to ready: P50 {quantile(ready, 0.5):.3f} s, P99 {quantile(ready, 0.99):.3f} s ({len(ready)} starts)")
    print("; ".join(result.broken[:8]) or "nothing lost, doubled or oversent")
    return 1 if result.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
