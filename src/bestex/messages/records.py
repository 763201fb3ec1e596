"""Rows that the services keep. A service saves them in the transaction of its messages; reads on them answer the API.

A record is saved whole, by its key: the last one wins. `Decimal` is kept as scaled int64, times as int64 ns,
nested values as JSON.
"""

from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import ExecutionInstructions
from bestex.messages.strategy import ExpectedOutcomes, MarketContext, Recommendation


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every row. `table` is its table; `key` names the fields of its primary key."""

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]] = ("id",)


class ParentOrderRow(Record, frozen=True, kw_only=True):
    table = "parent_orders"
    key = ("order_id",)

    order_id: str
    instrument_id: str
    side: str
    quantity: Decimal
    order_type: str
    price: Decimal | None
    state: str
    algorithm: str | None
    strategy_name: str | None
    selection_id: str | None
    portfolio_id: str | None
    account_id: str | None
    instructions: ExecutionInstructions
    arrival: MarketSnapshot
    filled_quantity: Decimal
    average_fill_price: Decimal | None
    created_time_ns: int
    updated_time_ns: int
    actor: str
    reason: str | None
    version: int = 1  # counts commands, and changes of anything but the reason; what If-Match is compared with


class ExecutionStrategyRow(Record, frozen=True, kw_only=True):
    """The catalogue of execution strategies."""

    table = "execution_strategies"
    key = ("strategy_name",)

    id: str
    strategy_name: str
    strategy_type: str
    algorithm_mapping: dict[str, Any]
    parameter_ranges: dict[str, Any]
    performance_metrics: dict[str, Any] | None
    enabled: bool
    created_at_ns: int


class StrategySelectionRow(Record, frozen=True, kw_only=True):
    table = "strategy_selections"

    id: str
    order_id: str
    instrument_id: str
    side: str
    quantity: Decimal
    status: str  # PROPOSED, COMMITTED
    adaptation: int
    strategy_name: str
    algorithm: str
    selection_rationale: str
    recommendation: Recommendation  # the whole answer
    market_conditions: MarketContext
    expected_outcomes: ExpectedOutcomes
    actual_outcomes: dict[str, Any] | None
    performance_score: float | None  # 0..1, higher is better; None until the order is complete
    reason: str | None
    created_at_ns: int


class StrategyPerformanceRow(Record, frozen=True, kw_only=True):
    table = "strategy_performance"
    key = ("strategy_name", "execution_date")

    id: str
    strategy_name: str
    execution_date: str  # YYYY-MM-DD
    orders_executed: int
    avg_cost: float
    avg_market_impact: float
    success_rate: float
    avg_expected_cost: float
    cost_error: float
    created_at_ns: int


class ExecutionAlgorithmRow(Record, frozen=True, kw_only=True):
    table = "execution_algorithms"
    key = ("algorithm_name",)

    algorithm_name: str
    algorithm_type: str
    parameters_schema: dict[str, Any]
    performance_metrics: dict[str, Any] | None
    enabled: bool
    created_at_ns: int


class ExecutionPlanRow(Record, frozen=True, kw_only=True):
    table = "execution_plans"
    key = ("order_id",)

    order_id: str
    algorithm_used: str
    execution_plan: dict[str, Any]
    estimated_cost: float
    actual_cost: float | None
    completion_status: str
    created_at_ns: int


class ExecutionStatusRow(Record, frozen=True, kw_only=True):
    """ExecutionStatus of the contract: the latest algorithm_execution of the order."""

    table = "execution_status"
    key = ("order_id",)

    order_id: str
    instrument_id: str
    side: str
    algorithm: str
    execution_style: str
    state: str
    quantity: Decimal
    filled_quantity: Decimal
    live_quantity: Decimal
    unknown_quantity: Decimal
    remaining_quantity: Decimal
    scheduled_quantity: Decimal
    average_fill_price: Decimal | None
    schedule_deviation: float
    start_time_ns: int
    end_time_ns: int
    updated_time_ns: int
    reason: str


class ChildOrderRow(Record, frozen=True, kw_only=True):
    table = "child_orders"
    key = ("child_order_id",)

    child_order_id: str
    order_id: str
    instrument_id: str
    side: str
    quantity: Decimal
    filled_quantity: Decimal
    price: Decimal | None
    order_type: str
    time_in_force: str
    post_only: bool
    venue: str
    state: str
    slice_id: int
    reason: str
    submitted_time_ns: int
    updated_time_ns: int


class FillRow(Record, frozen=True, kw_only=True):
    table = "fills"
    key = ("venue", "execution_id")

    execution_id: str
    order_id: str
    child_order_id: str
    instrument_id: str
    side: str
    venue: str
    quantity: Decimal
    price: Decimal
    liquidity: str
    fee: Decimal
    bid: Decimal | None
    ask: Decimal | None
    venue_time_ns: int
    received_time_ns: int


class MonitoringRow(Record, frozen=True, kw_only=True):
    """The latest execution_monitoring of each order, and at the end its measurement."""

    table = "execution_monitoring"
    key = ("order_id",)

    order_id: str
    instrument_id: str
    state: str
    execution_progress: float
    update: dict[str, Any]
    performance_score: float | None
    measured: dict[str, Any] | None  # ExecutionMeasured, once complete
    trade_executed: dict[str, Any] | None
    updated_time_ns: int


class AlertRow(Record, frozen=True, kw_only=True):
    table = "alerts"
    key = ("alert_id",)

    alert_id: str
    order_id: str
    alert_type: str
    severity: str
    state: str
    recommendation: str
    value: float
    threshold: float
    raised_time_ns: int
    updated_time_ns: int
    acknowledged_by: str | None
    silenced_until_ns: int | None = None  # nobody is told of it before; None = never silenced
    silenced_by: str | None = None
    silence_reason: str | None = None


class AlertRuleRow(Record, frozen=True, kw_only=True):
    table = "alert_rules"
    key = ("rule_name",)

    rule_name: str
    alert_type: str
    metric: str
    comparison: str  # above | below
    threshold: float
    for_seconds: float
    severity: str
    enabled: bool
    created_at_ns: int


class QualityStandardRow(Record, frozen=True, kw_only=True):
    """Metrics, weights and cut points by version; a grade names the version it was made with."""

    table = "execution_quality_standards"
    key = ("version",)

    version: str
    weights: dict[str, float]
    cut_points: dict[str, float]
    created_at_ns: int


class QualityResultRow(Record, frozen=True, kw_only=True):
    table = "execution_quality_results"
    key = ("order_id",)

    order_id: str
    instrument_id: str
    algorithm: str
    strategy_name: str | None
    overall_quality_score: float | None
    quality_grade: str | None
    analysis: dict[str, Any]  # ExecutionQualityAnalyzed
    created_at_ns: int


class VenueProfileRow(Record, frozen=True, kw_only=True):
    table = "venue_quality_profiles"
    key = ("venue",)

    venue: str
    venue_type: str
    orders: int
    fills: int
    quantity: Decimal
    quality_score: float | None
    quality_grade: str | None
    metrics: dict[str, Any]
    state: dict[str, Any]  # sums that the next roll-up continues from
    updated_time_ns: int


class AlgorithmProfileRow(Record, frozen=True, kw_only=True):
    table = "algorithm_quality_profiles"
    key = ("algorithm",)

    algorithm: str
    orders: int
    quality_score: float | None
    quality_grade: str | None
    metrics: dict[str, Any]
    state: dict[str, Any]
    updated_time_ns: int


class QualityAlertRow(Record, frozen=True, kw_only=True):
    table = "quality_alerts"
    key = ("alert_id",)

    alert_id: str
    subject: str
    message: str
    severity: str
    created_at_ns: int


class IdempotencyRow(Record, frozen=True, kw_only=True):
    """What an Idempotency-Key was used for, and what was answered."""

    table = "idempotency_keys"
    key = ("idempotency_key",)

    idempotency_key: str
    request_digest: str
    response: str
    created_at_ns: int


class AuditRow(Record, frozen=True, kw_only=True):
    """One thing that a client asked for: who, how, and what came of it."""

    table = "audit"
    key = ("audit_id",)

    audit_id: str
    time_ns: int  # UTC
    tenant: str
    actor: str
    credential: str  # id of the key or token
    channel: str  # REST, WEBSOCKET
    address: str  # of the client, as the socket has it
    operation: str
    about_order: str | None
    status: int  # of the answer
    outcome: str  # DONE, REFUSED, LIMITED, FAILED; ALERT: refused again and again
    correlation_id: str


class DeskStateRow(Record, frozen=True, kw_only=True):
    """Small facts the desk keeps about itself: the time it had reached, the market's seed."""

    table = "desk_state"
    key = ("name",)

    name: str
    value: dict[str, Any]


