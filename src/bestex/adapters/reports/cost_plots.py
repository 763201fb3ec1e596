"""What the order cost and where: the shortfall as a waterfall, markouts, and venues."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np

from bestex.adapters.reports.costs import CostPart
from bestex.adapters.reports.number_format import bps, percent, quantity, signed
from bestex.adapters.reports.order_story import OrderStory
from bestex.adapters.reports.price_plot import Manner, manner
from bestex.adapters.reports.svg import BLUE, LINE, MUTED, ORANGE, PANEL, TEXT, drawn
from bestex.messages.monitoring import FillMeasure

_HALF: Final = 5.2  # inches: two stand side by side
_ROWS_LEAST: Final = 3  # so that the bar of a single venue does not fill the plot; fewer stand in its middle


def waterfall_plot(parts: Sequence[CostPart], total: Decimal, total_bps: float | None, currency: str) -> str:
    """Each part starts where the one before ended; the last bar is the total, from zero."""
    rows = [(part.name, part.before, part.amount, part.bps) for part in parts]
    rows.append(("Total", Decimal(0), total, total_bps))

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        starts = np.array([float(before) for _, before, _, _ in rows])
        sizes = np.array([float(amount) for _, _, amount, _ in rows])
        colours = [ORANGE if size > 0 else BLUE for size in sizes[:-1]] + [TEXT]
        axes.bar(range(len(rows)), sizes, bottom=starts, color=colours, width=0.62, zorder=3)
        for index in range(len(rows) - 1):
            end = starts[index] + sizes[index]
            axes.plot([index - 0.31, index + 1.31], [end, end], color=MUTED, linewidth=0.8, zorder=2)
        axes.axhline(0, color=MUTED, linewidth=0.8, zorder=2)
        low, high = min(0.0, *starts, *(starts + sizes)), max(0.0, *starts, *(starts + sizes))
        room = (high - low) * 0.16 or 1.0
        axes.set_ylim(low - room, high + room)
        for index, (_, _, amount, in_bps) in enumerate(rows):
            top = max(starts[index], starts[index] + sizes[index])
            text = signed(amount, 2) + ("" if in_bps is None else f"\n{bps(in_bps)} bps")
            axes.annotate(
                text, (index, top), (0, 3), textcoords="offset points", ha="center", va="bottom", fontsize=7.5
            )
        axes.set_xticks(range(len(rows)), [name for name, _, _, _ in rows])
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel(f"{currency}, positive = worse for us")
        axes.yaxis.set_major_formatter(
            lambda value, _: f"{value:,.0f}" if abs(value) >= 10 or not value else f"{value:,.2f}"
        )

    return drawn(
        "waterfall", f"Implementation shortfall by part, total {signed(total, 2)} {currency}", draw, height=3.3
    )


def markout_plot(story: OrderStory) -> str:
    """Quantity-weighted mid markout at each horizon, of all fills and by manner; empty where none was observed."""
    horizons = sorted({horizon for fill in story.fills for horizon in fill.markouts_bps}, key=float)
    kinds: list[tuple[str, list[FillMeasure], str, Any]] = [("all fills", list(story.fills), TEXT, "s")]
    for kind, colour, marker in (
        (Manner.PASSIVE, BLUE, "o"),
        (Manner.AGGRESSIVE, ORANGE, "^"),
        (Manner.DARK, MUTED, "D"),
    ):
        some = [fill for fill in story.fills if manner(fill) is kind]
        if 0 < len(some) < len(story.fills):
            kinds.append((kind, some, colour, marker))

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        axes.axhline(0, color=MUTED, linewidth=0.8)
        for name, fills, colour, marker in kinds:
            means = [weighted_markout(fills, horizon) for horizon in horizons]
            values = [np.nan if mean is None else mean for mean in means]
            axes.plot(
                range(len(horizons)), values, color=colour, marker=marker, markersize=5, linewidth=1.2, label=name
            )
        axes.set_xticks(range(len(horizons)), [horizon_text(horizon) for horizon in horizons])
        axes.set_xlim(-0.3, len(horizons) - 0.7)
        axes.set_xlabel("after the fill")
        axes.set_ylabel("mid markout, bps; positive = good")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)

    return drawn("markouts", "Mid markout after our fills by horizon", draw, height=2.9, width=_HALF)


def venue_plot(story: OrderStory) -> str:
    """Filled quantity of each venue, by manner."""
    venues = sorted({fill.venue for fill in story.fills}, reverse=True)
    colours = {Manner.PASSIVE: BLUE, Manner.AGGRESSIVE: ORANGE, Manner.DARK: PANEL, Manner.OTHER: MUTED}

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        left = np.zeros(len(venues))
        for kind, colour in colours.items():
            sizes = np.array(
                [
                    float(sum(fill.quantity for fill in story.fills if fill.venue == venue and manner(fill) is kind))
                    for venue in venues
                ]
            )
            if sizes.any():
                edge = TEXT if kind is Manner.DARK else LINE
                axes.barh(venues, sizes, left=left, color=colour, edgecolor=edge, linewidth=0.6, height=0.6, label=kind)
            left += sizes
        for index, total in enumerate(left):
            share = total / float(story.measured.executed_quantity)
            text = f"{quantity(Decimal(str(total)))} ({percent(share, 0)} %)"
            axes.annotate(text, (total, index), (4, 0), textcoords="offset points", va="center", fontsize=8)
        axes.set_xlim(0, max(left) * 1.32)
        room = max(0, _ROWS_LEAST - len(venues)) / 2
        axes.set_ylim(-0.6 - room, len(venues) - 0.4 + room)
        axes.set_xlabel("filled quantity, units")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.locator_params(axis="x", nbins=5)
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)

    return drawn("venues", "Filled quantity by venue", draw, height=2.9, width=_HALF)


def weighted_markout(fills: Sequence[FillMeasure], horizon: str) -> float | None:
    """Quantity-weighted mean in bps over the fills for which it was observed; None when it was for none."""
    observed = [
        (value, float(fill.quantity)) for fill in fills if (value := fill.markouts_bps.get(horizon)) is not None
    ]
    weight = sum(size for _, size in observed)
    return sum(value * size for value, size in observed) / weight if weight else None


def horizon_text(seconds: str) -> str:
    value = float(seconds)
    return f"{value / 60:g} min" if abs(value) >= 60 else f"{value:g} s" if abs(value) >= 1 else f"{value * 1000:g} ms"
