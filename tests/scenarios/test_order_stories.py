"""Whole orders in event time on the generated market: what happens to them, and where every share went."""

import random
from decimal import Decimal

import pytest

from bestex.domain.errors import InvalidOrder
from bestex.domain.orders import Algorithm, ExecutionStyle, ParentState, Side
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND, from_iso
from bestex.messages.execution import CancelExecution, KillExecutions, PauseExecution, ResumeExecution
from bestex.messages.orders import AmendOrder, CancelOrder
from bestex.messages.strategy import AdaptStrategy
from tests.scenarios.event_time import CLOSE_NS, OPEN_NS, TEN_NS, EventTimeDesk, check_conservation

NOON_NS = from_iso("2026-11-20T17:00:00Z")


def sent_between(desk: EventTimeDesk, start_ns: int, end_ns: int) -> list[Decimal]:
    """Quantities of the child orders that left in [start, end)."""
    return [
        message.payload.child.quantity
        for message in desk.messages
        if message.event_type == "child_order_submitted" and start_ns <= message.time_ns < end_ns
    ]


def test_a_limit_that_is_never_reached_expires_with_nothing_filled_and_is_measured() -> None:
    desk = EventTimeDesk(seed=21)
    bid = desk.snapshot().bid
    desk.send("low", quantity=2_000, limit=(bid * Decimal("0.97")).quantize(Decimal("0.01")), algorithm=Algorithm.TWAP)
    desk.run_to_the_end("low")
    done = desk.end_of("low")
    assert (done.state, done.filled_quantity, done.unfilled_quantity) == (ParentState.EXPIRED, 0, 2_000)
    measured = desk.last("execution_measured", "low")
    assert measured.executed_quantity == 0
    assert measured.costs.total == measured.costs.opportunity  # all that it cost is what it missed
    check_conservation(desk.messages)


def test_a_pause_over_the_lunch_hour_sends_nothing_and_the_resume_sends_no_burst() -> None:
    desk = EventTimeDesk(seed=22, start_ns=NOON_NS - 30 * NS_PER_MINUTE)
    desk.send("lunch", quantity=18_000, minutes=180, algorithm=Algorithm.TWAP)
    desk.run_until(NOON_NS)
    before = desk.last("algorithm_execution", "lunch").filled_quantity
    desk.ask("algorithm", PauseExecution(order_id="lunch", actor="trader"), "lunch")
    desk.run(seconds=5)
    paused_ns = desk.now_ns
    desk.run_until(NOON_NS + 60 * NS_PER_MINUTE)
    assert sent_between(desk, paused_ns, desk.now_ns) == []
    assert desk.last("algorithm_execution", "lunch").state is ParentState.PAUSED
    assert desk.last("algorithm_execution", "lunch").live_quantity == 0
    desk.ask("algorithm", ResumeExecution(order_id="lunch", actor="trader", market=desk.snapshot()), "lunch")
    resumed_ns = desk.now_ns
    desk.run(minutes=5)
    # 90 minutes are left for what an even pace would have taken 150 minutes for: 18,000 - 3,000 over 90 is 167 a minute.
    pace = (18_000 - before) / 90
    filled = desk.last("algorithm_execution", "lunch").filled_quantity - before
    assert filled <= 3 * 5 * pace, "the missed hour was made up in a burst"
    assert sent_between(desk, resumed_ns, desk.now_ns) != []
    desk.run_to_the_end("lunch", minutes_max=120)
    assert desk.end_of("lunch").filled_quantity == 18_000
    check_conservation(desk.messages)


def test_a_cancel_in_mid_flight_brings_every_child_home() -> None:
    desk = EventTimeDesk(seed=23)
    desk.send("cut", quantity=6_000, algorithm=Algorithm.TWAP, execution_style=ExecutionStyle.PASSIVE)
    desk.run(minutes=2)
    desk.ask("order-desk", CancelOrder(order_id="cut", actor="client"), "cut")
    desk.run_to_the_end("cut")
    done = desk.end_of("cut")
    assert done.state is ParentState.CANCELLED
    assert 0 < done.filled_quantity < 6_000
    planned, filled, returned = check_conservation(desk.messages)["cut"]
    assert planned == filled + returned
    assert filled == done.filled_quantity
    assert desk.last("execution_measured", "cut").cancelled_by_client


