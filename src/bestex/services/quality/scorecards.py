"""The scorecard of one execution: every metric with its score, weight, rank and trend."""

from collections import defaultdict
from collections.abc import Mapping

from bestex.messages.quality import MetricScore
from bestex.quant.metric_specs import BY_NAME, Polarity
from bestex.services.quality.config import QualityConfig
from bestex.services.quality.grades import metric_score
from bestex.services.quality.history import History
from bestex.services.quality.readings import Reading
from bestex.services.quality.standards import Rule, Scoring, Standard


class Scorecards:
    """Makes scorecards, and remembers those of like executions: the same algorithm."""

    def __init__(self, standard: Standard, config: QualityConfig) -> None:
        self._standard = standard
        self._config = config
        self._histories: defaultdict[tuple[str, str], History] = defaultdict(
            lambda: History(kept=config.like_executions_kept)
        )

    def scorecard(
        self, algorithm: str, found: dict[str, Reading], *, sd_bps: float | None, spread_bps: float | None
    ) -> dict[str, MetricScore]:
        """Ranks and trends are among the executions remembered so far, this one not included."""
        scores = {
            name: metric_score(found[name], scoring, sd_bps=sd_bps, spread_bps=spread_bps)
            for name, scoring in self._standard.scoring.items()
        }
        present = sum(self._standard.scoring[name].weight for name, score in scores.items() if score is not None)
        return {
            name: self._metric(algorithm, name, reading, scores.get(name), present) for name, reading in found.items()
        }

    def remember(self, algorithm: str, values: Mapping[str, float | None]) -> None:
        """Add an execution's metric values to the history of its algorithm."""
        for name, value in values.items():
            goodness = _goodness(name, value)
            if goodness is not None:
                self._histories[algorithm, name].add(goodness)

    def _metric(self, algorithm: str, name: str, reading: Reading, score: float | None, present: float) -> MetricScore:
        scoring = self._standard.scoring.get(name)
        history = self._histories[algorithm, name]
        goodness = _goodness(name, reading.value)
        sample_min = self._config.like_executions_min
        note = reading.note
        if scoring is not None and score is None and note is None:
            note = "not scored: " + _why_not(scoring, reading)
        return MetricScore(
            metric_value=reading.value,
            benchmark_value=reading.benchmark,
            percentile_rank=None if goodness is None else history.percentile_rank(goodness, sample_min=sample_min),
            quality_score=score,
            weight=scoring.weight / present if scoring is not None and score is not None else 0.0,
            trend=history.trend(recent=self._config.recent_executions, sample_min=sample_min),
            unit=BY_NAME[name].unit,
            note=note,
        )


def _goodness(name: str, value: float | None) -> float | None:
    """The value, turned so that higher is better; None for a description, which has no better."""
    spec = BY_NAME.get(name)
    if value is None or spec is None or spec.polarity is Polarity.DESCRIPTION:
        return None
    return -value if spec.polarity is Polarity.COST else value


def _why_not(scoring: Scoring, reading: Reading) -> str:
    if scoring.rule is Rule.ANCHORS:
        return "no quoted spread at arrival to measure it in"
    return "no pre-trade figure for it" if reading.benchmark is None else "the order's own risk is not known"
