"""Values of every metric of one execution, from its measurement. Names and formulas: `bestex.quant.metric_specs`."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

import numpy as np

from bestex.domain.fills import Liquidity
from bestex.domain.orders import Algorithm
from bestex.domain.time import NS_PER_MILLISECOND, NS_PER_SECOND
from bestex.messages.monitoring import ExecutionMeasured
from bestex.quant import spreads
from bestex.quant.metric_specs import BY_NAME
from bestex.services.quality.fill_arrays import Array, FillArrays, fill_arrays

MARKOUT = "10"  # seconds: the horizon that venues are judged by
OWN_SHARE_MAX = 0.90  # above it, the VWAP without our own prints says nothing


@dataclass(frozen=True, kw_only=True)
class Reading:
    """`value` None: cannot be computed, `note` says why. `benchmark` is what the value is held against, if anything."""

    value: float | None
    benchmark: float | None = None
    note: str | None = None


def readings(measured: ExecutionMeasured, *, multiplier: Decimal) -> dict[str, Reading]:
    """Every metric of `METRIC_SPECS`, in its order."""
    fills = fill_arrays(measured.side.sign, measured.fills, multiplier=multiplier)
    found = {
        **_benchmarks(measured),
        **_shortfall(measured),
        **_against_quote(fills),
        **_after_fills(measured, fills),
        **_after_end(measured),
        **_behaviour(measured),
        **_against_model(measured),
    }
    return {name: found[name] for name in BY_NAME}


def graded_cost_bps(measured: ExecutionMeasured) -> float | None:
    """What the desk is answerable for, in bps: the cost against arrival, with fees, and with what it left unfilled.

    Metric 26 (trading + opportunity from arrival + explicit) over the ordered quantity at the arrival price. When the
    client cancelled, what was left is not the desk's doing: trading + explicit over the executed quantity. None when
    nothing was executed or a price is missing.
    """
    costs, executed = measured.costs, measured.executed_quantity
    if (
        costs.total is None
        or costs.notional is None
        or costs.arrival_price is None
        or costs.decision_price is None
        or costs.delay is None
        or costs.opportunity is None
        or not executed
    ):
        return None
    at_arrival = costs.notional / costs.decision_price * costs.arrival_price  # X * M(t0), with the multiplier
    if measured.cancelled_by_client:
        cost = costs.total - costs.delay - costs.opportunity
        notional = at_arrival / measured.requested_quantity * executed
    else:
        unfilled = measured.requested_quantity - executed
        cost = costs.total - costs.delay - costs.delay / executed * unfilled
        notional = at_arrival
    return float(cost / notional * 10_000)


def _reading(name: str, value: float | None, *, benchmark: float | None = None, note: str | None = None) -> Reading:
    """None and NaN become None, with the metric's null rule as the note."""
    if value is None or not isfinite(value):
        return Reading(value=None, benchmark=benchmark, note=note or BY_NAME[name].null_rule)
    return Reading(value=float(value), benchmark=benchmark, note=note)


def _named(**values: float | None) -> dict[str, Reading]:
    return {name: _reading(name, value) for name, value in values.items()}


def _benchmarks(measured: ExecutionMeasured) -> dict[str, Reading]:
    costs, metrics = measured.costs, measured.metrics
    slippage, vwap, quoted = costs.arrival_slippage_bps, costs.vwap_slippage_bps, measured.quoted_spread_bps
    share = metrics.participation_rate
    expected = None if measured.expected_cost is None else measured.expected_cost * 1e4
    return {
        "SLIPPAGE": _reading("SLIPPAGE", slippage, benchmark=expected),
        "VWAP_SLIPPAGE": _reading("VWAP_SLIPPAGE", vwap, benchmark=0.0),
        "TWAP_SLIPPAGE": _reading("TWAP_SLIPPAGE", costs.twap_slippage_bps, benchmark=0.0),
        **_named(
            EX_OWN_VWAP_SLIPPAGE=None if vwap is None or share is None or share > OWN_SHARE_MAX else vwap / (1 - share),
            NUMBER_OF_SPREADS=None if slippage is None or not quoted else slippage / quoted,
        ),
        "ALGORITHM_EFFECTIVENESS": _effectiveness(measured, expected),
    }


def _effectiveness(measured: ExecutionMeasured, expected: float | None) -> Reading:
    costs = measured.costs
    name = "ALGORITHM_EFFECTIVENESS"
    match measured.algorithm:
        case Algorithm.TWAP:
            return _reading(name, costs.twap_slippage_bps, benchmark=0.0, note="against the interval TWAP")
        case Algorithm.VWAP | Algorithm.PARTICIPATION_RATE:
            return _reading(name, costs.vwap_slippage_bps, benchmark=0.0, note="against the interval VWAP")
        case _:
            if costs.arrival_slippage_bps is None or expected is None:
                return Reading(value=None, note="no arrival slippage, or no expected cost")
            return _reading(
                name, costs.arrival_slippage_bps - expected, benchmark=0.0, note="arrival slippage less expected"
            )


