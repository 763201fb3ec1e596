"""Where the market went after a fill, and after an order. Positive is better for us; NaN where there was no quote."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def mid_markouts_bps(*, side_signs: Array, mids_at_fill: Array, mids_after: Array) -> Array:
    """How far the mid moved our way after each fill, without the half-spread (spec/metrics.md number 43).

    Args:
        side_signs: (fills,) +1 for a buy, -1 for a sell.
        mids_at_fill: (fills,) mid-quote at the fill.
        mids_after: (fills, horizons) mid-quote after each horizon; NaN where there was none.

    Returns:
        (fills, horizons) bps of the mid at the fill; negative = adverse selection.
    """
    mids = mids_at_fill[:, None]
    return np.asarray(side_signs[:, None] * (mids_after - mids) / mids * 1e4, dtype=np.float64)


def fill_markouts_bps(*, side_signs: Array, prices: Array, mids_after: Array) -> Array:
    """How far the mid is from the fill price after each horizon, our way (number 42); the half-spread is inside.

    Args:
        prices: (fills,) fill prices.
        mids_after: (fills, horizons); NaN where there was none.

    Raises:
        ValueError: if a fill price is not positive.
    """
    if np.any(prices <= 0):
        raise ValueError("every fill price must be positive")
    fills = prices[:, None]
    return np.asarray(side_signs[:, None] * (mids_after - fills) / fills * 1e4, dtype=np.float64)


def share_weighted_means(values: Array, quantities: Array) -> tuple[Array, Array]:
    """Mean of each column weighted by quantity over the rows that have a value, and the share of quantity they cover.

    Args:
        values: (fills, horizons); NaN = not observed.
        quantities: (fills,) positive.

    Returns:
        ((horizons,) means, NaN where nothing was observed; (horizons,) observed share of the quantity, 0..1).
    """
    seen = np.isfinite(values)
    weights = seen * quantities[:, None]
    covered = weights.sum(axis=0)
    total = np.where(seen, values, 0.0).T @ quantities
    means = np.divide(total, covered, out=np.full(covered.shape, np.nan), where=covered > 0)
    everything = float(quantities.sum())
    return means, covered / everything if everything > 0 else np.zeros_like(covered)


def reversion_bps(*, side_sign: int, mid_at_end: float, mid_after: float) -> float:
    """How far the mid came back after the order ended: a large positive value is temporary impact that decayed.

    Source: spec/metrics.md number 45. Bps of the mid at the end; NaN where either is NaN.
    """
    return side_sign * (mid_at_end - mid_after) / mid_at_end * 1e4
