"""Plots as SVG that stands inside a page: same input, same bytes; colours follow the page, dark or light.

matplotlib is loaded at the first plot.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any, Final

import numpy as np

from bestex.adapters.reports.exchange_time import ExchangeClock
from bestex.adapters.reports.market_view import Window
from bestex.domain.time import NS_PER_SECOND

# Drawn in these, then replaced by the page's own colours of the same names.
TEXT: Final = "#16202a"
MUTED: Final = "#566472"
LINE: Final = "#d7dde3"
BLUE: Final = "#0b5cad"
ORANGE: Final = "#c25700"
BLUE_SOFT: Final = "#dbe9f8"
BAR: Final = "#9db2c7"
PANEL: Final = "#fffffe"
_NAMES: Final = {
    TEXT: "text",
    MUTED: "muted",
    LINE: "line",
    BLUE: "blue",
    ORANGE: "orange",
    BLUE_SOFT: "blue-soft",
    BAR: "bar",
    PANEL: "panel",
}
_WIDTH: Final = 10.6  # inches
_LEFT, _RIGHT, _ABOVE, _BELOW = 0.75, 1.35, 0.3, 0.45  # inches around the plots over time
_TICK_SECONDS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400)
_TICKS_MOST: Final = 9
_LINE_HEIGHT: Final = 0.16  # inches between two names


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib as mpl

    with mpl.rc_context(
        {
            "svg.hashsalt": "bestex",
            "svg.fonttype": "none",
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],
            "font.size": 8.5,
            "axes.unicode_minus": False,
            "axes.edgecolor": LINE,
            "axes.labelcolor": MUTED,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": LINE,
            "grid.linewidth": 0.4,
            "text.color": TEXT,
            "xtick.color": MUTED,
            "ytick.color": MUTED,
            "legend.frameon": False,
            "legend.fontsize": 8,
        }
    ):
        yield


def drawn(
    name: str,
    described: str,
    draw: Callable[[Any], None],
    *,
    height: float,
    width: float = _WIDTH,
    is_over_time: bool = False,
) -> str:
    """The `<svg>` element of a figure.

    Args:
        name: unique on the page; its ids begin with it.
        described: what it shows, for those who cannot see it.
        draw: puts axes on the matplotlib figure that it is given.
        height: inches, as `width`.
        is_over_time: give it the margins that all plots over time share, so that they can be read down the page.
    """
    from matplotlib.figure import Figure

    with _style():
        figure = Figure(figsize=(width, height), layout=None if is_over_time else "constrained")
        if is_over_time:
            top, bottom = 1 - _ABOVE / height, _BELOW / height
            figure.subplots_adjust(left=_LEFT / width, right=1 - _RIGHT / width, top=top, bottom=bottom, hspace=0.12)
        draw(figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return _inline(out.getvalue(), name, described)


def _inline(svg: str, name: str, described: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    for colour, variable in _NAMES.items():
        svg = svg.replace(colour, f"var(--{variable}, {colour})")
    view_box = re.search(r'viewBox="[^"]*"', svg)
    assert view_box is not None, "matplotlib wrote no viewBox"
    head = f'<svg role="img" aria-label="{escape(described)}" xmlns="http://www.w3.org/2000/svg"'
    head += f' xmlns:xlink="http://www.w3.org/1999/xlink" {view_box[0]}>'
    return re.sub(r"<svg[^>]*>", lambda _: head, svg, count=1).strip()


def time_axis(axes: Any, window: Window, clock: ExchangeClock, *, labelled: bool = True) -> None:
    """Ticks at round clock times of the exchange; the axis counts seconds from the window's start."""
    step = next((one for one in _TICK_SECONDS if window.seconds / one <= _TICKS_MOST), 86_400)
    local = window.start_ns / NS_PER_SECOND + clock.offset_seconds(window.start_ns)
    first = -(-local // step) * step - local
    ticks = np.arange(first, window.seconds, step)
    pattern = "%H:%M:%S" if step < 60 else "%H:%M"
    axes.set_xlim(0, window.seconds)
    # Half a millisecond on: the float seconds of a round time may lie just below it.
    axes.set_xticks(
        ticks,
        [clock.moment(window.start_ns + round((tick + 0.0005) * NS_PER_SECOND)).strftime(pattern) for tick in ticks],
    )
    if labelled:
        axes.set_xlabel(f"exchange time, {clock.name(window.start_ns)}")


def names_at_the_right(axes: Any, labels: Sequence[tuple[float, str, str]], low: float, high: float) -> None:
    """Names beside their lines, pushed apart where they would overlap.

    Args:
        labels: (level, text, colour) each.
        low: where the y axis begins; `high` where it ends.
    """
    inches = axes.get_position().height * axes.figure.get_figheight()
    apart = (high - low) * _LINE_HEIGHT / inches
    at = -np.inf
    for level, text, colour in sorted(labels):
        at = max(level, at + apart)
        axes.annotate(
            text, (1.005, at), xycoords=("axes fraction", "data"), va="center", color=colour, annotation_clip=False
        )


def thousands(axes: Any) -> None:
    """Y ticks with thousands separators."""
    from matplotlib.ticker import FuncFormatter

    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if value == int(value) else f"{value:,g}")
    )
