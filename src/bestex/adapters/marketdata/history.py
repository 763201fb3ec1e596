"""Volume curves from recorded volumes (one minute, fifteen minutes, any bin): CSV or Parquet, many days in one file.

Only continuous trading is counted: the session's close is not part of it, so a closing auction printed at the close is
left out. Days that are shorter or longer than most are left out of the curve: their shape is another one.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bestex.adapters.marketdata.calendars import sessions_between
from bestex.adapters.marketdata.files import checked_columns, floats, of_symbol, read_table, refuse_where
from bestex.adapters.marketdata.times import TimeColumn, times_ns
from bestex.domain.errors import InvalidData, InvalidInput, NotFound
from bestex.domain.time import NS_PER_SECOND
from bestex.quant.volume_curves import SessionVolumeCurve, mean_of_daily_shares

CLOCK: Final = "date_and_clock"


@dataclass(frozen=True, kw_only=True)
class VolumeColumns:
    """Names of the columns of a volumes file."""

    time: TimeColumn  # start of the bin
    clock: str | None = None  # a second column with HH:MM, where `time` names the date
    volume: str = "volume"
    symbol: str | None = "symbol"


ONE_MINUTE_NEW_YORK: Final = VolumeColumns(time=TimeColumn(column="ts_et", zone="America/New_York"))
DATE_AND_BIN_NEW_YORK: Final = VolumeColumns(time=TimeColumn(column="date", zone="America/New_York"), clock="bin_start")


@dataclass(frozen=True, kw_only=True)
class DailyVolumes:
    """Volumes of one instrument by session and bin."""

    opens_ns: NDArray[np.int64]  # (days,) UTC, rising
    closes_ns: NDArray[np.int64]  # (days,)
    volumes: NDArray[np.float64]  # (days, bins) units; 0 where nothing was recorded
    bin_seconds: int
    outside: float  # units recorded outside the sessions kept
    other_lengths: int  # sessions left out because they are shorter or longer than most

    def before(self, time_ns: int, days: int) -> NDArray[np.float64]:
        """(days or fewer, bins) volumes of the last sessions that closed by the time: nothing from the future.

        Raises:
            InvalidInput: if days is below 1.
        """
        if days < 1:
            raise InvalidInput(f"days is {days}", field="days", value=days, expected="at least 1")
        known = self.volumes[self.closes_ns <= time_ns]
        return known[-days:]


def read_volumes(
    path: Path, columns: VolumeColumns, *, calendar: str, bin_seconds: int, symbol: str | None = None
) -> DailyVolumes:
    """Volumes by session and bin; finer bins of the file are added up.

    Raises:
        InvalidData: for a file that is missing, malformed or out of order, or a session that is no whole number of
            bins; names file, row and cell.
        InvalidInput: for an unknown calendar or a bin below one second.
    """
    if bin_seconds < 1:
        raise InvalidInput(
            f"bin_seconds is {bin_seconds}", field="bin_seconds", value=bin_seconds, expected="at least 1"
        )
    frame = read_table(path, None)
    checked_columns(path, frame, [columns.time.column, columns.clock, columns.volume, columns.symbol])
    frame = of_symbol(path, frame, columns.symbol, symbol)
    times = _times(path, frame, columns)
    volumes = floats(path, frame, columns.volume)
    refuse_where(path, frame, volumes < 0, columns.volume, "not negative")
    sessions = sessions_between(calendar, int(times[0]), int(times[-1]))
    lengths = Counter((sessions[:, 1] - sessions[:, 0]).tolist())
    if not lengths:
        raise InvalidData(
            f"{path.name} has no time in a session of {calendar}", field=columns.time.column, value=path.name,
            expected=f"times in sessions of {calendar}",
        )  # fmt: skip
    usual = lengths.most_common(1)[0][0]
    bin_ns = bin_seconds * NS_PER_SECOND
    if usual % bin_ns:
        raise InvalidData(
            f"a session of {usual // NS_PER_SECOND} s is no whole number of bins of {bin_seconds} s",
            field="bin_seconds",
            value=bin_seconds,
            expected=f"a divisor of {usual // NS_PER_SECOND}",
        )
    kept = sessions[sessions[:, 1] - sessions[:, 0] == usual]
    day = np.searchsorted(kept[:, 0], times, side="right") - 1
    inside = (day >= 0) & (times < kept[np.maximum(day, 0), 1])
    table = np.zeros((len(kept), usual // bin_ns))
    slot = (times[inside] - kept[day[inside], 0]) // bin_ns
    np.add.at(table, (day[inside], slot), volumes[inside])
    return DailyVolumes(
        opens_ns=kept[:, 0],
        closes_ns=kept[:, 1],
        volumes=table,
        bin_seconds=bin_seconds,
        outside=float(volumes[~inside].sum()),
        other_lengths=len(sessions) - len(kept),
    )


def columns_of(path: Path) -> VolumeColumns:
    """Which of the known layouts the file has.

    Raises:
        InvalidData: if it has none of them.
    """
    names = set(read_table(path, None).columns)
    for known in (ONE_MINUTE_NEW_YORK, DATE_AND_BIN_NEW_YORK):
        needed = {known.time.column, known.volume} | ({known.clock} if known.clock else set())
        if needed <= names:
            return known if known.symbol in names else replace(known, symbol=None)
    raise InvalidData(
        f"{path.name} is no volumes file: its columns are {', '.join(sorted(names))}",
        field=path.name,
        expected="ts_et and volume, or date, bin_start and volume",
    )


def curve_before(daily: DailyVolumes, session: tuple[int, int], *, days: int) -> SessionVolumeCurve:
    """The curve for a session from the last `days` sessions that closed before it opened.

    Raises:
        NotFound: if no session with volume closed before it.
    """
    known = daily.before(session[0], days)
    if not (known.sum(axis=1) > 0).any():
        opened = datetime.fromtimestamp(session[0] // NS_PER_SECOND, UTC).date()
        raise NotFound(
            f"there is no recorded volume before {opened}", field="session", value=opened, expected="an earlier day"
        )
    return SessionVolumeCurve(mean_of_daily_shares(known), *session)


def _times(path: Path, frame: pl.DataFrame, columns: VolumeColumns) -> NDArray[np.int64]:
    if columns.clock is None:
        return times_ns(path, frame, columns.time)
    joined = frame.with_columns(
        pl.concat_str(
            pl.col(columns.time.column).cast(pl.String),
            pl.lit("T"),
            pl.col(columns.clock).cast(pl.String),
            pl.lit(":00"),
        ).alias(CLOCK)
    )
    return times_ns(path, joined, TimeColumn(column=CLOCK, zone=columns.time.zone))
