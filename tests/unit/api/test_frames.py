"""Frames of the WebSockets: one text for all who listen, and what it says."""

import json
from typing import Any

import msgspec
import pytest

from bestex.api import frames
from bestex.api.frames import Frames
from bestex.messages.codec import PAYLOADS, json_bytes, wire
from bestex.messages.envelope import Message
from tests.unit.messages import samples


def message() -> Message[Any]:
    return samples.message(PAYLOADS["execution_monitoring"])


def test_a_frame_is_the_client_form_with_its_position() -> None:
    seen = json.loads(Frames().of_desk(7, message()))
    assert seen == {"position": 7, "message": json.loads(json_bytes(wire(message())))}


def test_many_listeners_share_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def counted(told: Message[Any]) -> bytes:
        made.append(told.event_id)
        return b"{}"

    monkeypatch.setattr(frames, "wire_json", counted)
    shared = Frames()
    for _ in range(50):
        shared.of_order(message())
        shared.of_desk(1, message())
    assert len(made) == 1


def test_only_the_latest_texts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_RECENT_MAX", 3)
    kept = Frames()
    for number in range(10):
        kept.of_order(msgspec.structs.replace(message(), event_id=f"e{number}"))
    assert len(kept._recent) == 3
