"""One instrument, three lit venues and a dark pool, as the strategy service's tests meet them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from bestex.domain.errors import NotFound
from bestex.domain.ids import InstrumentId, ParentOrderId, VenueId, time_ordered_uuid
from bestex.domain.instruments import AssetClass, Instrument
from bestex.domain.market import MarketSnapshot, VenueQuote
from bestex.domain.orders import ExecutionInstructions, Objective, ParentOrder, Side, Urgency
from bestex.domain.time import NS_PER_MINUTE, from_iso
from bestex.domain.venues import Venue, VenueType
from bestex.messages.envelope import Message, Payload
from bestex.messages.orders import OrderCreated
from bestex.messages.strategy import ExecutionConstraints, RecommendExecution

OPEN_NS = from_iso("2026-11-20T14:30:00Z")
CLOSE_NS = from_iso("2026-11-20T21:00:00Z")
NOW_NS = OPEN_NS + 90 * NS_PER_MINUTE

ACME = Instrument(
    instrument_id=InstrumentId("ACME"),
    name="Acme",
    asset_class=AssetClass.EQUITY,
    currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal(1),
    average_daily_volume=Decimal(5_000_000),
    daily_volatility=0.015,
)
VENUES = (
    Venue(venue_id=VenueId("NYSE"), name="NYSE", venue_type=VenueType.PRIMARY_EXCHANGE, taker_fee=Decimal("0.003")),
    Venue(venue_id=VenueId("NASDAQ"), name="NASDAQ", venue_type=VenueType.ECN, taker_fee=Decimal("0.003")),
    Venue(venue_id=VenueId("BATS"), name="BATS", venue_type=VenueType.ECN, taker_fee=Decimal("0.003")),
    Venue(venue_id=VenueId("DARK_POOL_1"), name="Dark pool 1", venue_type=VenueType.DARK_POOL),
)


@dataclass(frozen=True)
class UShapedDay:
    """Density 0.6 + 1.2 (2f - 1)^2 of the session fraction."""

    name: str = "U shape, for tests"

    def share(self, start_ns: int, end_ns: int) -> float:
        return _done(end_ns) - _done(start_ns)


def _done(time_ns: int) -> float:
    fraction = min(1.0, max(0.0, (time_ns - OPEN_NS) / (CLOSE_NS - OPEN_NS)))
    return 0.6 * fraction + 0.2 * ((2 * fraction - 1) ** 3 + 1)


@dataclass(frozen=True)
class OneInstrument:
    """Reference data of a single instrument and a single session."""

    only: Instrument = ACME
    all_venues: tuple[Venue, ...] = VENUES

    def instrument(self, instrument_id: str) -> Instrument:
        if instrument_id != self.only.instrument_id:
            raise NotFound(f"no instrument {instrument_id!r}", field="instrument_id", value=instrument_id)
        return self.only

    def instruments(self) -> Sequence[Instrument]:
        return (self.only,)

    def venue(self, venue_id: str) -> Venue:
        return next(venue for venue in self.all_venues if venue.venue_id == venue_id)

    def venues(self, instrument_id: str | None = None) -> Sequence[Venue]:
        return self.all_venues

    def session(self, instrument_id: str, time_ns: int) -> tuple[int, int] | None:
        return (OPEN_NS, CLOSE_NS) if time_ns < CLOSE_NS else None

    def volume_curve(self, instrument_id: str, time_ns: int) -> UShapedDay:
        return UShapedDay()


def snapshot(time_ns: int = NOW_NS, **changes: Any) -> MarketSnapshot:
    """A calm market: 199.99 / 200.01, volume as usual, mid where it has been all day."""
    seconds = Decimal(max(0, time_ns - OPEN_NS)) / 1_000_000_000
    usual = Decimal(round(5_000_000 * _done(time_ns)))
    calm = MarketSnapshot(
        instrument_id=InstrumentId("ACME"),
        time_ns=time_ns,
        bid=Decimal("199.99"),
        ask=Decimal("200.01"),
        bid_quantity=Decimal(600),
        ask_quantity=Decimal(400),
        last_price=Decimal("200.00"),
        cumulative_volume=usual,
        cumulative_notional=usual * 200,
        mid_time_integral=seconds * 200,
        mid_seconds=seconds,
        venues=tuple(
            VenueQuote(
                venue=VenueId(venue),
                bid=Decimal("199.99"),
                ask=Decimal("200.01"),
                bid_quantity=Decimal(quantity),
                ask_quantity=Decimal(quantity),
            )
            for venue, quantity in (("NYSE", 300), ("NASDAQ", 150), ("BATS", 50))
        ),
    )
    return replace(calm, **changes)


def request(
    quantity: int = 20_000,
    *,
    order_id: str = "order-1",
    side: Side = Side.BUY,
    objective: Objective = Objective.BALANCED_EXECUTION,
    urgency: Urgency = Urgency.NORMAL,
    market: MarketSnapshot | None = None,
    constraints: dict[str, Any] | None = None,
    **changes: Any,
) -> RecommendExecution:
    return RecommendExecution(
        order_id=order_id,
        instrument_id="ACME",
        side=side,
        quantity=Decimal(quantity),
        objective=objective,
        urgency=urgency,
        constraints=ExecutionConstraints(**(constraints or {})),
        market=market or snapshot(),
        **changes,
    )


def order(quantity: int = 20_000, *, order_id: str = "order-1", price: str | None = None, **given: Any) -> ParentOrder:
    from bestex.domain.orders import OrderType

    return ParentOrder(
        order_id=ParentOrderId(order_id),
        instrument_id=InstrumentId("ACME"),
        side=Side.BUY,
        quantity=Decimal(quantity),
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        price=None if price is None else Decimal(price),
        instructions=ExecutionInstructions(**given),
    )


def created(parent: ParentOrder, arrival: MarketSnapshot | None = None) -> OrderCreated:
    arrival = arrival or snapshot()
    return OrderCreated(
        order=parent,
        status="PENDING",
        actor="local",
        arrival=arrival,
        decision_time_ns=arrival.time_ns,
        submission_time_ns=arrival.time_ns,
    )


@dataclass
class Post:
    """Gives messages their envelopes, one after another."""

    sequence: int = 0

    def __call__(self, payload: Payload, *, key: str = "order-1", time_ns: int = NOW_NS) -> Message[Any]:
        self.sequence += 1
        return Message(
            event_id=time_ordered_uuid(time_ns, "test", key, self.sequence),
            event_type=payload.message_type,
            schema_version=1,
            time_ns=time_ns,
            source_service="test",
            order_id=key,
            sequence=self.sequence,
            causation_id=None,
            correlation_id="test",
            payload=payload,
        )
