from pathlib import Path

import pytest

from bestex.app.settings import load
from bestex.app.state_lock import StateLock
from bestex.domain.errors import Conflict, InvalidInput


def test_every_wrong_setting_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESTEX_SPEED", "-1")
    with pytest.raises(InvalidInput) as refusal:
        load(port=99_999, host="0.0.0.0", target="everything")
    assert {item.field for item in refusal.value.errors} == {"speed", "port", "host", "target"}
    assert "BESTEX_SPEED" in refusal.value.message


def test_an_option_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESTEX_PORT", "9000")
    assert load().port == 9000
    assert load(port=9001).port == 9001


def test_a_second_desk_on_one_state_directory_is_told_who_holds_it(tmp_path: Path) -> None:
    lock = StateLock(tmp_path)
    lock.say("http://127.0.0.1:8080")
    with pytest.raises(Conflict, match=r"is in use by process \d+ at http://127.0.0.1:8080"):
        StateLock(tmp_path)
    lock.release()
    StateLock(tmp_path).release()
