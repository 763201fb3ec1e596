"""Execution strategies: what the strategy service is asked, answers and publishes, as the seeds name it."""

from decimal import Decimal
from typing import Any

import msgspec

from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import ExecutionStyle, Objective, Side, Urgency
from bestex.messages.envelope import Payload


class MarketContext(msgspec.Struct, frozen=True, kw_only=True):
    """The market as strategy selection sees it. `source` says whether the client gave it or the desk derived it."""

    current_conditions: str  # NORMAL, HIGH_VOLATILITY, LOW_LIQUIDITY, TRENDING, MEAN_REVERTING, NEWS_DRIVEN
    volatility_regime: str  # LOW, NORMAL, HIGH
    liquidity_score: float  # 0..1, higher is more liquid
    news_impact_score: float  # 0..1
    time_of_day: str  # OPENING, MORNING, MIDDAY, AFTERNOON, CLOSING
    source: str = "derived"  # derived | client


class ExecutionConstraints(msgspec.Struct, frozen=True, kw_only=True):
    max_participation_rate: float | None = None
    time_limit_minutes: int | None = None
    price_limit: Decimal | None = None
    venue_restrictions: tuple[str, ...] = ()
    dark_pool_preference: bool | None = None


class TimeSlice(msgspec.Struct, frozen=True, kw_only=True):
    start_time_ns: int
    end_time_ns: int
    fraction: float


class TimeAllocation(msgspec.Struct, frozen=True, kw_only=True):
    """Fractions sum to 1."""

    start_time_ns: int
    end_time_ns: int
    slices: tuple[TimeSlice, ...]


class RiskControls(msgspec.Struct, frozen=True, kw_only=True):
    max_participation_rate: float
    max_slippage_bps: float
    max_order_value: Decimal
    price_limit: Decimal | None = None
    max_child_quantity: Decimal | None = None
    pause_on: tuple[str, ...] = ()


class ExecutionStrategy(msgspec.Struct, frozen=True, kw_only=True):
    """One algorithm with its parameters for one order. venue_allocation sums to 1.

    `parameters` holds at least: participation_rate, dark_pool_ratio, volatility_adjustment, execution_style, kappa_T
    (IMPLEMENTATION_SHORTFALL only), slices.
    """

    strategy_name: str
    algorithm: str
    parameters: dict[str, Any]
    venue_allocation: dict[str, float]
    time_allocation: TimeAllocation
    risk_controls: RiskControls


class ExpectedOutcomes(msgspec.Struct, frozen=True, kw_only=True):
    """Costs are fractions of notional (0.0025 = 25 bps), positive is worse. risk_score 0..1, higher is worse."""

    estimated_cost: float
    estimated_time_minutes: int
    market_impact: float
    completion_probability: float
    risk_score: float
    cost_sd: float = 0.0  # sd of the realised cost around estimated_cost: market risk, fraction of notional
    cost_low: float = 0.0  # 10 % and 90 % points of the pre-trade cost distribution
    cost_high: float = 0.0
    spread_cost: float = 0.0
    fees: float = 0.0


class CostModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model by which candidates are priced. Parameters are dimensionless unless their name says otherwise."""

    model_id: str
    name: str
    version: str  # changes when a parameter does
    parameters: dict[str, float]  # "impact.permanent", ...
    sources: dict[str, str]  # part before the dot -> where its values come from


class AlternativeStrategy(msgspec.Struct, frozen=True, kw_only=True):
    strategy: ExecutionStrategy
    expected_outcomes: ExpectedOutcomes
    score: float  # 0..1, higher is better
    why_not_chosen: str


class FrontierPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate on the cost-risk picture."""

    strategy_name: str
    algorithm: str
    cost: float  # fraction of notional
    risk: float  # sd, fraction of notional
    time_minutes: float
    chosen: bool


