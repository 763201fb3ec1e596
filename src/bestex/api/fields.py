"""Field types of request bodies. Nothing is coerced: a number is a JSON number, a time is ISO-8601 text."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, WithJsonSchema

from bestex.domain.errors import InvalidInput
from bestex.domain.ids import checked_id, checked_order_id
from bestex.domain.time import from_iso


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("a JSON number, not text, true or false")
    return Decimal(value)


def _positive(value: Any) -> Decimal:
    number = _number(value)
    if number <= 0:
        raise ValueError("a number above 0")
    return number


def _rate(value: Any) -> float:
    number = _number(value)
    if not 0 < number <= 1:
        raise ValueError("a rate in (0, 1]: 10 % is 0.10")
    return float(number)


def _share(value: Any) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise ValueError("a number in [0, 1]")
    return float(number)


def _float(value: Any) -> float:
    return float(_number(value))


def _time(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("an ISO-8601 time with its zone, e.g. 2026-11-20T14:30:00Z")
    try:
        return from_iso(value)
    except InvalidInput as error:
        raise ValueError(error.expected) from None


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a date, e.g. 2026-11-20") from None


def _id(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text")
    try:
        return checked_id(value, field="id")
    except InvalidInput as error:
        raise ValueError(error.expected) from None


def _order_id(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text")
    try:
        return checked_order_id(value, field="order_id")
    except InvalidInput as error:
        raise ValueError(error.expected) from None


Number = Annotated[Decimal, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
Positive = Annotated[Decimal, BeforeValidator(_positive), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
Rate = Annotated[float, BeforeValidator(_rate), WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1})]
Share = Annotated[float, BeforeValidator(_share), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
Float = Annotated[float, BeforeValidator(_float), WithJsonSchema({"type": "number"})]
Time = Annotated[int, BeforeValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})]
Id = Annotated[
    str,
    BeforeValidator(_id),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$"}),
]
OrderId = Annotated[
    str,
    BeforeValidator(_order_id),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 100,
            "pattern": "^([a-z0-9][a-z0-9-]{0,15}~)?[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$",
            "description": "An answer carries the tenant of the order before it, where there are several",
        }
    ),
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Minutes = Annotated[int, Strict(), Field(ge=1, le=24 * 60)]
Flag = Annotated[bool, Strict()]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^/\s]([^/]*[^/\s])?$")]
Text = Annotated[str, Field(max_length=400)]


class Body(BaseModel):
    """Base of every request body: an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def plain(value: Any) -> Any:
    """Free-form JSON with its decimals as float: estimates and settings, never money."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value
