"""A route whose bodies are read by `strict_json` instead of the framework's lenient parser."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from bestex.api.strict_json import parse


class StrictRequest(Request):
    """A request whose JSON has been read already; the framework would hide why a body was refused."""

    parsed: Any = None

    async def json(self) -> Any:
        return self.parsed


class StrictRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            body = await request.body()
            strict_request = StrictRequest(request.scope, _once(body))
            if body and request.headers.get("content-type", "").startswith("application/json"):
                strict_request.parsed = parse(body)
            return await handle(strict_request)

        return strict


def _once(body: bytes) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
