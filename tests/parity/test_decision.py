"""The decision step in C++ and its Python twin give the same answers, step by step, state by state."""

import numpy as np
import pytest

from bestex.native.decision import (
    NEVER,
    NO_PRICE,
    UNLIMITED,
    AlgorithmCode,
    DecisionEngine,
    SideCode,
    StyleCode,
    Wake,
)
from bestex.native.twin import decision as twin

SEED = 20260211
LIVES = 600
STEPS = 60


def some_parameters(random: np.random.Generator) -> twin.Parameters:
    algorithm = AlgorithmCode(int(random.integers(4)))
    slices = int(random.integers(1, 30))
    shares = random.random(slices) * (random.random(slices) < 0.8)
    curve = np.cumsum(shares) / shares.sum() if shares.sum() else np.ones(slices)
    curve = np.minimum(curve, 1.0)
    curve[-1] = 1.0
    capped = algorithm == AlgorithmCode.PARTICIPATION_RATE or random.random() < 0.4
    start = int(random.integers(0, 10**6))
    return twin.Parameters(
        algorithm=algorithm,
        style=StyleCode(int(random.integers(4))),
        side=SideCode(int(random.integers(2))),
        quantity=int(random.integers(1, 4000)),
        start=start,
        end=start + int(random.integers(slices, 10**5)),
        curve=[float(value) for value in curve],
        limit=int(random.integers(95, 106)) if random.random() < 0.4 else None,
        participation_rate=float(random.uniform(0.01, 0.9)) if capped else 1.0,
        child_quantity_max=int(random.integers(1, 300)) if random.random() < 0.3 else None,
        follows_price=bool(random.random() < 0.5),
    )


def some_steps(random: np.random.Generator, p: twin.Parameters) -> np.ndarray:
    """(steps, 10) in time order: mostly what could happen, sometimes what should not."""
    rows = np.empty((STEPS, 10), dtype=np.int64)
    near_edges = [twin.slice_start(p, k) + d for k in range(p.slices + 1) for d in (-1, 0, 1)]
    times = np.concatenate([random.integers(p.start - 5, p.end + 5, STEPS), random.choice(near_edges, STEPS)])
    rows[:, 3] = np.sort(random.choice(times, STEPS))
    rows[:, 0] = np.sort(random.integers(0, p.quantity + 2, STEPS) * (random.random(STEPS) < 0.8))
    rows[:, 1] = random.integers(0, p.quantity + 1, STEPS) * (random.random(STEPS) < 0.6)
    rows[:, 2] = random.random(STEPS) < 0.2
    rows[:, 4] = random.integers(97, 103, STEPS)
    rows[:, 5] = rows[:, 4] + random.integers(1, 4, STEPS)
    rows[random.random(STEPS) < 0.05, 4] = NO_PRICE
    rows[random.random(STEPS) < 0.05, 5] = NO_PRICE
    rows[:, 6:8] = 100
    rows[:, 8] = np.cumsum(random.integers(0, 4 * p.quantity // STEPS + 2, STEPS))
    rows[:, 9] = random.integers(0, len(Wake), STEPS)
    return rows


def engine_of(p: twin.Parameters) -> DecisionEngine:
    return DecisionEngine(
        algorithm=p.algorithm,
        style=p.style,
        side=p.side,
        quantity=p.quantity,
        start=p.start,
        end=p.end,
        slices=p.slices,
        curve=np.array(p.curve),
        limit=p.limit,
        participation_rate=p.participation_rate,
        child_quantity_max=p.child_quantity_max,
        follows_price=p.follows_price,
    )


def twin_answers(p: twin.Parameters, rows: np.ndarray) -> np.ndarray:
    state = twin.State()
    answers = np.empty((len(rows), 24), dtype=np.int64)
    for i, row in enumerate(rows.tolist()):
        filled, live, cancel_pending, now, bid, ask, _, _, others, wake = row
        decision = twin.decide(
            p,
            state,
            twin.Position(filled=filled, live=live, cancel_pending=bool(cancel_pending)),
            twin.Market(now=now, bid=none_if(bid), ask=none_if(ask), others_volume=others),
            Wake(wake),
        )
        intents = [(intent.kind, intent.quantity, price_code(intent.price)) for intent in decision.intents]
        intents += [(-1, 0, NO_PRICE)] * (3 - len(intents))
        answers[i] = [
            len(decision.intents),
            *(value for intent in intents for value in intent),
            NEVER if decision.wake_at is None else decision.wake_at,
            UNLIMITED if decision.wake_at_volume is None else decision.wake_at_volume,
            decision.target,
            state.slice,
            state.crossing,
            state.done,
            state.replacing,
            price_code(state.posted),
            state.volume_seen,
            NEVER if state.next_child_at is None else state.next_child_at,
            decision.price_watch.changes,
            price_code(decision.price_watch.level_half_ticks),
            decision.price_watch.level_of,
            decision.price_watch.from_below,
        ]
    return answers


def none_if(price: int) -> int | None:
    return None if price == NO_PRICE else price


def price_code(price: int | None) -> int:
    return NO_PRICE if price is None else price


def differing_lives() -> list[int]:
    random = np.random.default_rng(SEED)
    differing = []
    for life in range(LIVES):
        p = some_parameters(random)
        rows = some_steps(random, p)
        if not np.array_equal(engine_of(p).decide_rows(rows), twin_answers(p, rows)):
            differing.append(life)
    return differing


def test_the_native_step_and_its_twin_agree_on_every_step_and_every_state() -> None:
    print(f"seed {SEED}, {LIVES} lives of {STEPS} steps")
    assert differing_lives() == []


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("CATCH_UP", 3.0),
        ("ROUNDING_SLACK", 0.5),
        ("CLOSING_PART", 9),
        ("within_limit", lambda p, price: price is not None),
        ("_FOLLOWING", frozenset({StyleCode.PASSIVE})),
        ("_PLACING", frozenset({Wake.START, Wake.TIMER, Wake.VOLUME, Wake.RESUME})),
    ],
)
def test_a_twin_with_one_rule_changed_is_caught(monkeypatch: pytest.MonkeyPatch, name: str, broken: object) -> None:
    print(f"seed {SEED}")
    monkeypatch.setattr(twin, name, broken)
    assert differing_lives() != []


def test_one_step_at_a_time_equals_many_in_a_row() -> None:
    random = np.random.default_rng(SEED)
    print(f"seed {SEED}")
    for _ in range(50):
        p = some_parameters(random)
        rows = some_steps(random, p)
        many, one = engine_of(p), engine_of(p)
        answers = many.decide_rows(rows)
        for row, answer in zip(rows.tolist(), answers.tolist(), strict=True):
            filled, live, pending, now, bid, ask, bid_quantity, ask_quantity, others, wake = row
            intents, wake_at, wake_at_volume, target = one.decide(
                filled, live, bool(pending), now, none_if(bid), none_if(ask), bid_quantity, ask_quantity, others, wake
            )
            assert len(intents) == answer[0]
            flat = [part for kind, quantity, price in intents for part in (kind, quantity, price_code(price))]
            assert flat == answer[1 : 1 + len(flat)]
            assert (NEVER if wake_at is None else wake_at) == answer[10]
            assert (UNLIMITED if wake_at_volume is None else wake_at_volume) == answer[11]
            assert target == answer[12]
            assert list(one.state) == answer[13:20]
            changes, level, of, from_below = one.price_watch
            assert [changes, price_code(level), of, from_below] == answer[20:]
