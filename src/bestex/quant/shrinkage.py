"""What is known about each of several groups when the others are taken into account.

A normal hierarchical model: true means are normal around a common mean with spread tau, and estimates are normal
around the true means. tau has a half-Cauchy prior and is integrated numerically, not plugged in: plug-in empirical
Bayes collapses to tau = 0 and then grades noise with certainty (spec/metrics.md 6.1). The common mean is flat.

Source: Gelman et al., Bayesian Data Analysis (3rd ed.), 5.4, equations 5.17-5.21; half-Cauchy after Gelman (2006).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
GRID = 400


@dataclass(frozen=True, kw_only=True)
class GroupPosterior:
    """Posterior mean and sd of one group's true mean."""

    mean: float
    sd: float


def shrunk_means(estimates: Array, standard_errors: Array, *, prior_scale: float) -> list[GroupPosterior]:
    """Posterior of each group's true mean.

    Args:
        estimates: (groups,) each group's own estimate.
        standard_errors: (groups,) positive.
        prior_scale: scale of tau's half-Cauchy prior, in the estimates' unit, positive.

    Returns:
        One posterior per group, in order. A single group keeps its own estimate: there is nobody to learn from.

    Raises:
        ValueError: if a standard error or the scale is not positive, or shapes differ.
    """
    if estimates.shape != standard_errors.shape or estimates.ndim != 1:
        raise ValueError(f"estimates {estimates.shape} and standard errors {standard_errors.shape} must be equal 1-d")
    if np.any(standard_errors <= 0) or prior_scale <= 0:
        raise ValueError("standard errors and the prior scale must be positive")
    if len(estimates) < 2:
        return [
            GroupPosterior(mean=float(mean), sd=float(sd)) for mean, sd in zip(estimates, standard_errors, strict=True)
        ]
    # tau = scale * tan(pi u / 2) with u uniform is half-Cauchy: equal steps in u carry the prior by themselves.
    taus = prior_scale * np.tan(np.pi / 2 * (np.arange(GRID) + 0.5) / GRID)
    variances = standard_errors[None, :] ** 2 + taus[:, None] ** 2  # (taus, groups)
    precisions = 1 / variances
    common_precision = precisions.sum(axis=1)
    common = (precisions @ estimates) / common_precision
    log_weight = (
        -0.5 * np.log(common_precision)
        - 0.5 * np.log(variances).sum(axis=1)
        - 0.5 * (precisions * (estimates[None, :] - common[:, None]) ** 2).sum(axis=1)
    )
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    keep = taus[:, None] ** 2 / variances  # weight of a group's own estimate
    means = keep * estimates[None, :] + (1 - keep) * common[:, None]
    spreads = keep * standard_errors[None, :] ** 2 + (1 - keep) ** 2 / common_precision[:, None]
    mean = weight @ means
    variance = weight @ (spreads + (means - mean[None, :]) ** 2)
    return [GroupPosterior(mean=float(m), sd=float(np.sqrt(v))) for m, v in zip(mean, variance, strict=True)]
