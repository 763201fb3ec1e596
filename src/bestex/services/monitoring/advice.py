"""What an alert tells the trader: the numbers that raised it, and what can be done about them."""

from decimal import Decimal

from bestex.messages.execution import ControlBreach
from bestex.messages.monitoring import LiveMetrics
from bestex.messages.records import AlertRuleRow
from bestex.services.monitoring.watched_order import WatchedOrder


def recommendation(
    watched: WatchedOrder, row: AlertRuleRow, metrics: LiveMetrics, *, value: float, threshold: float, now_ns: int
) -> str:
    """A sentence or two for one firing rule, made from the order's own numbers."""
    match row.metric:
        case "schedule_lag" | "slices_behind" | "schedule_deviation" | "execution_speed":
            return _behind(watched, metrics, now_ns)
        case "cost_z":
            return _costly(metrics, value)
        case "participation_over_cap":
            return (
                f"Participation is {_percent(metrics.participation_rate)} against a cap of "
                f"{_percent(watched.participation_cap)}: slow down, or raise the cap."
            )
        case "child_reject_rate":
            progress = watched.progress
            return (
                f"{progress.rejects} of {progress.answered} answered child orders were rejected: "
                "check the venues' reasons and exclude the one that rejects."
            )
        case "quote_missing":
            return "The book is one-sided or crossed: nothing can be measured against it. Wait, or pause the order."
        case "unfilled_near_end":
            left = watched.progress.ordered - watched.progress.filled
            ordered = _plain(watched.progress.ordered)
            return f"{_plain(left)} of {ordered} is unfilled near the end: extend it or raise the urgency."
        case "conservation_excess":
            progress = watched.progress
            return (
                f"{_plain(progress.filled)} filled and {_plain(progress.live)} live against {_plain(progress.ordered)} "
                f"ordered: {_plain(progress.excess)} too much. Stop the order and reconcile with the venues."
            )
        case "unreconciled_fills":
            unknown = [fill.report for fill in watched.progress.fills if fill.is_unreconciled]
            named = ", ".join(f"{report.execution_id} at {report.venue}" for report in unknown[-3:])
            return f"{value:.0f} fills of child orders that were never sent: {named}. Reconcile with the venue."
        case "ledger_difference":
            ours, theirs = _plain(watched.progress.filled), _plain(watched.algorithm_filled)
            return f"{ours} is filled by the venues' reports, {theirs} by the algorithm's count. Stop and reconcile."
        case "slippage_over_control" | "value_over_control" if watched.breach is not None:
            return _stopped(watched.breach)
        case "late_fills":
            late = [fill.report for fill in watched.progress.fills if fill.is_late]
            return (
                f"{_plain(late[-1].quantity)} filled at {late[-1].venue} after its order had ended: it is counted. "
                "Check that the position is wanted."
            )
        case _:
            return f"{row.metric} is {value:.4g}, {row.comparison} {threshold:.4g}."


def _behind(watched: WatchedOrder, metrics: LiveMetrics, now_ns: int) -> str:
    target = watched.target(now_ns)
    if target is None:
        return f"Execution speed is {metrics.execution_speed:.2f} of a straight line: raise the urgency."
    missing = watched.instrument.round_down_to_lot(target - watched.progress.filled)
    if missing <= 0:
        return f"{_plain(-missing)} ahead of schedule: slow down if that is not wanted."
    passive = metrics.passive_share
    is_passive = passive is not None and passive > 0.5
    way = "cross the spread for a part of it" if is_passive else "raise the participation rate"
    scheduled = _plain(watched.instrument.round_down_to_lot(target))
    live = _plain(watched.progress.live)
    return f"{_plain(missing)} behind the schedule's {scheduled}, with {live} live: {way}, or extend the end time."


def _costly(metrics: LiveMetrics, z: float) -> str:
    slippage = metrics.arrival_slippage_bps or 0.0
    expected = metrics.expected_cost_bps or 0.0
    spread = metrics.spread_bps
    words = f"Slippage is {slippage:.1f} bps against {expected:.1f} bps expected, {z:.1f} standard deviations above: "
    if metrics.passive_share is not None and metrics.passive_share < 0.5 and spread is not None:
        return words + f"post instead of crossing a spread of {spread:.1f} bps, or re-plan the rest."
    return words + "the market has moved away; re-plan the rest, or accept the cost of finishing now."


def _stopped(breach: ControlBreach) -> str:
    if breach.control == "max_slippage_bps":
        figures = f"Slippage of {breach.value:.1f} bps is beyond the {breach.limit:.1f} bps of the recommendation"
    else:
        figures = f"Value of {breach.value:,.2f} is beyond the {breach.limit:,.2f} of the recommendation"
    return figures + ": the order is paused. Resume it, adapt its strategy, or cancel the rest."


def _percent(rate: float | None) -> str:
    return "unknown" if rate is None else f"{rate * 100:.1f} %"


def _plain(quantity: Decimal | None) -> str:
    """A quantity without an exponent and without trailing zeros."""
    if quantity is None:
        return "unknown"
    whole = quantity.to_integral_value()
    return f"{whole:,f}" if quantity == whole else f"{quantity.quantize(Decimal('0.0001')).normalize():,f}"
