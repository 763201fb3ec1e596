"""One suite for every `Leases`, and for the journal that checks them: memory, SQLite and PostgreSQL."""

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from bestex.adapters.memory.journal import MemoryJournal
from bestex.adapters.memory.leases import MemoryLeases
from bestex.adapters.sql import journal as sql_journal
from bestex.adapters.sql.database import open_database
from bestex.adapters.sql.journal import SqlJournal
from bestex.adapters.sql.leases import SqlLeases
from bestex.domain.errors import Fenced
from bestex.ports import Batch, Lease
from tests.conformance.test_journal import message, read
from tests.databases import emptied, postgres_database

LONG, SHORT = 30.0, 0.15


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Any, Any]]:
    """The leases, and a journal that checks them."""
    if request.param == "memory":
        leases = MemoryLeases(time.monotonic_ns)
        yield leases, MemoryJournal(leases)
        return
    if request.param == "sqlite":
        database = await open_database(f"sqlite:///{tmp_path / 'desk.sqlite'}")
    else:
        database = await open_database(request.getfixturevalue("postgres"), schema="algorithm")
    yield SqlLeases(database), await SqlJournal.over(database, shard=3)
    await database.close()
    if request.param == "postgres":
        await emptied(request.getfixturevalue("postgres"), "algorithm")


@pytest.fixture
def leases(desk: tuple[Any, Any]) -> Any:
    return desk[0]


async def granted(leases: Any, holder: str, seconds: float = LONG, name: str = "algorithm-3") -> Lease:
    lease = await leases.acquire(name, holder, seconds)
    assert lease is not None
    return lease


async def test_a_lease_is_one_holders_until_it_runs_out(leases: Any) -> None:
    first = await granted(leases, "a", SHORT)
    assert (first.name, first.holder, first.seconds) == ("algorithm-3", "a", SHORT)
    assert await leases.acquire("algorithm-3", "b", LONG) is None
    await asyncio.sleep(SHORT + 0.05)
    second = await granted(leases, "b")
    assert second.epoch > first.epoch


async def test_asking_again_renews_ones_own_lease_under_its_epoch(leases: Any) -> None:
    first = await granted(leases, "a", 0.4)
    await asyncio.sleep(0.25)
    assert (await granted(leases, "a", 0.4)).epoch == first.epoch
    await asyncio.sleep(0.25)
    assert await leases.acquire("algorithm-3", "b", LONG) is None


async def test_ones_own_lease_that_ran_out_comes_back_under_a_higher_epoch(leases: Any) -> None:
    first = await granted(leases, "a", SHORT)
    await asyncio.sleep(SHORT + 0.05)
    assert (await granted(leases, "a")).epoch > first.epoch


async def test_renewing_holds_it_and_a_lease_that_ran_out_cannot_be_renewed(leases: Any) -> None:
    lease = await granted(leases, "a", 0.4)
    await asyncio.sleep(0.25)
    assert await leases.renew(lease)
    await asyncio.sleep(0.25)
    assert await leases.acquire("algorithm-3", "b", LONG) is None
    await asyncio.sleep(0.3)
    assert not await leases.renew(lease)


async def test_a_lease_given_back_can_be_taken_at_once_and_no_longer_renewed(leases: Any) -> None:
    first = await granted(leases, "a")
    await leases.release(first)
    second = await granted(leases, "b")
    assert second.epoch > first.epoch
    assert not await leases.renew(first)
    await leases.release(first)
    assert await leases.acquire("algorithm-3", "c", LONG) is None, "a lost lease was given back for its new holder"
    assert await leases.renew(second)


async def test_names_are_held_apart_and_listed_while_they_run(leases: Any) -> None:
    last = await granted(leases, "a", name="quality-0")
    first = await granted(leases, "b", name="algorithm-0")
    await granted(leases, "c", SHORT, name="algorithm-1")
    await asyncio.sleep(SHORT + 0.05)
    assert list(await leases.holders()) == [first, last]


async def test_of_many_that_ask_at_once_one_is_granted(leases: Any) -> None:
    asked = await asyncio.gather(*(leases.acquire("algorithm-3", f"holder-{number}", LONG) for number in range(20)))
    assert sum(lease is not None for lease in asked) == 1


async def test_the_holder_writes_also_after_its_time_while_nobody_else_has_taken_it(desk: tuple[Any, Any]) -> None:
    leases, journal = desk
    lease = await granted(leases, "a", SHORT)
    assert list(await journal.append(Batch(messages=[message(1)], records=[], lease=lease))) == [1]
    await asyncio.sleep(SHORT + 0.05)
    assert list(await journal.append(Batch(messages=[message(2)], records=[], lease=lease))) == [2]


