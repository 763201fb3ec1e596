from datetime import date
from pathlib import Path

import databento_dbn as dbn
import polars as pl
import pytest

from bestex.adapters.marketdata.detect import Format, detect
from bestex.domain.errors import InvalidData

DAY = "AAPL_2012-06-21_34200000_37800000"


def touch(folder: Path, *names: str, text: str = "x\n") -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return paths


def test_lobster_messages_find_the_book_with_a_row_for_each(tmp_path: Path) -> None:
    path, book, _ = touch(tmp_path, f"{DAY}_message_10.csv", f"{DAY}_orderbook_10.csv", f"{DAY}_orderbook_1.csv")
    found = detect(path)
    assert (found.format, found.symbol, found.day) == (Format.LOBSTER, "AAPL", date(2012, 6, 21))
    assert found.companions == {"book": book}
    assert not found.needs_instrument


def test_lobster_messages_without_such_a_book_open_with_the_deepest_and_check_level_1(tmp_path: Path) -> None:
    path, book, level1, *_ = touch(
        tmp_path,
        f"{DAY}_message_50.csv",
        "AAPL_2012-06-21_first_orderbook_10.csv",
        "AAPL_2012-06-21_34200000_57600000_orderbook_1.csv",
        "AMZN_2012-06-21_34200000_57600000_orderbook_50.csv",
        "AAPL_2012-06-22_34200000_57600000_orderbook_50.csv",
    )
    assert detect(path).companions == {"book": book, "level1": level1}


def test_a_databento_file_needs_an_instrument(tmp_path: Path) -> None:
    path = tmp_path / "anything.bin"
    metadata = dbn.Metadata(
        dataset="GLBX.MDP3",
        start=0,
        stype_in=dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=dbn.Schema("mbo"),
    )
    path.write_bytes(bytes(metadata))
    found = detect(path)
    assert (found.format, found.needs_instrument) == (Format.DBN, True)


def test_taq_trades_find_their_quotes(tmp_path: Path) -> None:
    path, quotes = tmp_path / "XXX_trades.parquet", tmp_path / "XXX_quotes.parquet"
    pl.DataFrame({"DT": [1], "PRICE": [1.0], "SIZE": [1]}).write_parquet(path)
    pl.DataFrame({"DT": [1], "BID": [1.0]}).write_parquet(quotes)
    found = detect(path)
    assert (found.format, found.companions) == (Format.TAQ, {"quotes": quotes})


def test_lean_zips_tell_ticks_from_minutes_by_their_folder(tmp_path: Path) -> None:
    tick, quotes, minute = touch(
        tmp_path,
        "equity/usa/tick/ibm/20131008_trade.zip",
        "equity/usa/tick/ibm/20131008_quote.zip",
        "equity/usa/minute/ibm/20131008_trade.zip",
    )
    found = detect(tick)
    assert (found.format, found.symbol, found.day) == (Format.LEAN_TICKS, "IBM", date(2013, 10, 8))
    assert found.companions == {"quotes": quotes}
    assert detect(minute).format is Format.LEAN_MINUTES


def test_bars_are_known_by_their_columns_in_any_case(tmp_path: Path) -> None:
    (path,) = touch(tmp_path, "bars.csv", text="Timestamp,Open,High,Low,Close,Volume\n1,1,1,1,1,1\n")
    found = detect(path)
    assert (found.format, found.time_column, found.needs_instrument) == (Format.BARS, "Timestamp", True)


def test_a_folder_with_one_recording_is_that_recording(tmp_path: Path) -> None:
    path, *_ = touch(tmp_path, f"{DAY}_message_10.csv", f"{DAY}_orderbook_10.csv", "README.txt")
    assert detect(tmp_path).path == path


def test_a_folder_with_two_recordings_asks_for_one_of_them(tmp_path: Path) -> None:
    touch(tmp_path, f"{DAY}_message_10.csv", f"{DAY}_message_5.csv")
    with pytest.raises(InvalidData, match="holds 2 recordings: AAPL.*name one of them"):
        detect(tmp_path)


@pytest.mark.parametrize("text", ["a,b,c\n1,2,3\n", "", "\x00\x01"])
def test_an_unknown_file_is_refused_with_what_was_tried(tmp_path: Path, text: str) -> None:
    (path,) = touch(tmp_path, "unknown.csv", text=text)
    with pytest.raises(InvalidData, match="tried a tape.*LOBSTER.*Databento.*LEAN.*TAQ.*bars") as caught:
        detect(path)
    assert caught.value.value == "unknown.csv"
    with pytest.raises(InvalidData, match="no file in"):
        detect(tmp_path)


def test_a_path_to_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="does not exist"):
        detect(tmp_path / "missing.csv")
