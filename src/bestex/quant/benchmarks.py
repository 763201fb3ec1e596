"""Prices that an execution is compared with. Exact decimals from the counters that market snapshots carry."""

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def slippage_bps(*, side_sign: int, price: Decimal, benchmark: Decimal) -> float:
    """Cost of `price` against `benchmark` in bps of the benchmark; positive is worse for us.

    Source: spec/metrics.md numbers 1, 5 and 9.

    Args:
        side_sign: +1 for a buy, -1 for a sell.

    Raises:
        ValueError: if the benchmark is not positive.
    """
    if benchmark <= 0:
        raise ValueError(f"benchmark {benchmark} is not positive")
    return float(side_sign * (price - benchmark) / benchmark * 10_000)


def interval_vwap(*, notional: Decimal, volume: Decimal) -> Decimal | None:
    """Sum of price x quantity over sum of quantity of an interval's prints, our own included; None without volume."""
    return notional / volume if volume > 0 else None


def interval_vwap_without_own(
    *, notional: Decimal, volume: Decimal, own_notional: Decimal, own_volume: Decimal
) -> Decimal | None:
    """Interval VWAP of everybody else's prints; None when there were none.

    Source: spec/metrics.md number 6. Slippage against it times (1 - our share) is the slippage against the VWAP with
    our own prints in it, so at a share near 1 it says nothing: the caller decides what share is too much.
    """
    return interval_vwap(notional=notional - own_notional, volume=volume - own_volume)


def interval_twap(*, mid_time_integral: Decimal, mid_seconds: Decimal) -> Decimal | None:
    """Time-weighted mid, over the seconds in which both sides stood; None when they never did.

    Source: spec/metrics.md number 9: the time-weighted mid-quote, not the mean of prints.
    """
    return mid_time_integral / mid_seconds if mid_seconds > 0 else None


def participation_rate(*, own_volume: Decimal, market_volume: Decimal) -> float | None:
    """Our share of all volume, ours included (number 55); None without volume, or if ours exceeds it: bad data."""
    if market_volume <= 0 or own_volume > market_volume:
        return None
    return float(own_volume / market_volume)


def participation_weighted_price(
    *, trade_prices: Array, trade_quantities: Array, quantity: float, participation: float
) -> float:
    """PWP: the VWAP of the first `quantity / participation` units the market traded after arrival.

    Source: spec/metrics.md number 14. The last print counts with the part of it that is needed.

    Args:
        trade_prices: (trades,) prices in time order, from arrival on.
        trade_quantities: (trades,) units of each.
        quantity: units filled (state it when units ordered are meant instead).
        participation: rate in (0, 1].

    Returns:
        The price; NaN when the tape ends before so much has traded.

    Raises:
        ValueError: if quantity is not positive or participation is not in (0, 1].
    """
    if quantity <= 0 or not 0 < participation <= 1:
        raise ValueError(f"quantity {quantity} must be positive and participation {participation} in (0, 1]")
    needed = quantity / participation
    before = np.cumsum(trade_quantities) - trade_quantities
    used = np.clip(needed - before, 0.0, trade_quantities)
    if used.sum() < needed * (1 - 1e-12):
        return float("nan")
    return float(used @ trade_prices / used.sum())


def timing_risk(*, daily_volatility: float, session_fraction: float) -> float:
    """Standard deviation of the arrival cost of an order traded evenly over a window, as a fraction of notional.

    daily_volatility * sqrt(session_fraction / 3): the mean of a random walk over the window has a third of the variance
    of its end. Source: Almgren and Chriss (2000), timing risk of a straight trajectory; spec/metrics.md number 61.

    Args:
        daily_volatility: sd of a day's return, as a fraction.
        session_fraction: length of the window over the length of a session.
    """
    return daily_volatility * float(np.sqrt(max(session_fraction, 0.0) / 3))
