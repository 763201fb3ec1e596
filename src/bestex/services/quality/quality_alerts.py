"""What of quality a person should look at: an execution outside its limits, an algorithm whose costs turn worse."""

from collections.abc import Mapping

from bestex.domain.ids import time_ordered_uuid
from bestex.messages.monitoring import ExecutionMeasured
from bestex.messages.quality import ExecutionQualityAnalyzed, MetricScore, QualityAlert
from bestex.messages.records import QualityAlertRow
from bestex.services.quality.standards import UNACCEPTABLE

WATCHED = "COST_VS_MODEL"  # the metric whose trend is watched: one, so that noise has one chance per algorithm


class QualityAlerts:
    """Raises each alert once: a trend again only after it has been something else in between."""

    def __init__(self) -> None:
        self._trends: dict[str, str] = {}

    def remember(self, algorithm: str, card: Mapping[str, MetricScore]) -> None:
        """The trend that was already told in an earlier run."""
        self._trends[algorithm] = card[WATCHED].trend

    def found(
        self,
        measured: ExecutionMeasured,
        graded: ExecutionQualityAnalyzed,
        card: Mapping[str, MetricScore],
        *,
        now_ns: int,
    ) -> list[tuple[str, QualityAlert]]:
        """(ordering key, alert) of what this execution shows."""
        alerts = []
        if graded.quality_grade == UNACCEPTABLE:
            message = f"outside its limits: {'; '.join(measured.breaches)}"
            alerts.append((measured.order_id, _alert(measured.order_id, message, "HIGH", now_ns)))
        trend, before = card[WATCHED].trend, self._trends.get(measured.algorithm)
        self.remember(measured.algorithm, card)
        if trend == "WORSENING" and before != trend:
            message = "the costs of its latest orders against their pre-trade estimates are worse than before"
            alerts.append(("desk", _alert(measured.algorithm, message, "MEDIUM", now_ns)))
        return alerts


def alert_row(alert: QualityAlert, *, now_ns: int) -> QualityAlertRow:
    return QualityAlertRow(
        alert_id=alert.alert_id,
        subject=alert.subject,
        message=alert.message,
        severity=alert.severity,
        created_at_ns=now_ns,
    )


def _alert(subject: str, message: str, severity: str, now_ns: int) -> QualityAlert:
    return QualityAlert(
        alert_id=time_ordered_uuid(now_ns, "quality", subject, message),
        subject=str(subject),
        message=message,
        severity=severity,
    )
