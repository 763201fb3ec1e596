"""The gateway in front of a desk: it knows who asks, and what is behind it believes nobody else."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
import websockets
from websockets.exceptions import ConnectionClosed

from bestex.api.application import create_application
from bestex.api.identity import internal
from bestex.api.identity.identities import Identity, Role
from bestex.app import gateway, http_server, identity_file, settings
from bestex.app.serve import running_desk
from bestex.app.settings import Settings
from bestex.domain.errors import InvalidInput
from tests.security.conftest import order, written_keys

KEY = bytes(range(40, 90))
V1 = "/api/v1"


@contextlib.asynccontextmanager
async def served(application: Any) -> AsyncIterator[str]:
    listener = http_server.bind("127.0.0.1", 0)
    server = http_server._Server(
        uvicorn.Config(application, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    )
    started = asyncio.Event()
    server.on_start = started.set
    running = asyncio.create_task(server.serve(sockets=[listener]))
    await started.wait()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.stop()
    await running


@dataclass
class Deployment:
    front: str
    behind: str
    keys: dict[tuple[str, str], tuple[str, str]]
    file: Path

    def client(self, role: str = "desk_head", tenant: str = "acme", *, base: str | None = None) -> httpx2.AsyncClient:
        headers = {"authorization": f"Bearer {self.keys[tenant, role][1]}"}
        return httpx2.AsyncClient(base_url=base or self.front, headers=headers)


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    file = tmp_path / "identities.toml"
    keys = written_keys(file, ("acme", "zenith"))
    secret = base64.b64encode(KEY).decode()
    desk = Settings(state_dir=tmp_path, speed=120.0, seed=7, identities="required", internal_key=secret)
    async with (
        running_desk(desk) as (access, _),
        served(create_application(access)) as behind,
        gateway.opened(
            Settings(
                target="gateway",
                identities="required",
                internal_key=secret,
                identities_file=file,
                upstreams={"all": behind},
            )
        ) as front,
        served(gateway.create_gateway(front)) as address,
    ):
        yield Deployment(address, behind, keys, file)


async def test_an_order_goes_through_the_gateway_as_its_client_s_own(deployment: Deployment) -> None:
    async with deployment.client() as client, deployment.client(tenant="zenith") as other:
        sent = await client.post(f"{V1}/orders", json=order("g1"), headers={"x-request-id": "corr-7"})
        assert sent.status_code == 201, sent.text
        assert (sent.json()["order_id"], sent.json()["actor"]) == ("acme~g1", "acme~desk_head")
        assert sent.headers["x-request-id"] == "corr-7"
        assert (await client.get(f"{V1}/orders?limit=5")).json()["items"][0]["order_id"] == "acme~g1"
        assert (await client.get(f"{V1}/orders/acme%7Eg1")).status_code == 200
        assert (await other.get(f"{V1}/orders/g1")).status_code == 404
        assert (await client.put(f"{V1}/orders/g1/cancel")).status_code == 200
    async with deployment.client("risk") as risk:
        lines = (await risk.get(f"{V1}/desk/audit")).json()["items"]
        assert [(line["operation"], line["address"]) for line in lines] == [
            ("orders.cancel", "127.0.0.1"),
            ("orders.create", "127.0.0.1"),
        ]
    async with deployment.client("trader") as trader:
        assert (await trader.get(f"{V1}/desk/audit")).status_code == 403


async def test_a_call_past_the_gateway_is_refused_whatever_it_claims(deployment: Deployment) -> None:
    risk = Identity(
        subject="r", tenant="acme", roles=frozenset({Role.RISK}), credential="k", account="a", expires_ns=None
    )
    path, now = f"{V1}/orders", gateway.WallClock().now_ns()
    good = internal.signed(risk, KEY, method="GET", path=path, address="10.0.0.1", now_ns=now)
    forged = internal.signed(risk, KEY[::-1], method="GET", path=path, address="10.0.0.1", now_ns=now)
    old = internal.signed(risk, KEY, method="GET", path=path, address="10.0.0.1", now_ns=now - 11 * 10**9)
    elsewhere = internal.signed(risk, KEY, method="POST", path=f"{V1}/execution/rearm", address="10.0.0.1", now_ns=now)
    async with deployment.client(base=deployment.behind) as direct:
        assert (await direct.get(path)).status_code == 401
        for text in (forged, old, elsewhere, good[:-1], "." + good.partition(".")[2], "x", ""):
            assert (await direct.get(path, headers={internal.HEADER: text})).status_code == 401, text
        assert (await direct.get(path, headers={internal.HEADER: good})).status_code == 200
        assert (await direct.get(path, headers=[(internal.HEADER, good), (internal.HEADER, good)])).status_code == 401
    with pytest.raises(websockets.exceptions.ConnectionClosed):
        async with websockets.connect(deployment.behind.replace("http", "ws") + f"{V1}/monitoring/stream") as socket:
            await asyncio.wait_for(socket.recv(), 5)


async def test_a_graphql_socket_past_the_gateway_is_refused(deployment: Deployment) -> None:
    url = deployment.behind.replace("http", "ws") + f"{V1}/graphql"
    async with websockets.connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
        token = deployment.keys["acme", "trader"][1]
        await socket.send(json.dumps({"type": "connection_init", "payload": {"token": token}}))
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)


async def test_a_header_of_the_client_does_not_pass_the_gateway(deployment: Deployment) -> None:
    risk = Identity(subject="r", tenant="zenith", roles=frozenset(Role), credential="k", account="a", expires_ns=None)
    text = internal.signed(risk, KEY, method="GET", path=f"{V1}/desk", address="x", now_ns=gateway.WallClock().now_ns())
    async with deployment.client("read_only") as client:
        assert (await client.get(f"{V1}/desk", headers={internal.HEADER: text})).json()["actor"] == "acme~read_only"
    async with httpx2.AsyncClient(base_url=deployment.front) as nobody:
        assert (await nobody.get(f"{V1}/desk", headers={internal.HEADER: text})).status_code == 401


async def drained(socket: Any) -> str | None:
    """Why the socket was closed, once everything before that is read."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await socket.recv()
    return str(socket.close_reason)


