"""Request bodies. Their field names are the contract's; answers are described by the messages themselves."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from bestex.api import examples
from bestex.api.fields import (
    Body,
    Day,
    Flag,
    Float,
    Id,
    Minutes,
    Name,
    Number,
    OrderId,
    Positive,
    Rate,
    Share,
    Text,
    Time,
)
from bestex.domain.instruments import AssetClass
from bestex.domain.orders import Algorithm, ExecutionStyle, Objective, OrderType, Side, Urgency
from bestex.domain.venues import VenueType


class RangeBody(Body):
    min: Float
    max: Float


class ConstraintsBody(Body):
    max_participation_rate: Rate | None = None
    time_limit_minutes: Minutes | None = None
    price_limit: Positive | None = None
    venue_restrictions: list[Id] = []
    dark_pool_preference: Flag | None = None


class MarketContextBody(Body):
    current_conditions: Text
    volatility_regime: Text
    liquidity_score: Share
    news_impact_score: Share
    time_of_day: Text


class RecommendBody(Body):
    model_config = examples.shown(examples.RECOMMEND)

    order_id: OrderId
    instrument_id: Id
    side: Side
    quantity: Positive
    objective: Objective = Objective.BALANCED_EXECUTION
    urgency: Urgency = Urgency.NORMAL
    constraints: ConstraintsBody = ConstraintsBody()
    market_context: MarketContextBody | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    algorithm: Algorithm | None = None


class AdaptBody(Body):
    model_config = examples.shown(examples.ADAPT)

    reason: Text
    market_context: MarketContextBody | None = None
    constraints: ConstraintsBody | None = None
    objective: Objective | None = None
    urgency: Urgency | None = None
    remaining_quantity: Positive | None = None


class InstructionsBody(Body):
    max_participation_rate: Rate | None = None
    min_fill_size: Positive | None = None
    execution_style: ExecutionStyle | None = None
    urgency: Urgency = Urgency.NORMAL
    objective: Objective | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    algorithm: Algorithm | None = None
    parameters: dict[str, Float | Flag | Text] | None = None
    venue_restrictions: list[Id] = []
    dark_pool_preference: Flag | None = None


class OrderBody(Body):
    model_config = examples.shown(examples.ORDER)

    order_id: OrderId | None = None
    instrument_id: Id
    side: Side
    order_type: OrderType = OrderType.MARKET
    quantity: Positive
    price: Positive | None = None
    portfolio_id: Id | None = None
    account_id: Id | None = None
    decision_time: Time | None = None
    selection_id: Id | None = None
    algorithm: Algorithm | None = None
    parameters: dict[str, Float | Flag | Text] | None = None
    execution_instructions: InstructionsBody = InstructionsBody()


class AmendBody(Body):
    model_config = examples.shown(examples.AMEND)

    quantity: Positive | None = None
    price: Positive | None = None
    end_time: Time | None = None
    max_participation_rate: Rate | None = None
    urgency: Urgency | None = None
    reason: Text | None = None


class ReasonBody(Body):
    model_config = examples.shown(examples.REASON)

    reason: Text | None = None


class PriceLimitsBody(Body):
    min: Positive | None = None
    max: Positive | None = None


class ExecutionParametersBody(Body):
    participation_rate: Rate | None = None
    time_horizon_minutes: Minutes | None = None
    price_improvement_target: Share | None = None
    risk_aversion: Float | None = None
    custom_parameters: dict[str, Float | Flag | Text] = {}


class ExecutionConstraintsBody(Body):
    max_order_size: Positive | None = None
    min_order_size: Positive | None = None
    no_trade_zones: list[tuple[Time, Time]] = []
    venue_preferences: list[Id] = []
    price_limits: PriceLimitsBody = PriceLimitsBody()


class ExecutionBody(Body):
    """ExecutionRequest of the contract."""

    model_config = examples.shown(examples.EXECUTION)

    order_id: OrderId
    instrument_id: Id
    side: Side
    quantity: Positive
    algorithm: Algorithm
    execution_style: ExecutionStyle = ExecutionStyle.BALANCED
    parameters: ExecutionParametersBody = ExecutionParametersBody()
    constraints: ExecutionConstraintsBody = ExecutionConstraintsBody()
    start_time: Time | None = None
    target_completion_time: Time


class ModifyExecutionBody(Body):
    model_config = examples.shown(examples.MODIFY)

    quantity: Positive | None = None
    price_limit: Positive | None = None
    end_time: Time | None = None
    participation_rate: Rate | None = None
    urgency: Urgency | None = None
    reason: Text | None = None


class KillBody(Body):
    model_config = examples.shown(examples.KILL)

    scope: Text = "all"
    scope_value: Id | None = None
    reason: Text


class MonitorBody(Body):
    model_config = examples.shown(examples.MONITOR)

    order_id: OrderId
    monitoring_metrics: list[Text] = []
    alert_thresholds: dict[str, Float] = {}
    real_time_updates: Flag = True


class AcknowledgeBody(Body):
    model_config = examples.shown(examples.ACKNOWLEDGE)

    note: Text | None = None


class SilenceBody(Body):
    """`duration_seconds` are seconds of the desk's time, at most a day; 0 ends a silence."""

    model_config = examples.shown(examples.SILENCE)

    duration_seconds: Annotated[int, Strict(), Field(ge=0, le=86_400)]
    reason: Text


