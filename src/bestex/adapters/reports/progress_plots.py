"""How the order was worked: filled against its schedule, and our share of the market's volume."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np

from bestex.adapters.reports.exchange_time import ExchangeClock
from bestex.adapters.reports.market_view import Array, MarketView, Window
from bestex.adapters.reports.number_format import percent
from bestex.adapters.reports.order_story import OrderStory, PlanStep
from bestex.adapters.reports.svg import (
    BAR,
    BLUE,
    BLUE_SOFT,
    MUTED,
    ORANGE,
    TEXT,
    drawn,
    names_at_the_right,
    thousands,
    time_axis,
)

_LONG_AFTER: Final = 2**62
_SHARE_LEAST: Final = 1.0  # per cent: an axis that ends lower would make nothing look like something


def schedule_plot(story: OrderStory, view: MarketView, clock: ExchangeClock) -> str:
    """Cumulative quantity, planned with one slice either way, and filled."""

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        for number, (step, until_ns) in enumerate(_in_force(story)):
            times, targets = planned_path(step, view.window, until_ns)
            largest = max((float(piece.target_quantity) for piece in step.plan.execution_schedule), default=0.0)
            ordered = float(story.measured.requested_quantity)
            axes.fill_between(
                times,
                np.clip(targets - largest, 0, ordered),
                np.clip(targets + largest, 0, ordered),
                color=BLUE_SOFT,
                linewidth=0,
                label="one slice either way" if number == 0 else None,
            )
            axes.plot(
                times,
                targets,
                color=MUTED,
                linestyle=(0, (4, 2)),
                linewidth=1.1,
                label="planned" if number == 0 else None,
            )
        times, filled = filled_path(story, view.window)
        axes.step(times, filled, where="post", color=BLUE, linewidth=1.7, label="filled")
        axes.set_ylabel("units, cumulative")
        axes.set_ylim(0, float(story.measured.requested_quantity) * 1.04)
        thousands(axes)
        time_axis(axes, view.window, clock)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)

    return drawn(
        "schedule", "Quantity filled over time against the schedule with its band", draw, height=2.7, is_over_time=True
    )


def participation_plot(story: OrderStory, view: MarketView, clock: ExchangeClock) -> str:
    """Market volume per bar with our part of it, and below it our share."""
    own = own_volumes(story, view)
    share = np.divide(own, view.bar_volumes, out=np.full(len(own), np.nan), where=view.bar_volumes > 0)
    average, cap = story.measured.metrics.participation_rate, _cap(story)

    def draw(figure: Any) -> None:
        volume, rate = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        bar = {"width": view.bar_seconds * 0.92, "align": "edge", "linewidth": 0}
        volume.bar(view.bar_starts, view.bar_volumes, color=BAR, label="market, ours included", **bar)
        volume.bar(view.bar_starts, own, color=BLUE, label="ours", **bar)
        volume.set_ylabel(f"units per {view.bar_seconds} s")
        thousands(volume)
        volume.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
        rate.bar(view.bar_starts, share * 100, color=BLUE, **bar)
        levels = [] if average is None else [(average * 100, f"average {percent(average, 2)} %", TEXT)]
        # A cap far above everything would flatten the bars.
        if cap is not None and cap <= 4 * np.nanmax(share, initial=average or 0.0):
            levels.append((cap * 100, f"cap {percent(cap)} %", ORANGE))
        for level, _, colour in levels:
            rate.axhline(level, color=colour, linewidth=1.1, linestyle=(0, (4, 2)) if colour == TEXT else "-")
        rate.set_ylabel("our share, %")
        rate.set_ylim(0, max(rate.get_ylim()[1], _SHARE_LEAST))
        names_at_the_right(rate, levels, *rate.get_ylim())
        time_axis(rate, view.window, clock)

    return drawn("participation", "Market volume and our share of it over time", draw, height=3.4, is_over_time=True)


def planned_path(step: PlanStep, window: Window, until_ns: int = _LONG_AFTER) -> tuple[Array, Array]:
    """(points,) seconds and (points,) cumulative targets of one plan, straight within a slice, from when it held."""
    at = float(step.filled_before)
    points = [(step.time_ns, at)]
    for piece in step.plan.execution_schedule:
        points.append((piece.start_time_ns, at))
        at += float(piece.target_quantity)
        points.append((piece.end_time_ns, at))
    points.append((max(window.end_ns, points[-1][0]), at))
    times = np.array([window.at(time_ns) for time_ns, _ in points])
    targets = np.array([target for _, target in points])
    end = window.at(min(until_ns, window.end_ns))
    kept = times < end
    return np.append(times[kept], end), np.append(targets[kept], np.interp(end, times, targets))


def filled_path(story: OrderStory, window: Window) -> tuple[Array, Array]:
    """(fills + 2,) seconds and (fills + 2,) cumulative filled quantity, from zero to the window's end."""
    fills = sorted(story.fills, key=lambda fill: fill.time_ns)
    times = [window.at(story.measured.submission_time_ns), *(window.at(fill.time_ns) for fill in fills), window.seconds]
    total = np.cumsum([0.0, *(float(fill.quantity) for fill in fills)])
    return np.array(times), np.append(total, total[-1])


def own_volumes(story: OrderStory, view: MarketView) -> Array:
    """(bars,) our filled quantity in each bar; fills after the last bar are in none."""
    own = np.zeros(len(view.bar_starts))
    for fill in story.fills:
        index = int(np.searchsorted(view.bar_starts, view.window.at(fill.time_ns), side="right")) - 1
        if 0 <= index < len(own):
            own[index] += float(fill.quantity)
    return own


def _in_force(story: OrderStory) -> Iterator[tuple[PlanStep, int]]:
    """Each plan with the time at which the next one replaced it."""
    for step, following in pairwise((*story.plans, None)):
        if step is not None:
            yield step, _LONG_AFTER if following is None else following.time_ns


def _cap(story: OrderStory) -> float | None:
    """The participation that must not be passed: the client's, else the chosen strategy's; None where there is none."""
    client = story.order.instructions.max_participation_rate
    if client is not None or story.selection is None:
        return client
    return story.selections[-1].recommended_strategy.risk_controls.max_participation_rate
