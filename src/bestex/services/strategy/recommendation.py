"""From an order to a recommendation: feasible strategies, priced candidates, the best one and why."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import Algorithm, Objective
from bestex.messages.strategy import (
    AlternativeStrategy,
    ExecutionStrategy,
    ExpectedOutcomes,
    FrontierPoint,
    MarketContext,
    Recommendation,
)
from bestex.quant import pretrade
from bestex.quant.candidates import Candidate
from bestex.quant.pretrade import ExpectedOutcome
from bestex.quant.volume_curves import VolumeCurve as SessionCurve
from bestex.services.strategy.allocation import risk_controls, time_allocation, venue_allocation
from bestex.services.strategy.candidates import PricedCandidate, rate_cap, searched
from bestex.services.strategy.catalogue import CatalogueEntry
from bestex.services.strategy.confidence import ErrorDraws, group_of, probability_of_best
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.estimates import EstimateSources, daily_volatility, market_estimates
from bestex.services.strategy.market_conditions import client_context, derived_context, reading_of
from bestex.services.strategy.profile import OrderProfile
from bestex.services.strategy.rationale import compared, rationale
from bestex.services.strategy.rules import feasible_set, refusal
from bestex.services.strategy.scoring import Parts, Scorer, score_of


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The recommendation and the order profile it was made for."""

    recommendation: Recommendation
    profile: OrderProfile


def recommended(
    profile: OrderProfile,
    market: MarketSnapshot,
    given_context: MarketContext | None,
    *,
    selection_id: str,
    entries: Sequence[CatalogueEntry],
    curve: Any,
    sessions: SessionCurve,
    config: StrategyConfig,
    draws: ErrorDraws,
) -> Choice:
    """The best execution strategy for the order now.

    Args:
        given_context: the client's view of the market; None = derived.
        curve: the port's volume curve of the session; `sessions` is the same as the cost model reads it.

    Raises:
        InvalidOrder: if no strategy may work the order; it names the constraint that binds.
        StaleMarketData: if there is no two-sided quote.
    """
    volatility, _ = daily_volatility(profile, config)
    reading = reading_of(profile, market, curve, volatility)
    context = derived_context(profile, reading) if given_context is None else client_context(given_context)
    sources = market_estimates(profile, market, context, sessions, reading.volume_ratio, config)
    estimates = sources.market
    quantity = float(profile.quantity)
    adv_fraction = quantity / estimates.daily_volume
    bounds = {"adv_fraction": adv_fraction, "desk_rate_max": config.participation_rate_max}
    found = feasible_set(entries, profile, context, **bounds)
    if not found.entries:
        raise refusal(entries, profile, context, **bounds)

    scorer = Scorer(estimates, config, profile.urgency)
    weights = scorer.weights(profile.objective)

    def price(candidates: Sequence[Candidate]) -> list[tuple[ExpectedOutcome, Parts]]:
        outcomes = pretrade.expected_outcomes(candidates, quantity, estimates)
        return [
            (outcome, scorer.parts(candidate, outcome)) for candidate, outcome in zip(candidates, outcomes, strict=True)
        ]

    priced = searched(found.entries, profile, estimates, config, price, weights)
    parts = np.array([item.parts for item in priced])
    losses = parts @ np.array(weights)
    ranked = _best_per_strategy(priced, losses)
    chosen = ranked[0]
    best = priced[chosen]
    cost_weight = config.objective_weights[profile.objective].cost * 1e4
    loadings = cost_weight * np.array([item.outcome.cost_errors for item in priced])
    confidence = probability_of_best(
        losses,
        loadings,
        config.own_error_share * np.sqrt((loadings**2).sum(axis=1)),
        np.array([group_of(item.candidate.algorithm, item.candidate.style) for item in priced]),
        chosen,
        draws,
        tolerance_bps=config.tolerance_bps,
        tolerance_share=config.tolerance_share,
    )
    binding = _binding(profile, best, config)
    favourites = {
        aim: priced[int(np.argmin(parts @ np.array(scorer.weights(aim))))].entry.strategy_name for aim in Objective
    }
    otherwise = {aim: name for aim, name in favourites.items() if name != best.entry.strategy_name}
    otherwise.pop(profile.objective, None)
    text = rationale(
        profile,
        context,
        best,
        priced[ranked[1]] if len(ranked) > 1 else None,
        float(losses[ranked[1]] - losses[chosen]) if len(ranked) > 1 else None,
        adv_fraction,
        otherwise,
        binding,
        sources.assumptions,
    )

    @cache
    def venues(dark_ratio: float) -> dict[str, float]:
        return venue_allocation(profile, market, dark_ratio)

    alternatives = tuple(
        AlternativeStrategy(
            strategy=execution_strategy(profile, priced[k], market, venues, sources, config),
            expected_outcomes=expected_outcomes(priced[k].outcome, estimates.daily_volatility),
            score=round(score_of(float(losses[k]), float(losses[chosen])), 4),
            why_not_chosen=f"{compared(best.outcome, priced[k].outcome)}: "
            f"{losses[k] - losses[chosen]:.2f} bps behind for {profile.objective}",
        )
        for k in ranked[1 : 1 + config.alternatives_max]
    )
    answer = Recommendation(
        order_id=profile.order_id,
        selection_id=selection_id,
        recommended_strategy=execution_strategy(profile, best, market, venues, sources, config),
        strategy_rationale=text,
        expected_outcomes=expected_outcomes(best.outcome, estimates.daily_volatility),
        alternative_strategies=alternatives,
        confidence=round(confidence, 4),
        market_context=context,
        frontier=tuple(
            FrontierPoint(
                strategy_name=item.entry.strategy_name,
                algorithm=item.candidate.algorithm,
                cost=item.outcome.expected_cost,
                risk=item.outcome.cost_sd,
                time_minutes=item.outcome.time_minutes,
                chosen=k == chosen,
            )
            for k, item in enumerate(priced)
        ),
        binding_constraints=binding,
        infeasible={name: why.reason for name, why in found.left_out.items()},
    )
    return Choice(recommendation=answer, profile=profile)


