"""UTC nanoseconds as `int`, and the ISO-8601 text people read.

Nothing here asks what time it is: services are given a `Clock` (see `bestex.ports`).
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from bestex.domain.errors import InvalidInput

NS_PER_MICROSECOND: Final = 1_000
NS_PER_MILLISECOND: Final = 1_000_000
NS_PER_SECOND: Final = 1_000_000_000
NS_PER_MINUTE: Final = 60 * NS_PER_SECOND


def to_iso(time_ns: int) -> str:
    """ISO-8601 UTC with a Z; microseconds, or nanoseconds when there are any."""
    seconds, fraction = divmod(time_ns, NS_PER_SECOND)
    head = _iso_second(seconds)
    return f"{head}.{fraction:09d}Z" if fraction % 1_000 else f"{head}.{fraction // 1_000:06d}Z"


@lru_cache(maxsize=4096)
def _iso_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def from_iso(text: str, *, field: str = "time") -> int:
    """Nanoseconds since the epoch of an ISO-8601 time that names its zone.

    Raises:
        InvalidInput: if it is not ISO-8601 or has no zone.
    """
    head, dot, tail = text.partition(".")
    digits = ""
    zone = ""
    if dot:
        digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
        zone = tail[len(digits) :]
    try:
        moment = datetime.fromisoformat(head + zone)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or len(digits) > 9 or (dot and not digits):
        raise InvalidInput(
            f"{field} {text!r} is not an ISO-8601 time with a zone; write it like 2026-11-20T14:30:00Z",
            field=field,
            value=text,
            expected="ISO-8601 with a zone, e.g. 2026-11-20T14:30:00Z",
        )
    return int(moment.timestamp()) * NS_PER_SECOND + int(digits.ljust(9, "0") or 0)
