"""The matching engine's codes and the row that carries one operation. `_core.MatchingEngine` does the work."""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from bestex.native._core import MatchingEngine

__all__ = ["ANY_PRICE", "OPERATION", "MatchEvent", "MatchKind", "MatchReason", "MatchingEngine", "OperationKind"]

ANY_PRICE: Final = -(2**31)
"""The price of an immediate order that takes at any price."""

OPERATION: Final = np.dtype(
    [
        ("kind", "u1"),
        ("side", "u1"),
        ("unused", "u2"),
        ("price", "i4"),
        ("quantity", "i4"),
        ("owner", "u4"),
        ("id", "u8"),
    ]
)
"""24 bytes; side 0 buys, 1 sells; owner 0 = nobody (no self-trade prevention)."""


class OperationKind(IntEnum):
    LIMIT = 0
    CANCEL = 1
    IMMEDIATE = 2
    POST_ONLY = 3
    AMEND = 4  # quantity is the new open quantity
    MIDPOINT_PEG = 5


class MatchKind(IntEnum):
    RESTED = 0
    TRADED = 1
    CANCELLED = 2
    REJECTED = 3
    REDUCED = 4
    REPLACED = 5


class MatchReason(IntEnum):
    NONE = 0
    ASKED = 1
    NO_MORE_LIQUIDITY = 2
    SELF_TRADE = 3
    DUPLICATE_ID = 4
    UNKNOWN_ID = 5
    PRICE_OUT_OF_RANGE = 6
    BAD_QUANTITY = 7
    WOULD_CROSS = 8
    NOT_AMENDABLE = 9


class MatchEvent(NamedTuple):
    """What happened to `order`; lots, and a price in half ticks (0 where there is none)."""

    kind: int
    order: int
    taker: int  # 0 unless TRADED
    price_half_ticks: int
    quantity: int
    remaining: int
    side: int  # of `order`
    reason: int
    is_hidden: int
