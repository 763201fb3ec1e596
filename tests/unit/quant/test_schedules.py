"""Schedules: the curves, their rounding to lots and their slice times."""

import numpy as np
import pytest

from bestex.quant.schedules import (
    almgren_chriss_curve,
    cumulative_targets,
    remaining_fraction,
    slice_starts_ns,
    twap_curve,
    vwap_curve,
)


def test_twap_is_even() -> None:
    assert twap_curve(4).tolist() == [0.25, 0.5, 0.75, 1.0]


def test_vwap_follows_the_volume() -> None:
    assert vwap_curve([3, 1, 0, 4]).tolist() == [0.375, 0.5, 0.5, 1.0]


def test_without_urgency_implementation_shortfall_is_twap() -> None:
    assert np.array_equal(almgren_chriss_curve(30, 0.0), twap_curve(30))


def test_without_urgency_in_volume_time_implementation_shortfall_is_vwap() -> None:
    volumes = [5, 2, 2, 6]
    assert np.allclose(almgren_chriss_curve(4, 0.0, volumes), vwap_curve(volumes), rtol=0, atol=1e-15)


@pytest.mark.parametrize("kappa_t", [0.1, 1.0, 3.0, 8.0, 20.0])
def test_the_stable_form_equals_the_ratio_of_hyperbolic_sines(kappa_t: float) -> None:
    u = np.linspace(0, 1, 33)
    assert np.allclose(remaining_fraction(u, kappa_t), np.sinh(kappa_t * (1 - u)) / np.sinh(kappa_t), atol=1e-14)


@pytest.mark.parametrize("kappa_t", [1e-300, 1e-12, 1e-6])
def test_tiny_urgency_is_a_straight_line(kappa_t: float) -> None:
    u = np.linspace(0, 1, 33)
    assert np.allclose(remaining_fraction(u, kappa_t), 1 - u, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kappa_t", [50.0, 1e3, 1e8])
def test_huge_urgency_falls_exponentially_without_overflow(kappa_t: float) -> None:
    u = np.linspace(0, 0.5, 9)
    left = remaining_fraction(u, kappa_t)
    assert np.isfinite(left).all()
    assert np.allclose(left, np.exp(-kappa_t * u), rtol=1e-12, atol=0)


def test_targets_round_the_curve_half_up_and_end_at_the_order() -> None:
    assert cumulative_targets(twap_curve(4), 10).tolist() == [3, 5, 8, 10]


def test_more_slices_than_lots_leave_some_slices_empty() -> None:
    assert cumulative_targets(twap_curve(6), 2).tolist() == [0, 1, 1, 1, 2, 2]


def test_slices_start_at_the_first_nanosecond_not_before_their_time() -> None:
    assert slice_starts_ns(100, 110, 3).tolist() == [100, 104, 107, 110]


def test_a_day_of_nanoseconds_in_many_slices_does_not_overflow() -> None:
    start = 1_700_000_000 * 10**9
    edges = slice_starts_ns(start, start + 86_400 * 10**9, 86_400)
    assert (np.diff(edges) == 10**9).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: twap_curve(0),
        lambda: vwap_curve([]),
        lambda: vwap_curve([1, -1]),
        lambda: vwap_curve([0, 0]),
        lambda: vwap_curve([float("nan")]),
        lambda: almgren_chriss_curve(3, -1.0),
        lambda: almgren_chriss_curve(3, float("inf")),
        lambda: almgren_chriss_curve(3, 1.0, [1, 2]),
        lambda: cumulative_targets([0.5, 0.9], 10),
        lambda: cumulative_targets([0.9, 0.5, 1.0], 10),
        lambda: cumulative_targets([1.0], -1),
        lambda: slice_starts_ns(5, 5, 1),
    ],
)
def test_what_is_no_schedule_is_refused(call: object) -> None:
    with pytest.raises(ValueError):
        call()  # type: ignore[operator]
