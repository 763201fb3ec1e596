"""Scores, confidence, allocation, rationale and performance, on numbers small enough to check by hand."""

import math
from decimal import Decimal
from statistics import NormalDist

import numpy as np
import pytest

from bestex.domain.errors import InvalidInput
from bestex.domain.orders import ExecutionStyle, Objective, Urgency
from bestex.messages.strategy import ExpectedOutcomes, Recommendation, TimeAllocation, TimeSlice
from bestex.quant.pretrade import COST_ERRORS
from bestex.services.strategy.allocation import fractions_of_one
from bestex.services.strategy.confidence import ErrorDraws, probability_of_best
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.outcomes import performance_score
from bestex.services.strategy.scoring import expected_unfinished, loss_of, score_of
from bestex.services.strategy.selections import moved_to
from bestex.services.strategy.service import StrategyService
from tests.strategy_cases import OneInstrument, Post, request, snapshot

NORMAL = NormalDist()
DRAWS = ErrorDraws.latin_hypercube(4_096, 7)


def recommend(
    quantity: int = 20_000,
    objective: Objective = Objective.BALANCED_EXECUTION,
    urgency: Urgency = Urgency.NORMAL,
    **constraints: object,
) -> Recommendation:
    service = StrategyService(OneInstrument(), StrategyConfig())
    asked = request(quantity, objective=objective, urgency=urgency, constraints=constraints)
    answer = service.handle(Post()(asked)).answer
    assert isinstance(answer, Recommendation)
    return answer


@pytest.mark.parametrize("gap_bps", [0.0, 0.5, 2.0, 5.0])
def test_two_candidates_with_own_errors_match_the_closed_form(gap_bps: float) -> None:
    # The rival is better by more than 1 bp with probability Phi(-(gap + 1) / sd of the difference).
    loadings = np.zeros((2, len(COST_ERRORS)))
    found = probability_of_best(
        np.array([3.0, 3.0 + gap_bps]), loadings, np.array([2.0, 1.5]), np.array([0, 5]), 0, DRAWS,
        tolerance_bps=1.0, tolerance_share=0.0,
    )  # fmt: skip
    assert found == pytest.approx(NORMAL.cdf((gap_bps + 1) / math.hypot(2.0, 1.5)), abs=0.01)


def test_an_error_that_all_share_does_not_shake_the_choice() -> None:
    shared = np.full((3, len(COST_ERRORS)), 5.0)
    losses = np.array([3.0, 3.5, 4.0])
    found = probability_of_best(
        losses, shared, np.zeros(3), np.array([0, 1, 2]), 0, DRAWS, tolerance_bps=1.0, tolerance_share=0.0
    )
    assert found == 1.0
    opposite = shared * np.array([[1.0], [-1.0], [1.0]])
    assert probability_of_best(
        losses, opposite, np.zeros(3), np.array([0, 1, 2]), 0, DRAWS, tolerance_bps=1.0, tolerance_share=0.0
    ) == pytest.approx(NORMAL.cdf(1.5 / (2 * 5 * math.sqrt(len(COST_ERRORS)))), abs=0.015)


def test_the_draws_depend_on_the_seed_alone_and_have_exact_margins() -> None:
    again, other = ErrorDraws.latin_hypercube(4_096, 7), ErrorDraws.latin_hypercube(4_096, 8)
    assert np.array_equal(DRAWS.causes, again.causes)
    assert not np.array_equal(DRAWS.causes, other.causes)
    assert np.abs(DRAWS.causes.mean(axis=0)).max() < 1e-12
    assert np.abs(DRAWS.groups.std(axis=0) - 1).max() < 1e-3


def test_a_score_is_one_for_the_best_and_a_third_for_twice_its_loss() -> None:
    assert score_of(4.0, 4.0) == 1.0
    assert score_of(8.0, 4.0) == pytest.approx(math.exp(-1))
    assert score_of(1.2, 0.2) == pytest.approx(math.exp(-1))  # at least 1 bp counts


def test_a_loss_is_the_weighted_sum_of_its_parts() -> None:
    assert loss_of((4.0, 10.0, 2.0, 30.0, 0.0), (1.0, 0.1, 0.5, 0.01, 1.0)) == pytest.approx(4 + 1 + 1 + 0.3)


@pytest.mark.parametrize("probability", [0.02, 0.5, 0.97])
def test_what_is_left_undone_is_the_mean_of_a_lognormal_shortfall(probability: float) -> None:
    volume_error = 0.3
    log_room = volume_error * NORMAL.inv_cdf(probability)
    grid = [NORMAL.inv_cdf((k + 0.5) / 20_000) for k in range(20_000)]
    by_sum = sum(max(0.0, 1 - math.exp(log_room + volume_error * z)) for z in grid) / len(grid)
    assert expected_unfinished(probability, volume_error) == pytest.approx(by_sum, abs=1e-4)


def test_urgency_buys_time_and_certainty_with_cost() -> None:
    slow, fast = (recommend(urgency=urgency).expected_outcomes for urgency in (Urgency.LOW, Urgency.URGENT))
    assert fast.estimated_time_minutes < slow.estimated_time_minutes
    assert fast.cost_sd < slow.cost_sd
    assert fast.estimated_cost > slow.estimated_cost


