"""Impact models against figures worked by hand."""

import numpy as np
import pytest

from bestex.quant.impact import (
    ImpactCoefficients,
    is_extrapolated,
    permanent_impact,
    square_root_cost,
    square_root_impact,
    temporary_impact,
)


def test_ten_percent_of_volume_at_two_percent_volatility_by_hand() -> None:
    assert permanent_impact(0.1, 0.02) == pytest.approx(0.314 * 0.02 * 0.1, rel=1e-12)  # 6.28 bps
    assert float(temporary_impact(0.1, 0.02)) == pytest.approx(0.142 * 0.02 * 0.1**0.6, rel=1e-12)  # 7.13 bps
    assert square_root_impact(0.04, 0.02) == pytest.approx(0.02 * 0.2, rel=1e-12)  # 40 bps at the peak
    assert square_root_cost(0.04, 0.02) == pytest.approx(0.02 * 0.2 * 2 / 3, rel=1e-12)


def test_permanent_impact_grows_with_the_fourth_root_of_turnover_days() -> None:
    assert permanent_impact(0.1, 0.02, turnover_days=16.0) == pytest.approx(2 * permanent_impact(0.1, 0.02))


def test_permanent_impact_is_linear_so_that_no_round_trip_earns_from_it() -> None:
    halves = permanent_impact(0.05, 0.02) + permanent_impact(0.05, 0.02)
    assert halves == pytest.approx(permanent_impact(0.1, 0.02), rel=1e-12)


def test_temporary_impact_keeps_the_shape_of_the_rates() -> None:
    assert temporary_impact(np.zeros((2, 3)), 0.02).shape == (2, 3)


def test_only_sizes_of_the_study_are_not_extrapolated() -> None:
    assert [is_extrapolated(size) for size in (0.001, 0.0025, 0.1, 0.25, 0.3)] == [True, False, False, False, True]


@pytest.mark.parametrize(
    "call",
    [
        lambda: permanent_impact(-0.1, 0.02),
        lambda: temporary_impact([0.1, -0.1], 0.02),
        lambda: square_root_impact(float("nan"), 0.02),
        lambda: ImpactCoefficients(temporary_exponent=0.0),
        lambda: ImpactCoefficients(permanent=-1.0),
    ],
)
def test_what_makes_no_sense_is_refused(call: object) -> None:
    with pytest.raises(ValueError):
        call()  # type: ignore[operator]
