"""Separate workers that keep their journals on PostgreSQL give what one process gives, and every row can be read."""

import asyncio
import json
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from bestex.adapters.memory.journal import MemoryJournal
from bestex.adapters.sql.journal import SqlJournal
from bestex.adapters.sql.store import SqlStore
from bestex.messages.codec import json_bytes
from bestex.messages.records import OWNERS, Record
from tests.conformance.test_store import SCHEMAS
from tests.databases import postgres_database
from tests.scenarios.separate_workers import SeparateWorkers, in_one_process, small_orders

NAMES = ("market", "strategy", "monitoring", "quality", *(f"algorithm-{shard}" for shard in range(4)))

Json = list[Any]


def test_the_same_orders_on_postgresql_give_the_same_costs_and_the_same_rows() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    parents = small_orders(3, seed)
    with postgres_database() as url:
        executed, rows = asyncio.run(asyncio.wait_for(on_postgresql(url, seed), 240))
    in_memory = SeparateWorkers(seed=seed)

    async def story() -> None:
        async with in_memory.running():
            await in_memory.work(parents)

    asyncio.run(story())
    assert executed == in_one_process(parents, seed)
    for record, found in rows.items():
        assert found == rows_in_memory(in_memory, record), record.table
    assert {record.table for record, found in rows.items() if found} >= {
        "parent_orders", "fills", "child_orders", "execution_monitoring", "execution_quality_results",
    }  # fmt: skip


def as_json(rows: Sequence[Record]) -> Json:
    """Rows by their keys, as JSON has them: 200 is 200.0, a tuple is a list. An average is kept with eight decimals."""
    ordered = sorted(rows, key=lambda row: [str(getattr(row, name)) for name in row.key])
    return [{item.name: kept(getattr(row, item.name)) for item in msgspec.structs.fields(row)} for row in ordered]


def kept(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value.quantize(Decimal("1e-8"))
    return json.loads(json_bytes(msgspec.to_builtins(value, builtin_types=(Decimal,))), parse_int=float)


def rows_in_memory(desk: SeparateWorkers, record: Any) -> Json:
    """The owner's rows: an order desk also stands beside other services, for itself."""
    owner = SCHEMAS[OWNERS[record]]
    found = {
        key: row
        for name, journal in desk.journals.items()
        if name.partition("-")[0] == owner and isinstance(journal, MemoryJournal)
        for key, row in journal._rows.get(
            record, {}
        ).items()  # each shard has its own catalogue; in a schema they share it
    }
    return as_json(list(found.values()))


async def on_postgresql(url: str, seed: int) -> tuple[Any, dict[Any, Json]]:
    journals = {}
    for name in NAMES:
        schema, _, shard = name.partition("-")
        journals[name] = await SqlJournal.open(url, schema=schema, shard=int(shard or 0), connections=1)
    desk = SeparateWorkers(seed=seed, journal_of=journals.__getitem__)
    async with desk.running():
        await desk.work(small_orders(3, seed))
    store = await SqlStore.open(url, schemas=SCHEMAS)
    rows = {record: as_json((await store.find(record, limit=5000)).rows) for record in OWNERS}
    await store.close()
    for journal in journals.values():
        await journal.close()
    return desk.executed, rows
