"""Prometheus metrics and structured request logs, as pure ASGI."""

import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import generate_latest
from starlette.types import ASGIApp, Receive, Scope, Send

from bestex.api.access import Access
from bestex.api.meters import REGISTRY, REQUESTS, SECONDS
from bestex.api.problems import problem
from bestex.api.sockets import allowed_origin
from bestex.api.strict_json import BODY_BYTES_MAX

log = structlog.get_logger()

_PROPAGATOR = TraceContextTextMapPropagator()


def exposition() -> bytes:
    return generate_latest(REGISTRY)


class Metering:
    """Counts and times every request under its route's template, never under its ids."""

    def __init__(self, app: ASGIApp, tracer: Tracer | None = None) -> None:
        """`tracer` for a span a request, which goes on with the client's own trace; None = no spans."""
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._tracer is None:
            await self._metered(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        above = _PROPAGATOR.extract(headers)
        with self._tracer.start_as_current_span(str(scope["method"]), context=above, kind=SpanKind.SERVER) as span:
            await self._metered(scope, receive, send)
            span.update_name(f"{scope['method']} {_template(scope)}")
            if (order_id := scope.get("path_params", {}).get("order_id")) is not None:
                span.set_attribute("bestex.order_id", order_id)

    async def _metered(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 500

        async def note(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            route = _template(scope)
            seconds = time.perf_counter() - started
            REQUESTS.labels(scope["method"], route, status).inc()
            SECONDS.labels(scope["method"], route).observe(seconds)
            if status >= 400:
                log.info(
                    "request refused", method=scope["method"], route=route, status=status, seconds=round(seconds, 4)
                )


def _template(scope: Scope) -> str:
    """The path with its ids named instead of filled in, so that metrics do not grow with orders."""
    if "route" not in scope:
        return "other"
    path = str(scope["path"])
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(f"/{value}", f"/{{{name}}}", 1)
    return path


class Guarding:
    """What no route should have to think of: bodies are bounded, pages of other sites cannot write."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        access: Access = scope["app"].state.access
        if not allowed_origin(headers.get("origin"), headers.get("host"), access.allowed_origins):
            await problem(403, "foreign_origin", "a page of another site may not write")(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if len(body) > BODY_BYTES_MAX:
                detail = f"the body is larger than {BODY_BYTES_MAX} bytes"
                await problem(413, "body_too_large", detail)(scope, receive, send)
                return
            if not message.get("more_body", False):
                break
        given = False

        async def replay() -> MutableMapping[str, Any]:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, replay, send)
