"""From an order to the day's roll-up: selected, worked, measured, scored."""

from decimal import Decimal

import pytest

from bestex.domain.orders import ParentState, Side
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.execution import ExecutionCompleted
from bestex.messages.monitoring import CostBreakdown, TradeExecuted, TradeExecution, TradeQuality, TradeTiming
from bestex.messages.records import StrategyPerformanceRow, StrategySelectionRow
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.service import StrategyService
from tests.strategy_cases import NOW_NS, OneInstrument, Post, created, order

END_NS = NOW_NS + 30 * NS_PER_MINUTE


def executed(order_id: str, spread: str, *, filled: int = 20_000) -> TradeExecuted:
    """20,000 at 200.00 is 4,000,000: a spread cost of 400 is 1 bp."""
    return TradeExecuted(
        execution=TradeExecution(
            order_id=order_id,
            instrument_id="ACME",
            side=Side.BUY,
            requested_quantity=Decimal(20_000),
            executed_quantity=Decimal(filled),
            average_fill_price=Decimal("200.00") if filled else None,
            total_amount=Decimal(200 * filled),
            venues={"NYSE": Decimal(filled)},
            broker="paper",
        ),
        execution_quality=TradeQuality(
            implementation_shortfall_bps=0.0,
            market_impact_bps=0.0,
            timing_cost_bps=0.0,
            total_cost_bps=0.0,
            execution_quality_score=None,
        ),
        timing=TradeTiming(
            decision_time_ns=NOW_NS,
            order_submission_time_ns=NOW_NS,
            first_fill_time_ns=NOW_NS,
            completion_time_ns=END_NS,
        ),
        cost_breakdown=CostBreakdown(
            commission=Decimal(0),
            fees=Decimal(0),
            spread=Decimal(spread),
            market_impact=Decimal(0),
            timing=Decimal(0),
            opportunity=Decimal(0),
            total=Decimal(spread),
        ),
    )


def test_an_order_is_selected_completed_scored_and_rolled_up() -> None:
    service, post = StrategyService(OneInstrument(), StrategyConfig()), Post()
    costs = ("400", "2000", "1200")  # 1, 5 and 3 bps
    performance = None
    for number, cost in enumerate(costs):
        key = f"order-{number}"
        [(_, fact)] = service.handle(post(created(order(order_id=key)), key=key)).events
        done = ExecutionCompleted(
            order_id=key,
            state=ParentState.FILLED,
            quantity=Decimal(20_000),
            filled_quantity=Decimal(20_000),
            unfilled_quantity=Decimal(0),
            average_fill_price=Decimal("200.00"),
            notional=Decimal(4_000_000),
            fees=Decimal(0),
            started_ns=NOW_NS,
            completed_ns=END_NS,
            child_orders=30,
            reason="done",
        )
        assert service.handle(post(done, key=key, time_ns=END_NS)).events == []
        effects = service.handle(post(executed(key, cost), key=key, time_ns=END_NS))
        selection, performance = effects.records
        assert isinstance(selection, StrategySelectionRow)
        assert isinstance(performance, StrategyPerformanceRow)
        assert selection.id == fact.selection_id  # type: ignore[attr-defined]
        assert selection.actual_outcomes is not None
        assert selection.actual_outcomes["realised_cost"] == pytest.approx(float(cost) / 4_000_000)
        assert selection.performance_score is not None
        assert 0 < selection.performance_score < 1
        again = service.handle(post(executed(key, cost), key=key, time_ns=END_NS))
        assert again.records == []
    assert performance is not None
    expected = fact.expected_outcomes.estimated_cost  # type: ignore[attr-defined]
    assert performance.execution_date == "2026-11-20"
    assert performance.orders_executed == 3
    assert performance.avg_cost == pytest.approx(3e-4, abs=1e-12)  # (1 + 5 + 3) / 3 = 3 bps
    assert performance.success_rate == 1.0
    assert performance.avg_expected_cost == pytest.approx(expected)
    assert performance.cost_error == pytest.approx(3e-4 - expected)


def test_a_cheaper_execution_scores_higher() -> None:
    scores = []
    for cost in ("-400", "400", "4000"):
        service, post = StrategyService(OneInstrument(), StrategyConfig()), Post()
        service.handle(post(created(order())))
        row = service.handle(post(executed("order-1", cost), time_ns=END_NS)).records[0]
        assert isinstance(row, StrategySelectionRow)
        scores.append(row.performance_score)
    assert scores == sorted(scores, reverse=True)  # type: ignore[type-var]


def test_an_order_that_executed_nothing_has_no_score_and_no_roll_up() -> None:
    service, post = StrategyService(OneInstrument(), StrategyConfig()), Post()
    service.handle(post(created(order())))
    [row] = service.handle(post(executed("order-1", "0", filled=0), time_ns=END_NS)).records
    assert isinstance(row, StrategySelectionRow)
    assert row.performance_score is None
    assert row.actual_outcomes is not None
    assert row.actual_outcomes["realised_cost"] is None
