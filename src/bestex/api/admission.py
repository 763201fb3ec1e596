"""Who is let in: identities and permissions in front of every route, as pure ASGI and one dependency."""

from collections.abc import MutableMapping
from typing import Any, Final

from fastapi import Request
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from bestex.api import problems
from bestex.api.access import Access, Desk
from bestex.api.identity import permissions
from bestex.api.identity.identities import LOCAL, Identity, Role
from bestex.domain.errors import BestexError, Forbidden, Unauthenticated
from bestex.messages.records import ParentOrderRow

_WATCHED: Final = ("/api/", "/metrics")
_CREDENTIAL_BYTES_MAX: Final = 8 * 1024


class Admission:
    """Knows who asks before anything of the request is read. Without identities everybody is `local`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_WATCHED):
            await self._app(scope, receive, send)
            return
        access: Access = scope["app"].state.access
        try:
            identity = LOCAL if access.authentication is None else identified(access, credential_of(scope))
            if scope["path"] == "/metrics" and not identity.roles & {Role.OPERATOR, Role.READ_ONLY}:
                raise Forbidden("metrics are for the roles operator and read_only")
        except BestexError as error:
            await problems.of(error)(scope, receive, send)
            return
        scope["identity"] = identity
        await self._app(scope, receive, send)


def identified(access: Access, credential: str | None) -> Identity:
    """Whom the credential stands for. Raises Unauthenticated."""
    assert access.authentication is not None, "asked only where identities are required"
    if credential is None:
        raise Unauthenticated
    return access.authentication.identify(credential)


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
