"""What a candidate is expected to cost before it trades: parts, risk, time, and how wrong the model itself may be.

One model for strategy selection and for the algorithms' plans. Costs are fractions of the notional expected to be
executed (0.0025 = 25 bps), against the arrival mid; positive is worse for us.

The window is cut into steps of equal expected volume. In each step temporary impact follows our rate (Almgren, Thum,
Hauptmann and Li 2005), variance runs in volume time, and the schedule is the candidate's own, held to its participation
rate exactly as the decision step holds it.

`expected_outcomes` prices many candidates at once in the native core; `expected_outcome` is its readable twin.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bestex.domain.orders import Algorithm, ExecutionStyle
from bestex.native.decision import AlgorithmCode, StyleCode
from bestex.native.pretrade import PretradeMarket
from bestex.quant.candidates import Candidate, MarketEstimates, require
from bestex.quant.expected_paths import STEPS, executed_path, step_minutes, window_share, working_share
from bestex.quant.impact import is_extrapolated, permanent_impact, square_root_cost
from bestex.quant.spread_costs import fill_probability, spread_cost

__all__ = ["COST_ERRORS", "Candidate", "ExpectedOutcome", "MarketEstimates", "expected_outcome", "expected_outcomes"]

Array = NDArray[np.float64]

# Without a rate of its own an order is held to half of all volume when we ask whether the market can fill it.
RATE_WITHOUT_CAP: Final = 0.5
# The tail of a schedule that is not waited for when its time is stated.
TIME_TAIL: Final = 0.005

# What the model may be wrong about. All candidates of an order share the same draw of each:
# cost under a draw z = expected_cost + sum(z * cost_errors).
COST_ERRORS: Final = (
    "permanent coefficient",
    "temporary coefficient",
    "temporary exponent",
    "impact law",  # minus two sds is the square-root law
    "adverse selection",
)

_NORMAL: Final = NormalDist()
_ALGORITHM_CODES: Final = {algorithm: float(AlgorithmCode[algorithm.name]) for algorithm in Algorithm}
_STYLE_CODES: Final = {style: float(StyleCode[style.name]) for style in ExecutionStyle}


@dataclass(frozen=True, kw_only=True)
class ExpectedOutcome:
    """Costs and sds as fractions of the notional expected to be executed. expected_cost is the sum of the parts."""

    expected_cost: float
    spread_cost: float
    temporary_impact: float
    permanent_impact: float
    fees: float
    drift_cost: float
    cost_sd: float  # of the realised cost around expected_cost: the market's risk
    cost_error_sd: float  # of expected_cost itself: the model's error
    cost_errors: tuple[float, ...]  # its parts, signed, one sd each, in the order of COST_ERRORS
    time_minutes: float  # until all but the last half percent is done
    completion_probability: float
    executed_fraction: float  # of the order, within window and rate, at expected volume
    participation_rate: float  # mean, ours over all volume, while trading
    participation_rate_peak: float
    passive_share: float  # of the executed quantity, filled while resting
    is_extrapolated: bool  # the impact coefficients were not estimated on orders of this size

    @property
    def market_impact(self) -> float:
        return self.temporary_impact + self.permanent_impact

    def cost_quantile(self, probability: float) -> float:
        """Point of the pre-trade cost distribution: normal, with market risk and model error together."""
        return self.expected_cost + _NORMAL.inv_cdf(probability) * math.hypot(self.cost_sd, self.cost_error_sd)


def expected_outcome(candidate: Candidate, order_quantity: float, estimates: MarketEstimates) -> ExpectedOutcome:
    """The expected outcome of one candidate for an order of `order_quantity` units.

    Impact: ATHL (2005), half of the permanent and all of the temporary. Their temporary part was estimated with the
    spread inside; it is charged apart here, so that the styles differ: a little too dear rather than too cheap.
    Spread: `spread_costs`. Risk: sigma^2 times the integral of the squared remaining fraction over volume time, and
    what a volume other than expected does to temporary impact. Model error: the coefficients' standard errors, half the
    distance to the square-root law, and the uncertain adverse selection of resting orders, taken as independent.

    Raises:
        ValueError: if the quantity is not positive, or the window has no volume.
    """
    require("order_quantity", order_quantity, order_quantity > 0, "above 0")
    sigma, c = estimates.daily_volatility, estimates.coefficients
    of_window = window_share(candidate, estimates)
    window_volume = estimates.daily_volume * of_window
    share = working_share(candidate, order_quantity, of_window, estimates)
    volume = estimates.daily_volume * share
    minutes = step_minutes(share, estimates)
    done = executed_path(candidate, order_quantity, volume, minutes)
    executed = float(done[-1])
    step_volume = volume / STEPS
    traded = done[1:] - done[:-1]
    rates = traded * order_quantity / step_volume
    weights = traded / executed

    active = rates > 0
    steps_cost = c.temporary * sigma * rates[active] ** c.temporary_exponent
    temporary = float(weights[active] @ steps_cost)
    size = executed * order_quantity / estimates.daily_volume
    permanent = permanent_impact(size, sigma, turnover_days=estimates.turnover_days, coefficients=c) / 2

    half_spread = estimates.spread / 2 / estimates.price
    child = executed * order_quantity / candidate.slices
    lit = spread_cost(
        candidate.style,
        slices=candidate.slices,
        fill=fill_probability(child, estimates.touch_quantity, window_volume / candidate.slices),
        spread_ticks=max(1.0, estimates.spread / estimates.tick_size),
        assumptions=estimates.placement,
    )
    dark_share = candidate.dark_ratio * estimates.placement.dark_fill_share
    lit_share = 1.0 - dark_share
    spread = lit_share * half_spread * lit.cost
    fees = dark_share * estimates.dark_fee + lit_share * (
        lit.passive_share * estimates.maker_fee + (1 - lit.passive_share) * estimates.taker_fee
    )
    drift = estimates.drift_per_day * share * float(weights @ (np.arange(STEPS) + 0.5)) / STEPS

    left = 1.0 - done / executed
    path = share / STEPS * float((left[:-1] ** 2 + left[:-1] * left[1:] + left[1:] ** 2).sum()) / 3
    cost_sd = math.hypot(sigma * math.sqrt(path), c.temporary_exponent * temporary * estimates.volume_error)
    errors = (
        permanent * c.permanent_se / c.permanent if c.permanent else 0.0,
        temporary * c.temporary_se / c.temporary if c.temporary else 0.0,
        float(weights[active] @ (steps_cost * np.log(rates[active]))) * c.temporary_exponent_se,
        (temporary + permanent - square_root_cost(size, sigma, coefficients=c)) / 2,
        lit_share * half_spread * lit.adverse_sensitivity * estimates.placement.adverse_selection_se,
    )

    trading = active.nonzero()[0]
    span = step_volume * (trading[-1] + 1)
    return ExpectedOutcome(
        expected_cost=spread + temporary + permanent + fees + drift,
        spread_cost=spread,
        temporary_impact=temporary,
        permanent_impact=permanent,
        fees=fees,
        drift_cost=drift,
        cost_sd=cost_sd,
        cost_error_sd=math.hypot(*errors),
        cost_errors=errors,
        time_minutes=float(np.interp(executed * (1 - TIME_TAIL), done, minutes)),
        completion_probability=_completion(candidate, order_quantity, of_window, estimates),
        executed_fraction=executed,
        participation_rate=executed * order_quantity / (executed * order_quantity + span),
        participation_rate_peak=float(rates.max() / (1 + rates.max())),
        passive_share=lit_share * lit.passive_share,
        is_extrapolated=is_extrapolated(order_quantity / estimates.daily_volume),
    )


def expected_outcomes(
    candidates: Sequence[Candidate], order_quantity: float, estimates: MarketEstimates
) -> list[ExpectedOutcome]:
    """The expected outcome of each candidate, in their order: as `expected_outcome` to rounding, and far faster.

    Raises:
        ValueError: if the quantity is not positive, or a window has no volume.
    """
    if not candidates:
        return []
    rows = np.array([_native_row(candidate) for candidate in candidates])
    extrapolated = is_extrapolated(order_quantity / estimates.daily_volume)
    found = _native_market(estimates).expected_outcomes(rows, order_quantity).tolist()
    return [
        ExpectedOutcome(
            expected_cost=row[0],
            spread_cost=row[1],
            temporary_impact=row[2],
            permanent_impact=row[3],
            fees=row[4],
            drift_cost=row[5],
            cost_sd=row[6],
            cost_error_sd=row[7],
            cost_errors=tuple(row[8:13]),
            time_minutes=row[13],
            completion_probability=row[14],
            executed_fraction=row[15],
            participation_rate=row[16],
            participation_rate_peak=row[17],
            passive_share=row[18],
            is_extrapolated=extrapolated,
        )
        for row in found
    ]


def _native_row(candidate: Candidate) -> tuple[float, ...]:
    rate, limit = candidate.participation_rate, candidate.limit_distance
    return (
        _ALGORITHM_CODES[candidate.algorithm],
        _STYLE_CODES[candidate.style],
        candidate.window_minutes,
        candidate.slices,
        candidate.kappa_t,
        math.nan if rate is None else rate,
        candidate.dark_ratio,
        math.nan if limit is None else limit,
    )


@lru_cache(maxsize=16)
def _native_market(estimates: MarketEstimates) -> PretradeMarket:
    impact, placement = estimates.coefficients, estimates.placement
    return PretradeMarket(
        price=estimates.price,
        spread=estimates.spread,
        tick_size=estimates.tick_size,
        touch_quantity=estimates.touch_quantity,
        daily_volume=estimates.daily_volume,
        daily_volatility=estimates.daily_volatility,
        session_minutes=estimates.session_minutes,
        session_fraction=estimates.session_fraction,
        taker_fee=estimates.taker_fee,
        maker_fee=estimates.maker_fee,
        dark_fee=estimates.dark_fee,
        drift_per_day=estimates.drift_per_day,
        volume_error=estimates.volume_error,
        turnover_days=estimates.turnover_days,
        permanent=impact.permanent,
        permanent_se=impact.permanent_se,
        temporary=impact.temporary,
        temporary_se=impact.temporary_se,
        temporary_exponent=impact.temporary_exponent,
        temporary_exponent_se=impact.temporary_exponent_se,
        square_root=impact.square_root,
        adverse_selection=placement.adverse_selection,
        adverse_selection_se=placement.adverse_selection_se,
        dark_fill_share=placement.dark_fill_share,
        fractions=estimates.volume_curve.fractions,
        cumulative=estimates.volume_curve.cumulative,
        source=estimates.volume_curve.source,
    )


def _completion(candidate: Candidate, quantity: float, share: float, estimates: MarketEstimates) -> float:
    """P(enough volume for our rate) x P(the price ends within the limit); volume lognormal, price normal."""
    rate = min(candidate.participation_rate or RATE_WITHOUT_CAP, 1 - 1e-9)
    room = math.log(rate / (1 - rate) * estimates.daily_volume * share / quantity)
    enough = _NORMAL.cdf(room / estimates.volume_error)
    if candidate.limit_distance is None:
        return enough
    slack = candidate.limit_distance - estimates.drift_per_day * share
    sd = estimates.daily_volatility * math.sqrt(share)
    within = float(slack >= 0) if sd == 0 else _NORMAL.cdf(slack / sd)
    return enough * within
