"""Venues and algorithms over many orders: sums that continue, samples that suffice, and abstention where they do not."""

import random
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bestex.domain.errors import InvalidInput, NotFound
from bestex.domain.orders import ParentState
from bestex.messages.envelope import Message
from bestex.messages.monitoring import ExecutionMeasured
from bestex.messages.quality import AnalyzeQuality
from bestex.messages.records import AlgorithmProfileRow, QualityResultRow, VenueProfileRow
from bestex.quant.rollups import RatioOfSums
from bestex.quant.shrinkage import GroupPosterior
from bestex.services.quality.config import QualityConfig
from bestex.services.quality.group_grades import group_grade
from bestex.services.quality.history import History
from bestex.services.quality.service import QualityService
from bestex.services.quality.standards import STANDARD
from tests.scenarios.order_story import ORDER, START, Reference, Story


def measured_once(price: str = "100.01", venue: str = "NYSE") -> ExecutionMeasured:
    story = Story()
    story.create()
    story.select()
    story.plan()
    story.send("c1", 1000, venue=venue)
    story.pass_time(1)
    story.fill("c1", 1000, price, venue=venue)
    story.complete(ParentState.FILLED)
    story.pass_time(20)
    measured: ExecutionMeasured = story.last("execution_measured")
    return measured


def many(count: int, *, seed: int) -> list[ExecutionMeasured]:
    """Orders at prices around the ask, at either venue: DARK is better by a cent."""
    print("seed", seed)
    source = random.Random(seed)
    made = {
        (price, venue): measured_once(price, venue)
        for price in ("99.99", "100.00", "100.01", "100.02")
        for venue in ("NYSE", "DARK")
    }
    orders = []
    for number in range(count):
        venue = source.choice(("NYSE", "DARK"))
        price = source.choice(("100.00", "100.01", "100.02") if venue == "NYSE" else ("99.99", "100.00", "100.01"))
        orders.append(msgspec.structs.replace(made[price, venue], order_id=f"P{number}"))
    return orders


def tell(service: QualityService, measured: ExecutionMeasured) -> Any:
    message = Message(
        event_id=f"e-{measured.order_id}",
        event_type="execution_measured",
        schema_version=1,
        time_ns=START + int(measured.order_id[1:]) * 1_000_000,
        source_service="monitoring",
        order_id=measured.order_id,
        sequence=1,
        causation_id=None,
        correlation_id="c",
        payload=measured,
    )
    return service.handle(message)


def latest(effects: list[Any], kind: type) -> dict[str, Any]:
    rows = [row for effect in effects for row in effect.records if isinstance(row, kind)]
    return {getattr(row, row.key[0]): row for row in rows}


def fresh() -> QualityService:
    return QualityService(Reference(), QualityConfig())


def test_a_restarted_service_continues_the_roll_ups_as_if_it_had_never_stopped() -> None:
    orders = many(60, seed=5)
    whole, first = fresh(), fresh()
    expected = [tell(whole, order) for order in orders]
    before = [tell(first, order) for order in orders[:35]]
    second = fresh()
    for kind in second.restores:
        second.restore(list(latest(before, kind).values()))
    after = [tell(second, order) for order in orders[35:]]
    assert [effects.events for effects in after] == [effects.events for effects in expected[35:]]
    for kind in (VenueProfileRow, AlgorithmProfileRow, QualityResultRow):
        assert latest(before + after, kind) == latest(expected, kind)


def test_rows_survive_being_stored_as_json() -> None:
    effects = [tell(fresh(), order) for order in many(1, seed=1)]
    for kind in fresh().restores:
        for row in latest(effects, kind).values():
            stored = msgspec.json.decode(msgspec.json.encode(row), type=kind)
            assert msgspec.json.encode(stored) == msgspec.json.encode(row)
            fresh().restore([stored])


def test_after_enough_orders_venues_have_a_score_with_an_interval_that_holds_it() -> None:
    service = fresh()
    effects = [tell(service, order) for order in many(200, seed=7)]
    rows = latest(effects, VenueProfileRow)
    performances = {
        event.venue: event for effect in effects for key, event in effect.events if key.startswith("venue:")
    }
    for venue, performance in performances.items():
        assert performance.orders >= 50
        assert performance.interval_low < performance.quality_score < performance.interval_high
        assert rows[venue].quality_score == performance.quality_score
    assert performances["DARK"].quality_score > performances["NYSE"].quality_score
    assert performances["DARK"].metrics["net_cost"] < performances["NYSE"].metrics["net_cost"]


def test_a_venue_is_recommended_only_with_the_evidence_of_enough_orders() -> None:
    service = fresh()
    analyses = [tell(service, order).events[0][1] for order in many(200, seed=7)]

    def says_so(analysis: Any) -> bool:
        return any("prefer DARK" in sentence for sentence in analysis.improvement_recommendations)

    assert not any(says_so(analysis) for analysis in analyses[:99])
    assert any(says_so(analysis) for analysis in analyses[150:])


def test_a_rollup_of_many_orders_equals_the_sums_over_all_of_them() -> None:
    service, orders = fresh(), many(80, seed=3)
    effects = [tell(service, order) for order in orders]
    row = latest(effects, VenueProfileRow)["NYSE"]
    at_nyse = [order for order in orders if order.venues[0].venue == "NYSE"]
    effective = sum(2 * (float(order.fills[0].price) - 100) * 1000 for order in at_nyse)
    quoted = sum(0.02 * 1000 for _ in at_nyse)
    assert row.orders == len(at_nyse)
    assert row.metrics["effective_over_quoted"] == pytest.approx(effective / quoted, rel=1e-10)
    assert row.metrics["effective_spread_bps"] == pytest.approx(effective / (len(at_nyse) * 100_000) * 1e4, rel=1e-10)