def _shortfall(measured: ExecutionMeasured) -> dict[str, Reading]:
    costs = measured.costs
    delay_bps = trading_bps = None
    if costs.notional and costs.delay is not None:
        delay_bps = float(costs.delay / costs.notional * 10_000)
    if costs.spread_cost_bps is not None and costs.market_impact_bps is not None and costs.timing_cost_bps is not None:
        trading_bps = costs.spread_cost_bps + costs.market_impact_bps + costs.timing_cost_bps
    explicit = None
    if costs.notional and costs.decision_price and measured.average_fill_price and measured.executed_quantity:
        scale = costs.notional / (costs.decision_price * measured.requested_quantity)  # the multiplier
        executed = measured.executed_quantity * measured.average_fill_price * scale
        explicit = float((costs.commission + costs.fees) / executed * 10_000)
    return _named(
        IMPLEMENTATION_SHORTFALL=costs.implementation_shortfall_bps,
        DELAY_COST=delay_bps,
        TRADING_COST=trading_bps,
        OPPORTUNITY_COST=costs.opportunity_cost_bps,
        EXPLICIT_COST=explicit,
        TIMING_COST=costs.timing_cost_bps,
    )


def _against_quote(fills: FillArrays) -> dict[str, Reading]:
    quote = (fills.signs, fills.prices, fills.bids, fills.asks)
    sent = (fills.signs, fills.sent_bids, fills.sent_asks)
    far = fills.signs * (fills.prices - spreads.far_touch(*sent))
    near = fills.signs * (fills.prices - spreads.near_touch(*sent))
    sent_mids = spreads.mids(fills.sent_bids, fills.sent_asks)
    half_quoted = _bps(fills, fills.quoted / 2)
    values = _named(
        FAR_TOUCH_SLIPPAGE=_bps(fills, far, sent_mids),
        NEAR_TOUCH_SLIPPAGE=_bps(fills, near, sent_mids),
        QUOTED_SPREAD=_bps(fills, fills.quoted),
        EFFECTIVE_SPREAD=_bps(fills, fills.effective),
        OUTSIDE_QUOTE=_bps(fills, spreads.outside_quote(*quote)),
        SPREAD_CAPTURE=spreads.weighted_mean(spreads.spread_captures(*quote), fills.quantities),
        FEE_ADJUSTED_EFFECTIVE=_bps(fills, fills.effective + 2 * fills.fees),
        AT_OR_BETTER=spreads.at_or_better_share(*quote, fills.quantities),
    )
    improvement = _bps(fills, spreads.price_improvements(*quote))
    values["PRICE_IMPROVEMENT"] = _reading("PRICE_IMPROVEMENT", improvement, benchmark=_none_if_nan(half_quoted))
    ratio = spreads.effective_over_quoted(*quote, fills.quantities)
    values["EFFECTIVE_OVER_QUOTED"] = _reading("EFFECTIVE_OVER_QUOTED", ratio, benchmark=1.0)
    return values


def _after_fills(measured: ExecutionMeasured, fills: FillArrays) -> dict[str, Reading]:
    markout = fills.markouts.get(MARKOUT, np.full(fills.prices.shape, np.nan))
    seen = np.isfinite(markout)
    rested = np.array([fill.liquidity == Liquidity.ADDED for fill in measured.fills], dtype=np.bool_)
    moves = fills.moves(MARKOUT)
    net, half = fills.net_costs(MARKOUT)
    adverse = spreads.weighted_mean(markout[rested], fills.quantities[rested]) if rested.any() else float("nan")
    right = float(fills.quantities[seen & (markout > 0)].sum() / fills.quantities[seen].sum()) if seen.any() else None
    return {
        **_named(
            MARKOUT_1S=measured.costs.markouts_bps.get("1"),
            MARKOUT_10S=measured.costs.markouts_bps.get("10"),
            MARKOUT_60S=measured.costs.markouts_bps.get("60"),
            ADVERSE_SELECTION_10S=-adverse,
            RIGHT_WAY=right,
            REALISED_SPREAD_10S=_bps(fills, fills.effective - 2 * moves),
            PRICE_IMPACT_10S=_bps(fills, np.where(np.isfinite(fills.effective), 2 * moves, np.nan)),
        ),
        "VENUE_EFFICIENCY": _reading("VENUE_EFFICIENCY", net / half if half > 0 else None, benchmark=1.0),
    }


