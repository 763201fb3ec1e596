"""The catalogue, alert rules, summaries and switches of the contract, over HTTP: the happy path and bad input of each."""

from typing import Any

import httpx2
import pytest

from bestex.api.summaries.quality import recommendation_page, recommendations
from bestex.messages.records import QualityResultRow
from tests.api.conftest import Until

V1 = "/api/v1"
STRATEGIES = f"{V1}/execution-strategy/strategies"
RULES = f"{V1}/monitoring/alerts/rules"
HOUSE: dict[str, Any] = {
    "strategy_name": "House TWAP",
    "algorithm_mapping": {"algorithm": "TWAP", "execution_style": "PASSIVE", "adv_fraction_max": 0.05},
    "parameter_ranges": {"horizon_minutes": {"min": 30, "max": 120}},
}
RULE: dict[str, Any] = {
    "rule_name": "dear",
    "alert_type": "HIGH_COST",
    "metric": "arrival_slippage_bps",
    "comparison": "above",
    "threshold": 12.5,
    "for_seconds": 5,
    "severity": "HIGH",
}
UNNAMED_RULE = {name: value for name, value in RULE.items() if name != "rule_name"}


async def worked(client: httpx2.AsyncClient, until: Until, order_id: str, **fields: Any) -> None:
    """A small order, filled and graded."""
    order = {"order_id": order_id, "instrument_id": "AAPL", "side": "BUY", "quantity": 200, "algorithm": "TWAP"}
    wanted = {"execution_instructions": {"urgency": "HIGH", "parameters": {"time_horizon_minutes": 2}}}
    reply = await client.post(f"{V1}/orders", json=order | wanted | fields)
    assert reply.status_code == 201, reply.text
    await until(f"{V1}/execution-quality/results/{order_id}", lambda row: True)


def wrong(reply: httpx2.Response) -> list[str]:
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    return [item["field"] for item in reply.json()["errors"]]


# -- execution strategies


async def test_the_catalogue_is_there_from_the_start(client: httpx2.AsyncClient) -> None:
    items = (await client.get(STRATEGIES)).json()["items"]
    assert {"Steady TWAP", "VWAP Tracker", "Balanced Shortfall"} <= {item["strategy_name"] for item in items}


async def test_a_strategy_is_added_changed_and_switched_off(client: httpx2.AsyncClient) -> None:
    added = await client.post(STRATEGIES, json=HOUSE)
    assert added.status_code == 201, added.text
    body = {name: value for name, value in HOUSE.items() if name != "strategy_name"}
    wider = body | {"parameter_ranges": {"horizon_minutes": {"min": 30, "max": 240}}}
    changed = await client.put(f"{STRATEGIES}/House TWAP", json=wider)
    assert changed.json()["parameter_ranges"]["horizon_minutes"]["max"] == 240
    assert (await client.delete(f"{STRATEGIES}/House TWAP")).json()["enabled"] is False
    assert (await client.get(f"{STRATEGIES}/House TWAP")).json()["enabled"] is False


async def test_an_idempotency_key_adds_a_strategy_once(client: httpx2.AsyncClient) -> None:
    headers = {"Idempotency-Key": "s1"}
    first = await client.post(STRATEGIES, json=HOUSE, headers=headers)
    again = await client.post(STRATEGIES, json=HOUSE, headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.json()["id"] == again.json()["id"]
    assert (await client.post(STRATEGIES, json=HOUSE)).status_code == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"algorithm_mapping": {"algorithm": "MAGIC", "execution_style": "PASSIVE"}}, "algorithm_mapping.algorithm"),
        ({"parameter_ranges": {"horizon_minutes": {"min": 5}}}, "parameter_ranges.horizon_minutes.max"),
        ({"parameter_ranges": {"horizon_minutes": {"min": 9, "max": 5}}}, "parameter_ranges.horizon_minutes"),
        ({"strategy_name": "a/b"}, "strategy_name"),
        ({"strategy_name": ""}, "strategy_name"),
        ({"enabled": "yes"}, "enabled"),
    ],
)
async def test_a_strategy_that_cannot_be_used_is_refused_by_field(
    client: httpx2.AsyncClient, change: dict[str, Any], field: str
) -> None:
    reply = await client.post(STRATEGIES, json=HOUSE | change)
    assert reply.status_code == 422
    assert field in wrong(reply)
    assert (await client.get(f"{STRATEGIES}/House TWAP")).status_code == 404


async def test_a_strategy_that_is_not_there_cannot_be_changed_or_dropped(client: httpx2.AsyncClient) -> None:
    body = {name: value for name, value in HOUSE.items() if name != "strategy_name"}
    assert (await client.put(f"{STRATEGIES}/None", json=body)).status_code == 404
    assert (await client.delete(f"{STRATEGIES}/None")).status_code == 404


