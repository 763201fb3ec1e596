"""Where child orders go, and what that costs."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bestex.domain.ids import VenueId


class VenueType(StrEnum):
    PRIMARY_EXCHANGE = "PRIMARY_EXCHANGE"
    DARK_POOL = "DARK_POOL"
    ECN = "ECN"
    MARKET_MAKER = "MARKET_MAKER"
    CROSSING_NETWORK = "CROSSING_NETWORK"


@dataclass(frozen=True, kw_only=True)
class Venue:
    """A venue and its promises. Fees are per unit traded; a negative fee is a rebate."""

    venue_id: VenueId
    name: str
    venue_type: VenueType
    maker_fee: Decimal = Decimal(0)
    taker_fee: Decimal = Decimal(0)
    order_latency_ns: int = 500_000  # one way, desk to venue
    dedupes_client_id: bool = True  # refuses a child id it has seen
    cancel_on_disconnect: bool = True
    is_generated: bool = False

    @property
    def is_dark(self) -> bool:
        return self.venue_type in (VenueType.DARK_POOL, VenueType.CROSSING_NETWORK)
