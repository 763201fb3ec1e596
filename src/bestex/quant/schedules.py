"""Schedules: how much of a parent order is to be done by when, as cumulative curves on equal time steps.

A curve is (slices,) float64: element k is the fraction done by the end of slice k, never falling, the last exactly 1.
It goes straight into the native decision step, which rounds the curve and never the children.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def twap_curve(slices: int) -> Array:
    """Even in time. Optimal for linear temporary impact without risk aversion (Bertsimas and Lo 1998)."""
    _require_slices(slices)
    return np.arange(1, slices + 1, dtype=np.float64) / slices


def vwap_curve(volume_shares: ArrayLike) -> Array:
    """Even in expected volume.

    Args:
        volume_shares: (slices,) expected volume of each slice, in any unit.

    Raises:
        ValueError: if a share is negative or not a number, or all are zero.
    """
    shares = np.asarray(volume_shares, dtype=np.float64)
    if shares.ndim != 1 or len(shares) == 0:
        raise ValueError(f"volume_shares must be one-dimensional and not empty, not of shape {shares.shape}")
    if not np.isfinite(shares).all() or (shares < 0).any() or shares.sum() <= 0:
        raise ValueError("volume_shares must be finite, not negative, and not all zero")
    return _ended(np.cumsum(shares) / shares.sum())


def almgren_chriss_curve(slices: int, kappa_t: float, volume_shares: ArrayLike | None = None) -> Array:
    """Implementation shortfall: 1 - sinh(kappa (T - t)) / sinh(kappa T) (Almgren and Chriss 2000).

    Args:
        slices: equal steps from start to end.
        kappa_t: urgency kappa T, from 0 (even) to about 8 (near-immediate).
        volume_shares: (slices,) expected volumes; given, the curve runs in volume time. None = in clock time.

    Raises:
        ValueError: if slices < 1 or kappa_t is negative or not finite.
    """
    even = twap_curve(slices) if volume_shares is None else vwap_curve(volume_shares)
    if len(even) != slices:
        raise ValueError(f"{len(even)} volume shares for {slices} slices")
    return even if kappa_t == 0 else _ended(1.0 - remaining_fraction(even, kappa_t))


def remaining_fraction(elapsed: ArrayLike, kappa_t: float) -> Array:
    """sinh(kappa_t (1 - u)) / sinh(kappa_t) at elapsed fractions u of the horizon; 1 - u at kappa_t = 0.

    Written as exp(-kappa_t u) expm1(-2 kappa_t (1 - u)) / expm1(-2 kappa_t): exact to rounding for every kappa_t.

    Raises:
        ValueError: if kappa_t is negative or not finite.
    """
    if not (kappa_t >= 0 and math.isfinite(kappa_t)):
        raise ValueError(f"kappa_t is {kappa_t}; expected a finite number of at least 0")
    u = np.asarray(elapsed, dtype=np.float64)
    if kappa_t < 1e-150:
        return 1.0 - u
    result: Array = np.exp(-kappa_t * u) * np.expm1(-2.0 * kappa_t * (1.0 - u)) / math.expm1(-2.0 * kappa_t)
    return result


def cumulative_targets(curve: ArrayLike, quantity_lots: int) -> NDArray[np.int64]:
    """(slices,) cumulative lots floor(X F + 1/2), the last exactly X: what the decision step works towards.

    Raises:
        ValueError: if the curve falls, does not end at 1, or the quantity is negative.
    """
    fractions = np.asarray(curve, dtype=np.float64)
    if fractions.ndim != 1 or len(fractions) == 0 or fractions[-1] != 1.0:
        raise ValueError("a curve must be one-dimensional and its last value exactly 1")
    if not (fractions >= 0).all() or (np.diff(fractions) < 0).any():
        raise ValueError("a curve must never fall")
    if quantity_lots < 0:
        raise ValueError(f"quantity_lots is {quantity_lots}; expected at least 0")
    targets = np.floor(quantity_lots * fractions + 0.5).astype(np.int64)
    targets[-1] = quantity_lots
    return np.minimum(targets, quantity_lots)


def slice_starts_ns(start_ns: int, end_ns: int, slices: int) -> NDArray[np.int64]:
    """(slices + 1,) first nanosecond of each slice, and the end: start + ceil(duration k / slices).

    Raises:
        ValueError: if slices < 1, or the end is not after the start.
    """
    _require_slices(slices)
    if end_ns <= start_ns:
        raise ValueError(f"end {end_ns} is not after start {start_ns}")
    duration = end_ns - start_ns
    return np.array([start_ns - (-duration * k // slices) for k in range(slices + 1)], dtype=np.int64)


def _ended(curve: Array) -> Array:
    result: Array = np.maximum.accumulate(np.clip(curve, 0.0, 1.0))
    result[-1] = 1.0
    return result


def _require_slices(slices: int) -> None:
    if slices < 1:
        raise ValueError(f"slices is {slices}; expected at least 1")