class AnalyzeBody(Body):
    model_config = examples.shown(examples.ANALYZE)

    order_id: OrderId


class StrategyBody(Body):
    """Everything of a row of the catalogue but its name."""

    model_config = examples.shown(examples.STRATEGY)

    algorithm_mapping: dict[str, Any]
    parameter_ranges: dict[str, RangeBody]
    enabled: Flag = True


class NewStrategyBody(StrategyBody):
    model_config = examples.shown({"strategy_name": "House VWAP", **examples.STRATEGY})

    strategy_name: Name


class AlertRuleBody(Body):
    """Everything of an alert rule but its name."""

    model_config = examples.shown(examples.ALERT_RULE)

    alert_type: Text
    metric: Text
    comparison: Text
    threshold: Float
    for_seconds: Float = 0.0
    severity: Text
    enabled: Flag = True


class NewAlertRuleBody(AlertRuleBody):
    model_config = examples.shown({"rule_name": "dear", **examples.ALERT_RULE})

    rule_name: Name


class AlgorithmBody(Body):
    model_config = examples.shown(examples.ALGORITHM)

    enabled: Flag
    reason: Text | None = None


class AnalyzeBatchBody(Body):
    """Order ids, or a range of UTC dates; `limit` holds the latest of the range."""

    model_config = examples.shown(examples.ANALYZE_BATCH)

    order_ids: Annotated[list[OrderId], Field(min_length=1, max_length=1_000)] | None = None
    start_date: Day | None = None
    end_date: Day | None = None
    limit: Annotated[int, Strict(), Field(ge=1, le=1_000)] = 200


class QualityMonitorBody(Body):
    """What to look at: all executions, or one algorithm's or instrument's, of the given UTC dates."""

    model_config = examples.shown(examples.QUALITY_MONITOR)

    algorithm: Algorithm | None = None
    instrument_id: Id | None = None
    start_date: Day | None = None
    end_date: Day | None = None


class RouteBody(Body):
    model_config = examples.shown(examples.ROUTE)

    order_id: OrderId
    instrument_id: Id
    side: Side
    quantity: Positive
    order_type: OrderType = OrderType.MARKET
    price: Positive | None = None
    routing_objective: Literal[
        "BEST_PRICE", "FASTEST_EXECUTION", "LOWEST_COST", "MINIMAL_IMPACT", "HIGHEST_FILL_RATE"
    ] = "BEST_PRICE"
    venue_preferences: list[Id] = []
    exclude_venues: list[Id] = []
    max_venue_split: Annotated[int, Strict(), Field(ge=1, le=20)] = 3


class InstrumentBody(Body):
    """Everything of an instrument but its id. `venues` are ids of venues that the desk knows."""

    model_config = examples.shown(examples.INSTRUMENT)

    name: Name
    asset_class: AssetClass
    currency: Text
    tick_size: Positive
    lot_size: Positive
    multiplier: Positive = Decimal(1)
    calendar: Text
    venues: list[Id] = []
    average_daily_volume: Positive | None = None
    daily_volatility: Float | None = None


class NewInstrumentBody(InstrumentBody):
    model_config = examples.shown({"instrument_id": "ESH4", **examples.INSTRUMENT})

    instrument_id: Id


class VenueBody(Body):
    """Everything of a venue but its id. Fees are per unit traded; a negative fee is a rebate."""

    model_config = examples.shown(examples.VENUE)

    name: Name
    venue_type: VenueType
    maker_fee: Number = Decimal(0)
    taker_fee: Number = Decimal(0)
    order_latency_ns: Annotated[int, Strict()] = 500_000
    dedupes_client_id: Flag = True
    cancel_on_disconnect: Flag = True


class NewVenueBody(VenueBody):
    model_config = examples.shown({"venue_id": "GLBX", **examples.VENUE})

    venue_id: Id
