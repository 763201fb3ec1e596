"""A guarded desk in this process: identities required, two tenants, one key for each role of each."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from bestex.api.access import Access
from bestex.api.application import create_application
from bestex.api.identity.identities import Role
from bestex.app import identity_file
from bestex.app.serve import running_desk
from bestex.app.settings import Settings

TENANTS = ("default", "acme", "zenith")


@dataclass
class Guarded:
    """A running desk and the keys to it, by (tenant, role)."""

    access: Access
    application: FastAPI
    file: Path
    keys: dict[tuple[str, str], tuple[str, str]]  # id and text
    clients: list[httpx2.AsyncClient] = field(default_factory=list)

    def client(self, role: str = "desk_head", tenant: str = "acme") -> httpx2.AsyncClient:
        return self.holding(self.keys[tenant, role][1])

    def holding(self, credential: str | None, **headers: str) -> httpx2.AsyncClient:
        given = headers if credential is None else {"authorization": f"Bearer {credential}", **headers}
        transport = httpx2.ASGITransport(app=self.application, raise_app_exceptions=False)
        client = httpx2.AsyncClient(transport=transport, base_url="http://desk", headers=given)
        self.clients.append(client)
        return client


def written_keys(file: Path, tenants: tuple[str, ...] = TENANTS) -> dict[tuple[str, str], tuple[str, str]]:
    return {
        (tenant, role): identity_file.create_key(
            file, subject=role, tenant=tenant, roles=[role], account=None, expires_ns=None
        )
        for tenant in tenants
        for role in Role
    }


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        state_dir=tmp_path,
        speed=120.0,
        seed=7,
        identities="required",
        identities_file=tmp_path / "identities.toml",
        rate_per_key=10_000,
        rate_per_account=10_000,
    )


@pytest.fixture
async def guarded(settings: Settings) -> AsyncIterator[Guarded]:
    assert settings.identities_file is not None
    keys = written_keys(settings.identities_file)
    async with running_desk(settings) as (access, driver):
        desk = Guarded(access, create_application(access), settings.identities_file, keys)
        yield desk
        for client in desk.clients:
            await client.aclose()
        assert driver.failure is None


@pytest.fixture
def refreshed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The file of identities is looked at anew with every request."""

    def now() -> None:
        monkeypatch.setattr(identity_file, "_LOOK_SECONDS", 0.0)

    return now


def order(order_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "order_id": order_id, "instrument_id": "AAPL", "side": "BUY", "quantity": 900, "algorithm": "TWAP",
        "execution_instructions": {"execution_style": "BALANCED"}, **fields,
    }  # fmt: skip