async def test_a_stream_goes_through_and_ends_with_its_credential(deployment: Deployment) -> None:
    url = deployment.front.replace("http", "ws") + f"{V1}/monitoring/stream"
    key_id, text = deployment.keys["acme", "trader"]
    async with websockets.connect(url) as socket:
        await socket.send(json.dumps({"type": "auth", "token": text}))
        await asyncio.sleep(0.5)
        async with deployment.client() as client:
            assert (await client.post(f"{V1}/orders", json=order("g2"))).status_code == 201
        assert json.loads(await asyncio.wait_for(socket.recv(), 10))["message"]["order_id"] == "acme~g2"
        identity_file.revoke_key(deployment.file, key_id)
        assert await asyncio.wait_for(drained(socket), 5) == "the credential no longer stands"
    async with websockets.connect(url) as socket:
        await socket.send(json.dumps({"type": "auth", "token": text}))
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)


async def test_a_service_that_is_away_or_hangs_is_said_and_the_gateway_stays(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.Event()

    async def silent(_: Any, writer: Any) -> None:
        await ended.wait()
        writer.close()
        await writer.wait_closed()

    hung = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = hung.sockets[0].getsockname()[1]
    monkeypatch.setattr(gateway, "_TIMEOUT", httpx2.Timeout(0.5))
    upstreams = {"market": "http://127.0.0.1:1", "monitoring": f"http://127.0.0.1:{port}", "quality": deployment.behind}
    alone = Settings(target="gateway", upstreams=upstreams)
    async with (
        gateway.opened(alone) as front,
        served(gateway.create_gateway(front)) as address,
        httpx2.AsyncClient(base_url=address) as client,
    ):
        away = await client.get(f"{V1}/orders")
        assert (away.status_code, away.json()["code"]) == (502, "unavailable")
        assert (await client.get(f"{V1}/monitoring/orders")).status_code == 503
        assert (await client.get(f"{V1}/execution/orders")).status_code == 503
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert {name: item["status"] for name, item in ready.json()["services"].items()} == {
            "market": "away", "monitoring": "away", "quality": "ok",
        }  # fmt: skip
        assert (await client.post(f"{V1}/orders", content=b"x" * 70_000)).status_code == 413
        assert (await client.get("/healthz")).text == "ok"
    ended.set()
    await asyncio.sleep(0.1)
    hung.close()
    await hung.wait_closed()


def test_a_gateway_says_what_it_lacks() -> None:
    async def begin(**given: Any) -> None:
        async with gateway.opened(Settings(target="gateway", **given)):
            raise AssertionError("it began")

    with pytest.raises(InvalidInput, match="upstreams"):
        asyncio.run(begin())
    with pytest.raises(InvalidInput, match="upstreams"):
        asyncio.run(begin(upstreams={"market": "127.0.0.1:80"}))
    with pytest.raises(InvalidInput, match="internal_key"):
        asyncio.run(begin(upstreams={"market": "http://127.0.0.1:1"}, identities="required", identities_file=Path("x")))
    with pytest.raises(InvalidInput, match="default") as refusal:
        settings.load(internal_key=base64.b64encode(b"bestex" * 8).decode())
    assert base64.b64encode(b"bestex" * 8).decode() not in str(refusal.value)


def test_upstreams_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESTEX_UPSTREAMS", "market=http://a:1, quality=http://b:2")
    assert settings.load(target="gateway").upstreams == {"market": "http://a:1", "quality": "http://b:2"}
