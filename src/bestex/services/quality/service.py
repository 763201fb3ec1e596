"""The quality service: which messages it takes and sends. It grades executions, venues and algorithms."""

from collections.abc import Sequence
from typing import Any

import msgspec

from bestex.domain.errors import NotFound
from bestex.messages.codec import client_view
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.messages.monitoring import ExecutionMeasured
from bestex.messages.quality import AnalyzeQuality, ExecutionQualityAnalyzed
from bestex.messages.records import (
    AlgorithmProfileRow,
    QualityResultRow,
    QualityStandardRow,
    Record,
    VenueProfileRow,
)
from bestex.ports import ReferenceData
from bestex.services.quality.algorithms import Algorithms
from bestex.services.quality.analysis import analysis
from bestex.services.quality.config import QualityConfig
from bestex.services.quality.quality_alerts import QualityAlerts, alert_row
from bestex.services.quality.readings import readings
from bestex.services.quality.scorecards import Scorecards
from bestex.services.quality.standards import STANDARD
from bestex.services.quality.venues import Venues


class QualityService:
    """Grades each measured execution once, and rolls it up by venue and algorithm."""

    name = "quality"
    takes = frozenset({"execution_measured", "analyze_quality"})
    restores: tuple[type[Record], ...] = (QualityResultRow, VenueProfileRow, AlgorithmProfileRow)

    def __init__(self, reference: ReferenceData, config: QualityConfig) -> None:
        self._reference = reference
        self._config = config
        self._scorecards = Scorecards(STANDARD, config)
        self._venues = Venues(STANDARD, config)
        self._algorithms = Algorithms(STANDARD, config)
        self._alerts = QualityAlerts()
        self._analyses: dict[str, ExecutionQualityAnalyzed] = {}

    def initial_records(self, now_ns: int) -> Sequence[QualityStandardRow]:
        """The standard that grades name by its version."""
        return (STANDARD.row(created_at_ns=now_ns),)

    def restore(self, rows: Sequence[Record]) -> None:
        """Continue from the rows of an earlier run: what was graded, and the sums of the roll-ups."""
        for row in sorted(rows, key=_age):
            match row:
                case QualityResultRow():
                    graded = msgspec.convert(row.analysis, ExecutionQualityAnalyzed)
                    self._analyses[row.order_id] = graded
                    values = {name: score.metric_value for name, score in graded.metric_breakdown.items()}
                    self._scorecards.remember(row.algorithm, values)
                    self._alerts.remember(row.algorithm, graded.metric_breakdown)
                case VenueProfileRow():
                    self._venues.restore(row)
                case AlgorithmProfileRow():
                    self._algorithms.restore(row)

    def state(self, order_id: str) -> object:
        return self._analyses.get(order_id)

    def handle(self, message: Message[Any]) -> Effects:
        match message.payload:
            case ExecutionMeasured() as fact:
                return self._grade(fact, message.time_ns)
            case AnalyzeQuality() as request:
                return self._answer(request)
        return Effects()

    def _grade(self, measured: ExecutionMeasured, now_ns: int) -> Effects:
        if measured.order_id in self._analyses:
            return Effects()
        multiplier = self._reference.instrument(measured.instrument_id).multiplier
        found = readings(measured, multiplier=multiplier)
        card = self._scorecards.scorecard(
            measured.algorithm,
            found,
            sd_bps=None if measured.expected_cost_sd is None else measured.expected_cost_sd * 1e4,
            spread_bps=measured.quoted_spread_bps,
        )
        self._scorecards.remember(measured.algorithm, {name: reading.value for name, reading in found.items()})
        self._venues.add(measured, multiplier=multiplier)
        self._algorithms.add(measured, card)
        venues_known = self._venues.posteriors()
        algorithm = self._algorithms.performance(measured.algorithm, self._algorithms.posteriors())
        graded = analysis(
            measured,
            found,
            card,
            venue_scores=tuple(self._venues.score(venue, measured, multiplier=multiplier) for venue in measured.venues),
            venues_known=venues_known,
            venue_orders={venue.venue: self._venues.orders(venue.venue) for venue in measured.venues}
            | {name: self._venues.orders(name) for name in venues_known},
            algorithm=algorithm,
            standard=STANDARD,
            config=self._config,
        )
        self._analyses[measured.order_id] = graded
        effects = Effects(events=[(measured.order_id, graded)], records=[_result(measured, graded, now_ns)])
        for key, alert in self._alerts.found(measured, graded, card, now_ns=now_ns):
            effects.events.append((key, alert))
            effects.records.append(alert_row(alert, now_ns=now_ns))
        for venue in measured.venues:
            performance = self._venues.performance(venue.venue, venues_known)
            effects.events.append((f"venue:{venue.venue}", performance))
            effects.records.append(self._venues.row(performance, self._reference.venue(venue.venue), now_ns=now_ns))
        effects.events.append(("desk", algorithm))
        effects.records.append(self._algorithms.row(algorithm, now_ns=now_ns))
        return effects

    def _answer(self, request: AnalyzeQuality) -> Effects:
        graded = self._analyses.get(request.order_id)
        if graded is None:
            raise NotFound(
                f"order {request.order_id} has not been graded: it is unknown, or not complete",
                field="order_id",
                value=request.order_id,
                expected="a completed order",
            )
        return Effects(answer=graded)


def _result(measured: ExecutionMeasured, graded: ExecutionQualityAnalyzed, now_ns: int) -> QualityResultRow:
    return QualityResultRow(
        order_id=measured.order_id,
        instrument_id=measured.instrument_id,
        algorithm=measured.algorithm,
        strategy_name=measured.strategy_name,
        overall_quality_score=graded.overall_quality_score,
        quality_grade=graded.quality_grade,
        analysis=client_view(graded),
        created_at_ns=now_ns,
    )


def _age(row: Record) -> int:
    return row.created_at_ns if isinstance(row, QualityResultRow) else 0
