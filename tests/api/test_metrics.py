"""What an operator's Prometheus reads from a desk at work."""

import asyncio

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.api.conftest import Until

V1 = "/api/v1"


async def _metrics(client: httpx2.AsyncClient) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families((await client.get("/metrics")).text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def _sum(found: dict[str, list[tuple[dict[str, str], float]]], name: str, **labels: str) -> float:
    return sum(value for has, value in found.get(name, ()) if labels.items() <= has.items())


async def test_an_order_moves_the_metrics_of_every_service_and_of_the_commit(
    client: httpx2.AsyncClient, until: Until
) -> None:
    before = await _metrics(client)
    order = {"order_id": "metered-1", "instrument_id": "AAPL", "side": "BUY", "order_type": "MARKET", "quantity": 2_000}
    assert (await client.post(f"{V1}/orders", json=order)).status_code == 201
    await until(f"{V1}/orders/metered-1/fills", lambda answer: len(answer["items"]) > 0)
    after = await _metrics(client)

    def grew(name: str, **labels: str) -> float:
        return _sum(after, name, **labels) - _sum(before, name, **labels)

    # A row can be read a moment before its commit is counted, and turns go on meanwhile.
    for _ in range(200):
        if grew("bestex_venue_reports_total", kind="FILL") > 0 and (
            grew("bestex_commit_turns_sum", worker="desk") == grew("bestex_turns_total")
        ):
            break
        await asyncio.sleep(0.02)
        after = await _metrics(client)

    for service in ("order-desk", "strategy", "algorithm", "monitoring"):
        assert grew("bestex_handle_seconds_count", service=service) > 0, service
    assert grew("bestex_turns_total", began_with="create_order") == 1
    assert grew("bestex_commit_seconds_count", worker="desk") > 0
    assert grew("bestex_commit_turns_sum", worker="desk") == grew("bestex_turns_total")
    assert grew("bestex_child_orders_submitted_total") > 0
    assert grew("bestex_venue_reports_total", kind="FILL") > 0
    assert _sum(after, "bestex_recovery_seconds", worker="desk") > 0
    assert _sum(after, "bestex_process_resident_memory_bytes") > 1e6
    assert "bestex_market_lag_seconds" in after


async def test_a_refused_request_is_counted_under_its_code(client: httpx2.AsyncClient) -> None:
    before = _sum(await _metrics(client), "bestex_handle_refusals_total", service="order-desk", code="not_found")
    assert (await client.put(f"{V1}/orders/nobody/cancel")).status_code == 404
    after = _sum(await _metrics(client), "bestex_handle_refusals_total", service="order-desk", code="not_found")
    assert after == before + 1


async def test_no_label_holds_an_id(client: httpx2.AsyncClient, until: Until) -> None:
    order = {
        "order_id": "0f3c1a2b-77aa",
        "instrument_id": "AAPL",
        "side": "BUY",
        "order_type": "MARKET",
        "quantity": 500,
    }
    await client.post(f"{V1}/orders", json=order)
    await until(f"{V1}/orders/0f3c1a2b-77aa/fills", lambda answer: len(answer["items"]) > 0)
    text = (await client.get("/metrics")).text
    for number in range(5):
        again = f"9e4d{number}-88bb"
        await client.post(f"{V1}/orders", json={**order, "order_id": again})
        await until(f"{V1}/orders/{again}/fills", lambda answer: len(answer["items"]) > 0)
    later = (await client.get("/metrics")).text
    assert not any(f"9e4d{number}" in later for number in range(5))
    assert "0f3c1a2b" not in later
    # Each order more would add as many series as the first: a few of kinds not met before may come.
    assert len(later.splitlines()) - len(text.splitlines()) < 200
