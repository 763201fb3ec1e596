"""Sections on what the order cost: parts, benchmarks, expectation, markouts."""

from bestex.adapters.reports.cost_plots import (
    horizon_text,
    markout_plot,
    venue_plot,
    waterfall_plot,
    weighted_markout,
)
from bestex.adapters.reports.costs import IMPACT, MEANINGS, CostPart, cost_parts, residue
from bestex.adapters.reports.number_format import bps, decimals_of, duration, fixed, percent, signed
from bestex.adapters.reports.order_story import OrderStory
from bestex.adapters.reports.price_plot import Manner, manner
from bestex.adapters.reports.tables import (
    Cell,
    Column,
    Missing,
    figure,
    paragraph,
    section,
    shown,
    table,
    text_column,
)
from bestex.domain.instruments import Instrument

BPS = "bps"
NOTHING_EXECUTED = "nothing was executed"


def costs_section(story: OrderStory, instrument: Instrument) -> str:
    costs = story.measured.costs
    parts = cost_parts(costs)
    title = "Implementation shortfall"
    if not parts or costs.total is None:
        return section("costs", title, paragraph("It cannot be measured: " + "; ".join(costs.notes), "missing"))
    missed = residue(parts, costs)
    rows: list[tuple[Cell, ...]] = [
        (part.name, signed(part.amount, 2), shown(part.bps, bps, "nothing was ordered"), _meaning(part, story))
        for part in parts
    ]
    in_words = "against executing everything at the decision price, at once and for nothing"
    rows.append(("Total", signed(costs.total, 2), shown(costs.total_cost_bps, bps, "nothing was ordered"), in_words))
    notional = "" if costs.notional is None else f" bps of {fixed(costs.notional, 2)} {instrument.currency} ordered."
    sums = (
        "The parts add up to the total exactly; they are shown rounded."
        if not missed
        else f"The parts miss the total by {missed} {instrument.currency}: do not use these figures."
    )
    plot = paragraph("Every part is zero.", "note")
    if any(part.amount for part in parts):
        plot = figure(
            waterfall_plot(parts, costs.total, costs.total_cost_bps, instrument.currency),
            "Each part starts where the one before ended. Orange costs, blue gains.",
        )
    columns = (
        text_column("Part"),
        Column(name="Cost", unit=instrument.currency),
        Column(name="", unit=BPS),
        text_column("What it is"),
    )
    return section(
        "costs",
        title,
        plot,
        table(columns, rows, total=True, note=sums + notional + " Positive = worse for us."),
    )


def _meaning(part: CostPart, story: OrderStory) -> str:
    if part.name == IMPACT and story.measured.expected_impact is None:
        return "no pre-trade model priced this order: it counts 0, and timing is all of the mid's move"
    return MEANINGS[part.name]


def benchmarks_section(story: OrderStory, instrument: Instrument) -> str:
    costs, digits = story.measured.costs, decimals_of(instrument.tick_size) + 2
    quiet = NOTHING_EXECUTED if not story.fills else "the market had no price"
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            shown(price, lambda value: fixed(value, digits), why),
            shown(slippage, bps, quiet),
            meaning,
        )
        for name, price, slippage, why, meaning in (
            ("Our average", story.measured.average_fill_price, None, NOTHING_EXECUTED, "of all fills"),
            (
                "Arrival mid",
                costs.arrival_price,
                costs.arrival_slippage_bps,
                "a side was empty",
                "when the order arrived",
            ),
            (
                "Interval VWAP",
                costs.interval_vwap,
                costs.vwap_slippage_bps,
                "nothing traded",
                "arrival to end, own prints included",
            ),
            (
                "Interval TWAP",
                costs.interval_twap,
                costs.twap_slippage_bps,
                "no two-sided quote",
                "of the mid, arrival to end",
            ),
            ("End mid", costs.end_price, None, "a side was empty", "when the order ended"),
        )
    ]
    rows[0] = (*rows[0][:2], "", rows[0][3])
    rows[-1] = (*rows[-1][:2], "", rows[-1][3])
    columns = (
        text_column("Benchmark"),
        Column(name="Price", unit=instrument.currency),
        Column(name="Slippage", unit=BPS),
        text_column("What it is"),
    )
    return section(
        "benchmarks",
        "Benchmarks",
        table(columns, rows, note="Slippage positive = our average was worse than the benchmark."),
    )


