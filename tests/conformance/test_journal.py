"""One suite for every `Journal` and `Store`: the promises of `bestex.ports`, on memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bestex.adapters.memory.journal import MemoryJournal
from bestex.adapters.sql.journal import SqlJournal
from bestex.domain.errors import Conflict, InvalidInput
from bestex.domain.ids import time_ordered_uuid
from bestex.messages.envelope import Message
from bestex.messages.orders import CancelOrder
from bestex.messages.records import DeskStateRow, FillRow, Record
from bestex.ports import Batch
from tests.databases import emptied, postgres_database


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    match request.param:
        case "memory":
            yield MemoryJournal()
        case "sqlite":
            sql = await SqlJournal.open_file(tmp_path / "desk.sqlite")
            yield sql
            await sql.close()
        case _:
            url = request.getfixturevalue("postgres")
            sql = await SqlJournal.open(url, schema="algorithm")
            yield sql
            await sql.close()
            await emptied(url, "algorithm")


def message(number: int, *, order_id: str = "A", source: str = "api", sequence: int | None = None) -> Message[Any]:
    return Message(
        event_id=time_ordered_uuid(number, source, order_id, number),
        event_type="cancel_order",
        schema_version=1,
        time_ns=1_000 + number,
        source_service=source,
        order_id=order_id,
        sequence=number if sequence is None else sequence,
        causation_id=None,
        correlation_id="c",
        payload=CancelOrder(order_id=order_id, actor="local"),
    )


def fill(number: int, *, venue: str = "NYSE", price: str = "187.345", bid: Decimal | None = None) -> FillRow:
    return FillRow(
        execution_id=f"e{number:03d}",
        order_id="A",
        child_order_id="A-0001-001",
        instrument_id="AAPL",
        side="BUY",
        venue=venue,
        quantity=Decimal(100),
        price=Decimal(price),
        liquidity="ADDED",
        fee=Decimal("-0.2"),
        bid=bid,
        ask=Decimal("187.35"),
        venue_time_ns=number,
        received_time_ns=number // 2,
    )


def batch(*messages: Message[Any], rows: tuple[Record, ...] = ()) -> Batch:
    return Batch(messages=messages, records=rows)


async def read(journal: Any, **which: Any) -> list[tuple[int, Message[Any]]]:
    return [item async for item in journal.read(**which)]


async def test_positions_start_at_one_and_have_no_gaps(journal: Any) -> None:
    assert list(await journal.append(batch(message(1), message(2)))) == [1, 2]
    assert list(await journal.append(batch(message(3)))) == [3]


async def test_a_message_comes_back_as_it_was_written(journal: Any) -> None:
    await journal.append(batch(message(1)))
    assert await read(journal) == [(1, message(1))]


async def test_reading_an_order_keeps_position_order_and_starts_after_the_sequence(journal: Any) -> None:
    await journal.append(
        batch(message(1), message(2, order_id="B"), message(3), message(4, source="market", sequence=1))
    )
    assert [position for position, _ in await read(journal, order_id="A")] == [1, 3, 4]
    assert [position for position, _ in await read(journal, order_id="A", source="api", after_sequence=1)] == [3]
    assert [position for position, _ in await read(journal, after_position=2)] == [3, 4]


async def test_a_repeated_event_id_is_refused_and_nothing_of_its_batch_is_kept(journal: Any) -> None:
    await journal.append(batch(message(1)))
    with pytest.raises(Conflict):
        await journal.append(batch(message(2), message(1, sequence=9), rows=(fill(1),)))
    assert len(await read(journal)) == 1
    assert await journal.get(FillRow, "NYSE", "e001") is None
    assert list(await journal.append(batch(message(2)))) == [2]


async def test_a_repeated_sequence_of_an_order_and_source_is_refused(journal: Any) -> None:
    await journal.append(batch(message(1)))
    with pytest.raises(Conflict):
        await journal.append(batch(message(2, sequence=1)))


async def test_one_bad_batch_among_many_that_wait_together_is_the_only_one_refused(journal: Any) -> None:
    await journal.append(batch(message(1)))
    results = await asyncio.gather(
        *(journal.append(batch(message(number))) for number in (2, 1, 3)), return_exceptions=True
    )
    assert [isinstance(result, Conflict) for result in results] == [False, True, False]
    assert [item.sequence for _, item in await read(journal)] == [1, 2, 3]


async def test_the_last_row_of_a_key_wins(journal: Any) -> None:
    await journal.append(batch(rows=(fill(1, price="1.5"),)))
    await journal.append(batch(rows=(fill(1, price="2.5"),)))
    row = await journal.get(FillRow, "NYSE", "e001")
    assert row is not None
    assert row.price == Decimal("2.5")


async def test_decimals_and_nulls_come_back_exactly(journal: Any) -> None:
    row = fill(1, price="187.12345678", bid=Decimal("0.00000001"))
    await journal.append(batch(rows=(row, fill(2))))
    assert await journal.get(FillRow, "NYSE", "e001") == row
    assert await journal.get(FillRow, "NYSE", "e002") == fill(2)


async def test_nested_values_come_back(journal: Any) -> None:
    row = DeskStateRow(name="market", value={"kind": "generated", "seed": 7, "nested": {"a": [1, 2.5, None]}})
    await journal.append(batch(rows=(row,)))
    assert await journal.get(DeskStateRow, "market") == row


async def test_what_is_not_there_is_none(journal: Any) -> None:
    assert await journal.get(FillRow, "NYSE", "nothing") is None
    assert (await journal.find(FillRow)).rows == []


@pytest.mark.parametrize("order_by", [None, "received_time_ns", "-received_time_ns", "bid", "-bid"])
async def test_pages_together_are_the_whole_in_order_without_repeats(journal: Any, order_by: str | None) -> None:
    rows = tuple(fill(number, bid=Decimal(number % 3) if number % 2 else None) for number in range(1, 12))
    await journal.append(batch(rows=rows))
    whole = (await journal.find(FillRow, order_by=order_by, limit=100)).rows
    pages, cursor = [], None
    while True:
        page = await journal.find(FillRow, order_by=order_by, limit=3, cursor=cursor)
        pages.extend(page.rows)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert pages == whole
    assert {row.execution_id for row in pages} == {row.execution_id for row in rows}


async def test_filters_take_one_value_or_any_of_several(journal: Any) -> None:
    await journal.append(batch(rows=(fill(1), fill(2, venue="BATS"), fill(3, venue="NASDAQ"))))
    one = await journal.find(FillRow, where={"venue": "BATS"})
    several = await journal.find(FillRow, where={"venue": ("BATS", "NASDAQ")}, order_by="execution_id")
    assert [row.execution_id for row in one.rows] == ["e002"]
    assert [row.execution_id for row in several.rows] == ["e002", "e003"]


async def test_an_unknown_field_or_a_foreign_cursor_is_refused_by_name(journal: Any) -> None:
    with pytest.raises(InvalidInput, match="no field 'colour'"):
        await journal.find(FillRow, where={"colour": "blue"})
    await journal.append(batch(rows=(fill(1), fill(2))))
    page = await journal.find(FillRow, order_by="received_time_ns", limit=1)
    with pytest.raises(InvalidInput, match="not of this query"):
        await journal.find(FillRow, order_by="quantity", cursor=page.next_cursor)
    with pytest.raises(InvalidInput, match="not of this query"):
        await journal.find(FillRow, cursor="'; DROP TABLE fills; --")


async def test_a_reopened_sqlite_journal_continues_after_its_last_position(tmp_path: Path) -> None:
    path = tmp_path / "desk.sqlite"
    first = await SqlJournal.open_file(path)
    await first.append(batch(message(1), rows=(fill(1),)))
    await first.close()
    second = await SqlJournal.open_file(path)
    assert second.last_position == 1
    assert list(await second.append(batch(message(2)))) == [2]
    assert await second.get(FillRow, "NYSE", "e001") == fill(1)
    await second.close()


async def test_a_caller_that_gives_up_does_not_take_the_others_commit_with_it(journal: Any) -> None:
    """A cancelled request once cancelled the transaction that it shared."""
    asked = [asyncio.ensure_future(journal.append(batch(message(number)))) for number in (1, 2, 3)]
    await asyncio.sleep(0)
    asked[0].cancel()
    assert list(await asked[1]) == [2]
    assert list(await asked[2]) == [3]
    assert [item.sequence for _, item in await read(journal)] == [1, 2, 3]
