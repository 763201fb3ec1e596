"""How a quantity is shared among venues: whole lots, best first or in proportion. Arithmetic on what they show."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class RoutingObjective(StrEnum):
    BEST_PRICE = "BEST_PRICE"
    FASTEST_EXECUTION = "FASTEST_EXECUTION"
    LOWEST_COST = "LOWEST_COST"
    MINIMAL_IMPACT = "MINIMAL_IMPACT"
    HIGHEST_FILL_RATE = "HIGHEST_FILL_RATE"


@dataclass(frozen=True, kw_only=True)
class VenueOffer:
    """What one venue has for the order now.

    `price` is the far touch, or the mid for a dark venue; positive `cost_bps` is worse for us: the distance of that
    price from the mid, and the taker fee. `shown_lots` is 0 for a dark venue. `fill_rate` is filled over sent in the
    past; None where there is no history.
    """

    venue: str
    is_dark: bool
    preference: int  # 0 = the most preferred
    shown_lots: int
    spread_cost_bps: float
    fee_bps: float
    latency_ms: float
    fill_rate: float | None

    @property
    def cost_bps(self) -> float:
        return self.spread_cost_bps + self.fee_bps


@dataclass(frozen=True, kw_only=True)
class VenueShare:
    venue: str
    lots: int
    expected_fill_rate: float  # 0..1


def routed(
    offers: Sequence[VenueOffer], lots: int, objective: RoutingObjective, *, venues_max: int
) -> list[VenueShare]:
    """The venues in order of priority, with lots that sum to `lots`.

    BEST_PRICE and LOWEST_COST walk the venues from the best price (LOWEST_COST: fees included) and take what each
    displays; FASTEST_EXECUTION does so from the lowest latency. MINIMAL_IMPACT shares in proportion to displayed size,
    after up to half for a dark venue that has filled before. HIGHEST_FILL_RATE goes by what is displayed, then by
    history. What nobody displays goes to the first venue; dark venues are used by MINIMAL_IMPACT alone, or where there
    is no other.

    Raises:
        ValueError: if there is no offer, or lots or venues_max is not positive.
    """
    if not offers or lots <= 0 or venues_max <= 0:
        raise ValueError(f"{len(offers)} offers, {lots} lots, {venues_max} venues at most: all must be positive")
    lit = [offer for offer in offers if not offer.is_dark] or list(offers)
    chosen: dict[str, int] = {}
    if objective is RoutingObjective.MINIMAL_IMPACT:
        chosen = _least_footprint(offers, lit, lots, venues_max)
    else:
        ordered = sorted(lit, key=lambda offer: _rank(offer, objective, lots))[:venues_max]
        chosen = filled_best_first([(offer.venue, offer.shown_lots) for offer in ordered], lots)
    by_name = {offer.venue: offer for offer in offers}
    return [
        VenueShare(venue=venue, lots=share, expected_fill_rate=expected_fill_rate(by_name[venue], share))
        for venue, share in chosen.items()
    ]


def expected_fill_rate(offer: VenueOffer, lots: int) -> float:
    """Of an order that takes: all of what is displayed, and of the rest what the venue has filled in the past."""
    history = offer.fill_rate or 0.0
    shown = min(lots, offer.shown_lots)
    return (shown + (lots - shown) * min(1.0, history)) / lots


def filled_best_first(offers: Sequence[tuple[str, int]], lots: int) -> dict[str, int]:
    """Each venue's displayed lots in order, until `lots` are placed; what nobody displays goes to the first.

    Venues with nothing are left out. Empty without offers.
    """
    legs: dict[str, int] = {}
    left = lots
    for venue, shown in offers:
        legs[venue] = min(left, shown)
        left -= legs[venue]
    if left and offers:
        legs[offers[0][0]] += left
    return {venue: share for venue, share in legs.items() if share > 0}


def whole_shares(lots: int, weights: Sequence[float]) -> list[int]:
    """Whole lots in proportion to the weights, summing to `lots`: cumulative shares are rounded, never single ones."""
    total = sum(weights)
    shares, done, running = [], 0, 0.0
    for weight in weights:
        running += weight
        upto = min(lots, int(lots * running / total + 0.5))
        shares.append(upto - done)
        done = upto
    shares[-1] += lots - done
    return shares


def _least_footprint(
    offers: Sequence[VenueOffer], lit: Sequence[VenueOffer], lots: int, venues_max: int
) -> dict[str, int]:
    dark = [offer for offer in offers if offer.is_dark and offer.fill_rate and offer not in lit]
    chosen: dict[str, int] = {}
    room = venues_max
    if dark and venues_max > 1:
        best = max(dark, key=lambda offer: (offer.fill_rate or 0.0, -offer.preference, offer.venue))
        share = int(lots * min(0.5, best.fill_rate or 0.0))
        if share:
            chosen[best.venue] = share
            room -= 1
    ordered = sorted(lit, key=lambda offer: (-offer.shown_lots, offer.preference, offer.venue))[:room]
    weights = [float(offer.shown_lots) for offer in ordered]
    if not any(weights):
        weights = [1.0] * len(ordered)
    shares = whole_shares(lots - sum(chosen.values()), weights)
    return chosen | {offer.venue: share for offer, share in zip(ordered, shares, strict=True) if share}


def _rank(offer: VenueOffer, objective: RoutingObjective, lots: int) -> tuple[float, float, int, str]:
    first, second = {
        RoutingObjective.BEST_PRICE: (offer.spread_cost_bps, -float(offer.shown_lots)),
        RoutingObjective.LOWEST_COST: (offer.cost_bps, -float(offer.shown_lots)),
        RoutingObjective.FASTEST_EXECUTION: (offer.latency_ms, offer.cost_bps),
        RoutingObjective.HIGHEST_FILL_RATE: (-expected_fill_rate(offer, lots), offer.cost_bps),
    }[objective]
    return first, second, offer.preference, offer.venue
