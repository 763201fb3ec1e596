"""Services killed at random moments lose and double nothing: the short form of `python -m tests.scenarios.process_kills`."""

import dataclasses
import os
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from rich.console import Console
from rich.progress import Progress

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.messages.envelope import Message
from bestex.messages.orders import CreateOrder
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference
from tests.scenarios.event_time import TEN_NS
from tests.scenarios.laws import broken_laws
from tests.scenarios.process_kills import run
from tests.scenarios.separate_workers import small_orders
from tests.servers import PulsarServer


def test_20_kills_of_real_processes_change_nothing(
    postgres_url: str, pulsar_server: PulsarServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    assert os.environ["BESTEX_TEST_POSTGRES_URL"] == postgres_url
    with Progress(console=Console(stderr=True)) as progress:
        result = run(20, 3, seed, progress)
    assert result.kills == 20
    assert result.broken == []


def _worked(seed: int) -> tuple[list[Message[Any]], dict[str, Decimal]]:
    parents = small_orders(2, seed)
    market = GeneratedMarket(seed=seed, start_ns=TEN_NS)
    journal = MemoryJournal()
    driver = ReplayDriver(Desk(services("all", GeneratedReference(market), timed=False), market), journal)
    driver.restore_catalogues()
    for parent in parents:
        request = CreateOrder(order=parent, actor="test", market=market.snapshot(parent.instrument_id))
        driver.request("order-desk", request, order_id=parent.order_id)
    driver.run_until(TEN_NS + 15 * 60 * 10**9)
    return list(journal.messages), {str(parent.order_id): parent.quantity for parent in parents}


def _sent_twice(messages: list[Message[Any]]) -> list[Message[Any]]:
    at = next(n for n, message in enumerate(messages) if message.event_type == "child_order_submitted")
    return [*messages[: at + 1], messages[at], *messages[at + 1 :]]


def _lost(messages: list[Message[Any]]) -> list[Message[Any]]:
    at = next(n for n, message in enumerate(messages) if message.event_type == "execution_report")
    return [*messages[:at], *messages[at + 1 :]]


def _oversent(messages: list[Message[Any]]) -> list[Message[Any]]:
    at = next(n for n, message in enumerate(messages) if message.event_type == "child_order_submitted")
    child = dataclasses.replace(messages[at].payload.child, quantity=Decimal(1_000_000))
    payload = msgspec.structs.replace(messages[at].payload, child=child)
    return [*messages[:at], msgspec.structs.replace(messages[at], payload=payload), *messages[at + 1 :]]


def _ended_twice(messages: list[Message[Any]]) -> list[Message[Any]]:
    last = next(message for message in messages if message.event_type == "trade_executed")
    return [*messages, msgspec.structs.replace(last, source_service="another")]


@pytest.mark.parametrize("damage", [_sent_twice, _lost, _oversent, _ended_twice])
def test_the_laws_catch_a_damaged_journal(damage: Callable[[list[Message[Any]]], list[Message[Any]]]) -> None:
    messages, ordered = _worked(seed=11)
    assert broken_laws(messages, ordered, keeps_all=True) == []
    assert broken_laws(damage(messages), ordered, keeps_all=True) != []
