"""The path the pre-trade model expects is the one the decision step takes in a market that behaves as expected."""

import numpy as np
import pytest

from bestex.domain.orders import Algorithm, ExecutionStyle
from bestex.native.decision import AlgorithmCode, DecisionEngine, StyleCode, Wake
from bestex.quant.candidates import Candidate, MarketEstimates
from bestex.quant.expected_paths import STEPS, executed_path, step_minutes, window_share, working_share
from bestex.quant.schedules import almgren_chriss_curve, twap_curve, vwap_curve
from bestex.quant.volume_curves import VolumeCurve, flat_curve, u_shaped_default

MINUTE = 60 * 10**9
SLICES = 96


def market(curve: VolumeCurve) -> MarketEstimates:
    return MarketEstimates(
        price=100.0,
        spread=0.01,
        tick_size=0.01,
        touch_quantity=500,
        daily_volume=1e7,
        daily_volatility=0.02,
        volume_curve=curve,
        session_minutes=390,
        session_fraction=0.1,
    )


def expected(candidate: Candidate, quantity: float, estimates: MarketEstimates, at_minutes: np.ndarray) -> np.ndarray:
    share = working_share(candidate, quantity, window_share(candidate, estimates), estimates)
    minutes = step_minutes(share, estimates)
    assert len(minutes) == STEPS + 1
    done = executed_path(candidate, quantity, share * estimates.daily_volume, minutes)
    return np.interp(at_minutes, minutes, done)


def taken(candidate: Candidate, quantity: int, estimates: MarketEstimates) -> tuple[np.ndarray, np.ndarray, float]:
    """Minutes, the fraction the engine has done by then where volume is exactly as expected, and its largest slice."""
    start = estimates.session_fraction
    end = start + candidate.window_minutes / estimates.session_minutes
    shares = estimates.volume_curve.window_shares(start, end, SLICES)
    curve = {
        Algorithm.VWAP: lambda: vwap_curve(shares),
        Algorithm.IMPLEMENTATION_SHORTFALL: lambda: almgren_chriss_curve(SLICES, candidate.kappa_t, shares),
    }.get(candidate.algorithm, lambda: twap_curve(SLICES))()
    length = int(candidate.window_minutes * MINUTE)
    engine = DecisionEngine(
        algorithm=AlgorithmCode[candidate.algorithm],
        style=StyleCode.AGGRESSIVE,
        side=0,
        quantity=quantity,
        start=0,
        end=length,
        slices=SLICES,
        curve=curve,
        participation_rate=candidate.participation_rate or 1.0,
    )
    times = np.linspace(0, length, 2_001).astype(np.int64)
    fractions = start + times / length * (end - start)
    volume = (estimates.volume_curve.at(fractions) - estimates.volume_curve.at(start)) * estimates.daily_volume
    filled, done = 0, []
    for now, others in zip(times.tolist(), volume.astype(np.int64).tolist(), strict=True):
        for _, size, _ in engine.decide(filled, 0, False, now, 99, 101, 9, 9, others, Wake.TIMER)[0]:
            filled += size
        done.append(filled / quantity)
    return times / MINUTE, np.array(done), float(np.diff(curve, prepend=0.0).max())


@pytest.mark.parametrize("curve", [flat_curve(), u_shaped_default()], ids=["flat", "U"])
@pytest.mark.parametrize("rate", [None, 0.1], ids=["free", "capped"])
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_expected_and_taken_paths_agree_within_one_slice(
    algorithm: Algorithm, rate: float | None, curve: VolumeCurve
) -> None:
    candidate = Candidate(
        algorithm=algorithm,
        style=ExecutionStyle.AGGRESSIVE,
        window_minutes=120,
        slices=SLICES,
        kappa_t=2.0,
        participation_rate=0.15 if rate is None and algorithm is Algorithm.PARTICIPATION_RATE else rate,
    )
    estimates, quantity = market(curve), 300_000
    minutes, done, largest = taken(candidate, quantity, estimates)
    difference = done - expected(candidate, quantity, estimates, minutes)
    # The step does a slice when it begins, the path in the course of it.
    assert np.abs(difference).max() < 1.05 * largest
    assert abs(difference[-1]) < 0.005
