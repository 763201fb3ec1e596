"""Additions to the reference data: checked, told to everybody, and kept."""

from typing import Any

from bestex.domain.errors import Conflict, NotFound
from bestex.domain.instruments import Instrument
from bestex.domain.venues import Venue
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.messages.records import InstrumentRow, VenueRow
from bestex.messages.reference import InstrumentListed, SaveInstrument, SaveVenue, VenueListed
from bestex.services.reference.checks import check_instrument, check_venue
from bestex.services.reference.desk_reference import DeskReference


class ReferenceService:
    """Keeps a `DeskReference` up to date. What was added comes back with its messages after a restart."""

    name = "reference"
    takes = frozenset({"save_instrument", "save_venue", "instrument_listed", "venue_listed"})

    def __init__(self, reference: DeskReference, name: str = "reference") -> None:
        """`name` where another process keeps the reference data and this one follows what it lists."""
        self.name = name
        self._reference = reference
        self._listed_ns: dict[str, int] = {}  # "instrument <id>" or "venue <id>" -> when it was added

    def state(self, order_id: str) -> object:
        return None if order_id != "desk" else dict(self._listed_ns)

    def handle(self, message: Message[Any]) -> Effects:
        match message.payload:
            case SaveInstrument() as request:
                return self._save_instrument(request, message.time_ns)
            case SaveVenue() as request:
                return self._save_venue(request, message.time_ns)
            case InstrumentListed() as fact:
                self._reference.list_instrument(fact.instrument)
                self._listed_ns.setdefault(f"instrument {fact.instrument.instrument_id}", message.time_ns)
            case VenueListed() as fact:
                self._reference.list_venue(fact.venue)
                self._listed_ns.setdefault(f"venue {fact.venue.venue_id}", message.time_ns)
        return Effects()

    def _save_instrument(self, request: SaveInstrument, now_ns: int) -> Effects:
        instrument = request.instrument
        key = str(instrument.instrument_id)
        is_own = self._reference.is_own(instrument_id=key)
        self._may_save("instrument", key, is_own=is_own, create=request.create, field="instrument_id")
        check_instrument(instrument, self._reference, now_ns)
        listed = InstrumentListed(instrument=instrument, actor=request.actor)
        since_ns = self._listed_ns.get(f"instrument {key}", now_ns)
        row = _instrument_row(instrument, request.actor, since_ns, now_ns)
        return Effects(events=[("desk", listed)], records=[row], answer=row)

    def _save_venue(self, request: SaveVenue, now_ns: int) -> Effects:
        venue = request.venue
        key = str(venue.venue_id)
        is_own = self._reference.is_own(venue_id=key)
        self._may_save("venue", key, is_own=is_own, create=request.create, field="venue_id")
        check_venue(venue)
        listed = VenueListed(venue=venue, actor=request.actor)
        row = _venue_row(venue, request.actor, self._listed_ns.get(f"venue {key}", now_ns), now_ns)
        return Effects(events=[("desk", listed)], records=[row], answer=row)

    def _may_save(self, what: str, key: str, *, is_own: bool, create: bool, field: str) -> None:
        """Raises Conflict or NotFound."""
        is_known = is_own or f"{what} {key}" in self._listed_ns
        if create and is_known:
            raise Conflict(
                f"{what} {key} exists already" + ("" if is_own else "; change it with PUT"),
                field=field,
                value=key,
                expected="a new id",
            )
        if is_own:
            raise Conflict(
                f"{what} {key} is the market's own listing: it cannot be changed",
                field=field,
                value=key,
                expected=f"the id of {'an' if what == 'instrument' else 'a'} {what} that was added",
            )
        if not create and not is_known:
            raise NotFound(f"there is no {what} {key}", field=field, value=key)


def _instrument_row(instrument: Instrument, actor: str, since_ns: int, now_ns: int) -> InstrumentRow:
    return InstrumentRow(
        instrument_id=instrument.instrument_id,
        name=instrument.name,
        asset_class=instrument.asset_class,
        currency=instrument.currency,
        tick_size=instrument.tick_size,
        lot_size=instrument.lot_size,
        multiplier=instrument.multiplier,
        calendar=instrument.calendar,
        venues=tuple(str(venue) for venue in instrument.venues),
        average_daily_volume=instrument.average_daily_volume,
        daily_volatility=instrument.daily_volatility,
        actor=actor,
        created_at_ns=since_ns,
        updated_at_ns=now_ns,
    )


def _venue_row(venue: Venue, actor: str, since_ns: int, now_ns: int) -> VenueRow:
    return VenueRow(
        venue_id=venue.venue_id,
        name=venue.name,
        venue_type=venue.venue_type,
        maker_fee=venue.maker_fee,
        taker_fee=venue.taker_fee,
        order_latency_ns=venue.order_latency_ns,
        dedupes_client_id=venue.dedupes_client_id,
        cancel_on_disconnect=venue.cancel_on_disconnect,
        actor=actor,
        created_at_ns=since_ns,
        updated_at_ns=now_ns,
    )