async def test_the_market_s_conditions_come_with_confidence_and_source(client: httpx2.AsyncClient) -> None:
    found = (await client.get(f"{V1}/execution-strategy/market-conditions/AAPL")).json()
    parts = [found[name] for name in ("volatility", "liquidity", "trend", "intraday_pattern")]
    assert all(0 <= part["confidence"] <= 1 and part["source"] and part["label"] for part in parts)
    assert found["confidence"] == min(part["confidence"] for part in parts)
    assert found["regime"] == found["context"]["current_conditions"]
    assert found["is_generated"] is True
    assert (await client.get(f"{V1}/execution-strategy/market-conditions/NOPE")).status_code == 404


async def test_history_and_insights_follow_a_completed_order(client: httpx2.AsyncClient, until: Until) -> None:
    order = {"order_id": "h1", "instrument_id": "AAPL", "side": "BUY", "quantity": 300}
    quick = {"execution_instructions": {"urgency": "URGENT", "objective": "MINIMIZE_TIME"}}
    await client.post(f"{V1}/orders", json=order | quick)
    history = f"{V1}/execution-strategy/history"
    page = await until(f"{history}?instrument_id=AAPL", lambda page: page["items"][0]["actual_outcomes"] is not None)
    name = page["items"][0]["strategy_name"]
    assert [row["order_id"] for row in (await client.get(f"{history}?strategy_name={name}")).json()["items"]] == ["h1"]
    assert (await client.get(f"{history}?instrument_id=MSFT")).json()["items"] == []
    assert (await client.get(f"{history}?cursor=abc")).status_code == 422
    [insight] = (await client.get(f"{V1}/execution-strategy/insights")).json()["items"]
    assert (insight["strategy_name"], insight["orders"]) == (name, 1)
    assert insight["realised_cost"]["mean"] is None
    assert insight["finding"] == f"nothing can be said of {name} yet: insufficient evidence: 1 orders, 20 needed"


# -- alert rules


async def test_a_rule_is_added_changed_and_switched_off(client: httpx2.AsyncClient) -> None:
    headers = {"Idempotency-Key": "r1"}
    added = await client.post(RULES, json=RULE, headers=headers)
    assert added.status_code == 201, added.text
    assert (await client.post(RULES, json=RULE, headers=headers)).json() == added.json()
    assert (await client.post(RULES, json=RULE)).status_code == 409
    changed = await client.put(f"{RULES}/dear", json=UNNAMED_RULE | {"threshold": 20})
    assert changed.json()["threshold"] == 20
    assert (await client.delete(f"{RULES}/dear")).json()["enabled"] is False
    listed = {row["rule_name"]: row for row in (await client.get(RULES)).json()["items"]}
    assert listed["dear"]["enabled"] is False


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metric": "colour"}, "metric"),
        ({"comparison": "near"}, "comparison"),
        ({"severity": "BAD"}, "severity"),
        ({"alert_type": "NOISE"}, "alert_type"),
        ({"threshold": "12"}, "threshold"),
        ({"for_seconds": -1}, "for_seconds"),
        ({"rule_name": "conservation"}, "rule_name"),
    ],
)
async def test_a_rule_that_cannot_be_used_is_refused_by_field(
    client: httpx2.AsyncClient, change: dict[str, Any], field: str
) -> None:
    reply = await client.post(RULES, json=RULE | change)
    assert reply.status_code == 422
    assert field in wrong(reply)


async def test_a_rule_that_is_not_there_cannot_be_changed_or_dropped(client: httpx2.AsyncClient) -> None:
    assert (await client.put(f"{RULES}/none", json=UNNAMED_RULE)).status_code == 404
    assert (await client.delete(f"{RULES}/none")).status_code == 404


# -- algorithms


async def test_a_disabled_algorithm_refuses_new_orders_until_it_is_enabled(
    client: httpx2.AsyncClient, until: Until
) -> None:
    path = f"{V1}/execution/algorithms/TWAP"
    assert (await client.put(path, json={"enabled": False, "reason": "drill"})).json()["enabled"] is False
    assert (await client.get(path)).json()["enabled"] is False
    order = {"order_id": "off", "instrument_id": "AAPL", "side": "BUY", "quantity": 100, "algorithm": "TWAP"}
    await client.post(f"{V1}/orders", json=order)
    row = await until(f"{V1}/orders/off", lambda row: row["state"] == "REJECTED")
    assert "TWAP is disabled" in row["reason"]
    ask = {"order_id": "ask", "instrument_id": "AAPL", "side": "BUY", "quantity": 1000}
    answer = (await client.post(f"{V1}/execution-strategy/recommend", json=ask)).json()
    assert answer["recommended_strategy"]["algorithm"] != "TWAP"
    assert (await client.put(path, json={"enabled": True})).json()["enabled"] is True
    await client.post(f"{V1}/orders", json=order | {"order_id": "on"})
    assert (await client.get(f"{V1}/orders/on")).json()["state"] != "REJECTED"


