"""The AsyncAPI document of the bus: which topics there are, how records are keyed, and what they hold."""

from typing import Any

import bestex
from bestex.messages import streams
from bestex.messages.codec import PAYLOADS

_REQUEST_WORDS = (
    *("acknowledge", "adapt", "amend", "analyze", "assess", "cancel", "create", "delete", "kill", "modify", "pause"),
    *("plan", "rearm", "recommend", "resume", "route", "save", "set", "silence", "start"),
)
# Facts with the key `desk` or `venue:<id>`; a quality alert may be of an order or of the desk.
_OF_THE_DESK = frozenset(
    {
        "algorithm_enabled_changed",
        "algorithm_performance",
        "instrument_listed",
        "kill_switch_changed",
        "quality_alert",
        "venue_listed",
        "venue_performance",
    }
)


def is_request(message_type: str) -> bool:
    """Whether a message asks (imperative) rather than tells (past tense)."""
    return message_type.partition("_")[0] in _REQUEST_WORDS and not message_type.endswith("_changed")


def document() -> dict[str, Any]:
    """AsyncAPI 3.0. Payloads refer to the published schemas beside the document."""
    facts = [name for name in sorted(PAYLOADS) if not is_request(name)]
    of_the_desk = [name for name in facts if name in _OF_THE_DESK]
    of_orders = [name for name in facts if name not in _OF_THE_DESK or name == "quality_alert"]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "bestex bus",
            "version": bestex.__version__,
            "description": "What the services of a desk tell each other. Every topic has the same number of shards; a "
            "key's shard is CRC-32 of its UTF-8 bytes modulo that number. Records of one key arrive in the order of "
            "publication, at least once: know a repeat by `event_id`, or by `sequence` within key and source.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "orders": _channel(streams.ORDERS, "Facts about parent orders. Key: the order's id.", of_orders),
            "desk": _channel(
                streams.DESK, "Facts of no single order, in shard 0. Key: `desk` or `venue:<id>`.", of_the_desk
            ),
            "requests": {
                **_channel(
                    streams.requests_of("{service}"),
                    "Requests to a service, in the shard of their order. Key: the order's id, or `desk`.",
                    ["request"],
                ),
                "parameters": {"service": {"enum": ["algorithm", "monitoring", "quality", "strategy"]}},
            },
            "answers": _channel(
                streams.ANSWERS, "Answers, in the shard of the process that asked. Key: its name.", ["answer"]
            ),
            "operations": _channel(
                streams.OPERATIONS, "What operators did to the bus itself, in shard 0.", ["operation"]
            ),
        },
        "operations": {
            "hear_orders": {"action": "send", "channel": {"$ref": "#/channels/orders"}},
            "hear_desk": {"action": "send", "channel": {"$ref": "#/channels/desk"}},
            "hear_operations": {"action": "send", "channel": {"$ref": "#/channels/operations"}},
            "ask": {
                "action": "receive",
                "channel": {"$ref": "#/channels/requests"},
                "reply": {"channel": {"$ref": "#/channels/answers"}},
            },
        },
        "components": {
            "messages": {
                **{name: _fact(name) for name in facts},
                "request": _REQUEST,
                "answer": _ANSWER,
                "operation": _OPERATION,
            },
            "schemas": {"fact_headers": _FACT_HEADERS},
        },
    }


def _channel(address: str, description: str, messages: list[str]) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _fact(name: str) -> dict[str, Any]:
    version = PAYLOADS[name].schema_version
    return {
        "name": name,
        "headers": {"$ref": "#/components/schemas/fact_headers"},
        "payload": {"$ref": f"schemas/{name}.v{version}.json"},
        "correlationId": {"location": "$message.payload#/correlation_id"},
    }


_TEXT = {"type": "string"}

_FACT_HEADERS = {
    "type": "object",
    "description": "Texts, as all headers are: what a reader needs before it decodes anything.",
    "properties": {
        "event_type": _TEXT,
        "schema_version": _TEXT,
        "source": {**_TEXT, "description": "service that tells it"},
        "sequence": {**_TEXT, "description": "gap-free from 1 per key and source"},
        "lease": {**_TEXT, "description": "name of the lease under which it was written"},
        "epoch": {**_TEXT, "description": "its epoch: a reader ignores one below the highest it has seen"},
    },
    "required": ["event_type", "schema_version", "source", "sequence"],
}

_REQUEST = {
    "name": "request",
    "headers": {"type": "object", "properties": {"request": _TEXT}, "required": ["request"]},
    "payload": {
        "type": "object",
        "properties": {
            "request_id": _TEXT,
            "service": _TEXT,
            "order_id": {**_TEXT, "description": "ordering key"},
            "payload_type": {"enum": sorted(name for name in PAYLOADS if is_request(name))},
            "payload": {"description": "the request itself: `properties.payload` of the schema of its type"},
            "answer_to": {**_TEXT, "description": "process whose topic gets the answer"},
            "time_ns": {"type": ["integer", "null"]},
            "idempotency_key": {"type": ["string", "null"]},
            "request_digest": {"type": ["string", "null"]},
        },
        "required": ["request_id", "service", "order_id", "payload_type", "payload", "answer_to"],
    },
}

_ANSWER = {
    "name": "answer",
    "headers": {"type": "object", "properties": {"answer": _TEXT}, "required": ["answer"]},
    "payload": {
        "type": "object",
        "properties": {
            "request_id": _TEXT,
            "type": {"type": ["string", "null"], "description": "of the value; `[T]` for a list of T"},
            "value": {},
            "error": {"type": ["string", "null"], "description": "type of the error with which the service refused"},
            "problem": {"type": ["object", "null"]},
        },
        "required": ["request_id"],
    },
    "correlationId": {"location": "$message.payload#/request_id"},
}

_OPERATION = {
    "name": "operation",
    "headers": {"type": "object", "properties": {"action": _TEXT, "actor": _TEXT}, "required": ["action", "actor"]},
    "payload": {
        "type": "object",
        "properties": {
            "time_ns": {"type": "integer"},
            "action": {"enum": ["create", "delete", "pause", "remove", "resume", "retain", "seek"]},
            "actor": _TEXT,
            "topic": {"type": ["string", "null"]},
            "subscription": {"type": ["string", "null"]},
            "detail": {"type": ["string", "null"]},
        },
        "required": ["time_ns", "action", "actor"],
    },
}
