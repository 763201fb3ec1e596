"""Smart order routing: what the router is asked, answers and publishes."""

from decimal import Decimal

import msgspec

from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import OrderType, Side
from bestex.messages.envelope import Payload


class RouteOrder(Payload, frozen=True, kw_only=True):
    """Answered with `RoutingDecision`; nothing is sent to a venue."""

    message_type = "route_order"

    order_id: str
    instrument_id: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    routing_objective: str
    market: MarketSnapshot
    fill_rates: dict[str, float]  # venue -> filled / sent in the past; venues without history are left out
    price: Decimal | None = None  # limit; venues that show nothing within it get nothing
    venue_preferences: tuple[str, ...] = ()
    exclude_venues: tuple[str, ...] = ()
    max_venue_split: int = 3


class VenueAllocation(msgspec.Struct, frozen=True, kw_only=True):
    venue_id: str
    venue_type: str
    allocation_percentage: float  # 0..1 of the quantity, as every rate of the contract
    quantity_allocated: Decimal
    expected_fill_time_ms: float  # to the venue and back
    expected_cost: float  # fraction of notional, positive is worse: distance from the mid, and the fee
    routing_priority: int  # 1 = first
    expected_fill_rate: float  # 0..1


class ExecutionQualityExpected(msgspec.Struct, frozen=True, kw_only=True):
    """Over all allocations, weighted by quantity."""

    expected_cost: float  # fraction of notional
    expected_fill_rate: float  # 0..1
    expected_fill_time_ms: float  # of the slowest


class RoutingDecision(msgspec.Struct, frozen=True, kw_only=True):
    """`routing_time_ms` is wall time; None in replay, so that logs are equal."""

    order_id: str
    routing_decisions: tuple[VenueAllocation, ...]
    routing_rationale: str
    expected_execution_quality: ExecutionQualityExpected
    routing_time_ms: float | None


class SmartRoutingDecision(Payload, frozen=True, kw_only=True):
    message_type = "smart_routing_decision"

    decision: RoutingDecision
