"""Instruments and venues that people add, over HTTP and from files."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from bestex.app.settings import Settings
from bestex.domain.errors import Conflict, InvalidInput
from tests.api.test_after_a_restart import desk

V1 = "/api/v1"
VENUE: dict[str, Any] = {"venue_id": "GLBX", "name": "CME Globex", "venue_type": "PRIMARY_EXCHANGE", "taker_fee": 1.38}
INSTRUMENT: dict[str, Any] = {
    "instrument_id": "ESH4",
    "name": "E-mini",
    "asset_class": "FUTURE",
    "currency": "USD",
    "tick_size": 0.25,
    "lot_size": 1,
    "multiplier": 50,
    "calendar": "24/7",
    "venues": ["GLBX"],
}
FILE = """
instrument_id = "BTCUSD"
tick_size = "0.01"
lot_size = "0.00000001"
currency = "USD"
asset_class = "CRYPTO"
calendar = "24/7"

[[venues]]
venue_id = "COIN"
taker_fee = "0.002"
"""


def unnamed(body: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != key}


async def added(client: httpx2.AsyncClient) -> None:
    for path, body in (("venues", VENUE), ("instruments", INSTRUMENT)):
        reply = await client.post(f"{V1}/{path}", json=body)
        assert reply.status_code == 201, reply.text


async def ids(client: httpx2.AsyncClient, path: str, key: str, **params: Any) -> list[str]:
    reply = await client.get(f"{V1}/{path}", params=params)
    assert reply.status_code == 200, reply.text
    return [item[key] for item in reply.json()["items"]]


def fields(reply: httpx2.Response) -> list[str]:
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    return [item["field"] for item in reply.json()["errors"]]


async def test_an_added_instrument_is_known_with_exact_numbers_and_survives_a_restart(settings: Settings) -> None:
    async with desk(settings) as client:
        await added(client)
        changed = unnamed(INSTRUMENT, "instrument_id") | {"name": "E-mini S&P 500", "tick_size": 0.00000001}
        assert (await client.put(f"{V1}/instruments/ESH4", json=changed)).status_code == 200
        dearer = unnamed(VENUE, "venue_id") | {"taker_fee": 2.5}
        assert (await client.put(f"{V1}/venues/GLBX", json=dearer)).json()["taker_fee"] == 2.5
    async with desk(settings) as client:
        found = (await client.get(f"{V1}/instruments/ESH4")).json()
        assert (found["name"], found["tick_size"], found["multiplier"]) == ("E-mini S&P 500", 1e-8, 50)
        assert (found["venues"], found["has_market"], found["is_generated"]) == (["GLBX"], False, False)
        assert (await client.get(f"{V1}/venues/GLBX")).json()["taker_fee"] == 2.5
        assert (await client.post(f"{V1}/instruments", json=INSTRUMENT)).status_code == 409
        calendars = {row["instrument_id"]: row for row in (await client.get(f"{V1}/calendars")).json()["items"]}
        assert calendars["ESH4"]["open"].endswith("T00:00:00.000000Z")


async def test_lists_are_filtered_and_come_in_pages(client: httpx2.AsyncClient) -> None:
    own = await ids(client, "instruments", "instrument_id")
    await added(client)
    assert await ids(client, "instruments", "instrument_id") == [*own, "ESH4"]
    for params in ({"asset_class": "FUTURE"}, {"venue": "GLBX"}, {"has_market": "false"}, {"calendar": "24/7"}):
        assert await ids(client, "instruments", "instrument_id", **params) == ["ESH4"], params
    assert await ids(client, "instruments", "instrument_id", has_market="true") == own
    assert await ids(client, "instruments", "instrument_id", currency="JPY") == []
    assert await ids(client, "venues", "venue_id", instrument_id="ESH4") == ["GLBX"]
    assert "GLBX" not in await ids(client, "venues", "venue_id", venue_type="DARK_POOL")
    for path, key in (("instruments", "instrument_id"), ("venues", "venue_id"), ("calendars", "instrument_id")):
        seen, cursor = [], None
        while True:
            params = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
            page = (await client.get(f"{V1}/{path}", params=params)).json()
            seen += [item[key] for item in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert seen == await ids(client, path, key)
        assert fields(await client.get(f"{V1}/{path}", params={"cursor": "nobody"})) == ["cursor"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tick_size": 0}, "tick_size"),
        ({"tick_size": "0.25"}, "tick_size"),
        ({"tick_size": 1e-9}, "tick_size"),
        ({"lot_size": 1e11}, "lot_size"),
        ({"multiplier": -1}, "multiplier"),
        ({"average_daily_volume": 0}, "average_daily_volume"),
        ({"daily_volatility": -0.1}, "daily_volatility"),
        ({"daily_volatility": 11}, "daily_volatility"),
        ({"currency": "usd"}, "currency"),
        ({"asset_class": "HORSE"}, "asset_class"),
        ({"calendar": "XNOWHERE"}, "calendar"),
        ({"venues": ["GLBX", "MARS"]}, "venues.1"),
        ({"venues": ["GLBX", "GLBX"]}, "venues.1"),
        ({"instrument_id": "a b"}, "instrument_id"),
        ({"name": ""}, "name"),
        ({"is_generated": True}, "is_generated"),
    ],
)
async def test_an_instrument_that_cannot_be_is_refused_by_field_and_leaves_nothing(
    client: httpx2.AsyncClient, change: dict[str, Any], field: str
) -> None:
    assert (await client.post(f"{V1}/venues", json=VENUE)).status_code == 201
    reply = await client.post(f"{V1}/instruments", json=INSTRUMENT | change)
    assert reply.status_code == 422
    assert fields(reply) == [field]
    assert await ids(client, "instruments", "instrument_id", has_market="false") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"venue_type": "SHOP"}, "venue_type"),
        ({"maker_fee": 0.000000001}, "maker_fee"),
        ({"taker_fee": "1.38"}, "taker_fee"),
        ({"taker_fee": -1e7}, "taker_fee"),
        ({"order_latency_ns": -1}, "order_latency_ns"),
        ({"order_latency_ns": 61_000_000_000}, "order_latency_ns"),
        ({"venue_id": "-"}, "venue_id"),
    ],
)
async def test_a_venue_that_cannot_be_is_refused_by_field(
    client: httpx2.AsyncClient, change: dict[str, Any], field: str
) -> None:
    reply = await client.post(f"{V1}/venues", json=VENUE | change)
    assert reply.status_code == 422
    assert fields(reply) == [field]
    assert (await client.get(f"{V1}/venues/GLBX")).status_code == 404


async def test_several_problems_are_named_at_once(client: httpx2.AsyncClient) -> None:
    reply = await client.post(
        f"{V1}/instruments", json=INSTRUMENT | {"currency": "usd", "calendar": "X", "venues": ["M"]}
    )
    assert fields(reply) == ["currency", "calendar", "venues.0"]


async def test_what_is_there_is_added_once_and_what_is_not_cannot_be_changed(client: httpx2.AsyncClient) -> None:
    await added(client)
    assert (await client.post(f"{V1}/venues", json=VENUE)).status_code == 409
    assert (await client.post(f"{V1}/instruments", json=INSTRUMENT)).status_code == 409
    assert (await client.put(f"{V1}/venues/MARS", json=unnamed(VENUE, "venue_id"))).status_code == 404
    missing = await client.put(f"{V1}/instruments/ESM4", json=unnamed(INSTRUMENT, "instrument_id"))
    assert missing.status_code == 404
    headers = {"Idempotency-Key": "once"}
    again = [await client.post(f"{V1}/venues", json=VENUE | {"venue_id": "V2"}, headers=headers) for _ in range(2)]
    assert [reply.status_code for reply in again] == [201, 201]


async def test_the_markets_own_listings_cannot_be_changed(client: httpx2.AsyncClient) -> None:
    before = (await client.get(f"{V1}/instruments/AAPL")).json()
    assert before["has_market"] is True
    assert (
        await client.post(f"{V1}/instruments", json=INSTRUMENT | {"instrument_id": "AAPL", "venues": []})
    ).status_code == 409
    reply = await client.put(f"{V1}/instruments/AAPL", json=unnamed(INSTRUMENT, "instrument_id") | {"venues": []})
    assert reply.status_code == 409
    assert (await client.put(f"{V1}/venues/NYSE", json=unnamed(VENUE, "venue_id"))).status_code == 409
    assert (await client.get(f"{V1}/instruments/AAPL")).json() == before


async def test_whatever_needs_a_market_says_that_there_is_none_and_keeps_nothing(client: httpx2.AsyncClient) -> None:
    await added(client)
    ask = {"order_id": "o1", "instrument_id": "ESH4", "side": "BUY", "quantity": 10}
    working = ask | {"algorithm": "TWAP", "target_completion_time": "2030-11-20T20:30:00Z"}
    replies = [
        await client.post(f"{V1}/orders", json=ask),
        await client.post(f"{V1}/execution-strategy/recommend", json=ask),
        await client.post(f"{V1}/execution-strategy/recommend/batch", json=[ask]),
        await client.get(f"{V1}/execution-strategy/market-conditions/ESH4"),
        await client.post(f"{V1}/execution/plan", json=working),
        await client.post(f"{V1}/execution/start", json=working),
        await client.post(f"{V1}/smart-routing/route", json=ask),
        await client.get(f"{V1}/smart-routing/venues/quality", params={"instrument_id": "ESH4"}),
    ]
    for reply in replies:
        assert (reply.status_code, fields(reply)) == (422, ["instrument_id"]), reply.text
        assert "has no market here" in reply.json()["detail"]
    assert (await client.get(f"{V1}/market/ESH4/quote")).status_code == 404
    assert (await client.get(f"{V1}/orders")).json()["items"] == []
    assert (await client.get(f"{V1}/execution-strategy/selections")).json()["items"] == []
    assert (await client.post(f"{V1}/orders", json=ask | {"instrument_id": "NOPE"})).status_code == 404


async def test_files_of_the_state_directory_and_of_the_command_line_are_known_from_the_start(
    settings: Settings, tmp_path: Path
) -> None:
    folder = settings.state_dir / "instruments"
    folder.mkdir(parents=True)
    (folder / "btc.toml").write_text(FILE)
    other = tmp_path / "eth.toml"
    other.write_text(FILE.replace("BTCUSD", "ETHUSD").replace('taker_fee = "0.002"\n', ""))
    both = settings.model_copy(update={"instruments": (other,)})
    async with desk(both) as client:
        assert await ids(client, "instruments", "instrument_id", has_market="false") == ["BTCUSD", "ETHUSD"]
        # The second file names the venue and nothing else: it is the one that is known.
        assert (await client.get(f"{V1}/venues/COIN")).json()["taker_fee"] == 0.002
    async with desk(settings) as client:
        assert await ids(client, "instruments", "instrument_id", has_market="false") == ["BTCUSD", "ETHUSD"]
    (folder / "btc.toml").write_text(FILE.replace('"0.01"', '"0.05"'))
    async with desk(settings) as client:
        assert (await client.get(f"{V1}/instruments/BTCUSD")).json()["tick_size"] == 0.05


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (FILE.replace("BTCUSD", "AAPL"), Conflict, "the market's own listing"),
        (FILE.replace('"USD"', '"dollars"'), InvalidInput, "currency dollars"),
        (FILE.replace('"0.01"', '"nan"'), InvalidInput, "tick_size"),
        (FILE + "daily_volatility = nan\n", InvalidInput, "daily_volatility"),
    ],
)
async def test_a_file_that_cannot_be_used_stops_the_start_with_its_reason(
    settings: Settings, tmp_path: Path, text: str, error: type[Exception], words: str
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(error, match=words):
        async with desk(settings.model_copy(update={"instruments": (path,)})):
            raise AssertionError("the desk started")
    async with desk(settings) as client:
        assert await ids(client, "instruments", "instrument_id", has_market="false") == []
