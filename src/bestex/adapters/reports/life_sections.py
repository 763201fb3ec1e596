"""Sections on the order's life and on what the figures stand on: quality, fills, children, timeline, data."""

from typing import TypeVar

import bestex
from bestex.adapters.reports.exchange_time import ExchangeClock
from bestex.adapters.reports.market_view import MarketView
from bestex.adapters.reports.number_format import (
    decimals_of,
    duration,
    fixed,
    in_words,
    percent,
    price,
    quantity,
    signed,
)
from bestex.adapters.reports.order_story import OrderStory, ReportContext
from bestex.adapters.reports.price_plot import manner
from bestex.adapters.reports.tables import (
    Cell,
    Column,
    Markup,
    Missing,
    collapsed,
    listing,
    paragraph,
    section,
    shown,
    table,
    text_column,
)
from bestex.domain.instruments import Instrument
from bestex.domain.time import NS_PER_SECOND, to_iso
from bestex.messages.quality import MetricScore

T = TypeVar("T")


def quality_section(story: OrderStory) -> str:
    graded = story.graded
    if graded is None:
        return section("quality", "Quality", paragraph("None: the quality service did not answer in time.", "missing"))
    ranked = sorted(graded.metric_breakdown.items(), key=lambda item: (-item[1].weight, item[0]))
    columns = (
        text_column("Metric"),
        Column(name="Value"),
        Column(name="Benchmark"),
        text_column("Unit"),
        Column(name="Score", unit="0..1"),
        Column(name="Weight", unit="%"),
        text_column("Note"),
    )
    scored = [_metric(name, score) for name, score in ranked if score.weight]
    described = [_without_score(_metric(name, score)) for name, score in ranked if not score.weight]
    pieces = [paragraph(_grade_words(story))]
    if scored:
        pieces.append(
            table(columns, scored, note=f"Standard {graded.standard_version}. Weights are of the metrics that exist.")
        )
    if graded.improvement_recommendations:
        pieces += ["<h3>Advice</h3>", listing(graded.improvement_recommendations)]
    more = f"{len(described)} more metrics, without weight"
    pieces.append(f"<details><summary>{more}</summary>{table(_without_score(columns), described)}</details>")
    return section("quality", "Quality", *pieces)


def _without_score(row: tuple[T, ...]) -> tuple[T, ...]:
    """The columns of a metric that has no part in the grade: without its score and weight."""
    name, value, benchmark, unit, _, _, note = row
    return name, value, benchmark, unit, note


def _grade_words(story: OrderStory) -> str:
    graded = story.graded
    assert graded is not None, "there is no grade to put in words"
    if graded.overall_quality_score is None:
        why = (
            "nothing was executed"
            if not story.measured.executed_quantity
            else "there was no pre-trade cost distribution, or a price is missing"
        )
        return f"Grade {graded.quality_grade or 'none'}, no score: {why}."
    text = f"Grade {graded.quality_grade}, score {fixed(graded.overall_quality_score, 2)}"
    if graded.interval is None:
        return text + "."
    interval = graded.interval
    return (
        f"{text}; 80 % interval {fixed(interval.low, 2)} to {fixed(interval.high, 2)} "
        f"({interval.grade_low} to {interval.grade_high}) under the order's own pre-trade cost distribution: "
        "what luck of the market alone could have made of the same execution."
    )


def _metric(name: str, score: MetricScore) -> tuple[Cell, ...]:
    note = score.note or ""
    value = shown(score.metric_value, lambda found: _in_unit(found, score.unit), note or "it cannot be computed")
    return (
        in_words(name),
        value,
        "" if score.benchmark_value is None else _in_unit(score.benchmark_value, score.unit),
        "%" if score.unit == "fraction" else score.unit,
        "" if score.quality_score is None else fixed(score.quality_score, 2),
        percent(score.weight, 0) if score.weight else "",
        "" if isinstance(value, Missing) else note,
    )


def _in_unit(value: float, unit: str) -> str:
    if unit == "bps":
        return signed(value, 2)
    return percent(value, 1) if unit == "fraction" else fixed(value, 2)


