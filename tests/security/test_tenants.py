"""A06: what is another tenant's is not there, whichever way it is asked for."""

import time
from typing import Any

import pytest

from bestex.api.identity.scoped import COMMON, TenantFeed, TenantJournal, TenantStore
from bestex.domain.errors import InvalidInput, NotFound
from bestex.domain.ids import checked_order_id
from bestex.domain.tenants import OfTenant, qualified, tenant_of
from bestex.messages import records
from bestex.messages.records import RECORDS
from tests.security.conftest import Guarded, order

V1 = "/api/v1"
OF_AN_ORDER = (
    "/orders/{id}", "/orders/{id}/fills", "/execution/{id}/plan", "/execution/{id}/status", "/execution/{id}/children",
    "/execution/{id}/fills", "/execution/{id}/timeline", "/monitoring/{id}/status", "/monitoring/{id}/analytics",
    "/monitoring/{id}/timeline", "/execution-quality/results/{id}", "/execution-strategy/{id}/status",
)  # fmt: skip
LISTS = (
    "/orders", "/execution/orders", "/monitoring/orders", "/monitoring/alerts", "/monitoring/executions",
    "/execution-quality/results", "/execution-strategy/selections", "/execution-strategy/history",
)  # fmt: skip


def test_an_id_of_another_tenant_cannot_be_said() -> None:
    assert qualified("acme", "x") == qualified("acme", "acme~x") == "acme~x"
    assert qualified("default", "x") == "x"
    for name in ("x", "zenith~x", "zenith~acme~x", "~x", "acme~zenith~x"):
        assert tenant_of(qualified("acme", name)) == "acme"
    with pytest.raises(NotFound):
        qualified("default", "acme~x")
    with pytest.raises(InvalidInput):
        checked_order_id("acme~zenith~x", field="order_id")
    with pytest.raises(InvalidInput, match="longer than 100"):
        checked_order_id("acme~" + "x" * 96, field="order_id")
    assert OfTenant("default").holds("x")
    assert not OfTenant("default").holds("acme~x")


def test_every_record_is_hung_on_an_order_or_common_or_hidden() -> None:
    loose = {record for record in RECORDS if "order_id" not in record.__struct_fields__} - COMMON
    hidden = {"StrategyPerformanceRow", "VenueProfileRow", "AlgorithmProfileRow", "QualityAlertRow", "ReadPositionRow"}
    assert {record.__name__ for record in loose} - {"AuditRow"} == hidden
    assert hasattr(records, "ParentOrderRow")


async def test_a06_another_tenant_s_order_answers_404_in_the_same_words_as_one_that_is_not_there(
    guarded: Guarded,
) -> None:
    acme, zenith, house = guarded.client(), guarded.client(tenant="zenith"), guarded.client(tenant="default")
    sent = await acme.post(f"{V1}/orders", json=order("s1"))
    assert sent.status_code == 201, sent.text
    assert sent.json()["order_id"] == "acme~s1"
    for path in OF_AN_ORDER:
        for client, name in ((zenith, "s1"), (zenith, "acme~s1"), (house, "s1"), (house, "acme~s1")):
            found = await client.get(V1 + path.format(id=name))
            missing = await client.get(V1 + path.format(id=name.replace("s1", "no")))
            assert found.status_code == missing.status_code == 404, (path, name, found.text)
            assert found.json()["detail"].replace("s1", "no") == missing.json()["detail"]
    for path in LISTS:
        mine, theirs = (await acme.get(V1 + path)).json()["items"], (await zenith.get(V1 + path)).json()["items"]
        assert "acme" not in str(theirs), path
        assert theirs == [], path
        assert isinstance(mine, list)
    assert [row["order_id"] for row in (await acme.get(f"{V1}/orders")).json()["items"]] == ["acme~s1"]
    assert (await acme.get(f"{V1}/orders/s1")).json() == (await acme.get(f"{V1}/orders/acme~s1")).json()


