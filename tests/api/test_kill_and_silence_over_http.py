"""What is killed can be asked for, and an alert can be silenced; both are still so after a restart."""

from typing import Any

import httpx2
import pytest

from bestex.app.settings import Settings
from tests.api.conftest import Until
from tests.api.test_after_a_restart import desk

V1 = "/api/v1"
KILL = f"{V1}/execution/kill"
ALWAYS: dict[str, Any] = {
    "rule_name": "any fill rate",
    "alert_type": "ANOMALY",
    "metric": "fill_rate",
    "comparison": "below",
    "threshold": 2.0,
    "for_seconds": 0,
    "severity": "LOW",
}


async def test_what_is_killed_is_told_with_who_when_and_why_until_it_is_rearmed(settings: Settings) -> None:
    scope = {"scope": "instrument", "scope_value": "AAPL"}
    async with desk(settings) as client:
        assert (await client.get(KILL)).json() == {"killed": []}
        await client.post(KILL, json={**scope, "reason": "runaway quotes"})
        await client.post(KILL, json={"scope": "all", "reason": "fire drill"})
        now = (await client.get(f"{V1}/desk")).json()["desk_time"]
    async with desk(settings) as client:
        killed = {row["scope"]: row for row in (await client.get(KILL)).json()["killed"]}
        assert set(killed) == {"all", "instrument"}
        one = killed["instrument"]
        assert (one["scope_value"], one["actor"], one["reason"]) == ("AAPL", "local", "runaway quotes")
        assert one["time"] <= now
        await client.post(f"{V1}/execution/rearm", json={"scope": "all", "reason": "over"})
        assert [row["scope"] for row in (await client.get(KILL)).json()["killed"]] == ["instrument"]
        order = {"order_id": "k", "instrument_id": "AAPL", "side": "BUY", "quantity": 100, "algorithm": "TWAP"}
        await client.post(f"{V1}/orders", json=order)
        assert (
            (await client.get(f"{V1}/orders/k")).json()["reason"].startswith("killed (instrument AAPL): runaway quotes")
        )


async def test_a_silenced_alert_is_listed_with_its_silence(client: httpx2.AsyncClient, until: Until) -> None:
    assert (await client.post(f"{V1}/monitoring/alerts/rules", json=ALWAYS)).status_code == 201
    order = {"order_id": "s", "instrument_id": "AAPL", "side": "BUY", "quantity": 20_000, "algorithm": "VWAP"}
    await client.post(f"{V1}/orders", json=order)
    found = await until(f"{V1}/monitoring/alerts?order_id=s", lambda page: page["items"])
    alert = found["items"][0]
    assert alert["silenced_until"] is None
    path = f"{V1}/monitoring/alerts/{alert['alert_id']}/silence"
    reply = await client.post(path, json={"duration_seconds": 3600, "reason": "known"})
    assert reply.status_code == 200, reply.text
    [shown] = (await client.get(f"{V1}/monitoring/alerts?order_id=s")).json()["items"]
    assert (shown["silenced_by"], shown["silence_reason"], shown["state"]) == ("local", "known", "FIRING")
    assert shown["silenced_until"] > alert["raised_time"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"duration_seconds": -1, "reason": "x"}, "duration_seconds"),
        ({"duration_seconds": 86_401, "reason": "x"}, "duration_seconds"),
        ({"duration_seconds": "60", "reason": "x"}, "duration_seconds"),
        ({"duration_seconds": 60}, "reason"),
    ],
)
async def test_a_silence_that_cannot_be_is_refused_by_field(
    client: httpx2.AsyncClient, body: dict[str, Any], field: str
) -> None:
    reply = await client.post(f"{V1}/monitoring/alerts/none/silence", json=body)
    assert reply.status_code == 422
    assert [error["field"] for error in reply.json()["errors"]] == [field]


async def test_an_alert_that_nobody_raised_cannot_be_silenced(client: httpx2.AsyncClient) -> None:
    body = {"duration_seconds": 60, "reason": "x"}
    assert (await client.post(f"{V1}/monitoring/alerts/none/silence", json=body)).status_code == 404
