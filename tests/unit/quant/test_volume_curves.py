"""Intraday volume curves."""

import numpy as np
import pytest

from bestex.quant.volume_curves import VolumeCurve, flat_curve, mean_of_daily_shares, u_shaped_default


def test_shares_are_averaged_so_that_one_big_day_does_not_dominate() -> None:
    quiet, busy = [1.0, 3.0], [3000.0, 1000.0]
    curve = mean_of_daily_shares([quiet, busy])
    # Shares 0.25 and 0.75, winsorised at 1 % and 99 %: 0.255 and 0.745; their mean is a half.
    assert curve.between(0, 0.5) == pytest.approx(0.5)
    assert curve.source == "mean shares of 2 days"


def test_an_outlying_share_is_pulled_in() -> None:
    days = [[1.0, 1.0]] * 200 + [[1000.0, 0.0]]
    assert mean_of_daily_shares(days).between(0, 0.5) == pytest.approx(0.5, abs=1e-12)


def test_days_without_volume_are_left_out() -> None:
    assert mean_of_daily_shares([[0.0, 0.0], [1.0, 3.0]]).between(0, 0.5) == pytest.approx(0.25)


def test_the_default_is_named_and_busy_at_both_ends() -> None:
    curve = u_shaped_default()
    assert "default" in curve.source
    first, noon, last = (curve.between(k / 13, (k + 1) / 13) for k in (0, 6, 12))
    assert first == pytest.approx(0.1251, abs=1e-3)
    assert noon == pytest.approx(0.0463, abs=1e-3)
    assert last == pytest.approx(first)


def test_window_shares_sum_to_one_and_keep_the_shape() -> None:
    shares = u_shaped_default().window_shares(0.0, 0.5, 6)
    assert shares.sum() == pytest.approx(1.0)
    assert (np.diff(shares) < 0).all()


def test_the_inverse_finds_the_time_of_a_share() -> None:
    curve = u_shaped_default()
    for fraction in (0.0, 0.1, 0.5, 0.93, 1.0):
        assert float(curve.fraction_when(curve.at(fraction))) == pytest.approx(fraction, abs=1e-12)


def test_flat_is_flat() -> None:
    assert flat_curve().between(0.2, 0.7) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: VolumeCurve(np.array([0.0, 1.0]), np.array([0.0, 0.5]), "short"),
        lambda: VolumeCurve(np.array([0.0, 0.5, 0.5, 1.0]), np.array([0.0, 0.1, 0.2, 1.0]), "still"),
        lambda: VolumeCurve(np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.2, 1.0]), "falling"),
        lambda: VolumeCurve(np.array([0.0, 1.0]), np.array([0.0, float("nan")]), "nan"),
        lambda: mean_of_daily_shares([[0.0, 0.0]]),
        lambda: mean_of_daily_shares([[1.0, -1.0]]),
        lambda: mean_of_daily_shares([1.0, 2.0]),
        lambda: flat_curve().window_shares(0.5, 0.5, 3),
        lambda: flat_curve().between(0.5, 0.4),
        lambda: VolumeCurve(np.array([0, 0.5, 1]), np.array([0, 1.0, 1]), "half day").window_shares(0.5, 1, 2),
    ],
)
def test_what_is_no_curve_or_no_window_is_refused(call: object) -> None:
    with pytest.raises(ValueError):
        call()  # type: ignore[operator]
