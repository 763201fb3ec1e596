"""The fills of one order as arrays, and the sums over them that spreads and venues are judged by."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from bestex.messages.monitoring import FillMeasure
from bestex.quant import spreads

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FillArrays:
    """(fills,) each; NaN where a quote or a mid was missing."""

    signs: Array
    prices: Array
    quantities: Array
    fees: Array  # currency per unit and contract multiplier: the price's unit
    bids: Array
    asks: Array
    sent_bids: Array  # the quote the child order was decided on
    sent_asks: Array
    markouts: dict[str, Array]  # horizon in seconds, as text -> bps of the mid, positive = good

    @property
    def mids(self) -> Array:
        return spreads.mids(self.bids, self.asks)

    @property
    def effective(self) -> Array:
        return spreads.effective_spreads(self.signs, self.prices, self.bids, self.asks)

    @property
    def quoted(self) -> Array:
        return spreads.quoted_spreads(self.bids, self.asks)

    def moves(self, horizon: str) -> Array:
        """How far the mid moved our way by the horizon, in the price's unit."""
        missing = np.full(self.prices.shape, np.nan)
        return self.markouts.get(horizon, missing) * self.mids / 1e4

    def net_costs(self, horizon: str) -> tuple[float, float]:
        """(sum of x (half effective spread - move our way + fee), sum of x half quoted spread) over observed fills.

        Their ratio is what trading cost once the market had moved on, in half-spreads: 1 = paid it all and the market
        stayed, 0 = free, negative = earned.
        """
        net = self.effective / 2 - self.moves(horizon) + self.fees
        half = self.quoted / 2
        seen = np.isfinite(net) & np.isfinite(half)
        return float(net[seen] @ self.quantities[seen]), float(half[seen] @ self.quantities[seen])


def fill_arrays(side_sign: int, fills: Sequence[FillMeasure], *, multiplier: Decimal) -> FillArrays:
    """Arrays of some fills of one order."""
    horizons = sorted({name for fill in fills for name in fill.markouts_bps})
    return FillArrays(
        signs=np.full(len(fills), float(side_sign)),
        prices=np.array([float(fill.price) for fill in fills]),
        quantities=np.array([float(fill.quantity) for fill in fills]),
        fees=np.array([float(fill.fee / (fill.quantity * multiplier)) for fill in fills]),
        bids=_floats([fill.bid for fill in fills]),
        asks=_floats([fill.ask for fill in fills]),
        sent_bids=_floats([fill.sent_bid for fill in fills]),
        sent_asks=_floats([fill.sent_ask for fill in fills]),
        markouts={name: _floats([fill.markouts_bps.get(name) for fill in fills]) for name in horizons},
    )


def _floats(values: Sequence[Decimal | float | None]) -> Array:
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
