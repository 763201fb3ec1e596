"""The desk: messages in, the services' steps, one commit, then what it leads to outside.

A turn starts with something from outside (a request, venue reports, a timer) and runs until nobody has anything more
to say. Everything it led to is one atomic batch of the journal. Services of one process hear each other at once;
the world outside (venues, clients, listeners) hears nothing before the batch is durable. So a crash loses at most turns
that nobody outside has seen.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bestex.domain.errors import BestexError, NotFound
from bestex.domain.fills import VenueReport
from bestex.domain.ids import time_ordered_uuid
from bestex.messages.codec import PAYLOADS
from bestex.messages.effects import Timer
from bestex.messages.envelope import Message, Payload
from bestex.messages.execution import ChildOrderCancelRequested, ChildOrderSubmitted, ExecutionReport, TimerDue
from bestex.messages.records import Record
from bestex.ports import Batch, Market, Service


@dataclass(kw_only=True)
class Turn:
    """What one turn led to. `batch` must be durable before `release` is called on it."""

    time_ns: int
    messages: list[Message[Any]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    answer: Any = None

    @property
    def is_outbound(self) -> bool:
        """Whether a venue will hear of it."""
        kinds = (ChildOrderSubmitted, ChildOrderCancelRequested)
        return any(isinstance(message.payload, kinds) for message in self.messages)

    @property
    def batch(self) -> Batch:
        latest = {(type(row), tuple(getattr(row, name) for name in row.key)): row for row in self.records}
        return Batch(messages=self.messages, records=list(latest.values()))


class Desk:
    """Services around one market. Synchronous and deterministic: the two drivers own time and commits."""

    def __init__(self, services: Sequence[Service], market: Market) -> None:
        self.services = tuple(services)
        self.market = market
        self.time_ns = market.now_ns
        self._takers: dict[str, tuple[Service, ...]] = {
            name: tuple(service for service in services if name in service.takes) for name in PAYLOADS
        }
        self._sequences: dict[tuple[str, str], int] = {}
        self._instruments: dict[str, str] = {}  # order id -> instrument id
        self._children: dict[str, str] = {}  # child order id -> parent order id
        self._timers: dict[tuple[str, str, str], int] = {}  # (service, order, name) -> ticket now valid
        self._due: list[tuple[int, int, str, str, str]] = []  # heap of (at_ns, ticket, service, order, name)
        self._volumes: dict[tuple[str, str, str], tuple[int, str, Decimal]] = {}  # key -> (ticket, instrument, volume)
        self._tickets = 0

    # -- turns ---------------------------------------------------------------------------------------------------

    def request(
        self, service: str, payload: Payload, *, order_id: str, time_ns: int, correlation_id: str | None
    ) -> Turn:
        """One request to one service.

        Raises:
            BestexError: if the service refuses; then nothing has changed.
        """
        turn = self._turn(time_ns)
        message = self._message(turn.time_ns, "api", order_id, payload, None, correlation_id)
        taker = next((item for item in self._takers[payload.message_type] if item.name == service), None)
        if taker is None:
            raise NotFound(f"no service {service!r} that takes {payload.message_type}", field="service", value=service)
        try:
            effects = taker.handle(message)
        except BestexError:
            self._forget(message)
            raise
        turn.messages.append(message)
        turn.answer = effects.answer
        self._run(turn, deque(self._record(turn, taker, message, effects)))
        return turn

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
        """The earliest timer that is due by the market's present time, or volume threshold reached; None if none is."""
        for key, (ticket, instrument_id, volume) in sorted(self._volumes.items()):
            if self.market.snapshot(instrument_id).cumulative_volume >= volume:
                del self._volumes[key]
                if self._timers.get(key) == ticket:
                    return self._fire(key, self.market.now_ns)
        self._drop_stale()
        if self._due and self._due[0][0] <= self.market.now_ns:
            at_ns, _, service, order_id, name = heapq.heappop(self._due)
            return self._fire((service, order_id, name), max(at_ns, self.time_ns))
        return None

    def next_timer_ns(self) -> int | None:
        self._drop_stale()
        return self._due[0][0] if self._due else None

    @property
    def watches_volume(self) -> bool:
        return bool(self._volumes)

    def release(self, turn: Turn) -> None:
        """Let a durable turn reach the venues."""
        for message in turn.messages:
            match message.payload:
                case ChildOrderSubmitted() as intent:
                    self.market.submit(intent.child, max(message.time_ns, self.market.now_ns))
                case ChildOrderCancelRequested() as intent:
                    self.market.cancel(intent.child_order_id, max(message.time_ns, self.market.now_ns))
                case _:
                    pass

    # -- recovery ------------------------------------------------------------------------------------------------

    def recover(
        self, message: Message[Any], *, only: frozenset[str] | None = None, skip: frozenset[str] = frozenset()
    ) -> None:
        """Feed a message of the journal again: states and timers come back, effects do not happen a second time."""
        self.time_ns = max(self.time_ns, message.time_ns)
        key = (message.order_id, message.source_service)
        self._sequences[key] = max(self._sequences.get(key, 0), message.sequence)
        self._note(message)
        if isinstance(message.payload, TimerDue):
            self._timers.pop((message.payload.service, message.order_id, message.payload.name), None)
            self._volumes.pop((message.payload.service, message.order_id, message.payload.name), None)
        for service in self._takers_of(message):
            if service.name not in skip and (only is None or service.name in only):
                for timer in service.handle(message).timers:
                    self._set(service.name, timer)

    # -- inside --------------------------------------------------------------------------------------------------

    def _turn(self, time_ns: int) -> Turn:
        self.time_ns = max(self.time_ns, time_ns)
        return Turn(time_ns=self.time_ns)

    def _fire(self, key: tuple[str, str, str], time_ns: int) -> Turn:
        service, order_id, name = key
        self._timers.pop(key, None)
        self._volumes.pop(key, None)
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

    def _run(self, turn: Turn, queue: deque[Message[Any]]) -> None:
        while queue:
            message = queue.popleft()
            self._note(message)
            for service in self._takers_of(message):
                queue.extend(self._record(turn, service, message, service.handle(message)))

    def _takers_of(self, message: Message[Any]) -> Sequence[Service]:
        takers = self._takers[message.event_type]
        if isinstance(message.payload, TimerDue):
            return [service for service in takers if service.name == message.payload.service]
        return takers

    def _record(self, turn: Turn, service: Service, cause: Message[Any], effects: Any) -> list[Message[Any]]:
        self._note(cause)
        messages = [
            self._message(turn.time_ns, service.name, order_id, payload, cause.event_id, cause.correlation_id)
            for order_id, payload in effects.events
        ]
        turn.messages.extend(messages)
        turn.records.extend(effects.records)
        for timer in effects.timers:
            self._set(service.name, timer)
        return messages

    def _message(
        self, time_ns: int, source: str, order_id: str, payload: Payload, cause: str | None, correlation: str | None
    ) -> Message[Any]:
        sequence = self._sequences.get((order_id, source), 0) + 1
        self._sequences[order_id, source] = sequence
        event_id = time_ordered_uuid(time_ns, source, order_id, sequence)
        return Message(
            event_id=event_id,
            event_type=payload.message_type,
            schema_version=payload.schema_version,
            time_ns=time_ns,
            source_service=source,
            order_id=order_id,
            sequence=sequence,
            causation_id=cause,
            correlation_id=correlation or event_id,
            payload=payload,
        )

    def _forget(self, message: Message[Any]) -> None:
        self._sequences[message.order_id, message.source_service] -= 1

    def _note(self, message: Message[Any]) -> None:
        payload = message.payload
        if isinstance(payload, ChildOrderSubmitted):
            self._children[payload.child.child_order_id] = message.order_id
        elif message.event_type in ("create_order", "order_created"):
            self._instruments[message.order_id] = payload.order.instrument_id

    def _set(self, service: str, timer: Timer) -> None:
        key = (service, timer.order_id, timer.name)
        self._volumes.pop(key, None)
        self._timers.pop(key, None)
        if timer.at_ns is None and timer.at_volume is None:
            return
        self._tickets += 1
        self._timers[key] = self._tickets
        if timer.at_ns is not None:
            heapq.heappush(self._due, (timer.at_ns, self._tickets, *key))
        if timer.at_volume is not None:
            instrument_id = timer.instrument_id or self._instruments[timer.order_id]
            self._volumes[key] = (self._tickets, instrument_id, timer.at_volume)

    def _drop_stale(self) -> None:
        while self._due and self._timers.get((self._due[0][2], self._due[0][3], self._due[0][4])) != self._due[0][1]:
            heapq.heappop(self._due)
