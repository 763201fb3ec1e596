"""Grades of executions, venues and algorithms."""

import msgspec

from bestex.messages.envelope import Payload


class MetricScore(msgspec.Struct, frozen=True, kw_only=True):
    metric_value: float | None  # None: cannot be computed, and why is in `note`
    benchmark_value: float | None
    percentile_rank: float | None  # 0..1 among like executions, higher is better; None below the minimum sample
    quality_score: float | None  # 0..1, higher is better
    weight: float
    trend: str  # IMPROVING, STABLE, WORSENING, INSUFFICIENT_DATA
    unit: str = "bps"
    note: str | None = None


class QualityInterval(msgspec.Struct, frozen=True, kw_only=True):
    """80 % interval of the score under the order's own pre-trade cost distribution, and the grades it reaches."""

    low: float
    high: float
    grade_low: str
    grade_high: str


class VenueScore(msgspec.Struct, frozen=True, kw_only=True):
    venue: str
    fills: int
    quantity: float
    quality_score: float | None
    effective_spread_bps: float | None
    markout_bps: float | None
    fill_rate: float | None
    fee_bps: float | None


class AnalyzeQuality(Payload, frozen=True, kw_only=True):
    """Grade a completed order (again). Answered with `ExecutionQualityAnalyzed`."""

    message_type = "analyze_quality"

    order_id: str


class ExecutionQualityAnalyzed(Payload, frozen=True, kw_only=True):
    message_type = "execution_quality_analyzed"

    trade_id: str
    order_id: str
    overall_quality_score: float | None
    quality_grade: str | None  # EXCELLENT, GOOD, AVERAGE, POOR, UNACCEPTABLE; None = nothing to grade by
    interval: QualityInterval | None
    metric_breakdown: dict[str, MetricScore]
    venue_performance: tuple[VenueScore, ...]
    algorithm_performance: dict[str, float | str | int | None]
    improvement_recommendations: tuple[str, ...]
    standard_version: str


class QualityAlert(Payload, frozen=True, kw_only=True):
    """Something about quality that a person should look at. Key: the order's, or `desk` for an algorithm."""

    message_type = "quality_alert"

    alert_id: str
    subject: str  # an order id, or the name of an algorithm
    message: str
    severity: str  # LOW, MEDIUM, HIGH, CRITICAL


class VenuePerformance(Payload, frozen=True, kw_only=True):
    """Roll-up of one venue; key `venue:<id>`. A grade only above the minimum sample, else None and why in `note`."""

    message_type = "venue_performance"

    venue: str
    orders: int
    fills: int
    quantity: float
    quality_score: float | None
    quality_grade: str | None
    metrics: dict[str, float | None]
    interval_low: float | None
    interval_high: float | None
    note: str | None


class AlgorithmPerformance(Payload, frozen=True, kw_only=True):
    """Roll-up of one algorithm; key `desk`."""

    message_type = "algorithm_performance"

    algorithm: str
    orders: int
    quality_score: float | None
    quality_grade: str | None
    metrics: dict[str, float | None]
    interval_low: float | None
    interval_high: float | None
    note: str | None
