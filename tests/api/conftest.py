"""A whole desk in this process: SQLite in a temporary folder, generated market, all services, HTTP without a socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bestex.api.application import create_application
from bestex.app.live_driver import LiveDriver
from bestex.app.serve import running_desk
from bestex.app.settings import Settings

Until = Callable[..., Awaitable[Any]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, speed=120.0, seed=7)


@pytest.fixture
async def driver_and_client(settings: Settings) -> AsyncIterator[tuple[LiveDriver, httpx2.AsyncClient]]:
    async with running_desk(settings) as (access, driver):
        transport = httpx2.ASGITransport(app=create_application(access), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:
            yield driver, client
        assert driver.failure is None


@pytest.fixture
def client(driver_and_client: tuple[LiveDriver, httpx2.AsyncClient]) -> httpx2.AsyncClient:
    return driver_and_client[1]


@pytest.fixture
def until(client: httpx2.AsyncClient) -> Until:
    """Ask a path again until `holds(answer)`, for at most 20 s."""

    async def wait(path: str, holds: Callable[[Any], bool]) -> Any:
        answer: Any = None
        for _ in range(400):
            reply = await client.get(path)
            if reply.status_code == 200 and holds(answer := reply.json()):
                return answer
            await asyncio.sleep(0.05)
        raise AssertionError(f"{path} never got there; last answer {answer}")

    return wait
