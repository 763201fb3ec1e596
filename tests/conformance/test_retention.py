"""Old days leave both databases for Parquet, and nothing that is still needed leaves with them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from bestex.adapters.marketdata.parquet import ParquetHistory
from bestex.adapters.sql import partitions, retention
from bestex.adapters.sql.database import Database, open_database
from bestex.adapters.sql.journal import SqlJournal
from bestex.adapters.sql.tables import DAY_NS
from bestex.domain.errors import InvalidData
from bestex.domain.ids import time_ordered_uuid
from bestex.messages.codec import PAYLOADS, decode
from bestex.messages.envelope import Message
from bestex.messages.records import FillRow
from bestex.ports import Batch
from tests.conformance.test_journal import fill, read
from tests.databases import emptied, postgres_database
from tests.unit.messages import samples

FIRST = 20_000  # a day of 2024


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        opened = await open_database(f"sqlite:///{tmp_path / 'desk.sqlite'}")
    else:
        opened = await open_database(request.getfixturevalue("postgres"), schema="algorithm")
    yield opened
    await opened.close()
    if request.param == "postgres":
        await emptied(request.getfixturevalue("postgres"), "algorithm")


def on(day: int, order_id: str, kind: str, sequence: int) -> Message[Any]:
    """A message of a kind, at noon of a day."""
    return msgspec.structs.replace(
        samples.message(PAYLOADS[kind]),
        order_id=order_id,
        sequence=sequence,
        time_ns=(FIRST + day) * DAY_NS + DAY_NS // 2 + sequence,
        event_id=time_ordered_uuid(day, order_id, kind, sequence),
    )


def fill_on(day: int, number: int) -> FillRow:
    noon = (FIRST + day) * DAY_NS + DAY_NS // 2
    return msgspec.structs.replace(fill(number), venue_time_ns=noon, received_time_ns=noon)


async def keep(
    database: Database, *messages: Message[Any], fills: tuple[FillRow, ...] = (), shard: int = 0
) -> SqlJournal:
    journal = await SqlJournal.over(database, shard=shard)
    await journal.append(Batch(messages=messages, records=fills))
    return journal


async def retain(
    database: Database, folder: Path, *, before: int = 9, dry_run: bool = False
) -> list[retention.DayLeft]:
    days = await retention.old_days(database, FIRST + before)
    return [await retention.retain_day(database, day, folder, dry_run=dry_run) for day in days]


async def test_a_day_of_finished_orders_is_written_and_removed_and_the_rest_goes_on(
    database: Database, tmp_path: Path
) -> None:
    finished = [on(0, "A", "order_created", 1), on(0, "A", "trade_executed", 2)]
    today = on(8, "B", "order_created", 1)
    journal = await keep(database, *finished, today, fills=(fill_on(0, 1), fill_on(8, 2)))
    first, last = await retain(database, tmp_path / "history")
    assert (first.day, first.messages, first.fills, first.kept_because) == (FIRST, 2, 1, None)
    assert last.kept_because is not None
    assert [(position, item.order_id) for position, item in await read(journal)] == [(3, "B")]
    assert [row.execution_id for row in (await journal.find(FillRow)).rows] == ["e002"]
    assert list(await journal.append(Batch(messages=[on(9, "B", "trade_executed", 2)], records=()))) == [4]
    frame = pl.read_parquet(next((tmp_path / "history" / "journal").glob("*.parquet")))
    assert [decode(body) for body in frame["body"]] == finished
    day = partitions.date_of(FIRST)
    assert ParquetHistory(tmp_path / "history").fills(day, day) == [fill_on(0, 1)]


async def test_a_day_with_a_message_of_an_open_order_stays_and_says_which(database: Database, tmp_path: Path) -> None:
    await keep(
        database,
        on(0, "A", "order_created", 1),
        on(0, "A", "trade_executed", 2),
        on(1, "open-one", "order_created", 1),
        on(1, "B", "order_created", 1),
        on(1, "B", "trade_executed", 2),
        on(8, "C", "order_created", 1),
    )
    left = await retain(database, tmp_path, before=8)
    assert [item.kept_because for item in left] == [None, "order open-one is still open"]


async def test_the_newest_message_of_a_shard_stays_so_that_its_positions_count_on(
    database: Database, tmp_path: Path
) -> None:
    await keep(database, on(0, "A", "order_created", 1), on(0, "A", "trade_executed", 2), shard=1)
    quiet = await keep(database, on(1, "B", "order_created", 1), on(1, "B", "trade_executed", 2), shard=2)
    left = await retain(database, tmp_path)
    assert [item.kept_because for item in left] == [
        "the newest message of shard 1 is of this day",
        "the newest message of shard 2 is of this day",
    ]
    assert list(await quiet.append(Batch(messages=[on(2, "C", "order_created", 1)], records=()))) == [3]


async def test_messages_of_no_order_outlive_their_day(database: Database, tmp_path: Path) -> None:
    journal = await keep(
        database,
        on(0, "desk", "kill_switch_changed", 1),
        on(0, "A", "order_created", 1),
        on(0, "venue:NYSE", "venue_performance", 1),
        on(0, "A", "trade_executed", 2),
        on(8, "B", "order_created", 1),
    )
    await retain(database, tmp_path, before=8)
    assert [(position, item.order_id) for position, item in await read(journal)] == [
        (1, "desk"),
        (3, "venue:NYSE"),
        (5, "B"),
    ]
    assert await retention.old_days(database, FIRST + 8) == []


async def test_the_end_of_an_order_stays_while_another_of_its_days_does(database: Database, tmp_path: Path) -> None:
    """Without it, a restart would take the order of the day that stays for open, and work it again."""
    journal = await keep(
        database,
        on(0, "A", "order_created", 1),
        on(0, "open-one", "order_created", 1),
        on(1, "A", "trade_executed", 2),
        on(8, "B", "order_created", 1),
    )
    left = await retain(database, tmp_path, before=8)
    assert [item.kept_because for item in left] == ["order open-one is still open", None]
    assert [item.event_type for _, item in await read(journal, order_id="A")] == ["order_created", "trade_executed"]


async def test_a_dry_run_writes_and_removes_nothing(database: Database, tmp_path: Path) -> None:
    journal = await keep(
        database, on(0, "A", "order_created", 1), on(0, "A", "trade_executed", 2), on(8, "B", "order_created", 1)
    )
    left = await retain(database, tmp_path / "history", before=8, dry_run=True)
    assert [(item.messages, item.kept_because) for item in left] == [(2, "a dry run")]
    assert len(await read(journal)) == 3
    assert not (tmp_path / "history").exists()


async def test_a_day_that_does_not_read_back_stays(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await keep(
        database, on(0, "A", "order_created", 1), on(0, "A", "trade_executed", 2), on(8, "B", "order_created", 1)
    )
    written = pl.DataFrame.write_parquet
    monkeypatch.setattr(pl.DataFrame, "write_parquet", lambda self, *args, **more: written(self.head(1), *args, **more))
    with pytest.raises(InvalidData, match="does not read back"):
        await retain(database, tmp_path, before=8)
    assert len(await read(journal)) == 3


async def test_a_long_day_is_written_in_parts(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_ROWS", 3)
    messages = [on(0, "A", "order_created", 1), *(on(0, "A", "algorithm_execution", n) for n in range(2, 8))]
    await keep(database, *messages, on(0, "A", "trade_executed", 8), on(8, "B", "order_created", 1))
    (left,) = await retain(database, tmp_path, before=8)
    parts = sorted((tmp_path / "journal").glob("*.parquet"))
    assert list(left.files) == parts
    assert pl.concat(map(pl.read_parquet, parts))["sequence"].to_list() == list(range(1, 9))
