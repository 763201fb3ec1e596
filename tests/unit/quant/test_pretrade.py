"""The pre-trade model: parts that add up, signs and orderings a trader expects, and figures worked by hand."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from bestex.domain.orders import Algorithm, ExecutionStyle
from bestex.quant.almgren_chriss import continuous_variance
from bestex.quant.pretrade import COST_ERRORS, Candidate, ExpectedOutcome, MarketEstimates, expected_outcome
from bestex.quant.spread_costs import PlacementAssumptions, fill_probability, spread_cost
from bestex.quant.volume_curves import flat_curve, u_shaped_default

MARKET = MarketEstimates(
    price=100.0,
    spread=0.02,
    tick_size=0.01,
    touch_quantity=500,
    daily_volume=1e7,
    daily_volatility=0.02,
    volume_curve=flat_curve(),
    session_minutes=390,
    session_fraction=0.0,
    taker_fee=3e-5,
    maker_fee=-2e-5,
)
WHOLE_DAY = Candidate(
    algorithm=Algorithm.VWAP, style=ExecutionStyle.AGGRESSIVE, window_minutes=390, slices=39, participation_rate=None
)


def outcome(quantity: float = 1e6, market: MarketEstimates = MARKET, **changes: Any) -> ExpectedOutcome:
    return expected_outcome(replace(WHOLE_DAY, **changes), quantity, market)


def test_a_tenth_of_the_day_crossed_evenly_over_it_by_hand() -> None:
    o = outcome()
    assert o.spread_cost == pytest.approx(1e-4)  # half of 0.02 on 100
    assert o.temporary_impact == pytest.approx(0.142 * 0.02 * 0.1**0.6)
    assert o.permanent_impact == pytest.approx(0.314 * 0.02 * 0.1 / 2)
    assert o.fees == pytest.approx(3e-5)
    assert o.participation_rate == pytest.approx(1 / 11)
    assert o.cost_sd**2 == pytest.approx(0.02**2 / 3 + (0.6 * o.temporary_impact * 0.3) ** 2)
    assert o.time_minutes == pytest.approx(390 * 0.995)
    assert o.executed_fraction == 1.0
    assert o.completion_probability > 0.999999
    assert not o.is_extrapolated


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("style", list(ExecutionStyle))
def test_the_parts_add_up_to_the_cost(algorithm: Algorithm, style: ExecutionStyle) -> None:
    market = replace(MARKET, volume_curve=u_shaped_default(), session_fraction=0.2, drift_per_day=0.01)
    o = outcome(2e5, market, algorithm=algorithm, style=style, participation_rate=0.15, kappa_t=2.0, dark_ratio=0.3)
    parts = o.spread_cost + o.temporary_impact + o.permanent_impact + o.fees + o.drift_cost
    assert o.expected_cost == pytest.approx(parts, rel=1e-12)
    assert o.market_impact == pytest.approx(o.temporary_impact + o.permanent_impact)
    assert len(o.cost_errors) == len(COST_ERRORS)
    assert o.cost_error_sd**2 == pytest.approx(sum(part**2 for part in o.cost_errors))
    assert o.cost_quantile(0.1) < o.expected_cost < o.cost_quantile(0.9)
    assert 0 <= o.passive_share <= 1
    assert 0 < o.participation_rate <= o.participation_rate_peak + 1e-12


def test_more_urgency_costs_more_and_risks_less() -> None:
    outcomes = [outcome(algorithm=Algorithm.IMPLEMENTATION_SHORTFALL, kappa_t=k) for k in (0.0, 1.0, 3.0, 8.0)]
    assert all(a.expected_cost < b.expected_cost for a, b in pairwise(outcomes))
    assert all(a.cost_sd > b.cost_sd for a, b in pairwise(outcomes))
    assert all(a.time_minutes > b.time_minutes for a, b in pairwise(outcomes))


@pytest.mark.parametrize("kappa_t", [0.0, 1.0, 3.0])
def test_the_risk_of_implementation_shortfall_is_the_closed_form(kappa_t: float) -> None:
    o = outcome(1.0, algorithm=Algorithm.IMPLEMENTATION_SHORTFALL, kappa_t=kappa_t)
    assert o.cost_sd == pytest.approx(0.02 * continuous_variance(kappa_t) ** 0.5, rel=2e-3)


def test_cost_rises_with_size_volatility_and_spread() -> None:
    assert outcome(2e6).expected_cost > outcome(1e6).expected_cost
    assert outcome(market=replace(MARKET, daily_volatility=0.03)).expected_cost > outcome().expected_cost
    assert outcome(market=replace(MARKET, spread=0.04)).expected_cost > outcome().expected_cost


def test_resting_costs_less_than_crossing_and_a_wide_spread_widens_the_difference() -> None:
    def gain(market: MarketEstimates) -> float:
        aggressive, passive = (
            outcome(market=market, style=style) for style in (ExecutionStyle.AGGRESSIVE, ExecutionStyle.PASSIVE)
        )
        return aggressive.expected_cost - passive.expected_cost

    assert 0 < gain(MARKET) < gain(replace(MARKET, spread=0.06))


def test_vwap_beats_twap_on_impact_where_volume_is_uneven() -> None:
    market = replace(MARKET, volume_curve=u_shaped_default())
    assert outcome(market=market).temporary_impact < outcome(market=market, algorithm=Algorithm.TWAP).temporary_impact


def test_participation_runs_at_its_rate_and_stops_when_done() -> None:
    o = outcome(1e6, algorithm=Algorithm.PARTICIPATION_RATE, participation_rate=0.2)
    assert o.participation_rate == pytest.approx(0.2)
    assert o.participation_rate_peak == pytest.approx(0.2)
    # 1e6 at one of ours to four of theirs needs 4e6 of the day's 1e7.
    assert o.time_minutes == pytest.approx(0.4 * 390 * 0.995)
    assert o.executed_fraction == pytest.approx(1.0)


def test_what_the_rate_does_not_allow_stays_unfilled_and_is_said() -> None:
    o = outcome(5e6, participation_rate=0.2)
    assert o.executed_fraction == pytest.approx(0.5)  # 2.5e6
    assert o.completion_probability < 0.05


def test_a_volume_exactly_sufficient_completes_half_of_the_time() -> None:
    assert outcome(2.5e6, participation_rate=0.2).completion_probability == pytest.approx(0.5)


def test_a_limit_lowers_the_chance_of_completion() -> None:
    # One sd of the day's return away: P(below it at the end) = 0.841.
    assert outcome(limit_distance=0.02).completion_probability == pytest.approx(0.8413, abs=1e-4)
    assert outcome(limit_distance=0.0).completion_probability == pytest.approx(0.5, abs=1e-6)


def test_expected_drift_makes_slow_candidates_dearer() -> None:
    market = replace(MARKET, drift_per_day=0.01)
    assert outcome(market=market).drift_cost == pytest.approx(0.005)
    assert outcome(market=market, window_minutes=39).drift_cost == pytest.approx(0.0005)
    assert outcome(market=replace(MARKET, drift_per_day=-0.01)).drift_cost == pytest.approx(-0.005)


def test_dark_quantity_saves_its_share_of_the_spread() -> None:
    market = replace(MARKET, placement=PlacementAssumptions(dark_fill_share=0.5), dark_fee=1e-5)
    o = outcome(market=market, dark_ratio=0.4)
    assert o.spread_cost == pytest.approx(0.8 * 1e-4)
    assert o.fees == pytest.approx(0.8 * 3e-5 + 0.2 * 1e-5)


def test_the_close_cuts_a_window_short_but_a_market_around_the_clock_runs_on() -> None:
    late = replace(MARKET, session_fraction=0.9)
    assert outcome(1e4, late).time_minutes == pytest.approx(39 * 0.995)
    around_the_clock = replace(late, session_minutes=1440)
    assert outcome(1e4, around_the_clock, window_minutes=1440).time_minutes == pytest.approx(1440 * 0.995)


def test_small_and_huge_orders_are_marked_as_extrapolated() -> None:
    assert outcome(1e4).is_extrapolated
    assert outcome(4e6).is_extrapolated
    assert not outcome(1e6).is_extrapolated


def test_minus_two_sds_of_the_impact_law_give_the_square_root_law() -> None:
    o = outcome()
    law = o.cost_errors[COST_ERRORS.index("impact law")]
    assert o.market_impact - 2 * law == pytest.approx(2 / 3 * 0.02 * 0.1**0.5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: outcome(0.0),
        lambda: outcome(float("nan")),
        lambda: outcome(algorithm=Algorithm.PARTICIPATION_RATE, participation_rate=None),
        lambda: outcome(participation_rate=1.5),
        lambda: outcome(window_minutes=0.0),
        lambda: outcome(dark_ratio=1.1),
        lambda: replace(MARKET, price=0.0),
        lambda: replace(MARKET, session_fraction=1.0),
        lambda: replace(MARKET, daily_volatility=float("nan")),
    ],
)
def test_what_makes_no_sense_is_refused(call: object) -> None:
    with pytest.raises(ValueError):
        call()  # type: ignore[operator]


def test_one_post_costs_what_its_fill_chance_and_adverse_selection_say() -> None:
    none = PlacementAssumptions(adverse_selection=0.0, adverse_selection_se=0.0)
    # Filled 60 %: -1; else crossed: +1. Without adverse selection the mid does not move with the fill.
    cost = spread_cost(ExecutionStyle.BALANCED, slices=5, fill=0.6, spread_ticks=2, assumptions=none)
    assert cost.cost == pytest.approx(-0.6 + 0.4)
    assert cost.passive_share == pytest.approx(0.6)
    # A move of one half spread against each fill takes the gain away: 0.6 x 0 + 0.4 x 1.
    full = PlacementAssumptions(adverse_selection=1.0)
    cost = spread_cost(ExecutionStyle.BALANCED, slices=5, fill=0.6, spread_ticks=2, assumptions=full)
    assert cost.cost == pytest.approx(0.4)


def test_a_passive_order_with_one_slice_is_a_balanced_one() -> None:
    passive, balanced = (
        spread_cost(style, slices=1, fill=0.3, spread_ticks=3)
        for style in (ExecutionStyle.PASSIVE, ExecutionStyle.BALANCED)
    )
    assert passive == balanced


def test_opportunistic_in_a_one_tick_market_always_crosses() -> None:
    cost = spread_cost(ExecutionStyle.OPPORTUNISTIC, slices=9, fill=0.5, spread_ticks=1)
    assert cost.cost == 1.0
    assert cost.passive_share == 0.0


def test_a_longer_queue_or_less_volume_makes_a_fill_less_likely() -> None:
    assert fill_probability(10, 100, 1000) > fill_probability(10, 200, 1000) > fill_probability(10, 200, 500)
    assert fill_probability(10, 0, 0) == 0.0
