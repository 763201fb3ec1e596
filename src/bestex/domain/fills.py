"""What a venue says about a child order."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bestex.domain.ids import ChildOrderId, ExecutionId, VenueId


class ReportKind(StrEnum):
    NEW = "NEW"
    FILL = "FILL"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class Liquidity(StrEnum):
    """FIX LastLiquidityInd (851) in words."""

    ADDED = "ADDED"  # our order rested
    REMOVED = "REMOVED"  # we crossed
    MIDPOINT = "MIDPOINT"  # met at the mid, lit or dark
    AUCTION = "AUCTION"


@dataclass(frozen=True, kw_only=True)
class VenueReport:
    """One answer of a venue. `quantity` is what it is about: filled now, or given back by a cancel or reject."""

    kind: ReportKind
    child_order_id: ChildOrderId
    execution_id: ExecutionId  # unique per venue and day; the same execution is applied once
    venue: VenueId
    venue_time_ns: int
    received_time_ns: int
    quantity: Decimal
    price: Decimal | None = None  # FILL only; may lie on the half-tick grid
    liquidity: Liquidity | None = None  # FILL only
    fee: Decimal = Decimal(0)  # currency; negative = rebate
    bid: Decimal | None = None  # consolidated best quote at venue_time_ns
    ask: Decimal | None = None
    reason: str | None = None  # REJECTED and CANCELLED only
