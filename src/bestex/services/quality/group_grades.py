"""Scores and grades of groups (venues, algorithms): with enough orders, an interval and confidence, or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from bestex.quant.grading import grade_probabilities, half_width_z
from bestex.quant.rollups import RatioOfSums
from bestex.quant.shrinkage import GroupPosterior, shrunk_means
from bestex.services.quality.config import QualityConfig
from bestex.services.quality.standards import CutPoints


@dataclass(frozen=True, kw_only=True)
class GroupGrade:
    """`note` says why there is no score or no grade."""

    score: float | None
    grade: str | None
    low: float | None
    high: float | None
    note: str | None


def posteriors(groups: Mapping[str, RatioOfSums], *, prior_scale: float) -> dict[str, GroupPosterior]:
    """Each group's true mean, given all groups; a group without a standard error is left out."""
    errors = {name: group.standard_error for name, group in groups.items()}
    names = [name for name in sorted(groups) if errors[name]]
    if not names:
        return {}
    estimates = np.array([groups[name].value for name in names], dtype=np.float64)
    standard_errors = np.array([errors[name] for name in names], dtype=np.float64)
    return dict(zip(names, shrunk_means(estimates, standard_errors, prior_scale=prior_scale), strict=True))


def group_grade(
    group: RatioOfSums, posterior: GroupPosterior | None, cut_points: CutPoints, config: QualityConfig
) -> GroupGrade:
    """Grade a group whose posterior is of its score (0..1), or abstain and say why."""
    if group.orders < config.group_orders_min:
        return _abstains(f"insufficient evidence: {group.orders} orders, {config.group_orders_min} needed")
    if group.effective_orders < config.group_effective_orders_min:
        return _abstains(
            f"insufficient evidence: {group.orders} orders weigh like {group.effective_orders:.0f}, "
            f"{config.group_effective_orders_min:.0f} needed"
        )
    if posterior is None:
        return _abstains("insufficient evidence: the orders do not differ, so nothing is known of their spread")
    half = half_width_z(config.group_coverage) * posterior.sd
    low, high = (min(max(posterior.mean + step, 0.0), 1.0) for step in (-half, half))
    score = min(max(posterior.mean, 0.0), 1.0)
    chances = grade_probabilities(mean=posterior.mean, sd=posterior.sd, cut_points=cut_points)
    best = max(chances, key=chances.__getitem__)
    if chances[best] < config.grade_probability_min:
        reached = " or ".join(grade for grade, chance in chances.items() if chance >= 0.05)
        return GroupGrade(
            score=score,
            grade=None,
            low=low,
            high=high,
            note=f"no grade: {reached}, none with a probability of {config.grade_probability_min:.0%}",
        )
    return GroupGrade(score=score, grade=best, low=low, high=high, note=None)


def probability_below(posterior: GroupPosterior, level: float) -> float:
    """P(true mean < level)."""
    return NormalDist(posterior.mean, posterior.sd).cdf(level)


def _abstains(note: str) -> GroupGrade:
    return GroupGrade(score=None, grade=None, low=None, high=None, note=note)
