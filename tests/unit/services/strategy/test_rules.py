"""Each rule's reason, and the error when nothing is left."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bestex.domain.instruments import AssetClass
from bestex.domain.orders import Algorithm, ExecutionStyle, Urgency
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.strategy import ExecutionConstraints, MarketContext
from bestex.services.strategy.catalogue import default_catalogue, entry_of
from bestex.services.strategy.profile import OrderProfile, profile_of_request, tighter
from bestex.services.strategy.rules import FeasibleSet, feasible_set, refusal
from tests.strategy_cases import CLOSE_NS, NOW_NS, OneInstrument, request

ENTRIES = tuple(entry_of(row) for row in default_catalogue())


def profile(now_ns: int = NOW_NS, **changes: Any) -> OrderProfile:
    return profile_of_request(request(**changes), OneInstrument(), now_ns)


def context(condition: str = "NORMAL") -> MarketContext:
    return MarketContext(
        current_conditions=condition,
        volatility_regime="NORMAL",
        liquidity_score=0.5,
        news_impact_score=0.0,
        time_of_day="MIDDAY",
    )


def found(given: OrderProfile, condition: str = "NORMAL", adv_fraction: float = 0.01) -> FeasibleSet:
    return feasible_set(ENTRIES, given, context(condition), adv_fraction=adv_fraction, desk_rate_max=0.25)


def reason(name: str, given: OrderProfile, condition: str = "NORMAL", adv_fraction: float = 0.01) -> str:
    return found(given, condition, adv_fraction).left_out[name].reason


def test_a_calm_small_order_may_use_the_whole_catalogue() -> None:
    assert len(found(profile()).entries) == len(ENTRIES) >= 8


def test_a_fixed_rate_above_the_client_s_cap_is_left_out() -> None:
    given = profile(constraints={"max_participation_rate": 0.10})
    assert reason("Participation 20 %", given) == "trades at 20% of volume or more; the client's cap is 10.0%"
    assert "Participation 10 %" in {entry.strategy_name for entry in found(given).entries}


def test_a_strategy_that_needs_more_time_than_is_left_is_left_out() -> None:
    by_client = profile(constraints={"time_limit_minutes": 15})
    assert reason("Patient TWAP", by_client) == "needs 30 minutes; the client's end leaves 15.0"
    assert found(by_client).left_out["Patient TWAP"].field == "constraints.time_limit_minutes"
    late = profile(now_ns=CLOSE_NS - 5 * NS_PER_MINUTE)
    assert reason("Patient TWAP", late) == "needs 30 minutes; the session leaves 5.0"
    assert found(late).left_out["Patient TWAP"].field is None


def test_dark_first_needs_a_dark_pool_that_the_client_allows() -> None:
    assert "does not want them" in reason("Dark-first VWAP", profile(constraints={"dark_pool_preference": False}))
    barred = profile(constraints={"venue_restrictions": ("DARK_POOL_1",)})
    assert "none is available" in reason("Dark-first VWAP", barred)
    assert found(barred).left_out["Dark-first VWAP"].field == "constraints.venue_restrictions"


def test_urgency_size_and_condition_rule_out_what_does_not_suit_them() -> None:
    assert reason("Patient TWAP", profile(urgency=Urgency.URGENT)) == "is not for URGENT urgency"
    assert "up to 10% of daily volume; this one is 12.0%" in reason("Urgent Shortfall", profile(), adv_fraction=0.12)
    assert "trending markets" in reason("Opportunistic Passive VWAP", profile(), "TRENDING")
    assert "low liquidity markets" in reason("Participation 20 %", profile(), "LOW_LIQUIDITY")


def test_nothing_follows_volume_where_there_is_no_tape() -> None:
    fx = replace(profile(), instrument=replace(OneInstrument().only, asset_class=AssetClass.FX))
    algorithms = {entry.algorithm for entry in found(fx).entries}
    assert algorithms == {Algorithm.TWAP, Algorithm.IMPLEMENTATION_SHORTFALL}


def test_a_style_or_algorithm_the_client_named_is_kept() -> None:
    passive = found(profile(execution_style=ExecutionStyle.PASSIVE))
    assert {entry.execution_style for entry in passive.entries} == {ExecutionStyle.PASSIVE}
    named = found(profile(algorithm="VWAP"))
    assert {entry.algorithm for entry in named.entries} == {Algorithm.VWAP}


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        (
            {"algorithm": "PARTICIPATION_RATE", "constraints": {"max_participation_rate": 0.01}},
            "constraints.max_participation_rate",
            "at least 0.02",
        ),
        (
            {"algorithm": "VWAP", "constraints": {"time_limit_minutes": 5}},
            "constraints.time_limit_minutes",
            "at least 10 minutes from the start",
        ),
        (
            {"algorithm": "VWAP", "end_time_ns": NOW_NS + 5 * NS_PER_MINUTE},
            "end_time",
            "at least 10 minutes from the start",
        ),
        (
            {"constraints": {"venue_restrictions": ("NYSE", "NASDAQ", "BATS")}},
            "constraints.venue_restrictions",
            "fewer restricted venues",
        ),
        (
            {"algorithm": "TWAP", "execution_style": ExecutionStyle.AGGRESSIVE},
            "execution_style",
            "one of BALANCED, PASSIVE",
        ),
    ],
)
def test_an_empty_set_names_the_constraint_that_binds_and_what_would_do(
    changes: dict[str, Any], field: str, expected: str
) -> None:
    given = profile(**changes)
    assert not found(given).entries
    error = refusal(ENTRIES, given, context(), adv_fraction=0.01, desk_rate_max=0.25)
    assert (error.field, error.expected) == (field, expected)
    assert expected in error.message


def test_constraints_that_only_bind_together_are_all_told() -> None:
    both = {"max_participation_rate": 0.01, "time_limit_minutes": 5}
    given = profile(algorithm="PARTICIPATION_RATE", execution_style=ExecutionStyle.PASSIVE, constraints=both)
    error = refusal(ENTRIES, given, context(), adv_fraction=0.01, desk_rate_max=0.25)
    assert error.expected is not None
    assert "several constraints together" in error.expected
    assert "Stealth Participation 5 %: trades at 2% of volume or more; the client's cap is 1.0%" in error.message


def test_two_constraints_together_are_as_tight_as_the_tighter_one() -> None:
    from bestex.domain.orders import Side

    one = ExecutionConstraints(max_participation_rate=0.2, price_limit=Decimal(201), venue_restrictions=("NYSE",))
    two = ExecutionConstraints(max_participation_rate=0.1, price_limit=Decimal(202), venue_restrictions=("BATS",))
    both = tighter(one, two, Side.BUY)
    assert (both.max_participation_rate, both.price_limit) == (0.1, Decimal(201))
    assert both.venue_restrictions == ("NYSE", "BATS")
    assert tighter(one, two, Side.SELL).price_limit == Decimal(202)