def _after_end(measured: ExecutionMeasured) -> dict[str, Reading]:
    costs = measured.costs
    impact = temporary = None
    if costs.reversion_bps is not None and costs.end_price and costs.arrival_price:
        end, arrival, sign = float(costs.end_price), float(costs.arrival_price), measured.side.sign
        after = end * (1 - sign * costs.reversion_bps / 1e4)
        impact = sign * (after - arrival) / arrival * 1e4
        if measured.average_fill_price is not None:
            temporary = sign * (float(measured.average_fill_price) - after) / arrival * 1e4
    expected = None if measured.expected_impact is None else measured.expected_impact * 1e4
    return {
        **_named(REVERSION=costs.reversion_bps, TEMPORARY_IMPACT=temporary),
        "MARKET_IMPACT": _reading("MARKET_IMPACT", impact, benchmark=expected),
    }


def _behaviour(measured: ExecutionMeasured) -> dict[str, Reading]:
    metrics, children = measured.metrics, measured.child_orders
    executed = measured.executed_quantity > 0
    waits = [
        (fill.time_ns - fill.sent_time_ns, float(fill.quantity))
        for fill in measured.fills
        if fill.sent_time_ns is not None
    ]
    latencies = [
        (venue.acknowledge_latency_ns_mean, venue.child_orders)
        for venue in measured.venues
        if venue.acknowledge_latency_ns_mean is not None
    ]
    first = measured.first_fill_time_ns
    deviation = measured.schedule_deviation_worst
    return {
        **_named(
            CHILD_FILL_RATE=metrics.child_fill_rate,
            TIME_TO_FIRST_FILL=None if first is None else (first - measured.submission_time_ns) / NS_PER_SECOND,
            FILL_LATENCY=_weighted(waits, NS_PER_SECOND),
            ACKNOWLEDGE_LATENCY=_weighted(latencies, NS_PER_MILLISECOND),
            REJECT_RATE=measured.child_rejects / children if children else None,
            CANCEL_RATE=measured.child_cancels / children if children else None,
            ORDER_TO_TRADE=children / len(measured.fills) - 1 if measured.fills else None,
            PARTICIPATION_RATE=metrics.participation_rate,
            PASSIVE_SHARE=metrics.passive_share,
            DARK_SHARE=metrics.dark_share,
            SCHEDULE_DEVIATION=None if deviation is None else abs(deviation),
        ),
        "FILL_RATE": _reading("FILL_RATE", None if measured.cancelled_by_client else metrics.fill_rate, benchmark=1.0),
        "EXECUTION_SPEED": _reading("EXECUTION_SPEED", metrics.execution_speed if executed else None, benchmark=1.0),
    }


def _against_model(measured: ExecutionMeasured) -> dict[str, Reading]:
    cost = graded_cost_bps(measured)
    expected, sd = measured.expected_cost, measured.expected_cost_sd
    if cost is None or expected is None or not sd:
        expected_bps = None if expected is None else expected * 1e4
        return {
            "COST_VS_MODEL": Reading(value=None, benchmark=expected_bps, note=_why_no_model(cost, expected)),
            "VOLATILITY_ADJUSTED_COST": _reading("VOLATILITY_ADJUSTED_COST", None),
        }
    return {
        "COST_VS_MODEL": Reading(value=cost, benchmark=expected * 1e4),
        "VOLATILITY_ADJUSTED_COST": Reading(value=(cost - expected * 1e4) / (sd * 1e4), benchmark=0.0),
    }


def _why_no_model(cost: float | None, expected: float | None) -> str:
    if cost is None:
        return "nothing was executed, or a price of the cost is missing"
    if expected is None:
        return "no pre-trade cost is known: the order had neither a recommendation nor a plan"
    return "the pre-trade cost has no spread around it: the instrument's volatility is not known"


def _bps(fills: FillArrays, amounts: Array, mids: Array | None = None) -> float:
    """Share-weighted amounts over share-weighted mids, in bps, over the fills that have both; NaN without any."""
    base = fills.mids if mids is None else mids
    seen = np.isfinite(amounts) & np.isfinite(base)
    weight = float(base[seen] @ fills.quantities[seen])
    return float(amounts[seen] @ fills.quantities[seen]) / weight * 1e4 if weight > 0 else float("nan")


def _weighted(pairs: Sequence[tuple[float, float]], unit: int) -> float | None:
    weight = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / weight / unit if weight else None


def _none_if_nan(value: float) -> float | None:
    return value if isfinite(value) else None
