"""A part of the journal as a page: from a position on, bounded, and resumable at any position seen."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from bestex.api.access import Access
from bestex.api.answers import page
from bestex.domain.errors import InvalidInput
from bestex.messages.codec import wire

After = Annotated[int, Query(ge=0, le=2**63 - 1, description="only what came after the message at this position")]
_DIGITS_MAX = 18  # of a position


async def timeline_page(
    access: Access,
    order_id: str,
    *,
    after_position: int,
    limit: int,
    cursor: str | None,
    source: str | None = None,
    quiet: frozenset[str] = frozenset(),
) -> Response:
    """Messages of an order's stream with their positions, oldest first.

    Args:
        source: of this service only; None = of all.
        quiet: event types left out.

    Raises:
        InvalidInput: for a cursor that is not of a timeline.
    """
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _DIGITS_MAX):
            raise InvalidInput(
                f"cursor {cursor[:40]!r} is not of a timeline",
                field="cursor",
                value=cursor,
                expected="next_cursor of the same timeline",
            )
        after_position = max(after_position, int(cursor))
    items: list[dict[str, object]] = []
    async for position, message in access.journal.read(order_id=order_id, source=source, after_position=after_position):
        if message.event_type in quiet:
            continue
        if len(items) == limit:
            return page(items, str(items[-1]["position"]))
        items.append({"position": position, **wire(message)})
    return page(items)
