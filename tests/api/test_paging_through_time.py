"""Long answers come in parts: an order's life from a position on, and the market's latest rows first."""

from typing import Any

import httpx2
import pytest

from tests.api.conftest import Until

V1 = "/api/v1"


async def life(client: httpx2.AsyncClient, path: str, **params: Any) -> Any:
    reply = await client.get(f"{V1}/{path}", params=params)
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.mark.parametrize("service", ["monitoring", "execution"])
async def test_a_timeline_read_in_parts_is_the_whole_timeline(
    client: httpx2.AsyncClient, until: Until, service: str
) -> None:
    order = {"order_id": "life", "instrument_id": "AAPL", "side": "BUY", "quantity": 400, "algorithm": "TWAP"}
    await client.post(f"{V1}/orders", json=order | {"execution_instructions": {"execution_style": "AGGRESSIVE"}})
    await until(f"{V1}/monitoring/life/analytics", lambda row: row["trade_executed"] is not None)
    path = f"{service}/life/timeline"
    whole = await life(client, path)
    assert whole["next_cursor"] is None
    positions = [item["position"] for item in whole["items"]]
    assert positions == sorted(set(positions))
    assert len(positions) > 3

    parts: list[Any] = []
    page = await life(client, path, limit=3)
    while True:
        assert len(page["items"]) <= 3
        parts += page["items"]
        if page["next_cursor"] is None:
            break
        page = await life(client, path, limit=3, cursor=page["next_cursor"])
    assert parts == whole["items"]
    assert (await life(client, path, after_position=positions[-2]))["items"] == whole["items"][-1:]
    assert (await life(client, path, after_position=positions[-1])) == {"items": [], "next_cursor": None}
    exactly = await life(client, path, limit=len(positions))
    assert exactly["next_cursor"] is None


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"cursor": "abc"}, "cursor"),
        ({"cursor": "²"}, "cursor"),
        ({"limit": 0}, "limit"),
        ({"after_position": -1}, "after_position"),
    ],
)
async def test_a_timeline_refuses_a_place_that_is_none(
    client: httpx2.AsyncClient, params: dict[str, Any], field: str
) -> None:
    order = {"order_id": "life", "instrument_id": "AAPL", "side": "BUY", "quantity": 400, "algorithm": "TWAP"}
    await client.post(f"{V1}/orders", json=order)
    reply = await client.get(f"{V1}/monitoring/life/timeline", params=params)
    assert reply.status_code == 422
    assert [error["field"] for error in reply.json()["errors"]] == [field]


@pytest.mark.parametrize("kind", ["quotes", "trades"])
async def test_without_a_span_the_latest_rows_of_the_session_come(client: httpx2.AsyncClient, kind: str) -> None:
    now = (await life(client, "desk"))["desk_time"]
    everything = (await life(client, f"market/AAPL/{kind}", end=now, limit=50_000))["items"]
    assert len(everything) > 5
    assert (await life(client, f"market/AAPL/{kind}", end=now, limit=5))["items"] == everything[-5:]
