"""GraphQL over HTTP (POST) and WebSocket (graphql-transport-ws), one operation a request.

Where identities are required a socket says who it is in the payload of `connection_init`, as `{"token": KEY-OR-TOKEN}`.
"""

import asyncio
import contextlib
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.exceptions import ConnectionRejectionError
from strawberry.fastapi import GraphQLRouter
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler

from bestex.api import strict_json
from bestex.api.access import seen_by
from bestex.api.fields import Body
from bestex.api.graphql.context import Context, context
from bestex.api.graphql.schema import SCHEMA
from bestex.api.identity.permissions import checked
from bestex.api.strict_route import StrictRoute
from bestex.domain.errors import BestexError
from bestex.messages.codec import json_bytes

PATH: Final = "/graphql"
_SUBSCRIPTIONS_MAX: Final = 20  # a socket
_INIT_SECONDS: Final = 5
_CHECK_SECONDS: Final = 1.0
_FORBIDDEN: Final = 4403


class GraphQLBody(Body):
    query: str
    variables: dict[str, Any] | None = None
    operation_name: Annotated[str | None, Field(alias="operationName")] = None
    extensions: dict[str, Any] | None = None  # some clients send one; nothing in it is heeded


class _Handler(BaseGraphQLTransportWSHandler[Context, None]):
    """A socket, for as long as its credential stands."""

    async def handle(self) -> None:
        watching = asyncio.create_task(self._watch())
        try:
            await super().handle()
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            access = self.context.access
            if access.authentication is None or not self.connection_acknowledged:
                continue
            if not access.authentication.still_stands(access.identity):
                await self.websocket.close(code=_FORBIDDEN, reason="the credential no longer stands")
                return


class _Sockets(GraphQLRouter[Context, None]):
    graphql_transport_ws_handler_class = _Handler

    def encode_json(self, data: object) -> str:
        return json_bytes(data).decode()

    def decode_json(self, data: str | bytes) -> object:
        return strict_json.parse(data.encode() if isinstance(data, str) else data)

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        return origin in request.app.state.access.allowed_origins

    async def on_ws_connect(self, context: Context) -> Any:
        access = context.access
        if access.internal_key is not None:
            raise ConnectionRejectionError  # the gateway passes on what a stream says, not this dialogue
        if access.authentication is not None:
            token = (context.connection_params or {}).get("token")
            try:
                identity = access.authentication.identify(token if isinstance(token, str) else "")
                checked(identity, "graphql.updates")
            except BestexError:
                raise ConnectionRejectionError from None
            context.access = seen_by(access, identity)
        return await super().on_ws_connect(context)


router = APIRouter(prefix=PATH, tags=["graphql"], route_class=StrictRoute)
_sockets = _Sockets(
    SCHEMA,
    graphql_ide=None,
    allow_queries_via_get=False,
    context_getter=context,
    subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
    connection_init_wait_timeout=timedelta(seconds=_INIT_SECONDS),
    max_subscriptions_per_connection=_SUBSCRIPTIONS_MAX,
)


@router.post("", include_in_schema=False)
async def query(body: GraphQLBody, given: Annotated[Context, Depends(context)]) -> Response:
    """200 with data, and the errors of single fields; the problem's status where nothing was executed."""
    result = await SCHEMA.answer(given, body.query, body.variables, body.operation_name)
    answer: dict[str, Any] = {"data": result.data}
    status = 200
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
        if result.data is None:
            status = (result.errors[0].extensions or {})["problem"]["status"]
    return Response(json_bytes(answer), status_code=status, media_type="application/json")


@router.websocket("")
async def updates(socket: WebSocket, given: Annotated[Context, Depends(context)]) -> None:
    """Subscriptions, and queries too."""
    await _sockets.run(request=socket, context=given, root_value=None)
