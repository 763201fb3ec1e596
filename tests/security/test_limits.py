"""A19 and the audit: who asks too much is told when to come back, and can still stop its orders."""

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bestex.api.identity.identities import Identity, Role
from bestex.api.identity.permissions import RIGHTS
from bestex.api.limiting import Limits, is_urgent
from bestex.app import identity_file
from bestex.app.settings import Settings
from bestex.domain.errors import TooManyRequests
from tests.security.conftest import Guarded, order

V1 = "/api/v1"


def identity(key: str, account: str = "acme/desk") -> Identity:
    return Identity(
        subject="jane", tenant="acme", roles=frozenset({Role.TRADER}), credential=key, account=account, expires_ns=None
    )


async def admitted(limits: Limits, who: list[Identity], *, urgent: bool = False) -> int:
    answers = [await limited(limits, item, urgent) for item in who]
    assert all(seconds is None or seconds >= 1 for seconds in answers)
    return answers.count(None)


async def limited(limits: Limits, who: Identity, urgent: bool) -> int | None:
    """Seconds after which to come back; None if it was let in."""
    try:
        await limits.admit(who, is_urgent=urgent)
    except TooManyRequests as error:
        return error.retry_after_seconds
    return None


async def test_a19_one_key_at_ten_times_its_quota_keeps_its_cancels() -> None:
    limits = Limits(per_key=10, per_account=30, urgent=5)
    assert await admitted(limits, [identity("k")] * 100) == 10
    assert await admitted(limits, [identity("k")] * 100, urgent=True) == 5
    assert await limits.left(identity("k")) == 0
    assert await admitted(limits, [identity("other", "acme/other")] * 5) == 5


async def test_a19_fifty_keys_of_one_account_share_its_limit() -> None:
    limits = Limits(per_key=10, per_account=30, urgent=5)
    assert await admitted(limits, [identity(f"k{number}") for number in range(50)] * 4) == 30
    assert await admitted(limits, [identity(f"k{number}") for number in range(50)] * 4, urgent=True) == 15


async def test_a19_without_its_store_the_limiter_counts_for_itself() -> None:
    limits = Limits(per_key=10, per_account=30, urgent=5, redis_url="redis://127.0.0.1:1/0")
    assert await admitted(limits, [identity("k")] * 50) == 10
    assert await limits.left(identity("k")) == 0


async def test_a19_a_store_that_hangs_costs_one_short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = asyncio.Event()

    async def silent(reader: Any, writer: Any) -> None:
        await ended.wait()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    limits = Limits(per_key=10, per_account=30, urgent=5, redis_url=f"redis://127.0.0.1:{port}/0")
    async with asyncio.timeout(2):
        assert await admitted(limits, [identity("k")] * 50) == 10
    await limits.close()
    ended.set()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.1)


async def test_processes_share_their_counts_in_redis() -> None:
    url = os.environ.get("BESTEX_TEST_REDIS_URL")
    if url is None:
        pytest.skip("BESTEX_TEST_REDIS_URL is not set: no Redis to test on")
    who = identity(f"k-{os.urandom(4).hex()}", f"acme/{os.urandom(4).hex()}")
    one, two = (Limits(per_key=10, per_account=30, urgent=5, redis_url=url) for _ in range(2))
    assert await admitted(one, [who] * 6) + await admitted(two, [who] * 20) == 10
    await one.close()
    await two.close()


def test_what_the_table_calls_urgent_is_what_the_path_says() -> None:
    from bestex.api.application import create_application
    from tests.security.test_rights import endpoints

    urgent = {operation for right in RIGHTS if right.is_urgent for operation in right.operations}
    for operation, (method, path) in endpoints(create_application(None)).items():  # type: ignore[arg-type]
        full = path if path.startswith(V1) else V1 + path
        assert is_urgent(method, full) == (operation in urgent), operation


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        state_dir=tmp_path, speed=120.0, seed=7, identities="required", identities_file=tmp_path / "identities.toml",
        rate_per_key=20, rate_per_account=60, rate_urgent=20,
    )  # fmt: skip