def test_an_amendment_below_what_is_filled_is_refused_and_changes_nothing() -> None:
    desk = EventTimeDesk(seed=24)
    desk.send("less", quantity=4_000, algorithm=Algorithm.TWAP)
    desk.run(minutes=3)
    filled = desk.last("algorithm_execution", "less").filled_quantity
    assert filled > 100
    said = len(desk.messages)
    with pytest.raises(InvalidOrder, match="already filled") as refused:
        desk.ask("order-desk", AmendOrder(order_id="less", actor="client", quantity=filled - 100), "less")
    assert refused.value.field == "quantity"
    assert len(desk.messages) == said
    desk.run_to_the_end("less")
    assert desk.end_of("less").filled_quantity == 4_000


def test_an_amendment_to_more_is_worked_to_the_new_total() -> None:
    desk = EventTimeDesk(seed=25)
    desk.send("more", quantity=2_000, algorithm=Algorithm.TWAP)
    desk.run(minutes=1)
    desk.ask("order-desk", AmendOrder(order_id="more", actor="client", quantity=Decimal(3_500)), "more")
    desk.run_to_the_end("more")
    done = desk.end_of("more")
    assert (done.quantity, done.filled_quantity) == (3_500, 3_500)
    assert desk.last("execution_measured", "more").requested_quantity == 3_500
    check_conservation(desk.messages)


def test_a_kill_takes_ten_working_orders_back_and_nothing_leaves_after_it() -> None:
    desk = EventTimeDesk(seed=26)
    names = [f"order-{number}" for number in range(10)]
    for number, name in enumerate(names):
        style = list(ExecutionStyle)[number % 4]
        desk.send(name, instrument_id=("AAPL", "MSFT")[number % 2], algorithm=Algorithm.TWAP, execution_style=style)
        desk.run(seconds=1)
    desk.run(minutes=1)
    while not any(desk.last("algorithm_execution", name).live_children for name in names):
        assert desk.now_ns < TEN_NS + 4 * NS_PER_MINUTE, "no child order ever rests"
        desk.run(seconds=1)
    kill = KillExecutions(scope="all", scope_value=None, actor="trader", reason="the price feed is wrong")
    answer = desk.ask("algorithm", kill, "desk")
    assert answer.orders_affected == 10
    killed_ns = desk.now_ns
    said = len(desk.messages)
    desk.run(minutes=10)
    assert [m for m in desk.messages[said:] if m.event_type == "child_order_submitted"] == []
    latest = {name: desk.last("algorithm_execution", name) for name in names}
    assert {name: row.live_quantity for name, row in latest.items()} == dict.fromkeys(names, Decimal(0))
    answered = [m.time_ns for m in desk.messages[said:] if m.event_type == "execution_report"]
    assert max(answered) - killed_ns < NS_PER_SECOND
    for name, (planned, filled, returned) in check_conservation(desk.messages).items():
        assert planned == filled + returned, name


def test_an_adaptation_changes_the_plan_and_the_report_joins_both() -> None:
    desk = EventTimeDesk(seed=27)
    desk.send("adapted", quantity=8_000, minutes=30, algorithm=None)
    desk.run(minutes=5)
    plans = len(desk.of("execution_planned", "adapted"))
    adapt = AdaptStrategy(order_id="adapted", reason="the news is out", market=desk.snapshot(), actor="trader")
    desk.ask("strategy", adapt, "adapted")
    desk.run_to_the_end("adapted")
    first, *later = desk.of("execution_strategy_selected", "adapted")
    assert [selected.adaptation for selected in later] == [1]
    assert later[0].reason == "the news is out"
    assert len(desk.of("execution_planned", "adapted")) > plans
    assert desk.last("execution_planned", "adapted").revision >= 1
    measured = desk.last("execution_measured", "adapted")
    assert measured.expected_cost == first.expected_outcomes.estimated_cost  # what was known before trading
    told = desk.last("trade_executed", "adapted")
    assert told.execution.executed_quantity == desk.end_of("adapted").filled_quantity == 8_000
    check_conservation(desk.messages)


