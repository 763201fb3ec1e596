"""Where the quality of the coming executions is likely to lie, from the graded ones in order."""

from collections.abc import Sequence
from typing import Final

import msgspec

from bestex.api.summaries.graded import readings
from bestex.api.summaries.quality import TRENDED
from bestex.domain.forecasts import Forecast, forecast
from bestex.messages.records import QualityResultRow

_SHARES: Final = ("OVERALL_QUALITY_SCORE", "FILL_RATE")  # 0..1 by definition


class MetricForecast(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of the next `horizon` executions' metric, in its own unit, with a 95 % interval of that mean.

    `slope_per_execution` is the fitted slope times `slope_kept` (0..1), the part of it that the data bear. All None
    below the minimum sample; `note` says so.
    """

    metric: str
    sample_size: int
    horizon: int
    mean: float | None
    interval_low: float | None
    interval_high: float | None
    slope_per_execution: float | None
    slope_kept: float | None
    note: str | None


def forecasts(rows: Sequence[QualityResultRow], *, horizon: int) -> list[MetricForecast]:
    """Of the score and the metrics that carry it; rows oldest first."""
    scores = [row.overall_quality_score for row in rows if row.overall_quality_score is not None]
    return [
        _metric("OVERALL_QUALITY_SCORE", forecast(scores, horizon=horizon)),
        *(_metric(name, forecast(readings(rows, name), horizon=horizon)) for name in TRENDED),
    ]


def _metric(name: str, found: Forecast) -> MetricForecast:
    def bounded(value: float | None) -> float | None:
        return value if value is None or name not in _SHARES else min(max(value, 0.0), 1.0)

    return MetricForecast(
        metric=name,
        sample_size=found.sample_size,
        horizon=found.horizon,
        mean=bounded(found.mean),
        interval_low=bounded(found.interval_low),
        interval_high=bounded(found.interval_high),
        slope_per_execution=found.slope_per_order,
        slope_kept=found.slope_kept,
        note=found.note,
    )
