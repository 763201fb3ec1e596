"""Scores from distributions, roll-ups from sums, and what shrinkage may not do."""

import random
from math import sqrt

import numpy as np
import pytest

from bestex.quant.grading import cost_z, grade_of_score, grade_probabilities, half_width_z, score_of_z
from bestex.quant.rollups import RatioOfSums
from bestex.quant.shrinkage import shrunk_means

CUTS = (("GOOD", 0.6), ("FAIR", 0.4), ("POOR", 0.0))


def test_a_cost_as_expected_scores_one_half_and_a_dearer_one_less() -> None:
    assert score_of_z(cost_z(cost=5.0, expected=5.0, sd=3.0)) == 0.5
    assert score_of_z(cost_z(cost=8.0, expected=5.0, sd=3.0)) == pytest.approx(0.1586553)


def test_without_a_spread_there_is_nothing_to_grade_against() -> None:
    with pytest.raises(ValueError, match="not positive"):
        cost_z(cost=1.0, expected=1.0, sd=0.0)


def test_eighty_percent_of_a_normal_lie_within_1_28_sd() -> None:
    assert half_width_z(0.80) == pytest.approx(1.2815516)


@pytest.mark.parametrize(("score", "grade"), [(1.0, "GOOD"), (0.6, "GOOD"), (0.5999, "FAIR"), (0.0, "POOR")])
def test_a_grade_begins_at_its_cut_point(score: float, grade: str) -> None:
    assert grade_of_score(score, CUTS) == grade


def test_grade_probabilities_sum_to_one_and_follow_the_normal() -> None:
    chances = grade_probabilities(mean=0.6, sd=0.1, cut_points=CUTS)
    assert sum(chances.values()) == pytest.approx(1.0)
    assert chances["GOOD"] == pytest.approx(0.5)
    assert chances["POOR"] == pytest.approx(0.022750132)
    assert grade_probabilities(mean=0.5, sd=0.0, cut_points=CUTS) == {"GOOD": 0.0, "FAIR": 1.0, "POOR": 0.0}


def batch(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """Ratio and clustered standard error in one pass over everything (the other way to compute them)."""
    ys, xs = np.array(pairs).T
    ratio = ys.sum() / xs.sum()
    n = len(pairs)
    return float(ratio), float(sqrt(n / (n - 1) * ((ys - ratio * xs) ** 2).sum()) / xs.sum())


def rolled(pairs: list[tuple[float, float]]) -> RatioOfSums:
    total = RatioOfSums()
    for y, x in pairs:
        total = total.adding(y, x)
    return total


@pytest.mark.parametrize("seed", range(20))
def test_order_by_order_equals_all_at_once_to_twelve_digits(seed: int) -> None:
    print("seed", seed)
    source = random.Random(seed)
    pairs = [(source.gauss(3, 10), source.lognormvariate(0, 1.5)) for _ in range(source.randint(2, 400))]
    ratio, error = batch(pairs)
    total = rolled(pairs)
    assert total.value == pytest.approx(ratio, rel=1e-12)
    assert total.standard_error == pytest.approx(error, rel=1e-12)


def test_a_rollup_that_loses_an_order_is_not_equal_to_the_batch() -> None:
    pairs = [(1.0, 2.0), (3.0, 1.0), (2.0, 2.0)]
    assert rolled(pairs[:-1]).value != pytest.approx(batch(pairs)[0], rel=1e-12)


def test_equally_large_orders_count_fully_and_one_giant_counts_as_one() -> None:
    assert rolled([(1.0, 2.0)] * 10).effective_orders == pytest.approx(10)
    assert rolled([(1.0, 1e9), *[(1.0, 1.0)] * 9]).effective_orders == pytest.approx(1.0, rel=1e-6)


def test_an_empty_rollup_has_no_value_and_no_error() -> None:
    assert RatioOfSums().value is None
    assert RatioOfSums().standard_error is None
    assert rolled([(1.0, 1.0)]).standard_error is None


def test_shrinkage_pulls_the_noisiest_group_furthest_and_keeps_the_order_of_equals() -> None:
    first, noisy, third = shrunk_means(np.array([0.4, 0.9, 0.5]), np.array([0.02, 0.3, 0.02]), prior_scale=0.1)
    assert abs(noisy.mean - 0.9) > 0.3
    assert first.mean == pytest.approx(0.4, abs=0.01)
    assert first.mean < third.mean


def test_identical_groups_are_told_to_be_alike_but_not_with_certainty() -> None:
    """Plug-in empirical Bayes would give an sd near that of the common mean, 0.05 / sqrt(4)."""
    posteriors = shrunk_means(np.full(4, 0.5), np.full(4, 0.05), prior_scale=0.1)
    for posterior in posteriors:
        assert posterior.mean == pytest.approx(0.5)
        assert 0.05 / sqrt(4) < posterior.sd < 0.05


def test_a_group_alone_keeps_its_own_estimate() -> None:
    (posterior,) = shrunk_means(np.array([0.7]), np.array([0.1]), prior_scale=0.1)
    assert (posterior.mean, posterior.sd) == (0.7, 0.1)


def test_posterior_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """300 panels of 8 groups, true spread drawn from the prior; 80 % intervals."""
    source = np.random.default_rng(11)
    print("seed", 11)
    inside = total = 0
    for _ in range(300):
        tau = 0.1 * abs(np.tan(np.pi * (source.random() - 0.5)))
        truth = 0.5 + tau * source.standard_normal(8)
        errors = source.uniform(0.02, 0.2, 8)
        posteriors = shrunk_means(truth + errors * source.standard_normal(8), errors, prior_scale=0.1)
        half = half_width_z(0.80)
        inside += sum(
            abs(true - posterior.mean) <= half * posterior.sd for true, posterior in zip(truth, posteriors, strict=True)
        )
        total += 8
    assert 0.77 < inside / total < 0.83
