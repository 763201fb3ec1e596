"""The TOML file that says what an instrument is: to a replay, where its market data do not, and to a desk.

instrument_id = "ESH4"
tick_size = "0.25"          # quoted: exact decimals
lot_size = "1"
multiplier = "50"           # currency per price point and unit; 1 where left out
currency = "USD"
asset_class = "FUTURE"
calendar = "CME"            # a name of exchange_calendars, or 24/7

[[venues]]                  # optional
venue_id = "GLBX"
taker_fee = "1.38"          # per unit traded; negative is a rebate
maker_fee = "1.38"
"""

import tomllib
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from bestex.domain.errors import InvalidInput
from bestex.domain.ids import InstrumentId, VenueId
from bestex.domain.instruments import Instrument
from bestex.domain.venues import Venue, VenueType

POSITIVE: Final = ("tick_size", "lot_size", "multiplier", "average_daily_volume")
REQUIRED: Final = ("instrument_id", "tick_size", "lot_size", "currency", "asset_class", "calendar")


@dataclass(frozen=True, kw_only=True)
class InstrumentFile:
    """One instrument and the venues it trades on."""

    instrument: Instrument
    venues: tuple[Venue, ...]
    named_only: frozenset[VenueId] = frozenset()  # venues of which the file gives nothing but the id


def read_instrument(path: Path) -> InstrumentFile:
    """An instrument file.

    Raises:
        InvalidInput: if it is not TOML, or a field is missing, unknown or wrong; all problems are in `errors`.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(
            f"{path.name} cannot be read as TOML: {error}", field=path.name, value=str(error), expected="TOML"
        ) from error
    errors: list[InvalidInput] = []
    venue_tables = table.pop("venues", [])
    if not isinstance(venue_tables, list) or not all(isinstance(one, dict) for one in venue_tables):
        errors.append(_wrong("venues", venue_tables, "tables [[venues]]"))
        venue_tables = []
    made = _fields(Instrument, table, "", errors)
    made.setdefault("name", made.get("instrument_id"))
    errors.extend(_missing(name) for name in REQUIRED if name not in table)
    venues = []
    for number, venue_table in enumerate(venue_tables, start=1):
        where = f"venues.{number}."
        found = _fields(Venue, venue_table, where, errors)
        if "venue_id" not in venue_table:
            errors.append(_missing(f"{where}venue_id"))
        venues.append(found)
    if errors:
        raise InvalidInput(
            f"{path.name}: {errors[0].message}" + (f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""),
            field=errors[0].field,
            value=errors[0].value,
            expected=errors[0].expected,
            errors=errors,
        )
    made_venues = tuple(
        Venue(**{"name": one["venue_id"], "venue_type": VenueType.PRIMARY_EXCHANGE, **one}) for one in venues
    )
    made["instrument_id"] = InstrumentId(made["instrument_id"])
    instrument = Instrument(**{**made, "venues": tuple(venue.venue_id for venue in made_venues)})
    named_only = frozenset(one["venue_id"] for one in venues if one.keys() == {"venue_id"})
    return InstrumentFile(instrument=instrument, venues=made_venues, named_only=named_only)


def _fields(kind: type[Any], table: dict[str, Any], where: str, errors: list[InvalidInput]) -> dict[str, Any]:
    known = {one.name: one.type for one in fields(kind) if one.name not in ("venues", "is_generated")}
    made: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            errors.append(
                InvalidInput(
                    f"{where}{name} is unknown", field=f"{where}{name}", value=value, expected=", ".join(known)
                )
            )
            continue
        try:
            made[name] = _value(known[name], name, value)
        except ValueError as error:
            errors.append(_wrong(f"{where}{name}", value, str(error)))
    return made


def _value(kind: Any, name: str, value: Any) -> Any:
    """The value as the field's type. Raises ValueError with what would be right."""
    if kind in (Decimal, Decimal | None):
        return _decimal(name, value)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if value not in set(kind):
            raise ValueError(f"one of {', '.join(kind)}")
        return kind(value)
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError("true or false")
        return value
    if kind in (int, float, float | None):
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        if not is_number or not Decimal(value).is_finite() or value < 0:
            raise ValueError("a number, not negative")
        return int(value) if kind is int else float(value)
    if not isinstance(value, str) or not value:
        raise ValueError("a text")
    return VenueId(value) if name == "venue_id" else value


def _decimal(name: str, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("a decimal number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError("a decimal number") from None
    if not number.is_finite() or (name in POSITIVE and number <= 0):
        raise ValueError("a positive number" if name in POSITIVE else "a finite number")
    return number


def _missing(name: str) -> InvalidInput:
    return InvalidInput(f"{name} is missing", field=name, expected="a value")


def _wrong(field: str, value: object, expected: str) -> InvalidInput:
    return InvalidInput(f"{field} is {value!r}, expected {expected}", field=field, value=value, expected=expected)
