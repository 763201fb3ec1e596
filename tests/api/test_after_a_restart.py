"""What people changed of the desk is still so after a restart, and orders that were being worked go on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from bestex.api.application import create_application
from bestex.app.serve import running_desk
from bestex.app.settings import Settings

V1 = "/api/v1"


@asynccontextmanager
async def desk(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    async with running_desk(settings) as (access, driver):
        transport = httpx2.ASGITransport(app=create_application(access), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:
            yield client
        assert driver.failure is None


async def test_switches_strategies_and_rules_come_back_and_an_order_of_a_disabled_algorithm_goes_on(
    settings: Settings,
) -> None:
    slow = settings.model_copy(update={"speed": 1.0})
    order: dict[str, Any] = {
        "order_id": "long", "instrument_id": "AAPL", "side": "BUY", "quantity": 20_000, "algorithm": "VWAP",
    }  # fmt: skip
    house = {
        "strategy_name": "House TWAP",
        "algorithm_mapping": {"algorithm": "TWAP", "execution_style": "PASSIVE"},
        "parameter_ranges": {"horizon_minutes": {"min": 30, "max": 120}},
    }
    rule = {
        "rule_name": "dear", "alert_type": "HIGH_COST", "metric": "arrival_slippage_bps", "comparison": "above",
        "threshold": 3, "severity": "HIGH",
    }  # fmt: skip
    async with desk(slow) as client:
        assert (await client.post(f"{V1}/orders", json=order)).status_code == 201
        await client.put(f"{V1}/execution/algorithms/VWAP", json={"enabled": False})
        assert (await client.post(f"{V1}/execution-strategy/strategies", json=house)).status_code == 201
        assert (await client.delete(f"{V1}/execution-strategy/strategies/Steady TWAP")).status_code == 200
        assert (await client.post(f"{V1}/monitoring/alerts/rules", json=rule)).status_code == 201
        await client.post(f"{V1}/smart-routing/route", json={**order, "order_id": "r", "algorithm": None})
        await client.get(f"{V1}/execution-strategy/market-conditions/AAPL")
    async with desk(slow) as client:
        assert (await client.get(f"{V1}/orders/long")).json()["state"] == "WORKING"
        assert (await client.get(f"{V1}/execution/algorithms/VWAP")).json()["enabled"] is False
        await client.post(f"{V1}/orders", json=order | {"order_id": "late"})
        assert (await client.get(f"{V1}/orders/late")).json()["state"] == "REJECTED"
        asked = {"order_id": "ask", "instrument_id": "AAPL", "side": "BUY", "quantity": 1000}
        answer = (await client.post(f"{V1}/execution-strategy/recommend", json=asked)).json()
        assert "switched off" in answer["infeasible"]["Steady TWAP"]
        assert (await client.post(f"{V1}/execution-strategy/strategies", json=house)).status_code == 409
        rules = {row["rule_name"]: row for row in (await client.get(f"{V1}/monitoring/alerts/rules")).json()["items"]}
        assert rules["dear"]["threshold"] == 3
        assert (await client.put(f"{V1}/execution/algorithms/VWAP", json={"enabled": True})).status_code == 200
        timeline = (await client.get(f"{V1}/monitoring/long/timeline")).json()["items"]
        assert "execution_completed" not in {item["event_type"] for item in timeline}
