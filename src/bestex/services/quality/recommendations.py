"""What could be done better, in plain words: only what this execution's numbers, or enough orders, bear out."""

from collections.abc import Mapping

from bestex.messages.monitoring import ExecutionMeasured
from bestex.messages.quality import MetricScore
from bestex.quant.grading import score_of_z
from bestex.quant.shrinkage import GroupPosterior
from bestex.services.quality.config import QualityConfig
from bestex.services.quality.group_grades import probability_below

UNUSUAL = 0.10  # a cost that one of ten orders like it would exceed
CONFIDENT = 0.90  # probability from which a change of venues is recommended


def recommendations(
    measured: ExecutionMeasured,
    card: Mapping[str, MetricScore],
    venues: Mapping[str, GroupPosterior],
    venue_orders: Mapping[str, int],
    config: QualityConfig,
) -> tuple[str, ...]:
    """Sentences in order of weight; none when there is nothing to say."""
    found = (
        *(f"Outside its limits: {breach}." for breach in measured.breaches),
        _cost(card),
        _unfilled(card),
        _adverse_selection(card),
        _spread_paid(card),
        _venues(measured, venues, venue_orders, config),
    )
    return tuple(sentence for sentence in found if sentence is not None)


def _cost(card: Mapping[str, MetricScore]) -> str | None:
    z = card["VOLATILITY_ADJUSTED_COST"].metric_value
    cost, expected = card["COST_VS_MODEL"].metric_value, card["COST_VS_MODEL"].benchmark_value
    if z is None or cost is None or expected is None or score_of_z(z) > UNUSUAL:
        return None
    return (
        f"The cost of {cost:.1f} bps against {expected:.1f} expected is worse than {1 - score_of_z(z):.1%} of what "
        "market risk alone would bring: look at what the order met before the next one like it."
    )


def _unfilled(card: Mapping[str, MetricScore]) -> str | None:
    rate, cost = card["FILL_RATE"].metric_value, card["OPPORTUNITY_COST"].metric_value
    if rate is None or rate >= 1 or cost is None or cost <= 0:
        return None
    return (
        f"{1 - rate:.0%} was left unfilled and the market moved away: that cost {cost:.1f} bps of the order. "
        "A longer window or a higher participation rate would have left less."
    )


def _adverse_selection(card: Mapping[str, MetricScore]) -> str | None:
    adverse, quoted = card["ADVERSE_SELECTION_10S"].metric_value, card["QUOTED_SPREAD"].metric_value
    passive = card["PASSIVE_SHARE"].metric_value
    if adverse is None or quoted is None or passive is None or adverse <= quoted / 2:
        return None
    return (
        f"Resting fills ({passive:.0%} of the quantity) saw the mid move {adverse:.1f} bps against us within 10 s, "
        f"more than the half-spread of {quoted / 2:.1f} bps they saved: rest less, or further from the touch."
    )


def _spread_paid(card: Mapping[str, MetricScore]) -> str | None:
    ratio, passive = card["EFFECTIVE_OVER_QUOTED"].metric_value, card["PASSIVE_SHARE"].metric_value
    markout, effective = card["MARKOUT_10S"].metric_value, card["EFFECTIVE_SPREAD"].metric_value
    if ratio is None or passive is None or markout is None or effective is None:
        return None
    if ratio < 0.9 or passive > 0.2 or markout > 0:
        return None
    return (
        f"{1 - passive:.0%} of the quantity took liquidity at {ratio:.0%} of the spread ({effective / 2:.1f} bps each) "
        f"while the mid came back {-markout:.1f} bps within 10 s: nothing was gained by the hurry."
    )


def _venues(
    measured: ExecutionMeasured,
    venues: Mapping[str, GroupPosterior],
    venue_orders: Mapping[str, int],
    config: QualityConfig,
) -> str | None:
    known = {name: seen for name, seen in venues.items() if venue_orders.get(name, 0) >= config.group_orders_min}
    used = [venue.venue for venue in measured.venues if venue.venue in known]
    if len(known) < 2 or not used:
        return None
    best = max(known, key=lambda name: known[name].mean)
    worst = min(used, key=lambda name: known[name].mean)
    gap = GroupPosterior(
        mean=known[best].mean - known[worst].mean, sd=(known[best].sd ** 2 + known[worst].sd ** 2) ** 0.5
    )
    chance = 1 - probability_below(gap, 0.0)
    if best == worst or chance < CONFIDENT:
        return None
    return (
        f"{worst} scores {known[worst].mean:.2f} over {venue_orders[worst]} orders, {best} {known[best].mean:.2f} over "
        f"{venue_orders[best]} (better with a probability of {chance:.0%}): prefer {best} where both would do."
    )
