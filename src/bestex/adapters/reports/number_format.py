"""Figures as text: the same precision down a column, costs with their sign, nothing ever shown as minus zero."""

from decimal import Decimal
from typing import Final

_ACRONYMS: Final = frozenset({"VWAP", "TWAP", "RPM", "PWP"})

Number = Decimal | float | int


def fixed(value: Number, digits: int) -> str:
    """With thousands separators and exactly `digits` decimals."""
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if not any(figure in "123456789" for figure in text) else text


def signed(value: Number, digits: int) -> str:
    """As `fixed`, with a plus before what is above zero."""
    text = fixed(value, digits)
    return text if text.startswith("-") or not any(figure in "123456789" for figure in text) else "+" + text


def bps(value: Number) -> str:
    return signed(value, 2)


def percent(fraction: Number, digits: int = 1) -> str:
    """A fraction of 0..1 in per cent, without the sign of per cent."""
    return fixed(fraction * 100, digits)


def quantity(value: Decimal) -> str:
    """All decimals it has, no trailing zeros."""
    return f"{trimmed(value):,f}"


def price(value: Decimal, digits: int | None = None) -> str:
    """All decimals it has, or exactly `digits`."""
    return f"{value:,f}" if digits is None else fixed(value, digits)


def decimals_of(step: Decimal) -> int:
    """How many decimals a grid needs: 2 for a tick of 0.01, 0 for a lot of 100."""
    return max(0, -int(step.normalize().as_tuple().exponent))


def in_words(name: str) -> str:
    """VWAP_SLIPPAGE as "VWAP slippage", IMPLEMENTATION_SHORTFALL as "Implementation shortfall"."""
    first, *rest = name.split("_")
    return " ".join([first if first in _ACRONYMS else first.capitalize(), *map(_lower, rest)])


def _lower(word: str) -> str:
    return word if word in _ACRONYMS else word.lower()


def trimmed(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def duration(nanoseconds: int) -> str:
    """The two largest of hours, minutes and seconds; milliseconds below a second."""
    if nanoseconds < 1_000_000_000:
        return f"{nanoseconds / 1e6:.3g} ms"
    seconds = nanoseconds / 1e9
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
