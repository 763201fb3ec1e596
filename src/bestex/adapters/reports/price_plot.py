"""Price over the order's life: the quote as a band, own fills on it, and the prices they are held against."""

from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import numpy as np

from bestex.adapters.reports.exchange_time import ExchangeClock
from bestex.adapters.reports.market_view import MarketView
from bestex.adapters.reports.number_format import decimals_of, fixed
from bestex.adapters.reports.order_story import OrderStory
from bestex.adapters.reports.svg import BAR, BLUE, MUTED, ORANGE, PANEL, TEXT, drawn, names_at_the_right, time_axis
from bestex.domain.fills import Liquidity
from bestex.domain.instruments import Instrument
from bestex.domain.orders import Side
from bestex.messages.monitoring import FillMeasure

_AREA_LARGEST: Final = 130.0  # points squared
_AREA_LEAST: Final = 9.0


class Manner(StrEnum):
    """How a fill came about."""

    PASSIVE = "passive"
    AGGRESSIVE = "aggressive"
    DARK = "dark or mid"
    OTHER = "auction or unknown"


def manner(fill: FillMeasure) -> Manner:
    """Dark before all: a venue without quotes, or met at the mid."""
    if fill.is_dark or fill.liquidity == Liquidity.MIDPOINT:
        return Manner.DARK
    return {Liquidity.ADDED.value: Manner.PASSIVE, Liquidity.REMOVED.value: Manner.AGGRESSIVE}.get(
        fill.liquidity, Manner.OTHER
    )


def price_plot(story: OrderStory, view: MarketView, instrument: Instrument, clock: ExchangeClock) -> str:
    digits = decimals_of(instrument.tick_size)

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        axes.fill_between(view.times, view.bids, view.asks, step="post", color=BAR, alpha=0.55, linewidth=0.4, zorder=2)
        _fills(axes, story, view)
        _levels(axes, story, view, digits)
        axes.set_ylabel(f"price, {instrument.currency}")
        axes.yaxis.set_major_formatter(lambda value, _: fixed(value, digits))
        time_axis(axes, view.window, clock)
        if story.fills:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=5, borderaxespad=0.2, handletextpad=0.3)

    return drawn(
        "price",
        f"Price of {instrument.instrument_id} with {len(story.fills)} own fills, arrival, interval VWAP and limit",
        draw,
        height=4.0,
        is_over_time=True,
    )


def _fills(axes: Any, story: OrderStory, view: MarketView) -> None:
    largest = max((fill.quantity for fill in story.fills), default=Decimal(1))
    taking = "^" if story.order.side is Side.BUY else "v"
    looks: dict[Manner, dict[str, Any]] = {
        Manner.PASSIVE: {"marker": "o", "facecolors": BLUE, "edgecolors": PANEL},
        Manner.AGGRESSIVE: {"marker": taking, "facecolors": ORANGE, "edgecolors": PANEL},
        Manner.DARK: {"marker": "D", "facecolors": PANEL, "edgecolors": TEXT},
        Manner.OTHER: {"marker": "s", "facecolors": MUTED, "edgecolors": PANEL},
    }
    for kind, look in looks.items():
        fills = [fill for fill in story.fills if manner(fill) is kind]
        if fills:
            axes.scatter(
                [view.window.at(fill.time_ns) for fill in fills],
                [float(fill.price) for fill in fills],
                s=[max(_AREA_LEAST, _AREA_LARGEST * float(fill.quantity / largest)) for fill in fills],
                label=f"{kind} ({len(fills)})",
                linewidths=0.6,
                alpha=0.85,
                zorder=4,
                **look,
            )


def _levels(axes: Any, story: OrderStory, view: MarketView, digits: int) -> None:
    costs = story.measured.costs
    lines = [
        (f"arrival {_shown(costs.arrival_price, digits + 1)}", costs.arrival_price, TEXT, (0, (5, 3))),
        (f"VWAP {_shown(costs.interval_vwap, digits + 2)}", costs.interval_vwap, MUTED, (0, (1, 2))),
        (
            f"our average {_shown(story.measured.average_fill_price, digits + 2)}",
            story.measured.average_fill_price,
            BLUE,
            "-",
        ),
    ]
    drawable = [(text, float(level), colour, dash) for text, level, colour, dash in lines if level is not None]
    values = [
        *view.bids[np.isfinite(view.bids)],
        *view.asks[np.isfinite(view.asks)],
        *(float(fill.price) for fill in story.fills),
        *(level for _, level, _, _ in drawable),
    ]
    if not values:
        axes.text(0.5, 0.5, "no two-sided quote in this time", transform=axes.transAxes, ha="center", color=MUTED)
        return
    low, high = min(values), max(values)
    room = max((high - low) * 0.06, 10.0**-digits)
    low, high = low - room, high + room
    for _, level, colour, dash in drawable:
        axes.axhline(level, color=colour, linestyle=dash, linewidth=1.0, zorder=3)
    labels = [(level, text, colour) for text, level, colour, _ in drawable]
    for text, level in _limit(axes, story, view, digits):
        if level > high + (high - low) / 2 or level < low - (high - low) / 2:
            labels.append((high if level > high else low, text + (" above" if level > high else " below"), ORANGE))
        else:
            low, high = min(low, level - room), max(high, level + room)
            labels.append((level, text, ORANGE))
    axes.set_ylim(low, high)
    names_at_the_right(axes, labels, low, high)


def _limit(axes: Any, story: OrderStory, view: MarketView, digits: int) -> list[tuple[str, float]]:
    """Draws the client's limit over time; the text and level of the last one."""
    steps = [step for step in story.limits if step.price is not None]
    if not steps:
        return []
    times = [view.window.at(step.time_ns) for step in steps] + [view.window.seconds]
    prices = [float(step.price) for step in steps if step.price is not None]
    axes.step(times, [*prices, prices[-1]], where="post", color=ORANGE, linewidth=1.4, zorder=3)
    return [(f"limit {fixed(prices[-1], digits)}", prices[-1])]


def _shown(value: Decimal | None, digits: int) -> str:
    return "" if value is None else fixed(value, digits)
