"""Messages to bytes and back, and the view that clients see.

Stored form: `encode` / `decode`, JSON with exact decimals and nanoseconds as integers. Client form: `wire`, where every
`*_ns` time is an ISO-8601 text under the name without `_ns`, as the contract wants. `client_json` and `wire_json` make
its text without making the view: in the core, from the stored form.
"""

from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from bestex.domain.errors import InvalidInput
from bestex.domain.time import to_iso
from bestex.messages import execution, monitoring, orders, quality, reference, routing, strategy
from bestex.messages.envelope import Message, Payload
from bestex.native.client_json import with_iso_times

_MODULES = (orders, strategy, execution, monitoring, quality, routing, reference)

PAYLOADS: dict[str, type[Payload]] = {
    item.message_type: item
    for module in _MODULES
    for item in vars(module).values()
    if isinstance(item, type) and issubclass(item, Payload) and item is not Payload
}

_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")


class _Head(msgspec.Struct):
    event_type: str


_HEAD = msgspec.json.Decoder(_Head)


@cache
def _decoder(event_type: str) -> msgspec.json.Decoder[Message[Payload]]:
    try:
        payload = PAYLOADS[event_type]
    except KeyError:
        raise InvalidInput(f"event_type {event_type!r} is not known", field="event_type", value=event_type) from None
    return msgspec.json.Decoder(Message[payload])  # type: ignore[valid-type]


def encode(message: Message[Any]) -> bytes:
    """The stored form. Same message, same bytes."""
    return _ENCODER.encode(message)


def decode(data: bytes | str) -> Message[Any]:
    """The message of a stored form.

    Raises:
        InvalidInput: if the type is unknown or the body does not fit it.
    """
    try:
        return _decoder(_HEAD.decode(data).event_type).decode(data)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"message cannot be decoded: {error}", field="message") from error


def client_view(value: object) -> Any:
    """Builtins for JSON, with every `*_ns` time (not `*_latency_ns`) as ISO-8601 text under the name without `_ns`."""
    return _with_iso_times(msgspec.to_builtins(value, builtin_types=(Decimal,)))


def client_json(value: object) -> bytes:
    """JSON of `client_view(value)`, its names in the order of the fields, without building the view."""
    return with_iso_times(_ENCODER.encode(value))


def wire(message: Message[Any]) -> dict[str, Any]:
    """The client form of a message: the envelope with the payload under the type's own name."""
    return {
        **_envelope(message),
        message.event_type: client_view(message.payload),
    }


def wire_json(message: Message[Any]) -> bytes:
    """JSON of `wire(message)`."""
    return client_json({**_envelope(message), message.event_type: message.payload})


def _envelope(message: Message[Any]) -> dict[str, Any]:
    return {
        "event_id": message.event_id,
        "event_type": message.event_type,
        "schema_version": message.schema_version,
        "timestamp": to_iso(message.time_ns),
        "source_service": message.source_service,
        "order_id": message.order_id,
        "sequence": message.sequence,
        "causation_id": message.causation_id,
        "correlation_id": message.correlation_id,
    }


def json_bytes(value: object) -> bytes:
    """JSON of builtins and Decimals, the decimals as numbers."""
    return _ENCODER.encode(value)


def _may_be_time(value: object) -> bool:
    # What a client named *_ns itself, as a parameter of its own, may be anything.
    return value is None or (type(value) is int and -(2**63) <= value < 2**63)


def _with_iso_times(value: Any) -> Any:
    # Containers are told apart before the call: most values are leaves, and this runs for every frame and answer.
    if type(value) is dict:
        out: dict[Any, Any] = {}
        for key, item in value.items():
            kind = type(item)
            if type(key) is str and key[-3:] == "_ns" and key[-10:] != "latency_ns" and _may_be_time(item):
                out[key[:-3]] = None if item is None else to_iso(item)
            elif kind is dict or kind is list or kind is tuple:
                out[key] = _with_iso_times(item)
            else:
                out[key] = item
        return out
    if type(value) is list or type(value) is tuple:
        return [_with_iso_times(item) for item in value]
    return value
