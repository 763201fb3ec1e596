"""What stored grades say together: where metrics stand and lie, where they go, and what was advised."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import quantiles
from typing import Any, Final

import msgspec

from bestex.api.summaries.graded import grouped, readings
from bestex.domain.errors import InvalidInput, NotFound
from bestex.domain.samples import SAMPLE_MIN, Estimate, estimated_mean, trend
from bestex.domain.time import to_iso
from bestex.messages.records import AlgorithmProfileRow, QualityAlertRow, QualityResultRow, VenueProfileRow

_POINTS: Final = (5, 25, 50, 75, 95)
TRENDED: Final = ("COST_VS_MODEL", "SLIPPAGE", "IMPLEMENTATION_SHORTFALL", "FILL_RATE", "EXECUTION_SPEED")


class MetricPercentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles of one metric over this desk's own executions, in the metric's unit; None below the minimum."""

    metric: str
    unit: str
    algorithm: str | None  # None = all
    sample_size: int
    percentiles: dict[str, float] | None  # "p5", "p25", ...
    note: str | None


class MetricTrend(msgspec.Struct, frozen=True, kw_only=True):
    """The later half of the executions against the earlier: RISING, FALLING, STEADY or INSUFFICIENT_DATA."""

    metric: str
    direction: str
    estimate: Estimate
    days: dict[str, Estimate]  # UTC date -> that day's executions; a day needs no minimum but two


class QualityMonitoring(msgspec.Struct, frozen=True, kw_only=True):
    """ACTIVE = grading on enough executions to say something; WARMING_UP = fewer; IDLE = none graded yet."""

    monitoring_status: str
    executions: int
    current_quality_metrics: dict[str, Estimate]
    overall_quality_score: Estimate
    quality_alerts: tuple[QualityAlertRow, ...]
    trend_analysis: tuple[MetricTrend, ...]


