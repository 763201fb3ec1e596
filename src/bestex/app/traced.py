"""The observer that also draws spans: one trace for each order, across processes.

A span hangs below the step that said its message; a fact from another process brings that step's context in its bus
headers; what the market and the timers begin hangs below the order's first step here. Spans carry the order id and the
correlation id as attributes. What is remembered for this is bounded and lost with the process: then a new trace begins.
"""

import contextlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import Link, SpanContext, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bestex.app.clock import stopwatch_ns
from bestex.app.metered import Metered
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.messages.execution import ChildOrderSubmitted, ExecutionReport
from bestex.ports import Service

if TYPE_CHECKING:
    from bestex.app.host import Turn

_KEPT_MAX = 50_000
_PROPAGATOR = TraceContextTextMapPropagator()

Parent = SpanContext | None


class Traced(Metered):
    """Metrics and spans. Spans are made when their work is over, so nothing is held open across a wait."""

    tracer: Tracer

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self.tracer = tracer
        self._said_in: OrderedDict[tuple[str, str], SpanContext] = OrderedDict()  # (source, cause) -> span that said it
        self._orders: OrderedDict[str, SpanContext] = OrderedDict()  # order id -> its first span here
        self._children: OrderedDict[str, SpanContext] = OrderedDict()  # child order id -> its submission

    def step(self, service: Service, message: Message[Any]) -> Effects:
        parent = self._parent(message)
        began_ns, wall_ns = stopwatch_ns(), self._wall.now_ns()
        failure: BaseException | None = None
        try:
            return super().step(service, message)
        except BaseException as error:
            failure = error
            raise
        finally:
            span = self._span(
                f"{service.name} handles {message.event_type}",
                parent,
                wall_ns,
                stopwatch_ns() - began_ns,
                message,
                service=service.name,
            )
            if failure is not None:
                span.set_attribute("error", repr(failure)[:200])
            span.end(end_time=wall_ns + stopwatch_ns() - began_ns)
            self._keep(self._said_in, (service.name, message.event_id), span.get_span_context())
            if message.order_id not in self._orders:
                self._keep(self._orders, message.order_id, span.get_span_context())

    def heard(self, message: Message[Any], headers: Mapping[str, str]) -> None:
        remote = trace.get_current_span(_PROPAGATOR.extract(headers, context=contexts.Context())).get_span_context()
        if remote.is_valid:
            self._keep(self._said_in, _key(message), remote)

    @contextlib.contextmanager
    def following(self, headers: Mapping[str, str]) -> Iterator[None]:
        token = contexts.attach(_PROPAGATOR.extract(headers, context=contexts.Context()))
        try:
            yield
        finally:
            contexts.detach(token)

    def headers(self, message: Message[Any] | None) -> dict[str, str]:
        carrier: dict[str, str] = {}
        if message is None:
            _PROPAGATOR.inject(carrier)
        elif (parent := self._parent(message)) is not None:
            _PROPAGATOR.inject(carrier, context=_within(parent))
        return carrier

    def committed(
        self, worker: str, began_ns: int, turns: Sequence["Turn"], said: Sequence[Message[Any]], *, sends: bool
    ) -> None:
        super().committed(worker, began_ns, turns, said, sends=sends)
        took_ns = stopwatch_ns() - began_ns
        wall_ns = self._wall.now_ns() - took_ns
        for turn in turns:
            if turn.messages:
                first = turn.messages[0]
                span = self._span("commit", self._parent(first), wall_ns, took_ns, first, service=worker)
                span.set_attribute("bestex.turns", len(turns))
                span.end(end_time=wall_ns + took_ns)
            if sends:
                self._submissions(turn.messages, wall_ns + took_ns, worker)

    def published(self, worker: str, began_ns: int, messages: Sequence[Message[Any]], waiting: int) -> None:
        super().published(worker, began_ns, messages, waiting)
        took_ns = stopwatch_ns() - began_ns
        wall_ns = self._wall.now_ns() - took_ns
        for message in messages:
            name = f"publish {message.event_type}"
            span = self._span(name, self._parent(message), wall_ns, took_ns, message, SpanKind.PRODUCER, service=worker)
            span.end(end_time=wall_ns + took_ns)

    def _submissions(self, messages: Sequence[Message[Any]], wall_ns: int, worker: str) -> None:
        for message in messages:
            if isinstance(message.payload, ChildOrderSubmitted):
                child = message.payload.child
                span = self._span(
                    f"submit to {child.venue}",
                    self._parent(message),
                    wall_ns,
                    0,
                    message,
                    SpanKind.CLIENT,
                    service=worker,
                )
                span.end(end_time=wall_ns)
                self._keep(self._children, str(child.child_order_id), span.get_span_context())

    def _span(
        self,
        name: str,
        parent: Parent,
        wall_ns: int,
        took_ns: int,
        message: Message[Any],
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        service: str,
    ) -> trace.Span:
        attributes: dict[str, str | int] = {
            "bestex.order_id": message.order_id,
            "bestex.correlation_id": message.correlation_id,
            "bestex.event_type": message.event_type,
            "bestex.service": service,
            "bestex.desk_time_ns": message.time_ns,
            "bestex.took_ns": took_ns,
        }
        links = [Link(parent)] if parent is not None and parent.is_remote else []
        within = _within(parent) if parent is not None else contexts.Context()
        return self.tracer.start_span(
            name, context=within, kind=kind, attributes=attributes, links=links, start_time=wall_ns
        )

    def _parent(self, message: Message[Any]) -> Parent:
        """The step that said it; of a venue's report the submission; else the request under way; else the order."""
        if (found := self._said_in.get(_key(message))) is not None:
            return found
        if isinstance(message.payload, ExecutionReport):
            child_id = str(message.payload.report.child_order_id)
            if (found := self._children.get(child_id)) is not None:
                return found
        current = trace.get_current_span().get_span_context()
        return current if current.is_valid else self._orders.get(message.order_id)

    def _keep(self, kept: OrderedDict[Any, SpanContext], key: object, span: SpanContext) -> None:
        kept[key] = span
        if len(kept) > _KEPT_MAX:
            kept.popitem(last=False)


def _key(message: Message[Any]) -> tuple[str, str]:
    return message.source_service, message.causation_id or message.event_id


def _within(parent: SpanContext) -> contexts.Context:
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), contexts.Context())
