"""Same tape, order and seed: the same event log to the byte, in any process; and the journal is the whole state."""

import dataclasses
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bestex.app import recovery
from bestex.app.desk import Desk
from bestex.domain.orders import Algorithm, ExecutionStyle, Side
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.messages.execution import CancelExecution, PauseExecution
from tests.scenarios.event_time import EventTimeDesk
from tests.scenarios.hashed_story import LooksAtASet
from tests.small_tape import write_small_tape

ROOT = Path(__file__).parents[2]


def told_elsewhere(seed: int, *, hash_seed: int, broken: str = "none") -> str:
    """The digest of the story's event log, from a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.scenarios.hashed_story", "--seed", str(seed), "--broken", broken],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


def test_two_processes_with_two_hash_seeds_tell_the_same_story_to_the_byte() -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    first = told_elsewhere(seed, hash_seed=1)
    assert told_elsewhere(seed, hash_seed=2) == first
    assert told_elsewhere(seed + 1, hash_seed=1) != first


@pytest.mark.parametrize("broken", ["set", "clock"])
def test_a_service_that_looks_at_a_set_or_at_the_wall_clock_is_caught(broken: str) -> None:
    assert told_elsewhere(5, hash_seed=1, broken=broken) != told_elsewhere(5, hash_seed=2, broken=broken)


def replayed(folder: Path, tape: Path, *, hash_seed: int) -> str:
    """sha256 of the event log of `bestex replay`, from a process of its own with a cache of its own."""
    folder.mkdir()
    order = ["--side", "BUY", "--quantity", "5000", "--start", "09:35", "--end", "09:37"]
    files = ["--tape", str(tape), "--report", str(folder / "order.html"), "--events", str(folder / "events.jsonl")]
    subprocess.run(
        [sys.executable, "-m", "bestex", "replay", *order, *files],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "XDG_CACHE_HOME": str(folder / "cache")},
        capture_output=True,
        check=True,
    )
    return sha256((folder / "events.jsonl").read_bytes()).hexdigest()


def test_two_replays_of_one_tape_write_the_same_event_log_and_another_tape_another(tmp_path: Path) -> None:
    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
    tape, other = (write_small_tape(tmp_path / str(seed), seed=seed) for seed in (1, 2))
    first = replayed(tmp_path / "first", tape, hash_seed=1)
    assert replayed(tmp_path / "again", tape, hash_seed=2) == first
    assert replayed(tmp_path / "other", other, hash_seed=1) != first


def plain(value: Any) -> Any:
    """A service's state as values that can be compared, however deep it goes."""
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if isinstance(value, str | int | float | bytes | None) or type(value).__eq__ is not object.__eq__:
        return list(map(plain, value)) if isinstance(value, list | tuple) else value
    if hasattr(value, "__dict__"):
        return {name: plain(item) for name, item in vars(value).items()}
    if hasattr(value, "__iter__"):
        return list(map(plain, value))
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    assert slots, f"{type(value)} shows nothing that can be compared"
    return {name: plain(getattr(value, name)) for name in slots}


def states(desk: Desk, order_ids: set[str]) -> dict[tuple[str, str], Any]:
    return {
        (service.name, order_id): plain(service.state(order_id))
        for service in desk.services
        for order_id in sorted(order_ids)
    }


async def recovered(live: EventTimeDesk, desk: Desk) -> Desk:
    await recovery.recover(desk, live.journal, live.journal)
    return desk


def open_orders(live: EventTimeDesk) -> set[str]:
    told = {message.order_id for message in live.messages if message.event_type == "trade_executed"}
    return {message.order_id for message in live.messages if message.event_type == "order_created"} - told


async def test_at_ten_random_points_the_journal_alone_gives_every_service_its_state_back() -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    randomness = random.Random(seed)
    live = EventTimeDesk(seed=seed)
    open_seen = 0
    for number in range(10):
        live.send(
            f"order-{number}",
            side=randomness.choice(list(Side)),
            quantity=randomness.randrange(500, 4_000),
            minutes=randomness.uniform(2, 6),
            algorithm=Algorithm.TWAP if number in (4, 6) else randomness.choice([None, *Algorithm]),
            execution_style=randomness.choice(list(ExecutionStyle)),
        )
        live.run(seconds=randomness.uniform(0.5, 45))
        if number == 4:
            live.ask("algorithm", PauseExecution(order_id="order-4", actor="trader"), "order-4")
        if number == 6:
            live.ask("algorithm", CancelExecution(order_id="order-6", actor="trader"), "order-6")
        fresh = await recovered(live, live.fresh_desk())
        still_open = open_orders(live)
        open_seen += len(still_open)
        assert states(fresh, still_open) == states(live.desk, still_open)
        assert fresh.next_timer_ns() == live.desk.next_timer_ns()
    assert open_seen >= 20


class RemembersTheWall(LooksAtASet):
    """What must be caught: it keeps something that did not come in a message."""

    name = "remembers-the-wall"

    def __init__(self) -> None:
        self.seen_ns: dict[str, int] = {}

    def handle(self, message: Message[Any]) -> Effects:
        self.seen_ns[message.order_id] = time.time_ns()
        return Effects()

    def state(self, order_id: str) -> object:
        return self.seen_ns.get(order_id)


async def test_a_service_whose_state_is_not_in_its_messages_is_caught() -> None:
    live = EventTimeDesk(seed=7, also=[RemembersTheWall()])
    live.send("order")
    live.run(seconds=5)
    fresh = await recovered(live, live.fresh_desk([RemembersTheWall()]))
    differing = {
        service
        for (service, _), state in states(fresh, {"order"}).items()
        if state != states(live.desk, {"order"})[service, "order"]
    }
    assert differing == {"remembers-the-wall"}
