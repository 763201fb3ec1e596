"""Idempotency-Key: the same key and request get the same answer, once; the same key for something else is refused."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Header, Request
from starlette.responses import Response

from bestex.api.access import Access
from bestex.api.answers import answer
from bestex.domain.errors import Conflict, InvalidInput
from bestex.messages.records import IdempotencyRow
from bestex.ports import Idempotency

Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=100, description="repeats with this key change nothing"),
]

_in_flight: set[str] = set()


async def once(
    access: Access,
    request: Request,
    key: str | None,
    work: Callable[[Idempotency | None], Awaitable[Any]],
    *,
    status: int = 200,
) -> Response:
    """The answer of `work`, or what was answered when this key was used before.

    Raises:
        InvalidInput: if the key was used for another request.
        Conflict: while the first request with this key is still being worked on.
    """
    if key is None:
        return answer(await work(None), status)
    scoped = f"{access.actor}:{request.url.path}:{key}"
    digest = hashlib.sha256(await request.body()).hexdigest()
    before = await access.store.get(IdempotencyRow, scoped)
    if before is not None:
        if before.request_digest != digest:
            raise InvalidInput(
                f"Idempotency-Key {key!r} was used for another request",
                field="Idempotency-Key",
                value=key,
                expected="a new key for a new request",
            )
        return Response(before.response, status_code=status, media_type="application/json")
    if scoped in _in_flight:
        raise Conflict(
            f"a request with Idempotency-Key {key!r} is still being worked on; ask again", field="Idempotency-Key"
        )
    _in_flight.add(scoped)
    try:
        return answer(await work(Idempotency(key=scoped, request_digest=digest)), status)
    finally:
        _in_flight.discard(scoped)
