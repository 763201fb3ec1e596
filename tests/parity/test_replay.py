"""The replay core and its Python twin tell the same story on random small tapes."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bestex.native.decision import SideCode
from bestex.native.interactive import InteractiveConfig, InteractiveReplay, OrderKind, Report, Snapshot
from bestex.native.replay import QueueModel
from bestex.native.rows import ASK, BID, L2_ROWS, L3_ROWS, L2Kind, L3Kind
from bestex.native.tape import build_tape
from bestex.native.twin.book import Event
from bestex.native.twin.fill_rules import Exchange
from bestex.native.twin.interactive import TwinReplay

SEEDS = range(60)
START = 1_700_000_000_000_000_000
Replays = InteractiveReplay | TwinReplay


def random_rows(rng: random.Random, count: int) -> NDArray[np.void]:
    """Order by order: few prices, many rows at one time, some crossed quotes, hidden and halt rows."""
    rows: list[tuple[int, int, int, int, int, int, tuple[int, ...]]] = []
    live: dict[int, list[int]] = {}  # id -> price, side, remaining
    time, halted = START, False
    for order_id in range(1, count):
        time += rng.choice([0, 0, 1, 5, 50, 5_000_000_000 if rng.random() < 0.02 else 10])
        act = rng.random()
        side = rng.choice([BID, ASK])
        if act < 0.5 or len(live) < 6:
            crossing = rng.random() < 0.05
            price = 2 * (rng.randint(92, 100 + 2 * crossing) if side == BID else rng.randint(101 - 2 * crossing, 109))
            quantity = rng.randint(1, 9)
            rows.append((time, order_id, price, quantity, L3Kind.ADD, side, (0,) * 6))
            live[order_id] = [price, side, quantity]
        elif act < 0.9:
            kind = L3Kind.FILL if act < 0.72 else L3Kind.CANCEL
            near = sorted(live, key=lambda i: abs(live[i][0] - 201) if kind is L3Kind.FILL else rng.random())
            chosen = near[0] if rng.random() < 0.9 else rng.choice(near)
            price, side, remaining = live[chosen]
            quantity = rng.choice([remaining, rng.randint(1, remaining)])
            rows.append((time, chosen, price, quantity, kind, side, (0,) * 6))
            live[chosen][2] -= quantity
            if live[chosen][2] == 0:
                del live[chosen]
        elif act < 0.97:
            rows.append((time, 0, rng.randint(196, 206), rng.randint(1, 9), L3Kind.HIDDEN, side, (0,) * 6))
        elif act < 0.98:
            rows.append((time, 0, rng.randint(196, 206), rng.randint(1, 99), L3Kind.CROSS, BID, (0,) * 6))
        else:
            halted = not halted
            rows.append((time, 0, 0, 0, L3Kind.HALT if halted else L3Kind.RESUME, BID, (0,) * 6))
    return np.array(rows, L3_ROWS)


def by_levels(rng: random.Random, orders: NDArray[np.void]) -> NDArray[np.void]:
    """The same tape as price levels; now and then a trade comes without its depth row, or with a larger fall."""
    rows: list[tuple[int, int, int, int, int, int, tuple[int, ...]]] = []
    shown: dict[tuple[int, int], int] = {}
    for time, _, price, quantity, kind, side, _ in orders.tolist():
        aggressor = 1 - side
        if kind > L3Kind.FILL:
            rows.append((time, price, quantity, 0, kind, aggressor if kind == L3Kind.HIDDEN else 0, (0,) * 6))
            continue
        level = shown.get((side, price), 0) + (quantity if kind == L3Kind.ADD else -quantity)
        if kind == L3Kind.FILL:
            less = rng.random() < 0.1 and quantity > 1
            rows.append((time, price, quantity - less, 0, L2Kind.TRADE, aggressor, (0,) * 6))
            if rng.random() < 0.1:
                rows.append((time, price, 1, 0, L2Kind.TRADE, aggressor, (0,) * 6))
        shown[side, price] = level
        rows.append((time, price, quantity, level, L2Kind.DEPTH, side, (0,) * 6))
    return np.array(rows, L2_ROWS)


Told = list[list[Report] | Snapshot | tuple[int, int]]


def story(replay: Replays, rng: random.Random, end: int) -> Told:
    """Random orders, cancels and amendments; everything the replay says."""
    told: Told = []
    keys = 0
    while replay.now_ns < end:
        for _ in range(rng.choice([0, 1, 1, 2])):
            arrives = replay.now_ns + rng.choice([0, 0, 3, 40])
            act = rng.random()
            key = rng.randint(1, max(keys, 1))
            if act < 0.6:
                keys += rng.random() < 0.97
                kind = rng.choice(list(OrderKind))
                needs_price = kind not in (OrderKind.MARKET, OrderKind.MIDPOINT)
                has_price = needs_price or (kind is OrderKind.MIDPOINT and rng.random() < 0.5)
                replay.submit(
                    keys,
                    kind=kind,
                    side=rng.choice(list(SideCode)),
                    quantity=rng.randint(1, 25),
                    price_ticks=rng.randint(88, 113) if has_price else None,
                    arrives_ns=arrives,
                )
            elif act < 0.8:
                replay.cancel(key, arrives_ns=arrives)
            else:
                price = rng.choice([None, rng.randint(96, 104)])
                replay.amend(key, quantity=rng.randint(1, 25), price_ticks=price, arrives_ns=arrives)
        until = min(end, replay.now_ns + rng.choice([1, 10, 100, 1_000, 10_000_000_000 if rng.random() < 0.2 else 10]))
        while True:
            heard = replay.advance(until)
            told += [heard, replay.snapshot(), *(replay.open_order(key) for key in range(1, keys + 1))]
            if replay.now_ns >= until:
                break
    return told


def both(seed: int, layout: str, path: Path, twin_type: Callable[..., TwinReplay] = TwinReplay) -> tuple[Told, Told]:
    print(f"seed {seed} {layout}")
    rng = random.Random(seed)
    rows = random_rows(rng, 250)
    if layout == "L2":
        rows = by_levels(rng, rows)
    config = InteractiveConfig(report_delay_ns=rng.choice([0, 0, 7]), queue_model=rng.choice(list(QueueModel)))
    tape = build_tape(rows, path / "random.tape", instrument_id="RANDOM")
    end = int(rows["time_ns"][-1]) + 50
    told = story(InteractiveReplay(tape, config), random.Random(seed), end)
    return told, story(twin_type(rows, config), random.Random(seed), end)


@pytest.mark.parametrize("layout", ["L3", "L2"])
@pytest.mark.parametrize("seed", SEEDS)
def test_core_and_twin_report_the_same(seed: int, layout: str, tmp_path: Path) -> None:
    native, twin = both(seed, layout, tmp_path)
    for i, (ours, theirs) in enumerate(zip(native, twin, strict=True)):
        assert ours == theirs, f"item {i} of the story"


class CountsWhatItTook(Exchange):
    """Looks after every row whether what the world took still stands on the tape."""

    looks = 0
    overdrawn = 0

    def apply(self, event: Event) -> None:
        super().apply(event)
        for target, taken in self.claims.items():
            stands = (
                sum(
                    o.remaining for sides in self.book.queues for q in sides.values() for o in q if o.order_id == target
                )
                if self.by_order
                else self.book.quantity(*target)
            )
            CountsWhatItTook.looks += 1
            CountsWhatItTook.overdrawn += not 0 < taken <= stands


class NeverGivesBack(CountsWhatItTook):
    def cut_claim(self, target: object, event: Event) -> None:
        pass


def overdrawn(layout: str, path: Path, exchange: type[CountsWhatItTook]) -> tuple[int, int]:
    class Counting(TwinReplay):
        exchange_type = exchange

    CountsWhatItTook.looks = CountsWhatItTook.overdrawn = 0
    for seed in range(10):
        both(seed, layout, path, Counting)
    return CountsWhatItTook.looks, CountsWhatItTook.overdrawn


@pytest.mark.parametrize("layout", ["L3", "L2"])
def test_what_a_world_took_is_never_more_than_still_stands(layout: str, tmp_path: Path) -> None:
    looks, too_much = overdrawn(layout, tmp_path, CountsWhatItTook)
    assert looks > 500
    assert too_much == 0
    assert overdrawn(layout, tmp_path, NeverGivesBack)[1] > 0


class ForgetsWhatItTook(Exchange):
    def claim(self, target: object, quantity: int) -> None:
        pass


class LetsTheTapeGoFirst(Exchange):
    def cross_added(self, event: Event) -> None:
        pass


@pytest.mark.parametrize("layout", ["L3", "L2"])
@pytest.mark.parametrize("broken", [ForgetsWhatItTook, LetsTheTapeGoFirst])
def test_a_twin_with_a_broken_rule_is_caught(broken: type[Exchange], layout: str, tmp_path: Path) -> None:
    class Broken(TwinReplay):
        exchange_type = broken

    assert any(native != twin for native, twin in (both(seed, layout, tmp_path, Broken) for seed in range(10)))
