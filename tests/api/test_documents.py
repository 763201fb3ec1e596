"""OpenAPI, health, metrics."""

import httpx2

V1 = "/api/v1"
CONTRACT = {
    "post": [
        "/execution-strategy/recommend", "/execution-strategy/recommend/batch", "/execution-strategy/{order_id}/adapt",
        "/orders", "/orders/{order_id}/modify", "/execution/plan", "/execution/start", "/execution/{order_id}/modify",
        "/execution/{order_id}/pause", "/execution/{order_id}/resume", "/execution/{order_id}/cancel",
        "/execution/kill", "/execution/rearm", "/monitoring/start", "/monitoring/alerts/{alert_id}/acknowledge",
        "/execution-quality/analyze",
    ],
    "get": [
        "/execution-strategy/{order_id}/status", "/execution-strategy/{order_id}/timeline",
        "/execution-strategy/performance", "/execution-strategy/strategies", "/orders", "/orders/{order_id}",
        "/orders/{order_id}/fills", "/execution/{order_id}/status", "/execution/orders",
        "/execution/{order_id}/children", "/execution/{order_id}/fills", "/execution/{order_id}/timeline",
        "/execution/algorithms", "/monitoring/{order_id}/status", "/monitoring/{order_id}/analytics",
        "/monitoring/{order_id}/timeline", "/monitoring/orders", "/monitoring/executions", "/monitoring/alerts",
        "/execution-quality/venue-comparison", "/execution-quality/algorithm-performance", "/instruments", "/venues",
        "/calendars", "/market/{instrument_id}/quote", "/market/{instrument_id}/trades",
        "/market/{instrument_id}/bars", "/market/{instrument_id}/book",
    ],
    "put": ["/orders/{order_id}/cancel"],
}  # fmt: skip


async def test_openapi_has_every_path_of_the_contract(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    for method, paths in CONTRACT.items():
        for path in paths:
            assert method in document["paths"].get(V1 + path, {}), (method, path)


async def test_every_reference_in_the_document_resolves(client: httpx2.AsyncClient) -> None:
    text = (await client.get("/openapi.json")).text
    names = set((await client.get("/openapi.json")).json()["components"]["schemas"])
    referred = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred <= names


async def test_health_readiness_and_metrics_answer(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/healthz")).text == "ok"
    ready = (await client.get("/readyz")).json()
    assert set(ready["services"]) == {
        "reference",
        "order-desk",
        "strategy",
        "algorithm",
        "monitoring",
        "quality",
        "router",
    }
    assert (await client.get("/healthz/strategy")).json()["status"] == "ok"
    await client.get(f"{V1}/orders")
    text = (await client.get("/metrics")).text
    assert 'bestex_http_requests_total{method="GET",route="/api/v1/orders",status="200"}' in text


async def test_the_desk_says_that_its_market_is_generated(client: httpx2.AsyncClient) -> None:
    assert (await client.get(f"{V1}/desk")).json()["market"]["kind"] == "generated"
    assert (await client.get(f"{V1}/market/AAPL/quote")).json()["is_generated"] is True
    listed = (await client.get(f"{V1}/instruments")).json()["items"]
    assert all(item["is_generated"] and "generated" in item["name"] for item in listed)
