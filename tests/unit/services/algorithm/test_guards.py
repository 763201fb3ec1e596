"""Every limit, one step inside and one step outside."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bestex.domain.errors import InvalidInput
from bestex.domain.orders import ChildOrder, OrderType, Side, TimeInForce
from bestex.messages.execution import AlgorithmExecution, ChildOrderSubmitted, ExecutionCompleted
from bestex.services.algorithm.config import AlgorithmConfig, GuardConfig
from bestex.services.algorithm.guards import Guards, Standing
from bestex.services.algorithm.service import AlgorithmService
from tests.unit.services.algorithm.paper_desk import (
    ABC,
    MINUTE,
    OPEN,
    SECOND,
    PaperDesk,
    Reference,
    parent_order,
    snapshot,
    with_guards,
)

STANDING = Standing(
    now_ns=OPEN,
    market=snapshot(OPEN),
    price_min=None,
    price_max=None,
    child_quantity_max=None,
    plan_rate=1.0,
    plan_sent=Decimal(0),
    plan_others_volume=Decimal(100_000),
    unallocated=Decimal(1_000),
    sent=Decimal(0),
    others_volume=Decimal(100_000),
    live_children=0,
    killed=None,
)


def child(quantity: int = 100, price: str | None = "100.02", **changes: object) -> ChildOrder:
    order = ChildOrder(
        child_order_id="P1-0000-000",  # type: ignore[arg-type]
        parent_order_id="P1",  # type: ignore[arg-type]
        instrument_id=ABC.instrument_id,
        side=Side.BUY,
        quantity=Decimal(quantity),
        order_type=OrderType.LIMIT,
        venue="LIT1",  # type: ignore[arg-type]
        price=None if price is None else Decimal(price),
        time_in_force=TimeInForce.IOC,
    )
    return replace(order, **changes)  # type: ignore[arg-type]


def refusal(order: ChildOrder, *, config: GuardConfig | None = None, **standing: object) -> str | None:
    return Guards(config or GuardConfig()).refusal(order, ABC, replace(STANDING, **standing))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        (refusal(child(100)), refusal(child(105)), "whole number of lots"),
        (refusal(child(1_000)), refusal(child(1_010)), "is free"),
        (refusal(child(), now_ns=OPEN + 2 * SECOND), refusal(child(), now_ns=OPEN + 2_001_000_000), "ms old"),
        # 0.30 of all volume is 3/7 of the others': 300 of 700, and one lot for rounding.
        (
            refusal(child(310), others_volume=Decimal(700)),
            refusal(child(320), others_volume=Decimal(700)),
            "participation",
        ),
        # The plan's own rate: 0.10 of all volume is 1/9 of the others': 100 of 900, and one lot.
        (
            refusal(child(110), plan_rate=0.1, plan_others_volume=Decimal(900)),
            refusal(child(120), plan_rate=0.1, plan_others_volume=Decimal(900)),
            "participation limit 0.1",
        ),
        (
            refusal(child(100), child_quantity_max=Decimal(100)),
            refusal(child(110), child_quantity_max=Decimal(100)),
            "largest child",
        ),
        (
            refusal(child(), price_max=Decimal("100.02")),
            refusal(child(), price_max=Decimal("100.01")),
            "parent's limits",
        ),
        (
            refusal(child(), price_min=Decimal("100.02")),
            refusal(child(), price_min=Decimal("100.03")),
            "parent's limits",
        ),
        # 100 bps above the ask of 100.02 is 101.0202.
        (refusal(child(price="101.02")), refusal(child(price="101.03")), "beyond the quote"),
        (refusal(child(price="100.02")), refusal(child(price="100.025")), "tick grid"),
        (refusal(child(), live_children=199), refusal(child(), live_children=200), "live child orders"),
        (refusal(child()), refusal(child(), killed="killed (all): drill"), "killed"),
        (refusal(child()), refusal(child(price=None, order_type=OrderType.MARKET)), "no price to hold it"),
    ],
)
def test_a_child_inside_a_limit_leaves_and_one_outside_does_not(good: str | None, bad: str | None, words: str) -> None:
    assert good is None
    assert bad is not None
    assert words in bad


def test_a_child_worth_more_than_the_notional_limit_is_refused() -> None:
    config = GuardConfig(child_notional_max=Decimal(10002))
    assert refusal(child(100), config=config) is None
    assert "notional" in str(refusal(child(110), config=config))


def test_a_peg_is_refused_where_the_parent_has_a_price_limit() -> None:
    peg = child(price=None, order_type=OrderType.MIDPOINT_PEG)
    assert refusal(peg) is None
    assert "peg" in str(refusal(peg, price_max=Decimal(200)))


def test_nothing_is_priced_without_a_quote() -> None:
    assert "no quote" in str(refusal(child(), market=snapshot(OPEN, bid=None, ask=None)))


def test_more_children_within_a_second_than_allowed_are_refused_and_a_second_later_they_are_not() -> None:
    guards = Guards(GuardConfig(messages_per_second_max=2))
    for _ in range(2):
        assert guards.refusal(child(), ABC, STANDING) is None
        guards.note_sent(OPEN)
    assert "within a second" in str(guards.refusal(child(), ABC, STANDING))
    assert guards.refusal(child(), ABC, replace(STANDING, now_ns=OPEN + SECOND)) is None


def test_the_worst_price_is_the_stricter_of_collar_and_limit() -> None:
    guards = Guards(GuardConfig(collar_bps=Decimal(10)))
    market = snapshot(OPEN)
    assert guards.worst_price(Side.BUY, ABC, market, None) == Decimal("100.12")  # 100.02 x 1.001 = 100.12002
    assert guards.worst_price(Side.SELL, ABC, market, None) == Decimal("99.90")  # 100.00 x 0.999
    assert guards.worst_price(Side.BUY, ABC, market, Decimal("100.05")) == Decimal("100.05")
    assert guards.worst_price(Side.SELL, ABC, market, Decimal("99.95")) == Decimal("99.95")
    assert guards.worst_price(Side.BUY, ABC, snapshot(OPEN, ask=None), None) is None


def test_a_refusal_is_visible_and_the_quantity_is_tried_again() -> None:
    config = with_guards(AlgorithmConfig(), collar_bps=Decimal(100), messages_per_second_max=1)
    desk = PaperDesk(service=AlgorithmService(Reference(), config))
    # 600 a slice against 300 shown at LIT1 and 200 at LIT2: two legs, the second within the same second.
    desk.create(parent_order(quantity=6_000, parameters={"slices": 10}))
    desk.run_until(OPEN + MINUTE)
    assert any("within a second" in event.reason for event in _progress(desk))
    desk.run_until(OPEN + 31 * MINUTE)
    (completed,) = desk.of(ExecutionCompleted)
    assert completed.filled_quantity == 6_000


def test_no_child_is_larger_than_the_notional_limit_allows() -> None:
    config = with_guards(AlgorithmConfig(), child_notional_max=Decimal(20_000))
    desk = PaperDesk(service=AlgorithmService(Reference(), config))
    desk.create(parent_order(quantity=6_000, parameters={"slices": 5}))
    desk.run_until(OPEN + 31 * MINUTE)
    sizes = [event.child.quantity for event in desk.of(ChildOrderSubmitted)]
    assert max(sizes) <= 190
    assert sum(sizes) == 6_000


@pytest.mark.parametrize("field", ["participation_rate_max", "collar_bps", "child_notional_max", "quote_age_ms_max"])
def test_a_limit_of_zero_is_refused_at_the_start(field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        GuardConfig(**{field: 0})
    assert caught.value.field == field


def _progress(desk: PaperDesk) -> list[AlgorithmExecution]:
    return desk.of(AlgorithmExecution)
