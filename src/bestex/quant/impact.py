"""What trading does to the price: published impact models, as fractions of the price. Positive is worse for us.

Source of the first two: Almgren, Thum, Hauptmann and Li (2005), "Direct estimation of equity market impact", Risk
18(7): I = gamma sigma (X / V) (Theta / V)^(1/4) and J = I / 2 + eta sigma |X / (V T)|^beta, on US equity orders of
Citigroup, December 2001 to June 2003. sigma is daily volatility (fraction), V daily volume, T the duration in days of
volume time, Theta the shares outstanding.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# The orders of the 2005 study were of about this size, as a fraction of average daily volume. Outside: extrapolated.
SIZE_MIN: Final = 0.0025
SIZE_MAX: Final = 0.25


@dataclass(frozen=True, kw_only=True)
class ImpactCoefficients:
    """Coefficients with their standard errors, all dimensionless."""

    permanent: float = 0.314  # gamma
    permanent_se: float = 0.041
    temporary: float = 0.142  # eta
    temporary_se: float = 0.0062
    temporary_exponent: float = 0.600  # beta
    temporary_exponent_se: float = 0.038
    square_root: float = 1.0  # Y: of order one everywhere, of no agreed standard error
    source: str = "Almgren, Thum, Hauptmann and Li (2005)"

    def __post_init__(self) -> None:
        for name in ("permanent", "temporary", "square_root", "permanent_se", "temporary_se", "temporary_exponent_se"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; expected at least 0")
        if not 0 < self.temporary_exponent <= 1:
            raise ValueError(f"temporary_exponent is {self.temporary_exponent}; expected above 0 and at most 1")


ATHL_2005: Final = ImpactCoefficients()


def permanent_impact(
    size: float, volatility: float, *, turnover_days: float = 1.0, coefficients: ImpactCoefficients = ATHL_2005
) -> float:
    """Lasting price move after the whole order, I. A schedule pays half of it on average, whatever its shape.

    Args:
        size: order quantity over average daily volume.
        volatility: daily, as a fraction.
        turnover_days: shares outstanding over daily volume; 1 where there is no such thing (futures, crypto, FX).

    Returns:
        Fraction of the price.
    """
    _require_not_negative(size=size, volatility=volatility, turnover_days=turnover_days)
    return float(coefficients.permanent * volatility * size * turnover_days**0.25)


def temporary_impact(rate: ArrayLike, volatility: float, *, coefficients: ImpactCoefficients = ATHL_2005) -> Array:
    """Extra price paid while trading at `rate`, gone afterwards: eta sigma rate^beta.

    Args:
        rate: our quantity over the market's volume in the same interval (any shape), 0 = not trading.
        volatility: daily, as a fraction.

    Returns:
        Fraction of the price, of the shape of `rate`.
    """
    rates = np.asarray(rate, dtype=np.float64)
    _require_not_negative(volatility=volatility, rate=float(rates.min(initial=0.0)))
    result: Array = coefficients.temporary * volatility * rates**coefficients.temporary_exponent
    return result


def square_root_impact(size: float, volatility: float, *, coefficients: ImpactCoefficients = ATHL_2005) -> float:
    """Peak impact of a whole order done within about a day: Y sigma sqrt(Q / V). Toth et al. (2011)."""
    _require_not_negative(size=size, volatility=volatility)
    return float(coefficients.square_root * volatility * size**0.5)


def square_root_cost(size: float, volatility: float, *, coefficients: ImpactCoefficients = ATHL_2005) -> float:
    """Average cost under the square-root law: two thirds of the peak, for fills spread evenly over the order."""
    return square_root_impact(size, volatility, coefficients=coefficients) * 2.0 / 3.0


def is_extrapolated(size: float) -> bool:
    """Whether an order of this size, over daily volume, lies outside what the coefficients were estimated on."""
    return not SIZE_MIN <= size <= SIZE_MAX


def _require_not_negative(**values: float) -> None:
    for name, value in values.items():
        if not value >= 0 or not np.isfinite(value):
            raise ValueError(f"{name} is {value}; expected a finite number of at least 0")
