"""The closed forms against the published example, direct summation and a numerical optimum."""

import numpy as np
import pytest

from bestex.quant.almgren_chriss import AlmgrenChriss, continuous_temporary_cost, continuous_variance

# The paper's own test case: a $50 stock, 30 % annual volatility, a spread of 1/8, five million shares a day,
# one million shares in five daily trades.
EXAMPLE = AlmgrenChriss(
    quantity=1e6, horizon_days=5, slices=5, volatility=0.95, permanent=2.5e-7, temporary=2.5e-6, fixed=0.0625
)
URGENCIES = [0.0, 1e-12, 1e-6, 1e-3, 0.0999, 0.1001, 1.0, 3.0, 8.0, 30.0, 200.0, 1500.0, 2000.0]


def summed(problem: AlmgrenChriss, trades: np.ndarray) -> tuple[float, float]:
    """Expected cost and variance of any trades, straight from their definitions."""
    tau = problem.horizon_days / problem.slices
    left = problem.quantity - np.cumsum(trades)
    permanent = problem.permanent * float((left * trades).sum())
    temporary = float((trades * (problem.fixed + problem.temporary * trades / tau)).sum())
    return permanent + temporary, problem.volatility**2 * tau * float((left**2).sum())


def test_the_example_without_risk_aversion_by_hand() -> None:
    # gamma X^2 / 2 + epsilon X + (eta - gamma tau / 2) X^2 / T = 125,000 + 62,500 + 475,000
    assert EXAMPLE.expected_cost(0.0) == pytest.approx(662_500, rel=1e-12)
    # sigma^2 X^2 T / 3 (1 - 1/N) (1 - 1/(2N)) = 0.9025e12 * 5 / 3 * 0.8 * 0.9
    assert EXAMPLE.variance(0.0) == pytest.approx(1.083e12, rel=1e-12)


@pytest.mark.parametrize(
    ("risk_aversion", "cost_millions", "variance_millions", "half_life"),
    [(1e-9, 0.6625, 1.0812, 51.30), (5e-9, 0.6625, 1.0740, 22.94), (9e-9, 0.6626, 1.0669, 17.10)],
)
def test_the_example_agrees_with_figures_published_elsewhere(
    risk_aversion: float, cost_millions: float, variance_millions: float, half_life: float
) -> None:
    # DROP 4.66 (lakshmidrip.github.io/DROP, AlmgrenChriss coverage run), printed to four decimals.
    kappa_t = EXAMPLE.kappa_t(risk_aversion)
    assert round(EXAMPLE.expected_cost(kappa_t) / 1e6, 4) == cost_millions
    assert round(EXAMPLE.variance(kappa_t) / 1e12, 4) == variance_millions
    assert round(EXAMPLE.half_life_days(kappa_t), 2) == half_life


@pytest.mark.parametrize("kappa_t", URGENCIES)
def test_closed_forms_equal_the_sums_they_stand_for(kappa_t: float) -> None:
    cost, variance = summed(EXAMPLE, EXAMPLE.trades(kappa_t))
    assert EXAMPLE.expected_cost(kappa_t) == pytest.approx(cost, rel=1e-11)
    assert EXAMPLE.variance(kappa_t) == pytest.approx(variance, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("kappa_t", [*URGENCIES, 1e5, 1e6])
def test_trades_are_positive_fall_and_sum_to_the_order(kappa_t: float) -> None:
    trades = EXAMPLE.trades(kappa_t)
    assert trades.sum() == pytest.approx(1e6, rel=1e-12)
    assert (trades >= 0).all()
    assert (np.diff(trades) <= 1e-6).all()


@pytest.mark.parametrize("risk_aversion", [1e-7, 1e-6, 1e-5])
def test_no_other_trajectory_is_better(risk_aversion: float) -> None:
    # The objective is a convex quadratic in the trades: its optimum under sum = X from the linear system of its gradient.
    n, tau = EXAMPLE.slices, 1.0
    lower = np.tril(np.ones((n, n)))
    hessian = 2 * EXAMPLE.temporary_adjusted / tau * np.eye(n)
    hessian += 2 * risk_aversion * EXAMPLE.volatility**2 * tau * lower.T @ lower
    linear = 2 * risk_aversion * EXAMPLE.volatility**2 * tau * EXAMPLE.quantity * lower.sum(axis=0)
    system = np.block([[hessian, np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    optimum = np.linalg.solve(system, np.append(linear, EXAMPLE.quantity))[:n]
    assert np.allclose(EXAMPLE.trades(EXAMPLE.kappa_t(risk_aversion)), optimum, rtol=1e-8)


def test_urgency_and_risk_aversion_are_inverse() -> None:
    for risk_aversion in (1e-12, 1e-9, 1e-6, 1e-3):
        assert EXAMPLE.risk_aversion(EXAMPLE.kappa_t(risk_aversion)) == pytest.approx(risk_aversion, rel=1e-12)


def test_the_frontier_falls_with_slope_minus_lambda() -> None:
    risk_aversion = 1e-6
    kappa_t = EXAMPLE.kappa_t(risk_aversion)
    (v0, e0), (v1, e1) = EXAMPLE.frontier([kappa_t - 1e-4, kappa_t + 1e-4])
    assert (e1 - e0) / (v1 - v0) == pytest.approx(-risk_aversion, rel=1e-6)


def test_half_life_does_not_depend_on_the_quantity() -> None:
    twice = AlmgrenChriss(
        quantity=2e6, horizon_days=5, slices=5, volatility=0.95, permanent=2.5e-7, temporary=2.5e-6, fixed=0.0625
    )
    assert twice.half_life_days(twice.kappa_t(1e-6)) == EXAMPLE.half_life_days(EXAMPLE.kappa_t(1e-6))


@pytest.mark.parametrize("kappa_t", [0.0, 1e-5, 0.0199, 0.0201, 0.5, 3.0, 20.0])
def test_the_continuous_forms_are_the_limit_of_many_slices(kappa_t: float) -> None:
    fine = AlmgrenChriss(quantity=1, horizon_days=1, slices=20_000, volatility=1, permanent=0, temporary=1)
    assert fine.expected_cost(kappa_t) == pytest.approx(continuous_temporary_cost(kappa_t), rel=1e-6)
    # The discrete variance leaves out half of the first slice: sigma^2 X^2 tau / 2.
    assert fine.variance(kappa_t) + 0.5 / 20_000 == pytest.approx(continuous_variance(kappa_t), rel=1e-6)


def test_too_few_slices_for_the_permanent_impact_are_refused() -> None:
    with pytest.raises(ValueError, match="take more slices"):
        AlmgrenChriss(quantity=1, horizon_days=5, slices=1, volatility=1, permanent=1.0, temporary=1.0)
