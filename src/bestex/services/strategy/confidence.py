"""How sure the desk is of its choice: the probability that it is as good as the best, given that the cost model errs.

The cost model states its errors as loadings on common causes (impact coefficients, impact law, adverse selection) that
hit every candidate of an order at once, plus here an own misfit of each algorithm-and-style pair. What candidates share
cancels when they are compared; only what they do not share can reverse the choice.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from bestex.domain.orders import Algorithm, ExecutionStyle
from bestex.quant.pretrade import COST_ERRORS

Array = NDArray[np.float64]

# Candidates this far behind, in standard deviations of both errors, are not drawn: they turn out best once in 30,000.
_OUT_OF_REACH_SD = 4.0
_GROUPS = {pair: k for k, pair in enumerate((a, s) for a in Algorithm for s in ExecutionStyle)}


def group_of(algorithm: Algorithm, style: ExecutionStyle) -> int:
    """The column of the own misfit that all candidates of this algorithm and style share."""
    return _GROUPS[algorithm, style]


@dataclass(frozen=True)
class ErrorDraws:
    """Standard normal draws of the model's errors: (points, causes) and (points, groups)."""

    causes: Array
    groups: Array

    @classmethod
    def latin_hypercube(cls, points: int, seed: int) -> "ErrorDraws":
        """Each column is one shuffled set of normal scores, so every margin is exact (McKay, Beckman, Conover 1979)."""
        scores = np.array([NormalDist().inv_cdf((k + 0.5) / points) for k in range(points)])
        generator = np.random.Generator(np.random.Philox(seed))
        columns = len(COST_ERRORS) + len(_GROUPS)
        draws = np.stack([generator.permutation(scores) for _ in range(columns)], axis=1)
        return cls(draws[:, : len(COST_ERRORS)].copy(), draws[:, len(COST_ERRORS) :].copy())


def probability_of_best(
    losses_bps: Array,
    loadings_bps: Array,
    own_sd_bps: Array,
    groups: NDArray[np.int64],
    chosen: int,
    draws: ErrorDraws,
    *,
    tolerance_bps: float,
    tolerance_share: float,
) -> float:
    """P(true loss of the chosen - true loss of the best <= max(tolerance_bps, tolerance_share * |best|)).

    Args:
        losses_bps: (candidates,) expected losses.
        loadings_bps: (candidates, causes) signed effect of one standard deviation of each common cause.
        own_sd_bps: (candidates,) standard deviation of the own misfit.
        groups: (candidates,) column of the own misfit; candidates of one group err alike.
        chosen: index of the recommended candidate.

    Returns:
        0..1; 1 where there is no alternative.
    """
    sd = np.sqrt((loadings_bps**2).sum(axis=1) + own_sd_bps**2)
    rivals = np.flatnonzero(losses_bps - _OUT_OF_REACH_SD * (sd + sd[chosen]) <= losses_bps[chosen])
    own = draws.groups[:, groups[rivals]] * own_sd_bps[rivals]
    true = losses_bps[rivals] + draws.causes @ loadings_bps[rivals].T + own
    best = true.min(axis=1)
    near = np.maximum(tolerance_bps, tolerance_share * np.abs(best))
    return float(np.mean(true[:, rivals.searchsorted(chosen)] - best <= near))
