"""A journal on PostgreSQL whose connection is cut at any byte, is silent, or is away: every batch is stored once."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bestex.adapters.sql.database import open_database
from bestex.adapters.sql.journal import SqlJournal
from bestex.adapters.sql.leases import SqlLeases
from bestex.domain.errors import Conflict, Fenced, InvalidInput, StoreUnavailable
from bestex.messages.records import FillRow
from bestex.ports import Batch
from tests.conformance.test_journal import batch, fill, message, read
from tests.databases import emptied, execute, postgres_database
from tests.fault_proxy import COMMIT, FaultProxy, fault_proxy

ANSWER_BYTES = len(b"C\x00\x00\x00\x0bCOMMIT\x00") + len(b"Z\x00\x00\x00\x05I")


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


@asynccontextmanager
async def through_proxy(url: str, **options: Any) -> AsyncIterator[tuple[FaultProxy, SqlJournal]]:
    address = make_url(url)
    async with fault_proxy(address.host or "", address.port or 5432) as proxy:
        near = address.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        journal = await SqlJournal.open(near, schema="algorithm", **options)
        await journal._database.keep_days({0})  # a transaction of its own, which is not the one to cut
        try:
            yield proxy, journal
        finally:
            await journal.close()
            await emptied(url, "algorithm")


async def written_once(journal: SqlJournal, count: int) -> None:
    found = await read(journal)
    assert [(position, item.sequence) for position, item in found] == [(n, n) for n in range(1, count + 1)]
    assert len((await journal.find(FillRow, limit=10_000)).rows) == count


async def test_a_commit_cut_at_any_byte_of_its_exchange_has_its_effect_once(postgres: str) -> None:
    cuts = [("cut_up", n) for n in range(len(COMMIT) + 1)] + [("cut_down", n) for n in range(ANSWER_BYTES + 1)]
    async with through_proxy(postgres) as (proxy, journal):
        for number, (direction, at) in enumerate(cuts, start=1):
            setattr(proxy, direction, at)
            positions = await journal.append(batch(message(number), rows=(fill(number),)))
            assert list(positions) == [number], (direction, at)
        assert proxy.faults == len(cuts)
        await written_once(journal, len(cuts))


@pytest.mark.parametrize("seed", range(2))
async def test_a_transaction_cut_anywhere_has_its_effect_once(postgres: str, seed: int) -> None:
    print(f"seed {seed}")
    randomness = random.Random(seed)
    async with through_proxy(postgres) as (proxy, journal):
        number = 0
        for _ in range(40):
            proxy.cut_anywhere = randomness.randrange(6_000)
            group = [number + 1 + place for place in range(randomness.randrange(1, 4))]
            results = await asyncio.gather(
                *(journal.append(batch(message(each), rows=(fill(each),))) for each in group)
            )
            assert [list(positions) for positions in results] == [[each] for each in group]
            number = group[-1]
        assert proxy.faults > 10
        await written_once(journal, number)


async def test_a_journal_that_does_not_look_for_its_lost_commit_is_caught(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blind(*_: Any) -> None:
        return None

    monkeypatch.setattr(SqlJournal, "_stored", blind)
    async with through_proxy(postgres) as (proxy, journal):
        proxy.cut_down = 0
        with pytest.raises(Conflict):
            await journal.append(batch(message(1)))


async def test_an_answer_that_never_comes_is_given_up_and_the_commit_found(postgres: str) -> None:
    async with through_proxy(postgres, answer_seconds=0.5) as (proxy, journal):
        proxy.swallow = True
        assert list(await journal.append(batch(message(1), rows=(fill(1),)))) == [1]
        assert proxy.faults == 1
        await written_once(journal, 1)


async def test_a_server_that_comes_back_in_time_is_waited_for(postgres: str) -> None:
    async with through_proxy(postgres) as (proxy, journal):
        await journal.append(batch(message(1), rows=(fill(1),)))
        await proxy.stop()
        asked = asyncio.gather(*(journal.append(batch(message(n), rows=(fill(n),))) for n in (2, 3)))
        await asyncio.sleep(0.5)
        assert not asked.done()
        await proxy.start()
        assert [list(positions) for positions in await asked] == [[2], [3]]
        await written_once(journal, 3)


async def test_a_server_that_stays_away_is_said_to_be_and_the_same_journal_goes_on_later(postgres: str) -> None:
    async with through_proxy(postgres, patience_seconds=0.3) as (proxy, journal):
        await journal.append(batch(message(1), rows=(fill(1),)))
        await proxy.stop()
        with pytest.raises(StoreUnavailable, match="did not answer within 0.3 s") as caught:
            await journal.append(batch(message(2), rows=(fill(2),)))
        assert make_url(postgres).password not in str(caught.value)
        with pytest.raises(StoreUnavailable):
            await journal.get(FillRow, "NYSE", "e001")
        await proxy.start()
        assert list(await journal.append(batch(message(2), rows=(fill(2),)))) == [2]
        await written_once(journal, 2)


async def test_a_batch_given_up_after_its_commit_is_stored_once_when_it_is_appended_again(postgres: str) -> None:
    async with through_proxy(postgres, patience_seconds=0.0) as (proxy, journal):
        proxy.cut_down = 0
        with pytest.raises(StoreUnavailable):
            await journal.append(batch(message(1), rows=(fill(1),)))
        assert list(await journal.append(batch(message(1), rows=(fill(1),)))) == [1]
        await written_once(journal, 1)
        with pytest.raises(Conflict):  # now that it is known to be there
            await journal.append(batch(message(1), rows=(fill(1),)))


async def test_a_holder_followed_while_its_commit_was_lost_learns_that_it_was_stored(postgres: str) -> None:
    async with through_proxy(postgres) as (proxy, journal):
        leases = await SqlLeases.open(postgres)
        old = await leases.acquire("algorithm-0", "a", 30)
        assert old is not None
        proxy.cut_down = 0

        async def follow() -> None:
            await proxy.happened.wait()
            await leases.release(old)
            assert await leases.acquire("algorithm-0", "b", 30) is not None

        following = asyncio.create_task(follow())
        first = Batch(messages=[message(1)], records=[fill(1)], lease=old)
        assert list(await journal.append(first)) == [1]
        await following
        with pytest.raises(Fenced):
            await journal.append(Batch(messages=[message(2)], records=[], lease=old))
        await leases.close()


async def test_a_process_that_stops_in_the_middle_of_a_transaction_holds_its_lease_no_longer_than_a_second(
    postgres: str,
) -> None:
    paused = await open_database(postgres, schema="algorithm", idle_seconds=0.4)
    leases = await SqlLeases.open(postgres)
    lease = await leases.acquire("algorithm-0", "a", 0.05)

    entered = asyncio.Event()

    async def hold() -> None:
        async with paused._engine.connect() as connection, connection.begin():  # type: ignore[attr-defined]
            await connection.execute(text("SELECT * FROM desk.leases WHERE name = 'algorithm-0' FOR SHARE"))
            entered.set()
            await asyncio.sleep(3)

    holding = asyncio.create_task(hold())
    await entered.wait()
    started = time.monotonic()
    follower = await leases.acquire("algorithm-0", "b", 30)
    assert follower is not None
    assert lease is not None
    assert follower.epoch > lease.epoch
    assert time.monotonic() - started < 1.5
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    await leases.close()
    await paused.close()
    await emptied(postgres, "algorithm")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"port": 1}, StoreUnavailable, "did not answer"),
        ({"password": "wrong"}, InvalidInput, "password authentication failed"),
        ({"database": "no_such"}, InvalidInput, "does not exist"),
    ],
)
async def test_a_database_that_cannot_be_had_at_the_start_is_named_without_its_password(
    postgres: str, change: dict[str, Any], error: type[Exception], words: str
) -> None:
    address = make_url(postgres)
    if "password" in change and address.password is None:
        pytest.skip("this server asks for no password")
    url = address.set(**change).render_as_string(hide_password=False)
    with pytest.raises(error, match=words) as caught:
        await SqlJournal.open(url, schema="algorithm", patience_seconds=0.2)
    assert str(address.host) in str(caught.value)
    assert str(address.database if "database" not in change else "no_such") in str(caught.value)
    if address.password is not None:
        assert str(address.set(**change).password) not in str(caught.value).replace("***", "")


async def test_a_server_that_could_lose_an_acknowledged_commit_is_refused(postgres: str) -> None:
    name = make_url(postgres).database
    await execute(postgres, f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        with pytest.raises(InvalidInput, match="synchronous_commit is off"):
            await SqlJournal.open(postgres, schema="algorithm")
    finally:
        await execute(postgres, f"ALTER DATABASE {name} RESET synchronous_commit")


@pytest.mark.parametrize("url", ["", "desk.sqlite", "mysql://u:secret@h/d", "postgresql://u:secret@h:port/d"])
async def test_a_url_of_no_known_database_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(InvalidInput, match="is of no known database") as caught:
        await SqlJournal.open(url, schema="algorithm")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("schema", [None, "", "Quality", "a; DROP TABLE fills", "1a", 'x"y'])
async def test_a_schema_that_is_no_name_is_refused(schema: str | None) -> None:
    with pytest.raises(InvalidInput, match="schema"):
        await SqlJournal.open("postgresql://bestex@127.0.0.1/bestex", schema=schema)
