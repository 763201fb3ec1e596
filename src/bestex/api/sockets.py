"""Who may hold a WebSocket: known by its first message, and for as long as its credential stands.

The first message is `{"type":"auth","token":KEY-OR-TOKEN}` within five seconds. A credential is never read from a URL,
where logs and histories would keep it.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect

from bestex.api.access import Access, seen_by
from bestex.api.admission import introduced_by
from bestex.api.identity.authentication import Authentication
from bestex.api.identity.identities import LOCAL, Identity
from bestex.api.identity.permissions import checked
from bestex.domain.errors import BestexError, Unauthenticated

_FIRST_MESSAGE_SECONDS: Final = 5.0
_CHECK_SECONDS: Final = 1.0
_SOCKETS_MAX: Final = 100  # of one account; each carries one subscription
_MESSAGES_MAX: Final = 100  # from a client that has nothing to say
_POLICY: Final = 1008
_TRY_LATER: Final = 1013
_IN_A_URL: Final = frozenset({"token", "access_token", "key", "api_key", "apikey", "authorization", "auth"})

_held: Counter[str] = Counter()


async def admitted(
    socket: WebSocket, access: Access, operation: str, begin: Callable[[Access], Awaitable[None]]
) -> None:
    """Run `begin` with the desk as the client sees it, until it ends or its credential does; or close the socket."""
    if not allowed_origin(socket.headers.get("origin"), socket.headers.get("host"), access.allowed_origins):
        await socket.close(code=_POLICY, reason="foreign Origin")
        return
    if names_a_credential(socket):
        await socket.close(code=_POLICY, reason="a credential does not belong in a URL")
        return
    await socket.accept()
    try:
        identity = await _identity(socket, access)
        checked(identity, operation)
    except WebSocketDisconnect:
        return
    except BestexError as error:
        await socket.close(code=_POLICY, reason=error.message)
        return
    if _held[identity.account] >= _SOCKETS_MAX:
        await socket.close(code=_TRY_LATER, reason=f"more than {_SOCKETS_MAX} sockets of one account")
        return
    _held[identity.account] += 1
    try:
        await _while_it_stands(socket, access, identity, begin)
    finally:
        _held[identity.account] -= 1


def names_a_credential(socket: WebSocket) -> bool:
    """Whether its URL holds what looks like one."""
    return bool(_IN_A_URL & {name.lower() for name in socket.query_params})


async def until_closed(socket: WebSocket) -> None:
    """Returns when the client is gone; closes on one that will not stop talking."""
    try:
        for _ in range(_MESSAGES_MAX):
            await socket.receive_text()
        await socket.close(code=_POLICY, reason="a stream takes no messages")
    except (WebSocketDisconnect, KeyError):
        return


def allowed_origin(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """A browser page of another site must not reach the desk; programs send no Origin."""
    return origin is None or urlsplit(origin).netloc == host or origin in allowed


async def _identity(socket: WebSocket, access: Access) -> Identity:
    if access.internal_key is not None:
        return introduced_by(access.internal_key, socket.scope, "WEBSOCKET", access.wall.now_ns()).identity
    return LOCAL if access.authentication is None else await first_message(socket, access.authentication)


async def first_message(socket: WebSocket, authentication: Authentication) -> Identity:
    """Whom the first message names. Raises Unauthenticated; WebSocketDisconnect if the client goes first."""
    try:
        async with asyncio.timeout(_FIRST_MESSAGE_SECONDS):
            message = json.loads(await socket.receive_text())
    except (TimeoutError, ValueError, RecursionError, KeyError):
        raise Unauthenticated from None
    if not isinstance(message, dict) or message.keys() != {"type", "token"} or message["type"] != "auth":
        raise Unauthenticated
    token = message["token"]
    if not isinstance(token, str):
        raise Unauthenticated
    return authentication.identify(token)


async def _while_it_stands(
    socket: WebSocket, access: Access, identity: Identity, begin: Callable[[Access], Awaitable[None]]
) -> None:
    serving = asyncio.ensure_future(begin(seen_by(access, identity)))
    try:
        while not serving.done():
            await asyncio.wait({serving}, timeout=None if access.authentication is None else _CHECK_SECONDS)
            if access.authentication is not None and not access.authentication.still_stands(identity):
                break
        if serving.done():
            await serving
            return
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    await socket.close(code=_POLICY, reason="the credential no longer stands")
