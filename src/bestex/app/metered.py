"""The observer that counts and times what a process does."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Tracer
from prometheus_client import Histogram

from bestex.app import metrics
from bestex.app.clock import WallClock, stopwatch_ns
from bestex.app.metrics import STANDING
from bestex.app.observer import Observer
from bestex.app.record_versions import RecordVersions
from bestex.domain.errors import BestexError
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.messages.execution import ChildOrderSubmitted, ExecutionCompleted, ExecutionReport
from bestex.messages.monitoring import ExecutionAlertGenerated
from bestex.messages.quality import QualityAlert
from bestex.ports import Delivery, Service

if TYPE_CHECKING:
    from bestex.app.host import Turn
    from bestex.app.worker import Worker


class Metered(Observer):
    """Feeds `bestex.app.metrics`."""

    tracer: Tracer | None = None  # of the process's spans; None = it makes none

    def __init__(self) -> None:
        self._steps: dict[tuple[str, str], Histogram] = {}
        self._wall = WallClock()
        self.versions = RecordVersions(str(self._wall.now_ns()))

    def works(self, worker: "Worker") -> None:
        STANDING.workers[worker.name] = worker

    def step(self, service: Service, message: Message[Any]) -> Effects:
        began_ns = stopwatch_ns()
        try:
            effects = service.handle(message)
        except BestexError as error:
            metrics.HANDLE_REFUSALS.labels(service.name, error.code).inc()
            raise
        except Exception:
            metrics.HANDLE_FAILURES.labels(service.name).inc()
            raise
        key = (service.name, message.event_type)
        if (histogram := self._steps.get(key)) is None:
            histogram = self._steps[key] = metrics.HANDLE_SECONDS.labels(*key)
        histogram.observe((stopwatch_ns() - began_ns) / NS_PER_SECOND)
        return effects

    def read(self, worker: str, group: Sequence[Delivery]) -> None:
        age_ns = self._wall.now_ns() - group[-1].published_ns
        metrics.BUS_AGE_SECONDS.labels(worker).set(max(0, age_ns) / NS_PER_SECOND)

    def committed(
        self, worker: str, began_ns: int, turns: Sequence["Turn"], said: Sequence[Message[Any]], *, sends: bool
    ) -> None:
        now_ns = stopwatch_ns()
        metrics.COMMIT_SECONDS.labels(worker).observe((now_ns - began_ns) / NS_PER_SECOND)
        metrics.COMMIT_TURNS.labels(worker).observe(len(turns))
        for turn in turns:
            self.versions.saved(turn.records)
            if turn.messages:
                metrics.TURNS.labels(turn.messages[0].event_type).inc()
        for message in said:
            _count(message)
        if said:
            STANDING.waiting_since_ns.setdefault(worker, now_ns)

    def published(self, worker: str, began_ns: int, messages: Sequence[Message[Any]], waiting: int) -> None:
        now_ns = stopwatch_ns()
        metrics.PUBLISH_SECONDS.labels(worker).observe((now_ns - began_ns) / NS_PER_SECOND)
        metrics.PUBLISHED.labels(worker).inc(len(messages))
        if waiting:
            STANDING.waiting_since_ns[worker] = now_ns
        else:
            STANDING.waiting_since_ns.pop(worker, None)

    def refused_stale(self, worker: str) -> None:
        metrics.STALE_REFUSALS.labels(worker).inc()

    def recovered(self, worker: str, seconds: float) -> None:
        metrics.RECOVERY_SECONDS.labels(worker).set(seconds)

    def lease(self, name: str, change: str) -> None:
        metrics.LEASE_CHANGES.labels(name, change).inc()


def _count(message: Message[Any]) -> None:
    match message.payload:
        case ExecutionAlertGenerated(state="FIRING") as alert:
            metrics.ALERTS.labels(alert.alert_type, alert.severity).inc()
        case QualityAlert() as alert:
            metrics.ALERTS.labels("QUALITY", alert.severity).inc()
        case ExecutionCompleted() as completed:
            metrics.EXECUTIONS.labels(completed.state.value).inc()
        case ExecutionReport() as report:
            metrics.VENUE_REPORTS.labels(report.report.kind.value).inc()
        case ChildOrderSubmitted():
            metrics.CHILD_ORDERS.inc()
        case _:
            pass
