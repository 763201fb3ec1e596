"""Trading sessions by calendar name: half days, early closes, holidays. Names are those of exchange_calendars, or 24/7.

The library is loaded at the first question that needs it (a third of a second); a year once read is kept.
"""

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bestex.domain.errors import InvalidInput
from bestex.domain.time import NS_PER_SECOND

ALWAYS_OPEN: Final = "24/7"  # sessions are UTC days
NS_PER_DAY: Final = 86_400 * NS_PER_SECOND
ALIASES: Final = {"CME": "CMES", "NYSE": "XNYS", "NASDAQ": "XNAS"}


def session_at_or_after(calendar: str, time_ns: int) -> tuple[int, int] | None:
    """Open and close (UTC ns) of the session that holds the time, or of the next one; None if none in two years.

    Raises:
        InvalidInput: for a calendar nobody knows.
    """
    if calendar == ALWAYS_OPEN:
        opened = time_ns - time_ns % NS_PER_DAY
        return opened, opened + NS_PER_DAY
    year = _utc_date(time_ns).year
    for sessions in (_sessions(calendar, year), _sessions(calendar, year + 1)):
        index = int(np.searchsorted(sessions[:, 1], time_ns, side="right"))
        if index < len(sessions):
            return int(sessions[index, 0]), int(sessions[index, 1])
    return None


def sessions_between(calendar: str, start_ns: int, end_ns: int) -> NDArray[np.int64]:
    """(sessions, 2) open and close of every session that overlaps [start_ns, end_ns].

    Raises:
        InvalidInput: for a calendar nobody knows, or an end before the start.
    """
    if end_ns < start_ns:
        raise InvalidInput(
            f"end {end_ns} is before start {start_ns}", field="end_ns", value=end_ns, expected=f"at least {start_ns}"
        )
    if calendar == ALWAYS_OPEN:
        opens = np.arange(start_ns - start_ns % NS_PER_DAY, end_ns + 1, NS_PER_DAY, dtype=np.int64)
        return np.stack([opens, opens + NS_PER_DAY], axis=1)
    years = range(_utc_date(start_ns).year, _utc_date(end_ns).year + 1)
    # A session may begin on the evening before New Year.
    sessions = np.concatenate([_sessions(calendar, year) for year in (*years, years[-1] + 1)])
    return sessions[(sessions[:, 1] > start_ns) & (sessions[:, 0] <= end_ns)]


def in_session(calendar: str, times_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each time lies in a session, open included and close excluded."""
    if len(times_ns) == 0:
        return np.zeros(0, np.bool_)
    sessions = sessions_between(calendar, int(times_ns.min()), int(times_ns.max()))
    index = np.searchsorted(sessions[:, 0], times_ns, side="right") - 1
    inside: NDArray[np.bool_] = (
        (index >= 0) & (times_ns < sessions[np.maximum(index, 0), 1])
        if len(sessions)
        else (np.zeros(len(times_ns), np.bool_))
    )
    return inside


def _utc_date(time_ns: int) -> date:
    return datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC).date()


@lru_cache(maxsize=64)
def _sessions(calendar: str, year: int) -> NDArray[np.int64]:
    """(sessions, 2) open and close of the sessions that the calendar dates in the year, in order."""
    import exchange_calendars

    name = ALIASES.get(calendar, calendar)
    try:
        # The library wants more than one session around the range.
        found = exchange_calendars.get_calendar(name, start=f"{year}-01-01", end=f"{year}-12-31")
    except (exchange_calendars.errors.InvalidCalendarName, ValueError) as error:
        raise InvalidInput(
            f"calendar {calendar!r} cannot be used for {year}: {error}",
            field="calendar",
            value=calendar,
            expected="24/7 or a name that exchange_calendars knows, e.g. XNYS",
        ) from error
    opens, closes = found.schedule["open"], found.schedule["close"]
    return np.stack(
        [column.dt.tz_localize(None).to_numpy("datetime64[ns]").astype(np.int64) for column in (opens, closes)], axis=1
    )