async def test_a19_at_the_edge_429_says_when_and_a_cancel_still_goes_through(guarded: Guarded) -> None:
    head = guarded.client()
    assert (await head.post(f"{V1}/orders", json=order("o1"))).status_code == 201
    answers = await asyncio.gather(*(head.get(f"{V1}/orders") for _ in range(200)))
    limited = [answer for answer in answers if answer.status_code == 429]
    assert len(limited) >= 150
    assert limited[0].headers["content-type"] == "application/problem+json"
    assert int(limited[0].headers["retry-after"]) >= 1
    assert (await head.put(f"{V1}/orders/o1/cancel")).status_code == 200

    await asyncio.sleep(1.1)
    rows = (await guarded.client("operator").get(f"{V1}/desk/clients")).json()["items"]
    use = next(row for row in rows if row["client"] == "acme~desk_head" and row["limited"])
    assert use["limited"] == len(limited)
    assert {row["tenant"] for row in rows} == {"acme"}
    assert all(row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] for row in rows)
    assert any(row["quota_left"] is not None for row in rows)


async def test_a19_guessing_credentials_is_limited_by_address(guarded: Guarded) -> None:
    guess = guarded.holding("bx_00000000_guess")
    answers = [(await guess.get(f"{V1}/orders")).status_code for _ in range(60)]
    assert answers[:5] == [401] * 5
    assert 429 in answers
    assert (await guarded.client().get(f"{V1}/orders")).status_code == 200


async def test_every_write_leaves_a_line_that_risk_may_read(guarded: Guarded) -> None:
    head = guarded.client()
    sent = await head.post(f"{V1}/orders", json=order("o1"), headers={"x-request-id": "corr-1"})
    assert sent.headers["x-request-id"] == "corr-1"
    await head.post(f"{V1}/orders", json=order("o2", quantity=-1))
    await guarded.client(tenant="zenith").put(f"{V1}/orders/o1/cancel")
    lines = (await guarded.client("risk").get(f"{V1}/desk/audit")).json()["items"]
    assert {(line["operation"], line["about_order"], line["outcome"]) for line in lines} == {
        ("orders.create", "acme~o1", "DONE"),
        ("orders.create", "acme~o2", "REFUSED"),
    }
    line = next(line for line in lines if line["about_order"] == "acme~o1")
    assert (line["actor"], line["tenant"], line["status"], line["correlation_id"]) == (
        "acme~desk_head",
        "acme",
        201,
        "corr-1",
    )
    assert line["credential"] == guarded.keys["acme", "desk_head"][0]
    everybody = (await guarded.client("operator", "default").get(f"{V1}/desk/audit")).json()["items"]
    assert {line["tenant"] for line in everybody} == {"acme", "zenith"}
    assert (await guarded.client("trader").get(f"{V1}/desk/audit")).status_code == 403


async def test_a07_three_refusals_raise_an_alert(guarded: Guarded) -> None:
    trader, risk = guarded.client("trader"), guarded.client("risk")

    async def alerts() -> int:
        return len((await risk.get(f"{V1}/desk/audit?outcome=ALERT")).json()["items"])

    for expected in (0, 0, 1):
        assert (await trader.post(f"{V1}/execution/rearm", json={"reason": "x"})).status_code == 403
        assert await alerts() == expected


async def test_audit_lines_wait_for_a_store_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    from bestex.api import audit
    from bestex.domain.errors import StoreUnavailable

    monkeypatch.setattr(audit, "_RETRY_SECONDS", 0.01)
    kept: list[Any] = []
    failures = iter([True, True, False])

    async def append(batch: Any) -> None:
        if next(failures):
            raise StoreUnavailable("away")
        kept.extend(batch.records)

    trail = audit.AuditTrail(journal=SimpleNamespace(append=append), store=SimpleNamespace())  # type: ignore[arg-type]
    trail.keep(SimpleNamespace(audit_id="1"))  # type: ignore[arg-type]
    trail.keep(SimpleNamespace(audit_id="2"))  # type: ignore[arg-type]
    await trail.settled()
    assert [row.audit_id for row in kept] == ["1", "2"]


def test_a_desk_without_identities_has_no_limits() -> None:
    assert identity_file.limits(Settings(), None) is None