KILL_SWITCH = "kill_switch"  # a DeskStateRow: {"killed": [{scope, scope_value, actor, reason, time_ns}]}


class InboxRow(Record, frozen=True, kw_only=True):
    """How far one stream of one source has been heard: what repeats is dropped, what skips is parked."""

    table = "inbox"
    key = ("worker", "order_id", "source_service")

    worker: str
    order_id: str
    source_service: str
    sequence: int


class ReadPositionRow(Record, frozen=True, kw_only=True):
    """How far a worker has read one shard of a topic, and (under its own name) how far it has published its journal."""

    table = "read_positions"
    key = ("worker", "stream")

    worker: str
    stream: str  # "orders/3"; "outbox"
    position: str


class ParkedRow(Record, frozen=True, kw_only=True):
    """A message that its worker could not handle, or one of the same order after it, until somebody releases them."""

    table = "parked_messages"
    key = ("worker", "order_id", "number")

    worker: str
    order_id: str
    number: int  # from 1, in the order of arrival
    body: str  # the message as it came
    reason: str
    state: str  # PARKED, RELEASED
    parked_at_ns: int
    actor: str | None  # who released it


class InstrumentRow(Record, frozen=True, kw_only=True):
    """An instrument that somebody added; the market's own listings are not rows."""

    table = "instruments"
    key = ("instrument_id",)

    instrument_id: str
    name: str
    asset_class: str
    currency: str
    tick_size: Decimal
    lot_size: Decimal
    multiplier: Decimal
    calendar: str
    venues: tuple[str, ...]
    average_daily_volume: Decimal | None
    daily_volatility: float | None
    actor: str  # who saved it last
    created_at_ns: int
    updated_at_ns: int


