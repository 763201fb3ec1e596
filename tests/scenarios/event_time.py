"""The whole desk on the generated market in event time: what a story needs to be told in few words."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.domain.fills import ReportKind
from bestex.domain.ids import InstrumentId, ParentOrderId
from bestex.domain.orders import ExecutionInstructions, OrderType, ParentOrder, Side
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND, from_iso
from bestex.messages.codec import json_bytes, wire
from bestex.messages.envelope import Message, Payload
from bestex.messages.execution import ChildOrderSubmitted, ExecutionCompleted, ExecutionReport
from bestex.messages.orders import CreateOrder, OrderAmended, OrderCreated
from bestex.ports import Service
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference

OPEN_NS = from_iso("2026-11-20T14:30:00Z")  # 09:30 in New York
CLOSE_NS = from_iso("2026-11-20T21:00:00Z")
TEN_NS = from_iso("2026-11-20T15:00:00Z")  # 10:00 in New York

_GIVES_BACK = (ReportKind.CANCELLED, ReportKind.REJECTED, ReportKind.EXPIRED)


class EventTimeDesk:
    """All services, a generated market and a journal in memory."""

    def __init__(self, *, seed: int, start_ns: int = TEN_NS, also: Sequence[Service] = ()) -> None:
        self.market = GeneratedMarket(seed=seed, start_ns=start_ns)
        self.reference = GeneratedReference(self.market)
        self.journal = MemoryJournal()
        self.desk = self.fresh_desk(also)
        self.driver = ReplayDriver(self.desk, self.journal)
        self.driver.restore_catalogues()

    def fresh_desk(self, also: Sequence[Service] = ()) -> Desk:
        """A desk beside the same market whose services know nothing yet."""
        return Desk([*services("all", self.reference, timed=False), *also], self.market)

    @property
    def now_ns(self) -> int:
        return self.market.now_ns

    @property
    def messages(self) -> list[Message[Any]]:
        return self.journal.messages

    def send(
        self,
        order_id: str,
        *,
        instrument_id: str = "AAPL",
        side: Side = Side.BUY,
        quantity: int = 2_000,
        limit: Decimal | None = None,
        minutes: float | None = 5,
        **instructions: Any,
    ) -> None:
        """A parent order that arrives now and ends `minutes` later; None = the recommendation decides."""
        if minutes is not None:
            instructions.setdefault("end_time_ns", self.now_ns + int(minutes * NS_PER_MINUTE))
        order = ParentOrder(
            order_id=ParentOrderId(order_id),
            instrument_id=InstrumentId(instrument_id),
            side=side,
            quantity=Decimal(quantity),
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            price=limit,
            instructions=ExecutionInstructions(**instructions),
        )
        self.ask("order-desk", CreateOrder(order=order, actor="client", market=self.snapshot(instrument_id)), order_id)

    def ask(self, service: str, payload: Payload, order_id: str) -> Any:
        return self.driver.request(service, payload, order_id=order_id)

    def snapshot(self, instrument_id: str = "AAPL") -> Any:
        return self.market.snapshot(instrument_id)

    def run(self, *, minutes: float = 0, seconds: float = 0) -> None:
        self.run_until(self.now_ns + int(minutes * NS_PER_MINUTE + seconds * NS_PER_SECOND))

    def run_until(self, until_ns: int) -> None:
        self.driver.run_until(until_ns)

    def run_to_the_end(self, *order_ids: str, minutes_max: int = 60) -> None:
        """Until every trade is told."""
        limit_ns = self.now_ns + minutes_max * NS_PER_MINUTE
        while not {m.order_id for m in self.messages if m.event_type == "trade_executed"}.issuperset(order_ids):
            assert self.now_ns < limit_ns, f"{order_ids} do not come to their end"
            self.run(seconds=30)

    def of(self, event_type: str, order_id: str | None = None) -> list[Any]:
        return [
            message.payload
            for message in self.messages
            if message.event_type == event_type and order_id in (None, message.order_id)
        ]

    def last(self, event_type: str, order_id: str) -> Any:
        return self.of(event_type, order_id)[-1]

    def end_of(self, order_id: str) -> ExecutionCompleted:
        [completed] = self.of("execution_completed", order_id)
        assert isinstance(completed, ExecutionCompleted)
        return completed


def digest(messages: Iterable[Message[Any]]) -> str:
    """sha256 of the event log, one wire message a line."""
    total = hashlib.sha256()
    for message in messages:
        total.update(json_bytes(wire(message)) + b"\n")
    return total.hexdigest()


def check_conservation(messages: Sequence[Message[Any]]) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """Audits every message in order; per parent order what was (planned, filled, returned) at the end.

    planned = open + filled + returned for every child, open never below zero, and what is filled or may still fill
    never above what the client ordered. A completed order has nothing open, and says what this audit counted.

    Raises:
        AssertionError: at the first message that breaks one of these.
    """
    ordered: dict[str, Decimal] = {}
    planned: dict[str, Decimal] = defaultdict(Decimal)
    filled: dict[str, Decimal] = defaultdict(Decimal)
    returned: dict[str, Decimal] = defaultdict(Decimal)
    open_quantity: dict[str, Decimal] = {}  # per child order
    parents: dict[str, str] = {}
    executions: set[tuple[str, str]] = set()
    for message in messages:
        order_id = message.order_id
        match message.payload:
            case OrderCreated(order=order):
                ordered[order_id] = order.quantity
            case OrderAmended(quantity=Decimal() as quantity):
                # A smaller total binds once the cancels are answered; until then what was ordered before may be live.
                ordered[order_id] = max(quantity, ordered[order_id])
            case ChildOrderSubmitted(child=child):
                assert child.child_order_id not in open_quantity, f"{child.child_order_id} was sent twice"
                open_quantity[child.child_order_id] = child.quantity
                parents[child.child_order_id] = order_id
                planned[order_id] += child.quantity
            case ExecutionReport(report=report):
                child_id = report.child_order_id
                assert parents[child_id] == order_id, f"{child_id} is a child of another order"
                if report.kind is ReportKind.FILL:
                    assert (report.venue, report.execution_id) not in executions, f"{report.execution_id} came twice"
                    executions.add((report.venue, report.execution_id))
                    open_quantity[child_id] -= report.quantity
                    filled[order_id] += report.quantity
                elif report.kind in _GIVES_BACK:
                    returned[order_id] += open_quantity[child_id]
                    open_quantity[child_id] = Decimal(0)
                assert open_quantity[child_id] >= 0, f"{child_id} was overfilled"
            case ExecutionCompleted() as completed:
                left = sum(quantity for child, quantity in open_quantity.items() if parents[child] == order_id)
                assert left == 0, f"{order_id} completed with {left} open"
                assert completed.filled_quantity == filled[order_id], order_id
                assert completed.filled_quantity + completed.unfilled_quantity == completed.quantity, order_id
                assert planned[order_id] == filled[order_id] + returned[order_id], order_id
            case _:
                continue
        still_open = planned[order_id] - filled[order_id] - returned[order_id]
        assert filled[order_id] + still_open <= ordered.get(order_id, Decimal(0)), f"{order_id} may be overfilled"
    return {order_id: (planned[order_id], filled[order_id], returned[order_id]) for order_id in ordered}
