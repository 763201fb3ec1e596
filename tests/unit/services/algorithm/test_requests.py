"""What people ask: plans, changes, pauses, cancels and kills, and what is refused."""

import itertools
from decimal import Decimal
from typing import Any

import pytest

from bestex.domain.errors import BestexError, Conflict, InvalidInput, InvalidOrder, LimitBreached, NotFound
from bestex.domain.fills import ReportKind
from bestex.domain.orders import PARENT_TRANSITIONS, Algorithm, ExecutionStyle, ParentState, Side, Urgency
from bestex.messages.envelope import Payload
from bestex.messages.execution import (
    AlgorithmExecution,
    CancelExecution,
    ChildOrderCancelRequested,
    ChildOrderSubmitted,
    ExecutionCompleted,
    ExecutionParameters,
    ExecutionPlanned,
    ExecutionRequest,
    KillExecutions,
    KillSwitchChanged,
    ModifyExecution,
    PauseExecution,
    PlanExecution,
    PriceLimits,
    RearmExecutions,
    ResumeExecution,
    SetAlgorithmEnabled,
    StartExecution,
    WorkingConstraints,
)
from bestex.messages.orders import OrderAmended, OrderCancelled
from bestex.messages.records import DeskStateRow, ExecutionAlgorithmRow, ExecutionPlanRow
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.service import AlgorithmService
from tests.unit.services.algorithm.paper_desk import CLOSE, MINUTE, OPEN, SECOND, PaperDesk, Reference, parent_order


def request(**changes: Any) -> ExecutionRequest:
    fields: dict[str, Any] = {
        "order_id": "P1",
        "instrument_id": "ABC",
        "side": Side.BUY,
        "quantity": Decimal(6_000),
        "algorithm": "TWAP",
        "execution_style": ExecutionStyle.AGGRESSIVE,
        "parameters": ExecutionParameters(),
        "constraints": WorkingConstraints(),
        "start_time_ns": OPEN,
        "target_completion_time_ns": OPEN + 30 * MINUTE,
    }
    return ExecutionRequest(**{**fields, **changes})


def working(style: ExecutionStyle = ExecutionStyle.BALANCED, **changes: Any) -> PaperDesk:
    """A desk with one order of 6,000 over 30 minutes, five minutes into it."""
    desk = PaperDesk()
    desk.create(parent_order(style=style, **changes))
    desk.run_until(OPEN + 5 * MINUTE + SECOND)
    return desk


def refused(desk: PaperDesk, payload: Payload, kind: type[BestexError], order_id: str = "P1") -> BestexError:
    before = desk.service.state(order_id)
    with pytest.raises(kind) as caught:
        desk.tell(payload, order_id)
    assert desk.service.state(order_id) == before, "a refused request changed something"
    return caught.value


# -- plans


def test_a_dry_plan_sends_nothing_and_knows_nothing_afterwards() -> None:
    desk = PaperDesk()
    effects = desk.tell(PlanExecution(request=request(), market=desk.market()))
    assert effects.events == []
    assert effects.timers == []
    assert effects.answer.estimated_cost > 0
    assert sum(child.quantity for child in effects.answer.child_orders) == 6_000
    assert desk.service.state("P1") is None


def test_implementation_shortfall_is_planned_front_loaded_and_a_zero_kappa_is_a_twap() -> None:
    desk = PaperDesk()

    def slices(**parameters: Any) -> list[Decimal]:
        wanted = request(algorithm="IMPLEMENTATION_SHORTFALL", parameters=ExecutionParameters(**parameters))
        plan = desk.tell(PlanExecution(request=wanted, market=desk.market())).answer
        return [part.target_quantity for part in plan.execution_schedule]

    assert slices(risk_aversion=0.0) == [200] * 30
    urgent = slices(risk_aversion=3.0)
    assert urgent[0] > 2 * urgent[15]
    assert all(later <= earlier + 10 for earlier, later in itertools.pairwise(urgent)), "one lot is rounding"