async def test_a06_another_tenant_cannot_change_or_cancel_it(guarded: Guarded) -> None:
    acme, zenith = guarded.client(), guarded.client(tenant="zenith")
    await acme.post(f"{V1}/orders", json=order("s1"))
    before = (await acme.get(f"{V1}/orders/s1")).json()
    for name in ("s1", "acme~s1"):
        for method, path, body in (
            ("POST", f"/orders/{name}/modify", {"quantity": 100}),
            ("PUT", f"/orders/{name}/cancel", None),
            ("POST", f"/execution/{name}/pause", None),
            ("POST", f"/execution/{name}/cancel", None),
            ("POST", "/monitoring/start", {"order_id": name}),
            ("POST", "/execution-quality/analyze", {"order_id": name}),
        ):  # fmt: skip
            reply = await zenith.request(method, V1 + path, json=body)
            assert reply.status_code in (404, 422), (path, reply.text)
    after = (await acme.get(f"{V1}/orders/s1")).json()
    assert after["quantity"] == before["quantity"]
    assert after["state"] in ("PENDING", "WORKING", "PARTIALLY_FILLED"), after


async def test_two_tenants_may_use_one_order_id_and_one_key_for_different_orders(guarded: Guarded) -> None:
    acme, zenith, house = guarded.client(), guarded.client(tenant="zenith"), guarded.client(tenant="default")
    headers = {"Idempotency-Key": "k"}
    answers = [
        await client.post(f"{V1}/orders", json=order("same", quantity=quantity), headers=headers)
        for client, quantity in ((acme, 100), (zenith, 200), (house, 300))
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert [answer.json()["order_id"] for answer in answers] == ["acme~same", "zenith~same", "same"]
    assert [(await client.get(f"{V1}/orders/same")).json()["quantity"] for client in (acme, zenith, house)] == [
        100,
        200,
        300,
    ]


async def test_a_proposal_of_another_tenant_cannot_be_committed(guarded: Guarded) -> None:
    acme, zenith = guarded.client(), guarded.client(tenant="zenith")
    ask = {"order_id": "p", "instrument_id": "AAPL", "side": "BUY", "quantity": 900}
    made = await acme.post(f"{V1}/execution-strategy/recommend", json=ask)
    assert made.status_code == 200, made.text
    body = {
        "order_id": "q",
        "instrument_id": "AAPL",
        "side": "BUY",
        "quantity": 900,
        "selection_id": made.json()["selection_id"],
    }
    assert (await zenith.post(f"{V1}/orders", json=body)).status_code == 404
    assert (await acme.post(f"{V1}/orders", json=body)).status_code == 201


async def test_a06_the_answer_takes_as_long_for_another_tenant_s_order_as_for_none(guarded: Guarded) -> None:
    acme, zenith = guarded.client(), guarded.client(tenant="zenith")
    await acme.post(f"{V1}/orders", json=order("s1"))

    taken: dict[str, list[float]] = {"acme~s1": [], "acme~no": []}
    for _ in range(40):
        for name, seconds in taken.items():  # in turn, so that a busy machine slows both
            start = time.perf_counter()
            assert (await zenith.get(f"{V1}/orders/{name}")).status_code == 404
            seconds.append(time.perf_counter() - start)
    foreign, missing = (min(seconds) for seconds in taken.values())
    assert abs(foreign - missing) < 0.005


class Everything:
    """A feed and journal that say one message of each tenant."""

    def __init__(self, messages: list[Any]) -> None:
        self.messages = messages

    def subscribe(self, listener: Any) -> Any:
        for number, message in enumerate(self.messages):
            listener(number, message)
        return lambda: None

    async def read(self, **_: Any) -> Any:
        for number, message in enumerate(self.messages):
            yield number, message


async def test_a_tenant_s_feed_and_journal_tell_nothing_of_others() -> None:
    from types import SimpleNamespace

    said = Everything([SimpleNamespace(order_id=name) for name in ("x", "acme~x", "zenith~x", "desk")])
    for tenant, wanted in (("acme", ["acme~x"]), ("zenith", ["zenith~x"]), ("default", ["x", "desk"])):
        heard: list[str] = []
        TenantFeed(said, tenant).subscribe(lambda _, message, heard=heard: heard.append(message.order_id))  # type: ignore[arg-type,misc]
        read = [message.order_id async for _, message in TenantJournal(said, tenant).read()]  # type: ignore[arg-type]
        assert heard == read == wanted
    assert TenantStore is not None
