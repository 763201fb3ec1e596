"""Amend, cancel and two fills in every order: a command meant for a version meets that version or changes nothing."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from bestex.domain.errors import BestexError, Conflict, NotFound, Outdated
from bestex.domain.ids import time_ordered_uuid
from bestex.domain.orders import Algorithm, ExecutionInstructions, ParentOrder, ParentState, Side
from bestex.domain.time import from_iso
from bestex.messages.envelope import Message, Payload
from bestex.messages.execution import AlgorithmExecution, ExecutionCompleted
from bestex.messages.orders import AmendOrder, CancelOrder, CreateOrder
from bestex.messages.records import ParentOrderRow
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference
from bestex.simulation.order_desk import OrderDesk

START = from_iso("2026-11-20T15:00:00Z")
MARKET = GeneratedMarket(seed=7, start_ns=START)
REFERENCE = GeneratedReference(MARKET)
LOT = REFERENCE.instrument("AAPL").lot_size


def said(payload: Payload, number: int) -> Message[Any]:
    return Message(
        event_id=time_ordered_uuid(START + number, number),
        event_type=payload.message_type,
        schema_version=1,
        time_ns=START + number,
        source_service="test",
        order_id="A",
        sequence=number,
        causation_id=None,
        correlation_id="c",
        payload=payload,
    )


def fill(filled: Decimal, quantity: Decimal, reason: str = "filled a part") -> AlgorithmExecution:
    return AlgorithmExecution(
        order_id="A",
        algorithm="TWAP",
        state=ParentState.WORKING,
        quantity=quantity,
        filled_quantity=filled,
        live_quantity=Decimal(0),
        unknown_quantity=Decimal(0),
        remaining_quantity=quantity - filled,
        scheduled_quantity=filled,
        average_fill_price=Decimal(187),
        schedule_deviation=0.0,
        decision_latency_ns=None,
        live_children=0,
        reason=reason,
    )


def desk() -> OrderDesk:
    orders = OrderDesk(REFERENCE)
    order = ParentOrder(
        order_id="A",  # type: ignore[arg-type]
        instrument_id="AAPL",  # type: ignore[arg-type]
        side=Side.BUY,
        quantity=LOT * 10,
        instructions=ExecutionInstructions(algorithm=Algorithm.TWAP),
    )
    orders.handle(said(CreateOrder(order=order, actor="client", market=MARKET.snapshot("AAPL")), 1))
    orders.handle(said(fill(Decimal(0), LOT * 10), 2))
    return orders


def row_of(orders: OrderDesk) -> ParentOrderRow:
    row = orders.state("A")
    assert isinstance(row, ParentOrderRow)
    return row


@pytest.mark.parametrize("order", sorted(set(permutations(("amend", "cancel", "fill", "fill")))), ids="-".join)
def test_a_command_meets_the_version_it_was_meant_for_or_changes_nothing(order: tuple[str, ...]) -> None:
    orders = desk()
    read = row_of(orders).version  # what both commands were decided on
    filled = Decimal(0)
    for number, event in enumerate(order, start=10):
        before = row_of(orders)
        if event == "fill":
            filled += LOT * 3
            orders.handle(said(fill(filled, before.quantity), number))
        else:
            command: Payload = (
                AmendOrder(order_id="A", actor="client", quantity=LOT * 8, expected_version=read)
                if event == "amend"
                else CancelOrder(order_id="A", actor="client", expected_version=read)
            )
            if before.version != read:
                with pytest.raises(Outdated, match=f"at version {before.version} by now"):
                    orders.handle(said(command, number))
                assert row_of(orders) == before
                continue
            effects = orders.handle(said(command, number))
            assert effects.answer == row_of(orders)
            assert [name for name, _ in effects.events] == ["A"]
        assert row_of(orders).version == before.version + 1
        assert row_of(orders).quantity >= row_of(orders).filled_quantity
    assert row_of(orders).filled_quantity == filled
    assert row_of(orders).version == read + 2 + (order[0] != "fill")


def test_after_reading_it_again_the_same_change_goes_through() -> None:
    orders = desk()
    stale = row_of(orders).version
    orders.handle(said(fill(LOT * 3, LOT * 10), 10))
    with pytest.raises(Outdated) as caught:
        orders.handle(said(AmendOrder(order_id="A", actor="c", quantity=LOT * 5, expected_version=stale), 11))
    assert caught.value.value == str(stale)
    fresh = row_of(orders).version
    orders.handle(said(AmendOrder(order_id="A", actor="c", quantity=LOT * 5, expected_version=fresh), 12))
    assert row_of(orders).quantity == LOT * 5


def test_an_amendment_that_the_row_does_not_show_counts_all_the_same() -> None:
    orders = desk()
    read = row_of(orders).version
    orders.handle(said(AmendOrder(order_id="A", actor="c", max_participation_rate=0.2, expected_version=read), 10))
    with pytest.raises(Outdated):
        orders.handle(said(AmendOrder(order_id="A", actor="d", max_participation_rate=0.3, expected_version=read), 11))


def test_another_reason_alone_is_no_new_version() -> None:
    orders = desk()
    before = row_of(orders)
    orders.handle(said(fill(Decimal(0), LOT * 10, reason="waiting for the next slice"), 10))
    assert row_of(orders).reason == "waiting for the next slice"
    orders.handle(said(fill(Decimal(0), LOT * 10, reason="still waiting"), 11))
    assert row_of(orders).version <= before.version + 1


@pytest.mark.parametrize(("order_id", "error"), [("none", NotFound), ("A", Conflict)])
def test_an_order_that_is_unknown_or_over_says_so_before_its_version(order_id: str, error: type[BestexError]) -> None:
    orders = desk()
    row = row_of(orders)
    orders.handle(said(fill(LOT * 10, LOT * 10), 10))
    if error is Conflict:
        orders.handle(
            said(
                ExecutionCompleted(
                    order_id="A",
                    state=ParentState.FILLED,
                    quantity=LOT * 10,
                    filled_quantity=LOT * 10,
                    unfilled_quantity=Decimal(0),
                    average_fill_price=Decimal(187),
                    notional=Decimal(1),
                    fees=Decimal(0),
                    started_ns=None,
                    completed_ns=START,
                    child_orders=1,
                    reason="done",
                ),
                11,
            )
        )
    with pytest.raises(error):
        orders.handle(said(CancelOrder(order_id=order_id, actor="c", expected_version=row.version), 12))
