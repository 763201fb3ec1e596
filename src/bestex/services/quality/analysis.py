"""The answer to how good one execution was: score, grade, interval, breakdown, venues, algorithm, advice."""

from collections.abc import Mapping

from bestex.domain.ids import time_ordered_uuid
from bestex.messages.monitoring import ExecutionMeasured
from bestex.messages.quality import AlgorithmPerformance, ExecutionQualityAnalyzed, MetricScore, VenueScore
from bestex.quant.shrinkage import GroupPosterior
from bestex.services.quality.config import QualityConfig
from bestex.services.quality.grades import graded
from bestex.services.quality.readings import Reading
from bestex.services.quality.recommendations import recommendations
from bestex.services.quality.standards import Standard


def analysis(
    measured: ExecutionMeasured,
    found: dict[str, Reading],
    card: dict[str, MetricScore],
    *,
    venue_scores: tuple[VenueScore, ...],
    venues_known: Mapping[str, GroupPosterior],
    venue_orders: Mapping[str, int],
    algorithm: AlgorithmPerformance,
    standard: Standard,
    config: QualityConfig,
) -> ExecutionQualityAnalyzed:
    result = graded(
        found,
        standard,
        sd_bps=None if measured.expected_cost_sd is None else measured.expected_cost_sd * 1e4,
        spread_bps=measured.quoted_spread_bps,
        has_breaches=bool(measured.breaches) and measured.executed_quantity > 0,
        coverage=config.interval_coverage,
    )
    own = card["ALGORITHM_EFFECTIVENESS"]
    return ExecutionQualityAnalyzed(
        trade_id=time_ordered_uuid(measured.completion_time_ns, "trade", measured.order_id),
        order_id=measured.order_id,
        overall_quality_score=result.score,
        quality_grade=result.grade,
        interval=result.interval,
        metric_breakdown=card,
        venue_performance=venue_scores,
        algorithm_performance={
            "algorithm": measured.algorithm,
            "effectiveness_bps": own.metric_value,
            "effectiveness_score": own.quality_score,
            "benchmark": own.note,
            "orders": algorithm.orders,
            "quality_score": algorithm.quality_score,
            "quality_grade": algorithm.quality_grade,
            "note": algorithm.note,
        },
        improvement_recommendations=recommendations(measured, card, venues_known, venue_orders, config),
        standard_version=standard.version,
    )
