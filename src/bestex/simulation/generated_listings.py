"""What the generated market lists: four instruments, four venues. Every number is invented, or measured from it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bestex.domain.ids import InstrumentId, VenueId
from bestex.domain.instruments import AssetClass, Instrument
from bestex.domain.venues import Venue, VenueType

VENUES: Final = (
    Venue(
        venue_id=VenueId("NYSE"),
        name="NYSE (generated)",
        venue_type=VenueType.PRIMARY_EXCHANGE,
        maker_fee=Decimal("-0.0018"),
        taker_fee=Decimal("0.0030"),
        order_latency_ns=250_000,
        is_generated=True,
    ),
    Venue(
        venue_id=VenueId("NASDAQ"),
        name="NASDAQ (generated)",
        venue_type=VenueType.PRIMARY_EXCHANGE,
        maker_fee=Decimal("-0.0020"),
        taker_fee=Decimal("0.0030"),
        order_latency_ns=200_000,
        is_generated=True,
    ),
    Venue(
        venue_id=VenueId("BATS"),
        name="BATS (generated)",
        venue_type=VenueType.ECN,
        maker_fee=Decimal("-0.0016"),
        taker_fee=Decimal("0.0028"),
        order_latency_ns=300_000,
        is_generated=True,
    ),
    Venue(
        venue_id=VenueId("DARK_POOL_1"),
        name="Dark pool 1 (generated)",
        venue_type=VenueType.DARK_POOL,
        maker_fee=Decimal("0.0010"),
        taker_fee=Decimal("0.0010"),
        order_latency_ns=500_000,
        is_generated=True,
    ),
)
"""In the order of the native core's venue indexes: three lit ones, then the dark pool."""


@dataclass(frozen=True, kw_only=True)
class GeneratedListing:
    """One instrument and the flow that makes its market. Sizes in lots, spreads in ticks."""

    instrument: Instrument
    usual_price: Decimal  # each day opens some per cent around it
    instants_per_day: float  # exogenous instants, at each of which somebody may act
    half_spread_ticks: float
    order_size: float
    market_order_size: float
    orders_per_side: float
    dark_orders_per_day: float
    dark_order_size: float
    venue_shares: tuple[float, float, float]  # of the flow, in the order of VENUES


def _listing(
    instrument_id: str,
    name: str,
    usual_price: str,
    average_daily_volume: int,
    daily_volatility: float,
    *,
    instants_per_day: float,
    half_spread_ticks: float,
    order_size: float,
    market_order_size: float,
    orders_per_side: float,
    dark_orders_per_day: float,
    dark_order_size: float,
    venue_shares: tuple[float, float, float],
) -> GeneratedListing:
    return GeneratedListing(
        instrument=Instrument(
            instrument_id=InstrumentId(instrument_id),
            name=f"{name} (generated market)",
            asset_class=AssetClass.EQUITY,
            currency="USD",
            tick_size=Decimal("0.01"),
            lot_size=Decimal(1),
            venues=tuple(venue.venue_id for venue in VENUES),
            average_daily_volume=Decimal(average_daily_volume),
            daily_volatility=daily_volatility,
            is_generated=True,
        ),
        usual_price=Decimal(usual_price),
        instants_per_day=instants_per_day,
        half_spread_ticks=half_spread_ticks,
        order_size=order_size,
        market_order_size=market_order_size,
        orders_per_side=orders_per_side,
        dark_orders_per_day=dark_orders_per_day,
        dark_order_size=dark_order_size,
        venue_shares=venue_shares,
    )


# Average daily volume is measured from the generator itself; daily volatility (open to close) is what it is told.
LISTINGS: Final = (
    _listing(
        "AAPL",
        "Apple Inc.",
        "228.00",
        7_450_000,
        0.012,
        instants_per_day=150_000,
        half_spread_ticks=0.35,
        order_size=150,
        market_order_size=250,
        orders_per_side=60,
        dark_orders_per_day=3_000,
        dark_order_size=300,
        venue_shares=(0.30, 0.45, 0.25),
    ),
    _listing(
        "MSFT",
        "Microsoft Corp.",
        "430.00",
        4_550_000,
        0.011,
        instants_per_day=130_000,
        half_spread_ticks=0.8,
        order_size=110,
        market_order_size=190,
        orders_per_side=60,
        dark_orders_per_day=2_500,
        dark_order_size=220,
        venue_shares=(0.28, 0.46, 0.26),
    ),
    _listing(
        "KRNL",
        "Kernel Oil & Seed, an invented company",
        "42.10",
        840_000,
        0.02,
        instants_per_day=25_000,
        half_spread_ticks=0.9,
        order_size=140,
        market_order_size=200,
        orders_per_side=30,
        dark_orders_per_day=700,
        dark_order_size=300,
        venue_shares=(0.50, 0.25, 0.25),
    ),
    _listing(
        "WOBL",
        "Wobble Robotics, an invented company",
        "17.35",
        250_000,
        0.03,
        instants_per_day=9_000,
        half_spread_ticks=1.2,
        order_size=150,
        market_order_size=180,
        orders_per_side=20,
        dark_orders_per_day=250,
        dark_order_size=300,
        venue_shares=(0.25, 0.50, 0.25),
    ),
)

IMPACT: Final = 1.4
"""Daily standard deviations by which trading all of ADV at once would move the price, before any decay."""
