"""Services around one market: its reports and the timers start turns too, and what is durable reaches its venues."""

import heapq
from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bestex.app.host import Host, Turn
from bestex.domain.fills import VenueReport
from bestex.domain.orders import ChildOrder
from bestex.messages.effects import Effects, Timer
from bestex.messages.envelope import Message
from bestex.messages.execution import (
    ChildOrderCancelRequested,
    ChildOrderSubmitted,
    ExecutionReport,
    TimerAsked,
    TimerDue,
)
from bestex.messages.quote_watch import QuoteWatch
from bestex.ports import Market, Service


class Desk(Host):
    """A host that keeps the market and the time. Timers of services elsewhere come to it as `timer_asked`."""

    def __init__(self, services: Sequence[Service], market: Market) -> None:
        super().__init__(services)
        self.market = market
        self.time_ns = market.now_ns
        self._instruments: dict[str, str] = {}  # order id -> instrument id
        self._children: dict[str, str] = {}  # child order id -> parent order id
        self._timers: dict[tuple[str, str, str], int] = {}  # (service, order, name) -> ticket now valid
        self._due: list[tuple[int, str, str, str, int]] = []  # heap of (at_ns, service, order, name, ticket)
        # key -> (ticket, instrument, the volume or price waited for)
        self._watches: dict[tuple[str, str, str], tuple[int, str, Decimal | QuoteWatch]] = {}
        self._tickets = 0
        self._leaving: list[tuple[int, str, ChildOrder | None]] = []  # (at_ns, child id, the child; None to cancel it)

    @property
    def sources(self) -> frozenset[str]:
        return super().sources | {"market", "timer"}

    @property
    def now_ns(self) -> int:
        return self.market.now_ns

    def takes(self, event_type: str) -> bool:
        leaves = (ChildOrderSubmitted, ChildOrderCancelRequested, TimerAsked)
        return super().takes(event_type) or event_type in {kind.message_type for kind in leaves}

    def reports(self, reports: Sequence[VenueReport]) -> Turn:
        """Answers of venues, all received at the market's present instant."""
        turn = self._turn(self.market.now_ns)
        queue: deque[Message[Any]] = deque()
        for report in reports:
            order_id = self._children[report.child_order_id]
            payload = ExecutionReport(
                order_id=order_id, report=report, market=self.market.snapshot(self._instruments[order_id])
            )
            queue.append(self._message(turn.time_ns, "market", order_id, payload, None, None))
        turn.messages.extend(queue)
        self._run(turn, queue)
        return turn

    def timer_turn(self) -> Turn | None:
        """The earliest timer due by the market's present time, or volume or price that is there; None if none is.

        Timers of one instant go by service, order and name, in whatever order they were asked for.
        """
        for key in sorted(self._watches):
            ticket, instrument_id, wanted = self._watches[key]
            if self._is_there(instrument_id, wanted):
                del self._watches[key]
                if self._timers.get(key) == ticket:
                    return self._fire(key, self.market.now_ns)
        self._drop_stale()
        if self._due and self._due[0][0] <= self.market.now_ns:
            at_ns, service, order_id, name, _ = heapq.heappop(self._due)
            return self._fire((service, order_id, name), max(at_ns, self.time_ns))
        return None

    def next_timer_ns(self) -> int | None:
        self._drop_stale()
        return self._due[0][0] if self._due else None

    @property
    def watches_market(self) -> bool:
        return bool(self._watches)

    def release(self, turn: Turn) -> None:
        """Let a durable turn reach the venues, at the next `advance`."""
        for message in turn.messages:
            at_ns = max(message.time_ns, self.market.now_ns)
            match message.payload:
                case ChildOrderSubmitted() as intent:
                    self._leaving.append((at_ns, intent.child.child_order_id, intent.child))
                case ChildOrderCancelRequested() as intent:
                    self._leaving.append((at_ns, intent.child_order_id, None))
                case _:
                    pass

    def advance(self, until_ns: int) -> Sequence[VenueReport]:
        """Let the market run until `until_ns`, or to the first instant with reports for us.

        What was released for one instant leaves by child order id, not by the order in which its turns became durable:
        several processes then give the venues the same queue as one.
        """
        for at_ns, child_order_id, child in sorted(self._leaving, key=lambda item: (item[0], item[1], item[2] is None)):
            if child is None:
                self.market.cancel(child_order_id, at_ns)
            else:
                self.market.submit(child, at_ns)
        self._leaving.clear()
        return self.market.advance(until_ns)

    def recover(
        self, message: Message[Any], *, only: frozenset[str] | None = None, skip: frozenset[str] = frozenset()
    ) -> None:
        """Timers come back with the states."""
        if isinstance(message.payload, TimerDue):
            self._timers.pop((message.payload.service, message.order_id, message.payload.name), None)
            self._watches.pop((message.payload.service, message.order_id, message.payload.name), None)
        super().recover(message, only=only, skip=skip)

    def _recovered(self, service: Service, effects: Effects) -> None:
        for timer in effects.timers:
            self._set(service.name, timer)

    def _fire(self, key: tuple[str, str, str], time_ns: int) -> Turn:
        service, order_id, name = key
        self._timers.pop(key, None)
        self._watches.pop(key, None)
        turn = self._turn(time_ns)
        payload = TimerDue(
            order_id=order_id,
            service=service,
            name=name,
            market=self.market.snapshot(self._instruments[order_id]),
        )
        message = self._message(turn.time_ns, "timer", order_id, payload, None, None)
        turn.messages.append(message)
        self._run(turn, deque([message]))
        return turn

    def _note(self, message: Message[Any]) -> None:
        payload = message.payload
        if isinstance(payload, ChildOrderSubmitted):
            self._children[payload.child.child_order_id] = message.order_id
        elif message.event_type in ("create_order", "order_created"):
            self._instruments[message.order_id] = payload.order.instrument_id
        elif isinstance(payload, TimerAsked):
            self._set(
                payload.service,
                Timer(
                    order_id=payload.order_id,
                    name=payload.name,
                    at_ns=payload.at_ns,
                    instrument_id=payload.instrument_id,
                    at_volume=payload.at_volume,
                    at_price=payload.at_price,
                ),
            )

    def _timer(self, turn: Turn, service: str, timer: Timer, cause: Message[Any]) -> None:
        self._set(service, timer)

    def _set(self, service: str, timer: Timer) -> None:
        key = (service, timer.order_id, timer.name)
        self._watches.pop(key, None)
        self._timers.pop(key, None)
        wanted = timer.at_volume if timer.at_price is None else timer.at_price
        if timer.at_ns is None and wanted is None:
            return
        self._tickets += 1
        self._timers[key] = self._tickets
        if timer.at_ns is not None:
            heapq.heappush(self._due, (timer.at_ns, *key, self._tickets))
        if wanted is not None:
            instrument_id = timer.instrument_id or self._instruments[timer.order_id]
            self._watches[key] = (self._tickets, instrument_id, wanted)

    def _is_there(self, instrument_id: str, wanted: Decimal | QuoteWatch) -> bool:
        market = self.market.snapshot(instrument_id)
        if isinstance(wanted, QuoteWatch):
            return wanted.is_due(market.bid, market.ask)
        return market.cumulative_volume >= wanted

    def _drop_stale(self) -> None:
        while self._due and self._timers.get(self._due[0][1:4]) != self._due[0][4]:
            heapq.heappop(self._due)
