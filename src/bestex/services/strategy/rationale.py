"""Why this execution strategy: a few plain sentences made of the numbers that decided."""

from collections.abc import Sequence

from bestex.domain.orders import Algorithm, Objective
from bestex.messages.strategy import MarketContext
from bestex.quant.candidates import Candidate
from bestex.quant.pretrade import ExpectedOutcome
from bestex.services.strategy.candidates import PricedCandidate
from bestex.services.strategy.profile import OrderProfile

_AIMS = {
    Objective.MINIMIZE_COST: "the lowest expected cost",
    Objective.MINIMIZE_RISK: "the least price risk for its cost",
    Objective.MINIMIZE_TIME: "the shortest time for its cost",
    Objective.MAXIMIZE_ALPHA_CAPTURE: "the least alpha lost to waiting and impact",
    Objective.BALANCED_EXECUTION: "the best balance of cost, risk and time",
}


def rationale(
    profile: OrderProfile,
    context: MarketContext,
    chosen: PricedCandidate,
    runner_up: PricedCandidate | None,
    lead_bps: float | None,
    adv_fraction: float,
    otherwise: dict[Objective, str],
    binding: Sequence[str],
    assumptions: Sequence[str],
) -> str:
    """The sentences, most important first.

    Args:
        runner_up: the best candidate of another strategy, None if there is none; `lead_bps` behind in loss.
        otherwise: what other objectives would have chosen, where it differs.
    """
    name, outcome = chosen.entry.strategy_name, chosen.outcome
    first = (
        f"{name} has {_AIMS[profile.objective]} at {profile.urgency} urgency: {outcome.expected_cost * 1e4:.1f} bps "
        f"expected, ± {outcome.cost_sd * 1e4:.1f} bps of market risk, about {_minutes(outcome.time_minutes)}, "
        f"{how(chosen.candidate)}."
    )
    second = (
        f"The order is {adv_fraction:.2%} of daily volume and would be {outcome.participation_rate:.1%} of the market "
        f"while it works, {outcome.participation_rate_peak:.1%} at most; {outcome.market_impact * 1e4:.1f} bps of the "
        f"cost is impact and {outcome.spread_cost * 1e4:.1f} bps spread."
    )
    sentences = [first, second]
    if runner_up is not None and lead_bps is not None:
        sentences.append(f"Next is {runner_up.entry.strategy_name}: {compared(outcome, runner_up.outcome)}.")
    if context.current_conditions != "NORMAL" or context.volatility_regime != "NORMAL":
        sentences.append(
            f"The market is {_words(context.current_conditions)} with {context.volatility_regime.lower()} volatility "
            f"({context.source})."
        )
    if outcome.completion_probability < 0.9:
        sentences.append(incomplete(profile, outcome))
    sentences += [text[0].upper() + text[1:] + "." for text in binding]
    if otherwise:
        sentences.append(
            "With another aim: " + "; ".join(f"{aim} would take {other}" for aim, other in otherwise.items()) + "."
        )
    if outcome.is_extrapolated:
        sentences.append("Orders of this size lie outside those the impact model was estimated on.")
    sentences += [text[0].upper() + text[1:] + "." for text in assumptions]
    return " ".join(sentences)


def how(candidate: Candidate) -> str:
    """The parameters in words."""
    words = f"{candidate.style.lower()}"
    if candidate.algorithm is Algorithm.PARTICIPATION_RATE:
        assert candidate.participation_rate is not None
        words += f" at {candidate.participation_rate:.1%} of volume"
    else:
        words += f" over {_minutes(candidate.window_minutes)} in {candidate.slices} slices"
    if candidate.algorithm is Algorithm.IMPLEMENTATION_SHORTFALL:
        words += f" with urgency κT = {candidate.kappa_t:g}"
    if candidate.dark_ratio > 0:
        words += f", {candidate.dark_ratio:.0%} shown to dark pools first"
    return words


def compared(chosen: ExpectedOutcome, other: ExpectedOutcome) -> str:
    """What the other does better and worse than the chosen one, in numbers."""
    cost = (other.expected_cost - chosen.expected_cost) * 1e4
    risk = (other.cost_sd - chosen.cost_sd) * 1e4
    time = other.time_minutes - chosen.time_minutes
    done = other.completion_probability - chosen.completion_probability
    parts = [
        f"{abs(cost):.1f} bps {'dearer' if cost > 0 else 'cheaper'}",
        f"{abs(risk):.1f} bps {'more' if risk > 0 else 'less'} risk",
        f"{_minutes(abs(time))} {'longer' if time > 0 else 'shorter'}",
    ]
    if abs(done) >= 0.05:
        parts.append(f"{abs(done):.0%} {'more' if done > 0 else 'less'} likely to finish")
    return ", ".join(parts)


def incomplete(profile: OrderProfile, outcome: ExpectedOutcome) -> str:
    """Why the order may not be done."""
    text = f"It is done within the window with a probability of only {outcome.completion_probability:.0%}"
    if outcome.executed_fraction < 0.999:
        return f"{text}: at the allowed rate about {outcome.executed_fraction:.0%} of it fits into the expected volume."
    if profile.constraints.price_limit is not None:
        return f"{text}: the price may move beyond the limit of {profile.constraints.price_limit}."
    return f"{text}: the volume may fall short."


def _minutes(minutes: float) -> str:
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _words(condition: str) -> str:
    return condition.lower().replace("_", " ")
