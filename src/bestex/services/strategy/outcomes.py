"""What became of a selection: the realised outcome beside the expected one, a score, and the daily roll-up."""

from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import NormalDist
from typing import Any, Final

import msgspec

from bestex.domain.ids import time_ordered_uuid
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND
from bestex.messages.monitoring import ExecutionMeasured, TradeExecuted
from bestex.messages.records import StrategyPerformanceRow, StrategySelectionRow
from bestex.messages.strategy import ExpectedOutcomes

_NORMAL: Final = NormalDist()
_TEN_PERCENT_SDS: Final = _NORMAL.inv_cdf(0.9)


@dataclass(frozen=True, kw_only=True)
class RealisedOutcome:
    """What working an order cost, as fractions of the executed notional.

    `cost` is what pre-trade expects: spread, impact, timing, commission and fees. Delay before the order reached the
    desk and the opportunity cost of what was not executed are kept apart. None where nothing was executed, or where a
    part could not be measured.
    """

    cost: float | None
    market_impact: float | None
    filled_fraction: float
    minutes: float | None


def realised_outcome(fact: TradeExecuted) -> RealisedOutcome:
    """The realised outcome of a completed parent order."""
    execution, costs, timing = fact.execution, fact.cost_breakdown, fact.timing
    filled = float(execution.executed_quantity / execution.requested_quantity)
    measured = (costs.spread, costs.market_impact, costs.timing)
    known = [part for part in measured if part is not None]
    if execution.executed_quantity <= 0 or execution.total_amount <= 0 or len(known) < len(measured):
        return RealisedOutcome(cost=None, market_impact=None, filled_fraction=filled, minutes=None)
    return RealisedOutcome(
        cost=float((sum(known) + costs.commission + costs.fees) / execution.total_amount),
        market_impact=float(known[1] / execution.total_amount),
        filled_fraction=filled,
        minutes=(timing.completion_time_ns - timing.order_submission_time_ns) / NS_PER_MINUTE,
    )


def performance_score(expected: ExpectedOutcomes, realised_cost: float) -> float:
    """0..1, higher is better: the share of the order's own pre-trade cost distribution that is dearer.

    0.5 = as expected. The distribution is normal around `estimated_cost` with its 90 % point at `cost_high`.
    """
    sd = (expected.cost_high - expected.estimated_cost) / _TEN_PERCENT_SDS
    if sd <= 0:
        return 0.5 if realised_cost == expected.estimated_cost else float(realised_cost < expected.estimated_cost)
    return _NORMAL.cdf((expected.estimated_cost - realised_cost) / sd)


def is_success(expected: ExpectedOutcomes, realised: RealisedOutcome) -> bool:
    """Done in full, and no dearer than the 90 % point of the order's own pre-trade cost distribution."""
    return realised.cost is not None and realised.filled_fraction >= 1 and realised.cost <= expected.cost_high


def joined(
    row: StrategySelectionRow,
    expected: ExpectedOutcomes,
    realised: RealisedOutcome,
    measured: ExecutionMeasured | None,
    adaptations: int,
) -> StrategySelectionRow:
    """The selection's row with what became of it."""
    actual: dict[str, Any] = {
        "realised_cost": realised.cost,
        "market_impact": realised.market_impact,
        "filled_fraction": realised.filled_fraction,
        "time_minutes": realised.minutes,
        "cost_error": None if realised.cost is None else realised.cost - expected.estimated_cost,
        "success": is_success(expected, realised),
        "adaptations": adaptations,
        "participation_rate": None if measured is None else measured.metrics.participation_rate,
        "arrival_slippage_bps": None if measured is None else measured.costs.arrival_slippage_bps,
        "state": None if measured is None else str(measured.state),
    }
    score = None if realised.cost is None else performance_score(expected, realised.cost)
    return msgspec.structs.replace(row, actual_outcomes=actual, performance_score=score)


def rolled_up(
    before: StrategyPerformanceRow | None,
    strategy_name: str,
    expected: ExpectedOutcomes,
    realised: RealisedOutcome,
    completed_ns: int,
) -> StrategyPerformanceRow:
    """The day's roll-up with one more executed order. Every order counts once, whatever its size.

    Averages of several days are exact when each day weighs by its `orders_executed`. `cost_error` is the mean of
    realised minus expected cost: positive = dearer than expected.

    Args:
        before: the day's row so far; None for the first order of the day.
        realised: with a cost; orders that executed nothing are not rolled up.
    """
    assert realised.cost is not None
    assert realised.market_impact is not None
    day = execution_date(completed_ns)
    count = 1 if before is None else before.orders_executed + 1

    def mean(name: str, value: float) -> float:
        return value if before is None else float(getattr(before, name)) + (value - getattr(before, name)) / count

    return StrategyPerformanceRow(
        id=time_ordered_uuid(completed_ns, "strategy_performance", strategy_name, day) if before is None else before.id,
        strategy_name=strategy_name,
        execution_date=day,
        orders_executed=count,
        avg_cost=mean("avg_cost", realised.cost),
        avg_market_impact=mean("avg_market_impact", realised.market_impact),
        success_rate=mean("success_rate", float(is_success(expected, realised))),
        avg_expected_cost=mean("avg_expected_cost", expected.estimated_cost),
        cost_error=mean("cost_error", realised.cost - expected.estimated_cost),
        created_at_ns=completed_ns if before is None else before.created_at_ns,
    )


def execution_date(time_ns: int) -> str:
    """The UTC date of a time, YYYY-MM-DD."""
    return datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC).date().isoformat()
