"""One order's score, its grade, and how far luck alone could have moved both."""

from dataclasses import dataclass

from bestex.messages.quality import QualityInterval
from bestex.quant.grading import grade_of_score, half_width_z, score_of_z
from bestex.services.quality.readings import Reading
from bestex.services.quality.standards import UNACCEPTABLE, Rule, Scoring, Standard


@dataclass(frozen=True, kw_only=True)
class Graded:
    """`score`, `grade` and `interval` are None together, except that a broken limit is UNACCEPTABLE without a score."""

    score: float | None
    grade: str | None
    interval: QualityInterval | None


def metric_score(
    reading: Reading, scoring: Scoring, *, sd_bps: float | None, spread_bps: float | None, luck_z: float = 0.0
) -> float | None:
    """0..1, higher is better; None when the value, its benchmark, the order's risk or the spread is missing.

    Args:
        sd_bps: sd of the order's pre-trade cost.
        spread_bps: quoted spread at arrival.
        luck_z: the score as it would be if this many standard deviations of the cost were taken out as bad luck.
    """
    if reading.value is None:
        return None
    if scoring.rule is Rule.OWN_RISK:
        if reading.benchmark is None or not sd_bps:
            return None
        return score_of_z((reading.value - reading.benchmark) / (sd_bps * scoring.risk_scale) - luck_z)
    unit = spread_bps if scoring.in_spreads else 1.0
    if not unit:
        return None
    return min(max((reading.value / unit - scoring.worst) / (scoring.best - scoring.worst), 0.0), 1.0)


def graded(
    found: dict[str, Reading],
    standard: Standard,
    *,
    sd_bps: float | None,
    spread_bps: float | None,
    has_breaches: bool,
    coverage: float,
) -> Graded:
    """The overall score, its grade by the standard's cut points, and the interval of both.

    The cost of one order is its quality plus the luck of its market. The interval moves every score that luck moves by
    the central `coverage` of the order's own pre-trade distribution, all together, and keeps the others. Without that
    distribution there is no interval, and then no score and no grade.
    """
    if (
        metric_score(found["COST_VS_MODEL"], standard.scoring["COST_VS_MODEL"], sd_bps=sd_bps, spread_bps=spread_bps)
        is None
    ):
        return Graded(score=None, grade=UNACCEPTABLE if has_breaches else None, interval=None)
    width = half_width_z(coverage)
    low, score, high = (
        _overall(found, standard, sd_bps=sd_bps, spread_bps=spread_bps, luck_z=luck) for luck in (-width, 0.0, width)
    )

    def grade(value: float) -> str:
        return UNACCEPTABLE if has_breaches else grade_of_score(value, standard.order_grades)

    interval = QualityInterval(low=low, high=high, grade_low=grade(low), grade_high=grade(high))
    return Graded(score=score, grade=grade(score), interval=interval)


def _overall(
    found: dict[str, Reading], standard: Standard, *, sd_bps: float | None, spread_bps: float | None, luck_z: float
) -> float:
    """Weighted mean of the scores that exist: what is missing hands its weight to the others in proportion."""
    total = weight = 0.0
    for name, scoring in standard.scoring.items():
        score = metric_score(found[name], scoring, sd_bps=sd_bps, spread_bps=spread_bps, luck_z=luck_z)
        if score is not None:
            total += scoring.weight * score
            weight += scoring.weight
    return total / weight
