"""Four processes on PostgreSQL and Pulsar give every order the ledger, the costs and the grade of one on SQLite."""

import random
from pathlib import Path

import uvloop

from tests.scenarios.own_servers import OwnServers
from tests.scenarios.separate_workers import small_orders
from tests.scenarios.two_wirings import SPEED, in_one_process, in_separate_processes
from tests.servers import PulsarServer

ORDERS_SENT = 3


def test_both_wirings_give_the_same_orders_the_same_outcome(
    fresh_database: str,
    pulsar_server: PulsarServer,
    pulsar_namespace: str,
    tmp_path: Path,
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    parents = small_orders(ORDERS_SENT, seed)
    one = in_one_process(parents, seed, tmp_path / "one.sqlite", lambda _: None)
    assert len(one) == ORDERS_SENT
    servers = OwnServers(fresh_database, pulsar_server.url, pulsar_server.admin_url, pulsar_namespace)
    settings = servers.settings("market", seed=seed, event_time=True, speed=SPEED)
    many = uvloop.run(in_separate_processes(parents, settings, tmp_path, lambda _: None))
    assert many == one
    other = in_one_process(parents, seed + 1, tmp_path / "other.sqlite", lambda _: None)
    assert other != one, "the comparison must see another market"