def test_a_participation_plan_promises_no_more_than_the_expected_volume_allows() -> None:
    desk = PaperDesk()
    wanted = request(
        algorithm="PARTICIPATION_RATE",
        quantity=Decimal(100_000),
        parameters=ExecutionParameters(participation_rate=0.10),
    )
    plan = desk.tell(PlanExecution(request=wanted, market=desk.market())).answer
    # 30 of 390 minutes of 5,000,000 is 384,615; a ninth of it is 42,735, in lots of 10.
    assert sum(part.target_quantity for part in plan.execution_schedule) == 42_740


def test_no_trade_zones_get_nothing_and_the_rest_is_spread_over_the_time_left() -> None:
    desk = PaperDesk()
    zone = (OPEN + 10 * MINUTE, OPEN + 20 * MINUTE)
    wanted = request(constraints=WorkingConstraints(no_trade_zones=(zone,)))
    plan = desk.tell(PlanExecution(request=wanted, market=desk.market())).answer
    sizes = [part.target_quantity for part in plan.execution_schedule]
    assert sizes == [300] * 10 + [0] * 10 + [300] * 10


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": Decimal(15)}, "quantity"),
        ({"algorithm": "MAGIC"}, "algorithm"),
        ({"target_completion_time_ns": OPEN}, "end_time"),
        ({"parameters": ExecutionParameters(participation_rate=0.0)}, "participation_rate"),
        ({"parameters": ExecutionParameters(participation_rate=1.5)}, "participation_rate"),
        ({"parameters": ExecutionParameters(risk_aversion=-1.0)}, "risk_aversion"),
        ({"parameters": ExecutionParameters(custom_parameters={"slices": 2.5})}, "slices"),
        ({"parameters": ExecutionParameters(custom_parameters={"slices": "many"})}, "slices"),
        (
            {"constraints": WorkingConstraints(price_limits=PriceLimits(max=Decimal("100.005")))},
            "constraints.price_limits.max",
        ),
        (
            {"constraints": WorkingConstraints(price_limits=PriceLimits(min=Decimal(102), max=Decimal(101)))},
            "price_limits.min",
        ),
        ({"constraints": WorkingConstraints(venue_exclusions=("MARS",))}, "venue_exclusions"),
        ({"constraints": WorkingConstraints(max_order_size=Decimal(5))}, "max_order_size"),
        (
            {"constraints": WorkingConstraints(min_order_size=Decimal(50), max_order_size=Decimal(20))},
            "min_order_size",
        ),
        ({"constraints": WorkingConstraints(dark_pool_ratio=1.2)}, "dark_pool_ratio"),
        ({"constraints": WorkingConstraints(no_trade_zones=((OPEN, CLOSE),))}, "no_trade_zones"),
        ({"constraints": WorkingConstraints(no_trade_zones=((OPEN + 9, OPEN),))}, "no_trade_zones"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    desk = PaperDesk()
    error = refused(desk, PlanExecution(request=request(**changes), market=desk.market()), InvalidOrder)
    assert error.field == field


# -- starting


def test_starting_an_order_that_nobody_created_is_refused() -> None:
    desk = PaperDesk()
    refused(desk, StartExecution(request=request(), market=desk.market(), actor="trader"), NotFound)


def test_starting_twice_is_once_and_starting_otherwise_is_a_conflict() -> None:
    desk = PaperDesk()
    desk.create(parent_order(algorithm=None))
    assert desk.of(ExecutionPlanned) == []
    start = StartExecution(request=request(), market=desk.market(), actor="trader")
    first = desk.tell(start).answer
    again = desk.tell(start)
    assert again.answer == first
    assert again.events == []
    other = request(algorithm="VWAP")
    assert refused(desk, StartExecution(request=other, market=desk.market(), actor="x"), Conflict).field == "algorithm"
    more = request(quantity=Decimal(9_000))
    assert refused(desk, StartExecution(request=more, market=desk.market(), actor="x"), Conflict).field == "quantity"


def test_an_order_with_bad_parameters_ends_rejected_and_says_why() -> None:
    desk = PaperDesk()
    desk.create(parent_order(parameters={"participation_rate": 2.0}))
    (completed,) = desk.of(ExecutionCompleted)
    assert completed.state is ParentState.REJECTED
    assert "participation_rate" in completed.reason


def test_an_order_before_the_open_waits_for_it_and_says_so() -> None:
    desk = PaperDesk(now_ns=OPEN - 60 * MINUTE)
    desk.create(parent_order(minutes=None))
    assert desk.progress().state is ParentState.PENDING
    assert "waits for the open" in desk.progress().reason
    (planned,) = desk.of(ExecutionPlanned)
    assert planned.start_time_ns == OPEN
    assert planned.end_time_ns == OPEN + 30 * MINUTE
    desk.run_until(OPEN + 31 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_an_end_after_the_close_is_the_close() -> None:
    desk = PaperDesk()
    desk.create(parent_order(minutes=24 * 60))
    (planned,) = desk.of(ExecutionPlanned)
    assert planned.end_time_ns == CLOSE


# -- pause, resume, cancel


def test_a_pause_takes_back_what_rests_and_sends_nothing_until_resumed() -> None:
    desk = working()
    answer = desk.tell(PauseExecution(order_id="P1", actor="trader", reason="news")).answer
    assert answer.state is ParentState.PAUSED
    assert answer.unconfirmed == tuple(desk.live())
    desk.answer_cancels()
    sent = len(desk.of(ChildOrderSubmitted))
    desk.run_until(OPEN + 15 * MINUTE)
    assert len(desk.of(ChildOrderSubmitted)) == sent
    assert desk.progress().live_quantity == 0


def test_a_resume_spreads_what_was_missed_and_sends_no_burst() -> None:
    desk = working(ExecutionStyle.AGGRESSIVE)
    desk.tell(PauseExecution(order_id="P1", actor="trader"))
    desk.run_until(OPEN + 15 * MINUTE)
    filled = desk.progress().filled_quantity
    desk.tell(ResumeExecution(order_id="P1", actor="trader", market=desk.market()))
    sent = len(desk.of(ChildOrderSubmitted))
    desk.run_until(OPEN + 16 * MINUTE - SECOND)
    burst = sum(event.child.quantity for event in desk.of(ChildOrderSubmitted)[sent:])
    # What remains over the fifteen minutes left, and not the ten minutes missed at once.
    assert 0 < burst <= (6_000 - filled) / 15 + 10
    desk.run_until(OPEN + 31 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_a_cancel_ends_only_when_the_venue_has_answered() -> None:
    desk = working()
    desk.answers = False
    answer = desk.tell(CancelExecution(order_id="P1", actor="trader")).answer
    assert answer.state is ParentState.CANCELLING
    assert desk.of(ExecutionCompleted) == []
    child = desk.live()[0]
    desk.report(child, ReportKind.FILL, 10)
    for child in desk.live():
        desk.report(child, ReportKind.CANCELLED, desk.leaves[child])
    (completed,) = desk.of(ExecutionCompleted)
    assert completed.state is ParentState.CANCELLED
    assert completed.filled_quantity + completed.unfilled_quantity == 6_000


def test_a_cancel_before_the_start_ends_at_once() -> None:
    desk = PaperDesk(now_ns=OPEN - MINUTE)
    desk.create(parent_order())
    desk.tell(OrderCancelled(order_id="P1", actor="client"))
    assert desk.of(ExecutionCompleted)[0].state is ParentState.CANCELLED
    assert desk.timers == {}


def test_a_pause_before_the_start_holds_the_start_and_a_resume_keeps_it() -> None:
    desk = PaperDesk(now_ns=OPEN - MINUTE)
    desk.create(parent_order())
    desk.tell(PauseExecution(order_id="P1", actor="trader"))
    desk.tell(ResumeExecution(order_id="P1", actor="trader", market=desk.market()))
    desk.run_until(OPEN - SECOND)
    assert desk.of(ChildOrderSubmitted) == []
    desk.run_until(OPEN + 31 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_states_follow_the_table_from_message_to_message() -> None:
    desk = PaperDesk(now_ns=OPEN - MINUTE)
    desk.create(parent_order())
    desk.tell(PauseExecution(order_id="P1", actor="trader"))
    desk.tell(ResumeExecution(order_id="P1", actor="trader", market=desk.market()))
    desk.run_until(OPEN + 31 * MINUTE)
    states = [ParentState.PENDING, *(event.state for event in desk.of(AlgorithmExecution))]
    for before, after in itertools.pairwise(states):
        assert after is before or after in PARENT_TRANSITIONS[before]


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (PauseExecution(order_id="NONE", actor="x"), NotFound),
        (CancelExecution(order_id="NONE", actor="x"), NotFound),
    ],
)
def test_an_unknown_order_is_not_found(payload: Payload, kind: type[BestexError]) -> None:
    refused(PaperDesk(), payload, kind, "NONE")


def test_a_final_order_can_not_be_changed() -> None:
    desk = PaperDesk()
    desk.create(parent_order())
    desk.run_until(OPEN + 31 * MINUTE)
    for payload in (
        PauseExecution(order_id="P1", actor="x"),
        ResumeExecution(order_id="P1", actor="x", market=desk.market()),
        CancelExecution(order_id="P1", actor="x"),
        ModifyExecution(order_id="P1", actor="x", market=desk.market()),
    ):
        assert refused(desk, payload, Conflict).field == "state"


# -- changes


def test_a_smaller_quantity_is_worked_and_the_rest_given_up() -> None:
    desk = working(ExecutionStyle.AGGRESSIVE)
    desk.tell(ModifyExecution(order_id="P1", actor="x", market=desk.market(), quantity=Decimal(3_000)))
    desk.run_until(OPEN + 31 * MINUTE)
    (completed,) = desk.of(ExecutionCompleted)
    assert (completed.state, completed.filled_quantity, completed.unfilled_quantity) == (
        ParentState.CANCELLED,
        3_000,
        3_000,
    )


def test_more_than_the_client_ordered_is_refused() -> None:
    desk = working()
    error = refused(
        desk, ModifyExecution(order_id="P1", actor="x", market=desk.market(), quantity=Decimal(7_000)), InvalidOrder
    )
    assert error.field == "quantity"


def test_an_amended_total_is_what_is_filled_in_the_end() -> None:
    for total in (2_000, 9_000):
        desk = working(ExecutionStyle.AGGRESSIVE)
        desk.tell(OrderAmended(order_id="P1", actor="client", quantity=Decimal(total)))
        desk.run_until(OPEN + 31 * MINUTE)
        (completed,) = desk.of(ExecutionCompleted)
        assert (completed.state, completed.quantity, completed.filled_quantity) == (ParentState.FILLED, total, total)


def test_an_amendment_below_what_is_live_waits_for_the_cancels() -> None:
    desk = working()
    desk.answers = False
    state: Any = desk.service.state("P1")
    held = state["ledger"]["filled"] + state["ledger"]["live"]
    assert state["ledger"]["live"] > 0
    desk.tell(OrderAmended(order_id="P1", actor="client", quantity=state["ledger"]["filled"] + 10))
    assert desk.progress().quantity == held
    for child in desk.live():
        desk.report(child, ReportKind.CANCELLED, desk.leaves[child])
    assert desk.progress().quantity == state["ledger"]["filled"] + 10


def test_a_new_limit_takes_back_what_rests_outside_it_and_prices_the_rest_within() -> None:
    desk = working()
    resting = desk.live()
    desk.tell(ModifyExecution(order_id="P1", actor="x", market=desk.market(), price_limit=Decimal("99.98")))
    assert {event.child_order_id for event in desk.of(ChildOrderCancelRequested)} >= set(resting)
    sent = len(desk.of(ChildOrderSubmitted))
    desk.answer_cancels()
    desk.bid, desk.ask = "99.97", "99.99"
    desk.run_until(OPEN + 31 * MINUTE)
    later = desk.of(ChildOrderSubmitted)[sent:]
    assert later
    assert all(event.child.price <= Decimal("99.98") for event in later)


def test_the_desk_may_not_loosen_the_clients_limit() -> None:
    desk = working(price="100.05")
    error = refused(
        desk,
        ModifyExecution(order_id="P1", actor="x", market=desk.market(), price_limit=Decimal("100.06")),
        InvalidOrder,
    )
    assert error.field == "price_limit"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end_time_ns": OPEN}, "end_time"),
        ({"end_time_ns": CLOSE + 1}, "end_time"),
        ({"price_limit": Decimal("99.985")}, "price_limit"),
        ({"participation_rate": 0.0}, "participation_rate"),
        ({"quantity": Decimal(3_005)}, "quantity"),
        ({"quantity": Decimal(10)}, "quantity"),
    ],
)
def test_a_change_that_cannot_be_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    desk = working(ExecutionStyle.AGGRESSIVE)
    payload = ModifyExecution(order_id="P1", actor="x", market=desk.market(), **changes)
    assert refused(desk, payload, InvalidOrder).field == field


