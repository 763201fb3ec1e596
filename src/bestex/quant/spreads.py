"""Fills against the quote: effective and quoted spread, price improvement, at-or-better.

Arrays of one entry per fill. Prices and quotes are in the instrument's currency; NaN where a side of the quote was
missing. A locked or crossed quote (spread <= 0) gives NaN, so that it never enters a denominator; count it with
`usable_quotes`. Source: spec/metrics.md 1c, numbers 29-39, after SEC Rule 600 and 605.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


def usable_quotes(bids: Array, asks: Array) -> Flags:
    """(fills,) whether both sides stood and the ask was above the bid."""
    return np.asarray(asks > bids, dtype=np.bool_)  # a comparison with NaN is False


def quoted_spreads(bids: Array, asks: Array) -> Array:
    """(fills,) ask - bid (number 29, at the quote instant the caller chose)."""
    return np.where(usable_quotes(bids, asks), asks - bids, np.nan)


def mids(bids: Array, asks: Array) -> Array:
    """(fills,) mid-quotes."""
    return np.where(usable_quotes(bids, asks), (asks + bids) / 2, np.nan)


def effective_spreads(side_signs: Array, prices: Array, bids: Array, asks: Array) -> Array:
    """(fills,) twice the price's distance from the mid on our side (number 30); negative for passive fills."""
    return np.asarray(2 * side_signs * (prices - mids(bids, asks)), dtype=np.float64)


def far_touch(side_signs: Array, bids: Array, asks: Array) -> Array:
    """(fills,) the price we could have taken: the ask for a buy, the bid for a sell."""
    return np.where(usable_quotes(bids, asks), np.where(side_signs > 0, asks, bids), np.nan)


def near_touch(side_signs: Array, bids: Array, asks: Array) -> Array:
    """(fills,) the price we could have posted at: the bid for a buy, the ask for a sell."""
    return np.where(usable_quotes(bids, asks), np.where(side_signs > 0, bids, asks), np.nan)


def price_improvements(side_signs: Array, prices: Array, bids: Array, asks: Array) -> Array:
    """(fills,) amount per unit by which the price beat the far touch, 0 when it did not (number 36)."""
    return np.maximum(side_signs * (far_touch(side_signs, bids, asks) - prices), 0.0)


def outside_quote(side_signs: Array, prices: Array, bids: Array, asks: Array) -> Array:
    """(fills,) amount per unit by which the price was worse than the far touch, 0 when it was not (number 38)."""
    return np.maximum(side_signs * (prices - far_touch(side_signs, bids, asks)), 0.0)


def spread_captures(side_signs: Array, prices: Array, bids: Array, asks: Array) -> Array:
    """(fills,) 0 at the far touch, 1/2 at the mid, 1 at the near touch (number 39)."""
    distance = side_signs * (far_touch(side_signs, bids, asks) - prices)
    return np.asarray(distance / quoted_spreads(bids, asks), dtype=np.float64)


def at_or_better_share(side_signs: Array, prices: Array, bids: Array, asks: Array, quantities: Array) -> float:
    """Share of the quoted quantity that was filled at the far touch or better (number 37); NaN without a quote."""
    seen = usable_quotes(bids, asks)
    better = seen & (side_signs * (prices - far_touch(side_signs, bids, asks)) <= 0)
    return _ratio(float(quantities[better].sum()), float(quantities[seen].sum()))


def effective_over_quoted(side_signs: Array, prices: Array, bids: Array, asks: Array, quantities: Array) -> float:
    """E/Q, a ratio of share-weighted sums: 1 at the touch, 0 at the mid, negative when captured (number 35)."""
    seen = usable_quotes(bids, asks)
    effective = effective_spreads(side_signs, prices, bids, asks)
    return _ratio(float(effective[seen] @ quantities[seen]), float(quoted_spreads(bids, asks)[seen] @ quantities[seen]))


def weighted_mean(values: Array, quantities: Array) -> float:
    """Share-weighted mean of the values that are there; NaN when none is."""
    seen = np.isfinite(values)
    return _ratio(float(values[seen] @ quantities[seen]), float(quantities[seen].sum()))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else float("nan")
