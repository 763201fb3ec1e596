"""The order in one paragraph of plain words, made from its figures."""

from collections.abc import Iterator
from typing import Final

from bestex.adapters.reports.costs import cost_parts
from bestex.adapters.reports.exchange_time import ExchangeClock
from bestex.adapters.reports.number_format import bps, decimals_of, fixed, percent, quantity, signed
from bestex.adapters.reports.order_story import OrderStory
from bestex.domain.instruments import Instrument
from bestex.domain.orders import ParentState, Side

_EIGHT_IN_TEN: Final = 1.2816  # standard deviations either side that hold 80 % of a normal distribution

_ENDED: Final = {
    ParentState.FILLED: "was filled",
    ParentState.CANCELLED: "was cancelled",
    ParentState.REJECTED: "was rejected",
    ParentState.EXPIRED: "expired",
}


def summary(story: OrderStory, instrument: Instrument, clock: ExchangeClock) -> str:
    return " ".join(_sentences(story, instrument, clock))


def _sentences(story: OrderStory, instrument: Instrument, clock: ExchangeClock) -> Iterator[str]:
    measured = story.measured
    yield _what_happened(story, instrument, clock)
    if measured.executed_quantity:
        yield from _against_the_market(story, instrument)
    yield from _cost(story, instrument)
    yield from _grade(story)
    if measured.breaches:
        yield "Outside the order's limits: " + "; ".join(measured.breaches) + "."


def _what_happened(story: OrderStory, instrument: Instrument, clock: ExchangeClock) -> str:
    measured = story.measured
    ordered, done = measured.requested_quantity, measured.executed_quantity
    verb = "Bought" if measured.side is Side.BUY else "Sold"
    ended = clock.clock(measured.completion_time_ns)
    if not done or measured.first_fill_time_ns is None:
        return (
            f"Nothing of {quantity(ordered)} {measured.instrument_id} was executed: "
            f"the order {_ENDED[measured.state]} at {ended} ({story.completed.reason})."
        )
    share = "all of it" if done == ordered else f"{percent(done / ordered)} % of {quantity(ordered)}"
    price = (
        ""
        if measured.average_fill_price is None
        else fixed(measured.average_fill_price, decimals_of(instrument.tick_size) + 2)
    )
    venues = len({fill.venue for fill in story.fills})
    sentence = (
        f"{verb} {quantity(done)} {measured.instrument_id} ({share}) between "
        f"{clock.clock(measured.first_fill_time_ns)} and {ended} at an average of {price} {instrument.currency}, "
        f"in {_count(len(story.fills), 'fill')} on {_count(venues, 'venue')}."
    )
    if done < ordered:
        why = f"{_ENDED[measured.state]} ({story.completed.reason})"
        sentence += f" {quantity(ordered - done)} was left when the order {why}."
    return sentence


def _against_the_market(story: OrderStory, instrument: Instrument) -> Iterator[str]:
    costs, metrics = story.measured.costs, story.measured.metrics
    digits = decimals_of(instrument.tick_size)
    if costs.arrival_slippage_bps is not None and costs.arrival_price is not None:
        yield (
            f"Against the arrival mid of {fixed(costs.arrival_price, digits + 1)} that is "
            f"{_better(costs.arrival_slippage_bps)}"
            + (
                "."
                if costs.vwap_slippage_bps is None
                else f", against the VWAP of the same time {_better(costs.vwap_slippage_bps)}."
            )
        )
    if metrics.participation_rate is not None and metrics.passive_share is not None:
        yield (
            f"The order was {percent(metrics.participation_rate, 2)} % of the volume traded meanwhile; "
            f"{percent(metrics.passive_share, 0)} % of it rested in a book before it traded."
        )


def _cost(story: OrderStory, instrument: Instrument) -> Iterator[str]:
    measured, costs = story.measured, story.measured.costs
    if costs.total is None or costs.total_cost_bps is None:
        yield "Its cost cannot be measured: " + "; ".join(costs.notes) + "."
        return
    sentence = (
        f"Implementation shortfall {bps(costs.total_cost_bps)} bps ({signed(costs.total, 2)} {instrument.currency})"
    )
    largest = max(cost_parts(costs), key=lambda part: abs(part.amount))
    if largest.amount and largest.bps is not None:
        sentence += f", its largest part {largest.name.lower()} with {bps(largest.bps)} bps"
    yield sentence + "; positive is worse for us."
    if measured.expected_cost is None or measured.expected_cost_sd is None:
        return
    expected, sd = measured.expected_cost * 1e4, measured.expected_cost_sd * 1e4
    if not measured.executed_quantity or not sd or measured.cancelled_by_client:
        return
    away = (costs.total_cost_bps - expected) / sd
    verdict = "inside" if abs(away) < _EIGHT_IN_TEN else "outside"
    yield (
        f"Before trading, {bps(expected)} bps was expected with a standard deviation of {fixed(sd, 2)}: "
        f"the result is {fixed(abs(away), 1)} standard deviations {'above' if away > 0 else 'below'}, "
        f"{verdict} of where eight in ten such orders end."
    )


def _grade(story: OrderStory) -> Iterator[str]:
    graded = story.graded
    if graded is None or graded.quality_grade is None:
        return
    if graded.overall_quality_score is None or graded.interval is None:
        yield f"Grade {graded.quality_grade}."
        return
    interval = graded.interval
    reach = (
        interval.grade_low
        if interval.grade_low == interval.grade_high
        else f"{interval.grade_low} to {interval.grade_high}"
    )
    score = fixed(graded.overall_quality_score, 2)
    yield (
        f"Grade {graded.quality_grade}, score {score} of 1; the same skill would score "
        f"{fixed(interval.low, 2)} to {fixed(interval.high, 2)} on 80 % of days ({reach})."
    )


def _better(slippage_bps: float) -> str:
    return f"{fixed(abs(slippage_bps), 2)} bps {'worse' if slippage_bps > 0 else 'better'}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
