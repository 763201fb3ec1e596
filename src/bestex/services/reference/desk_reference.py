"""What the desk knows of instruments and venues: the market's own listings, and what people added to them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from bestex.domain.errors import NotFound
from bestex.domain.instruments import Instrument
from bestex.domain.venues import Venue
from bestex.ports import ReferenceData, VolumeCurve
from bestex.quant.volume_curves import SessionVolumeCurve, flat_curve

Sessions = Callable[[str, int], tuple[int, int] | None]
"""(calendar, time ns) -> open and close of the session at or after the time. Raises InvalidInput: unknown calendar."""

T = TypeVar("T")


class DeskReference:
    """Implements `bestex.ports.ReferenceData`. The market's own listings come first and cannot be replaced.

    What was added has no market here: its sessions are its calendar's, its volume curve is flat.
    """

    def __init__(self, market: ReferenceData, sessions: Sessions) -> None:
        self._market = market
        self._sessions = sessions
        self._own_instruments = {str(item.instrument_id) for item in market.instruments()}
        self._own_venues = {str(item.venue_id) for item in market.venues()}
        self._added_instruments: dict[str, Instrument] = {}
        self._added_venues: dict[str, Venue] = {}

    def instrument(self, instrument_id: str) -> Instrument:
        if instrument_id in self._own_instruments:
            return self._market.instrument(instrument_id)
        known = [*self._own_instruments, *self._added_instruments]
        return _found(self._added_instruments, instrument_id, "instrument", "instrument_id", known)

    def instruments(self) -> Sequence[Instrument]:
        return (*self._market.instruments(), *self._added_instruments.values())

    def venue(self, venue_id: str) -> Venue:
        if venue_id in self._own_venues:
            return self._market.venue(venue_id)
        return _found(self._added_venues, venue_id, "venue", "venue", [*self._own_venues, *self._added_venues])

    def venues(self, instrument_id: str | None = None) -> Sequence[Venue]:
        if instrument_id is None:
            return (*self._market.venues(), *self._added_venues.values())
        if instrument_id in self._own_instruments:
            return self._market.venues(instrument_id)
        return tuple(self.venue(venue_id) for venue_id in self.instrument(instrument_id).venues)

    def session(self, instrument_id: str, time_ns: int) -> tuple[int, int] | None:
        if instrument_id in self._own_instruments:
            return self._market.session(instrument_id, time_ns)
        return self._sessions(self.instrument(instrument_id).calendar, time_ns)

    def volume_curve(self, instrument_id: str, time_ns: int) -> VolumeCurve:
        if instrument_id in self._own_instruments:
            return self._market.volume_curve(instrument_id, time_ns)
        session = self.session(instrument_id, time_ns)
        if session is None:
            raise NotFound(f"no session of {instrument_id} at or after {time_ns} ns", field="time_ns", value=time_ns)
        return SessionVolumeCurve(flat_curve(), *session)

    def calendar_session(self, calendar: str, time_ns: int) -> tuple[int, int] | None:
        """Of a calendar by name. Raises InvalidInput where nobody knows it."""
        return self._sessions(calendar, time_ns)

    def is_own(self, *, instrument_id: str | None = None, venue_id: str | None = None) -> bool:
        """Whether the market itself lists it."""
        return instrument_id in self._own_instruments or venue_id in self._own_venues

    def list_instrument(self, instrument: Instrument) -> None:
        self._added_instruments[str(instrument.instrument_id)] = instrument

    def list_venue(self, venue: Venue) -> None:
        self._added_venues[str(venue.venue_id)] = venue


def _found(added: dict[str, T], key: str, what: str, field: str, known: Sequence[str]) -> T:
    if key not in added:
        raise NotFound(f"there is no {what} {key}", field=field, value=key, expected=", ".join(sorted(known)))
    return added[key]
