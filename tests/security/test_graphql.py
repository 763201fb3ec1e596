"""A06 and A13 over GraphQL: another tenant's orders are not there, and nobody learns the schema from a guarded desk."""

import json
from typing import Any

import httpx2
import pytest

from tests.security.conftest import Guarded

URL = "/api/v1/graphql"
ORDER = {"order_id": "t1", "instrument_id": "AAPL", "side": "BUY", "quantity": 300, "algorithm": "TWAP"}


async def ask(client: httpx2.AsyncClient, query: str) -> Any:
    return (await client.post(URL, json={"query": query})).json()


async def test_a06_another_tenant_s_order_is_not_found_over_graphql(guarded: Guarded) -> None:
    acme, zenith = guarded.client("trader", "acme"), guarded.client("desk_head", "zenith")
    (await acme.post("/api/v1/orders", json=ORDER)).raise_for_status()
    own = await ask(acme, '{ orders { items { order_id } } order(order_id: "t1") { timeline { items { position } } } }')
    [item] = own["data"]["orders"]["items"]
    assert own["data"]["order"]["timeline"]["items"]
    assert (await ask(zenith, "{ orders { items { order_id } } alerts { items { alert_id } } }"))["data"] == {
        "orders": {"items": []},
        "alerts": {"items": []},
    }
    for name in ("t1", item["order_id"]):
        reply = await zenith.post(URL, json={"query": f'{{ order(order_id: "{name}") {{ state }} }}'})
        assert reply.status_code == 404
        assert reply.json()["errors"][0]["extensions"]["problem"]["code"] == "not_found"


async def test_without_a_credential_graphql_answers_nothing(guarded: Guarded) -> None:
    reply = await guarded.holding(None).post(URL, json={"query": "{ __typename }"})
    assert reply.status_code == 401


async def test_a13_a_guarded_desk_does_not_introspect(guarded: Guarded) -> None:
    told = await ask(guarded.client("operator", "default"), "{ __schema { types { name } } }")
    assert "introspection is off" in told["errors"][0]["message"]


@pytest.mark.parametrize("payload", [None, {}, {"token": "wrong"}, {"token": 1}])
async def test_a_socket_that_does_not_say_who_it_is_is_closed(guarded: Guarded, payload: Any) -> None:
    init = {"type": "connection_init"} | ({} if payload is None else {"payload": payload})
    assert await closed_with(guarded, init) == 4403


async def closed_with(guarded: Guarded, init: dict[str, Any]) -> int:
    """The code with which the desk closes, talking ASGI to it directly."""
    sent: list[dict[str, Any]] = []
    given = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": json.dumps(init)}])

    async def receive() -> dict[str, Any]:
        return next(given, {"type": "websocket.disconnect", "code": 1000})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket", "asgi": {"version": "3.0"}, "scheme": "ws", "path": URL, "raw_path": URL.encode(),
        "query_string": b"", "root_path": "", "headers": [(b"host", b"desk")], "client": ("127.0.0.1", 1),
        "server": ("desk", 80), "subprotocols": ["graphql-transport-ws"], "state": {}, "extensions": {},
    }  # fmt: skip
    await guarded.application(scope, receive, send)  # type: ignore[arg-type]
    [code] = [message["code"] for message in sent if message["type"] == "websocket.close"]
    return int(code)
