"""Lists that are held in memory, as pages: the cursor is the id of the last item seen."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_type_hints

import msgspec

from bestex.domain import instruments
from bestex.domain.errors import InvalidInput

T = TypeVar("T")

_FIELDS = get_type_hints(instruments.Instrument)

Instrument: Any = msgspec.defstruct(
    "Instrument",
    [
        *(
            (field.name, _FIELDS[field.name])
            if field.default is dataclasses.MISSING
            else (field.name, _FIELDS[field.name], field.default)
            for field in dataclasses.fields(instruments.Instrument)
        ),
        ("has_market", bool),
    ],
    kw_only=True,
    frozen=True,
    namespace={"__doc__": "An instrument, and whether it can be traded here or is only known."},
)


def part(
    items: Sequence[T], key: Callable[[T], str], *, limit: int, cursor: str | None
) -> tuple[Sequence[T], str | None]:
    """The items after the one that the cursor names, at most `limit`, and the next cursor; None at the end.

    Raises:
        InvalidInput: if the cursor is not the key of one of them.
    """
    keys = [key(item) for item in items]
    if cursor is not None and cursor not in keys:
        raise InvalidInput(
            f"cursor {cursor[:100]!r} is not of this list",
            field="cursor",
            value=cursor,
            expected="a next_cursor of this list",
        )
    start = 0 if cursor is None else keys.index(cursor) + 1
    end = start + limit
    return items[start:end], keys[end - 1] if end < len(keys) else None
