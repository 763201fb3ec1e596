from math import sqrt

import pytest

from bestex.domain.samples import estimated_mean, estimated_share, trend


def test_below_the_minimum_sample_nothing_is_said_but_the_count() -> None:
    found = estimated_mean([1.0] * 19)
    assert (found.mean, found.interval_low, found.sample_size) == (None, None, 19)
    assert found.note == "insufficient evidence: 19 orders, 20 needed"
    assert estimated_share(3, 3).mean is None
    assert trend([1.0] * 19) == "INSUFFICIENT_DATA"


def test_the_interval_of_a_mean_is_its_standard_error_on_both_sides() -> None:
    found = estimated_mean([0.0, 2.0] * 10)
    error = sqrt(20 / 19 / 20)  # variance 20/19 over 20 orders
    assert found.mean == 1.0
    assert found.interval_high == pytest.approx(1 + 1.959964 * error, abs=1e-6)
    assert found.interval_low == pytest.approx(1 - 1.959964 * error, abs=1e-6)


def test_a_share_of_all_does_not_claim_certainty() -> None:
    found = estimated_share(20, 20)
    assert (found.mean, found.interval_high) == (1.0, 1.0)
    assert found.interval_low == pytest.approx(0.8389, abs=1e-4)  # Wilson 1927: n / (n + z^2)


def test_a_trend_is_called_only_when_it_is_more_than_luck() -> None:
    assert trend([0.0, 1.0] * 10 + [0.1, 1.1] * 10) == "STEADY"
    assert trend([0.0, 1.0] * 10 + [5.0, 6.0] * 10) == "RISING"
    assert trend([5.0, 6.0] * 10 + [0.0, 1.0] * 10) == "FALLING"
