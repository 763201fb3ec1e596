"""What the routes may reach: ports, and nothing behind them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends
from opentelemetry.trace import Tracer
from starlette.requests import HTTPConnection

from bestex.api.analytics import Analytics
from bestex.api.audit import AuditTrail
from bestex.api.frames import Frames
from bestex.api.identity.authentication import Authentication
from bestex.api.identity.identities import LOCAL, Identity
from bestex.api.identity.scoped import scoped
from bestex.api.limiting import Limits
from bestex.domain.errors import Unauthenticated
from bestex.messages.records import Record
from bestex.messages.strategy import CostModel
from bestex.ports import Cache, Clock, Feed, Journal, Market, ReferenceData, Requests, Store


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
    authentication: Authentication | None = None  # None: no identities, on loopback only
    internal_key: bytes | None = None  # with it, only the gateway is believed, for whom it introduces
    limits: Limits | None = None  # None: as fast as it goes
    analytics: Analytics = field(default_factory=Analytics)
    audit: AuditTrail | None = None  # None: the log alone has it
    identity: Identity = LOCAL
    is_embedded: bool = True  # one process; else nobody may ask what can be asked
    tracer: Tracer | None = None  # of spans; None = none are made
    cache: Cache | None = None  # of answers to lists, see `kept`
    version_of: Callable[[type[Record]], str | None] = lambda _: None  # of the rows now; None = not known here
    allowed_origins: frozenset[str] = frozenset()  # sites whose pages may reach the desk, beside its own
    actor: str = LOCAL.actor  # in whose name routes ask

    @property
    def is_guarded(self) -> bool:
        """Whether identities are required."""
        return self.authentication is not None or self.internal_key is not None


def seen_by(access: Access, identity: Identity) -> Access:
    """The desk as this identity sees it: its own tenant's orders. Without identities, all of it."""
    return scoped(access, identity) if access.is_guarded else access


# A coroutine, because the framework runs a plain function on a thread of its pool: two changes of thread a request.
async def _access(connection: HTTPConnection) -> Access:
    access: Access = connection.app.state.access
    if access is None or not access.is_guarded or connection.scope["type"] == "websocket":
        return access  # a socket says who it is in its first message
    identity = connection.scope.get("identity")
    if identity is None:
        if connection.scope["path"].startswith("/api/"):
            raise Unauthenticated
        return access  # probes
    return scoped(access, identity)


Desk = Annotated[Access, Depends(_access)]
