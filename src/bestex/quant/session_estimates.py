"""Daily volume and volatility of an instrument from part of one session, for want of history."""

import numpy as np
from numpy.typing import NDArray

from bestex.domain.time import NS_PER_MINUTE

_RETURNS_MIN = 5  # fewer one-minute returns say nothing about volatility


def daily_volume(traded: float, observed_share: float) -> float:
    """Volume of a whole session, units.

    Args:
        traded: units traded in the part observed.
        observed_share: expected share of the session's volume in that part, (0, 1].

    Raises:
        ValueError: if the share is not in (0, 1].
    """
    if not 0 < observed_share <= 1:
        raise ValueError(f"observed_share {observed_share} is not in (0, 1]")
    return traded / observed_share


def daily_volatility(times_ns: NDArray[np.int64], mids: NDArray[np.float64], *, session_ns: int) -> float | None:
    """Standard deviation of a session's return, as a fraction, from one-minute mid-quote returns.

    Realised variance scaled by time: sd = sqrt(mean(r^2) * minutes in the session) (Andersen and Bollerslev 1998, with
    returns of one minute). It has no overnight part, and is biased up a little by bid-ask bounce of the mid.

    Args:
        times_ns: (quotes,) rising.
        mids: (quotes,) mid-quote from each time on; positive.
        session_ns: length of the session.

    Returns:
        None with fewer than 5 whole minutes.
    """
    if len(times_ns) < 2:
        return None
    grid = np.arange(times_ns[0], times_ns[-1] + 1, NS_PER_MINUTE)
    if len(grid) <= _RETURNS_MIN:
        return None
    sampled = mids[np.searchsorted(times_ns, grid, side="right") - 1]
    returns = np.diff(np.log(sampled))
    return float(np.sqrt(np.mean(returns**2) * session_ns / NS_PER_MINUTE))
