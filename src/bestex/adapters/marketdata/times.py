"""Times of a source, however they are written, as UTC nanoseconds."""

from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bestex.adapters.marketdata.files import ROW, bad_cell, floats, integers, refuse_backward
from bestex.domain.errors import InvalidInput
from bestex.domain.time import NS_PER_SECOND

NS_IN: Final = {"s": NS_PER_SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}
ISO_FORMS: Final = tuple(f"%Y-%m-%d{between}%H:%M:%S%.f{zone}" for zone in ("%#z", "") for between in ("T", " "))


@dataclass(frozen=True, kw_only=True)
class TimeColumn:
    """How one column says when."""

    column: str
    unit: str = "datetime"  # "datetime" (a Parquet time or ISO text), or a number of "s", "ms", "us", "ns"
    zone: str = "UTC"  # of times that do not name theirs, and of the midnight below
    since_midnight_of: date | None = None  # numbers count from this day's midnight; None: from 1970-01-01 UTC

    def __post_init__(self) -> None:
        if self.unit != "datetime" and self.unit not in NS_IN:
            raise InvalidInput(
                f"time unit {self.unit!r} is unknown", field="unit", value=self.unit, expected="datetime, s, ms, us, ns"
            )
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise InvalidInput(
                f"time zone {self.zone!r} is unknown", field="zone", value=self.zone, expected="e.g. America/New_York"
            ) from error


def times_ns(path: Path, frame: pl.DataFrame, when: TimeColumn) -> NDArray[np.int64]:
    """The column as UTC nanoseconds, in the file's order, which must not go back.

    Raises:
        InvalidData: naming the first row whose time cannot be read or is before the row above.
    """
    if when.unit == "datetime":
        found = _datetimes(path, frame, when)
    else:
        numbers = _whole_ns(path, frame, when)
        found = numbers + (0 if when.since_midnight_of is None else _midnight_ns(when.since_midnight_of, when.zone))
    refuse_backward(path, frame, found, when.column)
    return found


def _whole_ns(path: Path, frame: pl.DataFrame, when: TimeColumn) -> NDArray[np.int64]:
    column = frame[when.column]
    has_fractions = column.dtype.is_float() or (
        column.dtype == pl.String and column.str.contains(".", literal=True).any()
    )
    if not has_fractions:
        return integers(path, frame, when.column) * NS_IN[when.unit]
    whole = floats(path, frame, when.column)
    seconds = np.floor(whole)
    # Split first: seconds since 1970 with nine decimals do not fit a double.
    fraction = np.rint((whole - seconds) * NS_IN[when.unit]).astype(np.int64)
    return seconds.astype(np.int64) * NS_IN[when.unit] + fraction


def _datetimes(path: Path, frame: pl.DataFrame, when: TimeColumn) -> NDArray[np.int64]:
    column = frame[when.column]
    parsed: pl.Series = column
    if column.dtype == pl.String:
        parsed = _parse_text(column)
    if not isinstance(parsed.dtype, pl.Datetime):
        bad_cell(path, frame[ROW][0], when.column, column[0], "a time, e.g. 2026-11-20T14:30:00Z")
    if parsed.null_count():
        index = int(parsed.is_null().arg_max() or 0)
        bad_cell(path, frame[ROW][index], when.column, column[index], "a time, e.g. 2026-11-20T14:30:00Z")
    if parsed.dtype.time_zone is None:
        parsed = parsed.dt.replace_time_zone(when.zone, ambiguous="earliest", non_existent="null")
        if parsed.null_count():
            index = int(parsed.is_null().arg_max() or 0)
            bad_cell(path, frame[ROW][index], when.column, column[index], f"a time that exists in {when.zone}")
    found: NDArray[np.int64] = parsed.dt.cast_time_unit("ns").to_physical().to_numpy()
    return found


def _parse_text(column: pl.Series) -> pl.Series:
    """By whichever of the ISO forms reads most of the column; null where it does not."""
    text = column.str.strip_chars()
    best: pl.Series | None = None
    for pattern in ISO_FORMS:
        parsed = text.str.to_datetime(pattern, time_unit="ns", strict=False)
        if parsed.null_count() == 0:
            return parsed
        if best is None or parsed.null_count() < best.null_count():
            best = parsed
    assert best is not None
    return best


def _midnight_ns(day: date, zone: str) -> int:
    # The offset that holds at noon: clocks change before markets open.
    noon = datetime.combine(day, time(12), ZoneInfo(zone))
    return (int(noon.timestamp()) - 12 * 3600) * NS_PER_SECOND
