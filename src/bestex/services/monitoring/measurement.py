"""The final measurement of a parent order, and the trade that is told to the world."""

import math
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from bestex.domain.fills import ReportKind
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.monitoring import (
    CostAnalysis,
    CostBreakdown,
    ExecutionMeasured,
    FillMeasure,
    LiveMetrics,
    TradeExecuted,
    TradeExecution,
    TradeQuality,
    TradeTiming,
    VenueMeasure,
)
from bestex.ports import ReferenceData
from bestex.quant.benchmarks import interval_twap, interval_vwap
from bestex.quant.costs import PricedFill, Shortfall, shortfall
from bestex.quant.markouts import reversion_bps, share_weighted_means
from bestex.services.monitoring.config import MonitoringConfig
from bestex.services.monitoring.fill_markouts import horizon_name
from bestex.services.monitoring.live_metrics import live_metrics
from bestex.services.monitoring.market_interval import usable_mid
from bestex.services.monitoring.progress import PRICE_STEP, ChildProgress, Fill
from bestex.services.monitoring.watched_order import WatchedOrder

ZERO = Decimal(0)
MONEY_STEP = Decimal("0.000001")  # modelled amounts are rounded to it; exact ones are never rounded


def measure(watched: WatchedOrder, *, config: MonitoringConfig, reference: ReferenceData) -> ExecutionMeasured:
    """Everything grading needs, once the order has ended and its horizons have passed."""
    completed = watched.completed
    assert completed is not None, f"{watched.order_id} is measured before it has ended"
    progress = watched.progress
    metrics = live_metrics(watched, now_ns=completed.completed_ns, reference=reference)
    quoted = watched.arrival.spread
    mid = usable_mid(watched.arrival)
    fill_times = [fill.report.venue_time_ns for fill in progress.fills]
    return ExecutionMeasured(
        order_id=watched.order_id,
        instrument_id=watched.order.instrument_id,
        side=watched.order.side,
        algorithm=watched.algorithm or "NONE",
        strategy_name=watched.strategy_name,
        state=completed.state,
        requested_quantity=progress.ordered,
        executed_quantity=progress.filled,
        average_fill_price=progress.average_price,
        decision_time_ns=watched.decision_time_ns,
        submission_time_ns=watched.submission_time_ns,
        first_fill_time_ns=min(fill_times, default=None),
        completion_time_ns=completed.completed_ns,
        planned_end_ns=None if watched.first_plan is None else watched.first_plan.end_time_ns,
        costs=_costs(watched, metrics, config),
        metrics=metrics,
        fills=tuple(_fill(watched, number, fill, reference) for number, fill in enumerate(progress.fills)),
        expected_cost=watched.expected_cost,
        expected_cost_sd=watched.expected_cost_sd,
        quoted_spread_bps=None if quoted is None or mid is None or quoted <= 0 else float(quoted / mid * 10_000),
        market_volume=watched.interval.volume,
        child_orders=len(progress.children),
        child_rejects=progress.rejects,
        child_cancels=progress.cancels,
        is_generated=watched.arrival.is_generated,
        venues=_venues(list(progress.children.values()), progress.venues),
        breaches=_breaches(watched, metrics, config),
        cancelled_by_client=watched.is_cancelled_by_client,
        planned_start_ns=None if watched.first_plan is None else watched.first_plan.start_time_ns,
        expected_cost_source=watched.expected_cost_source,
        expected_impact=watched.expected_impact,
        schedule_deviation_worst=watched.deviation_worst,
    )


def trade_executed(watched: WatchedOrder, *, score: float | None, config: MonitoringConfig) -> TradeExecuted:
    """The one message the outside hears of a completed parent order."""
    measured = watched.measured
    assert measured is not None, f"{watched.order_id} has not been measured"
    costs = measured.costs
    return TradeExecuted(
        execution=TradeExecution(
            order_id=measured.order_id,
            instrument_id=measured.instrument_id,
            side=measured.side,
            requested_quantity=measured.requested_quantity,
            executed_quantity=measured.executed_quantity,
            average_fill_price=measured.average_fill_price,
            total_amount=sum((watched.instrument.notional(fill.quantity, fill.price) for fill in measured.fills), ZERO),
            venues={venue.venue: venue.filled_quantity for venue in measured.venues if venue.filled_quantity},
            broker=config.broker,
        ),
        execution_quality=TradeQuality(
            implementation_shortfall_bps=costs.implementation_shortfall_bps,
            market_impact_bps=costs.market_impact_bps,
            timing_cost_bps=costs.timing_cost_bps,
            total_cost_bps=costs.total_cost_bps,
            execution_quality_score=score,
        ),
        timing=TradeTiming(
            decision_time_ns=measured.decision_time_ns,
            order_submission_time_ns=measured.submission_time_ns,
            first_fill_time_ns=measured.first_fill_time_ns,
            completion_time_ns=measured.completion_time_ns,
        ),
        cost_breakdown=CostBreakdown(
            commission=costs.commission,
            fees=costs.fees,
            spread=costs.spread,
            market_impact=costs.market_impact,
            timing=costs.timing,
            opportunity=costs.opportunity,
            total=costs.total,
            delay=costs.delay,
        ),
    )


