"""What one snapshot says about the market."""

import math
from decimal import Decimal

import pytest

from bestex.domain.errors import InvalidInput, InvalidOrder, StaleMarketData
from bestex.domain.market import MarketSnapshot
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.strategy import MarketContext
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.estimates import daily_volatility, market_estimates, session_curve
from bestex.services.strategy.market_conditions import (
    MarketReading,
    client_context,
    derived_context,
    reading_of,
    time_of_day,
)
from bestex.services.strategy.profile import OrderProfile, profile_of_request
from tests.strategy_cases import ACME, CLOSE_NS, NOW_NS, OPEN_NS, OneInstrument, UShapedDay, request, snapshot


def profile(now_ns: int = NOW_NS, reference: OneInstrument | None = None) -> OrderProfile:
    return profile_of_request(request(), reference or OneInstrument(), now_ns)


def reading(market: MarketSnapshot) -> MarketReading:
    return reading_of(profile(), market, UShapedDay(), 0.015)


def context(market: MarketSnapshot) -> MarketContext:
    return derived_context(profile(), reading(market))


def test_a_calm_market_reads_as_normal() -> None:
    read = reading(snapshot())
    assert read.spread_bps == pytest.approx(1.0)  # 0.02 / 200
    assert read.depth_adv == pytest.approx(500 / 5_000_000)
    assert read.volume_ratio == pytest.approx(1.0, abs=1e-5)
    assert read.drift_z == 0
    derived = derived_context(profile(), read)
    assert (derived.current_conditions, derived.volatility_regime, derived.source) == ("NORMAL", "NORMAL", "derived")
    # (1 / (1 + 1 / 10)) x (1e-4 / 1.2e-4) x 1/2, cube root
    assert derived.liquidity_score == pytest.approx((1 / 1.1 * 1 / 1.2 * 0.5) ** (1 / 3), abs=1e-4)
    assert derived.news_impact_score == 0


def test_the_drift_is_measured_in_deviations_of_a_driftless_day() -> None:
    # One sd of W_t - mean(W) after 90 of 390 minutes is 1.5 % x sqrt(90 / 390 / 3).
    sd = 0.015 * math.sqrt(90 / 390 / 3)
    mid = Decimal(str(round(200 * (1 + 2.5 * sd), 2)))
    market = snapshot(bid=mid - Decimal("0.01"), ask=mid + Decimal("0.01"))
    assert reading(market).drift_z == pytest.approx(2.5, abs=0.01)
    assert context(market).current_conditions == "TRENDING"


def test_a_violent_market_is_highly_volatile_and_with_volume_news_driven() -> None:
    moved = {"bid": Decimal("204.99"), "ask": Decimal("205.01")}
    violent = context(snapshot(**moved))
    assert (violent.current_conditions, violent.volatility_regime) == ("HIGH_VOLATILITY", "HIGH")
    busy = context(snapshot(**moved, cumulative_volume=snapshot().cumulative_volume * 5))
    assert busy.current_conditions == "NEWS_DRIVEN"
    assert busy.news_impact_score == 1.0


def test_a_wide_and_thin_market_is_of_low_liquidity() -> None:
    thin = snapshot(
        bid=Decimal("199.00"), ask=Decimal("201.00"), bid_quantity=Decimal(10), ask_quantity=Decimal(10),
        cumulative_volume=Decimal(50_000),
    )  # fmt: skip
    assert context(thin).current_conditions == "LOW_LIQUIDITY"


def test_what_cannot_be_read_is_none_and_not_zero() -> None:
    blind = snapshot(OPEN_NS, bid=None, ask=None, bid_quantity=Decimal(0), ask_quantity=Decimal(0))
    read = reading_of(profile(OPEN_NS), blind, UShapedDay(), 0.015)
    assert read == MarketReading(spread_bps=None, depth_adv=None, volume_ratio=None, drift_z=None)
    assert derived_context(profile(OPEN_NS), read).liquidity_score == 0.5


@pytest.mark.parametrize(
    ("minutes", "name"),
    [(0, "OPENING"), (29, "OPENING"), (31, "MORNING"), (195, "MIDDAY"), (300, "AFTERNOON"), (361, "CLOSING")],
)
def test_the_time_of_day_is_halves_of_an_hour_at_the_ends_and_thirds_between(minutes: int, name: str) -> None:
    assert time_of_day(profile(OPEN_NS + minutes * NS_PER_MINUTE)) == name


def test_a_client_s_context_is_checked_field_by_field() -> None:
    wrong = MarketContext(
        current_conditions="SUNNY",
        volatility_regime="MEDIUM",
        liquidity_score=1.5,
        news_impact_score=0.0,
        time_of_day="MIDDAY",
    )
    with pytest.raises(InvalidInput) as caught:
        client_context(wrong)
    assert [error.field for error in caught.value.errors] == [
        "market_context.current_conditions",
        "market_context.volatility_regime",
        "market_context.liquidity_score",
    ]


def test_without_history_the_volatility_is_assumed_and_said_so() -> None:
    unknown = profile(reference=OneInstrument(_without(volatility=True)))
    value, said = daily_volatility(unknown, StrategyConfig())
    assert value == 0.02
    assert said is not None
    assert "EQUITY" in said


def test_without_history_the_volume_is_inferred_once_enough_of_the_day_has_passed() -> None:
    reference = OneInstrument(_without(volume=True))
    given = profile(reference=reference)
    curve = session_curve(UShapedDay(), OPEN_NS, CLOSE_NS)
    calm = context(snapshot())
    sources = market_estimates(given, snapshot(), calm, curve, None, StrategyConfig())
    assert sources.market.daily_volume == pytest.approx(5_000_000, rel=0.01)
    assert any("inferred" in said for said in sources.assumptions)
    early = profile(OPEN_NS + NS_PER_MINUTE, reference)
    with pytest.raises(InvalidOrder, match="no average daily volume"):
        market_estimates(early, snapshot(OPEN_NS + NS_PER_MINUTE), calm, curve, None, StrategyConfig())


def test_a_market_without_both_sides_is_stale() -> None:
    curve = session_curve(UShapedDay(), OPEN_NS, CLOSE_NS)
    with pytest.raises(StaleMarketData):
        market_estimates(profile(), snapshot(ask=None), context(snapshot()), curve, None, StrategyConfig())


def test_fees_are_fractions_of_the_notional() -> None:
    curve = session_curve(UShapedDay(), OPEN_NS, CLOSE_NS)
    sources = market_estimates(profile(), snapshot(), context(snapshot()), curve, None, StrategyConfig())
    assert sources.market.taker_fee == pytest.approx(0.003 / 200)
    assert sources.market.maker_fee == 0
    assert sources.market.session_fraction == pytest.approx(90 / 390)


def _without(*, volume: bool = False, volatility: bool = False) -> object:
    from dataclasses import replace

    return replace(
        ACME,
        average_daily_volume=None if volume else ACME.average_daily_volume,
        daily_volatility=None if volatility else ACME.daily_volatility,
    )
