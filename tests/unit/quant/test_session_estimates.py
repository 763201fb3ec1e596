import numpy as np
import pytest

from bestex.domain.time import NS_PER_MINUTE
from bestex.quant.session_estimates import daily_volatility, daily_volume


def test_half_the_volume_share_observed_doubles_what_was_traded() -> None:
    assert daily_volume(1_000, 0.5) == 2_000


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_a_share_outside_zero_to_one_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="observed_share"):
        daily_volume(1_000, share)


def test_a_mid_that_moves_one_basis_point_every_minute_has_the_volatility_of_so_many_minutes() -> None:
    times = np.arange(11, dtype=np.int64) * NS_PER_MINUTE
    mids = 100 * np.exp(1e-4 * (np.arange(11) % 2))
    assert daily_volatility(times, mids, session_ns=400 * NS_PER_MINUTE) == pytest.approx(1e-4 * 20)


def test_a_few_minutes_say_nothing_about_volatility() -> None:
    times = np.arange(4, dtype=np.int64) * NS_PER_MINUTE
    assert daily_volatility(times, np.full(4, 100.0), session_ns=400 * NS_PER_MINUTE) is None
    assert daily_volatility(times[:1], np.full(1, 100.0), session_ns=400 * NS_PER_MINUTE) is None
