"""What an instrument or a venue must be before the desk knows it. Every problem is named at once, by its field."""

import re
from decimal import Decimal
from typing import Any, Final

from bestex.domain.errors import BestexError, InvalidInput
from bestex.domain.ids import checked_id
from bestex.domain.instruments import Instrument
from bestex.domain.time import NS_PER_SECOND
from bestex.domain.venues import Venue
from bestex.services.reference.desk_reference import DeskReference

_CURRENCY: Final = re.compile(r"[A-Z]{3,5}")
_GRID: Final = Decimal("0.00000001")  # columns keep eight decimals
_LARGEST: Final = Decimal(10**10)
_FEE_MAX: Final = Decimal(10**6)
_VENUES_MAX: Final = 100
_LATENCY_NS_MAX: Final = 60 * NS_PER_SECOND
_VOLATILITY_MAX: Final = 10.0


class _Problems:
    """Gathers what is wrong."""

    def __init__(self) -> None:
        self.errors: list[InvalidInput] = []

    def require(self, holds: bool, field: str, value: object, expected: str) -> None:
        if not holds:
            self.errors.append(
                InvalidInput(f"{field} {value} is not {expected}", field=field, value=value, expected=expected)
            )

    def note(self, error: BestexError, field: str) -> None:
        self.errors.append(InvalidInput(error.message, field=field, value=error.value, expected=error.expected))

    def check_id(self, text: str, field: str) -> None:
        try:
            checked_id(text, field=field)
        except InvalidInput as error:
            self.note(error, field)

    def check_name(self, text: str) -> None:
        self.require(
            1 <= len(text) <= 100 and text == text.strip(),
            "name",
            text[:120],
            "1 to 100 characters, no blanks at the ends",
        )

    def raise_all(self) -> None:
        if self.errors:
            raise InvalidInput("; ".join(error.message for error in self.errors), errors=self.errors)


def check_instrument(instrument: Instrument, known: DeskReference, now_ns: int) -> None:
    """Raises InvalidInput with one entry in `errors` per offending field."""
    problems = _Problems()
    problems.check_id(instrument.instrument_id, "instrument_id")
    problems.check_name(instrument.name)
    problems.require(
        _CURRENCY.fullmatch(instrument.currency) is not None,
        "currency",
        instrument.currency[:20],
        "3 to 5 capital letters",
    )
    for field in ("tick_size", "lot_size", "multiplier", "average_daily_volume"):
        value: Any = getattr(instrument, field)
        if value is not None:
            problems.require(_is_exact(value) and 0 < value <= _LARGEST, field, value, _amount("above 0", _LARGEST))
    volatility = instrument.daily_volatility
    problems.require(
        volatility is None or 0 <= volatility <= _VOLATILITY_MAX,
        "daily_volatility",
        volatility,
        f"a fraction in [0, {_VOLATILITY_MAX:g}]: 2 % is 0.02",
    )
    problems.require(
        not instrument.is_generated, "is_generated", instrument.is_generated, "false: nothing generates it"
    )
    try:
        known.calendar_session(instrument.calendar, now_ns)
    except InvalidInput as error:
        problems.note(error, "calendar")
    listed = {str(venue.venue_id) for venue in known.venues()}
    venues = instrument.venues
    problems.require(len(venues) <= _VENUES_MAX, "venues", len(venues), f"at most {_VENUES_MAX} venues")
    for number, venue in enumerate(venues[:_VENUES_MAX]):
        field = f"venues.{number}"
        problems.require(venue in listed, field, venue, "a known venue: " + ", ".join(sorted(listed)))
        problems.require(venue not in venues[:number], field, venue, "a venue named once")
    problems.raise_all()


def check_venue(venue: Venue) -> None:
    """Raises InvalidInput with one entry in `errors` per offending field."""
    problems = _Problems()
    problems.check_id(venue.venue_id, "venue_id")
    problems.check_name(venue.name)
    for field in ("maker_fee", "taker_fee"):
        fee: Decimal = getattr(venue, field)
        expected = _amount(f"from -{_FEE_MAX:f}", _FEE_MAX)
        problems.require(_is_exact(fee) and abs(fee) <= _FEE_MAX, field, fee, expected)
    problems.require(
        0 <= venue.order_latency_ns <= _LATENCY_NS_MAX,
        "order_latency_ns",
        venue.order_latency_ns,
        f"nanoseconds from 0 to {_LATENCY_NS_MAX}",
    )
    problems.require(not venue.is_generated, "is_generated", venue.is_generated, "false: nothing generates it")
    problems.raise_all()


def _is_exact(value: Decimal) -> bool:
    """Whether a column of eight decimals keeps it."""
    return value.is_finite() and abs(value) <= _LARGEST and value % _GRID == 0


def _amount(least: str, most: Decimal) -> str:
    return f"a number {least}, at most {most:f}, with at most eight decimals"
