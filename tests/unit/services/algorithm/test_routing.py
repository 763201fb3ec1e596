"""Where quantity goes. LIT1 shows 300 at each side, LIT2 200."""

from dataclasses import replace
from decimal import Decimal

from bestex.domain.market import VenueQuote
from bestex.domain.orders import Algorithm, ExecutionStyle, Side
from bestex.services.algorithm.instruction import Instruction
from bestex.services.algorithm.routing import Leg, Router
from tests.unit.services.algorithm.paper_desk import ABC, MINUTE, OPEN, VENUES, snapshot

PLAIN = Instruction(
    algorithm=Algorithm.TWAP,
    style=ExecutionStyle.BALANCED,
    start_ns=OPEN,
    end_ns=OPEN + 10 * MINUTE,
    participation_rate=0.3,
    kappa_t=0.0,
    slices=10,
)
MARKET = snapshot(OPEN)


def take(instruction: Instruction, lots: int, market: object = MARKET, worst: str = "100.10") -> list[Leg]:
    return Router(instruction, VENUES).take(lots, Side.BUY, Decimal(worst), market, ABC, 3)  # type: ignore[arg-type]


def post(instruction: Instruction, lots: int, lots_min: int = 1) -> list[Leg]:
    return Router(instruction, VENUES).post(lots, Side.BUY, MARKET, lots_min, 3)


def legs(found: list[Leg]) -> dict[str, int]:
    return {leg.venue: leg.lots for leg in found}


def test_a_taker_goes_to_the_larger_display_first_and_the_surplus_to_the_best() -> None:
    assert legs(take(PLAIN, 20)) == {"LIT1": 20}
    assert legs(take(PLAIN, 40)) == {"LIT1": 30, "LIT2": 10}
    assert legs(take(PLAIN, 70)) == {"LIT1": 50, "LIT2": 20}


def test_a_better_price_comes_before_a_larger_display() -> None:
    one, two = MARKET.venues
    better = replace(MARKET, venues=(one, replace(two, ask=Decimal("100.01"))))
    assert legs(take(PLAIN, 30, better)) == {"LIT2": 20, "LIT1": 10}


def test_no_leg_goes_to_a_venue_whose_price_is_worse_than_the_limit() -> None:
    one, two = MARKET.venues
    worse = replace(MARKET, venues=(one, replace(two, ask=Decimal("100.09"))))
    assert legs(take(PLAIN, 70, worse, worst="100.05")) == {"LIT1": 70}
    assert take(PLAIN, 70, worse, worst="100.01") == []


def test_exclusions_are_hard_and_preferences_break_ties() -> None:
    assert legs(take(replace(PLAIN, venue_exclusions=("LIT1",)), 40)) == {"LIT2": 40}
    assert legs(take(replace(PLAIN, venue_preferences=("LIT2",)), 40)) == {"LIT2": 20, "LIT1": 20}
    assert take(replace(PLAIN, venue_exclusions=("LIT1", "LIT2")), 40) == []


def test_what_is_posted_follows_the_weights_and_sums_exactly() -> None:
    weighted = replace(PLAIN, venue_weights={"LIT1": 0.62, "LIT2": 0.38})
    assert legs(post(weighted, 10)) == {"LIT1": 6, "LIT2": 4}
    for lots in range(1, 60):
        assert sum(leg.lots for leg in post(weighted, lots)) == lots


def test_a_leg_below_the_smallest_child_is_merged_into_the_others() -> None:
    weighted = replace(PLAIN, venue_weights={"LIT1": 0.8, "LIT2": 0.2})
    assert legs(post(weighted, 10, lots_min=3)) == {"LIT1": 10}


def test_without_weights_a_post_goes_where_most_is_shown_unless_a_venue_is_preferred() -> None:
    assert legs(post(PLAIN, 10)) == {"LIT1": 10}
    assert legs(post(replace(PLAIN, venue_preferences=("LIT2",)), 10)) == {"LIT2": 10}


def test_the_dark_share_rests_at_the_mid_and_never_where_there_is_a_price_limit() -> None:
    dark = replace(PLAIN, dark_ratio=0.3)
    found = post(dark, 10)
    assert [leg.lots for leg in found if leg.is_dark] == [3]
    assert sum(leg.lots for leg in found) == 10
    assert not any(leg.is_dark for leg in post(replace(dark, price_max=Decimal(200)), 10))
    assert not any(leg.is_dark for leg in post(replace(dark, venue_exclusions=("DARK",)), 10))


def test_a_tape_without_venue_quotes_still_has_somewhere_to_go() -> None:
    assert legs(take(PLAIN, 5, replace(MARKET, venues=()))) == {"LIT1": 5}


def test_a_venue_without_an_offer_is_not_taken_from() -> None:
    empty = VenueQuote(venue="LIT1", bid=None, ask=None, bid_quantity=Decimal(0), ask_quantity=Decimal(0))  # type: ignore[arg-type]
    assert legs(take(PLAIN, 40, replace(MARKET, venues=(empty, MARKET.venues[1])))) == {"LIT2": 40}
