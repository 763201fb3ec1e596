"""Answers to lists that are asked for again and again, kept in the cache. Nothing else of the API asks the cache."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from bestex.api import reads
from bestex.api.access import Access
from bestex.api.answers import page
from bestex.messages.records import ExecutionAlgorithmRow, ExecutionStrategyRow, ParentOrderRow, Record
from bestex.ports import Namespace, Page

NAMESPACES: Final[dict[type[Record], Namespace]] = {
    ParentOrderRow: Namespace(name="orders", seconds=5),
    ExecutionAlgorithmRow: Namespace(name="algorithms", seconds=60),
    ExecutionStrategyRow: Namespace(name="strategies", seconds=60),
}
"""What may be kept, by the rows it is made of. Limits, kill state and leases are not among them, and never will be."""

_FIRST_PAGES: Final[dict[str, tuple[type[Record], Callable[[Access], Awaitable[Page]]]]] = {
    "/api/v1/orders": (ParentOrderRow, reads.orders),
    "/api/v1/execution/algorithms": (ExecutionAlgorithmRow, reads.algorithms),
    "/api/v1/execution-strategy/strategies": (ExecutionStrategyRow, reads.strategies),
}


async def kept(
    access: Access, request: Request, record: type[Record], work: Callable[[], Awaitable[Response]]
) -> Response:
    """The answer of `work`, or a copy of it that was made since the last change of such a row.

    Without a cache, or where this process does not hear of every change, `work` answers.
    """
    version = access.version_of(record)
    if access.cache is None or version is None:
        return await work()

    async def load() -> bytes:
        return bytes((await work()).body)

    key = f"{request.url.path}?{request.url.query}"
    body = await access.cache.read(NAMESPACES[record].name, access.identity.tenant, key, load, version=version)
    return Response(body, media_type="application/json")


async def warm_up(access: Access) -> None:
    """Make the copies of what is asked for first: the catalogues and the newest orders."""
    if access.cache is None:
        return
    for path, (record, read) in _FIRST_PAGES.items():
        version = access.version_of(record)
        if version is not None:

            async def load(read: Callable[[Access], Awaitable[Page]] = read) -> bytes:
                found = await read(access)
                return bytes(page(found.rows, found.next_cursor).body)

            space = NAMESPACES[record].name
            await access.cache.read(space, access.identity.tenant, f"{path}?", load, version=version)
