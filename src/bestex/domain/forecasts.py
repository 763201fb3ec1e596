"""Where a sequence of orders goes from here: a line whose slope is believed only as far as the data bear it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean
from typing import Final

from bestex.domain.samples import NORMAL_QUANTILE

FORECAST_SAMPLE_MIN: Final = 40  # orders below which nothing is forecast
DRIFT_SD: Final = 0.5  # sd of the change over the whole sample that is thought likely beforehand, in sds of one order


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The mean of the next `horizon` orders, with the 95 % interval in which that mean is expected to lie.

    All None below the minimum sample, and `note` says so.
    """

    sample_size: int
    horizon: int
    mean: float | None
    interval_low: float | None
    interval_high: float | None
    slope_per_order: float | None  # of the line used, in the value's unit
    slope_kept: float | None  # 0..1: how much of the fitted slope the data bear; 0 = a level line
    note: str | None = None


def forecast(oldest_first: Sequence[float], *, horizon: int, sample_min: int = FORECAST_SAMPLE_MIN) -> Forecast:
    """The next `horizon` values' mean, from independent values in order, each weighing the same.

    Least squares on the order's number; the slope has a normal prior around 0 whose sd is a change of DRIFT_SD sds over
    the sample. So a slope within its own error nearly vanishes, and a clear one stays. The interval holds the error of
    level and slope, and the luck of the coming orders.
    Source: the conjugate normal model, Gelman et al., Bayesian Data Analysis (3rd ed.), 2.5 and 14.2; the spread of one
    order is plugged in.

    Raises:
        ValueError: if the horizon is below 1 or the minimum sample below 3.
    """
    if horizon < 1 or sample_min < 3:
        raise ValueError(f"horizon {horizon} must be at least 1 and sample_min {sample_min} at least 3")
    count = len(oldest_first)
    if count < sample_min:
        return Forecast(
            sample_size=count,
            horizon=horizon,
            mean=None,
            interval_low=None,
            interval_high=None,
            slope_per_order=None,
            slope_kept=None,
            note=f"insufficient evidence: {count} orders, {sample_min} needed",
        )
    middle, level = (count - 1) / 2, fmean(oldest_first)
    spread_x = count * (count**2 - 1) / 12  # sum of squared distances from the middle
    fitted = sum((number - middle) * value for number, value in enumerate(oldest_first)) / spread_x
    left = sum((value - level - fitted * (number - middle)) ** 2 for number, value in enumerate(oldest_first))
    variance = left / (count - 2)
    if variance == 0:  # on a line to the last digit: nothing speaks against the slope
        kept, slope_variance = 1.0, 0.0
    else:
        error, prior = variance / spread_x, variance * (DRIFT_SD / count) ** 2
        kept = prior / (prior + error)
        slope_variance = kept * error
    ahead = count + (horizon - 1) / 2 - middle  # from the middle of the sample to the middle of what comes
    mean = level + kept * fitted * ahead
    half = NORMAL_QUANTILE * sqrt(variance / count + ahead**2 * slope_variance + variance / horizon)
    return Forecast(
        sample_size=count,
        horizon=horizon,
        mean=mean,
        interval_low=mean - half,
        interval_high=mean + half,
        slope_per_order=kept * fitted,
        slope_kept=kept,
    )