def expectation_section(story: OrderStory) -> str:
    measured, costs = story.measured, story.measured.costs
    if measured.expected_cost is None:
        return section(
            "expected",
            "Expected against realised",
            paragraph(
                "None: the order had neither a recommendation nor a priced plan to expect anything from.", "missing"
            ),
        )
    none_run = NOTHING_EXECUTED
    rows: list[tuple[Cell, ...]] = [
        _row(
            "Total cost, bps",
            measured.expected_cost * 1e4,
            costs.total_cost_bps,
            _range(story),
            "no price; see the notes",
        ),
    ]
    if story.selection is not None:
        outcomes = story.selection.expected_outcomes
        fees = None if not costs.notional else float((costs.fees + costs.commission) / costs.notional * 10_000)
        rows += [
            _row("Spread, bps", outcomes.spread_cost * 1e4, costs.spread_cost_bps, "", "no price"),
            _row("Fees and commission, bps", outcomes.fees * 1e4, fees, "", "no price"),
        ]
        took = measured.completion_time_ns - measured.submission_time_ns
        rows.append(("Time", f"{outcomes.estimated_time_minutes} min", duration(took), "", ""))
        done = percent(measured.executed_quantity / measured.requested_quantity)
        likely = f"{percent(outcomes.completion_probability)} % likely complete"
        rows.append(("Completion", likely, f"{done} % filled", "", ""))
        rate = story.selection.recommended_strategy.parameters.get("expected_participation_rate")
        if isinstance(rate, (int, float)):
            real = measured.metrics.participation_rate
            rows.append(
                (
                    "Participation",
                    f"{percent(rate, 2)} %",
                    shown(real, lambda v: f"{percent(v, 2)} %", none_run),
                    "",
                    "",
                )
            )
    columns = (
        text_column(""),
        Column(name="Expected"),
        Column(name="Realised"),
        Column(name="Expected 10 % to 90 %"),
        Column(name="Realised less expected"),
    )
    source = {"selection": "the recommendation", "plan": "the algorithm's plan"}.get(
        measured.expected_cost_source or "", "an unnamed source"
    )
    notes = [f"Expectation from {source}."]
    if measured.expected_cost_sd:
        notes.append(
            f"Standard deviation of the cost {fixed(measured.expected_cost_sd * 1e4, 2)} bps, mostly the market's."
        )
    notes.append("The impact part is the model's own and so is not compared.")
    pieces = [table(columns, rows, note=" ".join(notes))]
    if story.selection is not None:
        chosen = story.selection
        pieces.append(
            paragraph(f"Why {chosen.recommended_strategy.strategy_name}: {chosen.strategy_rationale}", "note")
        )
        pieces.append(
            paragraph(f"P(within 1 bp or 5 % of the best candidate) was {fixed(chosen.confidence, 2)}.", "note")
        )
    return section("expected", "Expected against realised", *pieces)


def _range(story: OrderStory) -> Cell:
    if story.selection is None:
        return Missing("a plan gives no range")
    outcomes = story.selection.expected_outcomes
    return f"{bps(outcomes.cost_low * 1e4)} to {bps(outcomes.cost_high * 1e4)}"


def _row(name: str, expected: float, realised: float | None, spread: Cell, why: str) -> tuple[Cell, ...]:
    return (
        name,
        bps(expected),
        shown(realised, bps, why),
        spread,
        "" if realised is None else bps(realised - expected),
    )


def after_section(story: OrderStory) -> str:
    """Markouts and where it was filled, side by side."""
    if not story.fills:
        return section("venues", "Venues and markouts", paragraph(f"None: {NOTHING_EXECUTED}.", "missing"))
    horizons = sorted({horizon for fill in story.fills for horizon in fill.markouts_bps}, key=float)
    groups = [("All fills", list(story.fills))]
    groups += [(kind.capitalize(), [fill for fill in story.fills if manner(fill) is kind]) for kind in Manner]
    rows = [
        (
            name,
            f"{len(fills):,}",
            *(shown(weighted_markout(fills, horizon), bps, "not observed") for horizon in horizons),
        )
        for name, fills in groups
        if fills
    ]
    columns = (
        text_column("Mid markout"),
        Column(name="Fills"),
        *(Column(name=horizon_text(horizon), unit=BPS) for horizon in horizons),
    )
    reversion = story.measured.costs.reversion_bps
    note = "Quantity-weighted, of the fills for which the mid was observed. Positive = the market moved our way. " + (
        "Reversion after the end: not observed."
        if reversion is None
        else f"Reversion after the end {bps(reversion)} bps."
    )
    plots = figure(venue_plot(story), "Where it was filled.") + figure(
        markout_plot(story), "What the mid did after our fills."
    )
    return section(
        "venues",
        "Venues and markouts",
        f'<div class="pair">{plots}</div>',
        _venues(story),
        table(columns, rows, note=note),
    )


def _venues(story: OrderStory) -> str:
    scores = {} if story.graded is None else {score.venue: score for score in story.graded.venue_performance}
    rows: list[tuple[Cell, ...]] = []
    for venue in story.measured.venues:
        score = scores.get(venue.venue)
        latency = venue.acknowledge_latency_ns_mean
        ungraded = "no fill" if not venue.filled_quantity else "not graded"
        rows.append(
            (
                venue.venue,
                f"{venue.child_orders:,}",
                f"{venue.sent_quantity:,f}",
                f"{venue.filled_quantity:,f}",
                f"{venue.rejects:,}",
                f"{venue.cancels:,}",
                shown(latency, lambda value: fixed(value / 1e6, 2), "no answer"),
                *(
                    shown(None if score is None else getattr(score, name), bps, ungraded)
                    for name in ("effective_spread_bps", "fee_bps", "markout_bps")
                ),
                shown(None if score is None else score.quality_score, lambda value: fixed(value, 2), ungraded),
            )
        )
    columns = (
        text_column("Venue"),
        *(Column(name=name) for name in ("Children", "Sent", "Filled", "Rejects", "Cancels")),
        Column(name="Answer", unit="ms"),
        Column(name="Eff. spread", unit=BPS),
        Column(name="Fee", unit=BPS),
        Column(name="Markout", unit=BPS),
        Column(name="Score", unit="0..1"),
    )
    return table(columns, rows)
