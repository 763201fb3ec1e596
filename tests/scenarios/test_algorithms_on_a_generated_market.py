"""Every algorithm and style against the generated market, by the real turns: filled, replayable, the same bytes twice."""

import asyncio
from decimal import Decimal
from typing import Any

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.domain.orders import Algorithm, ExecutionInstructions, ExecutionStyle, ParentOrder, Side
from bestex.domain.time import NS_PER_MINUTE, from_iso
from bestex.messages.codec import encode
from bestex.messages.envelope import Message
from bestex.messages.execution import ChildOrderSubmitted, ExecutionCompleted
from bestex.messages.orders import CreateOrder
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.service import AlgorithmService
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference
from bestex.simulation.order_desk import OrderDesk

START = from_iso("2026-11-20T15:00:00Z")
MINUTES = 6


def run(seed: int) -> tuple[list[Message[Any]], AlgorithmService, GeneratedReference]:
    market = GeneratedMarket(seed=seed, start_ns=START)
    reference = GeneratedReference(market)
    service = AlgorithmService(reference, AlgorithmConfig())
    journal = MemoryJournal()
    driver = ReplayDriver(Desk([OrderDesk(reference), service], market), journal)
    lots = reference.instrument("AAPL").lot_size
    for number, (algorithm, style) in enumerate((a, s) for a in Algorithm for s in ExecutionStyle):
        order = ParentOrder(
            order_id=f"{algorithm}-{style}",  # type: ignore[arg-type]
            instrument_id="AAPL",  # type: ignore[arg-type]
            side=Side.BUY if number % 2 else Side.SELL,
            quantity=lots * 500,
            instructions=ExecutionInstructions(
                algorithm=algorithm,
                execution_style=style,
                end_time_ns=START + MINUTES * NS_PER_MINUTE,
                parameters={"dark_pool_ratio": 0.2},
            ),
        )
        request = CreateOrder(order=order, actor="client", market=market.snapshot("AAPL"))
        driver.request("order-desk", request, order_id=order.order_id)
    driver.run_until(START + (MINUTES + 1) * NS_PER_MINUTE)
    return asyncio.run(everything(journal)), service, reference


async def everything(journal: MemoryJournal) -> list[Message[Any]]:
    return [message async for _, message in journal.read()]


def test_every_algorithm_and_style_ends_and_nothing_is_overfilled() -> None:
    messages, _, _ = run(seed=11)
    completed = [message.payload for message in messages if isinstance(message.payload, ExecutionCompleted)]
    assert len(completed) == len(Algorithm) * len(ExecutionStyle)
    for fact in completed:
        assert fact.filled_quantity + fact.unfilled_quantity == fact.quantity
    schedules = [fact for fact in completed if not fact.order_id.startswith("PARTICIPATION")]
    assert all(fact.filled_quantity >= fact.quantity * Decimal("0.9") for fact in schedules)


def test_the_same_messages_lead_a_fresh_service_to_the_same_state_and_children() -> None:
    messages, service, reference = run(seed=12)
    fresh = AlgorithmService(reference, AlgorithmConfig())
    sent: list[object] = []
    for message in messages:
        if message.event_type in fresh.takes:
            sent += [event for _, event in fresh.handle(message).events if isinstance(event, ChildOrderSubmitted)]
    assert sent == [message.payload for message in messages if isinstance(message.payload, ChildOrderSubmitted)]
    for order_id in {message.order_id for message in messages}:
        assert fresh.state(order_id) == service.state(order_id)


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (b"\n".join(encode(message) for message in run(seed=13)[0]) for _ in range(2))
    assert first == second
