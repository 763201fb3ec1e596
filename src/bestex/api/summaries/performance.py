"""What stored results say of algorithms, instruments and strategies: means with sample sizes and intervals."""

from collections.abc import Sequence
from typing import Any

import msgspec

from bestex.api.summaries.graded import excess_cost_bps, grouped, readings
from bestex.domain.samples import Estimate, estimated_mean, estimated_share
from bestex.messages.records import ExecutionAlgorithmRow, QualityResultRow, StrategySelectionRow
from bestex.messages.strategy import ExpectedOutcomes

_SLIPPAGES = {"arrival": "SLIPPAGE", "interval_vwap": "VWAP_SLIPPAGE", "interval_twap": "TWAP_SLIPPAGE"}


class BenchmarkComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Slippage of one group against each benchmark, bps, positive is worse; each order weighs the same."""

    instrument_id: str | None  # None = all instruments
    algorithm: str | None  # None = all algorithms
    orders: int
    slippage_bps: dict[str, Estimate]
    excess_cost_bps: Estimate  # realised minus expected cost


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """One algorithm among all by its excess cost. `rank` 1 = cheapest; None below the minimum sample.

    `is_separated`: its interval does not touch the next one's, so that the order of the two is more than luck.
    """

    algorithm: str
    rank: int | None
    excess_cost_bps: Estimate
    slippage_bps: Estimate
    is_separated: bool


class AlgorithmSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How one algorithm did over its graded executions."""

    algorithm: str
    enabled: bool
    orders: int
    cost_bps: dict[str, Estimate]  # against arrival, interval VWAP and TWAP
    excess_cost_bps: Estimate
    tracking_error: Estimate  # largest |filled - scheduled| / quantity while it worked
    completion: Estimate  # filled / ordered; orders that the client cancelled are left out
    reliability: Estimate  # share of the orders graded inside their limits
    quality_score: Estimate


class StrategyInsight(msgspec.Struct, frozen=True, kw_only=True):
    """Expected against realised of one execution strategy; costs are fractions of notional, positive is worse."""

    strategy_name: str
    orders: int
    expected_cost: Estimate
    realised_cost: Estimate
    cost_error: Estimate  # realised minus expected
    success_rate: Estimate  # done in full within the 90 % point of its own pre-trade cost
    finding: str


def comparison(
    rows: Sequence[QualityResultRow], *, instrument_id: str | None, algorithm: str | None
) -> BenchmarkComparison:
    return BenchmarkComparison(
        instrument_id=instrument_id,
        algorithm=algorithm,
        orders=len(rows),
        slippage_bps={name: estimated_mean(readings(rows, metric)) for name, metric in _SLIPPAGES.items()},
        excess_cost_bps=_excess(rows),
    )


def comparisons(rows: Sequence[QualityResultRow]) -> list[BenchmarkComparison]:
    """Every instrument with every algorithm that worked it."""
    return [
        comparison(group, instrument_id=instrument_id, algorithm=algorithm)
        for instrument_id, own in grouped(rows, lambda row: row.instrument_id).items()
        for algorithm, group in grouped(own, lambda row: row.algorithm).items()
    ]


def rankings(rows: Sequence[QualityResultRow]) -> list[Ranking]:
    """Cheapest first; algorithms with too few orders come last, without a rank."""
    groups = grouped(rows, lambda row: row.algorithm)
    excess = {name: _excess(group) for name, group in groups.items()}
    order = sorted(groups, key=lambda name: (excess[name].mean is None, excess[name].mean or 0.0, name))
    ranked = []
    for place, name in enumerate(order):
        own, following = excess[name], excess[order[place + 1]] if place + 1 < len(order) else None
        high, low = own.interval_high, following.interval_low if following else None
        ranked.append(
            Ranking(
                algorithm=name,
                rank=place + 1 if own.is_known else None,
                excess_cost_bps=own,
                slippage_bps=estimated_mean(readings(groups[name], "SLIPPAGE")),
                is_separated=high is not None and low is not None and high < low,
            )
        )
    return ranked


def algorithm_summaries(
    rows: Sequence[QualityResultRow], catalogue: Sequence[ExecutionAlgorithmRow]
) -> list[AlgorithmSummary]:
    """One per algorithm of the catalogue, those that have worked nothing too."""
    groups = grouped(rows, lambda row: row.algorithm)
    return [_algorithm(row, groups.get(row.algorithm_name, [])) for row in catalogue]


def _algorithm(entry: ExecutionAlgorithmRow, rows: Sequence[QualityResultRow]) -> AlgorithmSummary:
    inside = sum(row.quality_grade not in (None, "UNACCEPTABLE") for row in rows)
    deviations = [abs(value) for value in readings(rows, "SCHEDULE_DEVIATION")]
    return AlgorithmSummary(
        algorithm=entry.algorithm_name,
        enabled=entry.enabled,
        orders=len(rows),
        cost_bps={name: estimated_mean(readings(rows, metric)) for name, metric in _SLIPPAGES.items()},
        excess_cost_bps=_excess(rows),
        tracking_error=estimated_mean(deviations),
        completion=estimated_mean(readings(rows, "FILL_RATE")),
        reliability=estimated_share(inside, sum(row.quality_grade is not None for row in rows)),
        quality_score=estimated_mean(
            [row.overall_quality_score for row in rows if row.overall_quality_score is not None]
        ),
    )


def insights(selections: Sequence[StrategySelectionRow]) -> list[StrategyInsight]:
    """Per strategy, from the selections whose order is complete. Adaptations count with the order's first selection."""
    outcomes: dict[str, list[tuple[ExpectedOutcomes, dict[str, Any]]]] = {}
    for row in selections:
        if row.actual_outcomes is not None and row.actual_outcomes.get("realised_cost") is not None:
            outcomes.setdefault(row.strategy_name, []).append((row.expected_outcomes, row.actual_outcomes))
    return [_insight(name, pairs) for name, pairs in sorted(outcomes.items())]


def _insight(name: str, pairs: Sequence[tuple[ExpectedOutcomes, dict[str, Any]]]) -> StrategyInsight:
    error = estimated_mean([float(actual["cost_error"]) for _, actual in pairs])
    return StrategyInsight(
        strategy_name=name,
        orders=len(pairs),
        expected_cost=estimated_mean([expected.estimated_cost for expected, _ in pairs]),
        realised_cost=estimated_mean([float(actual["realised_cost"]) for _, actual in pairs]),
        cost_error=error,
        success_rate=estimated_share(sum(bool(actual["success"]) for _, actual in pairs), len(pairs)),
        finding=_finding(name, error),
    )


def _finding(name: str, error: Estimate) -> str:
    if error.mean is None or error.interval_low is None or error.interval_high is None:
        return f"nothing can be said of {name} yet: {error.note}"
    size = f"{abs(error.mean) * 1e4:.1f} bps over {error.sample_size} orders"
    if error.interval_low > 0:
        return f"{name} costs more than its pre-trade estimate, by {size}"
    if error.interval_high < 0:
        return f"{name} costs less than its pre-trade estimate, by {size}"
    return f"{name} costs what its pre-trade estimate says: the difference of {size} may be luck"


def _excess(rows: Sequence[QualityResultRow]) -> Estimate:
    return estimated_mean([value for row in rows if (value := excess_cost_bps(row)) is not None])
