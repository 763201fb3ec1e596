"""The algorithms' decision step in C++, and the codes it speaks in (`native/include/bestex/decision.hpp`)."""

from enum import IntEnum

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
    """Why the step runs. New quantity is placed only on START, TIMER, VOLUME and RESUME."""

    START = 0
    TIMER = 1
    FILL = 2
    CHILD_DONE = 3
    VOLUME = 4
    RESUME = 5


class IntentKind(IntEnum):
    """MARKET and LIMIT are immediate-or-cancel, POST_ONLY rests, CANCEL_ALL takes back what was sent before."""

    MARKET = 0
    LIMIT = 1
    POST_ONLY = 2
    CANCEL_ALL = 3


__all__ = [
    "NEVER",
    "NO_PRICE",
    "UNLIMITED",
    "AlgorithmCode",
    "DecisionEngine",
    "IntentKind",
    "SideCode",
    "StyleCode",
    "Wake",
]