class VenueRow(Record, frozen=True, kw_only=True):
    """A venue that somebody added. Fees are per unit traded; a negative fee is a rebate."""

    table = "venues"
    key = ("venue_id",)

    venue_id: str
    name: str
    venue_type: str
    maker_fee: Decimal
    taker_fee: Decimal
    order_latency_ns: int
    dedupes_client_id: bool
    cancel_on_disconnect: bool
    actor: str  # who saved it last
    created_at_ns: int
    updated_at_ns: int


RECORDS: tuple[type[Record], ...] = (
    ParentOrderRow,
    ExecutionStrategyRow,
    StrategySelectionRow,
    StrategyPerformanceRow,
    ExecutionAlgorithmRow,
    ExecutionPlanRow,
    ExecutionStatusRow,
    ChildOrderRow,
    FillRow,
    MonitoringRow,
    AlertRow,
    AlertRuleRow,
    QualityStandardRow,
    QualityResultRow,
    VenueProfileRow,
    AlgorithmProfileRow,
    QualityAlertRow,
    IdempotencyRow,
    AuditRow,
    DeskStateRow,
    InboxRow,
    ReadPositionRow,
    ParkedRow,
    InstrumentRow,
    VenueRow,
)

# Which service saves a record. What is in none of them, every process keeps for itself.
OWNERS: dict[type[Record], str] = {
    ParentOrderRow: "order-desk",
    ExecutionStrategyRow: "strategy",
    StrategySelectionRow: "strategy",
    StrategyPerformanceRow: "strategy",
    ExecutionAlgorithmRow: "algorithm",
    ExecutionPlanRow: "algorithm",
    ExecutionStatusRow: "algorithm",
    ChildOrderRow: "algorithm",
    FillRow: "algorithm",
    MonitoringRow: "monitoring",
    AlertRow: "monitoring",
    AlertRuleRow: "monitoring",
    QualityStandardRow: "quality",
    QualityResultRow: "quality",
    VenueProfileRow: "quality",
    AlgorithmProfileRow: "quality",
    QualityAlertRow: "quality",
    InstrumentRow: "reference",
    VenueRow: "reference",
}
