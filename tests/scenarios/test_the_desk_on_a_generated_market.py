"""Real orders on the generated market, all services: what monitoring and quality say of them must hold together."""

from collections import Counter
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.domain.ids import ParentOrderId
from bestex.domain.orders import Algorithm, ExecutionInstructions, ExecutionStyle, ParentOrder, Side
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND
from bestex.messages.envelope import Message
from bestex.messages.orders import CancelOrder, CreateOrder
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference

WALL_NS = 1_795_000_000 * NS_PER_SECOND
ORDERS = 7


def journal() -> tuple[Message[Any], ...]:
    return worked()[0]


def ended_desk() -> Desk:
    return worked()[1]


@cache
def worked() -> tuple[tuple[Message[Any], ...], Desk]:
    """Seven orders: recommended and planned in turn, G5 cancelled by its client, G6 refused for its short window."""
    market = GeneratedMarket(seed=5, wall_ns=WALL_NS)
    reference = GeneratedReference(market)
    kept = MemoryJournal()
    driver = ReplayDriver(Desk(services("all", reference, timed=False), market), kept)
    driver.restore_catalogues()
    for number in range(ORDERS):
        instrument = list(reference.instruments())[number % 2]
        instructions = ExecutionInstructions(
            algorithm=Algorithm.TWAP if number % 2 else None,
            execution_style=list(ExecutionStyle)[number % 3],
            end_time_ns=market.now_ns + (1 if number == 6 else 11) * NS_PER_MINUTE,
        )
        order = ParentOrder(
            order_id=ParentOrderId(f"G{number}"),
            instrument_id=instrument.instrument_id,
            side=(Side.BUY, Side.SELL)[number // 3 % 2],
            quantity=Decimal(1500),
            instructions=instructions,
        )
        request = CreateOrder(order=order, actor="test", market=market.snapshot(instrument.instrument_id))
        driver.request("order-desk", request, order_id=order.order_id)
        driver.run_until(market.now_ns + 20 * NS_PER_SECOND)
    driver.request("order-desk", CancelOrder(order_id="G5", actor="test"), order_id="G5")
    driver.run_until(market.now_ns + 12 * NS_PER_MINUTE)
    return tuple(kept.messages), driver.desk


def of(event_type: str) -> list[Any]:
    return [message.payload for message in journal() if message.event_type == event_type]


def test_every_order_is_completed_measured_graded_and_told_exactly_once() -> None:
    for event_type in ("execution_completed", "execution_measured", "execution_quality_analyzed", "trade_executed"):
        told = Counter(message.order_id for message in journal() if message.event_type == event_type)
        assert told == {f"G{number}": 1 for number in range(ORDERS)}, event_type


def test_both_ledgers_agree_on_every_order_and_no_invariant_is_broken() -> None:
    measured = {one.order_id: one for one in of("execution_measured")}
    for completed in of("execution_completed"):
        assert measured[completed.order_id].executed_quantity == completed.filled_quantity
        assert measured[completed.order_id].costs.fees == completed.fees
    assert [alert for alert in of("execution_alert_generated") if alert.severity == "CRITICAL"] == []


def test_every_cost_closes_to_the_last_digit() -> None:
    for trade in of("trade_executed"):
        cost = trade.cost_breakdown
        parts = cost.delay + cost.spread + cost.market_impact + cost.timing + cost.opportunity
        assert parts + cost.commission + cost.fees == cost.total


def test_recommended_orders_are_held_against_the_recommendation_and_others_against_their_plan() -> None:
    sources = {one.order_id: one.expected_cost_source for one in of("execution_measured")}
    expected = {f"G{number}": "plan" if number % 2 else "selection" for number in range(ORDERS)}
    assert sources == expected | {"G6": None}


def test_what_the_client_cancelled_has_no_fill_rate_to_answer_for() -> None:
    measured = {one.order_id: one for one in of("execution_measured")}
    graded = {one.order_id: one for one in of("execution_quality_analyzed")}
    assert measured["G5"].cancelled_by_client
    assert graded["G5"].metric_breakdown["FILL_RATE"].metric_value is None
    assert graded["G0"].metric_breakdown["FILL_RATE"].metric_value is not None


def test_the_last_update_says_what_was_measured() -> None:
    last = {one.order_id: one for one in of("execution_monitoring")}
    for measured in of("execution_measured"):
        update = last[measured.order_id]
        assert update.state == measured.state
        assert update.filled_quantity == measured.executed_quantity
        assert update.metrics.arrival_slippage_bps == measured.costs.arrival_slippage_bps


def test_market_volume_is_at_least_ours_and_ten_second_markouts_were_seen() -> None:
    for measured in of("execution_measured"):
        assert measured.market_volume >= measured.executed_quantity
        if measured.executed_quantity:
            assert measured.costs.markouts_bps["10"] is not None
            assert 0 < measured.metrics.participation_rate <= 1


def test_every_executed_order_has_a_grade_within_its_interval() -> None:
    graded = [one for one in of("execution_quality_analyzed") if one.overall_quality_score is not None]
    assert len(graded) >= 5
    for one in graded:
        assert one.interval.low <= one.overall_quality_score <= one.interval.high
        assert sum(score.weight for score in one.metric_breakdown.values()) == pytest.approx(1.0)


def test_an_order_without_a_strategy_is_rejected_everywhere_with_its_reason_and_measured_with_nulls() -> None:
    desk = ended_desk()
    [completed] = [one for one in of("execution_completed") if one.order_id == "G6"]
    states = {service.name: service.state("G6") for service in desk.services}
    assert states["order-desk"].state == completed.state == "REJECTED"
    assert states["order-desk"].reason == completed.reason
    assert "no execution strategy" in completed.reason
    assert states["algorithm"]["state"] == "REJECTED"
    assert states["strategy"].state == "REJECTED"
    [measured] = [one for one in of("execution_measured") if one.order_id == "G6"]
    assert (measured.executed_quantity, measured.average_fill_price, measured.expected_cost) == (0, None, None)
    assert measured.costs.arrival_slippage_bps is None
    [trade] = [one for one in of("trade_executed") if one.execution.order_id == "G6"]
    assert (trade.execution.executed_quantity, trade.execution.total_amount) == (0, 0)


def test_an_order_with_a_named_algorithm_is_measured_against_its_plan_with_a_modelled_impact() -> None:
    plans = {one.order_id: one for one in of("execution_planned") if one.revision == 0}
    named = [one for one in of("execution_measured") if one.expected_cost_source == "plan"]
    assert len(named) >= 3
    for measured in named:
        plan = plans[measured.order_id]
        assert 0 < plan.estimated_impact < plan.estimated_cost + plan.cost_sd
        assert measured.expected_cost == plan.estimated_cost
        assert measured.expected_impact == plan.estimated_impact
        assert measured.expected_cost_sd == plan.cost_sd
        if measured.executed_quantity:
            assert measured.costs.market_impact > 0
