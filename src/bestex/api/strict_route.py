"""A route whose bodies are read by `strict_json` instead of the framework's lenient parser.

Order ids of the path and the body become those of the client's own tenant before anybody sees them.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from bestex.api.identity.identities import LOCAL
from bestex.api.strict_json import parse
from bestex.domain.tenants import qualified


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
            tenant = request.scope.get("identity", LOCAL).tenant
            if "order_id" in request.path_params:
                request.path_params["order_id"] = qualified(tenant, request.path_params["order_id"])
            strict_request = StrictRequest(request.scope, _once(body))
            if body and request.headers.get("content-type", "").startswith("application/json"):
                strict_request.parsed = _owned(parse(body), tenant)
                if isinstance(strict_request.parsed, dict):
                    request.scope["order_id"] = strict_request.parsed.get("order_id")  # for the audit
            return await handle(strict_request)

        return strict


def _owned(body: Any, tenant: str) -> Any:
    """The body with full order ids. What is not text is left to the checks that follow."""
    if isinstance(body, list):
        return [_owned(item, tenant) if isinstance(item, dict) else item for item in body]
    if isinstance(body, dict):
        if isinstance(body.get("order_id"), str):
            body["order_id"] = qualified(tenant, body["order_id"])
        if isinstance(body.get("order_ids"), list):
            ids = body["order_ids"]
            body["order_ids"] = [qualified(tenant, item) if isinstance(item, str) else item for item in ids]
    return body


def _once(body: bytes) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
