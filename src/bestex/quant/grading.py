"""From a cost to a score, from a score to a grade, and how far luck alone could have moved it."""

from collections.abc import Sequence
from statistics import NormalDist

_NORMAL = NormalDist()


def cost_z(*, cost: float, expected: float, sd: float) -> float:
    """How many standard deviations a cost lies above what was expected of it; positive is worse.

    Raises:
        ValueError: if sd is not positive.
    """
    if not sd > 0:
        raise ValueError(f"sd {sd} is not positive: there is no distribution to grade against")
    return (cost - expected) / sd


def score_of_z(z: float) -> float:
    """Probability, before trading, of a cost at least this bad: 0..1, 0.5 = as expected, higher is better.

    If the pre-trade distribution is right, the scores of many orders are uniform on 0..1; that is how to check it.
    """
    return _NORMAL.cdf(-z)


def half_width_z(coverage: float) -> float:
    """Half the width of a central interval of a standard normal, e.g. 1.2816 for 0.80.

    Raises:
        ValueError: if coverage is not in (0, 1).
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage {coverage} is not in (0, 1)")
    return _NORMAL.inv_cdf((1 + coverage) / 2)


def grade_of_score(score: float, cut_points: Sequence[tuple[str, float]]) -> str:
    """The first grade whose lower cut point the score reaches.

    Args:
        score: 0..1, higher is better.
        cut_points: (grade, lowest score) from best to worst; the last one's must be 0 or less.
    """
    for grade, lowest in cut_points:
        if score >= lowest:
            return grade
    raise ValueError(f"score {score} is below every cut point; the last one must be 0")


def grade_probabilities(*, mean: float, sd: float, cut_points: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Probability of each grade when the score is normal around `mean`; all on one grade when sd is 0."""
    probabilities: dict[str, float] = {}
    above = 0.0
    for index, (grade, lowest) in enumerate(cut_points):
        last = index == len(cut_points) - 1
        reached = 1.0 if last else _NORMAL.cdf((mean - lowest) / sd) if sd > 0 else float(mean >= lowest)
        probabilities[grade] = reached - above
        above = reached
    return probabilities
