from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bestex.adapters.marketdata.calendars import session_at_or_after
from bestex.adapters.marketdata.history import (
    DATE_AND_BIN_NEW_YORK,
    ONE_MINUTE_NEW_YORK,
    DailyVolumes,
    curve_before,
    read_volumes,
)
from bestex.domain.errors import InvalidData, NotFound
from bestex.domain.time import NS_PER_MINUTE, from_iso

HOUR = 3600


def read(folder: Path, lines: list[str], **changes: Any) -> DailyVolumes:
    path = folder / "volumes.csv"
    path.write_text("\n".join(["ts_et,symbol,volume", *lines]) + "\n")
    settings: dict[str, Any] = {
        "columns": ONE_MINUTE_NEW_YORK,
        "calendar": "XNYS",
        "bin_seconds": 390 * 30,
        **changes,
    }
    columns = settings.pop("columns")
    return read_volumes(path, columns, **settings)


def session(day: str) -> tuple[int, int]:
    found = session_at_or_after("XNYS", from_iso(f"{day}T00:00:00Z"))
    assert found is not None
    return found


DAYS = [
    "2018-01-02 09:29:00,X,1000",  # before the open
    "2018-01-02 09:30:00,X,30",
    "2018-01-02 12:44:00,X,10",
    "2018-01-02 12:45:00,X,60",
    "2018-01-02 16:00:00,X,500",  # the closing auction
    "2018-01-03 10:00:00,X,10",
    "2018-01-03 15:59:00,X,90",
]


def test_minutes_are_added_up_into_bins_of_the_session(tmp_path: Path) -> None:
    daily = read(tmp_path, DAYS)
    assert daily.volumes.tolist() == [[40, 60], [10, 90]]
    assert daily.outside == 1500


def test_a_curve_is_the_mean_of_the_days_shares_before_the_session_and_no_later_day(tmp_path: Path) -> None:
    daily = read(tmp_path, DAYS)
    opened, closed = session("2018-01-03")
    first = curve_before(daily, (opened, closed), days=20)
    middle = opened + 195 * NS_PER_MINUTE
    assert first.share(opened, middle) == pytest.approx(0.40)
    assert first.name == "mean shares of 1 days"
    after = curve_before(daily, session("2018-01-04"), days=20)
    opened, closed = session("2018-01-04")
    # (0.40 + 0.10) / 2: winsorising two days pulls both in by as much.
    assert after.share(opened, opened + 195 * NS_PER_MINUTE) == pytest.approx(0.25)
    assert after.share(opened, closed) == pytest.approx(1.0)
    assert after.share(closed, closed + NS_PER_MINUTE) == 0.0


def test_there_is_no_curve_before_the_first_day(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        curve_before(read(tmp_path, DAYS), session("2018-01-02"), days=20)


def test_a_half_day_is_left_out_of_the_curve(tmp_path: Path) -> None:
    lines = [
        "2019-12-23 10:00:00,X,10",
        "2019-12-24 10:00:00,X,999",
        "2019-12-26 10:00:00,X,10",
    ]
    daily = read(tmp_path, lines)
    assert daily.other_lengths == 1
    assert daily.volumes.sum() == 20
    assert daily.outside == 999


def test_a_date_and_a_clock_in_two_columns_are_one_time(tmp_path: Path) -> None:
    path = tmp_path / "volumes.csv"
    path.write_text("symbol,date,bin_start,volume\nX,2018-01-02,09:30,40\nX,2018-01-02,12:45,60\n")
    daily = read_volumes(path, DATE_AND_BIN_NEW_YORK, calendar="XNYS", bin_seconds=390 * 30)
    assert daily.volumes.tolist() == [[40, 60]]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("2018-01-04 10:00:00,X,-1", "volumes.csv:9:volume"),
        ("2018-01-04 10:00:00,X,many", "volumes.csv:9:volume"),
        ("2018-01-03 09:00:00,X,1", "volumes.csv:9:ts_et"),
    ],
)
def test_a_bad_volume_is_refused_by_row_and_column(tmp_path: Path, line: str, field: str) -> None:
    with pytest.raises(InvalidData) as caught:
        read(tmp_path, [*DAYS, line])
    assert caught.value.field == field


def test_bins_that_do_not_divide_the_session_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="no whole number of bins"):
        read(tmp_path, DAYS, bin_seconds=7 * HOUR)


def test_parquet_minutes_are_read_like_csv(tmp_path: Path) -> None:
    path = tmp_path / "volumes.parquet"
    frame = pl.DataFrame({"ts_et": ["2018-01-02T09:30:00"], "symbol": ["X"], "volume": [7]})
    frame.with_columns(pl.col("ts_et").str.to_datetime()).write_parquet(path)
    daily = read_volumes(path, ONE_MINUTE_NEW_YORK, calendar="XNYS", bin_seconds=1800)
    assert daily.volumes.shape == (1, 13)
    assert daily.volumes[0, 0] == 7


def test_the_apple_curve_is_a_smile_of_the_published_shape(real_data: Path) -> None:
    path = real_data / "intraday_volume_15min/AAPL.csv.gz"
    daily = read_volumes(path, DATE_AND_BIN_NEW_YORK, calendar="XNYS", bin_seconds=900)
    assert daily.volumes.shape == (124, 26)
    shares_of_day = daily.volumes / daily.volumes.sum(axis=1, keepdims=True)
    curve = curve_before(daily, session("2019-07-01"), days=124)
    opened, _ = session("2019-07-01")
    shares = [curve.share(opened + k * 15 * NS_PER_MINUTE, opened + (k + 1) * 15 * NS_PER_MINUTE) for k in range(26)]
    assert sum(shares) == pytest.approx(1)
    assert shares == pytest.approx(shares_of_day.mean(axis=0).tolist(), abs=0.002)  # winsorised, hence not equal
    assert daily.volumes.sum() == 11_028_437_711
    first, midday, last = (daily.volumes.sum(axis=0) / daily.volumes.sum())[[0, 14, 25]]
    assert (round(first, 3), round(midday, 3), round(last, 3)) == (0.121, 0.022, 0.082)


def test_the_closing_auction_of_a_minute_file_is_not_in_the_curve(real_data: Path) -> None:
    path = real_data / "us_minute_2019_2021/volume_1min_BSY.parquet"
    daily = read_volumes(path, ONE_MINUTE_NEW_YORK, calendar="XNYS", bin_seconds=60)
    recorded = pl.read_parquet(path)["volume"].sum()
    assert daily.volumes.sum() + daily.outside == recorded
    assert daily.outside / recorded > 0.2
    assert np.isfinite(daily.volumes).all()
