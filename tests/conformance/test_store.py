"""One suite for every `Store`: rows written by services, read as the API reads them, in one process and apart."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from bestex.adapters.memory.journal import MemoryJournal
from bestex.adapters.sql.journal import SqlJournal
from bestex.adapters.sql.store import SqlStore
from bestex.domain.errors import StoreUnavailable
from bestex.messages.records import (
    OWNERS,
    RECORDS,
    AuditRow,
    DeskStateRow,
    FillRow,
    IdempotencyRow,
    InboxRow,
    ParkedRow,
    QualityAlertRow,
    ReadPositionRow,
    Record,
)
from bestex.ports import Batch
from tests.conformance.test_journal import batch, fill, message, read
from tests.databases import emptied, execute, postgres_database

SCHEMAS = {
    "order-desk": "market",
    "reference": "market",
    "strategy": "strategy",
    "algorithm": "algorithm",
    "monitoring": "monitoring",
    "quality": "quality",
}


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


def quality_alert(number: int, severity: str = "HIGH") -> QualityAlertRow:
    return QualityAlertRow(
        alert_id=f"q{number}", subject="venue NYSE", message="m" * 900, severity=severity, created_at_ns=number
    )


def key_row(text: str) -> IdempotencyRow:
    return IdempotencyRow(idempotency_key=text, request_digest="d", response="{}", created_at_ns=1)


class Services:
    """Writes each row where its service writes it."""

    def __init__(self, journals: dict[str, Any]) -> None:
        self.journals = journals

    async def save(self, service: str, *rows: Record) -> None:
        await self.journals[service].append(Batch(messages=(), records=rows))


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Services, Any]]:
    if request.param == "memory":
        memory = MemoryJournal()
        yield Services(dict.fromkeys(SCHEMAS, memory)), memory
        return
    if request.param == "sqlite":
        sql = await SqlJournal.open_file(tmp_path / "desk.sqlite")
        yield Services(dict.fromkeys(SCHEMAS, sql)), sql
        await sql.close()
        return
    url = request.getfixturevalue("postgres")
    opened = {schema: await SqlJournal.open(url, schema=schema) for schema in sorted(set(SCHEMAS.values()))}
    store = await SqlStore.open(url, schemas=SCHEMAS)
    yield Services({service: opened[schema] for service, schema in SCHEMAS.items()}), store
    await store.close()
    for schema, journal in opened.items():
        await journal.close()
        await emptied(url, schema)


async def test_every_record_has_one_owner_or_is_everybodys_own() -> None:
    assert set(OWNERS) <= set(RECORDS)
    assert set(RECORDS) - set(OWNERS) == {IdempotencyRow, AuditRow, DeskStateRow, InboxRow, ReadPositionRow, ParkedRow}
    assert set(OWNERS.values()) == set(SCHEMAS)


async def test_rows_of_several_services_are_read_through_one_store(desk: tuple[Services, Any]) -> None:
    services, store = desk
    await services.save("algorithm", fill(1), fill(2, venue="BATS"))
    await services.save("quality", quality_alert(1))
    assert await store.get(FillRow, "BATS", "e002") == fill(2, venue="BATS")
    assert await store.get(QualityAlertRow, "q1") == quality_alert(1)
    assert await store.get(QualityAlertRow, "q2") is None


async def test_pages_filters_and_orders_work_through_it(desk: tuple[Services, Any]) -> None:
    services, store = desk
    rows = [quality_alert(number, severity=("HIGH", "LOW")[number % 2]) for number in range(1, 8)]
    await services.save("quality", *rows)
    first = await store.find(QualityAlertRow, where={"severity": "LOW"}, order_by="-created_at_ns", limit=3)
    rest = await store.find(
        QualityAlertRow, where={"severity": "LOW"}, order_by="-created_at_ns", limit=3, cursor=first.next_cursor
    )
    assert [row.alert_id for row in [*first.rows, *rest.rows]] == ["q7", "q5", "q3", "q1"]
    assert rest.next_cursor is None


async def test_text_sorts_by_its_bytes_everywhere(desk: tuple[Services, Any]) -> None:
    services, store = desk
    names = ["ä1", "Z1", "a-1", "a1", "_1", "A 1", "a.1"]
    await services.save(
        "quality",
        *(QualityAlertRow(alert_id=name, subject=name, message="", severity="LOW", created_at_ns=1) for name in names),
    )
    found = await store.find(QualityAlertRow, order_by="subject")
    assert [row.subject for row in found.rows] == sorted(names)


async def test_what_every_process_keeps_for_itself_is_found_wherever_it_is(desk: tuple[Services, Any]) -> None:
    services, store = desk
    await services.save("strategy", key_row("for strategy"))
    await services.save("order-desk", key_row("for the desk"))
    assert await store.get(IdempotencyRow, "for strategy") == key_row("for strategy")
    assert await store.get(IdempotencyRow, "for the desk") == key_row("for the desk")
    assert await store.get(IdempotencyRow, "for nobody") is None


async def test_of_what_everybody_keeps_the_caller_says_whose(postgres: str) -> None:
    journals = [await SqlJournal.open(postgres, schema=schema) for schema in ("market", "strategy")]
    store = await SqlStore.open(postgres, schemas=SCHEMAS)
    for number, journal in enumerate(journals):
        await journal.append(batch(rows=(DeskStateRow(name="clock", value={"time_ns": number}),)))
    assert [row.value["time_ns"] for row in (await store.at("strategy").find(DeskStateRow)).rows] == [1]
    assert (await store.at("market").get(DeskStateRow, "clock")) == DeskStateRow(name="clock", value={"time_ns": 0})
    with pytest.raises(AssertionError, match="say at"):
        await store.find(DeskStateRow)
    for journal in journals:
        await journal.close()
    await store.close()


async def test_the_store_cannot_write(postgres: str) -> None:
    store = await SqlStore.open(postgres, schemas=SCHEMAS, patience_seconds=0.0)
    with pytest.raises(Exception, match=r"read-only|ReadOnly"):
        await store._database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE x (y int)"))
    await store.close()


async def test_before_any_service_has_started_the_store_says_so() -> None:
    with postgres_database() as url:
        store = await SqlStore.open(url, schemas=SCHEMAS)
        with pytest.raises(StoreUnavailable, match="has no tables yet"):
            await store.get(FillRow, "NYSE", "e001")
        await execute(url, "CREATE SCHEMA market")
        await store.close()


async def test_a_journal_over_all_shards_reads_them_by_time_and_cannot_write(postgres: str) -> None:
    shards = [await SqlJournal.open(postgres, schema="algorithm", shard=shard) for shard in range(3)]
    for number in range(1, 10):
        await shards[number % 3].append(batch(message(number, order_id=f"order-{number % 3}")))
    whole = await SqlJournal.open(postgres, schema="algorithm", shard=None)
    assert [item.sequence for _, item in await read(whole)] == list(range(1, 10))
    assert [(position, item.sequence) for position, item in await read(whole, order_id="order-2")] == [
        (1, 2),
        (2, 5),
        (3, 8),
    ]
    assert [position for position, _ in await read(whole, order_id="order-2", after_position=1)] == [2, 3]
    assert [item.sequence for _, item in await read(shards[1])] == [1, 4, 7]
    assert [journal.last_position for journal in shards] == [3, 3, 3]
    with pytest.raises(AssertionError, match="only reads"):
        await whole.append(batch(message(10)))
    for journal in (*shards, whole):
        await journal.close()
    await emptied(postgres, "algorithm")


async def test_one_message_of_the_desk_may_stand_in_several_shards(postgres: str) -> None:
    shards = [await SqlJournal.open(postgres, schema="algorithm", shard=shard) for shard in range(2)]
    for journal in shards:
        assert list(await journal.append(batch(message(1, order_id="desk")))) == [1]
        await journal.close()
    await emptied(postgres, "algorithm")


async def test_reading_over_all_shards_goes_on_after_a_full_page(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bestex.adapters.sql.journal._PAGE", 4)
    shards = [await SqlJournal.open(postgres, schema="algorithm", shard=shard) for shard in range(2)]
    for number in range(1, 12):
        await shards[number % 2].append(batch(message(number, order_id=f"order-{number % 2}")))
    whole = await SqlJournal.open(postgres, schema="algorithm", shard=None)
    assert [item.sequence for _, item in await read(whole)] == list(range(1, 12))
    for journal in (*shards, whole):
        await journal.close()
    await emptied(postgres, "algorithm")
