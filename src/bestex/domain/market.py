"""What the market looks like at one moment, as the messages carry it."""

from dataclasses import dataclass
from decimal import Decimal

from bestex.domain.ids import InstrumentId, VenueId


@dataclass(frozen=True, kw_only=True)
class VenueQuote:
    """One lit venue's best bid and ask; None and 0 where that side is empty."""

    venue: VenueId
    bid: Decimal | None
    ask: Decimal | None
    bid_quantity: Decimal
    ask_quantity: Decimal


@dataclass(frozen=True, kw_only=True)
class MarketSnapshot:
    """The consolidated market of one instrument at `time_ns`.

    The three counters run from the start of the session, so that the difference of two snapshots gives the interval's
    volume, VWAP and TWAP exactly:
    VWAP = Δcumulative_notional / Δcumulative_volume; TWAP of the mid = Δmid_time_integral / Δtime.
    Prints of our own fills are included in volume and notional.
    """

    instrument_id: InstrumentId
    time_ns: int
    bid: Decimal | None  # best lit bid; None where that side is empty
    ask: Decimal | None
    bid_quantity: Decimal
    ask_quantity: Decimal
    last_price: Decimal | None  # None before the first trade
    cumulative_volume: Decimal  # units traded, all venues
    cumulative_notional: Decimal  # sum of price x quantity (without the contract multiplier)
    mid_time_integral: Decimal  # sum of mid x seconds while both sides stood
    mid_seconds: Decimal  # seconds both sides stood: the divisor of the integral
    venues: tuple[VenueQuote, ...] = ()
    is_generated: bool = False

    @property
    def mid(self) -> Decimal | None:
        """Mid-quote; None where a side is empty."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2

    @property
    def spread(self) -> Decimal | None:
        """Ask minus bid; None where a side is empty, negative when crossed."""
        return None if self.bid is None or self.ask is None else self.ask - self.bid


@dataclass(frozen=True, kw_only=True)
class Quote:
    """Best bid and ask from `time_ns` on."""

    time_ns: int
    bid: Decimal | None
    ask: Decimal | None
    bid_quantity: Decimal
    ask_quantity: Decimal


@dataclass(frozen=True, kw_only=True)
class Trade:
    """Anyone's print on the tape."""

    time_ns: int
    price: Decimal
    quantity: Decimal
    venue: VenueId | None
    aggressor: str | None  # BUY, SELL, or None where the tape does not say


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Open, high, low, close and volume of [start_ns, end_ns); prices None when nothing traded."""

    start_ns: int
    end_ns: int
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    volume: Decimal
    notional: Decimal


@dataclass(frozen=True, kw_only=True)
class BookLevel:
    """All that is displayed at one price of one venue (venue None = consolidated)."""

    price: Decimal
    quantity: Decimal
    orders: int | None  # None where the feed has no order count
    venue: VenueId | None = None


@dataclass(frozen=True, kw_only=True)
class Book:
    """Best first on each side."""

    time_ns: int
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
