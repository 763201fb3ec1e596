"""What the routes may reach: ports, and nothing behind them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from bestex.api.frames import Frames
from bestex.messages.strategy import CostModel
from bestex.ports import Clock, Feed, Journal, Market, ReferenceData, Requests, Store


@dataclass(frozen=True, kw_only=True)
class ServiceHealth:
    name: str
    status: str  # ok | starting | failed
    detail: str


@dataclass(frozen=True, kw_only=True)
class Access:
    """The desk as the API sees it."""

    requests: Requests
    store: Store
    journal: Journal
    feed: Feed
    market: Market
    reference: ReferenceData
    clock: Clock
    wall: Clock
    health: Callable[[], Sequence[ServiceHealth]]
    new_id: Callable[[str], str]  # a fresh id with the given prefix
    about: Callable[[], dict[str, Any]]  # what /desk adds: speed, market kind, seed, label
    frames: Frames = field(default_factory=Frames)
    cost_models: Sequence[CostModel] = ()  # those by which this desk prices orders
    actor: str = "local"  # before identities exist, and on loopback only


# A coroutine, because the framework runs a plain function on a thread of its pool: two changes of thread a request.
async def _access(connection: HTTPConnection) -> Access:
    access: Access = connection.app.state.access
    return access


Desk = Annotated[Access, Depends(_access)]