async def test_an_unknown_algorithm_or_a_switch_that_is_no_boolean_is_refused(client: httpx2.AsyncClient) -> None:
    assert (await client.put(f"{V1}/execution/algorithms/MAGIC", json={"enabled": False})).status_code == 404
    reply = await client.put(f"{V1}/execution/algorithms/TWAP", json={"enabled": "no"})
    assert wrong(reply) == ["enabled"]


# -- summaries


async def test_summaries_of_a_fresh_desk_are_empty_and_say_so(client: httpx2.AsyncClient) -> None:
    for path in (
        "/monitoring/rankings", "/execution-quality/benchmarks", "/execution-quality/percentiles",
        "/execution-quality/recommendations", "/execution-strategy/insights", "/execution-strategy/history",
    ):  # fmt: skip
        reply = await client.get(V1 + path)
        assert (reply.status_code, reply.json()["items"]) == (200, []), path
    [everything] = (await client.get(f"{V1}/monitoring/benchmarks")).json()["items"]
    assert everything["slippage_bps"]["arrival"] == {
        "sample_size": 0, "mean": None, "interval_low": None, "interval_high": None,
        "note": "insufficient evidence: 0 orders, 20 needed",
    }  # fmt: skip
    quality = (await client.get(f"{V1}/monitoring/quality")).json()
    assert (quality["orders_watched"], quality["accuracy"]) == (0, None)
    assert (await client.post(f"{V1}/execution-quality/monitor", json={})).json()["monitoring_status"] == "IDLE"
    trends = (await client.get(f"{V1}/execution-quality/trends")).json()["items"]
    assert {item["direction"] for item in trends} == {"INSUFFICIENT_DATA"}


async def test_one_graded_order_is_counted_everywhere_and_averaged_nowhere(
    client: httpx2.AsyncClient, until: Until
) -> None:
    await worked(client, until, "one")
    rows = {row["algorithm"]: row for row in (await client.get(f"{V1}/execution/performance")).json()["items"]}
    assert rows["TWAP"]["orders"] == 1
    assert rows["TWAP"]["excess_cost_bps"]["mean"] is None
    assert rows["VWAP"]["orders"] == 0
    both = (await client.get(f"{V1}/monitoring/benchmarks?instrument_id=AAPL")).json()["items"]
    assert [(row["instrument_id"], row["algorithm"], row["orders"]) for row in both] == [
        ("AAPL", None, 1),
        ("AAPL", "TWAP", 1),
    ]
    [ranking] = (await client.get(f"{V1}/monitoring/rankings")).json()["items"]
    assert (ranking["algorithm"], ranking["rank"]) == ("TWAP", None)
    quality = (await client.get(f"{V1}/monitoring/quality")).json()
    assert (quality["orders_watched"], quality["accuracy"], quality["coverage"]) == (1, 1.0, 1.0)
    found = (await client.post(f"{V1}/execution-quality/monitor", json={"algorithm": "TWAP"})).json()
    assert (found["monitoring_status"], found["executions"]) == ("WARMING_UP", 1)
    listed = (await client.get(f"{V1}/execution-quality/percentiles")).json()["items"]
    assert {row["sample_size"] for row in listed} <= {0, 1}
    assert all(row["percentiles"] is None for row in listed)


