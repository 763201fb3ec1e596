"""Prices and quantities of a source onto the grids of half ticks and lots; exact or refused."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bestex.adapters.marketdata.files import refuse_where
from bestex.domain.errors import InvalidData

INT32_MAX: Final = 2**31 - 1
ON_GRID: Final = 1e-4  # of a half tick or lot: what a double may lose on the way


def scaled_to_half_ticks(
    path: Path, frame: pl.DataFrame, column: str, scaled: NDArray[np.int64], scale: int, tick_size: Decimal
) -> NDArray[np.int64]:
    """Integers in 1/scale of a currency unit to half ticks.

    Raises:
        InvalidData: naming the first price that is not a whole number of half ticks.
    """
    ratio = Fraction(tick_size) * scale / 2  # scaled units in half a tick
    numbers = scaled * ratio.denominator
    expected = f"a multiple of half a tick ({Decimal(tick_size) / 2})"
    refuse_where(path, frame, numbers % ratio.numerator != 0, column, expected)
    half_ticks = numbers // ratio.numerator
    refuse_where(path, frame, np.abs(half_ticks) > INT32_MAX, column, f"below {INT32_MAX} half ticks")
    return half_ticks


def nearest_half_ticks(
    path: Path, frame: pl.DataFrame, column: str, prices: NDArray[np.float64], tick_size: Decimal
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The nearest half tick of each price, and whether the price lay on it.

    Raises:
        InvalidData: naming the first price that does not fit 32 bits of half ticks.
    """
    exact = prices / (float(tick_size) / 2)
    refuse_where(path, frame, np.abs(exact) > INT32_MAX, column, f"below {INT32_MAX} half ticks of {tick_size}")
    nearest = np.rint(exact)
    return nearest.astype(np.int64), np.abs(exact - nearest) < ON_GRID


def whole_ticks(
    path: Path, frame: pl.DataFrame, column: str, prices: NDArray[np.float64], tick_size: Decimal
) -> NDArray[np.int64]:
    """Half ticks of prices that stand on whole ticks.

    Raises:
        InvalidData: naming the first price that is off the tick grid.
    """
    half_ticks, on_grid = nearest_half_ticks(path, frame, column, prices, tick_size)
    refuse_where(path, frame, ~on_grid | (half_ticks % 2 != 0), column, f"a multiple of the tick size {tick_size}")
    return half_ticks


def whole_lots(
    path: Path, frame: pl.DataFrame, column: str, quantities: NDArray[np.float64], lot_size: Decimal
) -> NDArray[np.int64]:
    """Lots of quantities that are not negative.

    Raises:
        InvalidData: naming the first quantity that is negative, no whole number of lots, or beyond 32 bits.
    """
    if lot_size <= 0:
        raise InvalidData(f"lot size {lot_size} is not positive", field="lot_size", value=lot_size, expected="positive")
    refuse_where(path, frame, quantities < 0, column, "not negative")
    exact = quantities / float(lot_size)
    lots = np.rint(exact)
    refuse_where(path, frame, np.abs(exact - lots) > ON_GRID, column, f"a multiple of the lot size {lot_size}")
    refuse_where(path, frame, lots > INT32_MAX, column, f"at most {INT32_MAX} lots")
    return lots.astype(np.int64)
