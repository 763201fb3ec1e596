"""`bestex bus` on a SQLite file: what an operator sees and changes, and the audit of it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from bestex.adapters.sql.bus import SqlBus
from bestex.app.buses import BusAddress, open_bus, schema_of
from bestex.cli import app
from bestex.domain.errors import InvalidInput, NotFound
from bestex.ports import Delivery, Outgoing


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A command logs to its own standard error, which ends with it."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bus.sqlite"


def run(url: str, *words: str) -> Result:
    return CliRunner().invoke(app, ["bus", "--url", url, "--shards", "2", *words], env={"COLUMNS": "200"})


def printed(url: str, *words: str) -> Any:
    result = run(url, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def publish(url: str, count: int) -> None:
    async def once() -> None:
        bus = await SqlBus.open(url, 2)
        records = [Outgoing(key="A", body=b"x", headers={}, sequence=number) for number in range(count)]
        await bus.publish("orders", 1, "api-0", records)
        await bus.close()

    asyncio.run(once())


def audit(url: str) -> list[dict[str, Any]]:
    async def once() -> list[Delivery]:
        bus = await SqlBus.open(url, 2)
        try:
            async for group in bus.read("operations", 0, after=None):
                return list(group)
            return []
        finally:
            await bus.close()

    return [json.loads(delivery.body) for delivery in asyncio.run(once())]


def test_a_subscription_is_made_sought_paused_and_deleted_with_an_audit_of_each(url: str) -> None:
    publish(url, 5)
    printed(url, "create", "orders", "audit", "--actor", "ada")
    assert printed(url, "lag", "orders") == [{"topic": "orders", "subscription": "audit", "lag": 0}]
    printed(url, "seek", "orders", "audit", "--sequence", "2", "--actor", "ada")
    assert printed(url, "lag") == [{"topic": "orders", "subscription": "audit", "lag": 3}]
    printed(url, "pause", "orders", "audit", "--actor", "ada")
    rows = printed(url, "subscriptions", "orders")
    assert [(row["shard"], row["lag"], row["is_paused"]) for row in rows] == [(0, 0, True), (1, 3, True)]
    printed(url, "resume", "orders", "audit", "--actor", "ada")
    printed(url, "seek", "orders", "audit", "--time", "2020-01-01T00:00:00Z", "--actor", "bob")
    assert printed(url, "lag")[0]["lag"] == 5
    printed(url, "delete", "orders", "audit", "--actor", "ada")
    assert printed(url, "subscriptions") == []
    assert printed(url, "topics") == ["operations", "orders"]
    kept = [(row["action"], row["actor"], row["subscription"]) for row in audit(url)]
    assert kept == [
        (action, "bob" if number == 4 else "ada", "audit")
        for number, action in enumerate(("create", "seek", "pause", "resume", "seek", "delete"))
    ]


def test_a_topic_is_removed_by_its_name_with_an_audit(url: str) -> None:
    publish(url, 5)
    printed(url, "retain", "orders", "--days", "7", "--actor", "ada")
    printed(url, "remove", "orders", "--actor", "ada")
    assert printed(url, "topics") == ["operations"]
    assert [row["action"] for row in audit(url)] == ["retain", "remove"]
    assert isinstance(run(url, "remove", "orderz").exception, NotFound)


def test_a_lag_above_the_stated_one_is_an_exit_code(url: str) -> None:
    publish(url, 5)
    run(url, "create", "orders", "audit", "--from-start")
    assert run(url, "lag", "--most", "5").exit_code == 0
    assert run(url, "lag", "--most", "4").exit_code == 1


def test_what_is_not_there_is_named_and_leaves_no_audit(url: str) -> None:
    publish(url, 1)
    assert isinstance(run(url, "create", "oders", "audit").exception, NotFound)
    assert isinstance(run(url, "delete", "orders", "audit").exception, NotFound)
    assert isinstance(run(url, "subscriptions", "oders").exception, NotFound)
    assert isinstance(run(url, "seek", "orders", "audit").exception, InvalidInput)
    assert printed(url, "topics") == ["orders"]


def test_the_desks_own_topics_may_be_subscribed_to_before_their_first_record(url: str) -> None:
    printed(url, "create", "orders", "audit")
    assert printed(url, "lag") == [{"topic": "orders", "subscription": "audit", "lag": 0}]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (BusAddress(url="kafka://x"), "is of no known bus"),
        (BusAddress(url="pulsar://127.0.0.1:1"), "BESTEX_BUS_ADMIN_URL"),
        (BusAddress(url="pulsar://", admin_url="http://127.0.0.1:1"), "is not an address"),
        (BusAddress(url="pulsar://127.0.0.1:1", admin_url="ftp://x"), "is not an address"),
    ],
)
async def test_an_address_that_is_none_is_refused_with_what_would_be_right(address: BusAddress, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        await open_bus(address)


def test_an_address_is_shown_without_its_password() -> None:
    assert str(BusAddress(url="postgresql://desk:secret@db:5432/bestex")) == "postgresql://desk:***@db:5432/bestex"
    assert schema_of("public/four-services") == "four_services"
