"""Times as the exchange's clock shows them, with the zone named."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bestex.adapters.marketdata.calendars import ALIASES, ALWAYS_OPEN
from bestex.domain.time import NS_PER_SECOND


class ExchangeClock:
    """Wall-clock texts of one zone.

    Args:
        zone: an IANA name, e.g. "America/New_York".
    """

    def __init__(self, zone: str) -> None:
        self.zone: Final = zone
        self._zone = ZoneInfo(zone)

    @classmethod
    def of_calendar(cls, calendar: str) -> "ExchangeClock":
        """The clock of a calendar that exchange_calendars knows; UTC for 24/7.

        Raises:
            KeyError: if nobody knows the calendar; the market could not have had sessions then.
        """
        if calendar == ALWAYS_OPEN:
            return cls("UTC")
        from exchange_calendars.calendar_utils import get_calendar

        return cls(str(get_calendar(ALIASES.get(calendar, calendar), start="2020-01-01", end="2020-12-31").tz))

    def moment(self, time_ns: int) -> datetime:
        """To the microsecond."""
        seconds, rest = divmod(time_ns, NS_PER_SECOND)
        return datetime.fromtimestamp(seconds, UTC).astimezone(self._zone) + timedelta(microseconds=rest // 1000)

    def clock(self, time_ns: int, *, milliseconds: bool = False) -> str:
        """HH:MM:SS, with milliseconds cut off or shown."""
        moment = self.moment(time_ns)
        text = moment.strftime("%H:%M:%S")
        return f"{text}.{moment.microsecond // 1000:03d}" if milliseconds else text

    def day(self, time_ns: int) -> str:
        return self.moment(time_ns).strftime("%Y-%m-%d")

    def name(self, time_ns: int) -> str:
        """The zone and its offset on that day: "America/New_York (UTC−05:00)".

        With a true minus, at which no line breaks.
        """
        offset = self.moment(time_ns).strftime("%z")
        sign = "−" if offset.startswith("-") else "+"
        return f"{self.zone} (UTC{sign}{offset[1:3]}:{offset[3:]})" if self.zone != "UTC" else "UTC"

    def offset_seconds(self, time_ns: int) -> int:
        offset = self.moment(time_ns).utcoffset()
        assert offset is not None, f"{self.zone} gives no offset"
        return int(offset.total_seconds())
