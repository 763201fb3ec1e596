"""Reference data: instruments, venues and calendars, the market's own and those that people add."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from bestex.api import answers, listings
from bestex.api.access import Access, Desk
from bestex.api.answers import Cursor, Limit, answer, page
from bestex.api.idempotency import Key, once
from bestex.api.market_now import has_market
from bestex.api.models import InstrumentBody, NewInstrumentBody, NewVenueBody, VenueBody
from bestex.api.strict_route import StrictRoute
from bestex.domain.ids import InstrumentId, VenueId
from bestex.domain.instruments import AssetClass, Instrument
from bestex.domain.venues import Venue, VenueType
from bestex.messages.codec import client_view
from bestex.messages.records import InstrumentRow, VenueRow
from bestex.messages.reference import SaveInstrument, SaveVenue

router = APIRouter(tags=["reference data"], route_class=StrictRoute)


def _view(access: Access, instrument: Instrument) -> dict[str, Any]:
    view: dict[str, Any] = client_view(instrument)
    return view | {"has_market": has_market(access, instrument.instrument_id)}


@router.get("/instruments", responses=answers.page_schema(listings.Instrument), summary="What the desk knows")
async def instruments(
    access: Desk,
    asset_class: AssetClass | None = None,
    currency: str | None = None,
    calendar: str | None = None,
    venue: str | None = None,
    has_market: bool | None = None,
    limit: Limit = 1000,
    cursor: Cursor = None,
) -> Response:
    """The market's own first. `has_market` tells what can be traded here from what is only known."""
    given = {"asset_class": asset_class, "currency": currency, "calendar": calendar, "has_market": has_market}
    wanted = {name: value for name, value in given.items() if value is not None}
    found = [
        view
        for item in access.reference.instruments()
        if (venue is None or venue in item.venues) and wanted.items() <= (view := _view(access, item)).items()
    ]
    return page(*listings.part(found, lambda view: str(view["instrument_id"]), limit=limit, cursor=cursor))


@router.get("/instruments/{instrument_id}", responses=answers.schema(listings.Instrument), summary="One instrument")
async def instrument(access: Desk, instrument_id: str) -> Response:
    return answer(_view(access, access.reference.instrument(instrument_id)))


def _instrument(access: Access, instrument_id: str, body: InstrumentBody, *, create: bool) -> SaveInstrument:
    return SaveInstrument(
        instrument=Instrument(
            instrument_id=InstrumentId(instrument_id),
            name=body.name,
            asset_class=body.asset_class,
            currency=body.currency,
            tick_size=body.tick_size,
            lot_size=body.lot_size,
            multiplier=body.multiplier,
            calendar=body.calendar,
            venues=tuple(VenueId(venue) for venue in body.venues),
            average_daily_volume=body.average_daily_volume,
            daily_volatility=body.daily_volatility,
        ),
        actor=access.actor,
        create=create,
    )


@router.post(
    "/instruments", status_code=201, responses=answers.schema(InstrumentRow, status=201), summary="Add an instrument"
)
async def add_instrument(access: Desk, request: Request, body: NewInstrumentBody, key: Key = None) -> Response:
    """It is known from then on, and after a restart. An order for it is refused until it has a market here."""
    payload = _instrument(access, body.instrument_id, body, create=True)

    async def work(idempotency: Any) -> Any:
        return await access.requests.ask("reference", payload, order_id="desk", idempotency=idempotency)

    return await once(access, request, key, work, status=201)


@router.put(
    "/instruments/{instrument_id}", responses=answers.schema(InstrumentRow), summary="Change one that was added"
)
async def change_instrument(access: Desk, instrument_id: str, body: InstrumentBody) -> Response:
    """As a whole: what is left out takes its default. The market's own cannot be changed."""
    payload = _instrument(access, instrument_id, body, create=False)
    return answer(await access.requests.ask("reference", payload, order_id="desk"))


@router.get("/venues", responses=answers.page_schema(Venue), summary="Where it can be traded")
async def venues(
    access: Desk,
    instrument_id: str | None = None,
    venue_type: VenueType | None = None,
    limit: Limit = 1000,
    cursor: Cursor = None,
) -> Response:
    found = [
        venue
        for venue in access.reference.venues(instrument_id)
        if venue_type is None or venue.venue_type is venue_type
    ]
    return page(*listings.part(found, lambda venue: str(venue.venue_id), limit=limit, cursor=cursor))


@router.get("/venues/{venue_id}", responses=answers.schema(Venue), summary="One venue")
async def venue(access: Desk, venue_id: str) -> Response:
    return answer(access.reference.venue(venue_id))


def _venue(access: Access, venue_id: str, body: VenueBody, *, create: bool) -> SaveVenue:
    return SaveVenue(
        venue=Venue(venue_id=VenueId(venue_id), **body.model_dump(exclude={"venue_id"})),
        actor=access.actor,
        create=create,
    )


@router.post("/venues", status_code=201, responses=answers.schema(VenueRow, status=201), summary="Add a venue")
async def add_venue(access: Desk, request: Request, body: NewVenueBody, key: Key = None) -> Response:
    """Instruments may name it from then on."""
    payload = _venue(access, body.venue_id, body, create=True)

    async def work(idempotency: Any) -> Any:
        return await access.requests.ask("reference", payload, order_id="desk", idempotency=idempotency)

    return await once(access, request, key, work, status=201)


@router.put("/venues/{venue_id}", responses=answers.schema(VenueRow), summary="Change one that was added")
async def change_venue(access: Desk, venue_id: str, body: VenueBody) -> Response:
    """As a whole: what is left out takes its default. The market's own cannot be changed."""
    payload = _venue(access, venue_id, body, create=False)
    return answer(await access.requests.ask("reference", payload, order_id="desk"))


@router.get("/calendars", summary="The session of each instrument: open and close")
async def calendars(access: Desk, limit: Limit = 1000, cursor: Cursor = None) -> Response:
    found, next_cursor = listings.part(
        access.reference.instruments(), lambda item: str(item.instrument_id), limit=limit, cursor=cursor
    )
    rows = []
    for item in found:
        session = access.reference.session(item.instrument_id, access.market.now_ns)
        rows.append(
            {
                "instrument_id": item.instrument_id,
                "calendar": item.calendar,
                "open_ns": session[0] if session else None,
                "close_ns": session[1] if session else None,
            }
        )
    return page(rows, next_cursor)
