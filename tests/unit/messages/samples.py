"""Makes one example of every message, filled from its types. `python tests/unit/messages/samples.py` stores new ones.

A stored sample is never rewritten: it is what a journal of that version holds.
"""

import dataclasses
import enum
import types
import typing
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from bestex.domain.ids import time_ordered_uuid
from bestex.messages.codec import PAYLOADS, encode
from bestex.messages.envelope import Message, Payload

FOLDER = Path(__file__).parent / "samples"


def example(kind: Any) -> Any:
    """A value of the type, the same at each call."""
    origin = typing.get_origin(kind)
    if hasattr(kind, "__supertype__"):
        return example(kind.__supertype__)
    if origin in (typing.Union, types.UnionType):
        return example(next(item for item in typing.get_args(kind) if item is not type(None)))
    if origin is tuple:
        inner = typing.get_args(kind)
        return (example(inner[0]),) if inner[-1] is Ellipsis else tuple(example(item) for item in inner)
    if origin is dict:
        return {"key": example(typing.get_args(kind)[1])}
    if kind is Any:
        return 0.15
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind(**{item.name: example(item.type) for item in msgspec.structs.fields(kind)})
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{item.name: example(hints[item.name]) for item in dataclasses.fields(kind)})  # type: ignore[operator]
    return {str: "text", int: 7, float: 0.25, bool: True, Decimal: Decimal("187.345")}[kind]


def message(payload: type[Payload]) -> Message[Any]:
    return Message(
        event_id=time_ordered_uuid(1_750_500_000_000_000_000, payload.message_type),
        event_type=payload.message_type,
        schema_version=payload.schema_version,
        time_ns=1_750_500_000_000_000_000,
        source_service="strategy",
        order_id="order_20250621_001",
        sequence=1,
        causation_id=None,
        correlation_id="c",
        payload=example(payload),
    )


def path(payload: type[Payload]) -> Path:
    return FOLDER / f"{payload.message_type}.v{payload.schema_version}.json"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for item in PAYLOADS.values():
        if not path(item).exists():
            path(item).write_bytes(encode(message(item)) + b"\n")
            print("stored", path(item).name)
