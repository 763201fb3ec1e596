from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bestex.adapters.marketdata.bars import BarColumns, BarsSource, IntrabarPath, read_bars
from bestex.adapters.marketdata.source import MarketData
from bestex.adapters.marketdata.times import TimeColumn
from bestex.domain.errors import InvalidData
from bestex.domain.time import NS_PER_SECOND
from bestex.native.rows import ASK, BID, L2Kind

HEADER = "time,open,high,low,close,volume"


def read(folder: Path, lines: list[str], **changes: Any) -> MarketData:
    path = folder / "bars.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    settings: dict[str, Any] = {
        "columns": BarColumns(time=TimeColumn(column="time")),
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal(1),
        "calendar": "XNYS",
        "bar_seconds": 60,
        **changes,
    }
    return read_bars(BarsSource(path=path, **settings))


def prints(data: MarketData) -> list[tuple[int, int, int, int]]:
    """Seconds after the first row, half ticks, lots, aggressor."""
    rows = data.rows[data.rows["kind"] == L2Kind.TRADE]
    start = int(data.rows["time_ns"][0])
    return [((row[0] - start) // NS_PER_SECOND, row[1], row[2], row[5]) for row in rows.tolist()]


BAR = "2018-01-02T14:30:00Z,100.00,100.05,99.98,100.01,10"


def test_the_path_goes_to_the_nearer_extreme_first_and_splits_the_volume_in_four(tmp_path: Path) -> None:
    # The low is 2 ticks from the open, the high 5: open, low, high, close. 10 lots: 2, 2, 2 and 4.
    assert prints(read(tmp_path, [BAR])) == [
        (0, 20000, 2, BID),
        (15, 19996, 2, ASK),
        (30, 20010, 2, BID),
        (45, 20002, 4, ASK),
    ]


def test_equally_near_extremes_take_the_high_first(tmp_path: Path) -> None:
    data = read(tmp_path, ["2018-01-02T14:30:00Z,100,100.03,99.97,100,4"])
    assert [price for _, price, _, _ in prints(data)] == [20000, 20006, 19994, 20000]


def test_every_print_stands_on_a_quote_with_the_stated_spread(tmp_path: Path) -> None:
    data = read(tmp_path, [BAR], assumed=IntrabarPath(spread_ticks=3, displayed_lots=7))
    shown: dict[int, dict[int, int]] = {BID: {}, ASK: {}}
    for row in data.rows.tolist():
        _, price, _, level, kind, side, _ = row
        if kind == L2Kind.DEPTH:
            shown[side][price] = level
            shown[side] = {at: lots for at, lots in shown[side].items() if lots}
            continue
        ((bid, bid_lots),) = shown[BID].items()
        ((ask, ask_lots),) = shown[ASK].items()
        assert (bid_lots, ask_lots) == (7, 7)
        assert ask - bid == 6
        assert price == (ask if side == BID else bid)
    assert "3 tick" in " ".join(data.report.caveats)


def test_the_report_says_loudly_that_bars_are_not_a_market(tmp_path: Path) -> None:
    assert any(caveat.startswith("BARS ARE NOT A MARKET") for caveat in read(tmp_path, [BAR]).report.caveats)


def test_a_bar_without_volume_gives_quotes_and_no_print(tmp_path: Path) -> None:
    data = read(tmp_path, [BAR.removesuffix("10") + "0"])
    assert "TRADE" not in data.report.kinds
    assert data.report.kinds["DEPTH"] > 0


def test_bars_outside_the_session_are_dropped_and_counted(tmp_path: Path) -> None:
    data = read(tmp_path, ["2018-01-02T14:29:00Z,1,1,1,1,4", BAR])
    assert data.report.dropped == {"bars outside the session": 1}
    assert len(prints(data)) == 4


def test_prices_off_the_grid_and_broken_lots_are_rounded_and_counted(tmp_path: Path) -> None:
    data = read(tmp_path, ["2018-01-02T14:30:00Z,100.004,100.05,99.98,100.01,10.7"])
    assert data.report.facts == {"bars": 1, "bar prices rounded to the tick": 1, "bar volumes rounded down to lots": 1}
    assert sum(lots for _, _, lots, _ in prints(data)) == 10


@pytest.mark.parametrize(
    ("bar", "column"),
    [
        ("2018-01-02T14:31:00Z,100,99.99,99.98,100,1", "high"),
        ("2018-01-02T14:31:00Z,100,100.01,100.01,100,1", "low"),
        ("2018-01-02T14:31:00Z,100,101,99,100,-1", "volume"),
        ("2018-01-02T14:31:00Z,-1,101,99,100,1", "open"),
        ("2018-01-02T14:31:00Z,100,101,99,nan,1", "close"),
        ("2018-01-02T14:30:30Z,100,101,99,100,1", "time"),
        ("14:31,100,101,99,100,1", "time"),
    ],
)
def test_a_bad_bar_is_refused_by_row_and_column(tmp_path: Path, bar: str, column: str) -> None:
    with pytest.raises(InvalidData) as caught:
        read(tmp_path, [BAR, bar])
    assert caught.value.field == f"bars.csv:3:{column}"


def test_a_missing_column_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="no column 'o'; it has time, open"):
        read(tmp_path, [BAR], columns=BarColumns(time=TimeColumn(column="time"), open="o"))


def test_a_month_of_futures_bars_keeps_its_volume(real_data: Path) -> None:
    source = BarsSource(
        path=real_data / "futures/6EH4.XCME_1min_bars_20240101_20240131.csv.gz",
        columns=BarColumns(time=TimeColumn(column="timestamp_utc")),
        tick_size=Decimal("0.00005"),
        lot_size=Decimal(1),
        calendar=None,
        bar_seconds=60,
    )
    data = read_bars(source)
    assert data.report.rows_read == 29_996
    assert int(data.rows["quantity"][data.rows["kind"] == L2Kind.TRADE].sum()) == 4_310_578
