"""What each message to the strategy service leads to."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bestex.domain.errors import Conflict, InvalidInput, InvalidOrder, NotFound
from bestex.domain.orders import Algorithm, ExecutionStyle, ParentState, Side, Urgency
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.codec import client_view, decode, encode
from bestex.messages.effects import Effects
from bestex.messages.execution import AlgorithmEnabledChanged, AlgorithmExecution, ExecutionCompleted, TimerDue
from bestex.messages.monitoring import ExecutionMeasured, TradeExecuted
from bestex.messages.orders import OrderAmended
from bestex.messages.records import StrategyPerformanceRow, StrategySelectionRow
from bestex.messages.strategy import (
    AdaptStrategy,
    DeleteStrategy,
    ExecutionConstraints,
    ExecutionStrategySelected,
    SaveStrategy,
)
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.service import StrategyService
from tests.strategy_cases import CLOSE_NS, NOW_NS, OneInstrument, Post, created, order, request, snapshot
from tests.unit.messages.samples import example


@pytest.fixture
def service() -> StrategyService:
    return StrategyService(OneInstrument(), StrategyConfig())


@pytest.fixture
def post() -> Post:
    return Post()


def selected(effects: Effects) -> ExecutionStrategySelected:
    [(key, fact)] = effects.events
    assert isinstance(fact, ExecutionStrategySelected)
    assert key == fact.order_id
    return fact


def working(filled: int, quantity: int = 20_000, state: ParentState = ParentState.WORKING) -> AlgorithmExecution:
    return AlgorithmExecution(
        order_id="order-1",
        algorithm="TWAP",
        state=state,
        quantity=Decimal(quantity),
        filled_quantity=Decimal(filled),
        live_quantity=Decimal(0),
        unknown_quantity=Decimal(0),
        remaining_quantity=Decimal(quantity - filled),
        scheduled_quantity=Decimal(filled),
        average_fill_price=None,
        schedule_deviation=0.0,
        decision_latency_ns=None,
        live_children=0,
        reason="",
    )


def adapt(**changes: Any) -> AdaptStrategy:
    return AdaptStrategy(
        **{"order_id": "order-1", "reason": "behind schedule", "market": snapshot(), "actor": "local", **changes}
    )


def test_a_recommendation_saves_a_proposal_and_publishes_nothing(service: StrategyService, post: Post) -> None:
    effects = service.handle(post(request()))
    assert effects.events == []
    [row] = effects.records
    assert isinstance(row, StrategySelectionRow)
    assert (row.status, row.id, row.order_id) == ("PROPOSED", effects.answer.selection_id, "order-1")
    assert row.recommendation is effects.answer
    assert row.strategy_name == effects.answer.recommended_strategy.strategy_name
    assert effects.answer.status == "PROPOSED"


def test_a_second_recommendation_for_the_same_order_has_another_id(service: StrategyService, post: Post) -> None:
    first, second = (service.handle(post(request())).answer for _ in range(2))
    assert first.selection_id != second.selection_id
    assert first.recommended_strategy == second.recommended_strategy


def test_an_order_with_its_proposal_commits_the_very_strategy(service: StrategyService, post: Post) -> None:
    proposal = service.handle(post(request())).answer
    effects = service.handle(post(created(order(selection_id=proposal.selection_id))))
    fact = selected(effects)
    assert fact.selection_id == proposal.selection_id
    assert fact.recommended_strategy == proposal.recommended_strategy
    assert fact.expected_outcomes == proposal.expected_outcomes
    assert fact.reason is None
    [row] = effects.records
    assert isinstance(row, StrategySelectionRow)
    assert (row.status, row.id) == ("COMMITTED", proposal.selection_id)


def test_a_proposal_committed_two_minutes_later_starts_two_minutes_later(service: StrategyService, post: Post) -> None:
    proposal = service.handle(post(request())).answer
    later = NOW_NS + 2 * NS_PER_MINUTE
    fact = selected(
        service.handle(post(created(order(selection_id=proposal.selection_id), snapshot(later)), time_ns=later))
    )
    before, after = proposal.recommended_strategy.time_allocation, fact.recommended_strategy.time_allocation
    assert after.start_time_ns == later
    assert after.end_time_ns == min(CLOSE_NS, before.end_time_ns + 2 * NS_PER_MINUTE)
    assert [item.fraction for item in after.slices] == [item.fraction for item in before.slices]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quantity": 30_000}, "quantity"),
        ({"price": "201.00"}, "price limit"),
        ({"max_participation_rate": 0.01}, "the order at most 1.0%"),
        ({"execution_style": ExecutionStyle.AGGRESSIVE}, "AGGRESSIVE"),
        ({"venue_restrictions": ("NYSE",)}, "NYSE"),
        ({"end_time_ns": NOW_NS + 3 * NS_PER_MINUTE}, "window"),
    ],
)
def test_a_proposal_that_does_not_fit_the_order_is_replaced_and_said_so(
    service: StrategyService, post: Post, changes: dict[str, Any], said: str
) -> None:
    proposal = service.handle(post(request())).answer
    fact = selected(service.handle(post(created(order(**{"selection_id": proposal.selection_id, **changes})))))
    assert fact.selection_id != proposal.selection_id
    assert fact.reason is not None
    assert said in fact.reason


def test_a_proposal_is_committed_once(service: StrategyService, post: Post) -> None:
    proposal = service.handle(post(request())).answer
    service.handle(post(created(order(selection_id=proposal.selection_id))))
    again = created(order(order_id="order-2", selection_id=proposal.selection_id))
    fact = selected(service.handle(post(again, key="order-2")))
    assert fact.selection_id != proposal.selection_id
    assert fact.reason is not None
    assert "order order-1 has committed it" in fact.reason


def test_an_old_proposal_is_made_anew(service: StrategyService, post: Post) -> None:
    proposal = service.handle(post(request())).answer
    later = NOW_NS + 16 * NS_PER_MINUTE
    fact = selected(
        service.handle(post(created(order(selection_id=proposal.selection_id), snapshot(later)), time_ns=later))
    )
    assert fact.reason is not None
    assert "older than 15 minutes" in fact.reason


def test_an_order_without_algorithm_gets_a_selection(service: StrategyService, post: Post) -> None:
    fact = selected(service.handle(post(created(order(max_participation_rate=0.08)))))
    assert fact.recommended_strategy.risk_controls.max_participation_rate == 0.08
    assert fact.adaptation == 0


def test_an_order_with_an_algorithm_is_left_to_it(service: StrategyService, post: Post) -> None:
    effects = service.handle(post(created(order(algorithm=Algorithm.TWAP))))
    assert effects.events == []
    assert effects.records == []


def test_an_order_that_no_strategy_may_work_ends_rejected_with_the_reason(service: StrategyService, post: Post) -> None:
    lit = ("NYSE", "NASDAQ", "BATS")
    [(_, fact)] = service.handle(post(created(order(venue_restrictions=lit)))).events
    assert isinstance(fact, ExecutionCompleted)
    assert fact.state is ParentState.REJECTED
    assert fact.unfilled_quantity == Decimal(20_000)
    assert "venue_restrictions" in fact.reason


def test_an_order_without_a_quote_waits_and_is_tried_again(service: StrategyService, post: Post) -> None:
    empty = snapshot(bid=None)
    effects = service.handle(post(created(order(), empty)))
    [timer] = effects.timers
    assert effects.events == []
    assert timer.at_ns == NOW_NS + 5_000_000_000
    due = TimerDue(order_id="order-1", service="strategy", name=timer.name, market=snapshot(timer.at_ns))
    assert selected(service.handle(post(due, time_ns=timer.at_ns))).adaptation == 0
    again = service.handle(post(due, time_ns=timer.at_ns + 1))
    assert again.events == []


def test_an_adaptation_plans_what_remains(service: StrategyService, post: Post) -> None:
    service.handle(post(created(order())))
    service.handle(post(working(5_000)))
    effects = service.handle(post(adapt(urgency=Urgency.URGENT)))
    fact = selected(effects)
    assert fact.adaptation == 1
    assert fact.reason == "behind schedule"
    [row] = effects.records
    assert isinstance(row, StrategySelectionRow)
    assert row.quantity == Decimal(15_000)
    assert effects.answer.status == "COMMITTED"
    assert selected(service.handle(post(adapt()))).adaptation == 2


def test_an_adaptation_keeps_what_the_client_demanded_before(service: StrategyService, post: Post) -> None:
    proposal = service.handle(post(request(constraints={"max_participation_rate": 0.06}))).answer
    service.handle(post(created(order(selection_id=proposal.selection_id))))
    wider = ExecutionConstraints(max_participation_rate=0.20)
    fact = selected(service.handle(post(adapt(constraints=wider))))
    assert fact.recommended_strategy.risk_controls.max_participation_rate == 0.06


def test_an_amended_order_is_adapted_as_amended(service: StrategyService, post: Post) -> None:
    service.handle(post(created(order())))
    amendment = OrderAmended(order_id="order-1", actor="local", quantity=Decimal(8_000), max_participation_rate=0.05)
    service.handle(post(amendment))
    effects = service.handle(post(adapt()))
    assert effects.records[0].quantity == Decimal(8_000)  # type: ignore[attr-defined]
    assert selected(effects).recommended_strategy.risk_controls.max_participation_rate == 0.05


def test_an_unknown_or_finished_order_cannot_be_adapted(service: StrategyService, post: Post) -> None:
    with pytest.raises(Conflict, match="not known"):
        service.handle(post(adapt()))
    service.handle(post(created(order())))
    service.handle(post(working(20_000, state=ParentState.FILLED)))
    with pytest.raises(Conflict, match="FILLED"):
        service.handle(post(adapt()))


def test_more_than_what_is_left_cannot_be_adapted(service: StrategyService, post: Post) -> None:
    service.handle(post(created(order())))
    service.handle(post(working(5_000)))
    with pytest.raises(InvalidOrder, match="more than the 15000 left") as caught:
        service.handle(post(adapt(remaining_quantity=Decimal(15_001))))
    assert caught.value.field == "remaining_quantity"


def test_every_wrong_field_of_a_request_is_named_at_once(service: StrategyService, post: Post) -> None:
    wrong = request(
        constraints={"max_participation_rate": 10.0, "time_limit_minutes": 0, "venue_restrictions": ("XETR",)},
        algorithm="SNIPER",
    )
    with pytest.raises(InvalidOrder) as caught:
        service.handle(post(wrong))
    assert [error.field for error in caught.value.errors] == [
        "constraints.max_participation_rate",
        "constraints.time_limit_minutes",
        "constraints.venue_restrictions",
        "algorithm",
    ]


def test_an_unknown_instrument_is_not_found(service: StrategyService, post: Post) -> None:
    unknown = request()
    with pytest.raises(NotFound):
        service.handle(post(type(unknown)(**{**_fields(unknown), "instrument_id": "NONE"})))


def test_the_same_messages_lead_to_the_same_effects() -> None:
    answers = []
    for _ in range(2):
        service, post = StrategyService(OneInstrument(), StrategyConfig()), Post()
        first = service.handle(post(request())).answer
        effects = service.handle(post(created(order(selection_id=first.selection_id))))
        answers.append((first, effects, service.state("order-1")))
    assert answers[0] == answers[1]


def test_the_selection_survives_the_wire(service: StrategyService, post: Post) -> None:
    fact = selected(service.handle(post(created(order()))))
    message = post(fact)
    assert encode(decode(encode(message))) == encode(message)


def test_clients_see_the_shape_of_the_seeds(service: StrategyService, post: Post) -> None:
    view = client_view(selected(service.handle(post(created(order(dark_pool_preference=True))))))
    assert {"order_id", "recommended_strategy", "strategy_rationale", "expected_outcomes", "confidence"} <= set(view)
    plan = view["recommended_strategy"]
    assert {"strategy_name", "algorithm", "parameters", "venue_allocation"} <= set(plan)
    assert {"participation_rate", "dark_pool_ratio", "volatility_adjustment"} <= set(plan["parameters"])
    assert isinstance(plan["parameters"]["volatility_adjustment"], bool)
    assert {"estimated_cost", "estimated_time_minutes", "market_impact", "completion_probability"} <= set(
        view["expected_outcomes"]
    )
    assert isinstance(view["expected_outcomes"]["estimated_time_minutes"], int)
    assert plan["time_allocation"]["start_time"].endswith("Z")


def test_a_saved_strategy_is_recommended_and_a_deleted_one_is_not(service: StrategyService, post: Post) -> None:
    for row in service.initial_records(0):
        service.handle(post(DeleteStrategy(strategy_name=row.strategy_name, actor="local"), key="desk"))
    mine = SaveStrategy(
        strategy_name="House TWAP",
        algorithm_mapping={"algorithm": "TWAP", "execution_style": "BALANCED"},
        parameter_ranges={"horizon_minutes": {"min": 5, "max": 30}},
        actor="local",
        create=True,
    )
    saved = service.handle(post(mine, key="desk")).answer
    assert saved.enabled
    assert service.handle(post(request())).answer.recommended_strategy.strategy_name == "House TWAP"
    with pytest.raises(Conflict, match="exists already"):
        service.handle(post(mine, key="desk"))
    deleted = service.handle(post(DeleteStrategy(strategy_name="House TWAP", actor="local"), key="desk")).answer
    assert not deleted.enabled
    with pytest.raises(InvalidOrder, match="switched off"):
        service.handle(post(request()))


def test_a_strategy_that_cannot_be_used_is_refused_field_by_field(service: StrategyService, post: Post) -> None:
    broken = SaveStrategy(
        strategy_name="Broken",
        algorithm_mapping={"algorithm": "TWOP", "execution_style": "BALANCED", "adv_fraction_max": -1},
        parameter_ranges={"horizon_minutes": {"min": 30, "max": 5}, "speed": {"min": 1, "max": 2}},
        actor="local",
        create=True,
    )
    with pytest.raises(InvalidInput) as caught:
        service.handle(post(broken, key="desk"))
    assert {error.field for error in caught.value.errors} == {
        "algorithm_mapping.algorithm",
        "algorithm_mapping.adv_fraction_max",
        "parameter_ranges.horizon_minutes",
        "parameter_ranges.speed",
    }


def test_the_day_s_roll_up_goes_on_after_a_restart(service: StrategyService) -> None:
    stored = StrategyPerformanceRow(
        id="p1",
        strategy_name="Steady TWAP",
        execution_date="2026-11-20",
        orders_executed=4,
        avg_cost=0.001,
        avg_market_impact=0.0,
        success_rate=1.0,
        avg_expected_cost=0.001,
        cost_error=0.0,
        created_at_ns=1,
    )
    service.restore([stored])
    assert service._performance["Steady TWAP", "2026-11-20"] == stored


def test_a_strategy_of_a_disabled_algorithm_is_not_recommended(service: StrategyService, post: Post) -> None:
    for name in ("VWAP", "PARTICIPATION_RATE", "IMPLEMENTATION_SHORTFALL"):
        service.handle(post(AlgorithmEnabledChanged(algorithm_name=name, enabled=False, actor="local"), key="desk"))
    answer = service.handle(post(request())).answer
    assert answer.recommended_strategy.algorithm == "TWAP"
    assert all(item.strategy.algorithm == "TWAP" for item in answer.alternative_strategies)
    service.handle(post(AlgorithmEnabledChanged(algorithm_name="VWAP", enabled=True, actor="local"), key="desk"))
    assert "VWAP" in {item.algorithm for item in service.handle(post(request())).answer.frontier}


def test_a_sell_is_priced_like_a_buy_in_a_still_market(service: StrategyService, post: Post) -> None:
    buy = service.handle(post(request())).answer
    sell = service.handle(post(request(side=Side.SELL))).answer
    assert buy.expected_outcomes == sell.expected_outcomes


def _fields(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__struct_fields__}


def test_an_order_cancelled_while_it_waits_for_a_quote_is_never_selected(service: StrategyService, post: Post) -> None:
    [timer] = service.handle(post(created(order(), snapshot(bid=None)))).timers
    effects = service.handle(post(working(0, state=ParentState.CANCELLED)))
    assert [(item.name, item.at_ns) for item in effects.timers] == [(timer.name, None)]
    due = TimerDue(order_id="order-1", service="strategy", name=timer.name, market=snapshot())
    assert service.handle(post(due)).events == []


def test_an_order_that_waits_past_the_session_ends_rejected(service: StrategyService, post: Post) -> None:
    service.handle(post(created(order(), snapshot(bid=None))))
    late = CLOSE_NS + 1
    due = TimerDue(order_id="order-1", service="strategy", name="select", market=snapshot(late))
    [(_, fact)] = service.handle(post(due, time_ns=late)).events
    assert isinstance(fact, ExecutionCompleted)
    assert fact.state is ParentState.REJECTED
    assert "no session" in fact.reason


def test_a_forgotten_proposal_is_made_anew(post: Post) -> None:
    service = StrategyService(OneInstrument(), StrategyConfig(proposals_kept_max=1))
    first = service.handle(post(request())).answer
    service.handle(post(request(order_id="order-2"), key="order-2"))
    fact = selected(service.handle(post(created(order(selection_id=first.selection_id)))))
    assert fact.reason is not None
    assert "it is not known" in fact.reason


def test_a_filled_order_has_nothing_left_to_adapt(service: StrategyService, post: Post) -> None:
    service.handle(post(created(order())))
    service.handle(post(working(20_000)))
    with pytest.raises(Conflict, match="nothing left"):
        service.handle(post(adapt()))


def test_an_order_may_name_the_algorithm_of_its_proposal(service: StrategyService, post: Post) -> None:
    proposal = service.handle(post(request(algorithm="VWAP"))).answer
    parent = order(selection_id=proposal.selection_id, algorithm=Algorithm.VWAP)
    assert selected(service.handle(post(created(parent)))).selection_id == proposal.selection_id


def test_what_monitoring_measured_stands_beside_the_outcome(service: StrategyService, post: Post) -> None:
    service.handle(post(created(order())))
    measured = msgspec.structs.replace(example(ExecutionMeasured), order_id="order-1")
    service.handle(post(measured))
    fact = example(TradeExecuted)
    fact = msgspec.structs.replace(fact, execution=msgspec.structs.replace(fact.execution, order_id="order-1"))
    row = service.handle(post(fact)).records[0]
    assert isinstance(row, StrategySelectionRow)
    assert row.actual_outcomes is not None
    assert row.actual_outcomes["participation_rate"] == measured.metrics.participation_rate
    assert row.actual_outcomes["state"] == measured.state
