"""The desk's turns, with services of a few lines and a market that does nothing by itself."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.domain.errors import Conflict, NotFound
from bestex.domain.fills import ReportKind, VenueReport
from bestex.domain.ids import ChildOrderId, ExecutionId, InstrumentId, ParentOrderId, VenueId
from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import ChildOrder, OrderType, ParentOrder, Side
from bestex.messages.effects import Effects, Timer
from bestex.messages.envelope import Message
from bestex.messages.execution import ChildOrderSubmitted, ExecutionReport, TimerDue
from bestex.messages.orders import CancelOrder, CreateOrder, OrderCancelled, OrderCreated
from bestex.messages.quote_watch import Quoted, QuoteWatch


def snapshot(time_ns: int, volume: int = 0) -> MarketSnapshot:
    return MarketSnapshot(
        instrument_id=InstrumentId("AAPL"),
        time_ns=time_ns,
        bid=Decimal(10),
        ask=Decimal(11),
        bid_quantity=Decimal(1),
        ask_quantity=Decimal(1),
        last_price=None,
        cumulative_volume=Decimal(volume),
        cumulative_notional=Decimal(0),
        mid_time_integral=Decimal(0),
        mid_seconds=Decimal(0),
    )


class StillMarket:
    """Answers every child after 5 ns; trades one unit a nanosecond."""

    now_ns = 100

    def __init__(self) -> None:
        self.submitted: list[ChildOrder] = []
        self._answers: list[VenueReport] = []

    def snapshot(self, instrument_id: str) -> MarketSnapshot:
        return snapshot(self.now_ns, volume=self.now_ns)

    def submit(self, child: ChildOrder, at_ns: int) -> None:
        self.submitted.append(child)
        self._answers.append(
            VenueReport(
                kind=ReportKind.NEW,
                child_order_id=child.child_order_id,
                execution_id=ExecutionId("x"),
                venue=VenueId("NYSE"),
                venue_time_ns=at_ns + 3,
                received_time_ns=at_ns + 5,
                quantity=child.quantity,
            )
        )

    def advance(self, until_ns: int) -> Sequence[VenueReport]:
        if self._answers and self._answers[0].received_time_ns <= until_ns:
            self.now_ns = self._answers[0].received_time_ns
            return [self._answers.pop(0)]
        self.now_ns = until_ns
        return []


class Opener:
    """Creates the order, and wakes itself twice."""

    name = "opener"
    takes = frozenset({"create_order", "cancel_order", "timer_due"})

    def __init__(self) -> None:
        self.woken: list[tuple[str, int]] = []

    def handle(self, message: Message[Any]) -> Effects:
        match message.payload:
            case CreateOrder() as request:
                created = OrderCreated(
                    order=request.order,
                    status="PENDING",
                    actor="local",
                    arrival=request.market,
                    decision_time_ns=1,
                    submission_time_ns=1,
                )
                order_id = request.order.order_id
                timers = [
                    Timer(order_id=order_id, name="soon", at_ns=message.time_ns + 10),
                    Timer(order_id=order_id, name="replaced", at_ns=message.time_ns + 1),
                    Timer(order_id=order_id, name="replaced", at_ns=message.time_ns + 20),
                    Timer(order_id=order_id, name="volume", at_volume=Decimal(130)),
                ]
                return Effects(events=[(order_id, created)], timers=timers, answer="created")
            case CancelOrder():
                raise Conflict("no")
            case TimerDue() as timer:
                self.woken.append((timer.name, message.time_ns))
        return Effects()

    def state(self, order_id: str) -> object:
        return tuple(self.woken)


class Sender:
    """Sends one child for each order."""

    name = "sender"
    takes = frozenset({"order_created", "execution_report", "timer_due"})

    def __init__(self) -> None:
        self.heard: list[str] = []

    def handle(self, message: Message[Any]) -> Effects:
        self.heard.append(message.event_type)
        match message.payload:
            case OrderCreated() as fact:
                child = ChildOrder(
                    child_order_id=ChildOrderId("A-0001-001"),
                    parent_order_id=fact.order.order_id,
                    instrument_id=fact.order.instrument_id,
                    side=fact.order.side,
                    quantity=fact.order.quantity,
                    order_type=OrderType.MARKET,
                    venue=VenueId("NYSE"),
                )
                sent = ChildOrderSubmitted(child=child, slice_id=1, bid=None, ask=None, reason="first")
                return Effects(events=[(fact.order.order_id, sent)])
            case ExecutionReport() as answer:
                return Effects(events=[(answer.order_id, OrderCancelled(order_id=answer.order_id, actor="x"))])
        return Effects()

    def state(self, order_id: str) -> object:
        return tuple(self.heard)


def order() -> CreateOrder:
    parent = ParentOrder(
        order_id=ParentOrderId("A"), instrument_id=InstrumentId("AAPL"), side=Side.BUY, quantity=Decimal(5)
    )
    return CreateOrder(order=parent, actor="local", market=snapshot(100))


@pytest.fixture
def driver() -> ReplayDriver:
    return ReplayDriver(Desk([Opener(), Sender()], StillMarket()), MemoryJournal())  # type: ignore[arg-type]


def test_a_turn_is_one_cascade_in_the_order_things_were_said(driver: ReplayDriver) -> None:
    assert driver.request("opener", order(), order_id="A") == "created"
    said = [(m.event_type, m.source_service, m.sequence) for m in driver.journal.messages]
    assert said == [
        ("create_order", "opener-requests", 1),
        ("order_created", "opener", 1),
        ("child_order_submitted", "sender", 1),
    ]


def test_effects_name_their_cause_and_share_the_correlation_of_the_request(driver: ReplayDriver) -> None:
    driver.request("opener", order(), order_id="A")
    request, created, sent = driver.journal.messages
    assert request.causation_id is None
    assert (created.causation_id, sent.causation_id) == (request.event_id, created.event_id)
    assert {m.correlation_id for m in driver.journal.messages} == {request.event_id}


def test_a_child_reaches_the_market_only_when_its_turn_is_released() -> None:
    desk = Desk([Opener(), Sender()], StillMarket())  # type: ignore[arg-type]
    turn = desk.request("opener", order(), order_id="A", time_ns=100, correlation_id=None)
    assert desk.market.submitted == []  # type: ignore[attr-defined]
    desk.release(turn)
    desk.advance(desk.market.now_ns)
    assert len(desk.market.submitted) == 1  # type: ignore[attr-defined]


def test_a_refused_request_leaves_no_trace_and_no_gap(driver: ReplayDriver) -> None:
    with pytest.raises(Conflict):
        driver.request("opener", CancelOrder(order_id="A", actor="x"), order_id="A")
    assert driver.journal.messages == []
    driver.request("opener", order(), order_id="A")
    assert driver.journal.messages[0].sequence == 1


def test_a_request_to_a_service_that_is_not_here_is_refused(driver: ReplayDriver) -> None:
    with pytest.raises(NotFound, match="no service 'nobody'"):
        driver.request("nobody", order(), order_id="A")


def test_reports_and_timers_come_in_time_order_and_a_replaced_timer_fires_once(driver: ReplayDriver) -> None:
    driver.request("opener", order(), order_id="A")
    driver.run_until(1_000)
    opener, sender = driver.desk.services
    assert opener.state("A") == (("soon", 110), ("replaced", 120), ("volume", 1_000))
    assert sender.state("A") == ("order_created", "execution_report")  # timers of another service are not its business
    times = [m.time_ns for m in driver.journal.messages]
    assert times == sorted(times)


class RisingMarket(StillMarket):
    """Its bid rises by 1 every 300 ns, its ask stands."""

    def snapshot(self, instrument_id: str) -> MarketSnapshot:
        rise = min(self.now_ns, 1_000) // 300
        return replace(snapshot(self.now_ns, volume=self.now_ns), bid=Decimal(7 + rise))


class Watcher(Opener):
    """Waits for prices instead, knowing a quote of 7 and 11."""

    watches: ClassVar = {
        "ask": QuoteWatch(of=(Quoted.ASK,), seen_bid=Decimal(7), seen_ask=Decimal(11)),
        "mid": QuoteWatch(of=(Quoted.ASK, Quoted.MID), seen_bid=Decimal(7), seen_ask=Decimal(11)),
        "nine": QuoteWatch(
            of=(Quoted.BID,), seen_bid=Decimal(7), seen_ask=Decimal(11), level=Decimal(9), from_below=True
        ),
        "now": QuoteWatch(of=(Quoted.BID,), seen_bid=Decimal(7), seen_ask=Decimal(11), level=Decimal(8)),
    }

    def handle(self, message: Message[Any]) -> Effects:
        effects = super().handle(message)
        effects.timers = [
            Timer(order_id=timer.order_id, name=name, at_price=watch)
            for timer in effects.timers[:1]
            for name, watch in self.watches.items()
        ]
        return effects


def test_a_price_watch_wakes_once_when_its_price_has_changed_or_is_there() -> None:
    desk = Desk([Watcher(), Sender()], RisingMarket())  # type: ignore[arg-type]
    driver = ReplayDriver(desk, MemoryJournal())
    driver.request("opener", order(), order_id="A")
    assert desk.watches_market
    for until_ns in (200, 350, 500, 650, 1_000):
        driver.run_until(until_ns)
    # "now" was reached when asked for: it waits for the quote to change. The ask never changes.
    assert desk.services[0].state("A") == (("mid", 350), ("now", 350), ("nine", 650))


def test_recovery_from_the_journal_gives_the_same_states_and_the_timers_still_to_come(driver: ReplayDriver) -> None:
    driver.request("opener", order(), order_id="A")
    driver.run_until(115)
    again = Desk([Opener(), Sender()], StillMarket())  # type: ignore[arg-type]
    for message in driver.journal.messages:
        again.recover(message)
    assert [s.state("A") for s in again.services] == [s.state("A") for s in driver.desk.services]
    assert again.next_timer_ns() == 120
    assert again.market.submitted == []  # type: ignore[attr-defined]
    turn = again.request("opener", order(), order_id="B", time_ns=115, correlation_id=None)
    assert turn.messages[0].sequence == 1


def test_the_same_inputs_give_the_same_bytes() -> None:
    from bestex.messages.codec import encode

    def run() -> list[bytes]:
        driver = ReplayDriver(Desk([Opener(), Sender()], StillMarket()), MemoryJournal())  # type: ignore[arg-type]
        driver.request("opener", order(), order_id="A")
        driver.run_until(1_000)
        return [encode(message) for message in driver.journal.messages]

    assert run() == run()
