"""Requests that travel: the answer, the refusal, the silence, and one question to all who share a service."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from bestex.adapters.memory.bus import MemoryBus
from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.bus_requests import BusRequests, merged
from bestex.app.host import Host
from bestex.app.market_feed import MarketFeed, RemoteMarket
from bestex.app.worker import Worker
from bestex.domain.errors import Conflict, InvalidOrder, NotFound, ServiceUnavailable, StaleMarketData
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.messages.execution import ExecutionAcknowledged, KillExecutions, PauseExecution
from bestex.messages.orders import CancelOrder
from bestex.messages.requests import answer_bytes, read_answer, refusal_bytes
from bestex.messages.streams import requests_of
from bestex.ports import Idempotency
from bestex.simulation.generated_market import GeneratedMarket
from tests.scenarios.event_time import TEN_NS

SHARDS = 2


class Clerk:
    """Acknowledges pauses and kills, refuses to cancel."""

    name = "clerk"
    takes = frozenset({"pause_execution", "kill_executions", "cancel_order"})

    def __init__(self) -> None:
        self.heard = 0

    def handle(self, message: Message[Any]) -> Effects:
        if isinstance(message.payload, CancelOrder):
            raise InvalidOrder(
                "two things are wrong",
                errors=[
                    InvalidOrder("quantity -1", field="quantity", value=-1, expected="more than 0"),
                    InvalidOrder("price 0", field="price", value=0, expected="more than 0"),
                ],
            )
        self.heard += 1
        state = "KILLED" if isinstance(message.payload, KillExecutions) else "PAUSED"
        return Effects(
            answer=ExecutionAcknowledged(
                order_id=message.order_id,
                state=state,
                live_children=2,
                reason="x",
                orders_affected=3,
                unconfirmed=("c",),
            )
        )

    def state(self, order_id: str) -> object:
        return self.heard


class Office:
    """Two clerks that share the orders, and somebody who asks."""

    def __init__(self) -> None:
        self.bus = MemoryBus(SHARDS, lambda: 0)
        numbers = iter(range(10**6))
        self.requests = BusRequests(
            self.bus, "api-1", lambda: 5, lambda prefix: f"{prefix}-{next(numbers)}", frozenset({"clerk"}), seconds=0.3
        )
        self.journals = [MemoryJournal() for _ in range(SHARDS)]
        self.workers = [
            Worker(f"clerk-{n}", lambda n=n: Host([Clerk()], n), journal, self.bus, [(requests_of("clerk"), n)])  # type: ignore[misc]
            for n, journal in enumerate(self.journals)
        ]


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    tasks = [asyncio.create_task(work) for work in (office.requests.run(), *(w.run() for w in office.workers))]
    for worker in office.workers:
        await worker.ready.wait()
    yield office
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_worker_of_the_order_s_shard_answers(office: Office) -> None:
    for order_id in ("A", "B", "C", "D"):
        answer = await office.requests.ask("clerk", PauseExecution(order_id=order_id, actor="x"), order_id=order_id)
        assert (answer.order_id, answer.state) == (order_id, "PAUSED")
    assert sum(len(journal.messages) for journal in office.journals) == 4
    assert all(journal.messages for journal in office.journals)


async def test_a_refusal_arrives_with_every_field_that_is_wrong(office: Office) -> None:
    with pytest.raises(InvalidOrder) as caught:
        await office.requests.ask("clerk", CancelOrder(order_id="A", actor="x"), order_id="A")
    assert [(error.field, error.value, error.expected) for error in caught.value.errors] == [
        ("quantity", "-1", "more than 0"),
        ("price", "0", "more than 0"),
    ]
    assert not any(journal.messages for journal in office.journals)


async def test_what_concerns_the_desk_is_asked_of_every_worker_and_added_up(office: Office) -> None:
    kill = KillExecutions(scope="all", scope_value=None, actor="x", reason="test")
    answer = await office.requests.ask("clerk", kill, order_id="desk")
    assert (answer.live_children, answer.orders_affected, answer.unconfirmed) == (4, 6, ("c", "c"))
    assert [worker.host.services[0].state("") for worker in office.workers] == [1, 1]


async def test_a_key_is_answered_once(office: Office) -> None:
    key = Idempotency(key="k", request_digest="d")
    await office.requests.ask("clerk", PauseExecution(order_id="A", actor="x"), order_id="A", idempotency=key)
    with pytest.raises(Conflict):
        await office.requests.ask("clerk", PauseExecution(order_id="A", actor="x"), order_id="A", idempotency=key)
    assert sum(worker.host.services[0].state("") for worker in office.workers) == 1  # type: ignore[misc]


async def test_silence_is_said_to_be_silence(office: Office) -> None:
    with pytest.raises(ServiceUnavailable, match="did not answer within 0.3 s"):
        await office.requests.ask("nobody", PauseExecution(order_id="A", actor="x"), order_id="A")


def test_answers_travel_as_what_they_are() -> None:
    row = ExecutionAcknowledged(order_id="A", state="PAUSED", live_children=0, reason="x")
    for answer in (None, row, [row, row], []):
        assert read_answer(answer_bytes("r", answer)) == ("r", answer)
    _, error = read_answer(refusal_bytes("r", NotFound("no order A", field="order_id", value="A")))
    assert isinstance(error, NotFound)
    assert (error.message, error.field, error.value) == ("no order A", "order_id", "A")
    with pytest.raises(AssertionError):
        answer_bytes("r", Decimal(1))
    assert merged([None, None]) is None


async def test_another_process_sees_the_market_s_time_and_quotes() -> None:
    bus = MemoryBus(SHARDS, lambda: 0)
    market = GeneratedMarket(seed=3, start_ns=TEN_NS)
    remote = RemoteMarket(market, bus, max_age_seconds=0.2)
    with pytest.raises(StaleMarketData):
        remote.snapshot("AAPL")
    task = asyncio.create_task(remote.run())
    await asyncio.sleep(0)
    await MarketFeed(market, bus, "m", lambda: 7).publish()
    await remote.ready()
    assert (remote.now_ns, remote.lag_ns) == (market.now_ns, 7)
    assert remote.snapshot("AAPL") == market.snapshot("AAPL")
    with pytest.raises(NotFound):
        remote.snapshot("NONE")
    with pytest.raises(NotFound, match="kept by the market process"):
        remote.book("AAPL")
    await asyncio.sleep(0.25)
    with pytest.raises(StaleMarketData):
        remote.snapshot("AAPL")
    task.cancel()