def _costs(watched: WatchedOrder, metrics: LiveMetrics, config: MonitoringConfig) -> CostAnalysis:
    interval = watched.interval
    notes: list[str] = []
    commission = (
        watched.instrument.notional(Decimal(1), watched.progress.filled_notional) * config.commission_bps / 10_000
    ).quantize(MONEY_STEP)
    cost = _shortfall(watched, commission, notes)
    vwap = interval_vwap(notional=interval.notional, volume=interval.volume)
    twap = interval_twap(mid_time_integral=interval.mid_time_integral, mid_seconds=interval.mid_seconds)
    if not watched.progress.filled:
        notes.append("nothing was executed: slippages and markouts do not exist")
    if vwap is None:
        notes.append("interval VWAP: nothing traded between arrival and end")
    if twap is None:
        notes.append("interval TWAP: no two-sided quote between arrival and end")
    markouts = _markouts(watched, config, notes)
    return CostAnalysis(
        decision_price=usable_mid(watched.arrival),
        arrival_price=usable_mid(watched.arrival),
        end_price=None if watched.end is None else usable_mid(watched.end),
        delay=None if cost is None else cost.delay,
        spread=None if cost is None else cost.trading.spread,
        market_impact=None if cost is None else cost.trading.market_impact,
        timing=None if cost is None else cost.trading.timing,
        opportunity=None if cost is None else cost.opportunity,
        commission=commission,
        fees=watched.progress.fees,
        total=None if cost is None else cost.total,
        notional=None if cost is None else cost.notional,
        implementation_shortfall_bps=None if cost is None else cost.bps(cost.total),
        arrival_slippage_bps=metrics.arrival_slippage_bps,
        vwap_slippage_bps=metrics.vwap_slippage_bps,
        twap_slippage_bps=metrics.twap_slippage_bps,
        market_impact_bps=None if cost is None else cost.bps(cost.trading.market_impact),
        timing_cost_bps=None if cost is None else cost.bps(cost.trading.timing),
        spread_cost_bps=None if cost is None else cost.bps(cost.trading.spread),
        opportunity_cost_bps=None if cost is None else cost.bps(cost.opportunity),
        total_cost_bps=None if cost is None else cost.bps(cost.total),
        markouts_bps=markouts,
        reversion_bps=_reversion(watched, config),
        interval_vwap=None if vwap is None else vwap.quantize(PRICE_STEP),
        interval_twap=None if twap is None else twap.quantize(PRICE_STEP),
        notes=tuple(notes),
    )


def _shortfall(watched: WatchedOrder, commission: Decimal, notes: list[str]) -> Shortfall | None:
    """The order's shortfall; None, with the reason in `notes`, when a price it needs is missing."""
    progress = watched.progress
    arrival = usable_mid(watched.arrival)
    end = None if watched.end is None else usable_mid(watched.end)
    if arrival is None:
        notes.append("the book was one-sided or crossed at arrival: without an arrival price no cost can be measured")
        return None
    if end is None and progress.filled != progress.ordered:
        notes.append(
            "the book was one-sided or crossed at the end: the opportunity cost of what was unfilled has no price"
        )
        return None
    impact = ZERO
    if watched.expected_impact is not None:
        exact = watched.instrument.notional(progress.filled, arrival) * Decimal(str(watched.expected_impact))
        impact = exact.quantize(MONEY_STEP)
    elif progress.filled:
        notes.append("market_impact: no pre-trade model priced this order; it is 0 and timing is all of the mid's move")
    cost = shortfall(
        side_sign=watched.side_sign,
        ordered=progress.ordered,
        fills=[
            PricedFill(quantity=fill.report.quantity, price=fill.price, fee=fill.report.fee, mid=fill.mid)
            for fill in progress.fills
        ],
        decision_price=arrival,
        arrival_price=arrival,
        end_price=end,
        market_impact=impact,
        commission=commission,
        multiplier=watched.instrument.multiplier,
    )
    if watched.decision_time_ns != watched.submission_time_ns:
        notes.append("delay: no price at the decision is known; the arrival price stands in and delay is 0")
    if cost.trading.quantity_without_mid:
        notes.append(
            f"spread: {cost.trading.quantity_without_mid} units were filled on a one-sided or crossed quote; "
            "their half-spread is inside timing"
        )
    if watched.end is not None and watched.completed is not None:
        late_ns = watched.end.time_ns - watched.completed.completed_ns
        if late_ns > 0:
            notes.append(f"end price: first seen {late_ns / NS_PER_SECOND:.3f} s after the end")
    return cost


