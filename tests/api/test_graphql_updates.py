"""GraphQL subscriptions of a desk that serves for real: resumable by position, bounded, closed to pages of others."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import websockets

from bestex.domain.time import NS_PER_MINUTE, from_iso, to_iso
from tests.api.test_streams import address, send

__all__ = ["address"]
PROTOCOL = "graphql-transport-ws"


@asynccontextmanager
async def connected(address: str, **options: Any) -> AsyncIterator[Any]:
    url = address.replace("http", "ws") + "/api/v1/graphql"
    async with websockets.connect(url, subprotocols=[websockets.Subprotocol(PROTOCOL)], **options) as socket:
        await tell(socket, type="connection_init")
        assert await told(socket) == {"type": "connection_ack"}
        yield socket


async def tell(socket: Any, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def told(socket: Any) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 20))
    return message


async def subscribe(socket: Any, query: str, key: str = "1", **variables: Any) -> None:
    await tell(socket, id=key, type="subscribe", payload={"query": query, "variables": variables})


async def updates(address: str, query: str, count: int, **variables: Any) -> list[dict[str, Any]]:
    seen = []
    async with connected(address) as socket:
        await subscribe(socket, query, **variables)
        while len(seen) < count:
            message = await told(socket)
            assert message["type"] == "next", message
            assert "errors" not in message["payload"], message
            [update] = message["payload"]["data"].values()
            seen.append(update)
    return seen


EXECUTION = """subscription ($id: String, $after: Int64) { execution_updates(order_id: $id, after_position: $after) {
    event { position order_id event_type body } execution { state filled_quantity } } }"""


async def test_updates_resume_after_a_position_without_gap_or_repeat(address: str) -> None:
    await send(address, "u1")
    await send(address, "u2")
    first = await updates(address, EXECUTION, 5, id="u1", after=0)
    last = first[2]["event"]["position"]
    again = await updates(address, EXECUTION, 2, id="u1", after=last)
    assert [item["event"] for item in again] == [item["event"] for item in first[3:]]
    assert {item["event"]["order_id"] for item in first + again} == {"u1"}
    for item in first:
        if item["event"]["event_type"] == "algorithm_execution":
            assert item["execution"]["state"] == item["event"]["body"]["state"]
        else:
            assert item["execution"] is None


async def test_an_order_s_story_ends_with_its_grade(address: str) -> None:
    query = "subscription { quality_updates { event { order_id } quality { overall_quality_score order_id } } }"
    listening = asyncio.create_task(updates(address, query, 1))
    await asyncio.sleep(0.5)
    async with httpx2.AsyncClient(base_url=address) as client:
        now = from_iso((await client.get("/api/v1/desk")).json()["desk_time"])
        order = {
            "order_id": "u3", "instrument_id": "AAPL", "side": "BUY", "quantity": 200, "algorithm": "TWAP",
            "execution_instructions": {
                "execution_style": "AGGRESSIVE", "end_time": to_iso(now + 5 * NS_PER_MINUTE)
            },
        }  # fmt: skip
        (await client.post("/api/v1/orders", json=order)).raise_for_status()
    story = "subscription { order_updates(after_position: 0) { event { event_type } order { order_id state } } }"
    seen = await updates(address, story, 2)
    assert seen[0]["event"]["event_type"] == "order_created"
    assert {item["order"]["order_id"] for item in seen} == {"u3"}
    [grade] = await listening
    assert grade["quality"]["order_id"] == "u3"


async def test_a_subscription_to_an_order_nobody_knows_is_a_not_found_problem(address: str) -> None:
    async with connected(address) as socket:
        await subscribe(socket, EXECUTION, id="nobody")
        message = await told(socket)
        [error] = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert error["extensions"]["problem"]["code"] == "not_found"


async def test_queries_over_the_socket_are_weighed_as_well(address: str) -> None:
    async with connected(address) as socket:
        await subscribe(socket, "{ " + " ".join(f"a{n}: __typename" for n in range(31)) + " }")
        message = await told(socket)
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["problem"]["status"] == 422


async def test_a_socket_has_a_bounded_number_of_subscriptions(address: str) -> None:
    async with connected(address) as socket:
        for number in range(21):
            await subscribe(socket, EXECUTION, key=str(number))
        message = await told(socket)
        assert (message["id"], message["type"]) == ("20", "error")
        assert "limit" in message["payload"][0]["message"]


async def test_a_page_of_another_site_gets_no_socket(address: str) -> None:
    with pytest.raises(websockets.exceptions.InvalidStatus):
        async with connected(address, origin="http://evil.example"):
            pass


async def test_a_reader_that_falls_behind_is_told_where_to_go_on(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bestex.api.following.QUEUE_MAX", 1)
    async with connected(address) as socket:
        await subscribe(socket, EXECUTION)
        await asyncio.sleep(0.2)
        for number in range(5):
            await send(address, f"slow{number}")
        while (message := await told(socket))["type"] == "next" and "errors" not in message["payload"]:
            pass
        [error] = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert error["extensions"]["problem"]["code"] == "too_slow"
        assert "resume after position" in error["message"]
