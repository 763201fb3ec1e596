"""The numbers behind the plots and the texts of numbers."""

import random
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from bestex.adapters.reports.cost_plots import horizon_text, waterfall_plot, weighted_markout
from bestex.adapters.reports.costs import CostPart, cost_parts, residue
from bestex.adapters.reports.exchange_time import ExchangeClock
from bestex.adapters.reports.html import report_html
from bestex.adapters.reports.market_view import Window, market_view, order_window
from bestex.adapters.reports.number_format import duration, fixed, quantity, signed
from bestex.adapters.reports.order_story import PlanStep
from bestex.adapters.reports.price_plot import Manner, manner
from bestex.adapters.reports.progress_plots import filled_path, own_volumes, planned_path
from bestex.domain.orders import Algorithm, Side
from bestex.domain.time import NS_PER_SECOND, from_iso
from bestex.messages.execution import ExecutionPlanned, ExecutionSlice
from bestex.messages.monitoring import CostAnalysis
from tests.unit.adapters.reports.worked_orders import CONTEXT, Worked, worked


@pytest.fixture(scope="module")
def run() -> Worked:
    return worked(Side.BUY, 4000, algorithm=Algorithm.VWAP)


def analysis(amounts: list[Decimal], total: Decimal) -> CostAnalysis:
    delay, spread, impact, timing, opportunity, commission, fees = amounts
    absent = (
        *("decision_price", "arrival_price", "end_price", "implementation_shortfall_bps", "arrival_slippage_bps"),
        *("vwap_slippage_bps", "twap_slippage_bps", "market_impact_bps", "timing_cost_bps", "spread_cost_bps"),
        *("opportunity_cost_bps", "total_cost_bps", "reversion_bps", "interval_vwap", "interval_twap"),
    )
    return CostAnalysis(
        delay=delay,
        spread=spread,
        market_impact=impact,
        timing=timing,
        opportunity=opportunity,
        commission=commission,
        fees=fees,
        total=total,
        notional=Decimal(1_000_000),
        markouts_bps={},
        **dict.fromkeys(absent),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_waterfall_sums_to_the_total_and_a_changed_part_is_caught(seed: int) -> None:
    print(f"seed {seed}")
    randomness = random.Random(seed)
    amounts = [Decimal(randomness.randint(-(10**9), 10**9)).scaleb(-randomness.randint(0, 6)) for _ in range(7)]
    costs = analysis(amounts, sum(amounts, Decimal(0)))
    parts = cost_parts(costs)
    assert residue(parts, costs) == 0
    assert parts[-1].before + parts[-1].amount == costs.total
    assert all(after.before == before.before + before.amount for before, after in pairwise(parts))
    broken = msgspec.structs.replace(costs, timing=amounts[3] + Decimal("0.000001"))
    assert residue(cost_parts(broken), broken) == Decimal("-0.000001")


def test_a_real_order_sums_to_the_last_digit(run: Worked) -> None:
    costs = run.story.measured.costs
    assert residue(cost_parts(costs), costs) == 0
    assert sum(part.bps or 0.0 for part in cost_parts(costs)) == pytest.approx(costs.total_cost_bps, abs=1e-9)


def test_parts_that_miss_their_total_are_said_so_on_the_page(run: Worked) -> None:
    story = run.story
    costs = story.measured.costs
    assert costs.total is not None
    wrong = msgspec.structs.replace(costs, total=costs.total + Decimal("0.01"))
    page = report_html(
        replace(story, measured=msgspec.structs.replace(story.measured, costs=wrong)), run.market, CONTEXT
    )
    assert "do not use these figures" in page
    assert "do not use these figures" not in report_html(story, run.market, CONTEXT)


def test_a_missing_price_leaves_no_parts_and_its_reason_on_the_page(run: Worked) -> None:
    story = run.story
    reason = "a side of the book was empty at arrival: without an arrival price no cost can be measured"
    unpriced = msgspec.structs.replace(
        story.measured.costs, delay=None, total=None, total_cost_bps=None, notional=None, notes=(reason,)
    )
    assert cost_parts(unpriced) == ()
    page = report_html(
        replace(story, measured=msgspec.structs.replace(story.measured, costs=unpriced), graded=None),
        run.market,
        CONTEXT,
    )
    assert page.count(reason) == 3  # in the summary, with the costs and among the notes
    assert "none: the quality service did not answer in time" in page


def plan(start_ns: int, *sizes: int, revision: int = 0) -> ExecutionPlanned:
    pieces = tuple(
        ExecutionSlice(
            slice_id=number,
            start_time_ns=start_ns + number * 10 * NS_PER_SECOND,
            end_time_ns=start_ns + (number + 1) * 10 * NS_PER_SECOND,
            target_quantity=Decimal(size),
        )
        for number, size in enumerate(sizes)
    )
    return ExecutionPlanned(
        order_id="order-1",
        algorithm_used="TWAP",
        child_orders=(),
        execution_schedule=pieces,
        estimated_cost=0.0,
        expected_completion_ns=start_ns,
        start_time_ns=start_ns,
        end_time_ns=start_ns,
        execution_style="BALANCED",
        parameters={},
        revision=revision,
    )


def test_a_plan_is_straight_within_its_slices_and_begins_at_what_was_filled() -> None:
    second = NS_PER_SECOND
    window = Window(start_ns=0, end_ns=40 * second)
    step = PlanStep(time_ns=0, plan=plan(0, 100, 300), filled_before=Decimal(50))
    times, targets = planned_path(step, window)
    # 50 already, 100 by 10 s on top, 300 by 20 s, flat to the end.
    assert np.interp([0, 5, 10, 15, 20, 40], times, targets).tolist() == [50, 100, 150, 300, 450, 450]


def test_a_plan_ends_where_the_next_one_replaces_it() -> None:
    window = Window(start_ns=0, end_ns=40 * NS_PER_SECOND)
    step = PlanStep(time_ns=0, plan=plan(0, 100, 300), filled_before=Decimal(0))
    times, targets = planned_path(step, window, until_ns=15 * NS_PER_SECOND)
    assert (times[-1], targets[-1]) == (15.0, 250.0)


def test_the_filled_path_ends_at_what_was_executed(run: Worked) -> None:
    story = run.story
    window = order_window(story.measured.submission_time_ns, story.measured.completion_time_ns)
    times, filled = filled_path(story, window)
    assert (filled[0], filled[-1]) == (0.0, float(story.measured.executed_quantity))
    assert (np.diff(times) >= 0).all()
    assert (np.diff(filled) >= 0).all()


def test_our_part_of_a_bar_never_exceeds_the_bar(run: Worked) -> None:
    story = run.story
    begun = story.measured.submission_time_ns
    window = order_window(begun, story.measured.completion_time_ns)
    view = market_view(run.market, story.order.instrument_id, window, first_bar_ns=begun)
    own = own_volumes(story, view)
    assert own.sum() == float(story.measured.executed_quantity)
    assert (own <= view.bar_volumes).all()
    assert view.unusable < len(view.times) / 10
    assert (view.asks > view.bids)[np.isfinite(view.bids)].all()


def test_every_fill_has_one_manner(run: Worked) -> None:
    fills = run.story.fills
    assert {manner(fill) for fill in fills} <= {Manner.PASSIVE, Manner.AGGRESSIVE, Manner.DARK}
    resting = [fill for fill in fills if fill.liquidity == "ADDED" and not fill.is_dark]
    assert [manner(fill) for fill in resting] == [Manner.PASSIVE] * len(resting)
    dark = msgspec.structs.replace(fills[0], is_dark=True)
    assert manner(dark) is Manner.DARK
    assert manner(msgspec.structs.replace(fills[0], liquidity="UNKNOWN")) is Manner.OTHER


def test_markouts_weigh_by_quantity_and_leave_out_what_was_not_observed(run: Worked) -> None:
    first = msgspec.structs.replace(run.story.fills[0], quantity=Decimal(100), markouts_bps={"10": 1.0})
    second = msgspec.structs.replace(first, quantity=Decimal(300), markouts_bps={"10": -1.0})
    unseen = msgspec.structs.replace(first, quantity=Decimal(10_000), markouts_bps={"10": None})
    assert weighted_markout([first, second, unseen], "10") == -0.5  # (100 - 300) / 400
    assert weighted_markout([unseen], "10") is None


def test_the_page_holds_an_order_of_many_hundred_fills(run: Worked) -> None:
    story = run.story
    many = story.fills * (600 // len(story.fills) + 1)
    page = report_html(replace(story, fills=many), run.market, CONTEXT)
    assert len(many) >= 600
    assert f"Fills ({len(many):,})" in page
    part = page[page.index('id="fills"') : page.index('id="children"')]
    assert part.count("<tr>") == len(many) + 1


def test_a_plot_is_the_same_each_time() -> None:
    parts = [CostPart(name="Spread", amount=Decimal("1.5"), before=Decimal(0), bps=0.1)]
    first, again = (waterfall_plot(parts, Decimal("1.5"), 0.1, "USD") for _ in range(2))
    assert first == again
    assert first.startswith('<svg role="img" aria-label="Implementation shortfall by part, total +1.50 USD"')
    assert waterfall_plot(parts, Decimal("1.6"), 0.1, "USD") != first


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(Decimal("-0.00"), 2, "0.00"), (-0.001, 2, "0.00"), (1234.5, 1, "+1,234.5"), (Decimal("-12.345"), 2, "-12.34")],
)
def test_figures_carry_their_sign_and_never_say_minus_zero(value: Decimal | float, digits: int, text: str) -> None:
    assert signed(value, digits) == text
    assert fixed(value, digits) == text.lstrip("+")