def execution_strategy(
    profile: OrderProfile,
    priced: PricedCandidate,
    market: MarketSnapshot,
    venues: Callable[[float], dict[str, float]],
    sources: EstimateSources,
    config: StrategyConfig,
) -> ExecutionStrategy:
    """The candidate as the algorithm service will be told it; `venues` is the allocation for a dark ratio."""
    candidate, outcome = priced.candidate, priced.outcome
    cap = rate_cap(profile, config)
    times = time_allocation(profile, candidate, sources.market)
    largest = max(item.fraction for item in times.slices)
    dark_ratio = candidate.dark_ratio if profile.dark_venues else 0.0
    parameters: dict[str, Any] = {
        "participation_rate": candidate.participation_rate,
        "expected_participation_rate": round(float(outcome.participation_rate), 6),
        "dark_pool_ratio": dark_ratio,
        "volatility_adjustment": sources.volatility_adjustment,
        "execution_style": str(candidate.style),
        "slices": candidate.slices,
        "horizon_minutes": round(candidate.window_minutes, 4),
    }
    if candidate.algorithm is Algorithm.IMPLEMENTATION_SHORTFALL:
        parameters["kappa_T"] = candidate.kappa_t
    return ExecutionStrategy(
        strategy_name=priced.entry.strategy_name,
        algorithm=str(candidate.algorithm),
        parameters=parameters,
        venue_allocation=dict(venues(dark_ratio)),
        time_allocation=times,
        risk_controls=risk_controls(profile, candidate, outcome, market, cap, largest, config),
    )


def expected_outcomes(outcome: ExpectedOutcome, daily_sd: float) -> ExpectedOutcomes:
    """The cost model's outcome as clients see it. `risk_score` is the cost's sd over a day's, at most 1."""
    return ExpectedOutcomes(
        estimated_cost=outcome.expected_cost,
        estimated_time_minutes=max(1, math.ceil(outcome.time_minutes)),
        market_impact=outcome.market_impact,
        completion_probability=outcome.completion_probability,
        risk_score=min(1.0, outcome.cost_sd / daily_sd) if daily_sd > 0 else 0.0,
        cost_sd=outcome.cost_sd,
        cost_low=outcome.cost_quantile(0.1),
        cost_high=outcome.cost_quantile(0.9),
        spread_cost=outcome.spread_cost,
        fees=outcome.fees,
    )


def _best_per_strategy(priced: Sequence[PricedCandidate], losses: np.ndarray) -> list[int]:
    """Index of each strategy's best candidate, the best strategy first; the catalogue's order breaks ties."""
    best: dict[str, int] = {}
    for k, item in enumerate(priced):
        name = item.entry.strategy_name
        if name not in best or losses[k] < losses[best[name]]:
            best[name] = k
    return sorted(best.values(), key=lambda k: (losses[k], k))


def _binding(profile: OrderProfile, best: PricedCandidate, config: StrategyConfig) -> tuple[str, ...]:
    """The limits that shaped the choice, in words."""
    wants, candidate, outcome = profile.constraints, best.candidate, best.outcome
    binding = []
    cap = rate_cap(profile, config)
    if outcome.participation_rate_peak >= cap * 0.98:
        whose = (
            "the client's"
            if wants.max_participation_rate is not None and cap == wants.max_participation_rate
            else "the desk's"
        )
        binding.append(f"{whose} participation cap of {cap:.1%} binds")
    if candidate.window_minutes >= profile.window_minutes * 0.999:
        what = "the client's end" if profile.end_is_fixed else "the session's close"
        if candidate.algorithm is not Algorithm.PARTICIPATION_RATE or outcome.executed_fraction < 0.999:
            binding.append(f"{what}, {profile.window_minutes:.0f} min after the start, ends the window")
    if wants.venue_restrictions:
        binding.append("venues left out at the client's wish: " + ", ".join(wants.venue_restrictions))
    if wants.price_limit is not None and outcome.completion_probability < 0.9 and outcome.executed_fraction >= 0.999:
        binding.append(f"the price limit of {wants.price_limit} may stop the order")
    return tuple(binding)
