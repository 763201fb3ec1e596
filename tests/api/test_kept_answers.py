"""Lists of the API with the cache between them and the rows."""

import ast
from pathlib import Path

import httpx2
import pytest

from bestex.adapters.cache.cashews_cache import CashewsCache
from bestex.api.kept import NAMESPACES
from bestex.app.live_driver import LiveDriver
from bestex.messages.records import DeskStateRow, IdempotencyRow, InboxRow, ParkedRow, ReadPositionRow

V1 = "/api/v1"
LISTS = (f"{V1}/orders", f"{V1}/execution/algorithms", f"{V1}/execution-strategy/strategies")
SOURCES = Path(__file__).parents[2] / "src" / "bestex"
MAY_ASK = {"api/kept.py"}


async def _hits(client: httpx2.AsyncClient, namespace: str) -> float:
    wanted = f'bestex_cache_reads_total{{answer="hit",namespace="{namespace}"}} '
    lines = (await client.get("/metrics")).text.splitlines()
    return next(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))


@pytest.mark.parametrize("path", LISTS[1:])
async def test_a_catalogue_asked_for_twice_is_read_once(client: httpx2.AsyncClient, path: str) -> None:
    namespace = path.rpartition("/")[2]
    before = await _hits(client, namespace)
    first, second = await client.get(path), await client.get(path)
    assert first.content == second.content
    assert first.json()["items"]
    assert await _hits(client, namespace) >= before + 2  # warmed up at the start


async def test_an_order_is_in_the_list_as_soon_as_its_answer_is_here(client: httpx2.AsyncClient) -> None:
    for number in range(5):
        await client.get(LISTS[0])
        order = {"order_id": f"k-{number}", "instrument_id": "AAPL", "side": "BUY", "quantity": 100}
        assert (await client.post(f"{V1}/orders", json=order)).status_code == 201
        listed = (await client.get(LISTS[0])).json()["items"]
        assert f"k-{number}" in {item["order_id"] for item in listed}


async def test_another_query_is_another_answer(client: httpx2.AsyncClient) -> None:
    one = await client.get(LISTS[1], params={"limit": 1})
    assert len(one.json()["items"]) == 1
    assert len((await client.get(LISTS[1])).json()["items"]) > 1


async def test_a_cache_that_breaks_changes_no_answer(
    driver_and_client: tuple[LiveDriver, httpx2.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = driver_and_client
    before = [(await client.get(path)).json() for path in LISTS]

    async def broken(*_: object) -> tuple[bool, object]:
        return False, None

    monkeypatch.setattr(CashewsCache, "_asked", broken)
    assert [(await client.get(path)).json() for path in LISTS] == before


def test_what_decides_about_orders_is_never_kept() -> None:
    assert not NAMESPACES.keys() & {DeskStateRow, IdempotencyRow, InboxRow, ParkedRow, ReadPositionRow}


def asks_a_cache(text: str) -> bool:
    """Whether a module asks a cache: `....cache.read(...)`."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "read"
        and "cache" in ast.unparse(node.func.value)
        for node in ast.walk(ast.parse(text))
    )


def test_only_the_lists_of_the_api_ask_the_cache() -> None:
    asking = {str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*.py") if asks_a_cache(path.read_text())}
    assert asking == MAY_ASK
    assert asks_a_cache("limit = await self._cache.read('limits', 't', 'k', load)")  # the check itself sees one
    services = [path.read_text() for path in (SOURCES / "services").rglob("*.py")]
    assert services
    assert not any("Cache" in text or "cashews" in text for text in services)
