"""How a day's volume is spread over the session, as a cumulative curve of the session's fraction."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

WINSOR_LOW: Final = 0.01
WINSOR_HIGH: Final = 0.99


@dataclass(frozen=True, eq=False)
class VolumeCurve:
    """Share of the day's volume done by each fraction of the session, straight between its points.

    Args:
        fractions: (points,) of the session, rising from 0 to 1.
        cumulative: (points,) share of the day's volume done by then, never falling, from 0 to 1.
        source: where it comes from, in words; a report names it.

    Raises:
        ValueError: if the points are not such a curve.
    """

    fractions: Array
    cumulative: Array
    source: str

    def __post_init__(self) -> None:
        for name in ("fractions", "cumulative"):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
                raise ValueError(f"{name} must be at least two finite numbers, not {values!r}")
            if abs(values[0]) > 1e-12 or abs(values[-1] - 1) > 1e-9:
                raise ValueError(f"{name} must run from 0 to 1, not from {values[0]} to {values[-1]}")
            values[0], values[-1] = 0.0, 1.0
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        if len(self.fractions) != len(self.cumulative):
            raise ValueError(f"{len(self.fractions)} fractions for {len(self.cumulative)} cumulative shares")
        if (np.diff(self.fractions) <= 0).any():
            raise ValueError("fractions must rise from point to point")
        if (np.diff(self.cumulative) < 0).any():
            raise ValueError("cumulative shares must never fall")

    def at(self, fraction: ArrayLike) -> Array:
        """Share of the day's volume done by these fractions of the session; 0 before it, 1 after it."""
        return _interpolated(fraction, self.fractions, self.cumulative)

    def between(self, start: float, end: float) -> float:
        """Share of the day's volume that falls between two fractions of the session.

        Raises:
            ValueError: if end is before start.
        """
        if end < start:
            raise ValueError(f"the window's end {end} is before its start {start}")
        return float(self.at(end) - self.at(start))

    def fraction_when(self, share: ArrayLike) -> Array:
        """Fraction of the session by which this share of the day's volume is done; the inverse of `at`."""
        return _interpolated(share, self.cumulative, self.fractions)

    def window_shares(self, start: float, end: float, slices: int) -> Array:
        """(slices,) shares of the window's own volume in equal time steps; they sum to 1.

        Raises:
            ValueError: if the window is empty, or has no volume on this curve.
        """
        if slices < 1:
            raise ValueError(f"slices is {slices}; expected at least 1")
        if not 0 <= start < end <= 1:
            raise ValueError(f"the window {start} .. {end} is not inside the session 0 .. 1")
        total = self.between(start, end)
        if total <= 0:
            raise ValueError(f"the curve ({self.source}) has no volume between {start} and {end}")
        shares: Array = np.diff(self.at(np.linspace(start, end, slices + 1))) / total
        return shares


@dataclass(frozen=True)
class SessionVolumeCurve:
    """A curve laid on one session: shares between two times. It is what the `VolumeCurve` port wants."""

    curve: VolumeCurve
    open_ns: int
    close_ns: int

    @property
    def name(self) -> str:
        return self.curve.source

    def share(self, start_ns: int, end_ns: int) -> float:
        """Expected share of the session's volume in [start, end), 0..1; time outside the session counts nothing.

        Raises:
            ValueError: if end is before start.
        """
        length = self.close_ns - self.open_ns
        return self.curve.between((start_ns - self.open_ns) / length, (end_ns - self.open_ns) / length)


def flat_curve() -> VolumeCurve:
    """Volume spread evenly over the session: for markets around the clock, or where nothing is known."""
    return VolumeCurve(np.array([0.0, 1.0]), np.array([0.0, 1.0]), "flat")


def u_shaped_default(buckets: int = 78) -> VolumeCurve:
    """Busy at the open and at the close: density 0.6 + 1.2 (2f - 1)^2 of the session fraction f.

    An assumption for equities without history, not an estimate: 12.5 % in the first of 13 half hours, 4.6 % at noon.
    """
    fractions = np.linspace(0.0, 1.0, buckets + 1)
    cumulative = 0.6 * fractions + 0.2 * ((2 * fractions - 1) ** 3 + 1)
    return VolumeCurve(fractions, cumulative, "default U shape, no history")


def mean_of_daily_shares(volumes: ArrayLike) -> VolumeCurve:
    """The static curve: each day's shares, winsorised bucket by bucket at the 1st and 99th percentile, averaged.

    Shares, not volumes, are averaged: otherwise one big day would dominate.

    Args:
        volumes: (days, buckets) volume in equal time buckets of the session; days without volume are left out.

    Raises:
        ValueError: if a volume is negative or not a number, or no day has volume.
    """
    daily = np.asarray(volumes, dtype=np.float64)
    if daily.ndim != 2 or daily.shape[1] < 1:
        raise ValueError(f"volumes must be (days, buckets), not of shape {daily.shape}")
    if not np.isfinite(daily).all() or (daily < 0).any():
        raise ValueError("a volume is negative or not a number")
    totals = daily.sum(axis=1)
    traded = daily[totals > 0] / totals[totals > 0, None]
    if len(traded) == 0:
        raise ValueError("no day has volume: use flat_curve() or u_shaped_default()")
    low, high = np.quantile(traded, [WINSOR_LOW, WINSOR_HIGH], axis=0)
    shares = np.clip(traded, low, high).mean(axis=0)
    cumulative = np.concatenate([[0.0], np.cumsum(shares / shares.sum())])
    return VolumeCurve(np.linspace(0.0, 1.0, daily.shape[1] + 1), cumulative, f"mean shares of {len(traded)} days")


def _interpolated(at: ArrayLike, known_at: Array, known: Array) -> Array:
    return np.asarray(np.interp(np.asarray(at, dtype=np.float64), known_at, known))
