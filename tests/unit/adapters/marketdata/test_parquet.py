from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import polars as pl
import pytest

from bestex.adapters.marketdata.parquet import FILL_SCHEMA, ParquetHistory
from bestex.domain.errors import InvalidData, InvalidInput
from bestex.domain.market import Quote
from bestex.domain.time import from_iso
from bestex.messages.records import FillRow

FIRST, LAST = date(2026, 11, 19), date(2026, 11, 20)


def fill(execution_id: str = "E1", at: str = "2026-11-20T14:30:00Z", **changes: object) -> FillRow:
    made = FillRow(
        execution_id=execution_id,
        order_id="P1",
        child_order_id="C1",
        instrument_id="AAPL",
        side="BUY",
        venue="XNAS",
        quantity=Decimal(100),
        price=Decimal("100.015"),
        liquidity="REMOVED",
        fee=Decimal("-0.00290001"),
        bid=Decimal("100.01"),
        ask=None,
        venue_time_ns=from_iso(at),
        received_time_ns=from_iso(at) + 1,
    )
    return msgspec.structs.replace(made, **changes)


def test_fills_come_back_exactly_from_the_files_of_their_days(tmp_path: Path) -> None:
    history = ParquetHistory(tmp_path)
    early = fill("E0", "2026-11-19T23:59:59.999999999Z", instrument_id="MSFT")
    written = history.write_fills([fill(), early])
    assert [path.name for path in written] == ["2026-11-19.parquet", "2026-11-20.parquet"]
    assert history.fills(FIRST, LAST) == [early, fill()]
    assert history.fills(LAST, LAST) == [fill()]
    assert history.fills(FIRST, LAST, instrument_id="MSFT") == [early]


def test_decimals_are_scaled_integers_in_the_file(tmp_path: Path) -> None:
    (path,) = ParquetHistory(tmp_path).write_fills([fill()])
    frame = pl.read_parquet(path)
    assert frame.schema == FILL_SCHEMA
    assert frame["price_e8"].to_list() == [10_001_500_000]
    assert frame["fee_e8"].to_list() == [-290_001]


def test_writing_a_fill_again_changes_nothing(tmp_path: Path) -> None:
    history = ParquetHistory(tmp_path)
    history.write_fills([fill(), fill("E2", "2026-11-20T15:00:00Z")])
    (path,) = tmp_path.glob("fills/*.parquet")
    before = path.read_bytes()
    history.write_fills([fill()])
    assert path.read_bytes() == before
    assert len(history.fills(FIRST, LAST)) == 2


def test_no_day_means_no_fill(tmp_path: Path) -> None:
    assert ParquetHistory(tmp_path).fills(FIRST, LAST) == []


@pytest.mark.parametrize("price", [Decimal("0.123456789"), Decimal(10**12), Decimal("NaN")])
def test_a_number_that_does_not_fit_is_refused_and_nothing_is_written(tmp_path: Path, price: Decimal) -> None:
    with pytest.raises(InvalidInput) as caught:
        ParquetHistory(tmp_path).write_fills([fill(price=price)])
    assert caught.value.field == "price"
    assert not list(tmp_path.iterdir())


def test_quotes_of_a_day_are_replaced_whole(tmp_path: Path) -> None:
    history = ParquetHistory(tmp_path)
    first = Quote(
        time_ns=from_iso("2026-11-20T14:30:00Z"),
        bid=Decimal("100.01"),
        ask=None,
        bid_quantity=Decimal(300),
        ask_quantity=Decimal(0),
    )
    second = Quote(
        time_ns=first.time_ns + 1,
        bid=Decimal("100.01"),
        ask=Decimal("100.03"),
        bid_quantity=Decimal(300),
        ask_quantity=Decimal(100),
    )
    history.write_quotes("BRK/B", [first, second])
    assert history.quotes("BRK/B", FIRST, LAST) == [first, second]
    history.write_quotes("BRK/B", [second])
    assert history.quotes("BRK/B", FIRST, LAST) == [second]
    assert history.quotes("BRK", FIRST, LAST) == []
    with pytest.raises(InvalidInput, match="after one at"):
        history.write_quotes("BRK/B", [second, first])


def test_an_instrument_id_cannot_leave_the_folder(tmp_path: Path) -> None:
    quote = Quote(time_ns=0, bid=None, ask=None, bid_quantity=Decimal(0), ask_quantity=Decimal(0))
    (path,) = ParquetHistory(tmp_path / "history").write_quotes("../../escape", [quote])
    assert (tmp_path / "history").resolve() in path.resolve().parents


def test_a_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    history = ParquetHistory(tmp_path)
    (path,) = history.write_fills([fill()])
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InvalidData, match=r"2026-11-20\.parquet is truncated"):
        history.fills(FIRST, LAST)
