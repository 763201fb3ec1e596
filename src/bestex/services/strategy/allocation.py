"""Where, when and within which limits a chosen candidate is worked."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import Algorithm
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.strategy import RiskControls, TimeAllocation, TimeSlice
from bestex.quant.candidates import Candidate, MarketEstimates
from bestex.quant.pretrade import ExpectedOutcome
from bestex.quant.schedules import almgren_chriss_curve, slice_starts_ns, twap_curve, vwap_curve
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.profile import OrderProfile

Array = NDArray[np.float64]

_VENUE_GRID: Final = 10_000  # fractions are whole basis points ...
_TIME_GRID: Final = 1_000_000  # ... and whole millionths, so that they add up as written
_PAUSE_ON: Final = ("STALE_QUOTE", "CROSSED_QUOTE")  # what the algorithm service can tell and enforces


def venue_allocation(profile: OrderProfile, market: MarketSnapshot, dark_ratio: float) -> dict[str, float]:
    """Fraction of the quantity per venue; read as decimals they sum to exactly 1. Venues with nothing are left out.

    The dark ratio is split evenly over the dark venues, the rest over the lit ones by displayed quantity, each given
    half an average venue's quantity on top: what is displayed now is only a sample of what a venue trades.
    """
    lit, dark = profile.lit_venues, profile.dark_venues
    displayed = {quote.venue: float(quote.bid_quantity + quote.ask_quantity) for quote in market.venues}
    quantities = np.array([displayed.get(venue.venue_id, 0.0) for venue in lit])
    total = float(quantities.sum())
    weights = np.ones(len(lit)) if total == 0 else quantities + total / len(lit) / 2
    to_dark = dark_ratio if dark else 0.0
    shares = [*((1 - to_dark) * weights / weights.sum()), *([to_dark / len(dark)] * len(dark) if dark else [])]
    fractions = fractions_of_one(shares, _VENUE_GRID)
    return {venue.venue_id: fraction for venue, fraction in zip((*lit, *dark), fractions, strict=True) if fraction > 0}


def time_allocation(profile: OrderProfile, candidate: Candidate, estimates: MarketEstimates) -> TimeAllocation:
    """The schedule the algorithm will follow, slice by slice; read as decimals the fractions sum to exactly 1.

    PARTICIPATION_RATE follows the market instead: its slices are what is expected of it, and the window leaves room for
    less volume than that.
    """
    end_ns = min(profile.end_ns, profile.start_ns + round(candidate.window_minutes * NS_PER_MINUTE))
    slices = candidate.slices
    match candidate.algorithm:
        case Algorithm.TWAP:
            curve = twap_curve(slices)
        case Algorithm.IMPLEMENTATION_SHORTFALL:
            curve = almgren_chriss_curve(slices, candidate.kappa_t)
        case Algorithm.VWAP:
            curve = vwap_curve(_slice_volumes(profile, end_ns, slices, estimates))
        case Algorithm.PARTICIPATION_RATE:
            rate = candidate.participation_rate
            assert rate is not None
            volumes = _slice_volumes(profile, end_ns, slices, estimates)
            done = np.minimum(1.0, np.cumsum(volumes) * rate / (1 - rate) / float(profile.quantity))
            curve = done / done[-1]
    fractions = fractions_of_one(np.diff(curve, prepend=0.0), _TIME_GRID)
    edges = slice_starts_ns(profile.start_ns, end_ns, slices).tolist()
    return TimeAllocation(
        start_time_ns=profile.start_ns,
        end_time_ns=end_ns,
        slices=tuple(
            TimeSlice(start_time_ns=start, end_time_ns=end, fraction=fraction)
            for start, end, fraction in zip(edges[:-1], edges[1:], fractions, strict=True)
        ),
    )


def _slice_volumes(profile: OrderProfile, end_ns: int, slices: int, estimates: MarketEstimates) -> Array:
    """(slices,) expected market volume of each slice; even where the curve has none in the window."""
    start = estimates.session_fraction
    end = min(1.0, start + (end_ns - profile.start_ns) / NS_PER_MINUTE / estimates.session_minutes)
    cumulative = estimates.volume_curve.at(np.linspace(start, end, slices + 1))
    volumes: Array = np.diff(cumulative) * estimates.daily_volume
    return volumes if volumes.sum() > 0 else np.ones(slices)


def risk_controls(
    profile: OrderProfile,
    candidate: Candidate,
    outcome: ExpectedOutcome,
    market: MarketSnapshot,
    cap: float,
    largest_slice: float,
    config: StrategyConfig,
) -> RiskControls:
    """The limits the order is worked within.

    `max_slippage_bps`: expected cost and some standard deviations. `max_order_value`: the whole order at the arrival
    mid moved by that much. `max_child_quantity`: one and a half of the largest slice, in lots.
    """
    instrument = profile.instrument
    slippage_bps = round((outcome.expected_cost + config.slippage_limit_sd * outcome.cost_sd) * 1e4, 2)
    slippage_bps = max(slippage_bps, 1.0)
    mid = market.mid
    assert mid is not None
    value = instrument.notional(profile.quantity, mid) * (1 + Decimal(str(slippage_bps)) / 10_000)
    child = profile.quantity * Decimal(str(round(1.5 * largest_slice, 6)))
    lots = (child / instrument.lot_size).to_integral_value(ROUND_CEILING)
    return RiskControls(
        max_participation_rate=cap,
        max_slippage_bps=slippage_bps,
        max_order_value=value.quantize(Decimal("0.01"), ROUND_CEILING),
        price_limit=profile.constraints.price_limit,
        max_child_quantity=min(profile.quantity, max(instrument.lot_size, lots * instrument.lot_size)),
        pause_on=_PAUSE_ON,
    )


def fractions_of_one(shares: Sequence[float] | Array, grid: int) -> list[float]:
    """Shares rounded to whole multiples of 1 / grid by largest remainder; their decimals sum to exactly 1.

    Args:
        shares: not negative, any positive sum.
        grid: a power of ten.
    """
    exact = np.asarray(shares, dtype=np.float64)
    exact = exact / exact.sum() * grid
    units = np.floor(exact).astype(np.int64)
    missing = grid - int(units.sum())
    order = np.argsort(-(exact - units), kind="stable")
    units[order[:missing]] += 1
    return [unit / grid for unit in units.tolist()]
