"""The market around an order, thin enough to draw: quotes at even steps, and bars of volume."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bestex.domain.time import NS_PER_SECOND
from bestex.ports import Market

SAMPLES: Final = 720
BARS_MOST: Final = 80
_BAR_SECONDS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Window:
    """The stretch of time that every plot over time shares."""

    start_ns: int
    end_ns: int

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.start_ns) / NS_PER_SECOND

    def at(self, time_ns: int) -> float:
        """Seconds from the start."""
        return (time_ns - self.start_ns) / NS_PER_SECOND


@dataclass(frozen=True, kw_only=True)
class MarketView:
    """Times are seconds from the window's start."""

    window: Window
    step_seconds: float  # between samples of the quote
    times: Array  # (samples,)
    bids: Array  # (samples,) the best bid that stood; NaN where there was none or the quote was crossed or locked
    asks: Array
    unusable: int  # samples that are NaN
    bar_seconds: int
    bar_starts: Array  # (bars,)
    bar_volumes: Array  # (bars,) units, all venues, ours included


def order_window(submitted_ns: int, completed_ns: int) -> Window:
    """From just before the order to just after its end."""
    length = max(completed_ns - submitted_ns, 2 * NS_PER_SECOND)
    return Window(start_ns=submitted_ns - length // 50, end_ns=submitted_ns + length + length // 25)


def market_view(market: Market, instrument_id: str, window: Window, *, first_bar_ns: int) -> MarketView:
    """What the market shows of the window up to its present time.

    Args:
        first_bar_ns: where bars begin: the order's arrival.
    """
    end_ns = min(window.end_ns, market.now_ns)
    step_ns = max(1, (window.end_ns - window.start_ns) // SAMPLES)
    moments = range(window.start_ns, end_ns, step_ns)
    quotes = np.full((2, len(moments)), np.nan)
    for index, moment in enumerate(moments):
        for quote in market.quotes(instrument_id, moment, moment + 1, 1):
            if quote.bid is not None and quote.ask is not None and quote.ask > quote.bid:
                quotes[:, index] = float(quote.bid), float(quote.ask)
    bar_seconds = next(
        (width for width in _BAR_SECONDS if window.seconds / width <= BARS_MOST),
        int(-(-window.seconds // BARS_MOST)),
    )
    bars = market.bars(instrument_id, first_bar_ns, max(end_ns, first_bar_ns + 1), bar_seconds)
    return MarketView(
        window=window,
        step_seconds=step_ns / NS_PER_SECOND,
        times=np.array([window.at(moment) for moment in moments]),
        bids=quotes[0],
        asks=quotes[1],
        unusable=int(np.isnan(quotes[0]).sum()),
        bar_seconds=bar_seconds,
        bar_starts=np.array([window.at(bar.start_ns) for bar in bars]),
        bar_volumes=np.array([float(bar.volume) for bar in bars]),
    )
