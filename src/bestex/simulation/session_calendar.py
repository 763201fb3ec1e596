"""When an exchange is open, looked up once and kept as sorted integers."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Self

from bestex.domain.errors import InvalidInput


@dataclass(frozen=True)
class Session:
    """One trading session; times in UTC nanoseconds, the close excluded."""

    date: date
    open_ns: int
    close_ns: int


class SessionCalendar:
    """The sessions of one exchange in order."""

    def __init__(self, sessions: tuple[Session, ...]) -> None:
        self._sessions = sessions
        self._opens = [session.open_ns for session in sessions]
        self._closes = [session.close_ns for session in sessions]

    @classmethod
    def named(cls, name: str) -> Self:
        """A calendar that `exchange_calendars` knows, e.g. XNYS: some 20 years back and one ahead.

        Raises:
            InvalidInput: if the name is unknown.
        """
        return cls(_sessions(name))

    def at_or_after(self, time_ns: int) -> Session | None:
        """The session that is open at the time, or the next one; None beyond the calendar."""
        index = bisect_right(self._closes, time_ns)
        return self._sessions[index] if index < len(self._sessions) else None

    def latest_opened(self, time_ns: int) -> Session | None:
        """The last session that opened at or before the time; None before the calendar."""
        index = bisect_right(self._opens, time_ns)
        return self._sessions[index - 1] if index else None


@cache
def _sessions(name: str) -> tuple[Session, ...]:
    # Imported here: it costs a third of a second, and few processes need it.
    import exchange_calendars

    try:
        calendar = exchange_calendars.get_calendar(name)
    except exchange_calendars.errors.InvalidCalendarName as error:
        raise InvalidInput(
            f"calendar {name!r} is not one that exchange_calendars knows, e.g. XNYS", field="calendar", value=name
        ) from error
    opens, closes = calendar.opens_nanos.tolist(), calendar.closes_nanos.tolist()
    return tuple(
        Session(day.date(), open_ns, close_ns)
        for day, open_ns, close_ns in zip(calendar.sessions, opens, closes, strict=True)
    )