def test_the_same_measurement_twice_is_graded_once() -> None:
    service, order = fresh(), many(1, seed=1)[0]
    assert tell(service, order).events
    assert tell(service, order).events == []


def rolled(orders: int) -> RatioOfSums:
    total = RatioOfSums()
    for number in range(orders):
        total = total.adding(0.5 + 0.1 * (-1) ** number, 1.0)
    return total


def test_a_group_below_the_minimum_sample_is_not_graded_and_says_so() -> None:
    grade = group_grade(rolled(49), GroupPosterior(mean=0.9, sd=0.001), STANDARD.venue_grades, QualityConfig())
    assert (grade.score, grade.grade) == (None, None)
    assert grade.note == "insufficient evidence: 49 orders, 50 needed"


def test_a_group_of_one_giant_order_is_not_graded() -> None:
    lopsided = rolled(60).adding(1e6, 1e6)
    grade = group_grade(lopsided, GroupPosterior(mean=0.9, sd=0.001), STANDARD.venue_grades, QualityConfig())
    assert grade.note is not None
    assert "61 orders weigh like 1, 30 needed" in grade.note


def test_a_group_is_graded_only_when_one_grade_is_likely_enough() -> None:
    clear = group_grade(rolled(50), GroupPosterior(mean=0.58, sd=0.02), STANDARD.venue_grades, QualityConfig())
    assert (clear.grade, clear.note) == ("GOOD", None)
    unclear = group_grade(rolled(50), GroupPosterior(mean=0.51, sd=0.02), STANDARD.venue_grades, QualityConfig())
    assert unclear.grade is None
    assert unclear.score == pytest.approx(0.51)
    assert unclear.note == "no grade: GOOD or AVERAGE, none with a probability of 95%"


def test_a_rank_counts_equals_half_and_needs_a_sample() -> None:
    history = History(kept=100)
    for score in (1.0, 2.0, 3.0):
        history.add(score)
    assert history.percentile_rank(3.0, sample_min=4) is None
    history.add(4.0)
    assert history.percentile_rank(3.0, sample_min=4) == 0.625  # two worse, one equal, of four
    assert history.percentile_rank(9.0, sample_min=4) == 1.0


def test_only_the_latest_executions_are_kept() -> None:
    history = History(kept=3)
    for score in (9.0, 1.0, 2.0, 3.0):
        history.add(score)
    assert history.percentile_rank(9.0, sample_min=3) == 1.0
    assert history.percentile_rank(0.5, sample_min=3) == 0.0


@pytest.mark.parametrize(
    ("before", "now", "trend"),
    [(0.5, 0.9, "IMPROVING"), (0.9, 0.5, "WORSENING"), (0.5, 0.51, "STABLE")],
)
def test_a_trend_is_called_when_luck_alone_would_rarely_show_it(before: float, now: float, trend: str) -> None:
    history = History(kept=100)
    for number in range(30):
        history.add(before + 0.1 * (-1) ** number)
    for number in range(10):
        history.add(now + 0.1 * (-1) ** number)
    assert history.trend(recent=10, sample_min=20) == trend
    assert history.trend(recent=10, sample_min=41) == "INSUFFICIENT_DATA"


def test_ranks_and_trends_appear_with_the_sample() -> None:
    service = fresh()
    cards = [tell(service, order).events[0][1].metric_breakdown["SLIPPAGE"] for order in many(22, seed=2)]
    assert {card.percentile_rank for card in cards[:20]} == {None}
    assert {card.trend for card in cards[:20]} == {"INSUFFICIENT_DATA"}
    assert cards[20].percentile_rank is not None
    assert cards[20].trend in ("IMPROVING", "STABLE", "WORSENING")


def test_a_graded_order_can_be_asked_for_again_and_an_unknown_one_cannot() -> None:
    story = Story()
    story.create()
    story.select()
    story.plan()
    story.complete(ParentState.REJECTED)
    with pytest.raises(NotFound, match="has not been graded"):
        story.tell(AnalyzeQuality(order_id=ORDER))
    story.pass_time(20)
    before = len(story.messages)
    assert story.tell(AnalyzeQuality(order_id=ORDER)).answer == story.last("execution_quality_analyzed")
    assert len(story.messages) == before + 1


def test_fees_of_a_venue_are_in_bps_of_what_it_filled() -> None:
    """10 a fill of 1,000 units is 1 cent a unit: 1 bp of 100."""
    story = Story()
    story.create()
    story.select()
    story.plan()
    story.send("c1", 1000)
    story.fill("c1", 1000, "100.01", fee="10")
    story.complete(ParentState.FILLED)
    story.pass_time(20)
    (venue,) = story.last("execution_quality_analyzed").venue_performance
    assert venue.fee_bps == pytest.approx(1.0, rel=1e-3)
    assert story.last("execution_measured").costs.fees == Decimal(10)


def test_a_config_that_cannot_work_says_everything_that_is_wrong() -> None:
    with pytest.raises(InvalidInput) as caught:
        QualityConfig(interval_coverage=1.0, recent_executions=30)
    assert {error.field for error in caught.value.errors} == {
        "quality.interval_coverage",
        "quality.like_executions_min",
    }


def test_costs_that_turn_worse_are_told_once() -> None:
    service = fresh()
    cheap, dear = measured_once("99.99"), measured_once("100.05")
    mixed = [cheap, measured_once("100.00")] * 15 + [dear] * 10
    orders = [msgspec.structs.replace(order, order_id=f"P{number}") for number, order in enumerate(mixed)]
    events = [event for order in orders for event in tell(service, order).events]
    (alert,) = [event for _, event in events if event.message_type == "quality_alert"]
    assert (alert.subject, alert.severity) == ("TWAP", "MEDIUM")
