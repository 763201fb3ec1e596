"""The path an order is expected to take: how much is done by when, in steps of equal expected volume.

The schedule is the candidate's own, held to its participation rate exactly as the decision step holds it.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bestex.domain.orders import Algorithm
from bestex.quant.candidates import Candidate, MarketEstimates
from bestex.quant.schedules import remaining_fraction

Array = NDArray[np.float64]

STEPS: Final = 32
_ELAPSED: Final = np.linspace(0.0, 1.0, STEPS + 1)
_ELAPSED.flags.writeable = False
MINUTES_OF_A_DAY: Final = 1440.0


def window_share(candidate: Candidate, estimates: MarketEstimates) -> float:
    """Share of a day's volume expected in the candidate's window; the close cuts it short."""
    curve, start = estimates.volume_curve, estimates.session_fraction
    end = start + candidate.window_minutes / estimates.session_minutes
    if estimates.session_minutes < MINUTES_OF_A_DAY:
        end = min(end, 1.0)
    share = math.floor(end) + float(curve.at(end - math.floor(end))) - float(curve.at(start))
    if share <= 0:
        raise ValueError(
            f"no volume is expected in the {candidate.window_minutes} minutes from {start} of the session"
            f" ({curve.source}); start earlier or take another curve"
        )
    return share


def working_share(candidate: Candidate, quantity: float, of_window: float, estimates: MarketEstimates) -> float:
    """As `window_share`, but no further than PARTICIPATION_RATE needs: it stops when it is done."""
    rate = candidate.participation_rate
    if candidate.algorithm is not Algorithm.PARTICIPATION_RATE or rate is None:
        return of_window
    return min(of_window, quantity * (1 - rate) / rate / estimates.daily_volume)


def step_minutes(share: float, estimates: MarketEstimates) -> Array:
    """(STEPS + 1,) minutes from the start at the edges of STEPS steps of equal volume."""
    curve, start = estimates.volume_curve, estimates.session_fraction
    at = float(curve.at(start)) + share * _ELAPSED
    days = np.floor(np.minimum(at, at[-1] * (1 - 1e-12)))
    fractions = np.maximum(days + curve.fraction_when(at - days), start)
    fractions[0] = start
    minutes: Array = (fractions - start) * estimates.session_minutes
    return minutes


def executed_path(candidate: Candidate, quantity: float, volume: float, minutes: Array) -> Array:
    """(STEPS + 1,) fraction of the order done at the edges of the steps, from 0."""
    rate = candidate.participation_rate
    allowed = None if rate is None or rate == 1 else rate / (1 - rate) * volume * _ELAPSED / quantity
    match candidate.algorithm:
        case Algorithm.TWAP:
            planned = minutes / minutes[-1]
        case Algorithm.VWAP:
            planned = _ELAPSED
        case Algorithm.IMPLEMENTATION_SHORTFALL:
            planned = 1.0 - remaining_fraction(_ELAPSED, candidate.kappa_t)
        case Algorithm.PARTICIPATION_RATE:
            planned = np.ones_like(_ELAPSED)
            planned[0] = 0.0
    done: Array = planned if allowed is None else np.minimum(planned, allowed)
    return done
