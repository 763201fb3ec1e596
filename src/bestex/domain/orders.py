"""Parent and child orders, and the one table each of how their state may change."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from bestex.domain.errors import Conflict
from bestex.domain.ids import ChildOrderId, InstrumentId, ParentOrderId, VenueId


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell: times a price rise, positive is worse for us."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    MIDPOINT_PEG = "MIDPOINT_PEG"


class TimeInForce(StrEnum):
    DAY = "DAY"
    IOC = "IOC"


class Algorithm(StrEnum):
    TWAP = "TWAP"
    VWAP = "VWAP"
    PARTICIPATION_RATE = "PARTICIPATION_RATE"
    IMPLEMENTATION_SHORTFALL = "IMPLEMENTATION_SHORTFALL"


class ExecutionStyle(StrEnum):
    PASSIVE = "PASSIVE"
    AGGRESSIVE = "AGGRESSIVE"
    BALANCED = "BALANCED"
    OPPORTUNISTIC = "OPPORTUNISTIC"


class Urgency(StrEnum):
    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"
    URGENT = "URGENT"


class Objective(StrEnum):
    MINIMIZE_COST = "MINIMIZE_COST"
    MINIMIZE_RISK = "MINIMIZE_RISK"
    MINIMIZE_TIME = "MINIMIZE_TIME"
    MAXIMIZE_ALPHA_CAPTURE = "MAXIMIZE_ALPHA_CAPTURE"
    BALANCED_EXECUTION = "BALANCED_EXECUTION"


class ParentState(StrEnum):
    PENDING = "PENDING"  # accepted, not yet worked
    WORKING = "WORKING"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"  # asked; children are still live at a venue
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"  # the end time came with quantity unfilled

    @property
    def is_final(self) -> bool:
        return not PARENT_TRANSITIONS[self]


PARENT_TRANSITIONS: Final[dict[ParentState, frozenset[ParentState]]] = {
    ParentState.PENDING: frozenset(
        {ParentState.WORKING, ParentState.CANCELLED, ParentState.REJECTED, ParentState.EXPIRED}
    ),
    ParentState.WORKING: frozenset(
        {ParentState.PAUSED, ParentState.CANCELLING, ParentState.FILLED, ParentState.CANCELLED, ParentState.EXPIRED}
    ),
    ParentState.PAUSED: frozenset(
        {
            ParentState.WORKING,
            ParentState.CANCELLING,
            ParentState.CANCELLED,
            ParentState.EXPIRED,
            ParentState.FILLED,  # a fill may overtake the pause
        }
    ),
    ParentState.CANCELLING: frozenset(
        {ParentState.CANCELLED, ParentState.FILLED}  # the last fill may overtake the cancel
    ),
    ParentState.FILLED: frozenset(),
    ParentState.CANCELLED: frozenset(),
    ParentState.REJECTED: frozenset(),
    ParentState.EXPIRED: frozenset(),
}


class ChildState(StrEnum):
    PENDING = "PENDING"  # intent is durable, no answer yet
    WORKING = "WORKING"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    CANCEL_PENDING = "CANCEL_PENDING"
    UNKNOWN = "UNKNOWN"  # no answer in time: the quantity stays reserved until the venue gives a definite one
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def is_final(self) -> bool:
        return self in _CHILD_FINAL


_CHILD_FINAL: Final = frozenset({ChildState.FILLED, ChildState.CANCELLED, ChildState.REJECTED, ChildState.EXPIRED})
_CHILD_ENDS: Final = _CHILD_FINAL | {ChildState.UNKNOWN}

CHILD_TRANSITIONS: Final[dict[ChildState, frozenset[ChildState]]] = {
    ChildState.PENDING: _CHILD_ENDS
    | {ChildState.WORKING, ChildState.PARTIALLY_FILLED, ChildState.CANCEL_PENDING},  # a fill may overtake the ack
    ChildState.WORKING: _CHILD_ENDS | {ChildState.PARTIALLY_FILLED, ChildState.CANCEL_PENDING},
    ChildState.PARTIALLY_FILLED: _CHILD_ENDS | {ChildState.PARTIALLY_FILLED, ChildState.CANCEL_PENDING},
    ChildState.CANCEL_PENDING: _CHILD_ENDS | {ChildState.CANCEL_PENDING},  # fills arrive while the cancel is on its way
    ChildState.UNKNOWN: _CHILD_ENDS | {ChildState.WORKING, ChildState.PARTIALLY_FILLED, ChildState.CANCEL_PENDING},
    ChildState.FILLED: frozenset(),
    ChildState.CANCELLED: frozenset(),
    ChildState.REJECTED: frozenset(),
    ChildState.EXPIRED: frozenset(),
}


def changed_parent_state(now: ParentState, new: ParentState) -> ParentState:
    """The new state, if the table allows it.

    Raises:
        Conflict: if it does not.
    """
    if new not in PARENT_TRANSITIONS[now]:
        allowed = ", ".join(sorted(PARENT_TRANSITIONS[now])) or "nothing: it is final"
        raise Conflict(
            f"a parent order that is {now} cannot become {new}; it can become {allowed}",
            field="state",
            value=now,
            expected=allowed,
        )
    return new


def changed_child_state(now: ChildState, new: ChildState) -> ChildState:
    """The new state, if the table allows it.

    Raises:
        Conflict: if it does not.
    """
    if new not in CHILD_TRANSITIONS[now]:
        raise Conflict(f"a child order that is {now} cannot become {new}", field="state", value=now)
    return new


@dataclass(frozen=True, kw_only=True)
class ExecutionInstructions:
    """How the client wants the parent order worked. None = the desk decides."""

    max_participation_rate: float | None = None  # (0, 1], ours over all volume
    min_fill_size: Decimal | None = None
    execution_style: ExecutionStyle | None = None
    urgency: Urgency = Urgency.NORMAL
    objective: Objective | None = None
    start_time_ns: int | None = None  # None = on arrival
    end_time_ns: int | None = None  # None = the recommendation decides, the session's close at the latest
    algorithm: Algorithm | None = None  # None = the strategy service chooses
    parameters: dict[str, Any] | None = None
    selection_id: str | None = None  # commits a recommendation made before
    venue_restrictions: tuple[VenueId, ...] = ()  # venues not to be used
    dark_pool_preference: bool | None = None


@dataclass(frozen=True, kw_only=True)
class ParentOrder:
    """What the client asked for."""

    order_id: ParentOrderId
    instrument_id: InstrumentId
    side: Side
    quantity: Decimal
    order_type: OrderType = OrderType.MARKET
    price: Decimal | None = None  # limit; None for a market order
    portfolio_id: str | None = None
    account_id: str | None = None
    instructions: ExecutionInstructions = ExecutionInstructions()


@dataclass(frozen=True, kw_only=True)
class ChildOrder:
    """One order sent to one venue."""

    child_order_id: ChildOrderId
    parent_order_id: ParentOrderId
    instrument_id: InstrumentId
    side: Side
    quantity: Decimal
    order_type: OrderType
    venue: VenueId
    price: Decimal | None = None  # None for MARKET and MIDPOINT_PEG
    time_in_force: TimeInForce = TimeInForce.DAY
    post_only: bool = False
