"""A reader that goes on after the last position it saw misses nothing, however late a commit becomes visible.

Numbers from a database sequence are given before the order of the commits is known, so "id > last" skips a transaction
that commits late. Positions here are counted by a shard's one writer, and one batch is committed after the other.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, text

from bestex.adapters.sql.database import open_database
from bestex.adapters.sql.journal import SqlJournal
from bestex.adapters.sql.postgres import PostgresDatabase
from tests.conformance.test_journal import batch, message
from tests.databases import emptied, postgres_database

LATE_SECONDS = 0.05


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


class LateDatabase(PostgresDatabase):
    """Half of its transactions wait before they commit."""

    randomness: random.Random

    async def write(self, work: Callable[[Connection], Any]) -> Any:
        def late(connection: Connection) -> Any:
            result = work(connection)
            if self.randomness.random() < 0.5:
                connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": LATE_SECONDS})
            return result

        return await super().write(late)


@pytest.mark.parametrize("seed", range(2))
async def test_a_reader_after_the_last_position_misses_nothing_of_a_late_commit(postgres: str, seed: int) -> None:
    print(f"seed {seed}")
    LateDatabase.randomness = random.Random(seed)
    database = await LateDatabase.open(postgres, schema="algorithm")
    watching = await open_database(postgres, schema="algorithm", read_only=True)
    done = asyncio.Event()
    heard: dict[int, list[int]] = {0: [], 1: []}

    async def write(shard: int) -> None:
        journal = await SqlJournal.over(database, shard=shard)
        for first in range(1, 30, 3):
            await asyncio.gather(*(journal.append(batch(message(first + place))) for place in range(3)))

    async def follow(shard: int) -> None:
        journal = await SqlJournal.over(watching, shard=shard)
        while True:
            is_last = done.is_set()
            after = heard[shard][-1] if heard[shard] else 0
            heard[shard] += [position async for position, _ in journal.read(after_position=after)]
            if is_last:
                return

    followers = [asyncio.create_task(follow(shard)) for shard in heard]
    await asyncio.gather(*(write(shard) for shard in heard))
    done.set()
    await asyncio.gather(*followers)
    assert heard == {shard: list(range(1, 31)) for shard in heard}
    await watching.close()
    await database.close()
    await emptied(postgres, "algorithm")


async def test_a_reader_after_the_last_number_of_a_sequence_does_miss_one(postgres: str) -> None:
    """What the test above would find if positions came from a sequence."""
    early, late = await asyncpg.connect(postgres), await asyncpg.connect(postgres)
    await early.execute("CREATE TABLE IF NOT EXISTS outbox (id bigserial PRIMARY KEY)")
    transaction = late.transaction()
    await transaction.start()
    await late.execute("INSERT INTO outbox DEFAULT VALUES")
    await early.execute("INSERT INTO outbox DEFAULT VALUES")
    heard = [row["id"] for row in await early.fetch("SELECT id FROM outbox WHERE id > 0")]
    await transaction.commit()
    heard += [row["id"] for row in await early.fetch(f"SELECT id FROM outbox WHERE id > {heard[-1]}")]
    assert heard == [2]
    await early.close()
    await late.close()
