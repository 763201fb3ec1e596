"""JSON as clients may send it: no duplicate keys, no NaN, bounded depth and digits, decimals exact from the text."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from bestex.domain.errors import InvalidInput

BODY_BYTES_MAX: Final = 64 * 1024
_DEPTH_MAX: Final = 16
_DIGITS_MAX: Final = 40
_EXPONENT_MAX: Final = 30


def parse(body: bytes) -> Any:
    """The value of a JSON text; numbers as int or exact Decimal.

    Raises:
        InvalidInput: saying what is wrong and where.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the body is not UTF-8: {error.reason} at byte {error.start}", field="body") from None
    if "\x00" in text or "\\u0000" in text:
        raise InvalidInput("the body has a NUL character", field="body", expected="text without NUL characters")
    if _depth(text) > _DEPTH_MAX:
        raise InvalidInput(
            f"the body is nested deeper than {_DEPTH_MAX}", field="body", expected=f"at most {_DEPTH_MAX}"
        )
    try:
        return json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=_no_constant, object_pairs_hook=_no_repeats
        )
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}", field="body"
        ) from None


def _depth(text: str) -> int:
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if len(text) > _DIGITS_MAX or not value.is_finite() or abs(value.adjusted()) > _EXPONENT_MAX:
        raise InvalidInput(
            f"number {text[:40]} has too many digits or too large an exponent",
            field="body",
            value=text[:40],
            expected=f"at most {_DIGITS_MAX} characters and an exponent within {_EXPONENT_MAX}",
        )
    return value


def _integer(text: str) -> int:
    if len(text) > _DIGITS_MAX:
        raise InvalidInput(
            f"number {text[:40]}... has too many digits", field="body", expected=f"at most {_DIGITS_MAX} digits"
        )
    return int(text)


def _no_constant(name: str) -> Any:
    raise InvalidInput(
        f"{name} is not a number a JSON body may hold", field="body", value=name, expected="a finite number"
    )


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise InvalidInput(f"key {key!r} stands twice in one object", field=key, expected="each key once")
        values[key] = value
    return values
