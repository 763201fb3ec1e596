"""What a candidate is worth under each objective, in basis points: the loss, lower is better."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from bestex.domain.orders import Algorithm, Objective, Urgency
from bestex.quant.candidates import Candidate, MarketEstimates
from bestex.quant.pretrade import ExpectedOutcome
from bestex.services.strategy.config import StrategyConfig

Parts = tuple[float, float, float, float, float]

PARTS: Final = ("cost", "risk", "alpha", "minutes", "unfinished")
_NORMAL: Final = NormalDist()


@dataclass(frozen=True)
class Scorer:
    """The five parts of a candidate's loss and their weights.

    Parts, all in bps but the minutes: expected cost, standard deviation of the cost, the adverse move that waiting
    gives away if the order carries alpha, minutes until done, and a day's standard deviation for what is left undone.
    Urgency multiplies the weights of risk, alpha and minutes: it says how much certainty may cost.
    """

    estimates: MarketEstimates
    config: StrategyConfig
    urgency: Urgency

    def parts(self, candidate: Candidate, outcome: ExpectedOutcome) -> Parts:
        """In the order of PARTS."""
        sigma_bps = self.estimates.daily_volatility * 1e4
        waited = mean_delay_minutes(candidate, outcome)
        alpha = (
            self.config.alpha_daily_sd_share * sigma_bps * (1 - 0.5 ** (waited / self.config.alpha_half_life_minutes))
        )
        unfinished = max(
            1 - outcome.executed_fraction,
            expected_unfinished(outcome.completion_probability, self.estimates.volume_error),
        )
        # What is left waits for the close and then for another session.
        tomorrow = self.estimates.session_minutes * (2 - self.estimates.session_fraction)
        minutes = (1 - unfinished) * outcome.time_minutes + unfinished * tomorrow
        return (outcome.expected_cost * 1e4, outcome.cost_sd * 1e4, alpha, minutes, unfinished * sigma_bps)

    def weights(self, objective: Objective) -> Parts:
        """Of each part, in the order of PARTS."""
        own = self.config.objective_weights[objective]
        pressure = self.config.urgency_multipliers[self.urgency]
        return (own.cost, own.risk * pressure, own.alpha * pressure, own.minute * pressure, 1.0)


def loss_of(parts: Parts, weights: Parts) -> float:
    """Weighted sum of the parts, bps."""
    return sum(part * weight for part, weight in zip(parts, weights, strict=True))


def mean_delay_minutes(candidate: Candidate, outcome: ExpectedOutcome) -> float:
    """Mean waiting time of the order's quantity.

    Half the time for even schedules. For IMPLEMENTATION_SHORTFALL the mean remaining fraction of
    sinh(kappa (T - t)) / sinh(kappa T), Almgren and Chriss (2000), eq. 17, is tanh(kappa T / 2) / (kappa T).
    """
    kappa = candidate.kappa_t
    if candidate.algorithm is Algorithm.IMPLEMENTATION_SHORTFALL and kappa > 1e-6:
        return candidate.window_minutes * math.tanh(kappa / 2) / kappa
    return outcome.time_minutes / 2


def expected_unfinished(completion_probability: float, volume_error: float) -> float:
    """Expected share of the order left undone, 0..1, when what can be done is lognormal around its expectation.

    With s = `volume_error` and P(enough) = Phi(d): E[(1 - exp(s d + s Z))+] = Phi(-d) - exp(s d + s^2 / 2) Phi(-d - s).
    A price limit's share of the probability is read as if it were volume's.
    """
    d = _NORMAL.inv_cdf(min(1 - 1e-12, max(1e-12, completion_probability)))
    s = volume_error
    return max(0.0, _NORMAL.cdf(-d) - math.exp(s * d + s * s / 2) * _NORMAL.cdf(-d - s))


def score_of(loss_bps: float, best_bps: float) -> float:
    """0..1, higher is better: 1 for the best candidate, 0.37 for one that loses twice as much (at least 1 bp more)."""
    return math.exp(-(loss_bps - best_bps) / max(1.0, abs(best_bps)))
