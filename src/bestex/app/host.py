"""The services of one process: messages in, the services' steps, one turn out.

A turn starts with something from outside (a request, a fact from another process) and runs until nobody here has
anything more to say. Everything it led to is one atomic batch of the journal. Services of one process hear each other
at once; the world outside hears nothing before the batch is durable. So a crash loses at most turns that nobody outside
has seen.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bestex.app.observer import SILENT
from bestex.domain.errors import BestexError, NotFound
from bestex.domain.ids import time_ordered_uuid
from bestex.messages.codec import PAYLOADS
from bestex.messages.effects import Effects, Timer
from bestex.messages.envelope import Message, Payload
from bestex.messages.execution import ChildOrderCancelRequested, ChildOrderSubmitted, TimerAsked, TimerDue
from bestex.messages.records import Record
from bestex.messages.streams import DESK, is_of_an_order
from bestex.ports import Batch, Service


@dataclass(kw_only=True)
class Turn:
    """What one turn led to. `batch` must be durable before anybody outside hears of it."""

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


class Host:
    """Services without a market of their own. Synchronous and deterministic: others own time and commits.

    Timers that services ask for leave as `timer_asked`, to whoever keeps the market's time.
    """

    def __init__(self, services: Sequence[Service], shard: int | None = None) -> None:
        """`shard` where hosts of one service share the orders: each speaks of the desk under a name of its own."""
        self.services = tuple(services)
        self._shard = shard
        self.time_ns = 0  # the latest heard of
        self._takers: dict[str, tuple[Service, ...]] = {
            name: tuple(service for service in services if name in service.takes) for name in PAYLOADS
        }
        self._sequences: dict[tuple[str, str], int] = {}
        self.step: Callable[[Service, Message[Any]], Effects] = SILENT.step  # how a service handles a message

    @property
    def sources(self) -> frozenset[str]:
        """The names under which this process speaks."""
        names = [name for service in self.services for name in (service.name, requests_source(service.name))]
        return frozenset(names) | {self._speaker(name, DESK) for name in names}

    @property
    def now_ns(self) -> int:
        return self.time_ns

    def _speaker(self, source: str, key: str) -> str:
        return source if self._shard is None or is_of_an_order(key) else f"{source}-{self._shard}"

    def takes(self, event_type: str) -> bool:
        return bool(self._takers.get(event_type))

    # -- turns ---------------------------------------------------------------------------------------------------

    def request(
        self, service: str, payload: Payload, *, order_id: str, time_ns: int, correlation_id: str | None
    ) -> Turn:
        """One request to one service.

        Raises:
            BestexError: if the service refuses; then nothing has changed.
        """
        turn = self._turn(time_ns)
        message = self._message(turn.time_ns, requests_source(service), order_id, payload, None, correlation_id)
        taker = next((item for item in self._takers[payload.message_type] if item.name == service), None)
        if taker is None:
            raise NotFound(f"no service {service!r} that takes {payload.message_type}", field="service", value=service)
        try:
            effects = self.step(taker, message)
        except BestexError:
            self._forget(message)
            raise
        turn.messages.append(message)
        turn.answer = effects.answer
        self._run(turn, deque(self._record(turn, taker, message, effects)))
        return turn

    def hear(self, message: Message[Any]) -> Turn:
        """A fact from another process. What the services here make of it carries the fact's own time."""
        self.time_ns = max(self.time_ns, message.time_ns)
        turn = Turn(time_ns=message.time_ns, messages=[message])
        self._run(turn, deque([message]))
        return turn

    def release(self, turn: Turn) -> None:
        """What a kind of host does once a turn is durable."""

    # -- recovery ------------------------------------------------------------------------------------------------

    def recover(
        self, message: Message[Any], *, only: frozenset[str] | None = None, skip: frozenset[str] = frozenset()
    ) -> None:
        """Feed a message of the journal again: states come back, effects do not happen a second time."""
        self.time_ns = max(self.time_ns, message.time_ns)
        key = (message.order_id, message.source_service)
        self._sequences[key] = max(self._sequences.get(key, 0), message.sequence)
        self._note(message)
        for service in self._takers_of(message):
            if service.name not in skip and (only is None or service.name in only):
                self._recovered(service, service.handle(message))

    # -- inside --------------------------------------------------------------------------------------------------

    def _turn(self, time_ns: int) -> Turn:
        self.time_ns = max(self.time_ns, time_ns)
        return Turn(time_ns=self.time_ns)

    def _run(self, turn: Turn, queue: deque[Message[Any]]) -> None:
        while queue:
            message = queue.popleft()
            self._note(message)
            for service in self._takers_of(message):
                queue.extend(self._record(turn, service, message, self.step(service, message)))

    def _takers_of(self, message: Message[Any]) -> Sequence[Service]:
        takers = self._takers[message.event_type]
        if isinstance(message.payload, TimerDue):
            return [service for service in takers if service.name == message.payload.service]
        return takers

    def _record(self, turn: Turn, service: Service, cause: Message[Any], effects: Effects) -> list[Message[Any]]:
        self._note(cause)
        said = [
            self._message(turn.time_ns, service.name, order_id, payload, cause.event_id, cause.correlation_id)
            for order_id, payload in effects.events
        ]
        turn.messages.extend(said)
        turn.records.extend(effects.records)
        for timer in effects.timers:
            self._timer(turn, service.name, timer, cause)
        return said

    def _timer(self, turn: Turn, service: str, timer: Timer, cause: Message[Any]) -> None:
        asked = TimerAsked(
            order_id=timer.order_id,
            service=service,
            name=timer.name,
            at_ns=timer.at_ns,
            instrument_id=timer.instrument_id,
            at_volume=timer.at_volume,
            at_price=timer.at_price,
        )
        message = self._message(turn.time_ns, service, timer.order_id, asked, cause.event_id, cause.correlation_id)
        turn.messages.append(message)

    def _recovered(self, service: Service, effects: Effects) -> None:
        """What a recovered step asked for is in the journal as well."""

    def _message(
        self, time_ns: int, source: str, order_id: str, payload: Payload, cause: str | None, correlation: str | None
    ) -> Message[Any]:
        source = self._speaker(source, order_id)
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
        """What a kind of host wants to know of every message."""


def requests_source(service: str) -> str:
    """The source of what a service has accepted from clients: each accepting service numbers its own."""
    return f"{service}-requests"
