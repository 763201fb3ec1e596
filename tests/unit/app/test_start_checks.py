import asyncio
import os
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from bestex.adapters.sql.migrate import newest
from bestex.app import errors, free_space, start_checks
from bestex.app.settings import Settings, load
from bestex.domain.errors import BusUnavailable, Conflict, InvalidInput, StoreUnavailable
from tests.servers import PulsarServer, execute


def away(schema: str) -> StoreUnavailable:
    return StoreUnavailable(f"postgresql://h/b, schema {schema} did not answer", field="store.url", expected="a server")


def test_servers_that_are_away_are_named_once_each() -> None:
    both = start_checks.all_of([away("market"), away("desk"), BusUnavailable("no broker", field="bus.url")])
    assert isinstance(both, StoreUnavailable)
    assert both.message == "postgresql://h/b, schema market did not answer; no broker"
    assert errors.explain(both, as_json=False) == errors.EXIT_AWAY == 3


def test_what_must_be_put_right_comes_before_what_is_away() -> None:
    found = start_checks.all_of([away("market"), InvalidInput("fsync is off", field="fsync")])
    assert isinstance(found, InvalidInput)
    assert [item.field for item in found.errors] == ["fsync", "store.url"]
    assert errors.explain(found, as_json=True) == 2


def test_other_errors_still_end_with_one() -> None:
    assert errors.explain(Conflict("in use"), as_json=False) == 1


def test_a_disk_that_is_nearly_full_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(free_space.shutil, "disk_usage", lambda folder: usage(10**9, 9 * 10**8, 10**8))
    free_space.check(tmp_path, 100)
    with pytest.raises(InvalidInput, match="has 100 MB free, and the desk starts with 101 or more"):
        free_space.check(tmp_path, 101)


def settings_of(server: PulsarServer, namespace: str, database: str, **more: Any) -> Settings:
    return load(
        target="quality",
        store_url=database,
        bus_url=server.url,
        bus_admin_url=server.admin_url,
        bus_namespace=namespace,
        lease_seconds=0.5,
        **more,
    )


async def start(settings: Settings) -> None:
    async with start_checks.started(settings):
        await asyncio.sleep(0)


async def test_newer_tables_and_other_shards_are_said_in_one_start(
    pulsar_server: PulsarServer, pulsar_namespace: str, fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("BESTEX_") and "TEST" not in name]:
        monkeypatch.delenv(name)
    right = settings_of(pulsar_server, pulsar_namespace, fresh_database)
    await start(right)
    execute(fresh_database, "UPDATE quality.alembic_version SET version_num = '9999'")
    with pytest.raises(InvalidInput) as refusal:
        await start(settings_of(pulsar_server, pulsar_namespace, fresh_database, shards=8))
    assert {item.field for item in refusal.value.errors} == {"store.revision", "bus.shards"}
    assert f"revision 9999, and this program knows {newest()}" in refusal.value.message
    assert "topic orders has 4 shards on the broker" in refusal.value.message
    execute(fresh_database, f"UPDATE quality.alembic_version SET version_num = '{newest()}'")
    await start(right)
