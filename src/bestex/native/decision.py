"""The algorithms' decision step in C++, and the codes it speaks in (`native/include/bestex/decision.hpp`)."""

from enum import IntEnum
from typing import NamedTuple

from bestex.native._core import NEVER, NO_PRICE, UNLIMITED, DecisionEngine


class AlgorithmCode(IntEnum):
    TWAP = 0
    VWAP = 1
    PARTICIPATION_RATE = 2
    IMPLEMENTATION_SHORTFALL = 3


class StyleCode(IntEnum):
    PASSIVE = 0
    AGGRESSIVE = 1
    BALANCED = 2
    OPPORTUNISTIC = 3


class SideCode(IntEnum):
    BUY = 0
    SELL = 1


class Wake(IntEnum):
    """Why the step runs. New quantity is placed only on START, TIMER, VOLUME, RESUME and PRICE."""

    START = 0
    TIMER = 1
    FILL = 2
    CHILD_DONE = 3
    VOLUME = 4
    RESUME = 5
    BEST_PRICE = 6  # a best price has changed
    PRICE = 7  # a best price has reached its level


class BestPrice(IntEnum):
    """NEAR is the best of the order's own side, FAR the one it would take, MID their middle."""

    NEAR = 0
    FAR = 1
    MID = 2


class PriceWatch(NamedTuple):
    """Which best prices a step asks to be woken by.

    A level that is reached already is answered when a best price next changes, never at once.
    """

    changes: int  # bits 1 << BestPrice
    level_half_ticks: int | None  # None = no level
    level_of: BestPrice
    from_below: bool  # reached at or above the level; else at or below


class IntentKind(IntEnum):
    """MARKET and LIMIT are immediate-or-cancel, POST_ONLY rests, CANCEL_ALL takes back what was sent before."""

    MARKET = 0
    LIMIT = 1
    POST_ONLY = 2
    CANCEL_ALL = 3


def price_watch(engine: DecisionEngine) -> PriceWatch:
    """What the engine's last `decide` asked of best prices."""
    changes, level, of, from_below = engine.price_watch
    return PriceWatch(changes, level, BestPrice(of), from_below)


__all__ = [
    "NEVER",
    "NO_PRICE",
    "UNLIMITED",
    "AlgorithmCode",
    "BestPrice",
    "DecisionEngine",
    "IntentKind",
    "PriceWatch",
    "SideCode",
    "StyleCode",
    "Wake",
    "price_watch",
]
