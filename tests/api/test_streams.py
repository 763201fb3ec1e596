"""WebSockets of a desk that serves for real, in this process: nothing missing, nothing twice, resumable."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import websockets

from bestex.app.serve import serve
from bestex.app.settings import Settings
from bestex.domain.errors import InvalidInput


@pytest.fixture
async def address(settings: Settings) -> AsyncIterator[str]:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    free = settings.model_copy(update={"port": 0, "speed": 60.0})
    serving = asyncio.create_task(serve(free, ready.set_result))
    await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
    yield ready.result()

    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(serving, 20)


async def send(address: str, order_id: str) -> None:
    order = {
        "order_id": order_id, "instrument_id": "AAPL", "side": "BUY", "quantity": 900, "algorithm": "TWAP",
        "execution_instructions": {"execution_style": "AGGRESSIVE"},
    }  # fmt: skip
    async with httpx2.AsyncClient(base_url=address) as client:
        (await client.post("/api/v1/orders", json=order)).raise_for_status()


async def frames(url: str, holds: Any, **options: Any) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    async with websockets.connect(url, **options) as socket:
        while not holds(seen):
            seen.append(json.loads(await asyncio.wait_for(socket.recv(), 20)))
    return seen


async def test_an_order_s_stream_resumes_without_gap_or_repeat(address: str) -> None:
    await send(address, "s1")
    url = address.replace("http", "ws") + "/api/v1/monitoring/s1/stream"
    first = await frames(url, lambda seen: len(seen) >= 5)
    last = first[-1]["sequence"]
    rest = await frames(f"{url}?after_sequence={last}", lambda seen: len(seen) >= 5)
    assert [frame["sequence"] for frame in first + rest] == list(range(1, last + 6))
    assert {frame["source_service"] for frame in first + rest} == {"monitoring"}
    assert all(frame["order_id"] == "s1" for frame in first + rest)


async def test_the_desk_s_stream_tells_every_order_and_resumes_by_position(address: str) -> None:
    url = address.replace("http", "ws") + "/api/v1/monitoring/stream"
    await send(address, "s2")
    await send(address, "s3")

    def both(seen: list[dict[str, Any]]) -> bool:
        return {frame["message"]["order_id"] for frame in seen} >= {"s2", "s3"}

    seen = await frames(f"{url}?after_position=0", both)
    positions = [frame["position"] for frame in seen]
    assert positions == sorted(set(positions))
    again = await frames(f"{url}?after_position={positions[0]}", lambda later: len(later) >= len(seen) - 1)
    assert [frame["position"] for frame in again][: len(positions) - 1] == positions[1:]


async def test_live_frames_follow_without_a_position(address: str) -> None:
    url = address.replace("http", "ws") + "/api/v1/monitoring/stream"
    listening = asyncio.create_task(frames(url, lambda seen: any(f["message"]["order_id"] == "s4" for f in seen)))
    await asyncio.sleep(0.3)
    await send(address, "s4")
    assert await listening


async def test_a_page_of_another_site_is_not_served(address: str) -> None:
    url = address.replace("http", "ws") + "/api/v1/monitoring/stream"
    with pytest.raises(websockets.exceptions.InvalidStatus):
        await frames(url, lambda seen: bool(seen), origin="http://evil.example")


async def test_a_port_that_is_taken_is_refused_with_what_to_do(address: str, settings: Settings) -> None:
    port = int(address.rsplit(":", 1)[1])
    other = settings.model_copy(update={"port": port, "state_dir": settings.state_dir / "other"})
    with pytest.raises(InvalidInput, match="give another with --port"):
        await serve(other, lambda _: None)