async def test_a_batch_gives_the_same_grades_one_by_one(client: httpx2.AsyncClient, until: Until) -> None:
    await worked(client, until, "b1")
    await worked(client, until, "b2", side="SELL")
    path = f"{V1}/execution-quality/analyze/batch"
    found = (await client.post(path, json={"order_ids": ["b1", "b2", "nobody"]})).json()
    single = (await client.post(f"{V1}/execution-quality/analyze", json={"order_id": "b1"})).json()
    assert next(item for item in found["analyses"] if item["order_id"] == "b1") == single
    assert sum(found["grades"].values()) == 2
    assert found["not_graded"] == ["nobody"]
    day = single and (await client.get(f"{V1}/desk")).json()["desk_time"][:10]
    assert len((await client.post(path, json={"start_date": day, "limit": 1})).json()["analyses"]) == 1
    assert (await client.post(path, json={"end_date": "2001-01-01"})).json()["analyses"] == []
    venues = (await client.get(f"{V1}/execution-quality/venue-comparison?start_date={day}")).json()["items"]
    assert sum(row["fills"] for row in venues) > 0
    assert all(row["quality_grade"] is None and "insufficient" in row["metrics"]["note"] for row in venues)
    rows = (await client.get(f"{V1}/execution-quality/algorithm-performance?start_date={day}")).json()["items"]
    assert [(row["algorithm"], row["orders"]) for row in rows] == [("TWAP", 2)]
    advice = (await client.get(f"{V1}/execution-quality/recommendations")).json()["items"]
    for item in advice:
        path = f"{V1}/execution-quality/recommendations/{item['recommendation_id']}"
        assert (await client.get(path)).json() == item


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "order_ids"),
        ({"order_ids": ["a"], "start_date": "2026-11-20"}, "order_ids"),
        ({"order_ids": []}, "order_ids"),
        ({"order_ids": [1]}, "order_ids.0"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"start_date": "2026-11-20", "end_date": "2026-11-19"}, "end_date"),
        ({"start_date": "2026-11-20", "limit": 100_000}, "limit"),
    ],
)
async def test_a_wrong_batch_is_refused_by_field(client: httpx2.AsyncClient, body: dict[str, Any], field: str) -> None:
    reply = await client.post(f"{V1}/execution-quality/analyze/batch", json=body)
    assert reply.status_code == 422
    assert field in wrong(reply)


@pytest.mark.parametrize(
    "path",
    [
        "/execution/performance?start_date=x",
        "/execution/performance?start_date=2026-11-20&end_date=2026-11-19",
        "/execution-quality/venue-comparison?start_date=2026-11-20&end_date=2026-11-19",
        "/execution-quality/algorithm-performance?end_date=never",
        "/execution-quality/trends?start_date=x",
    ],
)
async def test_wrong_dates_are_refused(client: httpx2.AsyncClient, path: str) -> None:
    reply = await client.get(V1 + path)
    assert reply.status_code == 422
    assert wrong(reply)


async def test_a_recommendation_that_is_not_there_is_not_found(client: httpx2.AsyncClient) -> None:
    assert (await client.get(f"{V1}/execution-quality/recommendations/none:1")).status_code == 404
    reply = await client.post(f"{V1}/execution-quality/monitor", json={"algorithm": "MAGIC"})
    assert wrong(reply) == ["algorithm"]
    assert wrong(await client.get(f"{V1}/execution-quality/recommendations?cursor=nobody:1")) == ["cursor"]


def test_recommendations_page_without_loss_or_repeat() -> None:
    graded = QualityResultRow(
        order_id="o",
        instrument_id="AAPL",
        algorithm="TWAP",
        strategy_name=None,
        overall_quality_score=0.4,
        quality_grade="AVERAGE",
        analysis={
            "improvement_recommendations": ["rest less", "start earlier", "use fewer venues"],
            "interval": None,
            "standard_version": "v",
        },
        created_at_ns=1,
    )
    found = recommendations([graded])
    first, cursor = recommendation_page(found, 2, None)
    rest, end = recommendation_page(found, 2, cursor)
    assert [item.recommendation_id for item in (*first, *rest)] == ["o:1", "o:2", "o:3"]
    assert (cursor, end) == ("o:2", None)
    assert recommendation_page(found, 3, None)[1] is None


# -- cost models and forecasts


async def test_the_cost_model_in_use_is_shown_with_what_is_known_of_its_predictions(client: httpx2.AsyncClient) -> None:
    [found] = (await client.get(f"{V1}/execution-strategy/models")).json()["items"]
    assert (found["model_id"], found["status"], len(found["version"])) == ("pretrade-cost", "CHAMPION", 12)
    assert found["parameters"]["impact.temporary_exponent"] == 0.6
    assert found["calibration"]["orders"] == 0
    assert "0 orders, 20 needed" in found["calibration"]["finding"]
    assert (await client.get(f"{V1}/execution-strategy/models/pretrade-cost")).json() == found
    assert (await client.get(f"{V1}/execution-strategy/models/other")).status_code == 404


async def test_a_forecast_abstains_until_there_is_enough(client: httpx2.AsyncClient, until: Until) -> None:
    await worked(client, until, "f1")
    items = (await client.get(f"{V1}/execution-quality/forecast?horizon=5")).json()["items"]
    score = next(item for item in items if item["metric"] == "OVERALL_QUALITY_SCORE")
    assert (score["sample_size"], score["horizon"], score["mean"]) == (1, 5, None)
    assert score["note"] == "insufficient evidence: 1 orders, 40 needed"
    assert wrong(await client.get(f"{V1}/execution-quality/forecast?horizon=0")) == ["horizon"]
