"""A forecast of what comes next: right as often as it says, level where nothing is known, silent where there is little."""

import random

import pytest

from bestex.domain.forecasts import DRIFT_SD, FORECAST_SAMPLE_MIN, Forecast, forecast

SEED = 20_261_121


def test_below_the_minimum_nothing_is_forecast_and_the_note_says_how_many_are_needed() -> None:
    found = forecast([0.5] * (FORECAST_SAMPLE_MIN - 1), horizon=20)
    assert (found.mean, found.interval_low, found.slope_kept) == (None, None, None)
    assert found.note == "insufficient evidence: 39 orders, 40 needed"
    assert forecast([0.5] * FORECAST_SAMPLE_MIN, horizon=20).mean == pytest.approx(0.5)


def test_a_line_without_noise_goes_on() -> None:
    found = forecast([2.0 + 0.5 * number for number in range(40)], horizon=3)
    # the orders 40, 41 and 42: their middle is 41
    assert found.mean == pytest.approx(2.0 + 0.5 * 41)
    assert (found.slope_per_order, found.slope_kept) == (pytest.approx(0.5), pytest.approx(1.0))


def test_how_much_of_a_slope_is_kept_follows_from_the_sample_s_size() -> None:
    # error = 12 s2 / (n (n2 - 1)), prior = s2 (0.5 / n)2: kept = n2 - 1 over n2 - 1 + 48 n, whatever the values
    values = [0.4, 0.6] * 20
    found = forecast(values, horizon=20)
    assert found.slope_kept == pytest.approx((40**2 - 1) / (40**2 - 1 + 12 * 40 / DRIFT_SD**2))


@pytest.mark.parametrize(("horizon", "sample_min"), [(0, 40), (5, 2)])
def test_a_question_without_sense_is_refused(horizon: int, sample_min: int) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        forecast([0.5] * 50, horizon=horizon, sample_min=sample_min)


def coverage(drift_sd: float, *, is_broken: bool = False, rounds: int = 2_000) -> float:
    """How often the next 20 orders' mean lies in the interval, where the level drifts as thought beforehand."""
    chance = random.Random(SEED)
    hits = 0
    for _ in range(rounds):
        slope = chance.gauss(0.0, drift_sd) / 60
        values = [0.6 + slope * number + chance.gauss(0.0, 1.0) for number in range(80)]
        found = forecast(values[:60], horizon=20)
        truth = sum(values[60:]) / 20
        low, high = _without_luck(found) if is_broken else (found.interval_low, found.interval_high)
        assert low is not None
        assert high is not None
        hits += low <= truth <= high
    return hits / rounds


def _without_luck(found: Forecast) -> tuple[float, float]:
    """An interval that forgets that the coming orders have luck of their own."""
    assert found.mean is not None
    half = 1.96 * (1 / 60) ** 0.5
    return found.mean - half, found.mean + half


@pytest.mark.parametrize("drift_sd", [0.0, DRIFT_SD])
def test_the_interval_holds_as_often_as_it_says(drift_sd: float) -> None:
    print("seed", SEED)
    held = coverage(drift_sd)
    assert 0.93 <= held <= 0.975, held


def test_an_interval_that_forgets_the_luck_of_the_coming_orders_is_caught() -> None:
    print("seed", SEED)
    assert coverage(DRIFT_SD, is_broken=True) < 0.8
