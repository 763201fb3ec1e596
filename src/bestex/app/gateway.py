"""The one way in where the services are apart: it knows who asks, and passes the request on to whose it is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx2
import structlog
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from bestex.api import sockets
from bestex.api.admission import OPERATION_HEADER, Admission, address_of
from bestex.api.analytics import Analytics
from bestex.api.answers import answer
from bestex.api.application import target_of
from bestex.api.audit import AuditTrail
from bestex.api.identity import internal
from bestex.api.identity.authentication import Authentication
from bestex.api.identity.identities import LOCAL, Identity
from bestex.api.limiting import Limits
from bestex.api.metering import Guarding, Metering, exposition
from bestex.api.problems import problem
from bestex.app import http_server, identity_file, separate
from bestex.app.clock import WallClock
from bestex.app.settings import Settings
from bestex.domain.errors import BestexError, InvalidInput
from bestex.ports import Clock

log = structlog.get_logger()
_TIMEOUT: Final = httpx2.Timeout(connect=1.0, read=15.0, write=5.0, pool=2.0)
_READY_SECONDS: Final = 2.0
_FRAME_BYTES_MAX: Final = 1024 * 1024
_ASKED: Final = frozenset(
    {
        "content-type",
        "accept",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "traceparent",
        "tracestate",
    }
)
_DROPPED: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
        "server",
        "date",
        "content-encoding",
        "content-length",
        "x-request-id",
        OPERATION_HEADER,
    }
)


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """What the gateway knows. Without identities it passes on what comes, and stays on loopback."""

    upstreams: Mapping[str, str]  # target -> http://HOST:PORT
    http: httpx2.AsyncClient
    authentication: Authentication | None
    signing_key: bytes | None  # None: nobody is introduced
    limits: Limits | None
    wall: Clock
    new_id: Callable[[str], str]
    allowed_origins: frozenset[str] = frozenset()
    analytics: Analytics = field(default_factory=Analytics)
    audit: AuditTrail | None = None  # the services keep the lines; the log has those that end here
    internal_key: bytes | None = None  # nobody introduces anybody to the gateway

    def address_of(self, path: str) -> str | None:
        """Where a path is answered; None if nobody was named who could."""
        return self.upstreams.get(target_of(path), self.upstreams.get("all"))

    def introduction(self, identity: Identity, *, method: str, path: str, address: str) -> dict[str, str]:
        if self.signing_key is None:
            return {}
        text = internal.signed(
            identity, self.signing_key, method=method, path=path, address=address, now_ns=self.wall.now_ns()
        )
        return {internal.HEADER: text}


def create_gateway(gateway: Gateway, dashboard: Path | None = None) -> Starlette:
    """The application over its upstreams.

    Args:
        dashboard: folder of the built dashboard; None or a missing folder serves the API alone.
    """
    routes: list[Any] = [
        Route("/healthz", _healthz),
        Route("/readyz", _readyz),
        Route("/metrics", _metrics),
        WebSocketRoute("/api/{path:path}", _socket),
        Route("/api/{path:path}", _passed, methods=["GET", "POST", "PUT", "DELETE"]),
    ]
    if dashboard is not None and (dashboard / "index.html").exists():
        routes.append(Mount("/", StaticFiles(directory=dashboard, html=True)))
    app = Starlette(routes=routes)
    app.state.access = gateway
    app.add_middleware(Guarding)
    app.add_middleware(Admission)
    app.add_middleware(Metering)
    return app


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM."""
    static = Path(str(files("bestex.dashboard") / "static"))
    listener = http_server.bind(settings.host, settings.port)
    address = f"http://{settings.host}:{listener.getsockname()[1]}"
    async with opened(settings) as gateway:
        await http_server.run(create_gateway(gateway, static), listener, lambda: ready(address))


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Gateway]:
    """Raises InvalidInput where the settings name no upstream, or one that is no address."""
    wrong = {name: url for name, url in settings.upstreams.items() if not url.startswith(("http://", "https://"))}
    if not settings.upstreams or wrong:
        raise InvalidInput(
            f"upstreams is {settings.upstreams or 'empty'}",
            field="upstreams",
            value=settings.upstreams,
            expected="BESTEX_UPSTREAMS=market=http://127.0.0.1:8081,strategy=http://127.0.0.1:8082,...",
        )
    if settings.identities == "required" and settings.internal_key is None:
        raise InvalidInput(
            "a gateway that requires identities needs internal_key (BESTEX_INTERNAL_KEY)",
            field="internal_key",
            expected="what `openssl rand -base64 32` prints, the same in every process",
        )
    limits = identity_file.limits(settings, settings.cache_url)
    bounds = httpx2.Limits(max_connections=200, max_keepalive_connections=50)
    async with httpx2.AsyncClient(timeout=_TIMEOUT, limits=bounds, trust_env=False, follow_redirects=False) as http:
        try:
            yield Gateway(
                upstreams={name: url.rstrip("/") for name, url in settings.upstreams.items()},
                http=http,
                authentication=identity_file.authentication(settings),
                signing_key=settings.internal_secret,
                limits=limits,
                wall=WallClock(),
                new_id=separate.new_id,
                allowed_origins=frozenset(settings.allowed_origins),
            )
        finally:
            if limits is not None:
                await limits.close()