def test_quantities_keep_their_decimals_and_no_more() -> None:
    assert [quantity(Decimal(text)) for text in ("1000", "1E+3", "0.50", "12.3450")] == [
        "1,000",
        "1,000",
        "0.5",
        "12.345",
    ]


def test_durations_and_horizons_are_in_their_natural_unit() -> None:
    assert [duration(value) for value in (5_000_000, 1_500_000_000, 65 * NS_PER_SECOND, 3_720 * NS_PER_SECOND)] == [
        "5 ms",
        "1.5 s",
        "1 min 5 s",
        "1 h 2 min",
    ]
    assert [horizon_text(text) for text in ("0.05", "1", "60", "-60")] == ["50 ms", "1 s", "1 min", "-1 min"]


def test_times_are_the_exchange_s_and_say_so() -> None:
    winter, summer = from_iso("2025-11-20T15:00:00.123456Z"), from_iso("2025-07-01T14:00:00Z")
    clock = ExchangeClock.of_calendar("XNYS")
    assert clock.clock(winter, milliseconds=True) == "10:00:00.123"
    assert clock.name(winter) == "America/New_York (UTC−05:00)"
    assert clock.name(summer) == "America/New_York (UTC−04:00)"
    assert clock.clock(summer) == "10:00:00"
    assert ExchangeClock.of_calendar("24/7").name(winter) == "UTC"
    assert ExchangeClock.of_calendar("CME").name(winter) == "America/Chicago (UTC−06:00)"
