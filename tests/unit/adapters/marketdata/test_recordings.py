from pathlib import Path
from typing import Any

import pytest

from bestex.adapters.marketdata.recordings import Recording, open_recording, read_recording
from bestex.adapters.marketdata.source import Layout
from bestex.adapters.marketdata.tapes import recorded_tape
from bestex.domain.errors import InvalidInput

INSTRUMENT = """
instrument_id = "{name}"
tick_size = "{tick}"
lot_size = "1"
currency = "USD"
asset_class = "{asset_class}"
calendar = "{calendar}"
"""
FUTURE = {"name": "ES", "tick": "0.25", "asset_class": "FUTURE", "calendar": "CME"}
FUND = {"name": "SPY", "tick": "0.01", "asset_class": "EQUITY", "calendar": "XNYS"}


@pytest.mark.parametrize(
    ("path", "instrument", "options", "level", "traded_lots"),
    [
        ("lobster/AAPL_2012-06-21_34200000_37800000_message_50.csv.gz", None, {}, 3, None),
        ("lobster/AMZN_2012-06-21_34200000_44553633_message_1.csv.gz", None, {}, 2, None),
        ("us_taq_2018/XXX_trades_2018-01-02.parquet", None, {}, 2, None),
        ("lean/equity/usa/tick/ibm/20131008_trade.zip", None, {}, 2, None),
        ("lean/equity/usa/minute/ibm/20131008_trade.zip", None, {}, 2, None),
        ("futures/databento/esh4-glbx-mdp3-20231225.mbo.dbn.zst", FUTURE, {}, 3, 9_848),
        ("futures/databento/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst", FUTURE, {}, 2, None),
        ("bars_1min_yahoo", FUND, {"symbol": "SPY"}, 2, None),
    ],
)
def test_every_recorded_format_becomes_a_tape_that_trades_what_its_rows_traded(
    real_data: Path,
    tmp_path: Path,
    path: str,
    instrument: dict[str, str] | None,
    options: dict[str, Any],
    level: int,
    traded_lots: int | None,
) -> None:
    if instrument is not None:
        options = {**options, "instrument": tmp_path / "instrument.toml"}
        options["instrument"].write_text(INSTRUMENT.format(**instrument))
    recording = Recording(path=real_data / path, **options)
    data = read_recording(open_recording(recording))
    metadata = recorded_tape(recording, tmp_path / "cache").tape.metadata
    assert metadata.level == level == (3 if data.layout is Layout.L3 else 2)
    assert metadata.source_rows == data.report.rows_written
    names = ("FILL", "HIDDEN") if level == 3 else ("TRADE", "HIDDEN")
    assert metadata.fills + metadata.hidden_fills + metadata.prints == sum(data.report.kinds.get(n, 0) for n in names)
    assert metadata.crosses == data.report.kinds.get("CROSS", 0)
    if traded_lots is not None:
        assert metadata.traded_lots == traded_lots


def test_a_mapping_needs_an_instrument_file(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text("")
    with pytest.raises(InvalidInput) as caught:
        open_recording(Recording(path=tmp_path / "trades.csv", mapping=mapping))
    assert caught.value.field == "instrument"


def test_every_file_and_option_that_the_rows_depend_on_is_named(tmp_path: Path) -> None:
    messages = tmp_path / "TEST_2012-06-21_34200000_57600000_message_10.csv"
    book = tmp_path / "TEST_2012-06-21_34200000_57600000_orderbook_10.csv"
    other = tmp_path / "opening.csv"
    for path in (messages, book, other):
        path.write_text("34200.5,1,77,20,999900,1\n")
    assert open_recording(Recording(path=messages, book=other)).files() == (messages, book, other)
    assert open_recording(Recording(path=tmp_path)).files() == (messages, book)