async def _passed(request: Request) -> Response:
    gateway: Gateway = request.app.state.access
    path = str(request.scope["path"])
    upstream = gateway.address_of(path)
    if upstream is None:
        return problem(503, "unavailable", f"no {target_of(path)} service is known to the gateway")
    identity = request.scope.get("identity", LOCAL)
    headers = {name: value for name, value in request.headers.items() if name in _ASKED}
    headers |= gateway.introduction(identity, method=request.method, path=path, address=address_of(request.scope))
    if "correlation_id" in request.scope:
        headers["x-request-id"] = request.scope["correlation_id"]
    asked = gateway.http.build_request(
        request.method, upstream + _raw(request.scope), headers=headers, content=await request.body()
    )
    try:
        reply = await gateway.http.send(asked, stream=True)
    except httpx2.TimeoutException:
        return problem(503, "unavailable", f"the {target_of(path)} service did not answer in time; ask again")
    except httpx2.TransportError:
        return problem(502, "unavailable", f"the {target_of(path)} service is away; ask again")
    request.scope["operation"] = reply.headers.get(OPERATION_HEADER, "none")
    kept = {name: value for name, value in reply.headers.items() if name.lower() not in _DROPPED}
    return StreamingResponse(_body(reply), status_code=reply.status_code, headers=kept)


async def _body(reply: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in reply.aiter_bytes():
            yield chunk
    finally:
        await reply.aclose()


async def _socket(socket: WebSocket) -> None:
    gateway: Gateway = socket.app.state.access
    if not sockets.allowed_origin(socket.headers.get("origin"), socket.headers.get("host"), gateway.allowed_origins):
        await socket.close(code=1008, reason="foreign Origin")
        return
    if sockets.names_a_credential(socket):
        await socket.close(code=1008, reason="a credential does not belong in a URL")
        return
    await socket.accept()
    try:
        known = gateway.authentication
        identity = LOCAL if known is None else await sockets.first_message(socket, known)
    except WebSocketDisconnect:
        return
    except BestexError as error:
        await socket.close(code=1008, reason=error.message)
        return
    upstream = gateway.address_of(socket.scope["path"])
    if upstream is None:
        await socket.close(code=1013, reason="no such service is known to the gateway")
        return
    url = upstream.replace("http", "ws", 1) + _raw(socket.scope)
    headers = gateway.introduction(
        identity, method="WEBSOCKET", path=socket.scope["path"], address=address_of(socket.scope)
    )
    try:
        async with websockets.connect(
            url, additional_headers=headers, max_size=_FRAME_BYTES_MAX, open_timeout=5, compression=None, proxy=None
        ) as behind:
            await _joined(socket, behind, gateway, identity)
    except (OSError, TimeoutError, websockets.WebSocketException):
        await _closed(socket, 1013, "the service is away; resume where you were")


async def _joined(socket: WebSocket, behind: Any, gateway: Gateway, identity: Identity) -> None:
    """Frames from behind to the client, while both are there and the credential stands."""
    tasks = [
        asyncio.create_task(_frames(socket, behind)),
        asyncio.create_task(sockets.until_closed(socket)),
        asyncio.create_task(_until_it_falls(gateway, identity)),
    ]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    has_fallen = tasks[2].done()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if has_fallen:
        await _closed(socket, 1008, "the credential no longer stands")


async def _frames(socket: WebSocket, behind: Any) -> None:
    try:
        while True:
            await socket.send_text(await behind.recv(decode=True))
    except websockets.ConnectionClosed as closed:
        end = closed.rcvd
        await _closed(socket, 1013 if end is None else end.code, "the service is away" if end is None else end.reason)


async def _until_it_falls(gateway: Gateway, identity: Identity) -> None:
    known = gateway.authentication
    if known is None:
        await asyncio.Event().wait()
        return
    while known.still_stands(identity):  # noqa: ASYNC110 - a file and the clock say it, nobody tells
        await asyncio.sleep(1.0)


async def _closed(socket: WebSocket, code: int, reason: str) -> None:
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(code=code, reason=reason)


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _metrics(_: Request) -> Response:
    return Response(exposition(), media_type="text/plain; version=0.0.4")


async def _readyz(request: Request) -> Response:
    """Ready when everything behind it is."""
    gateway: Gateway = request.app.state.access
    found = await asyncio.gather(*(_ready(gateway, name, url) for name, url in gateway.upstreams.items()))
    services = dict(found)
    ready = all(item["status"] == "ok" for item in services.values())
    return answer({"ready": ready, "services": services}, status=200 if ready else 503)


async def _ready(gateway: Gateway, name: str, url: str) -> tuple[str, dict[str, str]]:
    try:
        reply = await gateway.http.get(f"{url}/readyz", timeout=_READY_SECONDS)
    except httpx2.TransportError:
        return name, {"status": "away", "detail": "it does not answer"}
    status = "ok" if reply.status_code == 200 else "starting"
    return name, {"status": status, "detail": f"answered {reply.status_code}"}


def _raw(scope: Any) -> str:
    """Path and query as the client wrote them: decoded, a path could mean something else behind."""
    path = bytes(scope.get("raw_path") or quote(scope["path"]).encode()).decode("ascii")
    query = bytes(scope["query_string"]).decode("ascii")
    return f"{path}?{query}" if query else path
