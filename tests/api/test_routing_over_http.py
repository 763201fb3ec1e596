"""The smart order router as a client of the API sees it."""

from typing import Any

import httpx2
import pytest

V1 = "/api/v1"
ROUTE: dict[str, Any] = {"order_id": "r1", "instrument_id": "AAPL", "side": "BUY", "quantity": 1001}


@pytest.mark.parametrize(
    "objective", ["BEST_PRICE", "FASTEST_EXECUTION", "LOWEST_COST", "MINIMAL_IMPACT", "HIGHEST_FILL_RATE"]
)
async def test_every_objective_allocates_the_whole_quantity(client: httpx2.AsyncClient, objective: str) -> None:
    reply = await client.post(f"{V1}/smart-routing/route", json=ROUTE | {"routing_objective": objective})
    assert reply.status_code == 200, reply.text
    found = reply.json()
    legs = found["routing_decisions"]
    assert sum(leg["quantity_allocated"] for leg in legs) == 1001
    assert sum(leg["allocation_percentage"] for leg in legs) == pytest.approx(1, abs=1e-12)
    assert [leg["routing_priority"] for leg in legs] == list(range(1, len(legs) + 1))
    assert all(leg["venue_id"] in found["routing_rationale"] for leg in legs)
    assert 0 <= found["expected_execution_quality"]["expected_fill_rate"] <= 1
    assert found["routing_time_ms"] > 0
    assert (await client.get(f"{V1}/orders/r1")).status_code == 404  # a decision sends nothing


async def test_exclusions_and_the_split_are_kept(client: httpx2.AsyncClient) -> None:
    body = ROUTE | {"quantity": 50_000, "exclude_venues": ["NASDAQ"], "max_venue_split": 1}
    [leg] = (await client.post(f"{V1}/smart-routing/route", json=body)).json()["routing_decisions"]
    assert leg["venue_id"] not in ("NASDAQ", "DARK_POOL_1")
    assert leg["quantity_allocated"] == 50_000


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"instrument_id": "NOPE"}, 404, "instrument_id"),
        ({"quantity": 0.5}, 422, "quantity"),
        ({"routing_objective": "FUN"}, 422, "routing_objective"),
        ({"exclude_venues": ["MARS"]}, 422, "exclude_venues"),
        ({"venue_preferences": ["MARS"]}, 422, "venue_preferences"),
        ({"exclude_venues": ["NYSE", "NASDAQ", "BATS", "DARK_POOL_1"]}, 422, "exclude_venues"),
        ({"max_venue_split": 0}, 422, "max_venue_split"),
        ({"order_type": "LIMIT"}, 422, "price"),
        ({"order_type": "LIMIT", "price": 100.001}, 422, "price"),
        ({"order_type": "LIMIT", "price": 1}, 503, "instrument_id"),  # nobody sells AAPL at 1
    ],
)
async def test_a_route_that_cannot_be_is_refused_by_field(
    client: httpx2.AsyncClient, change: dict[str, Any], status: int, field: str
) -> None:
    reply = await client.post(f"{V1}/smart-routing/route", json=ROUTE | change)
    assert reply.status_code == status, reply.text
    assert field in [item["field"] for item in reply.json()["errors"]]


async def test_an_idempotency_key_repeats_the_decision(client: httpx2.AsyncClient) -> None:
    headers = {"Idempotency-Key": "route-1"}
    first = await client.post(f"{V1}/smart-routing/route", json=ROUTE, headers=headers)
    assert (await client.post(f"{V1}/smart-routing/route", json=ROUTE, headers=headers)).json() == first.json()


async def test_venues_say_what_they_charge_show_and_did(client: httpx2.AsyncClient) -> None:
    rows = (await client.get(f"{V1}/smart-routing/venues/quality?instrument_id=AAPL")).json()["items"]
    assert {row["venue_id"] for row in rows} == {"NYSE", "NASDAQ", "BATS", "DARK_POOL_1"}
    assert all(row["quality_score"] is None and row["orders"] == 0 for row in rows)
    assert all(row["latency_ms"] > 0 and row["is_generated"] for row in rows)
    assert (await client.get(f"{V1}/smart-routing/venues/quality?instrument_id=NOPE")).status_code == 404
    assert (await client.get(f"{V1}/smart-routing/venues/quality")).status_code == 422
