"""Prices of a source, as scaled integers or floats, onto the grid of half ticks; exact or refused."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bestex.adapters.marketdata.files import refuse_where

INT32_MAX = 2**31 - 1


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
