"""The journal and its rows in memory: for replay, for tests, and as the plainest form of what the ports promise."""

import base64
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from bestex.adapters.memory.leases import MemoryLeases
from bestex.domain.errors import Conflict, InvalidInput
from bestex.domain.tenants import OfTenant
from bestex.messages.envelope import Message
from bestex.messages.records import Record
from bestex.ports import Batch, Page, R


class MemoryJournal:
    """`Journal` and `Store` over lists and dictionaries. Lost with the process."""

    def __init__(self, leases: MemoryLeases | None = None) -> None:
        self._leases = leases
        self.messages: list[Message[Any]] = []
        self._event_ids: set[str] = set()
        self._numbers: set[tuple[str, str, int]] = set()
        self._rows: dict[type[Record], dict[tuple[Any, ...], Record]] = {}

    def write(self, batch: Batch) -> Sequence[int]:
        """`append` without waiting, for callers that have no event loop."""
        if batch.lease is not None and self._leases is not None:
            self._leases.check(batch.lease)
        seen_ids: set[str] = set()
        seen_numbers: set[tuple[str, str, int]] = set()
        for message in batch.messages:
            number = (message.order_id, message.source_service, message.sequence)
            is_known = message.event_id in self._event_ids or number in self._numbers
            if is_known or message.event_id in seen_ids or number in seen_numbers:
                raise Conflict(f"message {message.event_id} {number} is already in the journal", field="event_id")
            seen_ids.add(message.event_id)
            seen_numbers.add(number)
        self._event_ids |= seen_ids
        self._numbers |= seen_numbers
        first = len(self.messages) + 1
        self.messages.extend(batch.messages)
        for record in batch.records:
            self._rows.setdefault(type(record), {})[tuple(getattr(record, name) for name in record.key)] = record
        return range(first, len(self.messages) + 1)

    async def append(self, batch: Batch) -> Sequence[int]:
        return self.write(batch)

    async def read(
        self,
        *,
        order_id: str | None = None,
        source: str | None = None,
        after_sequence: int = 0,
        after_position: int = 0,
    ) -> AsyncIterator[tuple[int, Message[Any]]]:
        for position, message in enumerate(self.messages[after_position:], start=after_position + 1):
            if order_id is not None and message.order_id != order_id:
                continue
            if source is not None and message.source_service != source:
                continue
            if message.sequence > after_sequence:
                yield position, message

    async def get(self, record: type[R], *key: object) -> R | None:
        return self._rows.get(record, {}).get(key)  # type: ignore[return-value]

    async def find(
        self,
        record: type[R],
        *,
        where: dict[str, object] | None = None,
        order_by: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        columns = check_query(record, where, order_by)
        rows = [row for row in self._rows.get(record, {}).values() if _matches(row, where or {})]
        for name, descending in reversed(columns):
            rows.sort(key=lambda row: _sortable(getattr(row, name)), reverse=descending)
        if cursor is not None:
            after = decode_cursor(record, cursor, columns)
            rows = [row for row in rows if _comes_after(row, after, columns)]
        page = rows[:limit]
        more = len(rows) > limit
        return Page(rows=page, next_cursor=encode_cursor(page[-1], columns) if more else None)


Columns = list[tuple[str, bool]]  # (field, descending), ending with the key so that the order is total


def check_query(record: type[Record], where: dict[str, object] | None, order_by: str | None) -> Columns:
    """The full sort order of a query.

    Raises:
        InvalidInput: if a field is not one of the record's.
    """
    names = {item.name for item in msgspec.structs.fields(record)}
    descending = bool(order_by and order_by.startswith("-"))
    first = order_by.lstrip("-") if order_by else None
    for name in [*(where or {}), *([first] if first else [])]:
        if name not in names:
            raise InvalidInput(
                f"{record.table} has no field {name!r}; it has {', '.join(sorted(names))}",
                field=name,
                expected="one of " + ", ".join(sorted(names)),
            )
    columns: Columns = [(first, descending)] if first else []
    return columns + [(name, descending) for name in record.key if name != first]


def encode_cursor(row: Record, columns: Columns) -> str:
    """Where the page ended: the sort values of its last row, opaque to clients."""
    values = [[name, descending, getattr(row, name)] for name, descending in columns]
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode()


def decode_cursor(record: type[Record], cursor: str, columns: Columns) -> list[Any]:
    """The sort values of the row the page ended with.

    Raises:
        InvalidInput: if the cursor was not made by this query.
    """
    try:
        values = msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode()), type=list[tuple[str, bool, Any]])
    except (ValueError, msgspec.MsgspecError):
        values = []
    if [(name, descending) for name, descending, _ in values] != columns:
        raise InvalidInput(
            f"cursor {cursor[:40]!r} is not of this query; leave it out to start at the first page",
            field="cursor",
            value=cursor,
            expected="next_cursor of the same query",
        )
    types = {item.name: item.type for item in msgspec.structs.fields(record)}
    return [msgspec.convert(value, types[name]) for name, _, value in values]


def _matches(row: Record, where: dict[str, object]) -> bool:
    return all(_holds(getattr(row, name), value) for name, value in where.items())


def _holds(found: Any, wanted: object) -> bool:
    if isinstance(wanted, OfTenant):
        return wanted.holds(found)
    return found in wanted if isinstance(wanted, tuple) else bool(found == wanted)


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def _comes_after(row: Record, after: list[Any], columns: Columns) -> bool:
    for (name, descending), last in zip(columns, after, strict=True):
        mine, theirs = _sortable(getattr(row, name)), _sortable(last)
        if mine != theirs:
            return (mine < theirs) if descending else (mine > theirs)
    return False
