from decimal import Decimal
from pathlib import Path

import pytest

from bestex.adapters.marketdata.instrument_file import read_instrument
from bestex.domain.errors import InvalidInput
from bestex.domain.instruments import AssetClass

GOOD = """
instrument_id = "ESH4"
tick_size = "0.25"
lot_size = 1
multiplier = 50
currency = "USD"
asset_class = "FUTURE"
calendar = "CME"
daily_volatility = 0.011

[[venues]]
venue_id = "GLBX"
taker_fee = 1.38
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "instrument.toml"
    path.write_text(text)
    return path


def test_an_instrument_file_gives_exact_decimals_and_venues(tmp_path: Path) -> None:
    found = read_instrument(write(tmp_path, GOOD))
    instrument = found.instrument
    assert (instrument.tick_size, instrument.multiplier) == (Decimal("0.25"), Decimal(50))
    assert (instrument.asset_class, instrument.name, instrument.daily_volatility) == (AssetClass.FUTURE, "ESH4", 0.011)
    assert instrument.venues == ("GLBX",)
    assert [venue.taker_fee for venue in found.venues] == [Decimal("1.38")]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('tick_size = "0.25"', 'tick_size = "0"', "tick_size"),
        ('tick_size = "0.25"', 'tick_size = "a quarter"', "tick_size"),
        ('tick_size = "0.25"', "", "tick_size"),
        ('currency = "USD"', "currency = 5", "currency"),
        ('asset_class = "FUTURE"', 'asset_class = "PAPER"', "asset_class"),
        ("multiplier = 50", "multiplicator = 50", "multiplicator"),
        ("multiplier = 50", "multiplier = true", "multiplier"),
        ("daily_volatility = 0.011", "daily_volatility = -1", "daily_volatility"),
        ('venue_id = "GLBX"', "", "venues.1.venue_id"),
        ("taker_fee = 1.38", 'fee = "1"', "venues.1.fee"),
    ],
)
def test_a_wrong_field_is_refused_by_name(tmp_path: Path, old: str, new: str, field: str) -> None:
    assert old in GOOD
    with pytest.raises(InvalidInput) as caught:
        read_instrument(write(tmp_path, GOOD.replace(old, new)))
    assert caught.value.field == field
    assert caught.value.expected


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"and 2 more") as caught:
        read_instrument(write(tmp_path, GOOD.replace('"0.25"', '"x"').replace('"USD"', "1").replace('"CME"', "2")))
    assert [error.field for error in caught.value.errors] == ["tick_size", "currency", "calendar"]


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read as TOML"):
        read_instrument(write(tmp_path, "tick_size 0.25"))
