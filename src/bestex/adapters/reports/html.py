"""The execution report as one self-contained page: no network, no script; read on screen or printed."""

from html import escape
from pathlib import Path

from bestex.adapters.reports.cost_sections import (
    after_section,
    benchmarks_section,
    costs_section,
    expectation_section,
)
from bestex.adapters.reports.exchange_time import ExchangeClock
from bestex.adapters.reports.life_sections import (
    children_section,
    data_section,
    fills_section,
    quality_section,
    timeline_section,
)
from bestex.adapters.reports.market_view import MarketView, market_view, order_window
from bestex.adapters.reports.number_format import (
    bps,
    decimals_of,
    duration,
    fixed,
    in_words,
    percent,
    price,
    quantity,
)
from bestex.adapters.reports.order_story import OrderStory, ReportContext
from bestex.adapters.reports.page_style import STYLE
from bestex.adapters.reports.price_plot import price_plot
from bestex.adapters.reports.progress_plots import participation_plot, schedule_plot
from bestex.adapters.reports.summary import summary
from bestex.adapters.reports.tables import Cell, Missing, cell_html, figure, paragraph, section
from bestex.domain.errors import InvalidInput, NotFound
from bestex.domain.instruments import Instrument
from bestex.domain.time import NS_PER_SECOND
from bestex.ports import Market


def write_report(story: OrderStory, market: Market, context: ReportContext, path: Path) -> None:
    """Write the page. Same story, market and context: same bytes.

    Raises:
        InvalidInput: if the file cannot be written.
        NotFound: if the market does not know the order's instrument.
    """
    page = report_html(story, market, context)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(
            f"the report cannot be written to {path}: {error.strerror}",
            field="report",
            value=path,
            expected="a file in a folder that exists and can be written to",
        ) from error


def report_html(story: OrderStory, market: Market, context: ReportContext) -> str:
    """The page as text."""
    instrument = _instrument(story, market)
    clock = ExchangeClock.of_calendar(instrument.calendar)
    measured = story.measured
    window = order_window(measured.submission_time_ns, measured.completion_time_ns)
    view = market_view(market, instrument.instrument_id, window, first_bar_ns=measured.submission_time_ns)
    body = "".join(
        (
            _banner(story),
            _header(story, instrument, clock, context),
            _work(story, view, instrument, clock),
            costs_section(story, instrument),
            benchmarks_section(story, instrument),
            expectation_section(story),
            after_section(story),
            quality_section(story),
            fills_section(story, instrument, clock),
            children_section(story, instrument, clock),
            timeline_section(story, clock),
            data_section(story, context, view),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(context.title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )


def _instrument(story: OrderStory, market: Market) -> Instrument:
    wanted = story.order.instrument_id
    for instrument in market.instruments():
        if instrument.instrument_id == wanted:
            return instrument
    raise NotFound(f"the market does not know {wanted}, which the order is in", field="instrument_id", value=wanted)


def _banner(story: OrderStory) -> str:
    if not story.measured.is_generated:
        return ""
    return '<p class="banner" role="note">Generated market: every price and volume here is simulated.</p>'


def _header(story: OrderStory, instrument: Instrument, clock: ExchangeClock, context: ReportContext) -> str:
    measured = story.measured
    digits = decimals_of(instrument.tick_size) + 2
    fraction = measured.executed_quantity / measured.requested_quantity
    begun = measured.submission_time_ns
    facts: list[tuple[str, Cell, str]] = [
        (
            "Instrument",
            measured.instrument_id,
            f"{instrument.name}, {instrument.currency}"
            if instrument.name != measured.instrument_id
            else instrument.currency,
        ),
        ("Side", str(measured.side), f"{story.order.order_type}{_limit(story)}"),
        (
            "Filled",
            f"{quantity(measured.executed_quantity)} of {quantity(measured.requested_quantity)}",
            f"{percent(fraction)} %, {measured.state}",
        ),
        (
            f"Average price, {instrument.currency}",
            Missing("nothing was executed")
            if measured.average_fill_price is None
            else fixed(measured.average_fill_price, digits),
            ""
            if measured.costs.arrival_price is None
            else f"arrival mid {fixed(measured.costs.arrival_price, digits)}",
        ),
        (
            "Execution strategy",
            measured.strategy_name or in_words(measured.algorithm),
            in_words(measured.algorithm) if measured.strategy_name else "as ordered",
        ),
        (
            "Shortfall, bps",
            Missing("see the notes") if measured.costs.total_cost_bps is None else bps(measured.costs.total_cost_bps),
            "no expectation"
            if measured.expected_cost is None
            else f"expected {bps(measured.expected_cost * 1e4)}; positive = worse",
        ),
        ("Grade", *_grade(story)),
        (
            f"Worked, {clock.day(begun)}",
            f"{clock.clock(begun)} to {clock.clock(measured.completion_time_ns)}",
            f"{duration(measured.completion_time_ns - begun)}, {clock.name(begun)}",
        ),
    ]
    items = "".join(
        f'<div><dt>{escape(name)}</dt><dd>{cell_html(value)}<span class="small">{escape(more)}</span></dd></div>'
        for name, value, more in facts
    )
    return (
        f'<header id="order"><h1>{escape(context.title)}</h1>'
        + paragraph(f"Order {story.order.order_id}, {context.market_kind}", "note")
        + paragraph(summary(story, instrument, clock), "lead")
        + f'<dl class="facts">{items}</dl></header>'
    )


def _limit(story: OrderStory) -> str:
    last = story.limits[-1].price
    return "" if last is None else f", limit {price(last)}"


def _grade(story: OrderStory) -> tuple[Cell, str]:
    graded = story.graded
    if graded is None:
        return Missing("the quality service did not answer in time"), ""
    if graded.quality_grade is None:
        return Missing("nothing to grade by"), ""
    if graded.overall_quality_score is None or graded.interval is None:
        return graded.quality_grade, "no score"
    interval = graded.interval
    return graded.quality_grade, (
        f"score {fixed(graded.overall_quality_score, 2)}, {fixed(interval.low, 2)} to {fixed(interval.high, 2)} "
        f"on 80 % of days"
    )


def _work(story: OrderStory, view: MarketView, instrument: Instrument, clock: ExchangeClock) -> str:
    price_caption = f"Best bid to ask, drawn every {duration(round(view.step_seconds * NS_PER_SECOND))}. " + (
        "A mark per fill, its area the quantity: circles rested, triangles crossed the spread, "
        "diamonds met in the dark or at the mid."
        if story.fills
        else "Nothing was filled."
    )
    return section(
        "work",
        "How it was worked",
        figure(price_plot(story, view, instrument, clock), price_caption),
        figure(schedule_plot(story, view, clock), "What was filled against what the plan in force wanted filled."),
        figure(
            participation_plot(story, view, clock), "Volume of the whole market, ours included, and our share of it."
        ),
    )
