"""Values as clients and selections give them: checked, or refused with the field, the value and what would be right."""

import math
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from bestex.domain.errors import InvalidOrder
from bestex.domain.instruments import Instrument
from bestex.domain.orders import Algorithm, ExecutionStyle, Side


def number(parameters: Mapping[str, object], name: str, low: float, high: float) -> float | None:
    value = parameters.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not math.isfinite(value):
        raise InvalidOrder(f"{name} {value!r} is not a number", field=name, value=value, expected="a number")
    if not low <= value <= high:
        raise InvalidOrder(
            f"{name} {value} is out of range", field=name, value=value, expected=f"from {low:g} to {high:g}"
        )
    return float(value)


def whole(parameters: Mapping[str, object], name: str, low: int, high: int) -> int | None:
    value = number(parameters, name, low, high)
    if value is not None and value != int(value):
        raise InvalidOrder(f"{name} {value} is not whole", field=name, value=value, expected="a whole number")
    return None if value is None else int(value)


def flag(parameters: Mapping[str, object], name: str) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        raise InvalidOrder(f"{name} {value!r} is not a yes or no", field=name, value=value, expected="true or false")
    return value


def share(value: float, name: str) -> float:
    if not 0 <= value <= 1:
        raise InvalidOrder(f"{name} {value} is not a share", field=name, value=value, expected="from 0 to 1")
    return float(value)


def named_algorithm(name: str) -> Algorithm:
    try:
        return Algorithm(name)
    except ValueError:
        known = ", ".join(Algorithm)
        raise InvalidOrder(
            f"algorithm {name!r} is not known", field="algorithm", value=name, expected=f"one of {known}"
        ) from None


def named_style(name: object) -> ExecutionStyle:
    try:
        return ExecutionStyle(str(name))
    except ValueError:
        known = ", ".join(ExecutionStyle)
        raise InvalidOrder(
            f"execution_style {name!r} is not known", field="execution_style", value=name, expected=f"one of {known}"
        ) from None


def on_grid(price: Decimal | None, instrument: Instrument, side: Side) -> Decimal | None:
    """An estimated limit on the tick grid, rounded to the stricter side."""
    if price is None:
        return None
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    return (price / instrument.tick_size).to_integral_value(rounding) * instrument.tick_size