async def test_a_holder_that_was_followed_can_write_nothing(desk: tuple[Any, Any]) -> None:
    leases, journal = desk
    old = await granted(leases, "a")
    await leases.release(old)
    new = await granted(leases, "b")
    with pytest.raises(Fenced, match=f"algorithm-3 epoch {old.epoch} was followed by epoch {new.epoch}"):
        await journal.append(Batch(messages=[message(1)], records=[], lease=old))
    assert await read(journal) == []
    assert list(await journal.append(Batch(messages=[message(1)], records=[], lease=new))) == [1]


async def test_a_lease_that_nobody_granted_writes_nothing(desk: tuple[Any, Any]) -> None:
    with pytest.raises(Fenced):
        await desk[1].append(
            Batch(messages=[message(1)], records=[], lease=Lease(name="x", holder="a", epoch=1, seconds=1.0))
        )


async def test_one_fenced_batch_takes_no_other_with_it(desk: tuple[Any, Any]) -> None:
    leases, journal = desk
    old = await granted(leases, "a")
    await leases.release(old)
    new = await granted(leases, "b")
    results = await asyncio.gather(
        *(
            journal.append(Batch(messages=[message(number)], records=[], lease=lease))
            for number, lease in enumerate((new, old, new), start=1)
        ),
        return_exceptions=True,
    )
    assert [isinstance(result, Fenced) for result in results] == [False, True, False]
    assert [item.sequence for _, item in await read(journal)] == [1, 3]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_positions_go_on_without_a_gap_when_a_shard_changes_hands_and_comes_back(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The first holder's count was of before the second had written."""
    url = f"sqlite:///{tmp_path / 'desk.sqlite'}" if kind == "sqlite" else request.getfixturevalue("postgres")
    database = await open_database(url, schema="algorithm")
    leases = SqlLeases(database)
    journals = [await SqlJournal.over(database, shard=5) for _ in range(2)]
    positions = []
    for number in range(1, 7):
        lease = await granted(leases, f"holder-{number % 2}", name="algorithm-5")
        batch = Batch(messages=[message(number)], records=[], lease=lease)
        positions += await journals[number % 2].append(batch)
        await leases.release(lease)
    assert positions == [1, 2, 3, 4, 5, 6]
    await database.close()
    if kind == "postgres":
        await emptied(url, "algorithm")


@pytest.mark.parametrize("seed", range(3))
async def test_in_any_interleaving_only_the_newest_epoch_writes(desk: tuple[Any, Any], seed: int) -> None:
    await interleave(desk, seed)


async def test_a_journal_that_does_not_check_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_journal, "check", lambda *_: None)
    database = await open_database(f"sqlite:///{tmp_path / 'desk.sqlite'}")
    with pytest.raises(AssertionError, match="wrote under epoch"):
        await interleave((SqlLeases(database), await SqlJournal.over(database, shard=3)), seed=0)
    await database.close()


async def interleave(desk: tuple[Any, Any], seed: int) -> None:
    """Three holders take, give back and write in random order, held against the one rule."""
    print(f"seed {seed}")
    leases, journal = desk
    randomness = random.Random(seed)
    held: dict[str, Lease] = {}
    newest, written = 0, 0
    for number in range(1, 80):
        holder = randomness.choice("abc")
        match randomness.choice(("acquire", "release", "write", "write")):
            case "acquire":
                if (lease := await leases.acquire("algorithm-3", holder, LONG)) is not None:
                    assert lease.epoch >= newest
                    held[holder], newest = lease, lease.epoch
            case "release" if holder in held:
                await leases.release(held[holder])
            case "write" if holder in held:
                is_newest = held[holder].epoch == newest
                try:
                    positions = await journal.append(Batch(messages=[message(number)], records=[], lease=held[holder]))
                except Fenced:
                    assert not is_newest, f"the newest epoch {newest} was refused"
                    continue
                assert is_newest, f"wrote under epoch {held[holder].epoch} after {newest} was granted"
                written += 1
                assert list(positions) == [written]
            case _:
                pass
    assert written > 5


RACER = """
import asyncio, sys
from bestex.adapters.sql.leases import SqlLeases

async def main(url, holder):
    leases = await SqlLeases.open(url)
    print("ready", flush=True)
    sys.stdin.readline()
    seen = []
    while len(seen) < 25:
        lease = await leases.acquire("algorithm-9", holder, 30)
        if lease is None:
            await asyncio.sleep(0.001)
            continue
        assert [item.holder for item in await leases.holders() if item.name == "algorithm-9"] == [holder]
        seen.append(lease.epoch)
        await leases.release(lease)
        await asyncio.sleep(0.002)
    await leases.close()
    print(*seen)

asyncio.run(main(*sys.argv[1:]))
"""


def test_two_processes_that_race_are_never_granted_the_same_epoch(postgres: str) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, postgres, holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for holder in ("first", "second")
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    epochs = [list(map(int, racer.communicate(timeout=60)[0].split())) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    assert sorted(epochs[0] + epochs[1]) == list(range(1, 51))
    assert max(epochs[0]) > min(epochs[1])
    assert max(epochs[1]) > min(epochs[0]), "they did not race"
