"""Tells the life of one parent order by messages to the monitoring and quality services, as the desk would."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bestex.domain.errors import NotFound
from bestex.domain.fills import Liquidity, ReportKind, VenueReport
from bestex.domain.ids import ChildOrderId, ExecutionId, InstrumentId, ParentOrderId, VenueId, time_ordered_uuid
from bestex.domain.instruments import AssetClass, Instrument
from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import (
    Algorithm,
    ChildOrder,
    ExecutionInstructions,
    OrderType,
    ParentOrder,
    ParentState,
    Side,
)
from bestex.domain.time import NS_PER_SECOND
from bestex.domain.venues import Venue, VenueType
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message, Payload
from bestex.messages.execution import (
    AlgorithmExecution,
    ChildOrderSubmitted,
    ExecutionCompleted,
    ExecutionPlanned,
    ExecutionReport,
    ExecutionSlice,
    TimerDue,
)
from bestex.messages.orders import OrderCreated
from bestex.messages.records import Record
from bestex.messages.strategy import (
    ExecutionStrategy,
    ExecutionStrategySelected,
    ExpectedOutcomes,
    RiskControls,
    TimeAllocation,
)
from bestex.services.monitoring.config import MonitoringConfig
from bestex.services.monitoring.service import MonitoringService
from bestex.services.quality.config import QualityConfig
from bestex.services.quality.service import QualityService

START = 1_795_000_000 * NS_PER_SECOND
ORDER = "P1"

AAPL = Instrument(
    instrument_id=InstrumentId("AAPL"),
    name="Apple",
    asset_class=AssetClass.EQUITY,
    currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal(1),
    venues=(VenueId("NYSE"), VenueId("DARK")),
    average_daily_volume=Decimal(50_000_000),
    daily_volatility=0.02,
)
VENUES = (
    Venue(venue_id=VenueId("NYSE"), name="New York", venue_type=VenueType.PRIMARY_EXCHANGE),
    Venue(venue_id=VenueId("DARK"), name="Dark", venue_type=VenueType.DARK_POOL),
)


class Reference:
    """One instrument, two venues, a session of six and a half hours around the story."""

    def instrument(self, instrument_id: str) -> Instrument:
        if instrument_id != AAPL.instrument_id:
            raise NotFound(f"no instrument {instrument_id}")
        return AAPL

    def instruments(self) -> Sequence[Instrument]:
        return (AAPL,)

    def venue(self, venue_id: str) -> Venue:
        return {venue.venue_id: venue for venue in VENUES}[VenueId(venue_id)]

    def venues(self, instrument_id: str | None = None) -> Sequence[Venue]:
        return VENUES

    def session(self, instrument_id: str, time_ns: int) -> tuple[int, int] | None:
        return START - 3600 * NS_PER_SECOND, START + 19_800 * NS_PER_SECOND

    def volume_curve(self, instrument_id: str, time_ns: int) -> Any:
        raise NotFound("no volume curve in this story")


@dataclass(kw_only=True)
class Story:
    """A desk of two services. Counters follow from `quote` and `trade`; times are seconds after START."""

    config: MonitoringConfig = field(default_factory=MonitoringConfig)
    side: Side = Side.BUY
    now: float = 0.0
    bid: Decimal | None = Decimal("99.99")
    ask: Decimal | None = Decimal("100.01")
    volume: Decimal = Decimal(1_000_000)
    notional: Decimal = Decimal(100_000_000)
    integral: Decimal = Decimal(0)
    seconds: Decimal = Decimal(0)
    messages: list[Message[Any]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    timers: dict[tuple[str, str], int] = field(default_factory=dict)
    quantity: Decimal = Decimal(1000)
    quality_answers: bool = True
    price: Decimal | None = None  # the order's limit

    def __post_init__(self) -> None:
        self.monitoring = MonitoringService(Reference(), self.config)
        self.quality = QualityService(Reference(), QualityConfig())
        self.executions = 0
        self.filled: Decimal = Decimal(0)
        self.paid: Decimal = Decimal(0)

    # -- the market ----------------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        return START + round(self.now * NS_PER_SECOND)

    def quote(self, bid: str | None, ask: str | None) -> None:
        self.bid = None if bid is None else Decimal(bid)
        self.ask = None if ask is None else Decimal(ask)

    def trade(self, price: str, quantity: int) -> None:
        self.volume += quantity
        self.notional += Decimal(price) * quantity

    def snapshot(self) -> MarketSnapshot:
        return MarketSnapshot(
            instrument_id=AAPL.instrument_id,
            time_ns=self.now_ns,
            bid=self.bid,
            ask=self.ask,
            bid_quantity=Decimal(500),
            ask_quantity=Decimal(500),
            last_price=None,
            cumulative_volume=self.volume,
            cumulative_notional=self.notional,
            mid_time_integral=self.integral,
            mid_seconds=self.seconds,
            is_generated=True,
        )

    def pass_time(self, until: float) -> None:
        """Advance to `until`, waking the services for every timer that falls due on the way."""
        while True:
            limit_ns = START + until * NS_PER_SECOND
            due = min(((at_ns, key) for key, at_ns in self.timers.items() if at_ns <= limit_ns), default=None)
            if due is None:
                self._advance(until)
                return
            at_ns, key = due
            del self.timers[key]
            self._advance(max((at_ns - START) / NS_PER_SECOND, self.now))
            self.tell(TimerDue(order_id=key[0], service="monitoring", name=key[1], market=self.snapshot()))

    def _advance(self, until: float) -> None:
        elapsed = Decimal(str(round(until - self.now, 9)))
        if self.bid is not None and self.ask is not None:
            self.integral += (self.bid + self.ask) / 2 * elapsed
            self.seconds += elapsed
        self.now = until

    # -- messages ------------------------------------------------------------------------------------------------

    def tell(self, payload: Payload, *, order_id: str = ORDER, source: str = "story") -> Effects:
        """Hand a message to every service that takes it, and what follows from it too; the first service's effects."""
        message: Message[Any] = Message(
            event_id=time_ordered_uuid(self.now_ns, len(self.messages)),
            event_type=payload.message_type,
            schema_version=1,
            time_ns=self.now_ns,
            source_service=source,
            order_id=order_id,
            sequence=len(self.messages) + 1,
            causation_id=None,
            correlation_id="story",
            payload=payload,
        )
        self.messages.append(message)
        first: Effects | None = None
        followers: list[tuple[str, str, Payload]] = []
        for service in (self.monitoring, self.quality):
            if payload.message_type not in service.takes or (service is self.quality and not self.quality_answers):
                continue
            effects = service.handle(message)
            first = first or effects
            self.records.extend(effects.records)
            for timer in effects.timers:
                self.timers.pop((timer.order_id, timer.name), None)
                if timer.at_ns is not None:
                    self.timers[timer.order_id, timer.name] = timer.at_ns
            followers.extend((service.name, key, event) for key, event in effects.events)
        for name, key, event in followers:
            self.tell(event, order_id=key, source=name)
        return first or Effects()

    def of(self, event_type: str) -> list[Any]:
        return [message.payload for message in self.messages if message.event_type == event_type]

    def last(self, event_type: str) -> Any:
        return self.of(event_type)[-1]

    # -- the order's life ----------------------------------------------------------------------------------------

    def create(self, **instructions: Any) -> None:
        order = ParentOrder(
            order_id=ParentOrderId(ORDER),
            instrument_id=AAPL.instrument_id,
            side=self.side,
            quantity=self.quantity,
            order_type=OrderType.MARKET if self.price is None else OrderType.LIMIT,
            price=self.price,
            instructions=ExecutionInstructions(**instructions),
        )
        self.tell(
            OrderCreated(
                order=order,
                status="PENDING",
                actor="trader",
                arrival=self.snapshot(),
                decision_time_ns=self.now_ns,
                submission_time_ns=self.now_ns,
            )
        )

    def select(self, *, cost: float = 0.0002, sd: float = 0.0005, impact: float = 0.00005) -> None:
        strategy = ExecutionStrategy(
            strategy_name="Patient TWAP",
            algorithm=Algorithm.TWAP,
            parameters={},
            venue_allocation={"NYSE": 1.0},
            time_allocation=TimeAllocation(start_time_ns=self.now_ns, end_time_ns=self.now_ns + 1, slices=()),
            risk_controls=RiskControls(
                max_participation_rate=0.1, max_slippage_bps=50.0, max_order_value=Decimal(10**6)
            ),
        )
        outcomes = ExpectedOutcomes(
            estimated_cost=cost,
            estimated_time_minutes=1,
            market_impact=impact,
            completion_probability=0.99,
            risk_score=0.2,
            cost_sd=sd,
        )
        self.tell(
            ExecutionStrategySelected(
                order_id=ORDER,
                selection_id="S1",
                recommended_strategy=strategy,
                strategy_rationale="in the story",
                expected_outcomes=outcomes,
                confidence=0.8,
            )
        )

    def plan(self, *, seconds: int = 60, slices: int = 6, revision: int = 0, deadline: int | None = None) -> None:
        """`deadline`: seconds from now until the order expires; None = with the window."""
        step = seconds * NS_PER_SECOND // slices
        share = (self.quantity - self.filled) / slices
        pieces = tuple(
            ExecutionSlice(
                slice_id=number,
                start_time_ns=self.now_ns + number * step,
                end_time_ns=self.now_ns + (number + 1) * step,
                target_quantity=share,
            )
            for number in range(slices)
        )
        self.tell(
            ExecutionPlanned(
                order_id=ORDER,
                algorithm_used=Algorithm.TWAP,
                child_orders=(),
                execution_schedule=pieces,
                estimated_cost=0.0002,
                expected_completion_ns=self.now_ns + seconds * NS_PER_SECOND,
                start_time_ns=self.now_ns,
                end_time_ns=self.now_ns + seconds * NS_PER_SECOND,
                execution_style="BALANCED",
                parameters={},
                revision=revision,
                deadline_time_ns=None if deadline is None else self.now_ns + deadline * NS_PER_SECOND,
            )
        )

    def work(self, state: ParentState = ParentState.WORKING) -> None:
        self.tell(
            AlgorithmExecution(
                order_id=ORDER,
                algorithm=Algorithm.TWAP,
                state=state,
                quantity=self.quantity,
                filled_quantity=self.filled,
                live_quantity=Decimal(0),
                unknown_quantity=Decimal(0),
                remaining_quantity=self.quantity - self.filled,
                scheduled_quantity=Decimal(0),
                average_fill_price=None,
                schedule_deviation=0.0,
                decision_latency_ns=None,
                live_children=0,
                reason="in the story",
            )
        )

    def send(self, child: str, quantity: int, *, venue: str = "NYSE") -> None:
        order = ChildOrder(
            child_order_id=ChildOrderId(child),
            parent_order_id=ParentOrderId(ORDER),
            instrument_id=AAPL.instrument_id,
            side=self.side,
            quantity=Decimal(quantity),
            order_type=OrderType.MARKET,
            venue=VenueId(venue),
        )
        self.tell(ChildOrderSubmitted(child=order, slice_id=0, bid=self.bid, ask=self.ask, reason="in the story"))

    def report(
        self,
        kind: ReportKind,
        child: str,
        quantity: int,
        *,
        price: str | None = None,
        venue: str = "NYSE",
        liquidity: Liquidity = Liquidity.REMOVED,
        fee: str = "0",
        execution_id: str | None = None,
    ) -> ExecutionReport:
        self.executions += 1
        report = VenueReport(
            kind=kind,
            child_order_id=ChildOrderId(child),
            execution_id=ExecutionId(execution_id or f"E{self.executions}"),
            venue=VenueId(venue),
            venue_time_ns=self.now_ns,
            received_time_ns=self.now_ns,
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
            liquidity=liquidity if kind is ReportKind.FILL else None,
            fee=Decimal(fee),
            bid=self.bid,
            ask=self.ask,
        )
        payload = ExecutionReport(order_id=ORDER, report=report, market=self.snapshot())
        self.tell(payload, source="market")
        return payload

    def fill(self, child: str, quantity: int, price: str, **details: Any) -> ExecutionReport:
        """A fill; its print is on the tape as well."""
        self.trade(price, quantity)
        self.filled += quantity
        self.paid += Decimal(price) * quantity
        return self.report(ReportKind.FILL, child, quantity, price=price, **details)

    def complete(self, state: ParentState) -> None:
        self.tell(
            ExecutionCompleted(
                order_id=ORDER,
                state=state,
                quantity=self.quantity,
                filled_quantity=self.filled,
                unfilled_quantity=self.quantity - self.filled,
                average_fill_price=self.paid / self.filled if self.filled else None,
                notional=self.paid,
                fees=Decimal(0),
                started_ns=START,
                completed_ns=self.now_ns,
                child_orders=1,
                reason="in the story",
            )
        )
