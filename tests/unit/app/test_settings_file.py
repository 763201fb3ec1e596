"""One file of settings, the environment over it, options over both; every problem at once."""

from pathlib import Path

import pytest

from bestex.app.settings import load
from bestex.domain.errors import InvalidInput

FILE = """
target = "strategy"
shards = 8
[store]
url = "postgresql://desk:secret@127.0.0.1:5432/desk"
[bus]
url = "pulsar://127.0.0.1:6650"
admin_url = "http://127.0.0.1:8090"
"""


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORE_URL", "BUS_URL", "BUS_ADMIN_URL", "CONFIG", "SHARDS", "TARGET"):
        monkeypatch.delenv(f"BESTEX_{name}", raising=False)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bestex.toml"
    path.write_text(text)
    return path


def test_a_file_sets_what_options_and_environment_leave_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, FILE)
    settings = load(path, target="quality")
    assert (settings.target, settings.shards, settings.bus_url) == ("quality", 8, "pulsar://127.0.0.1:6650")
    monkeypatch.setenv("BESTEX_SHARDS", "2")
    assert load(path).shards == 2
    monkeypatch.setenv("BESTEX_CONFIG", str(path))
    assert load().target == "strategy"


def test_a_separate_target_names_every_address_it_misses() -> None:
    with pytest.raises(InvalidInput) as caught:
        load(target="market")
    for name in ("store_url", "bus_url", "bus_admin_url"):
        assert name in caught.value.message


def test_a_name_that_is_no_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no setting 'store_adress'"):
        load(write(tmp_path, '[store]\nadress = "x"\n'))


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        load(write(tmp_path, "target = strategy"))
    with pytest.raises(InvalidInput, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_a_password_is_in_no_message(tmp_path: Path) -> None:
    settings = load(write(tmp_path, FILE))
    assert "secret" not in repr(settings)
    with pytest.raises(InvalidInput) as caught:
        load(write(tmp_path, FILE.replace("shards = 8", "shards = 0")))
    assert "secret" not in caught.value.message
