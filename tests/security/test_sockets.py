"""A10, A11, A12: a socket is known by its first message, for as long as its credential stands, and within bounds."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bestex.api import sockets
from bestex.app import identity_file
from bestex.app.serve import serve
from bestex.app.settings import Settings
from tests.security.conftest import order, written_keys

Keys = dict[tuple[str, str], tuple[str, str]]


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[tuple[str, Keys, Path]]:
    assert settings.identities_file is not None
    keys = written_keys(settings.identities_file, ("acme", "zenith"))
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    free = settings.model_copy(update={"port": 0, "speed": 60.0})
    serving = asyncio.create_task(serve(free, ready.set_result))
    await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
    yield ready.result(), keys, settings.identities_file
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(serving, 20)


def stream(address: str, path: str = "/api/v1/monitoring/stream") -> str:
    return address.replace("http", "ws") + path


async def reason(url: str, first: Any = None, **options: Any) -> str:
    """Why the socket was closed."""
    async with websockets.connect(url, **options) as socket:
        if first is not None:
            await socket.send(first if isinstance(first, (str, bytes)) else json.dumps(first))
        try:
            while True:
                await asyncio.wait_for(socket.recv(), 8)
        except ConnectionClosed as closed:
            return str(closed.rcvd.reason if closed.rcvd else "")


async def test_a11_only_a_good_first_message_opens_a_stream(desk: tuple[str, Keys, Path]) -> None:
    address, keys, _ = desk
    good = keys["acme", "trader"][1]
    for first in (
        "{", "[]", "7", "null", {"type": "auth"}, {"type": "auth", "token": 7}, {"type": "auth", "token": "bx_1_2"},
        {"type": "subscribe", "token": good}, {"type": "auth", "token": good, "tenant": "zenith"}, "[" * 9_000,
    ):  # fmt: skip
        assert await reason(stream(address), first) == "no valid API key or token was given", first
    async with websockets.connect(stream(address)) as socket:
        await socket.send(json.dumps({"type": "auth", "token": good}))
        async with httpx2.AsyncClient(base_url=address, headers={"authorization": f"Bearer {good}"}) as client:
            assert (await client.post("/api/v1/orders", json=order("w1"))).status_code == 201
        message = json.loads(await asyncio.wait_for(socket.recv(), 10))
        assert message["message"]["order_id"] == "acme~w1"


async def test_a11_a_silent_socket_is_closed_and_a_credential_in_the_url_is_refused(
    desk: tuple[str, Keys, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sockets, "_FIRST_MESSAGE_SECONDS", 0.3)
    address, keys, _ = desk
    good = keys["acme", "trader"][1]
    assert await reason(stream(address)) == "no valid API key or token was given"
    for name in ("token", "access_token", "Authorization", "key"):
        with pytest.raises(InvalidStatus):
            await reason(f"{stream(address)}?{name}={good}")
    with pytest.raises(InvalidStatus):
        await reason(stream(address), origin="https://evil.example", additional_headers={"cookie": "session=1"})
    written = capsys.readouterr()
    assert good not in written.out + written.err


async def test_a10_a_revoked_key_loses_its_socket_within_five_seconds(desk: tuple[str, Keys, Path]) -> None:
    address, keys, file = desk
    key_id, good = keys["acme", "trader"]
    async with websockets.connect(stream(address)) as socket:
        await socket.send(json.dumps({"type": "auth", "token": good}))
        await asyncio.sleep(0.3)
        identity_file.revoke_key(file, key_id)
        await asyncio.wait_for(socket.wait_closed(), 5)
        assert socket.close_reason == "the credential no longer stands"


async def test_a06_a_tenant_s_socket_hears_nothing_of_another_s_order(desk: tuple[str, Keys, Path]) -> None:
    address, keys, _ = desk
    heard: list[str] = []
    urls = (
        stream(address),
        stream(address, "/api/v1/monitoring/z1/stream"),
        stream(address, "/api/v1/monitoring/zenith~z1/stream"),
    )

    async def listen(url: str) -> None:
        async with websockets.connect(url) as socket:
            await socket.send(json.dumps({"type": "auth", "token": keys["acme", "trader"][1]}))
            while True:
                heard.append(str(await socket.recv()))

    listening = [asyncio.create_task(listen(url)) for url in urls]
    await asyncio.sleep(0.3)
    headers = {"authorization": f"Bearer {keys['zenith', 'trader'][1]}"}
    async with httpx2.AsyncClient(base_url=address, headers=headers) as client:
        assert (await client.post("/api/v1/orders", json=order("z1"))).status_code == 201
        await asyncio.sleep(1.5)
        assert (await client.get("/api/v1/monitoring/z1/timeline")).json()["items"]
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    assert heard == []


async def test_a12_sockets_messages_and_frames_are_bounded(
    desk: tuple[str, Keys, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "_SOCKETS_MAX", 3)
    address, keys, _ = desk
    first = json.dumps({"type": "auth", "token": keys["acme", "trader"][1]})
    held = [await websockets.connect(stream(address)) for _ in range(3)]
    for socket in held:
        await socket.send(first)
    await asyncio.sleep(0.3)
    assert "more than 3 sockets" in await reason(stream(address), first)
    other = json.dumps({"type": "auth", "token": keys["zenith", "trader"][1]})
    async with websockets.connect(stream(address)) as socket:
        await socket.send(other)
        for _ in range(120):
            await socket.send("again")
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    async with websockets.connect(stream(address)) as socket:
        await socket.send("x" * 1_000_000)
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)
    for socket in held:
        await socket.close()
    async with httpx2.AsyncClient(base_url=address) as client:
        assert (await client.get("/readyz")).status_code == 200