class QualityRecommendation(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of advice, with the execution that bears it out."""

    recommendation_id: str
    order_id: str
    instrument_id: str
    algorithm: str
    recommendation: str
    quality_grade: str | None
    overall_quality_score: float | None
    interval: dict[str, Any] | None
    standard_version: str
    created_at_ns: int


class BatchAnalysis(msgspec.Struct, frozen=True, kw_only=True):
    """Grades of several executions. Each is the one the quality service gave when the order was complete."""

    analyses: tuple[dict[str, Any], ...]
    grades: dict[str, int]  # grade -> executions; NONE = nothing to grade by
    overall_quality_score: Estimate
    metrics: dict[str, Estimate]
    not_graded: tuple[str, ...]  # of the order ids asked for


def metric_names(rows: Sequence[QualityResultRow]) -> list[str]:
    return sorted({name for row in rows for name in row.analysis["metric_breakdown"]})


def metric_means(rows: Sequence[QualityResultRow]) -> dict[str, Estimate]:
    return {name: estimated_mean(readings(rows, name)) for name in metric_names(rows)}


def score_mean(rows: Sequence[QualityResultRow], *, sample_min: int = SAMPLE_MIN) -> Estimate:
    return estimated_mean(
        [row.overall_quality_score for row in rows if row.overall_quality_score is not None], sample_min=sample_min
    )


def monitoring(rows: Sequence[QualityResultRow], alerts: Sequence[QualityAlertRow]) -> QualityMonitoring:
    """Of the given executions, and the alerts on them or their algorithms."""
    subjects = {row.order_id for row in rows} | {row.algorithm for row in rows}
    score = score_mean(rows)
    return QualityMonitoring(
        monitoring_status="IDLE" if not rows else "ACTIVE" if score.is_known else "WARMING_UP",
        executions=len(rows),
        current_quality_metrics=metric_means(rows),
        overall_quality_score=score,
        quality_alerts=tuple(row for row in alerts if row.subject in subjects),
        trend_analysis=tuple(trends(rows)),
    )


def batch(rows: Sequence[QualityResultRow], wanted: Sequence[str]) -> BatchAnalysis:
    grades: dict[str, int] = {}
    for row in rows:
        grades[row.quality_grade or "NONE"] = grades.get(row.quality_grade or "NONE", 0) + 1
    known = {row.order_id for row in rows}
    return BatchAnalysis(
        analyses=tuple(row.analysis for row in rows),
        grades=dict(sorted(grades.items())),
        overall_quality_score=score_mean(rows),
        metrics=metric_means(rows),
        not_graded=tuple(order_id for order_id in wanted if order_id not in known),
    )


def percentiles(rows: Sequence[QualityResultRow], algorithm: str | None) -> list[MetricPercentiles]:
    return [_percentiles(rows, name, algorithm) for name in metric_names(rows)]


def percentiles_by_algorithm(rows: Sequence[QualityResultRow]) -> list[MetricPercentiles]:
    groups = grouped(rows, lambda row: row.algorithm)
    return [item for algorithm, group in groups.items() for item in percentiles(group, algorithm)]


def _percentiles(rows: Sequence[QualityResultRow], metric: str, algorithm: str | None) -> MetricPercentiles:
    values = readings(rows, metric)
    enough = len(values) >= SAMPLE_MIN
    cuts = quantiles(values, n=100, method="inclusive") if enough else []
    return MetricPercentiles(
        metric=metric,
        unit=next(card[metric]["unit"] for row in rows if metric in (card := row.analysis["metric_breakdown"])),
        algorithm=algorithm,
        sample_size=len(values),
        percentiles={f"p{point}": cuts[point - 1] for point in _POINTS} if enough else None,
        note=None if enough else f"insufficient evidence: {len(values)} orders, {SAMPLE_MIN} needed",
    )


def trends(rows: Sequence[QualityResultRow]) -> list[MetricTrend]:
    """Of the score and the metrics that carry it; rows oldest first."""
    days = grouped(rows, lambda row: to_iso(row.created_at_ns)[:10])
    scores = [row.overall_quality_score for row in rows if row.overall_quality_score is not None]
    found = [
        MetricTrend(
            metric="OVERALL_QUALITY_SCORE",
            direction=trend(scores),
            estimate=score_mean(rows),
            days={day: score_mean(group, sample_min=2) for day, group in days.items()},
        )
    ]
    for name in TRENDED:
        values = readings(rows, name)
        found.append(
            MetricTrend(
                metric=name,
                direction=trend(values),
                estimate=estimated_mean(values),
                days={day: estimated_mean(readings(group, name), sample_min=2) for day, group in days.items()},
            )
        )
    return found


def recommendations(rows: Sequence[QualityResultRow]) -> list[QualityRecommendation]:
    """Every sentence of advice, newest execution first."""
    return [
        QualityRecommendation(
            recommendation_id=f"{row.order_id}:{number}",
            order_id=row.order_id,
            instrument_id=row.instrument_id,
            algorithm=row.algorithm,
            recommendation=sentence,
            quality_grade=row.quality_grade,
            overall_quality_score=row.overall_quality_score,
            interval=row.analysis["interval"],
            standard_version=row.analysis["standard_version"],
            created_at_ns=row.created_at_ns,
        )
        for row in reversed(rows)
        for number, sentence in enumerate(row.analysis["improvement_recommendations"], 1)
    ]


def recommendation_page(
    found: Sequence[QualityRecommendation], limit: int, cursor: str | None
) -> tuple[Sequence[QualityRecommendation], str | None]:
    """The page after the recommendation that the cursor names, and the next cursor.

    Raises:
        InvalidInput: if the cursor is not the id of one of them.
    """
    ids = [item.recommendation_id for item in found]
    if cursor is not None and cursor not in ids:
        raise InvalidInput(
            f"cursor {cursor!r} is not of this list",
            field="cursor",
            value=cursor,
            expected="a next_cursor of this list",
        )
    start = 0 if cursor is None else ids.index(cursor) + 1
    rows = found[start : start + limit]
    return rows, ids[start + limit - 1] if start + limit < len(ids) else None


def one_recommendation(row: QualityResultRow | None, recommendation_id: str) -> QualityRecommendation:
    """Raises NotFound."""
    found = recommendations([row]) if row is not None else []
    for item in found:
        if item.recommendation_id == recommendation_id:
            return item
    raise NotFound(f"no recommendation {recommendation_id}", field="recommendation_id", value=recommendation_id)


def venue_rows(
    rows: Sequence[QualityResultRow], types: Mapping[str, str], wanted: Sequence[str] | None
) -> list[VenueProfileRow]:
    """Venues over the given executions: each order's score at a venue weighs the same. Never graded: see the interval.

    Args:
        types: venue id -> venue type.
        wanted: venue types to keep; None = all.
    """
    seen: dict[str, list[tuple[dict[str, Any], int]]] = {}
    for row in rows:
        for score in row.analysis["venue_performance"]:
            seen.setdefault(score["venue"], []).append((score, row.created_at_ns))
    found = []
    for venue, scores in seen.items():
        if wanted is not None and types[venue] not in wanted:
            continue
        names = ("effective_spread_bps", "markout_bps", "fill_rate", "fee_bps")
        means = {name: _mean([score[name] for score, _ in scores]) for name in names}
        estimate = _mean([score["quality_score"] for score, _ in scores])
        found.append(
            VenueProfileRow(
                venue=venue,
                venue_type=types[venue],
                orders=len(scores),
                fills=sum(score["fills"] for score, _ in scores),
                quantity=sum((Decimal(str(score["quantity"])) for score, _ in scores), Decimal(0)),
                quality_score=estimate.mean,
                quality_grade=None,
                metrics={name: item.mean for name, item in means.items()} | _interval(estimate),
                state={},
                updated_time_ns=max(time_ns for _, time_ns in scores),
            )
        )
    return sorted(found, key=lambda item: (item.quality_score is None, -(item.quality_score or 0.0), item.venue))


def algorithm_rows(rows: Sequence[QualityResultRow]) -> list[AlgorithmProfileRow]:
    """Algorithms over the given executions, each order weighing the same. Never graded: see the interval."""
    found = []
    for algorithm, group in grouped(rows, lambda row: row.algorithm).items():
        estimate = score_mean(group)
        found.append(
            AlgorithmProfileRow(
                algorithm=algorithm,
                orders=len(group),
                quality_score=estimate.mean,
                quality_grade=None,
                metrics={name: item.mean for name, item in metric_means(group).items()} | _interval(estimate),
                state={},
                updated_time_ns=max(row.created_at_ns for row in group),
            )
        )
    return sorted(found, key=lambda item: (item.quality_score is None, -(item.quality_score or 0.0), item.algorithm))


def _mean(values: Sequence[float | None]) -> Estimate:
    return estimated_mean([float(value) for value in values if value is not None])


def _interval(estimate: Estimate) -> dict[str, Any]:
    return {
        "interval_low": estimate.interval_low,
        "interval_high": estimate.interval_high,
        "sample_size": estimate.sample_size,
        "note": estimate.note,
    }
