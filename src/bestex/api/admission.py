"""Who is let in: identities and permissions in front of every route, as pure ASGI and one dependency."""

import time
from collections import deque
from collections.abc import Callable, MutableMapping
from typing import Any, Final, Protocol

import structlog
from fastapi import Request
from prometheus_client import Counter
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from bestex.api import audit, problems
from bestex.api.access import Access, Desk
from bestex.api.analytics import Analytics
from bestex.api.audit import AuditTrail
from bestex.api.identity import internal, permissions
from bestex.api.identity.authentication import Authentication
from bestex.api.identity.identities import LOCAL, Identity, Role
from bestex.api.identity.internal import Introduced
from bestex.api.limiting import Limits, is_urgent
from bestex.api.meters import REGISTRY
from bestex.domain.errors import BestexError, Forbidden, TooManyRequests, Unauthenticated
from bestex.domain.ids import checked_id, checked_order_id
from bestex.messages.records import AuditRow, ParentOrderRow
from bestex.ports import Clock

_WATCHED: Final = ("/api/", "/metrics")
_CREDENTIAL_BYTES_MAX: Final = 8 * 1024
OPERATION_HEADER: Final = "x-bestex-operation"  # from a service to its gateway, for the gateway's own counts
_TRIES: Final = 3
_TRIES_SECONDS: Final = 600.0

log = structlog.get_logger()
INSISTED = Counter(
    "bestex_refused_again_and_again",
    "Clients refused three times within ten minutes",
    ["tenant", "client"],
    registry=REGISTRY,
)


class Gate(Protocol):
    """What is needed to let somebody in: a desk has it, and the gateway."""

    @property
    def authentication(self) -> Authentication | None: ...
    @property
    def internal_key(self) -> bytes | None: ...
    @property
    def limits(self) -> Limits | None: ...
    @property
    def analytics(self) -> Analytics: ...
    @property
    def audit(self) -> AuditTrail | None: ...
    @property
    def wall(self) -> Clock: ...
    @property
    def new_id(self) -> Callable[[str], str]: ...


class Admission:
    """Knows who asks before anything of the request is read, and notes what came of it.

    Without identities everybody is `local` and unlimited.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._refusals: dict[str, deque[float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_WATCHED):
            await self._app(scope, receive, send)
            return
        access: Gate = scope["app"].state.access
        try:
            identity = await self._identity(access, scope)
        except BestexError as error:
            await problems.of(error)(scope, receive, send)
            return
        scope["identity"] = identity
        # A GraphQL query is posted, and changes nothing.
        writes = scope["method"] not in ("GET", "HEAD", "OPTIONS") and not scope["path"].endswith("/graphql")
        correlation_id = _correlation_id(scope, access) if writes else ""
        if writes:
            scope["correlation_id"] = correlation_id
        started, status = time.perf_counter(), 500

        async def note(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if access.internal_key is not None:
                    named = (OPERATION_HEADER.encode(), operation_of(scope).encode())
                    message["headers"] = [*message["headers"], named]
                if writes:
                    message["headers"] = [*message["headers"], (b"x-request-id", correlation_id.encode())]
            await send(message)

        try:
            try:
                if access.limits is not None:
                    await access.limits.admit(identity, is_urgent=is_urgent(scope["method"], scope["path"]))
            except TooManyRequests as error:
                await problems.of(error)(scope, receive, note)
                return
            await self._app(scope, receive, note)
        finally:
            seconds, now_ns = time.perf_counter() - started, access.wall.now_ns()
            operation = operation_of(scope)
            access.analytics.note(identity, operation, status, seconds, now_ns)
            if writes:
                audit_request(access, scope, identity, operation, status, correlation_id)
            if status == 403:
                self._refused(access, scope, identity, operation, correlation_id)

    async def _identity(self, access: Gate, scope: Scope) -> Identity:
        if access.internal_key is not None:
            introduced = introduced_by(access.internal_key, scope, scope["method"], access.wall.now_ns())
            scope["address"] = introduced.address
            return introduced.identity
        if access.authentication is None:
            return LOCAL
        try:
            identity = identified(access, credential_of(scope))
        except Unauthenticated:
            if access.limits is not None:
                await access.limits.refuse_guesses(address_of(scope))
            raise
        if scope["path"] == "/metrics" and not identity.roles & {Role.OPERATOR, Role.READ_ONLY}:
            raise Forbidden("metrics are for the roles operator and read_only")
        return identity

    def _refused(self, access: Gate, scope: Scope, identity: Identity, operation: str, correlation_id: str) -> None:
        """Tell somebody when a client goes on trying what it may not."""
        now = time.monotonic()
        tries = self._refusals.setdefault(f"{identity.tenant}/{identity.credential}", deque(maxlen=_TRIES))
        tries.append(now)
        if len(tries) == _TRIES and now - tries[0] <= _TRIES_SECONDS:
            tries.clear()
            INSISTED.labels(identity.tenant, identity.actor).inc()
            log.error("refused again and again", actor=identity.actor, tenant=identity.tenant, operation=operation)
            audit_request(access, scope, identity, operation, 403, correlation_id or "none", outcome="ALERT")


def audit_request(
    access: Gate,
    scope: Scope,
    identity: Identity,
    operation: str,
    status: int,
    correlation_id: str,
    *,
    outcome: str | None = None,
    channel: str = "REST",
) -> None:
    """One line of the audit. `outcome` None = as the status says."""
    said = "LIMITED" if status == 429 else "FAILED" if status >= 500 else "REFUSED" if status >= 400 else "DONE"
    order_id = _order_id(scope.get("path_params", {}).get("order_id") or scope.get("order_id"))
    audit.note(
        access.audit,
        AuditRow(
            audit_id=access.new_id("audit"),
            time_ns=access.wall.now_ns(),
            tenant=identity.tenant,
            actor=identity.actor,
            credential=identity.credential,
            channel=channel,
            address=address_of(scope),
            operation=operation,
            about_order=order_id,
            status=status,
            outcome=outcome or said,
            correlation_id=correlation_id,
        ),
    )


def address_of(scope: Scope) -> str:
    """Of the other end of the socket, or as the gateway has signed it; what other headers claim is not believed."""
    if "address" in scope:
        return str(scope["address"])
    client = scope.get("client")
    return "unknown" if client is None else str(client[0])


def _order_id(found: object) -> str | None:
    """What the request named, if it can be an order; anything else has no place in a log."""
    if not isinstance(found, str):
        return None
    try:
        return checked_order_id(found, field="order_id")
    except BestexError:
        return None


def _correlation_id(scope: Scope, access: Gate) -> str:
    """The client's X-Request-ID where it can be an id, else a fresh one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            try:
                return checked_id(value.decode("ascii"), field="X-Request-ID")
            except (BestexError, UnicodeDecodeError):
                break
    return access.new_id("req")


