"""Typed ids. They sort by creation and are never parsed for meaning, but for the tenant of an order (`tenants.py`)."""

import hashlib
import re
from typing import NewType
from uuid import UUID

from bestex.domain.errors import InvalidInput
from bestex.domain.tenants import MARK, checked_tenant

ParentOrderId = NewType("ParentOrderId", str)
ChildOrderId = NewType("ChildOrderId", str)
ExecutionId = NewType("ExecutionId", str)
InstrumentId = NewType("InstrumentId", str)
VenueId = NewType("VenueId", str)
EventId = NewType("EventId", str)

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,99}")


def checked_id(text: str, *, field: str) -> str:
    """The text itself, if it can be an id.

    Raises:
        InvalidInput: if it is empty, longer than 100, or has other characters than letters, digits and _ . : -
    """
    if not _ID.fullmatch(text):
        raise InvalidInput(
            f"{field} {text[:120]!r} cannot be an id; use 1 to 100 letters, digits, '_', '.', ':' or '-'",
            field=field,
            value=text[:120],
            expected="1 to 100 letters, digits, '_', '.', ':' or '-', first a letter or digit",
        )
    return text


def checked_order_id(text: str, *, field: str) -> str:
    """The text itself, if it can be the id of a parent order: an id, with its tenant before it where it has one.

    Raises:
        InvalidInput: as `checked_id`; 100 characters are the most with the tenant as well.
    """
    tenant, mark, own = text.partition(MARK)
    if not mark:
        return checked_id(text, field=field)
    checked_tenant(tenant)
    checked_id(own, field=field)
    if len(text) > 100:
        raise InvalidInput(
            f"{field} {text[:120]!r} is longer than 100 with its tenant",
            field=field,
            value=text[:120],
            expected=f"at most {100 - len(tenant) - 1} characters for tenant {tenant}",
        )
    return text


def time_ordered_uuid(time_ns: int, *content: object) -> str:
    """A UUIDv7 whose 74 free bits are a digest of `content`: same inputs, same id (RFC 9562, 5.7)."""
    digest = hashlib.sha256("\x1f".join(map(str, content)).encode()).digest()
    free = int.from_bytes(digest[:10], "big")
    bits = (time_ns // 1_000_000 & (1 << 48) - 1) << 80 | 0x7 << 76 | (free >> 62 & 0xFFF) << 64
    return str(UUID(int=bits | 0b10 << 62 | free & (1 << 62) - 1))


def child_order_id(parent_order_id: ParentOrderId, slice_number: int, attempt: int) -> ChildOrderId:
    """The same slice and attempt of a parent order always has the same child id, so a venue can refuse a repeat."""
    return ChildOrderId(f"{parent_order_id}-{slice_number:04d}-{attempt:03d}")
