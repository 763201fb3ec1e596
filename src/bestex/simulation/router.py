"""The smart order router: the embedded stand-in for a routing service. It allocates; it sends nothing."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bestex.domain.errors import InvalidOrder, StaleMarketData
from bestex.domain.instruments import Instrument
from bestex.domain.market import VenueQuote
from bestex.domain.orders import OrderType, Side
from bestex.domain.venues import Venue
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.messages.routing import (
    ExecutionQualityExpected,
    RouteOrder,
    RoutingDecision,
    SmartRoutingDecision,
    VenueAllocation,
)
from bestex.ports import ReferenceData
from bestex.quant.routing import RoutingObjective, VenueOffer, VenueShare, routed

_WORDS = {
    RoutingObjective.BEST_PRICE: "best displayed price first",
    RoutingObjective.LOWEST_COST: "lowest price and fee first",
    RoutingObjective.FASTEST_EXECUTION: "lowest latency first",
    RoutingObjective.MINIMAL_IMPACT: "in proportion to displayed size, dark first where it has filled before",
    RoutingObjective.HIGHEST_FILL_RATE: "most likely to fill first",
}


class Router:
    """Shares a quantity among venues on what they show now and what they did before."""

    name = "router"
    takes = frozenset({"route_order"})

    def __init__(self, reference: ReferenceData, stopwatch: Callable[[], int] | None = None) -> None:
        """`stopwatch` gives wall nanoseconds for routing_time_ms; None in replay, so that logs are equal."""
        self._reference = reference
        self._stopwatch = stopwatch

    def state(self, order_id: str) -> object:
        return None

    def handle(self, message: Message[Any]) -> Effects:
        if not isinstance(message.payload, RouteOrder):
            return Effects()
        started = None if self._stopwatch is None else self._stopwatch()
        decision = self._decide(message.payload, started)
        return Effects(events=[(decision.order_id, SmartRoutingDecision(decision=decision))], answer=decision)

    def _decide(self, request: RouteOrder, started_ns: int | None) -> RoutingDecision:
        instrument = self._reference.instrument(request.instrument_id)
        lots = instrument.quantity_to_lots(request.quantity)
        if (request.order_type is OrderType.LIMIT) != (request.price is not None):
            raise InvalidOrder(
                "a LIMIT order needs a price, and only a LIMIT order has one", field="price", value=request.price
            )
        if request.price is not None:
            instrument.price_to_ticks(request.price)
        objective = RoutingObjective(request.routing_objective)
        venues = self._allowed(request)
        offers = offers_of(request, venues, instrument)
        if not offers:
            raise StaleMarketData(
                f"none of {', '.join(venues)} shows a price that the order may trade at",
                field="instrument_id",
                value=request.instrument_id,
                expected="a displayed price within the order's limit",
            )
        shares = routed(offers, lots, objective, venues_max=request.max_venue_split)
        by_name = {offer.venue: offer for offer in offers}
        allocations = tuple(
            _allocation(place, share, by_name[share.venue], venues[share.venue], instrument, lots)
            for place, share in enumerate(shares, 1)
        )
        elapsed = None
        if self._stopwatch is not None and started_ns is not None:
            elapsed = (self._stopwatch() - started_ns) / 1e6
        return RoutingDecision(
            order_id=request.order_id,
            routing_decisions=allocations,
            routing_rationale=_rationale(objective, allocations, by_name),
            expected_execution_quality=ExecutionQualityExpected(
                expected_cost=sum(item.expected_cost * item.allocation_percentage for item in allocations),
                expected_fill_rate=sum(item.expected_fill_rate * item.allocation_percentage for item in allocations),
                expected_fill_time_ms=max(item.expected_fill_time_ms for item in allocations),
            ),
            routing_time_ms=elapsed,
        )

    def _allowed(self, request: RouteOrder) -> dict[str, Venue]:
        known = {str(venue.venue_id): venue for venue in self._reference.venues(request.instrument_id)}
        for field in ("venue_preferences", "exclude_venues"):
            for name in getattr(request, field):
                if name not in known:
                    raise InvalidOrder(
                        f"venue {name!r} does not trade {request.instrument_id}",
                        field=field,
                        value=name,
                        expected="among " + ", ".join(sorted(known)),
                    )
        allowed = {name: venue for name, venue in known.items() if name not in request.exclude_venues}
        if not allowed:
            raise InvalidOrder(
                "every venue is excluded",
                field="exclude_venues",
                value=", ".join(request.exclude_venues),
                expected="at least one venue left of " + ", ".join(sorted(known)),
            )
        return allowed


def offers_of(request: RouteOrder, venues: dict[str, Venue], instrument: Instrument) -> list[VenueOffer]:
    """What each allowed venue has now; venues without a usable price are left out.

    Raises:
        StaleMarketData: if there is no two-sided market to measure costs against.
    """
    market, side = request.market, request.side
    if market.mid is None:
        raise StaleMarketData(
            f"{request.instrument_id} has no two-sided quote; try again when it has one",
            field="market",
            expected="a bid and an ask",
        )
    rank = {venue: place for place, venue in enumerate(request.venue_preferences)}
    quotes = {str(quote.venue): quote for quote in market.venues}
    offers = []
    for name, venue in sorted(venues.items()):
        price, shown = (market.mid, Decimal(0)) if venue.is_dark else _far_touch(quotes.get(name), side)
        if price is None or (request.price is not None and side.sign * (price - request.price) > 0):
            continue
        fee = venue.taker_fee / (price * instrument.multiplier)
        offers.append(
            VenueOffer(
                venue=name,
                is_dark=venue.is_dark,
                preference=rank.get(name, len(rank)),
                shown_lots=int(shown / instrument.lot_size),
                spread_cost_bps=float(side.sign * (price - market.mid) / market.mid) * 1e4,
                fee_bps=float(fee) * 1e4,
                latency_ms=venue.order_latency_ns / 1e6,
                fill_rate=request.fill_rates.get(name),
            )
        )
    return offers


def _far_touch(quote: VenueQuote | None, side: Side) -> tuple[Decimal | None, Decimal]:
    if quote is None:
        return None, Decimal(0)
    return (quote.ask, quote.ask_quantity) if side is Side.BUY else (quote.bid, quote.bid_quantity)


def _allocation(
    place: int, share: VenueShare, offer: VenueOffer, venue: Venue, instrument: Instrument, lots: int
) -> VenueAllocation:
    return VenueAllocation(
        venue_id=share.venue,
        venue_type=venue.venue_type,
        allocation_percentage=share.lots / lots,
        quantity_allocated=instrument.lots_to_quantity(share.lots),
        expected_fill_time_ms=2 * offer.latency_ms,
        expected_cost=offer.cost_bps / 1e4,
        routing_priority=place,
        expected_fill_rate=share.expected_fill_rate,
    )


def _rationale(
    objective: RoutingObjective, allocations: tuple[VenueAllocation, ...], offers: dict[str, VenueOffer]
) -> str:
    legs = []
    for item in allocations:
        offer = offers[item.venue_id]
        shown = "dark" if offer.is_dark else f"shows {offer.shown_lots} lots"
        legs.append(
            f"{item.venue_id} {item.allocation_percentage:.0%} ({shown}, {offer.spread_cost_bps:.2f} bps from the mid, "
            f"fee {offer.fee_bps:.2f} bps, {offer.latency_ms:.2f} ms away)"
        )
    return f"{_WORDS[objective].capitalize()}: {'; '.join(legs)}."
