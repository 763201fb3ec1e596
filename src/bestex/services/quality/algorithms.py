"""How each algorithm did, rolled up order by order.

The primary metric, fixed in advance, is the mean COST_VS_MODEL score: 0.5 = as its orders' own pre-trade distributions
expected. An algorithm that gets the hard orders is not punished for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from bestex.messages.monitoring import ExecutionMeasured
from bestex.messages.quality import AlgorithmPerformance, MetricScore
from bestex.messages.records import AlgorithmProfileRow
from bestex.quant.rollups import RatioOfSums
from bestex.quant.shrinkage import GroupPosterior
from bestex.services.quality.config import QualityConfig
from bestex.services.quality.group_grades import group_grade, posteriors
from bestex.services.quality.standards import Standard

PRIOR_SCALE = 0.1  # of the half-Cauchy on how much algorithms truly differ, in score
AVERAGED = (
    "COST_VS_MODEL",
    "VOLATILITY_ADJUSTED_COST",
    "SLIPPAGE",
    "VWAP_SLIPPAGE",
    "TWAP_SLIPPAGE",
    "IMPLEMENTATION_SHORTFALL",
    "OPPORTUNITY_COST",
    "EXPLICIT_COST",
    "EFFECTIVE_OVER_QUOTED",
    "MARKOUT_10S",
    "FILL_RATE",
    "PASSIVE_SHARE",
    "PARTICIPATION_RATE",
    "SCHEDULE_DEVIATION",
)


@dataclass(kw_only=True)
class AlgorithmRollup:
    """Means over orders, each weighted equally, and the cost weighted by notional and by its root beside it."""

    algorithm: str
    orders: int = 0
    ratios: dict[str, RatioOfSums] = field(default_factory=dict)

    def add(self, name: str, value: float, weight: float) -> None:
        self.ratios[name] = self.ratios.get(name, RatioOfSums()).adding(value * weight, weight)


class Algorithms:
    """Roll-ups of all algorithms."""

    def __init__(self, standard: Standard, config: QualityConfig) -> None:
        self._standard = standard
        self._config = config
        self._rollups: dict[str, AlgorithmRollup] = {}

    def add(self, measured: ExecutionMeasured, card: Mapping[str, MetricScore]) -> None:
        """Count one completed order."""
        name = measured.algorithm
        rollup = self._rollups.setdefault(name, AlgorithmRollup(algorithm=name))
        rollup.orders += 1
        cost = card["COST_VS_MODEL"]
        if cost.quality_score is not None:
            rollup.add("score", cost.quality_score, 1.0)
        for metric in AVERAGED:
            value = card[metric].metric_value
            if value is not None:
                rollup.add(metric, value, 1.0)
        notional = measured.costs.notional
        if cost.metric_value is not None and cost.benchmark_value is not None and notional:
            excess = cost.metric_value - cost.benchmark_value
            rollup.add("excess_cost_bps", excess, 1.0)
            rollup.add("excess_cost_bps_by_root_notional", excess, sqrt(float(notional)))
            rollup.add("excess_cost_bps_by_notional", excess, float(notional))

    def posteriors(self) -> dict[str, GroupPosterior]:
        """True mean score of each algorithm, given all of them."""
        scores = {name: rollup.ratios["score"] for name, rollup in self._rollups.items() if "score" in rollup.ratios}
        return posteriors(scores, prior_scale=PRIOR_SCALE)

    def performance(self, algorithm: str, known: Mapping[str, GroupPosterior]) -> AlgorithmPerformance:
        rollup = self._rollups[algorithm]
        grade = group_grade(
            rollup.ratios.get("score", RatioOfSums()),
            known.get(algorithm),
            self._standard.algorithm_grades,
            self._config,
        )
        return AlgorithmPerformance(
            algorithm=algorithm,
            orders=rollup.orders,
            quality_score=grade.score,
            quality_grade=grade.grade,
            metrics={name: ratio.value for name, ratio in sorted(rollup.ratios.items())},
            interval_low=grade.low,
            interval_high=grade.high,
            note=grade.note,
        )

    def row(self, performance: AlgorithmPerformance, *, now_ns: int) -> AlgorithmProfileRow:
        rollup = self._rollups[performance.algorithm]
        return AlgorithmProfileRow(
            algorithm=performance.algorithm,
            orders=rollup.orders,
            quality_score=performance.quality_score,
            quality_grade=performance.quality_grade,
            metrics=dict(performance.metrics),
            state={name: _sums(ratio) for name, ratio in rollup.ratios.items()},
            updated_time_ns=now_ns,
        )

    def restore(self, row: AlgorithmProfileRow) -> None:
        """Continue an algorithm's roll-up from the row of an earlier run."""
        self._rollups[row.algorithm] = AlgorithmRollup(
            algorithm=row.algorithm,
            orders=row.orders,
            ratios={name: RatioOfSums(**sums) for name, sums in row.state.items()},
        )


def _sums(ratio: RatioOfSums) -> dict[str, Any]:
    return {name: getattr(ratio, name) for name in ratio.__dataclass_fields__}