def test_an_order_sent_before_the_open_waits_for_it() -> None:
    desk = EventTimeDesk(seed=28, start_ns=OPEN_NS - 10 * NS_PER_MINUTE)
    desk.send("early", end_time_ns=OPEN_NS + 5 * NS_PER_MINUTE, algorithm=Algorithm.TWAP)
    desk.run_until(OPEN_NS)
    assert desk.of("child_order_submitted") == []
    assert desk.of("execution_completed") == []
    desk.run_to_the_end("early")
    assert desk.end_of("early").filled_quantity == 2_000
    assert min(m.time_ns for m in desk.messages if m.event_type == "child_order_submitted") >= OPEN_NS
    check_conservation(desk.messages)


def test_an_order_that_arrives_a_minute_before_the_close_ends_with_the_session() -> None:
    desk = EventTimeDesk(seed=29, start_ns=CLOSE_NS - NS_PER_MINUTE)
    desk.send("late", quantity=3_000, minutes=None, algorithm=Algorithm.TWAP)
    desk.run_to_the_end("late", minutes_max=10)
    done = desk.end_of("late")
    assert done.state in (ParentState.FILLED, ParentState.EXPIRED)
    assert done.completed_ns <= CLOSE_NS + NS_PER_SECOND
    assert max(m.time_ns for m in desk.messages if m.event_type == "child_order_submitted") < CLOSE_NS
    check_conservation(desk.messages)


def many_orders(seed: int, count: int) -> EventTimeDesk:
    """Fifty clients at once: sides, sizes, algorithms and limits at random; some cancel, one is amended."""
    randomness = random.Random(seed)
    desk = EventTimeDesk(seed=seed)
    names = [f"order-{number:02d}" for number in range(count)]
    for name in names:
        instrument_id = randomness.choice(["AAPL", "MSFT"])
        side = randomness.choice(list(Side))
        quote = desk.snapshot(instrument_id)
        near = quote.ask if side is Side.BUY else quote.bid
        desk.send(
            name,
            instrument_id=instrument_id,
            side=side,
            quantity=randomness.randrange(100, 2_000),
            limit=near if randomness.random() < 0.3 else None,
            minutes=randomness.uniform(2, 4),
            algorithm=randomness.choice(list(Algorithm)),
            execution_style=randomness.choice(list(ExecutionStyle)),
        )
    desk.run(minutes=1)
    ended = {message.order_id for message in desk.messages if message.event_type == "execution_completed"}
    for name in [name for name in names if name not in ended][:5]:
        desk.ask("algorithm", CancelExecution(order_id=name, actor="trader"), name)
    desk.run_to_the_end(*names)
    return desk


def test_fifty_orders_at_once_lose_nothing_and_gain_nothing() -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    desk = many_orders(seed, 50)
    counted = check_conservation(desk.messages)
    assert len(counted) == 50
    assert sum(filled for _, filled, _ in counted.values()) > 0
    for order_id, (planned, filled, returned) in counted.items():
        assert planned == filled + returned, order_id
        assert desk.last("trade_executed", order_id).execution.executed_quantity == filled
    assert [alert for alert in desk.of("execution_alert_generated") if alert.severity == "CRITICAL"] == []


def test_the_audit_catches_a_child_sent_twice_and_a_fill_told_twice() -> None:
    desk = EventTimeDesk(seed=31)
    desk.send("audited", algorithm=Algorithm.TWAP, minutes=2)
    desk.run_to_the_end("audited")
    check_conservation(desk.messages)
    sent = next(m for m in desk.messages if m.event_type == "child_order_submitted")
    filled = next(m for m in desk.messages if m.event_type == "execution_report" and m.payload.report.kind == "FILL")
    for repeated in (sent, filled):
        place = desk.messages.index(repeated) + 1
        with pytest.raises(AssertionError, match="twice"):
            check_conservation([*desk.messages[:place], repeated, *desk.messages[place:]])
