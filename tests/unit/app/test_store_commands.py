"""`bestex store` on a file: what it says, what it refuses, what it leaves."""

import asyncio
import json
from pathlib import Path

import pytest

from bestex.adapters.sql.journal import SqlJournal
from bestex.app import store
from bestex.app.state_lock import StateLock
from bestex.domain.errors import Conflict, NotFound, StoreUnavailable
from bestex.ports import Batch
from tests.conformance.test_retention import fill_on, on
from tests.databases import postgres_database


async def desk_file(folder: Path) -> str:
    journal = await SqlJournal.open_file(folder / "desk.sqlite")
    days = [on(0, "A", "order_created", 1), on(0, "A", "trade_executed", 2), on(8, "B", "order_created", 1)]
    await journal.append(Batch(messages=days, records=[fill_on(0, 1)]))
    await journal.close()
    return f"sqlite:///{folder / 'desk.sqlite'}"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return asyncio.run(desk_file(tmp_path))


def test_status_tells_days_messages_and_positions(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    store.status(url, (), as_json=True)
    (found,) = json.loads(capsys.readouterr().out)["schemas"]
    assert found["schema"] is None
    assert (found["days"], found["first_day"], found["messages"]) == (2, "2024-10-04", 3)
    assert found["positions"] == {"0": 3}
    store.status(url, (), as_json=False)
    assert "2024-10-04" in capsys.readouterr().out


def test_retain_says_what_it_removed_and_what_it_kept(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.retain(url, (), days=30, folder=tmp_path / "history", dry_run=True)
    assert "2 messages, 1 fills: would be written and removed" in capsys.readouterr().out
    store.retain(url, (), days=30, folder=tmp_path / "history", dry_run=False)
    said = capsys.readouterr().out
    assert "2024-10-04: 2 messages, 1 fills: removed" in said
    assert "2024-10-12: 1 messages, 0 fills: kept, the newest message of shard 0" in said
    assert sorted(path.name for path in (tmp_path / "history").rglob("*.parquet")) == [
        "2024-10-04.0001.parquet",
        "2024-10-04.parquet",
    ]


def test_a_running_desk_keeps_its_file_to_itself(url: str, tmp_path: Path) -> None:
    lock = StateLock(tmp_path)
    with pytest.raises(Conflict, match="is in use"):
        store.retain(url, (), days=1, folder=tmp_path, dry_run=False)
    lock.release()


def test_where_no_desk_has_run_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no desk has run there yet"):
        store.status(f"sqlite:///{tmp_path / 'none' / 'desk.sqlite'}", (), as_json=False)
    assert list(tmp_path.iterdir()) == []


def test_upgrade_partitions_and_status_on_postgresql(capsys: pytest.CaptureFixture[str]) -> None:
    with postgres_database() as url:
        store.upgrade(url, ("quality",))
        store.make_partitions(url, ("quality",), ahead=2)
        said = capsys.readouterr().out
        assert said.startswith("quality: tables of revision ")
        assert said.count("-") == 3 * 2
        store.make_partitions(url, ("quality",), ahead=2)
        assert capsys.readouterr().out == "quality: none missing\n"
        store.status(url, (), as_json=True)
        found = {item["schema"]: item["revision"] for item in json.loads(capsys.readouterr().out)["schemas"]}
        assert found["quality"] is not None
        assert found["market"] is None
        with pytest.raises(StoreUnavailable, match="has no tables yet"):
            store.retain(url, ("market",), days=1, folder=Path("history"), dry_run=True)
