"""One parent order from ticket to grade, as a client of the API sees it."""

import httpx2
import pytest

from tests.api.conftest import Until

V1 = "/api/v1"
ASK = {
    "order_id": "ticket-1",
    "instrument_id": "AAPL",
    "side": "BUY",
    "quantity": 3000,
    "objective": "MINIMIZE_COST",
    "urgency": "HIGH",
    "constraints": {"max_participation_rate": 0.25, "time_limit_minutes": 10},
}


async def test_an_order_goes_from_recommendation_to_grade(client: httpx2.AsyncClient, until: Until) -> None:
    proposed = (await client.post(f"{V1}/execution-strategy/recommend", json=ASK)).json()
    assert sum(proposed["recommended_strategy"]["venue_allocation"].values()) == pytest.approx(1, abs=1e-12)
    assert 0 <= proposed["confidence"] <= 1
    assert proposed["strategy_rationale"]
    assert (await client.get(f"{V1}/orders/ticket-1")).status_code == 404  # a recommendation starts nothing

    order = {
        "order_id": "ticket-1",
        "instrument_id": "AAPL",
        "side": "BUY",
        "quantity": 3000,
        "selection_id": proposed["selection_id"],
        "execution_instructions": {"urgency": "HIGH", "objective": "MINIMIZE_COST", "max_participation_rate": 0.25},
    }
    reply = await client.post(f"{V1}/orders", json=order)
    assert reply.status_code == 201, reply.text
    working = (await client.get(f"{V1}/execution/ticket-1/status")).json()
    assert working["quantity"] == 3000
    plan = (await client.get(f"{V1}/execution/ticket-1/plan")).json()
    assert sum(item["target_quantity"] for item in plan["execution_schedule"]) == 3000

    done = await until(f"{V1}/orders/ticket-1", lambda row: row["state"] in ("FILLED", "EXPIRED"))
    graded = await until(f"{V1}/execution-quality/results/ticket-1", lambda row: True)
    fills = (await client.get(f"{V1}/orders/ticket-1/fills")).json()["items"]
    assert sum(item["quantity"] for item in fills) == done["filled_quantity"]
    assert graded["quality_grade"] in {"EXCELLENT", "GOOD", "AVERAGE", "POOR", "UNACCEPTABLE"}, (done, graded)
    assert graded["interval"] is not None

    analytics = await until(f"{V1}/monitoring/ticket-1/analytics", lambda row: row["trade_executed"] is not None)
    parts = analytics["performance_attribution"]
    total = parts.pop("total")
    assert sum(parts.values()) == pytest.approx(total, abs=1e-9)
    status = (await client.get(f"{V1}/execution-strategy/ticket-1/status")).json()
    assert status["realised_outcomes"] is not None
    assert 0 <= status["performance_score"] <= 1


async def test_an_order_sent_without_an_algorithm_is_worked_all_the_same(
    client: httpx2.AsyncClient, until: Until
) -> None:
    order = {"order_id": "plain", "instrument_id": "MSFT", "side": "SELL", "quantity": 500}
    assert (await client.post(f"{V1}/orders", json=order)).status_code == 201
    row = await until(f"{V1}/orders/plain", lambda row: row["filled_quantity"] > 0)
    assert row["strategy_name"]


async def test_pause_resume_cancel_are_seen_in_the_order_s_state(client: httpx2.AsyncClient, until: Until) -> None:
    order = {
        "order_id": "steered",
        "instrument_id": "AAPL",
        "side": "BUY",
        "quantity": 20_000,
        "algorithm": "TWAP",
    }
    await client.post(f"{V1}/orders", json=order)
    assert (await client.post(f"{V1}/execution/steered/pause", json={"reason": "news"})).status_code == 200
    await until(f"{V1}/orders/steered", lambda row: row["state"] == "PAUSED")
    assert (await client.post(f"{V1}/execution/steered/resume")).status_code == 200
    await until(f"{V1}/orders/steered", lambda row: row["state"] == "WORKING")
    assert (await client.put(f"{V1}/orders/steered/cancel", json={"reason": "enough"})).status_code == 200
    row = await until(f"{V1}/orders/steered", lambda row: row["state"] in ("CANCELLED", "FILLED"))
    again = await client.put(f"{V1}/orders/steered/cancel")
    assert again.status_code == 409
    assert again.json()["code"] == "conflict"
    timeline = (await client.get(f"{V1}/monitoring/steered/timeline")).json()["items"]
    said = [item["event_type"] for item in timeline]
    assert said.index("pause_execution") < said.index("resume_execution") < said.index("order_cancelled")
    assert row["filled_quantity"] <= 20_000


async def test_the_same_order_sent_twice_is_one_order(client: httpx2.AsyncClient) -> None:
    order = {"order_id": "twice", "instrument_id": "AAPL", "side": "BUY", "quantity": 100, "algorithm": "TWAP"}
    first = await client.post(f"{V1}/orders", json=order)
    second = await client.post(f"{V1}/orders", json=order)
    other = await client.post(f"{V1}/orders", json=order | {"quantity": 200})
    assert (first.status_code, second.status_code, other.status_code) == (201, 200, 409)
    assert len((await client.get(f"{V1}/orders")).json()["items"]) == 1


async def test_an_idempotency_key_gives_one_order_and_refuses_another_body(client: httpx2.AsyncClient) -> None:
    order = {"instrument_id": "AAPL", "side": "BUY", "quantity": 100, "algorithm": "TWAP"}
    headers = {"Idempotency-Key": "k1"}
    first = await client.post(f"{V1}/orders", json=order, headers=headers)
    second = await client.post(f"{V1}/orders", json=order, headers=headers)
    other = await client.post(f"{V1}/orders", json=order | {"quantity": 300}, headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.json()["order_id"] == second.json()["order_id"]
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"
    assert len((await client.get(f"{V1}/orders")).json()["items"]) == 1


async def test_kill_stops_everything_and_rearm_allows_it_again(client: httpx2.AsyncClient, until: Until) -> None:
    order = {"order_id": "k", "instrument_id": "AAPL", "side": "BUY", "quantity": 20_000, "algorithm": "TWAP"}
    await client.post(f"{V1}/orders", json=order)
    killed = await client.post(f"{V1}/execution/kill", json={"scope": "all", "reason": "drill"})
    assert killed.status_code == 200, killed.text
    await until(f"{V1}/execution/k/status", lambda row: row["live_quantity"] == 0)
    assert (await client.post(f"{V1}/execution/rearm", json={"scope": "all", "reason": "over"})).status_code == 200


async def test_orders_page_by_cursor_and_filter_by_state(client: httpx2.AsyncClient) -> None:
    for number in range(5):
        order = {"order_id": f"p{number}", "instrument_id": "AAPL", "side": "BUY", "quantity": 100, "algorithm": "TWAP"}
        await client.post(f"{V1}/orders", json=order)
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await client.get(f"{V1}/orders?limit=2{cursor}")).json()
        seen += [row["order_id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(seen) == [f"p{number}" for number in range(5)]
    assert (await client.get(f"{V1}/orders?state=REJECTED")).json()["items"] == []
