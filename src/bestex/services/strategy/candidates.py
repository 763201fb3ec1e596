"""Turning a catalogue entry into candidates for one order: which windows, rates and urgencies are worth pricing."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from bestex.quant.candidates import Candidate, MarketEstimates
from bestex.quant.pretrade import ExpectedOutcome
from bestex.services.strategy.catalogue import CatalogueEntry, Span
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.profile import OrderProfile
from bestex.services.strategy.scoring import Parts, loss_of

_RATE_BELOW_ONE: Final = 0.99
# PARTICIPATION_RATE gets a window in which half of the expected volume is enough; it ends when it is done.
_VOLUME_MARGIN: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class PricedCandidate:
    """A catalogue entry with its parameters for this order, and what the cost model expects of it."""

    entry: CatalogueEntry
    candidate: Candidate
    outcome: ExpectedOutcome
    parts: Parts  # of its loss


Prices = list[tuple[ExpectedOutcome, Parts]]
Price = Callable[[Sequence[Candidate]], Prices]
Shortest = Callable[[float, float], float | None]  # of a quantity and a rate, as `shortest_minutes`


def rate_cap(profile: OrderProfile, config: StrategyConfig) -> float:
    """The highest participation rate allowed: the client's cap or the desk's, whichever is lower."""
    client = profile.constraints.max_participation_rate
    return min(
        config.participation_rate_max if client is None else min(client, config.participation_rate_max), _RATE_BELOW_ONE
    )


def shortest_minutes(quantity: float, rate: float, estimates: MarketEstimates) -> float | None:
    """Minutes until the expected volume lets the order through at the rate; None if the session is too short."""
    curve, start = estimates.volume_curve, estimates.session_fraction
    needed = float(curve.at(start)) + quantity * (1 - rate) / rate / estimates.daily_volume
    if needed > 1:
        return None
    return max(0.0, float(curve.fraction_when(needed)) - start) * estimates.session_minutes


def searched(
    entries: Sequence[CatalogueEntry],
    profile: OrderProfile,
    estimates: MarketEstimates,
    config: StrategyConfig,
    price: Price,
    weights: Parts,
) -> list[PricedCandidate]:
    """Every candidate that was priced: entry by entry, the best one of each first.

    The entries are searched side by side, so that each step of all of them is priced at once.
    """

    @cache
    def shortest(quantity: float, rate: float) -> float | None:
        return shortest_minutes(quantity, rate, estimates)

    searches = [_search(entry, profile, estimates, config, shortest, weights) for entry in entries]
    found: list[list[PricedCandidate]] = [[] for _ in entries]
    asked = {number: next(search) for number, search in enumerate(searches)}
    while asked:
        prices = iter(price([candidate for candidates in asked.values() for candidate in candidates]))
        again: dict[int, Sequence[Candidate]] = {}
        for number, candidates in asked.items():
            try:
                again[number] = searches[number].send([next(prices) for _ in candidates])
            except StopIteration as done:
                found[number] = done.value
        asked = again
    return [candidate for candidates in found for candidate in candidates]


def _search(
    entry: CatalogueEntry,
    profile: OrderProfile,
    estimates: MarketEstimates,
    config: StrategyConfig,
    shortest_for: Shortest,
    weights: Parts,
) -> Generator[Sequence[Candidate], Prices, list[PricedCandidate]]:
    """The search of one entry: it yields the candidates to price next and is sent their prices.

    A coordinate search: the window over three points from the shortest allowed to the longest, at the middle of the
    other ranges; then the urgency or rate, then the dark ratio, each at the best point so far. The client's cap sets
    the shortest window; where even the longest is too short the order is planned over it and expected incomplete.
    """
    cap = rate_cap(profile, config)
    longest = min(entry.horizon_minutes.high, profile.window_minutes)
    shortest = entry.horizon_minutes.low
    if entry.participation_rate is None:
        least = shortest_for(float(profile.quantity), cap)
        shortest = longest if least is None else min(longest, max(shortest, least * 1.02))
    priced: list[PricedCandidate] = []
    best: tuple[float, PricedCandidate] | None = None

    def consider(candidates: Sequence[Candidate]) -> Generator[Sequence[Candidate], Prices, None]:
        nonlocal best
        prices = (yield candidates) if candidates else []
        for candidate, (outcome, parts) in zip(candidates, prices, strict=True):
            found = PricedCandidate(entry=entry, candidate=candidate, outcome=outcome, parts=parts)
            value = loss_of(parts, weights)
            priced.append(found)
            if best is None or value < best[0]:
                best = (value, found)

    rates = _rates(entry.participation_rate, cap)
    kappas = _kappas(entry.kappa_t)
    darks = _dark_ratios(entry.dark_pool_ratio, profile)
    limit = profile.constraints.price_limit
    if rates is not None:
        slow = shortest_for(float(profile.quantity) * _VOLUME_MARGIN, min(rates))
        longest = shortest = longest if slow is None else min(longest, max(shortest, slow))
    yield from consider(
        [
            Candidate(
                algorithm=entry.algorithm,
                style=entry.execution_style,
                window_minutes=minutes,
                slices=_slices(minutes, profile, config),
                kappa_t=kappas[0],
                participation_rate=cap if rates is None else rates[0],
                dark_ratio=darks[0],
                limit_distance=None if limit is None else profile.side.sign * (float(limit) / estimates.price - 1),
            )
            for minutes in _windows(shortest, longest)
        ]
    )
    assert best is not None
    if rates is not None:
        at_window = best[1].candidate
        yield from consider([replace(at_window, participation_rate=rate) for rate in rates[1:]])
    at_rate = best[1].candidate
    yield from consider([replace(at_rate, kappa_t=kappa) for kappa in kappas[1:]])
    at_urgency = best[1].candidate
    yield from consider([replace(at_urgency, dark_ratio=ratio) for ratio in darks[1:]])
    chosen = best[1]
    return [chosen, *(other for other in priced if other is not chosen)]


def _windows(shortest: float, longest: float) -> list[float]:
    if longest <= shortest * 1.05:
        return [longest]
    return [shortest, (shortest * longest) ** 0.5, longest]


def _rates(span: Span | None, cap: float) -> list[float] | None:
    if span is None:
        return None
    high = min(span.high, cap)
    return [high] if high <= span.low * 1.01 else [(span.low * high) ** 0.5, span.low, high]


def _kappas(span: Span | None) -> list[float]:
    if span is None:
        return [0.0]
    middle = (span.low + span.high) / 2
    return [middle] if span.low == span.high else [middle, span.low, span.high]


def _dark_ratios(span: Span, profile: OrderProfile) -> list[float]:
    wanted = profile.constraints.dark_pool_preference
    if not profile.dark_venues or wanted is False:
        return [0.0]
    if wanted is True or span.low == span.high:
        return [span.high]
    return [span.low, span.high]


def _slices(minutes: float, profile: OrderProfile, config: StrategyConfig) -> int:
    lots = profile.instrument.quantity_to_lots(profile.quantity)
    return max(1, min(config.slices_max, round(minutes / config.slice_minutes), lots))