class RecommendExecution(Payload, frozen=True, kw_only=True):
    """Answered with `Recommendation`. The row is durable before the answer; nothing is started."""

    message_type = "recommend_execution"

    order_id: str
    instrument_id: str
    side: Side
    quantity: Decimal
    objective: Objective
    urgency: Urgency
    constraints: ExecutionConstraints
    market: MarketSnapshot
    market_context: MarketContext | None = None  # None = derived from `market` and history
    start_time_ns: int | None = None
    end_time_ns: int | None = None
    algorithm: str | None = None  # narrows the candidates to one algorithm
    execution_style: ExecutionStyle | None = None  # narrows them to one style


class AdaptStrategy(Payload, frozen=True, kw_only=True):
    """Re-plan what remains. Answered with `Recommendation`; published as execution_strategy_selected."""

    message_type = "adapt_strategy"

    order_id: str
    reason: str
    market: MarketSnapshot
    actor: str
    constraints: ExecutionConstraints | None = None
    objective: Objective | None = None
    urgency: Urgency | None = None
    market_context: MarketContext | None = None
    remaining_quantity: Decimal | None = None


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """ExecutionStrategyResponse of the seeds, and what else the desk knows."""

    order_id: str
    selection_id: str
    recommended_strategy: ExecutionStrategy
    strategy_rationale: str
    expected_outcomes: ExpectedOutcomes
    alternative_strategies: tuple[AlternativeStrategy, ...]
    confidence: float  # P(within max(1 bp, 5 %) of the best candidate) under the cost model's error
    market_context: MarketContext
    frontier: tuple[FrontierPoint, ...]
    binding_constraints: tuple[str, ...]
    infeasible: dict[str, str]  # strategy name -> why it was left out
    status: str = "PROPOSED"  # PROPOSED until an order commits it


class ExecutionStrategySelected(Payload, frozen=True, kw_only=True):
    message_type = "execution_strategy_selected"

    order_id: str
    selection_id: str
    recommended_strategy: ExecutionStrategy
    strategy_rationale: str
    expected_outcomes: ExpectedOutcomes
    confidence: float
    adaptation: int = 0  # 0 = the first selection of the order, then 1, 2, ...
    reason: str | None = None  # why adapted
    deadline_time_ns: int | None = None  # the client's end or time limit; None = the session's close


class AssessMarket(Payload, frozen=True, kw_only=True):
    """What kind of market is it now? Key: `desk`. Answered with `MarketConditions`; changes nothing."""

    message_type = "assess_market"

    instrument_id: str
    market: MarketSnapshot


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """One side of the market: a label, the numbers behind it, how sure it is, and what it was read from.

    `confidence` 0..1; 0 = nothing could be read and the label is an assumption. `source` says how it was come by.
    """

    label: str
    values: dict[str, float | None]
    confidence: float
    source: str


class MarketConditions(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `AssessMarket`. `confidence` is the lowest of the parts': as sure as the weakest of them."""

    instrument_id: str
    time_ns: int
    regime: str  # current_conditions of the market context
    volatility: Assessment
    liquidity: Assessment
    trend: Assessment
    intraday_pattern: Assessment
    confidence: float
    context: MarketContext
    is_generated: bool


class SaveStrategy(Payload, frozen=True, kw_only=True):
    """Add (`create`) or replace a row of the catalogue. Key: `desk`. Answered with the `ExecutionStrategyRow`.

    `algorithm_mapping` holds algorithm, execution_style and the house rules urgencies, adv_fraction_max and
    excluded_conditions; `parameter_ranges` holds {"min", "max"} of horizon_minutes, participation_rate, kappa_T and
    dark_pool_ratio.
    """

    message_type = "save_strategy"

    strategy_name: str
    algorithm_mapping: dict[str, Any]
    parameter_ranges: dict[str, Any]
    actor: str
    enabled: bool = True
    create: bool = False


class DeleteStrategy(Payload, frozen=True, kw_only=True):
    """Disable a row of the catalogue: old selections keep its name. Key: `desk`. Answered with the row."""

    message_type = "delete_strategy"

    strategy_name: str
    actor: str