def test_each_objective_is_best_at_what_it_names() -> None:
    found = {objective: recommend(objective=objective).expected_outcomes for objective in Objective}
    assert min(found, key=lambda aim: found[aim].estimated_cost) is Objective.MINIMIZE_COST
    assert min(found, key=lambda aim: found[aim].estimated_time_minutes) is Objective.MINIMIZE_TIME
    assert found[Objective.MINIMIZE_RISK].cost_sd < found[Objective.BALANCED_EXECUTION].cost_sd
    alpha, cost = found[Objective.MAXIMIZE_ALPHA_CAPTURE], found[Objective.MINIMIZE_COST]
    assert alpha.estimated_time_minutes < cost.estimated_time_minutes


def test_an_order_too_big_for_its_window_says_so() -> None:
    answer = recommend(600_000, max_participation_rate=0.10, time_limit_minutes=60)
    assert answer.expected_outcomes.completion_probability < 0.01
    assert "probability of only" in answer.strategy_rationale
    assert "fits into the expected volume" in answer.strategy_rationale
    assert any("participation cap of 10.0% binds" in text for text in answer.binding_constraints)


def test_a_tight_price_limit_lowers_the_chance_to_finish_and_is_named() -> None:
    answer = recommend(price_limit=Decimal("200.02"))
    assert answer.expected_outcomes.completion_probability < 0.9
    assert "beyond the limit of 200.02" in answer.strategy_rationale
    assert answer.recommended_strategy.risk_controls.price_limit == Decimal("200.02")


def test_the_rationale_quotes_the_numbers_that_decided() -> None:
    answer = recommend()
    outcome, text = answer.expected_outcomes, answer.strategy_rationale
    assert text.startswith(answer.recommended_strategy.strategy_name)
    assert f"{outcome.estimated_cost * 1e4:.1f} bps expected" in text
    assert f"± {outcome.cost_sd * 1e4:.1f} bps" in text
    assert "0.40% of daily volume" in text  # 20,000 of 5,000,000
    assert f"Next is {answer.alternative_strategies[0].strategy.strategy_name}" in text


def test_venues_share_by_what_they_display_and_dark_takes_its_ratio() -> None:
    allocation = recommend(dark_pool_preference=False).recommended_strategy.venue_allocation
    # Displayed 600, 300, 100 plus half an average of 333.3 each: 766.7, 466.7, 266.7 of 1,500.
    assert allocation == {"NYSE": 0.5111, "NASDAQ": 0.3111, "BATS": 0.1778}
    dark = StrategyService(OneInstrument(), StrategyConfig()).handle(
        Post()(request(algorithm="VWAP", execution_style=ExecutionStyle.PASSIVE, market=snapshot()))
    )
    plan = dark.answer.recommended_strategy
    assert plan.strategy_name == "Dark-first VWAP"
    assert plan.venue_allocation["DARK_POOL_1"] == plan.parameters["dark_pool_ratio"] >= 0.3


def test_thirds_are_rounded_so_that_they_add_up() -> None:
    assert fractions_of_one([1, 1, 1], 100) == [0.34, 0.33, 0.33]
    assert fractions_of_one([2, 1], 100) == [0.67, 0.33]
    assert fractions_of_one([0, 5], 100) == [0.0, 1.0]


def test_a_moved_schedule_keeps_its_fractions_and_has_no_gaps() -> None:
    times = TimeAllocation(
        start_time_ns=0,
        end_time_ns=30,
        slices=tuple(
            TimeSlice(start_time_ns=k, end_time_ns=k + 10, fraction=f) for k, f in ((0, 0.5), (10, 0.3), (20, 0.2))
        ),
    )
    moved = moved_to(times, 100, 115)
    assert [(item.start_time_ns, item.end_time_ns) for item in moved.slices] == [(100, 105), (105, 110), (110, 115)]
    assert [item.fraction for item in moved.slices] == [0.5, 0.3, 0.2]


def test_the_performance_score_is_the_share_of_outcomes_that_are_dearer() -> None:
    expected = ExpectedOutcomes(
        estimated_cost=0.0010,
        estimated_time_minutes=30,
        market_impact=0.0005,
        completion_probability=1.0,
        risk_score=0.1,
        cost_high=0.0010 + 0.0020 * NORMAL.inv_cdf(0.9),  # a standard deviation of 20 bps
    )
    assert performance_score(expected, 0.0010) == pytest.approx(0.5)
    assert performance_score(expected, 0.0030) == pytest.approx(NORMAL.cdf(-1))
    assert performance_score(expected, -0.0010) == pytest.approx(NORMAL.cdf(1))


def test_a_configuration_with_several_faults_names_them_all() -> None:
    with pytest.raises(InvalidInput) as caught:
        StrategyConfig(participation_rate_max=20, confidence_points=1, objective_weights={})
    assert {error.field for error in caught.value.errors} == {
        "participation_rate_max",
        "confidence_points",
        "objective_weights",
    }


def test_a_participation_order_has_room_for_thin_volume() -> None:
    service = StrategyService(OneInstrument(), StrategyConfig())
    answer = service.handle(Post()(request(100_000, algorithm="PARTICIPATION_RATE"))).answer
    window = answer.recommended_strategy.time_allocation
    minutes = (window.end_time_ns - window.start_time_ns) / 60e9
    assert minutes > 1.5 * answer.expected_outcomes.estimated_time_minutes
    assert answer.expected_outcomes.completion_probability > 0.95
    assert window.slices[-1].fraction == 0  # expected to be done long before
