"""The two row layouts market data takes on its way into a tape: 32 bytes each, little-endian, C order.

Prices are half ticks (a price of 100.01 with a 0.01 tick is 20002), quantities lots, times UTC nanoseconds.
`tests/parity` holds the C++ side (`native/include/bestex/tape.hpp`) to the same layout.
"""

from enum import IntEnum
from typing import Final

import numpy as np


class L3Kind(IntEnum):
    """What one row of an order-by-order feed says. `side` is the resting side, whoever was the aggressor."""

    ADD = 1  # a new displayed order: order_id, price, quantity
    CANCEL = 2  # quantity taken off a displayed order; it ends when nothing is left
    FILL = 3  # quantity of a displayed order that traded
    HIDDEN = 4  # a hidden order traded: order_id is ignored, the price may lie on a half tick
    CROSS = 5  # an auction or cross printed: no change of the displayed book; order_id and side are ignored
    HALT = 6  # trading stops: only time and kind are read
    RESUME = 7  # trading goes on: only time and kind are read


class L2Kind(IntEnum):
    """What one row of a price-level feed says."""

    DEPTH = 1  # the level at price on `side` now shows level_quantity (0 = gone); quantity is the size of the change
    TRADE = 2  # a print of `quantity` at price, `side` = aggressor; its DEPTH row follows at the same time
    HIDDEN = 4  # a hidden order traded, `side` = aggressor; no DEPTH row follows
    CROSS = 5  # as in L3Kind
    HALT = 6
    RESUME = 7


BID: Final = 0  # resting buy, or a buyer as aggressor
ASK: Final = 1

L3_ROWS: Final = np.dtype(
    [
        ("time_ns", "<i8"),
        ("order_id", "<u8"),
        ("price_half_ticks", "<i4"),
        ("quantity", "<i4"),
        ("kind", "u1"),
        ("side", "u1"),
        ("pad", "u1", (6,)),
    ]
)

L2_ROWS: Final = np.dtype(
    [
        ("time_ns", "<i8"),
        ("price_half_ticks", "<i4"),
        ("quantity", "<i4"),
        ("level_quantity", "<i8"),
        ("kind", "u1"),
        ("side", "u1"),
        ("pad", "u1", (6,)),
    ]
)
