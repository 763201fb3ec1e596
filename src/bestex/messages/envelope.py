"""The envelope around everything that services say to each other.

On the wire the payload stands under the message type's own name, as in the seeds' example:
`{"event_id": ..., "event_type": "trade_executed", ..., "trade_executed": {...}}`.
"""

from typing import ClassVar, Generic, TypeVar

import msgspec


class Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Base of every payload. `message_type` is its name on the wire; fields are only ever added, with defaults."""

    message_type: ClassVar[str]
    schema_version: ClassVar[int] = 1


P = TypeVar("P", bound=Payload, covariant=True)


class Message(msgspec.Struct, Generic[P], frozen=True, kw_only=True):
    """A fact (past tense) or a request (imperative) on one ordered stream.

    `order_id` is the ordering key: a parent order's id, `venue:<id>` or `desk`.
    `sequence` is gap-free from 1 per (order_id, source_service).
    `time_ns` is UTC nanoseconds; the wire says `timestamp` in ISO-8601.
    """

    event_id: str
    event_type: str
    schema_version: int
    time_ns: int
    source_service: str
    order_id: str
    sequence: int
    causation_id: str | None  # event_id of the message that caused this one; None at the edge
    correlation_id: str  # the same for everything that follows from one request
    payload: P
