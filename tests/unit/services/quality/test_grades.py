"""One order's score and grade: what moves them, what does not, and how wide luck makes them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestex.domain.orders import ParentState
from bestex.quant.metric_specs import BY_NAME
from bestex.services.quality.grades import graded, metric_score
from bestex.services.quality.readings import Reading
from bestex.services.quality.standards import STANDARD, Rule, Scoring
from tests.scenarios.order_story import Story

GRADES = [grade for grade, _ in STANDARD.order_grades]


def found(**values: float | None) -> dict[str, Reading]:
    """Readings of an order of average behaviour, with some replaced."""
    usual: dict[str, float | None] = {
        "COST_VS_MODEL": 5.0,
        "SLIPPAGE": 5.0,
        "ALGORITHM_EFFECTIVENESS": 0.0,
        "FILL_RATE": 1.0,
        "EXECUTION_SPEED": 1.0,
        "PRICE_IMPROVEMENT": 0.5,
        "MARKET_IMPACT": 1.0,
        "VENUE_EFFICIENCY": 0.5,
        "VWAP_SLIPPAGE": 0.0,
        "EFFECTIVE_OVER_QUOTED": 0.5,
        "AT_OR_BETTER": 1.0,
    }
    benchmarks = {"COST_VS_MODEL": 5.0, "SLIPPAGE": 5.0, "MARKET_IMPACT": 1.0}
    return {name: Reading(value=value, benchmark=benchmarks.get(name)) for name, value in (usual | values).items()}


def grade(readings: dict[str, Reading], *, sd_bps: float | None = 4.0, breaches: bool = False) -> Any:
    return graded(readings, STANDARD, sd_bps=sd_bps, spread_bps=2.0, has_breaches=breaches, coverage=0.80)


def test_weights_sum_to_one_and_every_scored_metric_is_in_the_catalogue() -> None:
    assert sum(scoring.weight for scoring in STANDARD.scoring.values()) == pytest.approx(1.0)
    assert STANDARD.scoring.keys() <= BY_NAME.keys()


def test_the_stored_standard_is_its_weights_and_cut_points() -> None:
    row = STANDARD.row(created_at_ns=1)
    assert (row.version, row.weights["COST_VS_MODEL"], row.cut_points["order.EXCELLENT"]) == ("2026-11-1", 0.35, 0.75)


@given(cheap=st.floats(-100, 100), extra=st.floats(0, 100))
def test_a_dearer_order_is_never_graded_better(cheap: float, extra: float) -> None:
    better = grade(found(COST_VS_MODEL=cheap, SLIPPAGE=cheap))
    worse = grade(found(COST_VS_MODEL=cheap + extra, SLIPPAGE=cheap + extra))
    assert worse.score <= better.score
    assert GRADES.index(worse.grade) >= GRADES.index(better.grade)


@given(cost=st.floats(-200, 200), sd=st.floats(0.1, 100), speed=st.none() | st.floats(0, 2))
def test_the_interval_holds_the_score_and_its_grade(cost: float, sd: float, speed: float | None) -> None:
    result = grade(found(COST_VS_MODEL=cost, SLIPPAGE=cost, EXECUTION_SPEED=speed), sd_bps=sd)
    assert result.interval.low <= result.score <= result.interval.high
    order = [GRADES.index(one) for one in (result.interval.grade_high, result.grade, result.interval.grade_low)]
    assert order == sorted(order)
    assert result.interval.low >= 0
    assert result.interval.high <= 1


def test_what_is_missing_hands_its_weight_to_the_others() -> None:
    full, part = grade(found()), grade(found(FILL_RATE=None, AT_OR_BETTER=None))
    # of the remaining 0.89: cost, slippage, impact 0.55 x 0.5; the rest as in `found`
    kept = 0.5 * 0.55 + 0.5 * 0.15 + 1.0 * 0.04 + 0.25 * 0.05 + 0.5 * 0.05 + 0.5 * 0.05
    assert part.score == pytest.approx(kept / 0.89)
    assert full.score == pytest.approx(kept + 0.11)


def test_without_a_pre_trade_distribution_there_is_no_score_and_no_grade() -> None:
    assert grade(found(), sd_bps=None).score is None
    assert grade(found(), sd_bps=None).grade is None
    assert grade(found(COST_VS_MODEL=None)).interval is None


def test_a_broken_limit_is_unacceptable_with_or_without_a_score() -> None:
    assert grade(found(COST_VS_MODEL=-50.0), breaches=True).grade == "UNACCEPTABLE"
    assert grade(found(), sd_bps=None, breaches=True).grade == "UNACCEPTABLE"


def test_a_score_on_anchors_is_straight_between_them_and_ends_there() -> None:
    scoring = Scoring(weight=1.0, rule=Rule.ANCHORS, worst=2.0, best=-1.0)
    scores = [
        metric_score(Reading(value=value), scoring, sd_bps=None, spread_bps=None) for value in (3, 2, 0.5, -1, -9)
    ]
    assert scores == pytest.approx([0, 0, 0.5, 1, 1])


def test_a_score_in_spreads_needs_a_spread() -> None:
    scoring = STANDARD.scoring["VWAP_SLIPPAGE"]
    assert metric_score(Reading(value=1.0), scoring, sd_bps=None, spread_bps=None) is None
    assert metric_score(Reading(value=1.0), scoring, sd_bps=None, spread_bps=2.0) == 0.25


def told(price: str, *, state: ParentState = ParentState.FILLED, quantity: int = 1000) -> Any:
    story = Story()
    story.create()
    story.select()
    story.plan()
    story.send("c1", quantity)
    story.pass_time(1)
    story.fill("c1", quantity, price)
    story.complete(state)
    story.pass_time(20)
    return story.last("execution_quality_analyzed")


@pytest.mark.parametrize(("cheap", "dear"), [("99.99", "100.01"), ("100.01", "100.03"), ("100.03", "100.20")])
def test_a_dearer_execution_is_graded_lower_from_end_to_end(cheap: str, dear: str) -> None:
    assert told(cheap).overall_quality_score > told(dear).overall_quality_score


def test_what_the_desk_left_unfilled_counts_in_its_cost() -> None:
    """Half filled at the mid of 100.00, which never moves: no opportunity cost; then the mid runs away by 20 bps."""
    story = Story()
    story.create()
    story.select()
    story.plan()
    story.send("c1", 500)
    story.fill("c1", 500, "100.00")
    story.quote("100.19", "100.21")
    story.pass_time(1)
    story.complete(ParentState.EXPIRED)
    story.pass_time(20)
    card = story.last("execution_quality_analyzed").metric_breakdown
    assert card["SLIPPAGE"].metric_value == 0.0
    assert card["COST_VS_MODEL"].metric_value == pytest.approx(10.0)  # 500 x 0.20 of 100,000
    assert card["FILL_RATE"].metric_value == 0.5


def test_readings_of_a_fill_at_the_ask_can_be_done_by_hand() -> None:
    card = told("100.01").metric_breakdown
    values = {name: score.metric_value for name, score in card.items()}
    assert values["QUOTED_SPREAD"] == pytest.approx(2.0)
    assert values["EFFECTIVE_SPREAD"] == pytest.approx(2.0)
    assert values["EFFECTIVE_OVER_QUOTED"] == pytest.approx(1.0)
    assert values["FAR_TOUCH_SLIPPAGE"] == pytest.approx(0.0)
    assert values["NEAR_TOUCH_SLIPPAGE"] == pytest.approx(2.0)
    assert values["AT_OR_BETTER"] == 1.0
    assert values["SPREAD_CAPTURE"] == pytest.approx(0.0)
    assert values["NUMBER_OF_SPREADS"] == pytest.approx(0.5)
    assert values["MARKOUT_10S"] == 0.0
    assert values["VENUE_EFFICIENCY"] == pytest.approx(1.0)  # paid the half-spread, and the market stayed
    assert values["FILL_LATENCY"] == pytest.approx(1.0)
    assert values["PARTICIPATION_RATE"] == 1.0  # nobody else traded
    assert values["EX_OWN_VWAP_SLIPPAGE"] is None
    assert card["EX_OWN_VWAP_SLIPPAGE"].note == BY_NAME["EX_OWN_VWAP_SLIPPAGE"].null_rule


def test_every_metric_of_the_catalogue_is_in_the_breakdown_with_a_value_or_a_reason() -> None:
    card = told("100.01").metric_breakdown
    assert list(card) == list(BY_NAME)
    assert [name for name, score in card.items() if score.metric_value is None and not score.note] == []


def test_shortfall_metrics_follow_from_the_exact_costs() -> None:
    card = told("100.05").metric_breakdown
    assert card["IMPLEMENTATION_SHORTFALL"].metric_value == pytest.approx(5.0)
    assert card["TRADING_COST"].metric_value == pytest.approx(5.0)
    assert card["EXPLICIT_COST"].metric_value == pytest.approx(0.0)
    assert Decimal(str(card["DELAY_COST"].metric_value)) == 0
