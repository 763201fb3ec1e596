"""How an order is going, from the ledger, the plan and the market since arrival. None where it cannot be computed."""

from decimal import Decimal

from bestex.messages.monitoring import LiveMetrics
from bestex.ports import ReferenceData
from bestex.quant.benchmarks import interval_twap, interval_vwap, participation_rate, slippage_bps
from bestex.quant.grading import cost_z, score_of_z
from bestex.services.monitoring.market_interval import usable_mid
from bestex.services.monitoring.watched_order import WatchedOrder

ANSWERS_MIN = 5  # child orders answered, before a share of rejects says anything


def live_metrics(watched: WatchedOrder, *, now_ns: int, reference: ReferenceData) -> LiveMetrics:
    """Metrics of one order at `now_ns`, against the market as last seen."""
    progress, interval, market = watched.progress, watched.interval, watched.market
    price = progress.average_price
    filled = progress.filled
    sign = watched.side_sign
    vwap = interval_vwap(notional=interval.notional, volume=interval.volume)
    twap = interval_twap(mid_time_integral=interval.mid_time_integral, mid_seconds=interval.mid_seconds)

    def slippage(benchmark: Decimal | None) -> float | None:
        if price is None or benchmark is None:
            return None
        return slippage_bps(side_sign=sign, price=price, benchmark=benchmark)

    arrival_slippage = slippage(usable_mid(watched.arrival))
    expected = watched.expected_cost
    expected_bps = None if expected is None else expected * 1e4
    elapsed = None if watched.schedule is None else watched.schedule.elapsed(now_ns)
    fraction = float(filled / progress.ordered)
    target = watched.target(now_ns)
    sent = progress.sent
    mid, spread = usable_mid(market), market.spread
    dark = sum((quantity for venue, quantity in progress.venues.items() if reference.venue(venue).is_dark), Decimal(0))
    return LiveMetrics(
        arrival_slippage_bps=arrival_slippage,
        vwap_slippage_bps=slippage(vwap),
        twap_slippage_bps=slippage(twap),
        participation_rate=participation_rate(own_volume=filled, market_volume=interval.volume),
        fill_rate=fraction,
        child_fill_rate=float(filled / sent) if sent else None,
        execution_speed=fraction / elapsed if elapsed else None,
        schedule_deviation=None if target is None else float((filled - target) / progress.ordered),
        cost_efficiency=None if expected_bps is None or arrival_slippage is None else expected_bps - arrival_slippage,
        expected_cost_bps=expected_bps,
        spread_bps=None if mid is None or spread is None else float(spread / mid * 10_000),
        passive_share=float(progress.filled_resting / filled) if filled else None,
        dark_share=float(dark / filled) if filled else None,
    )


def cost_deviation_z(watched: WatchedOrder, metrics: LiveMetrics) -> float | None:
    """Arrival slippage so far against the pre-trade cost, in its standard deviations; None without either."""
    sd = watched.expected_cost_sd
    if metrics.arrival_slippage_bps is None or metrics.expected_cost_bps is None or sd is None:
        return None
    return cost_z(cost=metrics.arrival_slippage_bps, expected=metrics.expected_cost_bps, sd=sd * 1e4)


def performance_score(watched: WatchedOrder, metrics: LiveMetrics) -> float | None:
    """Probability, before trading, of a cost at least as bad as it is so far: 0..1, higher is better."""
    z = cost_deviation_z(watched, metrics)
    return None if z is None else score_of_z(z)


def alert_values(watched: WatchedOrder, metrics: LiveMetrics, *, now_ns: int) -> dict[str, float | None]:
    """What a rule may look at: the live metrics by field name and the derived ones of `alerts.DERIVED_METRICS`."""
    progress, schedule = watched.progress, watched.schedule
    values: dict[str, float | None] = {name: getattr(metrics, name) for name in LiveMetrics.__struct_fields__}
    cap, rate = watched.participation_cap, metrics.participation_rate
    elapsed = watched.elapsed(now_ns)
    behind = None if schedule is None else schedule.slices_behind(now_ns, progress.filled)
    values |= {
        "cost_z": cost_deviation_z(watched, metrics),
        "slices_behind": behind,
        # What rests at a venue is being worked; whether it fills in time is for `unfilled_near_end`.
        "schedule_lag": None if schedule is None else schedule.lag(now_ns, progress.filled + progress.live),
        "participation_over_cap": None if cap is None or rate is None else rate - cap,
        "child_reject_rate": progress.rejects / progress.answered if progress.answered >= ANSWERS_MIN else None,
        "quote_missing": float(usable_mid(watched.market) is None),
        "unfilled_near_end": None if elapsed is None else (1 - (metrics.fill_rate or 0.0)) * (elapsed >= 0.9),
        "slippage_over_control": _over_control(watched, "max_slippage_bps"),
        "value_over_control": _over_control(watched, "max_order_value"),
        "conservation_excess": float(progress.excess),
        "unreconciled_fills": float(progress.unreconciled_fills),
        "late_fills": float(progress.late_fills),
        "ledger_difference": _ledger_difference(watched),
    }
    return values


def _ledger_difference(watched: WatchedOrder) -> float | None:
    """Units by which the algorithm service's count of fills and ours differ; None before it has said any."""
    if watched.algorithm_filled is None:
        return None
    return float(abs(watched.algorithm_filled - (watched.progress.filled - watched.progress.filled_after_end)))


def _over_control(watched: WatchedOrder, control: str) -> float:
    """How far the risk control is passed that paused the order; 0 while none has, or another."""
    breach = watched.breach
    return 0.0 if breach is None or breach.control != control else breach.value - breach.limit