def _markouts(watched: WatchedOrder, config: MonitoringConfig, notes: list[str]) -> dict[str, float | None]:
    """Share-weighted mid markout of each horizon over the fills for which it was observed."""
    names = [horizon_name(horizon) for horizon in config.markout_horizons_ns]
    fills = watched.progress.fills
    if not fills:
        return dict.fromkeys(names)
    observed = watched.markouts.observed
    values = np.array(
        [
            [np.nan if (value := observed[number][name]) is None else value for name in names]
            for number in range(len(fills))
        ]
    )
    means, covered = share_weighted_means(values, np.array([float(fill.report.quantity) for fill in fills]))
    for name, share in zip(names, covered, strict=True):
        if share < 1:
            notes.append(f"markout {name} s: observed for {part_percent(share)}% of the filled quantity")
    return {name: float(mean) if np.isfinite(mean) else None for name, mean in zip(names, means, strict=True)}


def part_percent(share: float) -> int:
    """A share below 1 in whole per cent, rounded down: 99.6 % is not all of it."""
    return min(99, math.floor(share * 100 + 1e-9))  # the hair is for shares like 0.29, which are not exact


def _reversion(watched: WatchedOrder, config: MonitoringConfig) -> float | None:
    after = watched.mids_after.get(config.horizons_after_ns[-1])
    end = None if watched.end is None else usable_mid(watched.end)
    if end is None or after is None or not watched.progress.filled:
        return None
    return reversion_bps(side_sign=watched.side_sign, mid_at_end=float(end), mid_after=float(after))


def _fill(watched: WatchedOrder, number: int, fill: Fill, reference: ReferenceData) -> FillMeasure:
    report = fill.report
    child = watched.progress.children.get(report.child_order_id)
    return FillMeasure(
        execution_id=report.execution_id,
        child_order_id=report.child_order_id,
        venue=report.venue,
        time_ns=report.venue_time_ns,
        price=fill.price,
        quantity=report.quantity,
        liquidity="UNKNOWN" if report.liquidity is None else report.liquidity.value,
        fee=report.fee,
        bid=report.bid,
        ask=report.ask,
        is_dark=reference.venue(report.venue).is_dark,
        is_late=fill.is_late,
        sent_time_ns=None if child is None else child.sent_time_ns,
        sent_bid=None if child is None else child.bid,
        sent_ask=None if child is None else child.ask,
        markouts_bps=watched.markouts.observed[number],
    )


def _venues(children: Sequence[ChildProgress], filled: dict[str, Decimal]) -> tuple[VenueMeasure, ...]:
    sent: dict[str, list[ChildProgress]] = defaultdict(list)
    for child in children:
        sent[child.venue].append(child)
    return tuple(_venue(venue, sent[venue], filled.get(venue, ZERO)) for venue in sorted(sent.keys() | filled.keys()))


def _venue(venue: str, children: Sequence[ChildProgress], filled: Decimal) -> VenueMeasure:
    waits = [child.first_answer_ns - child.sent_time_ns for child in children if child.first_answer_ns is not None]
    return VenueMeasure(
        venue=venue,
        child_orders=len(children),
        sent_quantity=sum((child.sent for child in children), ZERO),
        filled_quantity=filled,
        rejects=sum(child.end is ReportKind.REJECTED for child in children),
        cancels=sum(child.end is ReportKind.CANCELLED for child in children),
        acknowledge_latency_ns_mean=sum(waits) / len(waits) if waits else None,
    )


def _breaches(watched: WatchedOrder, metrics: LiveMetrics, config: MonitoringConfig) -> tuple[str, ...]:
    """Limits of the order that its execution broke, in words; what makes a grade UNACCEPTABLE."""
    breaches = list(watched.breaches)
    progress, cap, rate = watched.progress, watched.participation_cap, metrics.participation_rate
    if progress.filled > progress.ordered:
        breaches.append(f"{progress.filled} was filled of {progress.ordered} ordered")
    if cap is not None and rate is not None and rate > cap + config.participation_tolerance:
        breaches.append(f"participation was {rate:.1%} against a cap of {cap:.1%}")
    return tuple(breaches)
