"""The client form made as text in C++ says what its Python twin says on values, whatever is in the JSON."""

import json
import random
from decimal import Decimal
from typing import Any

import pytest

from bestex.domain.time import NS_PER_SECOND
from bestex.messages.codec import client_json, client_view, decode, json_bytes, wire, wire_json
from bestex.native.client_json import with_iso_times
from tests.unit.messages import samples

SEED = 20_261_121
VALUES = 2_000

NAMES = (
    "at_ns",
    "end_time_ns",
    "ack_latency_ns",
    "latency_ns",
    "_ns",
    "ns",
    "price",
    'odd"_ns',
    "back\\_ns",
    "ü_ns",
    "a",
)
TEXTS = ("", "x_ns", '"at_ns":5', '\\"at_ns":5,', 'at_ns\\":1', "null", "漢字_ns", "\n\t", '{"at_ns":1}')
DAY_NS = 86_400 * NS_PER_SECOND


def some_time(draw: random.Random) -> int:
    return draw.choice(
        (
            draw.randrange(-(2**63), 2**63),
            draw.randrange(2**61),
            draw.randrange(-200_000, 200_000),
            draw.randrange(-100_000, 100_000) * DAY_NS + draw.choice((-1, 0, 1, 999, 1_000)),
            1_764_000_000 * NS_PER_SECOND + draw.randrange(10**9) * draw.choice((1, 1_000)),
            2**63 - 1,
            -(2**63),
            2**63,
        )
    )


def some_value(draw: random.Random, depth: int = 0) -> Any:
    kind = draw.randrange(9 if depth < 4 else 6)
    match kind:
        case 0:
            return some_time(draw)
        case 1:
            return draw.choice((None, True, False))
        case 2:
            return draw.choice((0.5, -1e-7, 1e22, 3.0))
        case 3:
            return Decimal(draw.randrange(10**12)).scaleb(-4)
        case 4 | 5:
            return draw.choice(TEXTS)
        case 6:
            return [some_value(draw, depth + 1) for _ in range(draw.randrange(4))]
        case _:
            return {draw.choice(NAMES): some_value(draw, depth + 1) for _ in range(draw.randrange(6))}


def read(text: bytes) -> Any:
    return json.loads(text, parse_float=str)


def differences(made: Any) -> int:
    print(f"seed {SEED}")
    draw = random.Random(SEED)
    return sum(
        read(made(value)) != read(json_bytes(client_view(value))) for value in (some_value(draw) for _ in range(VALUES))
    )


def test_text_and_values_say_the_same() -> None:
    assert differences(client_json) == 0


@pytest.mark.parametrize("wrong", [b"at_ns", b"end_time_ns"], ids=bytes.decode)
def test_a_name_that_is_overlooked_is_caught(wrong: bytes) -> None:
    def forgetful(value: Any) -> bytes:
        hidden = json_bytes(value).replace(b'"' + wrong + b'":', b'"hidden":')
        return with_iso_times(hidden).replace(b'"hidden":', b'"' + wrong + b'":')

    assert differences(forgetful) > 0


@pytest.mark.parametrize("stored", sorted(samples.FOLDER.glob("*.json")), ids=lambda item: item.stem)
def test_every_message_reads_the_same_both_ways(stored: Any) -> None:
    message = decode(stored.read_bytes())
    assert read(wire_json(message)) == read(json_bytes(wire(message)))
    assert b'_ns":' not in wire_json(message).replace(b"latency_ns", b"")


def test_what_a_client_named_like_a_time_stays_when_it_is_none() -> None:
    value = {"hold_ns": "long", "wait_ns": [1], "at_ns": 1.5, "far_ns": 2**63, "then_ns": {"at_ns": 0}}
    seen = {
        "hold_ns": "long",
        "wait_ns": [1],
        "at_ns": 1.5,
        "far_ns": 2**63,
        "then_ns": {"at": "1970-01-01T00:00:00.000000Z"},
    }
    assert client_view(value) == seen
    assert json.loads(client_json(value)) == seen
