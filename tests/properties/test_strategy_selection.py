"""Laws of strategy selection, for any order, market and constraint."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bestex.domain.errors import InvalidOrder
from bestex.domain.orders import Objective, Side, Urgency
from bestex.messages.strategy import ExecutionConstraints, MarketContext, Recommendation
from bestex.quant.candidates import Candidate, MarketEstimates
from bestex.quant.pretrade import COST_ERRORS, expected_outcome
from bestex.services.strategy.allocation import fractions_of_one
from bestex.services.strategy.catalogue import CONDITIONS, CatalogueEntry, default_catalogue, entry_of
from bestex.services.strategy.confidence import ErrorDraws, probability_of_best
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.estimates import session_curve
from bestex.services.strategy.market_conditions import TIMES_OF_DAY
from bestex.services.strategy.outcomes import RealisedOutcome, rolled_up
from bestex.services.strategy.profile import OrderProfile, profile_of_request, tighter
from bestex.services.strategy.rules import feasible_set
from bestex.services.strategy.service import StrategyService
from tests.strategy_cases import CLOSE_NS, NOW_NS, OPEN_NS, OneInstrument, Post, UShapedDay, request

CONFIG = StrategyConfig()
ENTRIES = tuple(entry_of(row) for row in default_catalogue())
DRAWS = ErrorDraws.latin_hypercube(1_024, 20_261_121)
VENUES = ("NYSE", "NASDAQ", "BATS", "DARK_POOL_1")

constraints = st.fixed_dictionaries(
    {},
    optional={
        "max_participation_rate": st.floats(0.005, 1.0),
        "time_limit_minutes": st.integers(1, 400),
        "venue_restrictions": st.sets(st.sampled_from(VENUES), max_size=3).map(tuple),
        "dark_pool_preference": st.booleans(),
        "price_limit": st.integers(19_000, 21_000).map(lambda ticks: Decimal(ticks) / 100),
    },
)
contexts = st.builds(
    MarketContext,
    current_conditions=st.sampled_from(CONDITIONS),
    volatility_regime=st.sampled_from(["LOW", "NORMAL", "HIGH"]),
    liquidity_score=st.floats(0, 1),
    news_impact_score=st.floats(0, 1),
    time_of_day=st.sampled_from(TIMES_OF_DAY),
)
orders = st.fixed_dictionaries(
    {
        "quantity": st.integers(1, 8_000_000),
        "side": st.sampled_from(Side),
        "objective": st.sampled_from(Objective),
        "urgency": st.sampled_from(Urgency),
        "constraints": constraints,
    },
    optional={"market_context": contexts},
)


def recommended(order: dict[str, Any]) -> Recommendation | None:
    """None where no strategy may work the order; then a constraint is to blame."""
    service = StrategyService(OneInstrument(), CONFIG)
    try:
        answer = service.handle(Post()(request(**order))).answer
    except InvalidOrder as error:
        refused = error
    else:
        assert isinstance(answer, Recommendation)
        return answer
    assert refused.field is not None
    return None


@settings(max_examples=60, deadline=None)
@given(order=orders)
def test_every_recommendation_adds_up_and_keeps_the_client_s_constraints(order: dict[str, Any]) -> None:
    answer = recommended(order)
    if answer is None:
        return
    wants = ExecutionConstraints(**order["constraints"])
    assert 0 <= answer.confidence <= 1
    plans = [answer.recommended_strategy, *(item.strategy for item in answer.alternative_strategies)]
    for plan in plans:
        allocation = plan.venue_allocation
        assert sum(Decimal(str(share)) for share in allocation.values()) == 1
        assert all(share > 0 for share in allocation.values())
        assert not set(allocation) & set(wants.venue_restrictions)
        dark = Decimal(str(allocation.get("DARK_POOL_1", 0)))
        assert abs(float(dark) - plan.parameters["dark_pool_ratio"]) < 1e-4
        if wants.dark_pool_preference is False:
            assert dark == 0
        times = plan.time_allocation
        assert sum(Decimal(str(item.fraction)) for item in times.slices) == 1
        assert times.slices[0].start_time_ns == times.start_time_ns >= NOW_NS
        assert times.slices[-1].end_time_ns == times.end_time_ns <= CLOSE_NS
        assert all(a.end_time_ns == b.start_time_ns for a, b in zip(times.slices, times.slices[1:], strict=False))
        if wants.time_limit_minutes is not None:
            assert times.end_time_ns - NOW_NS <= wants.time_limit_minutes * 60_000_000_000
        if wants.max_participation_rate is not None:
            assert plan.risk_controls.max_participation_rate <= wants.max_participation_rate
            assert plan.parameters["participation_rate"] <= wants.max_participation_rate
        assert plan.risk_controls.price_limit == wants.price_limit
        assert plan.risk_controls.max_child_quantity is not None
        assert 1 <= plan.risk_controls.max_child_quantity <= order["quantity"]
    outcomes = [answer.expected_outcomes, *(item.expected_outcomes for item in answer.alternative_strategies)]
    for outcome in outcomes:
        assert 0 <= outcome.completion_probability <= 1
        assert 0 <= outcome.risk_score <= 1
        assert outcome.cost_low <= outcome.estimated_cost <= outcome.cost_high
    assert sum(point.chosen for point in answer.frontier) == 1
    scores = [item.score for item in answer.alternative_strategies]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    names = {point.strategy_name for point in answer.frontier}
    assert names.isdisjoint(answer.infeasible)
    assert names | set(answer.infeasible) == {entry.strategy_name for entry in ENTRIES}


@settings(max_examples=15, deadline=None)
@given(order=orders)
def test_the_same_request_has_the_same_answer(order: dict[str, Any]) -> None:
    assert recommended(order) == recommended(order)


def names_of(
    profile: OrderProfile, context: MarketContext, entries: tuple[CatalogueEntry, ...] = ENTRIES
) -> frozenset[str]:
    found = feasible_set(entries, profile, context, adv_fraction=0.01, desk_rate_max=0.25)
    assert {entry.strategy_name for entry in found.entries}.isdisjoint(found.left_out)
    return frozenset(entry.strategy_name for entry in found.entries)


def profile(wants: ExecutionConstraints, **changes: Any) -> OrderProfile | None:
    asked = request(**changes)
    fields = {name: getattr(asked, name) for name in asked.__struct_fields__}
    return profile_of_request(type(asked)(**{**fields, "constraints": wants}), OneInstrument(), NOW_NS)


@settings(max_examples=200, deadline=None)
@given(loose=constraints, extra=constraints, context=contexts, urgency=st.sampled_from(Urgency))
def test_tighter_constraints_never_let_a_strategy_in(
    loose: dict[str, Any], extra: dict[str, Any], context: MarketContext, urgency: Urgency
) -> None:
    before = ExecutionConstraints(**loose)
    # A preference is no constraint: only "no dark pools" is.
    more = ExecutionConstraints(**{**extra, "dark_pool_preference": extra.get("dark_pool_preference") and None})
    after = tighter(before, more, Side.BUY)
    assert tighter(after, more, Side.BUY) == after
    was, now = profile(before, urgency=urgency), profile(after, urgency=urgency)
    assert was is not None
    assert now is not None
    assert names_of(now, context) <= names_of(was, context)


def test_a_rule_that_lets_strategies_in_for_tight_limits_is_caught() -> None:
    """The broken variant: house rules that are waived when a short window leaves little choice."""

    def broken(given: OrderProfile, context: MarketContext) -> frozenset[str]:
        found = names_of(given, context)
        waived = tuple(replace(entry, urgencies=frozenset(Urgency)) for entry in ENTRIES)
        return found if len(found) > 4 else names_of(given, context, waived)

    context = MarketContext(
        current_conditions="NORMAL",
        volatility_regime="NORMAL",
        liquidity_score=0.5,
        news_impact_score=0.0,
        time_of_day="MIDDAY",
    )
    loose, tight = (
        profile(ExecutionConstraints(max_participation_rate=rate), urgency=Urgency.URGENT) for rate in (0.25, 0.15)
    )
    assert loose is not None
    assert tight is not None
    assert names_of(tight, context) <= names_of(loose, context)
    assert not broken(tight, context) <= broken(loose, context)


@dataclass(frozen=True)
class Priced:
    candidate: Candidate
    estimates: MarketEstimates


@st.composite
def priced(draw: st.DrawFn) -> Priced:
    entry = draw(st.sampled_from(ENTRIES))
    minutes = draw(st.floats(5, 290))
    return Priced(
        Candidate(
            algorithm=entry.algorithm,
            style=entry.execution_style,
            window_minutes=minutes,
            slices=max(1, round(minutes)),
            kappa_t=0.0 if entry.kappa_t is None else entry.kappa_t.high,
            participation_rate=0.2 if entry.participation_rate is None else entry.participation_rate.high,
        ),
        MarketEstimates(
            price=200.0,
            spread=0.02,
            tick_size=0.01,
            touch_quantity=500.0,
            daily_volume=5e6,
            daily_volatility=0.015,
            volume_curve=session_curve(UShapedDay(), OPEN_NS, CLOSE_NS),
            session_minutes=390.0,
            session_fraction=90 / 390,
        ),
    )


@settings(max_examples=150, deadline=None)
@given(case=priced(), quantity=st.floats(100, 1e5), factor=st.floats(1.0, 20.0))
def test_a_bigger_order_is_never_cheaper_per_share_nor_likelier_to_finish(
    case: Priced, quantity: float, factor: float
) -> None:
    small = expected_outcome(case.candidate, quantity, case.estimates)
    big = expected_outcome(case.candidate, quantity * factor, case.estimates)
    assert big.completion_probability <= small.completion_probability + 1e-12
    if big.executed_fraction > 1 - 1e-9:
        assert big.expected_cost >= small.expected_cost - 1e-12


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 25), scale=st.floats(0.1, 20))
def test_confidence_is_a_probability_that_falls_as_the_model_errs_more(seed: int, count: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    losses = 5 + random.exponential(scale, count)
    chosen = int(np.argmin(losses))
    loadings = random.normal(0, 1, (count, len(COST_ERRORS)))
    own = random.exponential(0.5, count)
    groups = random.integers(0, 16, count)

    def confidence(error: float) -> float:
        # An absolute tolerance alone: a share of the best loss would grow with the error.
        return probability_of_best(
            losses, error * loadings, error * own, groups, chosen, DRAWS, tolerance_bps=1.0, tolerance_share=0.0
        )

    values = [confidence(error) for error in (0.0, 0.25, 1.0, 4.0)]
    print(f"seed {seed}: {values}")
    assert all(0 <= value <= 1 for value in values)
    assert values[0] == 1.0
    # Draw by draw: what is within reach of the best under an error is so under a smaller one.
    assert values == sorted(values, reverse=True)


@settings(max_examples=300, deadline=None)
@given(
    shares=st.lists(st.floats(0, 1e9, allow_subnormal=False), min_size=1, max_size=80).filter(
        lambda items: sum(items) > 1e-6
    ),
    grid=st.sampled_from([100, 10_000, 1_000_000]),
)
def test_fractions_are_on_the_grid_add_up_and_stay_near_their_shares(shares: list[float], grid: int) -> None:
    fractions = fractions_of_one(shares, grid)
    assert sum(Decimal(str(item)) for item in fractions) == 1
    assert np.abs(np.array(fractions) - np.array(shares) / sum(shares)).max() <= 1 / grid + 1e-12


def test_rounding_each_share_alone_would_not_add_up() -> None:
    """The broken variant: thirds rounded one by one."""
    alone = [round(1 / 3, 4)] * 3
    assert sum(Decimal(str(item)) for item in alone) != 1
    assert sum(Decimal(str(item)) for item in fractions_of_one([1, 1, 1], 10_000)) == 1


@settings(max_examples=100, deadline=None)
@given(costs=st.lists(st.tuples(st.floats(-0.01, 0.01), st.floats(0, 0.01), st.booleans()), min_size=1, max_size=40))
def test_the_roll_up_of_a_day_is_the_mean_over_its_orders(costs: list[tuple[float, float, bool]]) -> None:
    answer = recommended({"quantity": 20_000, "side": Side.BUY, "objective": Objective.BALANCED_EXECUTION,
                          "urgency": Urgency.NORMAL, "constraints": {}})  # fmt: skip
    assert answer is not None
    expected = answer.expected_outcomes
    row = None
    for cost, impact, full in costs:
        outcome = RealisedOutcome(cost=cost, market_impact=impact, filled_fraction=1.0 if full else 0.5, minutes=1.0)
        row = rolled_up(row, "any", expected, outcome, NOW_NS)
    assert row is not None
    assert row.orders_executed == len(costs)
    assert row.avg_cost == pytest.approx(float(np.mean([cost for cost, _, _ in costs])), abs=1e-12)
    assert row.avg_market_impact == pytest.approx(float(np.mean([impact for _, impact, _ in costs])), abs=1e-12)
    wins = [full and cost <= expected.cost_high for cost, _, full in costs]
    assert row.success_rate == pytest.approx(float(np.mean(wins)), abs=1e-12)
    assert row.cost_error == pytest.approx(row.avg_cost - expected.estimated_cost, abs=1e-12)
