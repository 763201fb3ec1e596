import random

import pytest

from bestex.quant.routing import RoutingObjective, VenueOffer, filled_best_first, routed, whole_shares

SEED = 20_261_121


def offer(venue: str, **fields: object) -> VenueOffer:
    usual: dict[str, object] = {
        "is_dark": False,
        "preference": 9,
        "shown_lots": 100,
        "spread_cost_bps": 1.0,
        "fee_bps": 0.1,
        "latency_ms": 0.3,
        "fill_rate": None,
    }
    return VenueOffer(venue=venue, **(usual | fields))  # type: ignore[arg-type]


def shares(offers: list[VenueOffer], lots: int, objective: str, venues_max: int = 3) -> dict[str, int]:
    return {item.venue: item.lots for item in routed(offers, lots, RoutingObjective(objective), venues_max=venues_max)}


def test_best_price_takes_what_the_best_venue_shows_and_then_the_next() -> None:
    offers = [offer("A", spread_cost_bps=2.0), offer("B", spread_cost_bps=1.0, shown_lots=60), offer("C")]
    assert shares(offers, 150, "BEST_PRICE") == {"C": 100, "B": 50}


def test_what_nobody_displays_goes_to_the_first_venue() -> None:
    assert shares([offer("A"), offer("B", spread_cost_bps=2.0)], 500, "BEST_PRICE") == {"A": 400, "B": 100}


def test_lowest_cost_counts_the_fee_and_best_price_does_not() -> None:
    offers = [offer("A", fee_bps=0.9), offer("B", spread_cost_bps=1.2, fee_bps=0.0)]
    assert shares(offers, 50, "BEST_PRICE") == {"A": 50}
    assert shares(offers, 50, "LOWEST_COST") == {"B": 50}


def test_fastest_goes_by_latency_and_highest_fill_rate_by_what_will_fill() -> None:
    offers = [offer("A", latency_ms=0.1, shown_lots=10, fill_rate=0.5), offer("B", latency_ms=0.9, shown_lots=80)]
    assert shares(offers, 50, "FASTEST_EXECUTION") == {"A": 10, "B": 40}
    assert shares(offers, 50, "HIGHEST_FILL_RATE") == {"B": 50}  # B shows all; A fills 10 and half of 40: 0.6


def test_minimal_impact_shares_by_size_after_a_dark_venue_that_fills() -> None:
    offers = [offer("A", shown_lots=300), offer("B"), offer("D", is_dark=True, shown_lots=0, fill_rate=0.25)]
    assert shares(offers, 400, "MINIMAL_IMPACT") == {"D": 100, "A": 225, "B": 75}
    never_filled = [*offers[:2], offer("D", is_dark=True, shown_lots=0)]
    assert shares(never_filled, 400, "MINIMAL_IMPACT") == {"A": 300, "B": 100}


def test_a_dark_venue_alone_gets_everything() -> None:
    assert shares([offer("D", is_dark=True, shown_lots=0)], 10, "BEST_PRICE") == {"D": 10}


def test_preference_decides_between_equal_venues() -> None:
    assert shares([offer("A"), offer("B", preference=0)], 10, "BEST_PRICE", 1) == {"B": 10}


def _loses(lots: int, weights: list[float]) -> list[int]:
    """Broken on purpose: each share is rounded by itself."""
    return [round(lots * weight / sum(weights)) for weight in weights]


def test_the_lots_always_add_up_and_no_venue_beyond_the_split_is_used() -> None:
    print(f"seed {SEED}")
    draw = random.Random(SEED)
    broken = 0
    for _ in range(2_000):
        offers = [
            offer(
                name,
                is_dark=draw.random() < 0.3,
                shown_lots=draw.choice([0, draw.randrange(1, 500)]),
                spread_cost_bps=draw.uniform(0, 5),
                latency_ms=draw.uniform(0.1, 2),
                fill_rate=draw.choice([None, draw.random()]),
            )
            for name in "ABCDEF"[: draw.randrange(1, 7)]
        ]
        lots, venues_max = draw.randrange(1, 1_000), draw.randrange(1, 5)
        found = routed(offers, lots, draw.choice(list(RoutingObjective)), venues_max=venues_max)
        assert sum(item.lots for item in found) == lots
        assert all(item.lots > 0 and 0 <= item.expected_fill_rate <= 1 for item in found)
        assert 1 <= len(found) <= venues_max
        weights = [draw.random() for _ in range(3)]
        assert sum(whole_shares(lots, weights)) == lots
        broken += sum(_loses(lots, weights)) != lots
    assert broken > 0


def test_nothing_to_route_or_to_route_to_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        routed([], 1, RoutingObjective.BEST_PRICE, venues_max=1)
    with pytest.raises(ValueError, match="must be positive"):
        routed([offer("A")], 0, RoutingObjective.BEST_PRICE, venues_max=1)
    assert filled_best_first([], 5) == {}