def fills_section(story: OrderStory, instrument: Instrument, clock: ExchangeClock) -> str:
    columns = (
        _time_column("Time", story, clock),
        text_column("Venue"),
        text_column("Manner"),
        Column(name="Quantity", unit="units"),
        *(Column(name=name, unit=instrument.currency) for name in ("Price", "Bid", "Ask", "Fee")),
        text_column("Child order"),
        text_column(""),
    )
    shown_prices = [value for fill in story.fills for value in (fill.price, fill.bid, fill.ask) if value is not None]
    digits = max(map(decimals_of, shown_prices), default=0)  # a mid may lie on half a tick
    rows = [
        (
            _time(fill.time_ns, clock),
            fill.venue,
            str(manner(fill)),
            quantity(fill.quantity),
            price(fill.price, digits),
            shown(fill.bid, lambda value: price(value, digits), "empty"),
            shown(fill.ask, lambda value: price(value, digits), "empty"),
            signed(fill.fee, 4),
            fill.child_order_id,
            "late" if fill.is_late else "",
        )
        for fill in story.fills
    ]
    return collapsed("fills", f"Fills ({len(rows):,})", table(columns, rows) if rows else paragraph("None.", "missing"))


def children_section(story: OrderStory, instrument: Instrument, clock: ExchangeClock) -> str:
    columns = (
        _time_column("Sent", story, clock),
        text_column("Child order"),
        text_column("Venue"),
        text_column("Type"),
        Column(name="Quantity", unit="units"),
        Column(name="Limit", unit=instrument.currency),
        Column(name="Filled", unit="units"),
        Column(name="Average", unit=instrument.currency),
        text_column("Ended"),
        text_column("Outcome"),
        text_column("Why it was sent"),
    )
    digits = decimals_of(instrument.tick_size)
    rows = []
    for life in story.children:
        child = life.child
        average = life.average_price
        rows.append(
            (
                _time(life.sent_time_ns, clock),
                child.child_order_id,
                child.venue,
                f"{child.order_type} {child.time_in_force}" + (", post only" if child.post_only else ""),
                quantity(child.quantity),
                "" if child.price is None else price(child.price, digits),
                quantity(life.filled_quantity),
                "" if average is None else fixed(average, digits + 2),
                "" if life.ended_time_ns is None else _time(life.ended_time_ns, clock),
                life.outcome + (f": {life.outcome_reason}" if life.outcome_reason else ""),
                life.reason,
            )
        )
    body = table(columns, rows) if rows else paragraph("None was sent.", "missing")
    return collapsed("children", f"Child orders ({len(rows):,})", body)


def timeline_section(story: OrderStory, clock: ExchangeClock) -> str:
    columns = (_time_column("Time", story, clock), text_column("From"), text_column("Event"), text_column("What"))
    rows = [
        (_time(event.time_ns, clock), event.source, event.event_type.replace("_", " "), event.text)
        for event in story.timeline
    ]
    note = "Timers and periodic updates are left out: they change nothing."
    return collapsed("timeline", f"Timeline ({len(rows):,} events)", table(columns, rows, note=note))


def _time_column(name: str, story: OrderStory, clock: ExchangeClock) -> Column:
    return text_column(name, clock.name(story.measured.submission_time_ns))


def _time(time_ns: int, clock: ExchangeClock) -> Markup:
    """Exchange time; UTC to the nanosecond on hover."""
    return Markup(f'<time title="{to_iso(time_ns)}">{clock.clock(time_ns, milliseconds=True)}</time>')


def data_section(story: OrderStory, context: ReportContext, view: MarketView) -> str:
    measured = story.measured
    pieces = ["<h3>Market</h3>", listing([context.market_kind, *context.source_lines])]
    if not context.source_lines:
        pieces.append(
            paragraph("No tape reader was involved, so there are no repairs or crossed quotes to report.", "note")
        )
    pieces += ["<h3>What a reader must know</h3>", _list_or(context.caveats, "nothing was reported")]
    pieces += ["<h3>What could not be computed, and stand-ins</h3>", _list_or(measured.costs.notes, "nothing")]
    alerts = [f"{alert.severity} {alert.alert_type} {alert.state}: {alert.recommendation}" for alert in story.alerts]
    pieces += ["<h3>Alerts</h3>", _list_or(alerts, "none was raised")]
    step = duration(round(view.step_seconds * NS_PER_SECOND))
    drawn = (
        f"Quotes are drawn every {step}; {view.unusable:,} of {len(view.times):,} samples have no "
        "usable quote (an empty side, crossed or locked) and are left blank."
    )
    late = sum(fill.is_late for fill in story.fills)
    run = [
        drawn,
        f"{late:,} of {len(story.fills):,} fills were reported after their child order or the order had ended.",
    ]
    run.append(f"bestex {bestex.__version__}" + ("" if context.seed is None else f", seed {context.seed}"))
    if context.command:
        run.append(context.command)
    return section("data", "Assumptions and data quality", *pieces, "<h3>This run</h3>", listing(run))


def _list_or(items: tuple[str, ...] | list[str], otherwise: str) -> str:
    return listing(items) if items else paragraph(otherwise.capitalize() + ".", "note")
