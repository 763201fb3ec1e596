"""Bad input gets a 4xx that names the field, the value and what would be right; nothing is stored, the rest goes on."""

from typing import Any

import httpx2
import pytest

V1 = "/api/v1"
ORDER: dict[str, Any] = {"order_id": "bad", "instrument_id": "AAPL", "side": "BUY", "quantity": 100}
ASK: dict[str, Any] = {"order_id": "bad", "instrument_id": "AAPL", "side": "BUY", "quantity": 100}


def instructions(**fields: Any) -> dict[str, Any]:
    return {"execution_instructions": fields}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"instrument_id": "NOPE"}, "instrument_id"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": -5}, "quantity"),
        ({"quantity": 0.5}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": "100"}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"side": "HOLD"}, "side"),
        ({"order_type": "LIMIT", "price": 187.345}, "price"),
        ({"order_type": "LIMIT"}, "price"),
        ({"price": 187.34}, "price"),
        ({"order_type": "LIMIT", "price": "187.34"}, "price"),
        ({"order_id": "../../etc"}, "order_id"),
        ({"colour": "blue"}, "colour"),
        ({"status": "FILLED"}, "status"),
        (instructions(max_participation_rate=0), "execution_instructions.max_participation_rate"),
        (instructions(max_participation_rate=1.01), "execution_instructions.max_participation_rate"),
        (instructions(max_participation_rate="0.1"), "execution_instructions.max_participation_rate"),
        (instructions(end_time="2020-01-01T00:00:00Z"), "execution_instructions.end_time"),
        (instructions(end_time="tomorrow"), "execution_instructions.end_time"),
        (
            instructions(start_time="2090-01-01T10:00:00Z", end_time="2090-01-01T09:00:00Z"),
            "execution_instructions.end_time",
        ),
        (instructions(urgency="PANIC"), "execution_instructions.urgency"),
        (instructions(venue_restrictions=["MARS"]), "execution_instructions.venue_restrictions"),
        ({"algorithm": "MAGIC"}, "algorithm"),
    ],
)
async def test_a_wrong_order_is_refused_by_field_and_not_stored(
    client: httpx2.AsyncClient, change: dict[str, Any], field: str
) -> None:
    reply = await client.post(f"{V1}/orders", json=ORDER | change)
    assert 400 <= reply.status_code < 500, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert field in [item["field"] for item in problem["errors"]], problem
    assert all(item["detail"] for item in problem["errors"])
    assert (await client.get(f"{V1}/orders")).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b'{"order_id":"bad","instrument_id":"AAPL","side":"BUY","quantity":1,"quantity":2}', 422, "twice"),
        (b'{"order_id":"bad","instrument_id":"AAPL","side":"BUY","quantity":NaN}', 422, "NaN"),
        (b'{"order_id":"bad","instrument_id":"AAPL","side":"BUY","quantity":1e999}', 422, "exponent"),
        (b'{"order_id":', 422, "not JSON"),
        (b"[" * 5000, 422, "nested"),
        (b'{"a":"' + b"x" * 70_000 + b'"}', 413, "larger than 65536 bytes"),
    ],
)
async def test_a_body_that_is_not_right_json_is_refused_with_its_reason(
    client: httpx2.AsyncClient, body: bytes, status: int, says: str
) -> None:
    reply = await client.post(f"{V1}/orders", content=body, headers={"content-type": "application/json"})
    assert reply.status_code == status, reply.text
    assert says in reply.json()["detail"]
    assert (await client.get(f"{V1}/orders")).json()["items"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"instrument_id": "NOPE"}, "instrument_id"),
        ({"quantity": "100"}, "quantity"),
        ({"quantity": 0.5}, "quantity"),
        ({"objective": "WIN"}, "objective"),
        ({"constraints": {"max_participation_rate": 2}}, "constraints.max_participation_rate"),
        ({"constraints": {"time_limit_minutes": 0}}, "constraints.time_limit_minutes"),
        ({"constraints": {"time_limit_minutes": True}}, "constraints.time_limit_minutes"),
        ({"constraints": {"dark_pool_preference": "yes"}}, "constraints.dark_pool_preference"),
        ({"end_time": "2020-01-01T00:00:00Z"}, "end_time"),
        ({"market_context": {"liquidity_score": 3}}, "market_context.liquidity_score"),
    ],
)
async def test_a_wrong_request_for_a_recommendation_is_refused_by_field(
    client: httpx2.AsyncClient, change: dict[str, Any], field: str
) -> None:
    reply = await client.post(f"{V1}/execution-strategy/recommend", json=ASK | change)
    assert 400 <= reply.status_code < 500, reply.text
    assert field in [item["field"] for item in reply.json()["errors"]]
    assert (await client.get(f"{V1}/execution-strategy/selections")).json()["items"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/orders/none", "/orders/none/fills", "/execution/none/status", "/execution/none/children",
        "/monitoring/none/status", "/monitoring/none/analytics", "/monitoring/none/timeline",
        "/execution-quality/results/none", "/execution-strategy/none/status", "/market/NOPE/quote",
        "/market/NOPE/bars", "/instruments/NOPE", "/nothing/here",
    ],
)  # fmt: skip
async def test_what_is_not_there_answers_404_as_a_problem(client: httpx2.AsyncClient, path: str) -> None:
    reply = await client.get(V1 + path)
    assert reply.status_code == 404
    assert reply.json()["code"] == "not_found"


@pytest.mark.parametrize(
    "query",
    ["/orders?sort=colour", "/orders?limit=0", "/orders?limit=x", "/orders?cursor=abc", "/market/AAPL/bars?start=noon"],
)
async def test_a_wrong_query_is_refused_as_a_problem(client: httpx2.AsyncClient, query: str) -> None:
    reply = await client.get(V1 + query)
    assert reply.status_code == 422
    assert reply.json()["errors"]


async def test_a_page_of_another_site_may_not_write(client: httpx2.AsyncClient) -> None:
    reply = await client.post(f"{V1}/orders", json=ORDER, headers={"origin": "http://evil.example"})
    assert reply.status_code == 403


async def test_the_desk_goes_on_after_a_flood_of_bad_input(client: httpx2.AsyncClient) -> None:
    for _ in range(50):
        await client.post(f"{V1}/orders", content=b"{", headers={"content-type": "application/json"})
    assert (await client.post(f"{V1}/orders", json=ORDER | {"algorithm": "TWAP"})).status_code == 201
    assert (await client.get("/readyz")).json()["ready"] is True
