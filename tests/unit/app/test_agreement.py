from typing import Any

import pytest

from bestex.adapters.memory.leases import MemoryLeases
from bestex.app.agreement import Agreement, WithheldOrders, build, described
from bestex.app.settings import Settings, load
from bestex.domain.errors import InvalidInput, ServiceUnavailable
from bestex.messages.execution import KillExecutions
from bestex.messages.orders import CreateOrder
from tests.scenarios.separate_workers import small_orders

SECONDS = 0.5


class Clock:
    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def __call__(self) -> int:
        self.now_ns += 300_000_000  # each look takes time, so that leases run out
        return self.now_ns


class Asked:
    def __init__(self) -> None:
        self.payloads: list[Any] = []

    async def ask(self, service: str, payload: Any, *, order_id: str, idempotency: Any = None) -> Any:
        self.payloads.append(payload)
        return "done"


def settings(**more: Any) -> Settings:
    return load(**more)


def agreement(leases: MemoryLeases, instance: str, of_build: str = "1", **more: Any) -> Agreement:
    return Agreement(leases, instance, described(settings(**more), of_build), SECONDS)


async def test_processes_with_the_same_settings_and_build_agree() -> None:
    leases = MemoryLeases(lambda: 1)
    first, second = agreement(leases, "a"), agreement(leases, "b")
    await first.join()
    await second.join()
    assert not first.is_mixed
    assert not second.is_mixed


async def test_other_settings_are_refused_with_every_name_and_both_values() -> None:
    leases = MemoryLeases(lambda: 1)
    await agreement(leases, "market-1", speed=1).join()
    with pytest.raises(InvalidInput) as refusal:
        await agreement(leases, "algorithm-1", speed=2, seed=5).join()
    assert {item.field for item in refusal.value.errors} == {"speed", "seed"}
    assert "setting speed is 2.0 here and 1.0 in market-1, which runs" in refusal.value.message


async def test_a_dead_process_with_other_settings_is_waited_for() -> None:
    leases = MemoryLeases(Clock())
    await agreement(leases, "dead", speed=1).join()
    own = agreement(leases, "own", speed=2)
    await own.join()
    assert not own.is_mixed


async def test_another_build_makes_the_desk_mixed_until_it_leaves() -> None:
    leases = MemoryLeases(lambda: 1)
    old, new = agreement(leases, "old", "1"), agreement(leases, "new", "2")
    await old.join()
    await new.join()
    assert new.builds == {"1", "2"}
    await old.leave()
    await new._look()
    assert not new.is_mixed


async def test_a_mixed_desk_takes_no_new_order_and_everything_else() -> None:
    leases = MemoryLeases(lambda: 1)
    old, new = agreement(leases, "old", "1"), agreement(leases, "new", "2")
    await old.join()
    await new.join()
    asked = Asked()
    requests = WithheldOrders(asked, new)
    (parent,) = small_orders(1, 7)
    order = CreateOrder(order=parent, actor="test", market=None)  # type: ignore[arg-type]
    with pytest.raises(ServiceUnavailable, match="different builds run"):
        await requests.ask("order-desk", order, order_id="order_1")
    kill = KillExecutions(scope="all", scope_value=None, actor="test", reason="a test")
    assert await requests.ask("algorithm", kill, order_id="desk") == "done"
    await old.leave()
    await new._look()
    assert await requests.ask("order-desk", order, order_id="order_1") == "done"
    assert asked.payloads == [kill, order]


def test_a_build_is_the_version_and_what_the_sources_say() -> None:
    nothing = "e3b0c442"  # digest of no bytes at all
    version, _, digest = build().partition("-")
    assert version == "0.1.0"
    assert len(digest) == 8
    assert digest != nothing
    assert build() == build()


def test_what_is_said_fits_the_holder_of_a_lease() -> None:
    assert len(described(settings(bus_namespace="public/" + "n" * 300), build())) <= 200
