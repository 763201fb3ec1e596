"""The pre-trade model in C++ and its Python twin state the same outcomes, candidate by candidate."""

from collections.abc import Sequence
from dataclasses import astuple, fields, replace

import numpy as np
import pytest

from bestex.domain.orders import Algorithm, ExecutionStyle
from bestex.quant.candidates import Candidate, MarketEstimates
from bestex.quant.expected_paths import window_share
from bestex.quant.impact import ImpactCoefficients
from bestex.quant.pretrade import ExpectedOutcome, expected_outcome, expected_outcomes
from bestex.quant.spread_costs import PlacementAssumptions
from bestex.quant.volume_curves import VolumeCurve, flat_curve, u_shaped_default

SEED = 20261121
MARKETS = 150
CANDIDATES = 20


def some_curve(random: np.random.Generator) -> VolumeCurve:
    kind = random.integers(4)
    if kind == 0:
        return flat_curve()
    if kind == 1:
        return u_shaped_default()
    shares = random.random(int(random.integers(2, 60))) + (0.01 if kind == 2 else 0.0)
    if kind == 3:  # with stretches without any volume
        shares[:-1] *= random.random(len(shares) - 1) < 0.7
    cumulative = np.concatenate([[0.0], np.cumsum(shares / shares.sum())])
    return VolumeCurve(np.linspace(0.0, 1.0, len(cumulative)), cumulative, "drawn")


def some_market(random: np.random.Generator) -> MarketEstimates:
    return MarketEstimates(
        price=float(random.uniform(1, 500)),
        spread=float(random.choice([0.0, random.uniform(0.001, 0.5)])),
        tick_size=0.01,
        touch_quantity=float(random.uniform(0, 2_000)),
        daily_volume=float(10 ** random.uniform(4, 8)),
        daily_volatility=float(random.choice([0.0, random.uniform(0.001, 0.1)], p=[0.05, 0.95])),
        volume_curve=some_curve(random),
        session_minutes=float(random.choice([390.0, 510.0, 1440.0])),
        session_fraction=float(random.choice([0.0, random.uniform(0, 0.95)])),
        taker_fee=float(random.normal(0, 1e-4)),
        maker_fee=float(random.normal(0, 1e-4)),
        dark_fee=float(random.normal(0, 1e-4)),
        drift_per_day=float(random.normal(0, 0.02)),
        volume_error=float(random.uniform(0.05, 0.8)),
        turnover_days=float(random.uniform(1, 300)),
        coefficients=ImpactCoefficients(
            permanent=float(random.choice([0.0, 0.314])),
            temporary=float(random.choice([0.0, 0.142])),
            temporary_exponent=float(random.uniform(0.3, 1.0)),
        ),
        placement=PlacementAssumptions(adverse_selection=float(random.uniform(0, 2))),
    )


def some_candidate(random: np.random.Generator) -> Candidate:
    algorithm = list(Algorithm)[random.integers(4)]
    rate: float | None = float(random.uniform(0.01, 0.95))
    if algorithm is not Algorithm.PARTICIPATION_RATE:
        rate = [None, 1.0, rate][random.integers(3)]
    return Candidate(
        algorithm=algorithm,
        style=list(ExecutionStyle)[random.integers(4)],
        window_minutes=float(random.uniform(1, 600)),
        slices=int(random.integers(1, 100)),
        kappa_t=float(random.choice([0.0, random.uniform(0, 20)])),
        participation_rate=rate,
        dark_ratio=float(random.choice([0.0, random.uniform(0, 1)])),
        limit_distance=None if random.random() < 0.6 else float(random.normal(0, 0.02)),
    )


