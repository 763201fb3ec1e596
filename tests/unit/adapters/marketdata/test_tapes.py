from pathlib import Path

import pytest

from bestex.adapters.marketdata.recordings import Recording
from bestex.adapters.marketdata.tapes import default_cache, recorded_tape
from bestex.domain.errors import InvalidData, InvalidInput

MESSAGES = "34200.5,1,77,20,999900,1\n34201.0,1,78,10,1000100,-1\n34202.0,4,78,10,1000100,-1\n"
INSTRUMENT = """
instrument_id = "MINE"
tick_size = "0.01"
lot_size = "1"
currency = "USD"
asset_class = "EQUITY"
calendar = "24/7"
"""


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    path = tmp_path / "TEST_2012-06-21_34200000_57600000_message_10.csv"
    path.write_text(MESSAGES)
    return path


def test_a_tape_is_built_once_and_opened_again_with_its_report(messages: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    done: list[tuple[int, int]] = []
    first = recorded_tape(Recording(path=messages), cache, progress=lambda rows, total: done.append((rows, total)))
    assert done[-1] == (3, 3)
    again = recorded_tape(Recording(path=messages), cache, progress=lambda rows, total: done.append((-1, total)))
    assert (first.is_from_cache, again.is_from_cache) == (False, True)
    assert done[-1] == (3, 3)
    assert again.report == first.report
    assert again.tape.metadata == first.tape.metadata
    assert again.tape.metadata.instrument_id == again.listing.instrument.instrument_id == "TEST"
    assert (again.tape.metadata.adds, again.tape.metadata.fills) == (2, 1)
    assert {path.suffix for path in cache.iterdir()} == {".tape", ".json"}


def test_repairs_survive_in_the_kept_report(messages: Path, tmp_path: Path) -> None:
    messages.write_text(MESSAGES + "34203,3,33,5,999900,1\n")
    first = recorded_tape(Recording(path=messages), tmp_path / "cache")
    again = recorded_tape(Recording(path=messages), tmp_path / "cache")
    assert again.is_from_cache
    assert again.report.repairs == first.report.repairs
    assert again.report.repaired == {"older order": 1}


def test_a_changed_file_builds_anew(messages: Path, tmp_path: Path) -> None:
    recorded_tape(Recording(path=messages), tmp_path / "cache")
    messages.write_text(MESSAGES.replace(",20,", ",30,"))
    assert not recorded_tape(Recording(path=messages), tmp_path / "cache").is_from_cache


def test_another_instrument_builds_anew(messages: Path, tmp_path: Path) -> None:
    recorded_tape(Recording(path=messages), tmp_path / "cache")
    instrument = tmp_path / "instrument.toml"
    instrument.write_text(INSTRUMENT)
    found = recorded_tape(Recording(path=messages, instrument=instrument), tmp_path / "cache")
    assert not found.is_from_cache
    assert found.tape.metadata.instrument_id == "MINE"


@pytest.mark.parametrize("suffix", [".tape", ".json"])
def test_a_damaged_copy_is_built_again(messages: Path, tmp_path: Path, suffix: str) -> None:
    cache = tmp_path / "cache"
    recorded_tape(Recording(path=messages), cache)
    (kept,) = cache.glob(f"*{suffix}")
    kept.write_bytes(kept.read_bytes()[:-7])
    assert not recorded_tape(Recording(path=messages), cache).is_from_cache
    assert recorded_tape(Recording(path=messages), cache).is_from_cache


def test_data_that_cannot_be_read_leave_nothing_behind(messages: Path, tmp_path: Path) -> None:
    messages.write_text(MESSAGES + "34100,1,99,10,1000000,1\n")
    with pytest.raises(InvalidData):
        recorded_tape(Recording(path=messages), tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*"))


def test_bars_without_an_instrument_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("time,open,high,low,close,volume\n2018-01-02T14:30:00Z,1,1,1,1,4\n")
    with pytest.raises(InvalidInput) as caught:
        recorded_tape(Recording(path=path), tmp_path / "cache")
    assert caught.value.field == "instrument"
    instrument = tmp_path / "instrument.toml"
    instrument.write_text(INSTRUMENT)
    found = recorded_tape(Recording(path=path, instrument=instrument), tmp_path / "cache")
    assert found.report.caveats[0].startswith("BARS ARE NOT A MARKET")
    assert found.tape.metadata.prints == 4


def test_a_tape_is_not_a_recording(messages: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    recorded_tape(Recording(path=messages), cache)
    (tape,) = cache.glob("*.tape")
    with pytest.raises(InvalidInput, match="is a tape already"):
        recorded_tape(Recording(path=tape), cache)


def test_tapes_are_kept_where_the_desktop_says_caches_go() -> None:
    home = Path("/home/someone")
    assert default_cache({"XDG_CACHE_HOME": "/fast"}, home) == Path("/fast/bestex/tapes")
    assert default_cache({}, home) == home / ".cache/bestex/tapes"
    assert default_cache({"XDG_CACHE_HOME": "relative"}, home) == home / ".cache/bestex/tapes"


def test_the_tape_of_the_apple_hour_shows_the_published_level_1(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "lobster/AAPL_2012-06-21_34200000_37800000_message_50.csv.gz"
    found = recorded_tape(Recording(path=path), tmp_path)
    metadata = found.tape.metadata
    assert (metadata.adds, metadata.cancels, metadata.fills, metadata.hidden_fills) == (44_336, 41_474, 4_067, 2_201)
    assert metadata.crossed_quotes == metadata.locked_quotes == 0
    states = found.tape.quotes(0, 2**62, limit=1_000_000, every_row=True)
    assert len(states) >= 23_440
    assert found.report.facts["level-1 states equal to the published ones"] == 23_440
