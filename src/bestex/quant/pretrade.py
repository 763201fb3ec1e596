"""What a candidate is expected to cost before it trades: parts, risk, time, and how wrong the model itself may be.

One model for strategy selection and for the algorithms' plans. Costs are fractions of the notional expected to be
executed (0.0025 = 25 bps), against the arrival mid; positive is worse for us.

The window is cut into steps of equal expected volume. In each step temporary impact follows our rate (Almgren, Thum,
Hauptmann and Li 2005), variance runs in volume time, and the schedule is the candidate's own, held to its participation
rate exactly as the decision step holds it.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bestex.domain.orders import Algorithm, ExecutionStyle
from bestex.quant.impact import ATHL_2005, ImpactCoefficients, is_extrapolated, permanent_impact, square_root_cost
from bestex.quant.schedules import remaining_fraction
from bestex.quant.spread_costs import DEFAULT_PLACEMENT, PlacementAssumptions, fill_probability, spread_cost
from bestex.quant.volume_curves import VolumeCurve

Array = NDArray[np.float64]

STEPS: Final = 32
MINUTES_OF_A_DAY: Final = 1440.0
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


@dataclass(frozen=True, kw_only=True)
class MarketEstimates:
    """What is believed of the instrument's market when the order would start.

    The side of the order enters only through two signs: `drift_per_day` here, `limit_distance` of the candidate.
    """

    price: float  # arrival mid
    spread: float  # mean ask minus bid, in the price's unit
    tick_size: float
    touch_quantity: float  # displayed at the near touch
    daily_volume: float  # average, without us
    daily_volatility: float  # sd of the day's return, fraction
    volume_curve: VolumeCurve
    session_minutes: float  # 1440 = around the clock: a window may run past midnight
    session_fraction: float  # of the session, passed when the order starts; [0, 1)
    taker_fee: float = 0.0  # fraction of notional; negative = rebate
    maker_fee: float = 0.0
    dark_fee: float = 0.0
    drift_per_day: float = 0.0  # expected move of the price against us, fraction
    volume_error: float = 0.3  # sd of log(actual / expected volume)
    turnover_days: float = 1.0  # shares outstanding over daily volume; 1 where there is no such thing
    coefficients: ImpactCoefficients = ATHL_2005
    placement: PlacementAssumptions = DEFAULT_PLACEMENT

    def __post_init__(self) -> None:
        for name in ("price", "tick_size", "daily_volume", "session_minutes", "volume_error", "turnover_days"):
            _require(name, getattr(self, name), getattr(self, name) > 0, "above 0")
        for name in ("spread", "touch_quantity", "daily_volatility"):
            _require(name, getattr(self, name), getattr(self, name) >= 0, "at least 0")
        _require("session_fraction", self.session_fraction, 0 <= self.session_fraction < 1, "in [0, 1)")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One algorithm with its parameters, for one window from now."""

    algorithm: Algorithm
    style: ExecutionStyle
    window_minutes: float
    slices: int
    kappa_t: float = 0.0  # urgency, IMPLEMENTATION_SHORTFALL only
    participation_rate: float | None = None  # target of PARTICIPATION_RATE, cap of the others; None = no cap
    dark_ratio: float = 0.0  # of the quantity, shown to dark venues first
    limit_distance: float | None = None  # how far the price may go against us, fraction; None = no limit

    def __post_init__(self) -> None:
        _require("window_minutes", self.window_minutes, self.window_minutes > 0, "above 0")
        _require("slices", self.slices, self.slices >= 1, "at least 1")
        _require("kappa_t", self.kappa_t, self.kappa_t >= 0, "at least 0")
        _require("dark_ratio", self.dark_ratio, 0 <= self.dark_ratio <= 1, "from 0 to 1")
        rate = self.participation_rate
        if rate is not None:
            _require("participation_rate", rate, 0 < rate <= 1, "above 0 and at most 1")
        if self.algorithm is Algorithm.PARTICIPATION_RATE and (rate is None or rate == 1):
            raise ValueError(f"participation_rate is {rate}; PARTICIPATION_RATE needs one below 1")


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

    Impact: ATHL (2005), half of the permanent and all of the temporary; their temporary part was estimated with the
    spread inside, which is charged apart here, so that the styles differ: a little too dear rather than too cheap. Spread: `spread_costs`. Risk: sigma^2 times the
    integral of the squared remaining fraction over volume time, and the effect of a volume other than expected on
    temporary impact. Model error: the coefficients' standard errors, half the distance to the square-root law, and the
    uncertain adverse selection of resting orders, taken as independent.

    Raises:
        ValueError: if the quantity is not positive, or the window has no volume.
    """
    _require("order_quantity", order_quantity, order_quantity > 0, "above 0")
    sigma, c = estimates.daily_volatility, estimates.coefficients
    window_share = _window_share(candidate, estimates)
    window_volume = estimates.daily_volume * window_share
    share = _working_share(candidate, order_quantity, window_share, estimates)
    volume = estimates.daily_volume * share
    minutes = _step_minutes(share, estimates)
    done = _executed(candidate, order_quantity, volume, minutes)
    executed = float(done[-1])
    step_volume = volume / STEPS
    traded = np.diff(done)
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
        completion_probability=_completion(candidate, order_quantity, window_share, estimates),
        executed_fraction=executed,
        participation_rate=executed * order_quantity / (executed * order_quantity + span),
        participation_rate_peak=float(rates.max() / (1 + rates.max())),
        passive_share=lit_share * lit.passive_share,
        is_extrapolated=is_extrapolated(order_quantity / estimates.daily_volume),
    )


def _window_share(candidate: Candidate, estimates: MarketEstimates) -> float:
    """Share of a day's volume expected in the candidate's window; the close cuts it short."""
    curve, start = estimates.volume_curve, estimates.session_fraction
    end = start + candidate.window_minutes / estimates.session_minutes
    if estimates.session_minutes < MINUTES_OF_A_DAY:
        end = min(end, 1.0)
    share = math.floor(end) + float(curve.at(end - math.floor(end))) - float(curve.at(start))
    if share <= 0:
        raise ValueError(
            f"no volume is expected in the {candidate.window_minutes} minutes from {start} of the session"
            f" ({curve.source}); start earlier or take another curve"
        )
    return share


def _working_share(candidate: Candidate, quantity: float, window_share: float, estimates: MarketEstimates) -> float:
    """As `_window_share`, but no further than PARTICIPATION_RATE needs: it stops when it is done."""
    rate = candidate.participation_rate
    if candidate.algorithm is not Algorithm.PARTICIPATION_RATE or rate is None:
        return window_share
    return min(window_share, quantity * (1 - rate) / rate / estimates.daily_volume)


def _step_minutes(share: float, estimates: MarketEstimates) -> Array:
    """(STEPS + 1,) minutes from the start at the edges of STEPS steps of equal volume."""
    curve, start = estimates.volume_curve, estimates.session_fraction
    at = float(curve.at(start)) + share * np.linspace(0.0, 1.0, STEPS + 1)
    days = np.floor(np.minimum(at, at[-1] * (1 - 1e-12)))
    fractions = np.maximum(days + curve.fraction_when(at - days), start)
    fractions[0] = start
    minutes: Array = (fractions - start) * estimates.session_minutes
    return minutes


def _executed(candidate: Candidate, quantity: float, volume: float, minutes: Array) -> Array:
    """(STEPS + 1,) fraction of the order done at the edges of the steps, from 0."""
    elapsed = np.linspace(0.0, 1.0, STEPS + 1)
    rate = candidate.participation_rate
    allowed = None if rate is None or rate == 1 else rate / (1 - rate) * volume * elapsed / quantity
    match candidate.algorithm:
        case Algorithm.TWAP:
            planned = minutes / minutes[-1]
        case Algorithm.VWAP:
            planned = elapsed
        case Algorithm.IMPLEMENTATION_SHORTFALL:
            planned = 1.0 - remaining_fraction(elapsed, candidate.kappa_t)
        case Algorithm.PARTICIPATION_RATE:
            planned = np.ones_like(elapsed)
            planned[0] = 0.0
    done: Array = planned if allowed is None else np.minimum(planned, allowed)
    return done


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


def _require(name: str, value: float, good: bool, expected: str) -> None:
    if not good or not math.isfinite(value):
        raise ValueError(f"{name} is {value}; expected {expected}")