def test_an_amendment_that_cannot_be_applied_is_said_and_the_order_goes_on() -> None:
    desk = working(ExecutionStyle.AGGRESSIVE)
    desk.tell(OrderAmended(order_id="P1", actor="client", end_time_ns=CLOSE + 1))
    assert "change not applied" in desk.progress().reason
    desk.run_until(OPEN + 31 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_each_revision_is_published_and_its_slices_go_on_counting() -> None:
    desk = working()
    desk.tell(ModifyExecution(order_id="P1", actor="x", market=desk.market(), urgency=Urgency.URGENT))
    first, second = desk.of(ExecutionPlanned)
    assert (first.revision, second.revision) == (0, 1)
    assert second.execution_style == ExecutionStyle.AGGRESSIVE
    assert second.execution_schedule[0].slice_id == 6  # slices 0 to 5 have begun
    plans = [row for row in desk.records if isinstance(row, ExecutionPlanRow)]
    assert plans[-1].execution_plan["revision"] == 1


# -- kill


KILLS = [("all", None), ("account", "ACC"), ("instrument", "ABC"), ("algorithm", "TWAP")]


@pytest.mark.parametrize(("scope", "value"), KILLS)
def test_a_kill_takes_everything_back_and_stays_until_it_is_rearmed(scope: str, value: str | None) -> None:
    desk = working()
    kill = KillExecutions(scope=scope, scope_value=value, actor="risk", reason="drill")
    answer = desk.tell(kill, "desk").answer
    assert (answer.state, answer.orders_affected) == ("KILLED", 1)
    assert set(answer.unconfirmed) == set(desk.live())
    desk.answer_cancels()
    sent = len(desk.of(ChildOrderSubmitted))
    desk.run_until(OPEN + 10 * MINUTE)
    assert len(desk.of(ChildOrderSubmitted)) == sent
    assert "killed" in desk.progress().reason
    resume = ResumeExecution(order_id="P1", actor="trader", market=desk.market())
    refused(desk, resume, Conflict)
    desk.tell(RearmExecutions(scope=scope, scope_value=value, actor="risk", reason="over"), "desk")
    desk.run_until(OPEN + 11 * MINUTE)
    assert len(desk.of(ChildOrderSubmitted)) == sent, "a re-arm allows; it does not start by itself"
    desk.tell(ResumeExecution(order_id="P1", actor="trader", market=desk.market()))
    desk.run_until(OPEN + 31 * MINUTE)
    assert len(desk.of(ChildOrderSubmitted)) > sent
    changed = desk.of(KillSwitchChanged)
    assert [event.armed for event in changed] == [False, True]
    assert [row.value["killed"] for row in desk.records if isinstance(row, DeskStateRow)][-1] == []


@pytest.mark.parametrize(("scope", "value"), [("account", "OTHER"), ("instrument", "XYZ"), ("algorithm", "VWAP")])
def test_a_kill_of_another_scope_touches_nothing(scope: str, value: str) -> None:
    desk = working(ExecutionStyle.AGGRESSIVE)
    answer = desk.tell(KillExecutions(scope=scope, scope_value=value, actor="risk", reason="drill"), "desk").answer
    assert answer.orders_affected == 0
    desk.run_until(OPEN + 31 * MINUTE)
    assert desk.of(ExecutionCompleted)[0].state is ParentState.FILLED


def test_a_killed_scope_takes_no_new_orders() -> None:
    desk = PaperDesk()
    desk.create(parent_order("P0", algorithm=None))
    desk.tell(KillExecutions(scope="algorithm", scope_value="TWAP", actor="risk", reason="drill"), "desk")
    desk.create(parent_order("P1"))
    (completed,) = desk.of(ExecutionCompleted)
    assert completed.state is ParentState.REJECTED
    assert "killed" in completed.reason
    start = StartExecution(request=request(order_id="P0"), market=desk.market(), actor="x")
    refused(desk, start, LimitBreached, "P0")


def test_an_order_that_waits_for_its_start_does_not_begin_when_killed() -> None:
    desk = PaperDesk(now_ns=OPEN - MINUTE)
    desk.create(parent_order())
    desk.tell(KillExecutions(scope="all", scope_value=None, actor="risk", reason="drill"), "desk")
    desk.run_until(OPEN + MINUTE)
    assert desk.of(ChildOrderSubmitted) == []
    assert desk.progress().state is ParentState.PAUSED


@pytest.mark.parametrize(
    ("scope", "value", "field"),
    [("desk", None, "scope"), ("all", "x", "scope_value"), ("account", None, "scope_value")],
)
def test_a_kill_of_no_known_scope_is_refused(scope: str, value: str | None, field: str) -> None:
    desk = PaperDesk()
    payload = KillExecutions(scope=scope, scope_value=value, actor="risk", reason="drill")
    assert refused(desk, payload, InvalidInput, "desk").field == field


def test_what_is_not_killed_cannot_be_rearmed() -> None:
    desk = PaperDesk()
    payload = RearmExecutions(scope="all", scope_value=None, actor="risk", reason="over")
    assert refused(desk, payload, Conflict, "desk").field == "scope"


# -- the catalogue


def test_every_algorithm_is_in_the_catalogue_with_types_ranges_defaults_and_units() -> None:
    rows = AlgorithmService(Reference(), AlgorithmConfig()).initial_records(OPEN)
    catalogue = {row.algorithm_name: row for row in rows if isinstance(row, ExecutionAlgorithmRow)}
    assert set(catalogue) == set(Algorithm)
    for row in catalogue.values():
        for name, field in row.parameters_schema["properties"].items():
            assert {"type", "x-unit", "description"} <= set(field), f"{row.algorithm_name}.{name}"


def test_a_disabled_algorithm_takes_no_orders() -> None:
    desk = PaperDesk()
    for algorithm in Algorithm:
        row = desk.tell(SetAlgorithmEnabled(algorithm_name=algorithm, enabled=False, actor="risk"), "desk").answer
        assert not row.enabled
    desk.create(parent_order())
    assert "disabled" in desk.of(ExecutionCompleted)[0].reason
