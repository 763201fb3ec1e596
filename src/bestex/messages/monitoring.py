"""Watching a parent order and measuring what it cost. Signs as in `spec/metrics.md`: cost positive = worse for us."""

from decimal import Decimal

import msgspec

from bestex.domain.orders import ParentState, Side
from bestex.messages.envelope import Payload


class StartMonitoring(Payload, frozen=True, kw_only=True):
    """Orders are monitored without being asked; this sets metrics and thresholds of one order."""

    message_type = "start_monitoring"

    order_id: str
    actor: str
    monitoring_metrics: tuple[str, ...] = ()
    alert_thresholds: dict[str, float] = {}
    real_time_updates: bool = True


class MonitoringSession(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `StartMonitoring`: what is watched of the order, and with which thresholds (rule name -> threshold)."""

    order_id: str
    monitoring_metrics: tuple[str, ...]
    alert_thresholds: dict[str, float]
    real_time_updates: bool


class SaveAlertRule(Payload, frozen=True, kw_only=True):
    """Add or replace a rule under its name. Key: `desk`. Answered with the `AlertRuleRow`."""

    message_type = "save_alert_rule"

    rule_name: str
    alert_type: str
    metric: str  # a field of LiveMetrics, or one of the derived values the monitoring service names
    comparison: str  # above | below
    threshold: float
    for_seconds: float
    severity: str
    actor: str
    enabled: bool = True


class DeleteAlertRule(Payload, frozen=True, kw_only=True):
    """Remove a rule; alerts it raised stay until they resolve. Key: `desk`. Answered with the row, disabled."""

    message_type = "delete_alert_rule"

    rule_name: str
    actor: str


class AcknowledgeAlert(Payload, frozen=True, kw_only=True):
    message_type = "acknowledge_alert"

    order_id: str
    alert_id: str
    actor: str
    note: str | None = None


class SilenceAlert(Payload, frozen=True, kw_only=True):
    """Tell nobody of this alert, nor of what the same rule finds of the same order, until the time is over.

    Answered with the `AlertRow`. 0 seconds end a silence.
    """

    message_type = "silence_alert"

    order_id: str
    alert_id: str
    actor: str
    duration_seconds: int  # of desk time
    reason: str


class LiveMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """None = cannot be computed yet (no fill, no volume, no quote)."""

    arrival_slippage_bps: float | None = None
    vwap_slippage_bps: float | None = None
    twap_slippage_bps: float | None = None
    participation_rate: float | None = None
    fill_rate: float | None = None  # filled / ordered
    child_fill_rate: float | None = None  # filled / sent
    execution_speed: float | None = None  # filled fraction / elapsed fraction of the window: 1 = on a straight line
    schedule_deviation: float | None = None
    cost_efficiency: float | None = None  # expected cost bps - arrival slippage bps: positive = better than expected
    expected_cost_bps: float | None = None
    spread_bps: float | None = None
    passive_share: float | None = None
    dark_share: float | None = None


class LastFill(msgspec.Struct, frozen=True, kw_only=True):
    time_ns: int
    price: Decimal
    quantity: Decimal
    venue: str
    liquidity: str | None


class ExecutionMonitoring(Payload, frozen=True, kw_only=True):
    """An update per order: at each fill, each state change, and on the monitoring timer."""

    message_type = "execution_monitoring"

    order_id: str
    instrument_id: str
    side: Side
    state: ParentState
    execution_progress: float  # 0..1
    quantity: Decimal
    filled_quantity: Decimal
    remaining_quantity: Decimal
    live_quantity: Decimal
    average_fill_price: Decimal | None
    scheduled_quantity: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    market_volume: Decimal | None  # since the order started, ours included
    metrics: LiveMetrics
    performance_score: float | None  # 0..1, higher is better; None before the first fill
    alerts_open: int
    venues: dict[str, Decimal]  # filled quantity per venue
    is_generated: bool
    late_fills: int = 0  # fills reported after their child order, or the parent, had ended
    last_fill: LastFill | None = None  # when this update is a fill


class ExecutionAlertGenerated(Payload, frozen=True, kw_only=True):
    message_type = "execution_alert_generated"

    order_id: str
    alert_id: str
    alert_type: str  # SLOW_EXECUTION, HIGH_COST, ...
    severity: str  # LOW, MEDIUM, HIGH, CRITICAL
    state: str  # FIRING, RESOLVED, ACKNOWLEDGED
    current_progress: float
    expected_progress: float | None  # None while there is no plan
    recommendation: str
    metrics: dict[str, float]
    threshold: float
    value: float
    silenced_until_ns: int | None = None  # nobody is told of it before


class FillMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """One fill with what grading needs."""

    execution_id: str
    child_order_id: str
    venue: str
    time_ns: int
    price: Decimal
    quantity: Decimal
    liquidity: str
    fee: Decimal
    bid: Decimal | None
    ask: Decimal | None
    is_dark: bool
    is_late: bool = False  # reported after its child order or the parent had ended
    sent_time_ns: int | None = None  # of its child order; None where no intent was seen
    sent_bid: Decimal | None = None  # the quote the child order was decided on
    sent_ask: Decimal | None = None
    markouts_bps: dict[str, float | None] = {}  # horizon in seconds, as text -> mid markout, positive = good


class VenueMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """What one venue was sent of the order and what it did with it."""

    venue: str
    child_orders: int
    sent_quantity: Decimal
    filled_quantity: Decimal
    rejects: int
    cancels: int
    acknowledge_latency_ns_mean: float | None  # submit to first answer; None before any answer


class CostAnalysis(msgspec.Struct, frozen=True, kw_only=True):
    """Exact currency amounts (Decimal) that add up, and bps of X * P_decision (metrics.md 1b, numbers 20-28).

    total = delay + spread + market_impact + timing + opportunity + commission + fees, to the last digit.
    Within trading cost: `spread` is the half-spread paid against the mid at each fill (negative = captured),
    `market_impact` is the pre-trade model's impact on what was filled, `timing` is the rest of the mid's move.
    `notes` say what is None and why, and which stand-ins were used.
    """

    decision_price: Decimal | None
    arrival_price: Decimal | None
    end_price: Decimal | None
    delay: Decimal | None
    spread: Decimal | None
    market_impact: Decimal | None
    timing: Decimal | None
    opportunity: Decimal | None
    commission: Decimal
    fees: Decimal
    total: Decimal | None
    notional: Decimal | None  # X * P_decision, what the bps are of
    implementation_shortfall_bps: float | None
    arrival_slippage_bps: float | None
    vwap_slippage_bps: float | None
    twap_slippage_bps: float | None
    market_impact_bps: float | None
    timing_cost_bps: float | None
    spread_cost_bps: float | None
    opportunity_cost_bps: float | None
    total_cost_bps: float | None
    markouts_bps: dict[str, float | None]  # horizon in seconds, as text -> share-weighted mid markout, positive = good
    reversion_bps: float | None
    interval_vwap: Decimal | None
    interval_twap: Decimal | None
    notes: tuple[str, ...] = ()


class ExecutionMeasured(Payload, frozen=True, kw_only=True):
    """Monitoring's final measurement; what the quality service grades."""

    message_type = "execution_measured"

    order_id: str
    instrument_id: str
    side: Side
    algorithm: str
    strategy_name: str | None
    state: ParentState
    requested_quantity: Decimal
    executed_quantity: Decimal
    average_fill_price: Decimal | None
    decision_time_ns: int
    submission_time_ns: int
    first_fill_time_ns: int | None
    completion_time_ns: int
    planned_end_ns: int | None
    costs: CostAnalysis
    metrics: LiveMetrics
    fills: tuple[FillMeasure, ...]
    expected_cost: float | None  # fraction of notional; None when it had neither a recommendation nor a plan
    expected_cost_sd: float | None
    quoted_spread_bps: float | None  # at arrival
    market_volume: Decimal
    child_orders: int
    child_rejects: int
    child_cancels: int
    is_generated: bool
    venues: tuple[VenueMeasure, ...] = ()
    breaches: tuple[str, ...] = ()  # limits of the order that its execution broke, in words
    cancelled_by_client: bool = False
    planned_start_ns: int | None = None
    expected_cost_source: str | None = None  # selection | plan
    expected_impact: float | None = None  # fraction of notional
    schedule_deviation_worst: float | None = None  # (filled - scheduled) / quantity where it was furthest from 0


class TradeExecution(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    instrument_id: str
    side: Side
    requested_quantity: Decimal
    executed_quantity: Decimal
    average_fill_price: Decimal | None
    total_amount: Decimal
    venues: dict[str, Decimal]
    broker: str


class TradeQuality(msgspec.Struct, frozen=True, kw_only=True):
    """None where a price it needs was missing; `ExecutionMeasured.costs.notes` says which."""

    implementation_shortfall_bps: float | None
    market_impact_bps: float | None
    timing_cost_bps: float | None
    total_cost_bps: float | None
    execution_quality_score: float | None  # None: the quality service did not answer in time


class TradeTiming(msgspec.Struct, frozen=True, kw_only=True):
    decision_time_ns: int
    order_submission_time_ns: int
    first_fill_time_ns: int | None
    completion_time_ns: int


class CostBreakdown(msgspec.Struct, frozen=True, kw_only=True):
    commission: Decimal
    fees: Decimal
    spread: Decimal | None
    market_impact: Decimal | None
    timing: Decimal | None
    opportunity: Decimal | None
    total: Decimal | None
    delay: Decimal | None = None


class TradeExecuted(Payload, frozen=True, kw_only=True):
    """One per completed parent order, after execution_quality_analyzed, or after a time-out with a null score."""

    message_type = "trade_executed"

    execution: TradeExecution
    execution_quality: TradeQuality
    timing: TradeTiming
    cost_breakdown: CostBreakdown
