"""Laws every life of a parent order keeps, whatever the market does: seeded lives against the native decision step."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from bestex.native.decision import AlgorithmCode, DecisionEngine, IntentKind, SideCode, StyleCode, Wake
from bestex.quant.schedules import almgren_chriss_curve, cumulative_targets, twap_curve, vwap_curve

SEED = 20260212
LIVES = 400


@dataclass
class Child:
    quantity: int
    rests: bool
    cancel_asked: bool = False


@dataclass(frozen=True)
class Life:
    """What came of one parent order."""

    quantity: int
    filled: int
    targets: list[int]
    largest_ahead: float  # most lots ever sent beyond what rate and others' volume allowed
    children: list[int]


def live(random: np.random.Generator, *, fills_always: bool, forget_live: bool = False) -> Life:
    """One order from start to done. fills_always: what crosses is filled at once and nothing is held back."""
    slices = int(random.integers(1, 25))
    algorithm = AlgorithmCode(int(random.choice([0, 1, 3] if fills_always else [0, 1, 2, 3])))
    style = StyleCode.AGGRESSIVE if fills_always else StyleCode(int(random.integers(4)))
    curve = {
        AlgorithmCode.VWAP: lambda: vwap_curve(random.random(slices) + 0.01),
        AlgorithmCode.IMPLEMENTATION_SHORTFALL: lambda: almgren_chriss_curve(slices, float(random.uniform(0, 10))),
    }.get(algorithm, lambda: twap_curve(slices))()
    quantity = int(random.integers(1, 3000))
    rate = float(random.uniform(0.02, 0.6)) if not fills_always and random.random() < 0.5 else 1.0
    if algorithm == AlgorithmCode.PARTICIPATION_RATE:
        rate = float(random.uniform(0.02, 0.6))
    end = 1000 * slices
    engine = DecisionEngine(
        algorithm=algorithm,
        style=style,
        side=SideCode(int(random.integers(2))),
        quantity=quantity,
        start=0,
        end=end,
        slices=slices,
        curve=curve,
        participation_rate=rate,
    )
    children: list[Child] = []
    sizes: list[int] = []
    targets: list[int] = []
    filled = others = now = 0
    ahead = 0.0
    bid, wake = 1000, Wake.START
    for _ in range(20_000):
        working = sum(child.quantity for child in children)
        intents, wake_at, _, target = engine.decide(
            filled,
            0 if forget_live else working,
            any(child.cancel_asked for child in children),
            now,
            bid,
            bid + int(random.integers(1, 3)),
            50,
            50,
            others,
            wake,
        )
        targets.append(target)
        for kind, size, _price in intents:
            if kind == IntentKind.CANCEL_ALL:
                for child in children:
                    child.cancel_asked = True
            else:
                children.append(Child(size, kind == IntentKind.POST_ONLY))
                sizes.append(size)
        sent = filled + sum(child.quantity for child in children)
        if rate < 1 and any(kind != IntentKind.CANCEL_ALL for kind, _, _ in intents):
            ahead = max(ahead, sent - rate / (1 - rate) * others)
        ahead = max(ahead, float(sent - quantity))
        if engine.done or (wake_at is None and not children):
            return Life(quantity, filled, targets, ahead, sizes)
        if children and (fills_always or wake_at is None or random.random() < 0.6):
            child = children[int(random.integers(len(children)))]
            got = child.quantity if fills_always else int(random.integers(0, child.quantity + 1))
            filled += got
            child.quantity -= got
            ends = child.quantity == 0 or not child.rests or child.cancel_asked or random.random() < 0.2
            if ends:
                children.remove(child)
            wake = Wake.CHILD_DONE if ends else Wake.FILL
        elif wake_at is not None:
            now, wake = wake_at, Wake.TIMER
            others += int(random.integers(0, quantity))
            bid += int(random.integers(-1, 2))
    raise AssertionError("the order never ended")


def broken_laws(life: Life) -> list[str]:
    laws = {
        "never sends more than ordered, nor than the rate allows": life.largest_ahead <= 1e-6,
        "fills no more than ordered": life.filled <= life.quantity,
        "targets never fall": all(b >= a for a, b in pairwise(life.targets)),
        "targets never exceed the order": max(life.targets) <= life.quantity,
        "every child has a quantity": all(size > 0 for size in life.children),
    }
    return [law for law, kept in laws.items() if not kept]


def test_no_life_breaks_a_law() -> None:
    print(f"seed {SEED}")
    random = np.random.default_rng(SEED)
    for number in range(LIVES):
        assert broken_laws(live(random, fills_always=False)) == [], f"life {number}"


def test_a_caller_that_forgets_what_is_live_breaks_a_law() -> None:
    print(f"seed {SEED}")
    random = np.random.default_rng(SEED)
    assert any(broken_laws(live(random, fills_always=False, forget_live=True)) for _ in range(50))


def test_when_everything_fills_the_children_sum_to_the_order_and_the_last_target_is_the_order() -> None:
    print(f"seed {SEED}")
    random = np.random.default_rng(SEED)
    for number in range(LIVES):
        life = live(random, fills_always=True)
        assert sum(life.children) == life.filled == life.quantity, f"life {number}"
        assert life.targets[-1] == life.quantity


@pytest.mark.parametrize("slices", [1, 2, 7, 30, 391])
def test_cumulative_targets_are_monotone_end_at_the_order_and_stay_within_half_a_lot(slices: int) -> None:
    print(f"seed {SEED}")
    random = np.random.default_rng(SEED)
    for quantity in (0, 1, 29, 10**6 + 7):
        curve = vwap_curve(random.random(slices) + 1e-3)
        targets = cumulative_targets(curve, quantity)
        assert (np.diff(targets) >= 0).all()
        assert targets[-1] == quantity
        assert np.abs(targets - curve * quantity).max() <= 0.5 + 1e-9
        children = np.round(np.diff(curve, prepend=0.0) * quantity)  # rounded one by one, they drift
        if slices == 391 and quantity > 10**6:
            assert children.sum() != quantity
