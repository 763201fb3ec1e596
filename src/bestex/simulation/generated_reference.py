"""Reference data of the generated market: what is known before the first tick."""

from collections.abc import Sequence
from typing import Final

from bestex.domain.errors import NotFound
from bestex.domain.instruments import Instrument
from bestex.domain.venues import Venue
from bestex.native import _core
from bestex.ports import Market


class GeneratedVolumeCurve:
    """The curve from which the generated flow's own intensity is drawn: its expectation, not a fit.

    A day's real volume goes faster and slower around it; see `docs/generated-market.md`.
    """

    name: Final = "generated market: the curve its flow is drawn from"

    def __init__(self, open_ns: int, close_ns: int) -> None:
        self._open_ns = open_ns
        self._close_ns = close_ns

    def share(self, start_ns: int, end_ns: int) -> float:
        """Expected share of the session's volume in [start, end), 0..1; time outside the session counts nothing."""
        return max(0.0, self._before(end_ns) - self._before(start_ns))

    def _before(self, time_ns: int) -> float:
        return _core.generated_volume_share((time_ns - self._open_ns) / (self._close_ns - self._open_ns))


class GeneratedReference:
    """Implements `bestex.ports.ReferenceData` for a generated market's own listings."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._instruments = {instrument.instrument_id: instrument for instrument in market.instruments()}
        self._venues = {venue.venue_id: venue for venue in market.venues()}

    def instrument(self, instrument_id: str) -> Instrument:
        for known, instrument in self._instruments.items():
            if known == instrument_id:
                return instrument
        raise NotFound(
            f"there is no instrument {instrument_id}",
            field="instrument_id",
            value=instrument_id,
            expected=", ".join(self._instruments),
        )

    def instruments(self) -> Sequence[Instrument]:
        return tuple(self._instruments.values())

    def venue(self, venue_id: str) -> Venue:
        for known, venue in self._venues.items():
            if known == venue_id:
                return venue
        raise NotFound(f"there is no venue {venue_id}", field="venue", value=venue_id, expected=", ".join(self._venues))

    def venues(self, instrument_id: str | None = None) -> Sequence[Venue]:
        if instrument_id is None:
            return tuple(self._venues.values())
        return tuple(self.venue(venue_id) for venue_id in self.instrument(instrument_id).venues)

    def session(self, instrument_id: str, time_ns: int) -> tuple[int, int] | None:
        return self._market.session(instrument_id, time_ns)

    def volume_curve(self, instrument_id: str, time_ns: int) -> GeneratedVolumeCurve:
        """The curve of the session at or after the time. Raises NotFound where there is none."""
        session = self.session(instrument_id, time_ns)
        if session is None:
            raise NotFound(f"no session of {instrument_id} at or after {time_ns} ns", field="time_ns", value=time_ns)
        return GeneratedVolumeCurve(*session)
