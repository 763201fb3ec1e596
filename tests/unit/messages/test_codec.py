import json
from decimal import Decimal
from pathlib import Path

import pytest

from bestex.domain.errors import InvalidInput
from bestex.messages.codec import PAYLOADS, decode, encode, wire
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