def apart(twin: ExpectedOutcome, native: ExpectedOutcome) -> list[str]:
    """Fields that differ by more than 1e-12 of their value, or of the cost's scale where they are a difference."""
    scale = abs(twin.temporary_impact) + abs(twin.permanent_impact) + abs(twin.spread_cost) + abs(twin.fees)
    differing = []
    for field in fields(ExpectedOutcome):
        a, b = (np.atleast_1d(getattr(outcome, field.name)).astype(float) for outcome in (twin, native))
        floor = 1.0 if field.name == "completion_probability" else scale
        if not (np.abs(a - b) <= 1e-12 * np.maximum(np.abs(a), floor)).all():
            differing.append(f"{field.name}: {a} in Python, {b} in C++")
    return differing


def drawn(seed: int) -> list[tuple[Sequence[Candidate], float, MarketEstimates]]:
    random = np.random.default_rng(seed)
    cases = []
    for _ in range(MARKETS):
        market = some_market(random)
        quantity = float(market.daily_volume * 10 ** random.uniform(-5, 0.3))
        candidates = [some_candidate(random) for _ in range(CANDIDATES)]
        cases.append(([c for c in candidates if window_has_volume(c, market)], quantity, market))
    assert sum(len(candidates) for candidates, _, _ in cases) > 0.9 * MARKETS * CANDIDATES
    return cases


def window_has_volume(candidate: Candidate, market: MarketEstimates) -> bool:
    try:
        return window_share(candidate, market) > 0
    except ValueError:
        return False


def test_both_give_the_same_outcomes() -> None:
    print(f"seed {SEED}")
    for candidates, quantity, market in drawn(SEED):
        for candidate, native in zip(candidates, expected_outcomes(candidates, quantity, market), strict=True):
            wrong = apart(expected_outcome(candidate, quantity, market), native)
            assert not wrong, f"{candidate} for {quantity} in {market}: {'; '.join(wrong)}"


def test_a_twin_that_forgets_the_participation_cap_is_noticed() -> None:
    print(f"seed {SEED}")
    caught = 0
    for candidates, quantity, market in drawn(SEED)[:20]:
        for candidate, native in zip(candidates, expected_outcomes(candidates, quantity, market), strict=True):
            if candidate.algorithm is not Algorithm.PARTICIPATION_RATE:
                uncapped = replace(candidate, participation_rate=None)
                caught += bool(apart(expected_outcome(uncapped, quantity, market), native))
    assert caught > 20


def test_a_millionth_of_a_basis_point_in_one_part_is_noticed() -> None:
    candidates, quantity, market = drawn(SEED)[0]
    native = expected_outcomes(candidates, quantity, market)[0]
    assert apart(replace(native, fees=native.fees + 1e-10), native) != []


def test_the_order_of_the_candidates_is_kept_and_each_stands_alone() -> None:
    candidates, quantity, market = drawn(SEED)[1]
    together = expected_outcomes(candidates, quantity, market)
    alone = [expected_outcomes([candidate], quantity, market)[0] for candidate in candidates]
    assert [astuple(outcome) for outcome in together] == [astuple(outcome) for outcome in alone]
    assert expected_outcomes([], quantity, market) == []


@pytest.mark.parametrize("price", [expected_outcome, lambda c, q, m: expected_outcomes([c], q, m)])
def test_both_refuse_a_window_without_volume_and_a_quantity_of_nothing(price: object) -> None:
    assert callable(price)
    market = replace(
        some_market(np.random.default_rng(1)),
        volume_curve=VolumeCurve(np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 1.0]), "mornings only"),
        session_minutes=390.0,
        session_fraction=0.6,
    )
    candidate = Candidate(
        algorithm=Algorithm.TWAP, style=ExecutionStyle.AGGRESSIVE, window_minutes=30.0, slices=3, participation_rate=0.1
    )
    with pytest.raises(ValueError, match=r"no volume is expected .* \(mornings only\); start earlier"):
        price(candidate, 100.0, market)
    with pytest.raises(ValueError, match="order_quantity is .*0.*; expected above 0"):
        price(candidate, 0.0, replace(market, session_fraction=0.1))
