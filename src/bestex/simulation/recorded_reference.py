"""Reference data of a recorded market: its listings, and a volume curve from history, flat where there is none."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from bestex.domain.errors import NotFound
from bestex.domain.instruments import Instrument
from bestex.domain.venues import Venue
from bestex.ports import Market
from bestex.quant.volume_curves import SessionVolumeCurve, VolumeCurve, flat_curve

T = TypeVar("T")


class RecordedReference:
    """Implements `bestex.ports.ReferenceData` over a replayed market."""

    def __init__(self, market: Market, curve: VolumeCurve | None = None) -> None:
        self._market = market
        self._curve = curve or flat_curve()
        self._instruments = {str(instrument.instrument_id): instrument for instrument in market.instruments()}
        self._venues = {str(venue.venue_id): venue for venue in market.venues()}

    def instrument(self, instrument_id: str) -> Instrument:
        return _known(self._instruments, instrument_id, "instrument_id")

    def instruments(self) -> Sequence[Instrument]:
        return tuple(self._instruments.values())

    def venue(self, venue_id: str) -> Venue:
        return _known(self._venues, venue_id, "venue")

    def venues(self, instrument_id: str | None = None) -> Sequence[Venue]:
        if instrument_id is not None:
            self.instrument(instrument_id)
        return tuple(self._venues.values())

    def session(self, instrument_id: str, time_ns: int) -> tuple[int, int] | None:
        return self._market.session(instrument_id, time_ns)

    def volume_curve(self, instrument_id: str, time_ns: int) -> SessionVolumeCurve:
        session = self.session(instrument_id, time_ns)
        if session is None:
            raise NotFound(f"no session of {instrument_id} at or after {time_ns} ns", field="time_ns", value=time_ns)
        return SessionVolumeCurve(self._curve, *session)


def _known(table: Mapping[str, T], key: str, field: str) -> T:
    if key not in table:
        raise NotFound(f"there is no {field} {key}", field=field, value=key, expected=", ".join(sorted(table)))
    return table[key]