def identified(access: Gate, credential: str | None) -> Identity:
    """Whom the credential stands for. Raises Unauthenticated."""
    assert access.authentication is not None, "asked only where identities are required"
    if credential is None:
        raise Unauthenticated
    return access.authentication.identify(credential)


def introduced_by(key: bytes, scope: MutableMapping[str, Any], method: str, now_ns: int) -> Introduced:
    """Whom the gateway speaks for. Raises Unauthenticated for anything that it has not signed for this request."""
    found = [value for name, value in scope["headers"] if name == internal.HEADER.encode()]
    text = found[0].decode("latin-1") if len(found) == 1 else None
    return internal.read(text, key, method=method, path=scope["path"], now_ns=now_ns)


def credential_of(scope: MutableMapping[str, Any]) -> str | None:
    """The key or token of a request's header; None if there is none, or more than one."""
    found = []
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            found.append(value[7:])
        elif name in (b"x-api-key", b"authorization"):
            found.append(value if name == b"x-api-key" else b"")
    if len(found) != 1 or not 0 < len(found[0]) <= _CREDENTIAL_BYTES_MAX or not found[0].isascii():
        return None
    return bytes(found[0]).decode("ascii").strip()


def operation_of(scope: MutableMapping[str, Any]) -> str:
    """The operation of a routed request, e.g. `orders.create`; "none" if it met no route."""
    endpoint = scope.get("endpoint")
    if "operation" in scope:
        return str(scope["operation"])
    return "none" if endpoint is None else f"{endpoint.__module__.rpartition('.')[2]}.{endpoint.__name__}"


async def permitted(connection: HTTPConnection, access: Desk) -> None:
    """Raises Forbidden unless the table of rights lets this identity do what it asks. WebSockets are asked later."""
    if isinstance(connection, Request):
        await check(access, operation_of(connection.scope), connection.path_params.get("order_id"))


async def check(access: Access, operation: str, order_id: str | None) -> None:
    """Raises Forbidden; an order that is not there is left to the route."""
    if not permissions.checked(access.identity, operation) or order_id is None:
        return
    row = await access.store.get(ParentOrderRow, order_id)
    if row is not None and row.actor != access.identity.actor:
        raise Forbidden(
            f"order {order_id} was sent by somebody else",
            field="order_id",
            value=order_id,
            expected="an order of your own, or the role desk_head",
        )
