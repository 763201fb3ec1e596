"""What a sample says of the mean behind it: with enough of it, and an interval; or nothing, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, variance
from typing import Final

SAMPLE_MIN: Final = 20  # orders below which no mean is shown
COVERAGE: Final = 0.95
NORMAL_QUANTILE: Final = NormalDist().inv_cdf((1 + COVERAGE) / 2)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean or a share with its 95 % interval. All None below the minimum sample, and `note` says so."""

    sample_size: int
    mean: float | None
    interval_low: float | None
    interval_high: float | None
    note: str | None = None

    @property
    def is_known(self) -> bool:
        return self.mean is not None


def estimated_mean(values: Sequence[float], *, sample_min: int = SAMPLE_MIN) -> Estimate:
    """Mean and normal interval of independent values, one per order, each weighing the same.

    Args:
        sample_min: at least 2; with fewer values the mean is not given.
    """
    count = len(values)
    if count < sample_min:
        return _abstention(count, sample_min)
    mean = fmean(values)
    half = NORMAL_QUANTILE * sqrt(variance(values, mean) / count)
    return Estimate(sample_size=count, mean=mean, interval_low=mean - half, interval_high=mean + half)


def estimated_share(hits: int, count: int, *, sample_min: int = SAMPLE_MIN) -> Estimate:
    """Share of `count` orders that hit, 0..1, with Wilson's interval (Wilson 1927)."""
    if count < sample_min:
        return _abstention(count, sample_min)
    share = hits / count
    centre = (share + NORMAL_QUANTILE**2 / (2 * count)) / (1 + NORMAL_QUANTILE**2 / count)
    half = (
        NORMAL_QUANTILE
        / (1 + NORMAL_QUANTILE**2 / count)
        * sqrt(share * (1 - share) / count + NORMAL_QUANTILE**2 / (4 * count**2))
    )
    return Estimate(
        sample_size=count, mean=share, interval_low=max(0.0, centre - half), interval_high=min(1.0, centre + half)
    )


def trend(oldest_first: Sequence[float], *, sample_min: int = SAMPLE_MIN) -> str:
    """RISING, FALLING or STEADY: the later half against the earlier; INSUFFICIENT_DATA below the minimum sample.

    A change is called one when its 95 % interval leaves out zero.
    """
    if len(oldest_first) < sample_min:
        return "INSUFFICIENT_DATA"
    middle = len(oldest_first) // 2
    before, after = oldest_first[:middle], oldest_first[middle:]
    change = fmean(after) - fmean(before)
    error = sqrt(variance(before) / len(before) + variance(after) / len(after))
    if abs(change) <= NORMAL_QUANTILE * error:
        return "STEADY"
    return "RISING" if change > 0 else "FALLING"


def _abstention(count: int, sample_min: int) -> Estimate:
    return Estimate(
        sample_size=count,
        mean=None,
        interval_low=None,
        interval_high=None,
        note=f"insufficient evidence: {count} orders, {sample_min} needed",
    )
