import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from bestex.domain.errors import InvalidInput
from bestex.domain.time import to_iso
from bestex.messages.codec import PAYLOADS, client_view, decode, encode, json_bytes, wire
from bestex.messages.envelope import Payload
from tests.unit.messages import samples

PAYLOAD_TYPES = sorted(PAYLOADS.values(), key=lambda item: item.message_type)


@pytest.mark.parametrize("payload", PAYLOAD_TYPES, ids=lambda item: item.message_type)
def test_every_message_has_a_stored_sample_of_its_version(payload: type[Payload]) -> None:
    assert samples.path(payload).exists(), "run: python -m tests.unit.messages.samples"


@pytest.mark.parametrize("stored", sorted(samples.FOLDER.glob("*.json")), ids=lambda item: item.stem)
def test_a_stored_sample_still_decodes_and_loses_nothing(stored: Path) -> None:
    data = stored.read_bytes()
    again = json.loads(encode(decode(data)), parse_float=Decimal)
    before = json.loads(data, parse_float=Decimal)

    def kept(old: object, new: object) -> bool:
        if isinstance(old, dict):
            return isinstance(new, dict) and all(key in new and kept(value, new[key]) for key, value in old.items())
        if isinstance(old, list):
            return isinstance(new, list) and all(kept(*pair) for pair in zip(old, new, strict=True))
        return old == new

    assert kept(before, again)


def test_the_payload_stands_under_its_own_name_and_times_are_iso() -> None:
    view = wire(samples.message(PAYLOADS["trade_executed"]))
    assert view["timestamp"] == "2025-06-21T10:00:00.000000Z"
    timing = view["trade_executed"]["timing"]
    assert set(timing) == {"decision_time", "order_submission_time", "first_fill_time", "completion_time"}
    assert timing["decision_time"].endswith("Z")


def test_trade_executed_has_the_contract_s_fields() -> None:
    body = wire(samples.message(PAYLOADS["trade_executed"]))["trade_executed"]
    assert set(body) == {"execution", "execution_quality", "timing", "cost_breakdown"}
    assert {
        "order_id", "instrument_id", "side", "requested_quantity", "executed_quantity", "average_fill_price",
        "total_amount", "venues", "broker",
    } <= set(body["execution"])  # fmt: skip
    assert {
        "implementation_shortfall_bps", "market_impact_bps", "timing_cost_bps", "total_cost_bps",
        "execution_quality_score",
    } <= set(body["execution_quality"])  # fmt: skip
    assert {
        "commission", "fees", "spread", "market_impact", "timing", "opportunity", "total",
    } <= set(body["cost_breakdown"])  # fmt: skip


def test_an_unknown_type_is_refused_by_name() -> None:
    data = encode(samples.message(PAYLOADS["cancel_order"])).replace(b'"cancel_order"', b'"cancel_everything"', 1)
    with pytest.raises(InvalidInput, match="cancel_everything"):
        decode(data)


def test_a_body_that_does_not_fit_is_refused_with_its_place() -> None:
    data = encode(samples.message(PAYLOADS["cancel_order"])).replace(b'"actor":"text"', b'"actor":7')
    with pytest.raises(InvalidInput, match=r"payload\.actor"):
        decode(data)


def plain_client_view(value: object) -> object:
    """What a client sees, said the short way: the codec's own walk is written for speed."""
    if isinstance(value, dict):
        return {
            (key.removesuffix("_ns") if is_time(key) else key): (
                (None if item is None else to_iso(item)) if is_time(key) else plain_client_view(item)
            )
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [plain_client_view(item) for item in value]
    return value


def is_time(key: object) -> bool:
    return isinstance(key, str) and key.endswith("_ns") and not key.endswith("latency_ns")


@pytest.mark.parametrize("stored", sorted(samples.FOLDER.glob("*.json")), ids=lambda item: item.stem)
def test_the_client_form_is_the_stored_form_with_iso_times(stored: Path) -> None:
    payload = decode(stored.read_bytes()).payload
    expected = plain_client_view(msgspec.to_builtins(payload, builtin_types=(Decimal,)))
    seen = client_view(payload)
    assert seen == expected
    assert json_bytes(seen) == json_bytes(expected)
    assert "_ns" not in json_bytes(seen).decode().replace("latency_ns", "")


def test_a_client_sees_latencies_as_numbers_missing_times_as_none_and_lists_in_their_order() -> None:
    value = {
        "first_fill_time_ns": None,
        "ack_latency_ns": 1_500,
        "latency_ns": 3,
        "rows": ({"at_ns": 1_000}, [Decimal("1.50"), {"at_ns": 1}]),
        "name_ns": 0,
    }
    assert client_view(value) == {
        "first_fill_time": None,
        "ack_latency_ns": 1_500,
        "latency_ns": 3,
        "rows": [{"at": "1970-01-01T00:00:00.000001Z"}, [Decimal("1.50"), {"at": "1970-01-01T00:00:00.000000001Z"}]],
        "name": "1970-01-01T00:00:00.000000Z",
    }
