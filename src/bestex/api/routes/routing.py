"""The smart order router over HTTP."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from bestex.api import answers
from bestex.api.access import Access, Desk
from bestex.api.answers import page
from bestex.api.idempotency import Key, once
from bestex.api.market_now import market_now
from bestex.api.models import RouteBody
from bestex.api.strict_route import StrictRoute
from bestex.domain.venues import Venue
from bestex.messages.records import VenueProfileRow
from bestex.messages.routing import RouteOrder, RoutingDecision

router = APIRouter(prefix="/smart-routing", tags=["smart order routing"], route_class=StrictRoute)


class VenueQuality(msgspec.Struct, frozen=True, kw_only=True):
    """One venue of an instrument: its promises, what it shows now, and what its past says. None = not known.

    `fill_rate` 0..1; `metrics` are those of the venue comparison. A score needs enough orders; below that it is None.
    """

    venue_id: str
    venue_type: str
    maker_fee: float  # per unit; negative = a rebate
    taker_fee: float
    latency_ms: float  # one way
    spread_bps: float | None  # displayed now
    bid_quantity: float | None
    ask_quantity: float | None
    orders: int
    fills: int
    fill_rate: float | None
    quality_score: float | None
    quality_grade: str | None
    metrics: dict[str, Any]
    is_generated: bool


async def _profiles(access: Access) -> dict[str, VenueProfileRow]:
    return {row.venue: row for row in (await access.store.find(VenueProfileRow, limit=1_000)).rows}


@router.post("/route", responses=answers.schema(RoutingDecision), summary="Share a quantity among venues")
async def route(access: Desk, request: Request, body: RouteBody, key: Key = None) -> Response:
    """A decision, not an order: nothing is sent. The allocations add up to the quantity, in whole lots."""
    rates = {venue: row.metrics.get("fill_rate") for venue, row in (await _profiles(access)).items()}
    payload = RouteOrder(
        order_id=body.order_id,
        instrument_id=body.instrument_id,
        side=body.side,
        quantity=body.quantity,
        order_type=body.order_type,
        routing_objective=body.routing_objective,
        market=market_now(access, body.instrument_id),
        fill_rates={venue: float(rate) for venue, rate in rates.items() if rate is not None},
        price=body.price,
        venue_preferences=tuple(body.venue_preferences),
        exclude_venues=tuple(body.exclude_venues),
        max_venue_split=body.max_venue_split,
    )

    async def work(idempotency: Any) -> Any:
        return await access.requests.ask("router", payload, order_id=body.order_id, idempotency=idempotency)

    return await once(access, request, key, work)


@router.get("/venues/quality", responses=answers.page_schema(VenueQuality), summary="The venues of an instrument")
async def venue_quality(access: Desk, instrument_id: str) -> Response:
    return page(await venues_of(access, instrument_id))


async def venues_of(access: Access, instrument_id: str) -> list[VenueQuality]:
    """The venues of an instrument as they stand now. Raises NotFound, InvalidOrder."""
    snapshot = market_now(access, instrument_id)
    quotes = {str(quote.venue): quote for quote in snapshot.venues}
    profiles = await _profiles(access)
    return [
        _quality(venue, quotes.get(str(venue.venue_id)), profiles.get(str(venue.venue_id)))
        for venue in access.reference.venues(instrument_id)
    ]


def _quality(venue: Venue, quote: Any, profile: VenueProfileRow | None) -> VenueQuality:
    has_both = quote is not None and quote.bid is not None and quote.ask is not None
    return VenueQuality(
        venue_id=venue.venue_id,
        venue_type=venue.venue_type,
        maker_fee=float(venue.maker_fee),
        taker_fee=float(venue.taker_fee),
        latency_ms=venue.order_latency_ns / 1e6,
        spread_bps=float((quote.ask - quote.bid) / (quote.ask + quote.bid) * 2) * 1e4 if has_both else None,
        bid_quantity=float(quote.bid_quantity) if quote is not None else None,
        ask_quantity=float(quote.ask_quantity) if quote is not None else None,
        orders=profile.orders if profile else 0,
        fills=profile.fills if profile else 0,
        fill_rate=profile.metrics.get("fill_rate") if profile else None,
        quality_score=profile.quality_score if profile else None,
        quality_grade=profile.quality_grade if profile else None,
        metrics=profile.metrics if profile else {},
        is_generated=venue.is_generated,
    )
