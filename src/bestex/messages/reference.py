"""What can be traded and where: additions by people. Key: `desk`."""

from bestex.domain.instruments import Instrument
from bestex.domain.venues import Venue
from bestex.messages.envelope import Payload


class SaveInstrument(Payload, frozen=True, kw_only=True):
    """Add an instrument, or change one that was added. Answered with the `InstrumentRow`."""

    message_type = "save_instrument"

    instrument: Instrument
    actor: str
    create: bool  # True refuses an id that is taken, False one that is not there


class SaveVenue(Payload, frozen=True, kw_only=True):
    """Add a venue, or change one that was added. Answered with the `VenueRow`."""

    message_type = "save_venue"

    venue: Venue
    actor: str
    create: bool  # as in SaveInstrument


class InstrumentListed(Payload, frozen=True, kw_only=True):
    """From now on this is known under its id, in place of what was added under it before."""

    message_type = "instrument_listed"

    instrument: Instrument
    actor: str


class VenueListed(Payload, frozen=True, kw_only=True):
    """As `InstrumentListed`."""

    message_type = "venue_listed"

    venue: Venue
    actor: str
