"""A small desk for the tests: reference data, a market that stands still, timers, and a venue that does as it is told."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from bestex.domain.errors import NotFound
from bestex.domain.fills import Liquidity, ReportKind, VenueReport
from bestex.domain.instruments import AssetClass, Instrument
from bestex.domain.market import MarketSnapshot, VenueQuote
from bestex.domain.orders import (
    Algorithm,
    ChildOrder,
    ExecutionInstructions,
    ExecutionStyle,
    OrderType,
    ParentOrder,
    Side,
    TimeInForce,
)
from bestex.domain.venues import Venue, VenueType
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message, Payload
from bestex.messages.execution import (
    AlgorithmExecution,
    ChildOrderCancelRequested,
    ChildOrderSubmitted,
    ExecutionReport,
    TimerDue,
)
from bestex.messages.orders import OrderCreated
from bestex.messages.quote_watch import QuoteWatch
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.service import AlgorithmService

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
OPEN = 1_795_000_000 * SECOND
CLOSE = OPEN + 390 * MINUTE

ABC = Instrument(
    instrument_id="ABC",  # type: ignore[arg-type]
    name="ABC",
    asset_class=AssetClass.EQUITY,
    currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal(10),
    average_daily_volume=Decimal(5_000_000),
    daily_volatility=0.015,
)
VENUES = (
    Venue(venue_id="LIT1", name="Lit 1", venue_type=VenueType.PRIMARY_EXCHANGE, taker_fee=Decimal("0.003")),  # type: ignore[arg-type]
    Venue(venue_id="LIT2", name="Lit 2", venue_type=VenueType.ECN),  # type: ignore[arg-type]
    Venue(venue_id="DARK", name="Dark", venue_type=VenueType.DARK_POOL),  # type: ignore[arg-type]
)


class FlatCurve:
    """Volume even over the session."""

    name = "flat (test)"

    def share(self, start_ns: int, end_ns: int) -> float:
        low, high = max(start_ns, OPEN), min(end_ns, CLOSE)
        return max(0, high - low) / (CLOSE - OPEN)


class Reference:
    def __init__(self, curve: Any = None) -> None:
        self._curve = curve or FlatCurve()

    def instrument(self, instrument_id: str) -> Instrument:
        if instrument_id != "ABC":
            raise NotFound(f"no instrument {instrument_id}", field="instrument_id", value=instrument_id)
        return ABC

    def instruments(self) -> tuple[Instrument, ...]:
        return (ABC,)

    def venue(self, venue_id: str) -> Venue:
        return next(venue for venue in VENUES if venue.venue_id == venue_id)

    def venues(self, instrument_id: str | None = None) -> tuple[Venue, ...]:
        return VENUES

    def session(self, instrument_id: str, time_ns: int) -> tuple[int, int] | None:
        return (OPEN, CLOSE) if time_ns < CLOSE else None

    def volume_curve(self, instrument_id: str, time_ns: int) -> Any:
        return self._curve


def snapshot(
    time_ns: int, *, bid: str | None = "100.00", ask: str | None = "100.02", volume: int = 0
) -> MarketSnapshot:
    """Two lit venues; LIT1 shows 300 at each side, LIT2 200."""
    bid_price, ask_price = (None if text is None else Decimal(text) for text in (bid, ask))
    sizes = {"LIT1": Decimal(300), "LIT2": Decimal(200)}
    return MarketSnapshot(
        instrument_id=ABC.instrument_id,
        time_ns=time_ns,
        bid=bid_price,
        ask=ask_price,
        bid_quantity=Decimal(500) if bid else Decimal(0),
        ask_quantity=Decimal(500) if ask else Decimal(0),
        last_price=Decimal(100),
        cumulative_volume=Decimal(volume),
        cumulative_notional=Decimal(volume) * 100,
        mid_time_integral=Decimal(0),
        mid_seconds=Decimal(0),
        venues=tuple(
            VenueQuote(
                venue=venue,  # type: ignore[arg-type]
                bid=bid_price,
                ask=ask_price,
                bid_quantity=size if bid else Decimal(0),
                ask_quantity=size if ask else Decimal(0),
            )
            for venue, size in sizes.items()
        ),
    )


def parent_order(
    order_id: str = "P1",
    *,
    side: Side = Side.BUY,
    quantity: int = 6_000,
    price: str | None = None,
    algorithm: Algorithm | None = Algorithm.TWAP,
    style: ExecutionStyle | None = ExecutionStyle.AGGRESSIVE,
    minutes: int | None = 30,
    account: str | None = "ACC",
    **instructions: Any,
) -> ParentOrder:
    instructions.setdefault("end_time_ns", None if minutes is None else OPEN + minutes * MINUTE)
    return ParentOrder(
        order_id=order_id,  # type: ignore[arg-type]
        instrument_id=ABC.instrument_id,
        side=side,
        quantity=Decimal(quantity),
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        price=None if price is None else Decimal(price),
        account_id=account,
        instructions=ExecutionInstructions(algorithm=algorithm, execution_style=style, **instructions),
    )


@dataclass
class PaperDesk:
    """Feeds the service, keeps its timers and what it sent. With `answers`, takers fill at once and cancels succeed."""

    service: AlgorithmService = field(default_factory=lambda: AlgorithmService(Reference(), AlgorithmConfig()))
    answers: bool = True
    fills_posts: bool = False
    now_ns: int = OPEN
    volume_per_second: int = 1_000  # of others
    bid: str | None = "100.00"
    ask: str | None = "100.02"
    log: list[Message[Any]] = field(default_factory=list)  # everything the service was told
    events: list[tuple[str, Payload]] = field(default_factory=list)
    records: list[Any] = field(default_factory=list)
    effects: list[Effects] = field(default_factory=list)
    timers: dict[tuple[str, str], tuple[int | None, Decimal | None]] = field(default_factory=dict)
    watches: dict[tuple[str, str], QuoteWatch] = field(default_factory=dict)
    children: dict[str, ChildOrder] = field(default_factory=dict)
    leaves: dict[str, Decimal] = field(default_factory=dict)
    ours: Decimal = Decimal(0)
    reports_sent: int = 0
    _outbox: list[Payload] = field(default_factory=list)

    def market(self) -> MarketSnapshot:
        others = (self.now_ns - OPEN) * self.volume_per_second // SECOND
        return snapshot(self.now_ns, bid=self.bid, ask=self.ask, volume=others + int(self.ours))

    def tell(self, payload: Payload, order_id: str = "P1") -> Effects:
        """One message to the service; raises what it raises."""
        message = Message(
            event_id=f"e{len(self.log)}",
            event_type=payload.message_type,
            schema_version=1,
            time_ns=self.now_ns,
            source_service="test",
            order_id=order_id,
            sequence=len(self.log) + 1,
            causation_id=None,
            correlation_id="c",
            payload=payload,
        )
        effects = self.service.handle(message)
        self.log.append(message)
        self.effects.append(effects)
        self.events.extend(effects.events)
        self.records.extend(effects.records)
        for timer in effects.timers:
            key = (timer.order_id, timer.name)
            self.watches.pop(key, None)
            if timer.at_price is not None:
                self.watches[key] = timer.at_price
            elif timer.at_ns is None and timer.at_volume is None:
                self.timers.pop(key, None)
            else:
                self.timers[key] = (timer.at_ns, timer.at_volume)
        for _, event in effects.events:
            if isinstance(event, ChildOrderSubmitted):
                assert event.child.child_order_id not in self.children, "an id was sent twice"
                self.children[event.child.child_order_id] = event.child
                self.leaves[event.child.child_order_id] = event.child.quantity
            if isinstance(event, (ChildOrderSubmitted, ChildOrderCancelRequested)):
                self._outbox.append(event)
        return effects

    def create(self, order: ParentOrder) -> Effects:
        created = OrderCreated(
            order=order,
            status="PENDING",
            actor="client",
            arrival=self.market(),
            decision_time_ns=self.now_ns,
            submission_time_ns=self.now_ns,
        )
        effects = self.tell(created, order.order_id)
        self._answer()
        return effects

    def report(
        self,
        child_id: str,
        kind: ReportKind,
        quantity: Decimal | int = 0,
        *,
        price: str | None = None,
        execution_id: str | None = None,
        reason: str | None = None,
    ) -> Effects:
        """What the venue says about a child, with the books of this desk kept too."""
        self.reports_sent += 1
        child = self.children[child_id]
        amount = Decimal(quantity)
        if kind is ReportKind.FILL:
            self.ours += amount
        if kind is not ReportKind.NEW:
            self.leaves[child_id] -= amount
        cross = self.ask if child.side is Side.BUY else self.bid
        paid = Decimal(price) if price else child.price if child.post_only else Decimal(cross or "100.01")
        report = VenueReport(
            kind=kind,
            child_order_id=child.child_order_id,
            execution_id=execution_id or f"x{self.reports_sent}",  # type: ignore[arg-type]
            venue=child.venue,
            venue_time_ns=self.now_ns,
            received_time_ns=self.now_ns,
            quantity=amount,
            price=paid if kind is ReportKind.FILL else None,
            liquidity=Liquidity.REMOVED if kind is ReportKind.FILL else None,
            reason=reason,
        )
        return self.tell(
            ExecutionReport(order_id=child.parent_order_id, report=report, market=self.market()),
            child.parent_order_id,
        )

    def run_until(self, until_ns: int) -> None:
        """Timers and volume thresholds in their order."""
        while True:
            due = [(at, key) for key, (at, _) in self.timers.items() if at is not None]
            due += [(self._time_of(volume), key) for key, (_, volume) in self.timers.items() if volume is not None]
            if not due or min(due)[0] > until_ns:
                self.now_ns = max(self.now_ns, until_ns)
                return
            at, key = min(due)
            self.now_ns = max(self.now_ns, at)
            del self.timers[key]
            self.fire(*key)

    def quote(self, bid: str | None, ask: str | None) -> None:
        """A new quote, and whom it wakes."""
        self.bid, self.ask = bid, ask
        market = self.market()
        for key in sorted(key for key, watch in self.watches.items() if watch.is_due(market.bid, market.ask)):
            if self.watches.pop(key, None) is not None:
                self.fire(*key)

    def fire(self, order_id: str, name: str) -> Effects:
        effects = self.tell(TimerDue(order_id=order_id, service="algorithm", name=name, market=self.market()), order_id)
        self._answer()
        return effects

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for _, event in self.events if isinstance(event, kind)]

    def progress(self) -> AlgorithmExecution:
        return self.of(AlgorithmExecution)[-1]  # type: ignore[no-any-return]

    def live(self) -> list[str]:
        return [child for child, leaves in self.leaves.items() if leaves > 0]

    def answer_cancels(self) -> None:
        """Every cancel asked so far is answered."""
        self.answers = True
        self._answer()

    def _time_of(self, volume: Decimal) -> int:
        others = volume - self.ours
        return OPEN + int(-(-others * SECOND // self.volume_per_second))

    def _answer(self) -> None:
        while self.answers and self._outbox:
            event = self._outbox.pop(0)
            if isinstance(event, ChildOrderSubmitted):
                child = event.child
                self.report(child.child_order_id, ReportKind.NEW)
                if child.time_in_force is TimeInForce.IOC or self.fills_posts:
                    self.report(child.child_order_id, ReportKind.FILL, child.quantity)
            elif isinstance(event, ChildOrderCancelRequested) and self.leaves[event.child_order_id] > 0:
                self.report(event.child_order_id, ReportKind.CANCELLED, self.leaves[event.child_order_id])


def with_guards(config: AlgorithmConfig, **changes: Any) -> AlgorithmConfig:
    return replace(config, guards=replace(config.guards, **changes))
