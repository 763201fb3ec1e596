"""Working a parent order: what the algorithm service is asked, says to venues, and hears from them."""

from decimal import Decimal
from typing import Any

import msgspec

from bestex.domain.fills import VenueReport
from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import ChildOrder, ExecutionStyle, ParentState, Side, Urgency
from bestex.messages.envelope import Payload
from bestex.messages.quote_watch import QuoteWatch


class PriceLimits(msgspec.Struct, frozen=True, kw_only=True):
    min: Decimal | None = None
    max: Decimal | None = None


class ExecutionParameters(msgspec.Struct, frozen=True, kw_only=True):
    participation_rate: float | None = None
    time_horizon_minutes: int | None = None
    price_improvement_target: float | None = None
    risk_aversion: float | None = None  # kappa T: 0 = TWAP, 3 = IS, 8 = near-immediate
    custom_parameters: dict[str, Any] = {}


class WorkingConstraints(msgspec.Struct, frozen=True, kw_only=True):
    max_order_size: Decimal | None = None
    min_order_size: Decimal | None = None
    no_trade_zones: tuple[tuple[int, int], ...] = ()  # [start_ns, end_ns)
    venue_preferences: tuple[str, ...] = ()
    venue_exclusions: tuple[str, ...] = ()
    dark_pool_ratio: float = 0.0
    price_limits: PriceLimits = PriceLimits()


class ExecutionRequest(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    instrument_id: str
    side: Side
    quantity: Decimal
    algorithm: str
    execution_style: ExecutionStyle
    parameters: ExecutionParameters
    constraints: WorkingConstraints
    start_time_ns: int
    target_completion_time_ns: int


class PlanExecution(Payload, frozen=True, kw_only=True):
    """A dry plan: answered with `ExecutionPlan`, nothing is sent."""

    message_type = "plan_execution"

    request: ExecutionRequest
    market: MarketSnapshot


class StartExecution(Payload, frozen=True, kw_only=True):
    """Work an order that the order desk has already created. Idempotent on order_id."""

    message_type = "start_execution"

    request: ExecutionRequest
    market: MarketSnapshot
    actor: str


class ModifyExecution(Payload, frozen=True, kw_only=True):
    """Answered with `ExecutionPlan` for what remains; None = leave as it is."""

    message_type = "modify_execution"

    order_id: str
    actor: str
    market: MarketSnapshot
    quantity: Decimal | None = None
    price_limit: Decimal | None = None
    end_time_ns: int | None = None
    participation_rate: float | None = None
    urgency: Urgency | None = None
    reason: str | None = None


class PauseExecution(Payload, frozen=True, kw_only=True):
    """Live children are cancelled; nothing new is sent until resumed."""

    message_type = "pause_execution"

    order_id: str
    actor: str
    reason: str | None = None


class ResumeExecution(Payload, frozen=True, kw_only=True):
    message_type = "resume_execution"

    order_id: str
    actor: str
    market: MarketSnapshot
    reason: str | None = None


class CancelExecution(Payload, frozen=True, kw_only=True):
    message_type = "cancel_execution"

    order_id: str
    actor: str
    reason: str | None = None


class KillExecutions(Payload, frozen=True, kw_only=True):
    """Cancel every live child of the scope and block new ones until re-armed. Key: `desk`."""

    message_type = "kill_executions"

    scope: str  # all | account | instrument | algorithm
    scope_value: str | None  # None only for `all`
    actor: str
    reason: str


class RearmExecutions(Payload, frozen=True, kw_only=True):
    message_type = "rearm_executions"

    scope: str
    scope_value: str | None
    actor: str
    reason: str


class PlannedChild(msgspec.Struct, frozen=True, kw_only=True):
    """ChildOrder of the contract, before it has a price."""

    child_order_id: str
    parent_order_id: str
    quantity: Decimal
    venue: str
    timing_ns: int
    order_type: str
    time_in_force: str
    price: Decimal | None = None


class ExecutionSlice(msgspec.Struct, frozen=True, kw_only=True):
    slice_id: int
    start_time_ns: int
    end_time_ns: int
    target_quantity: Decimal  # of this slice, not cumulative


class ExecutionPlan(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    algorithm_used: str
    child_orders: tuple[PlannedChild, ...]
    execution_schedule: tuple[ExecutionSlice, ...]
    expected_completion_ns: int
    estimated_cost: float  # fraction of notional
    estimated_impact: float | None = None  # its market impact, fraction of notional; None without a model
    cost_sd: float | None = None  # sd of the realised cost around it, fraction of notional; None without a model


class ExecutionPlanned(Payload, frozen=True, kw_only=True):
    message_type = "execution_planned"

    order_id: str
    algorithm_used: str
    child_orders: tuple[PlannedChild, ...]
    execution_schedule: tuple[ExecutionSlice, ...]
    estimated_cost: float
    expected_completion_ns: int
    start_time_ns: int
    end_time_ns: int
    execution_style: str
    parameters: dict[str, Any]
    revision: int = 0  # 0 = the first plan, then one more per change
    estimated_impact: float | None = None  # fraction of notional; None where no pre-trade model priced the plan
    cost_sd: float | None = None  # sd of the realised cost around estimated_cost, fraction of notional
    deadline_time_ns: int | None = None  # the order expires; after end_time further windows may follow until then


class ChildOrderSubmitted(Payload, frozen=True, kw_only=True):
    """The durable intent; the market receives it only after it is durable."""

    message_type = "child_order_submitted"

    child: ChildOrder
    slice_id: int
    bid: Decimal | None  # what the decision saw
    ask: Decimal | None
    reason: str  # plain words: "slice 3 of 30: post at the near touch"


class ChildOrderCancelRequested(Payload, frozen=True, kw_only=True):
    message_type = "child_order_cancel_requested"

    order_id: str
    child_order_id: str
    reason: str


class ExecutionReport(Payload, frozen=True, kw_only=True):
    message_type = "execution_report"

    order_id: str
    report: VenueReport
    market: MarketSnapshot  # when it was received


class ControlBreach(msgspec.Struct, frozen=True, kw_only=True):
    """A risk control of the selection that is, or with the next child would be, passed."""

    control: str  # max_slippage_bps or max_order_value
    value: float  # bps, or the instrument's currency
    limit: float


class AlgorithmExecution(Payload, frozen=True, kw_only=True):
    """Progress of a parent order, after every change of it."""

    message_type = "algorithm_execution"

    order_id: str
    algorithm: str
    state: ParentState
    quantity: Decimal
    filled_quantity: Decimal
    live_quantity: Decimal  # sent and not finally answered, unknown included
    unknown_quantity: Decimal
    remaining_quantity: Decimal
    scheduled_quantity: Decimal  # cumulative target at this time
    average_fill_price: Decimal | None
    schedule_deviation: float  # (filled - scheduled) / quantity: positive = ahead
    decision_latency_ns: int | None  # wall time of the native step; None in replay, so that logs are byte-identical
    live_children: int
    reason: str
    breach: ControlBreach | None = None  # why the order is paused, if a risk control of its selection paused it


class ExecutionCompleted(Payload, frozen=True, kw_only=True):
    message_type = "execution_completed"

    order_id: str
    state: ParentState  # FILLED, CANCELLED, REJECTED or EXPIRED
    quantity: Decimal
    filled_quantity: Decimal
    unfilled_quantity: Decimal
    average_fill_price: Decimal | None
    notional: Decimal
    fees: Decimal
    started_ns: int | None
    completed_ns: int
    child_orders: int
    reason: str


class KillSwitchChanged(Payload, frozen=True, kw_only=True):
    message_type = "kill_switch_changed"

    scope: str
    scope_value: str | None
    armed: bool  # True = normal, False = killed
    actor: str
    reason: str
    orders_affected: int


class SetAlgorithmEnabled(Payload, frozen=True, kw_only=True):
    """Offer an algorithm to new orders, or no longer. Key: `desk`. Answered with the `ExecutionAlgorithmRow`.

    Orders that are being worked go on.
    """

    message_type = "set_algorithm_enabled"

    algorithm_name: str
    enabled: bool
    actor: str
    reason: str | None = None


class AlgorithmEnabledChanged(Payload, frozen=True, kw_only=True):
    """Key: `desk`."""

    message_type = "algorithm_enabled_changed"

    algorithm_name: str
    enabled: bool
    actor: str
    reason: str | None = None


class TimerAsked(Payload, frozen=True, kw_only=True):
    """A service asks to be woken, where the market (and with it the time) is kept by another process.

    Asking again under the same (service, order_id, name) replaces; with nothing to wait for it cancels.
    """

    message_type = "timer_asked"

    order_id: str
    service: str
    name: str
    at_ns: int | None = None
    instrument_id: str | None = None
    at_volume: Decimal | None = None  # cumulative market volume of the session
    at_price: QuoteWatch | None = None


class TimerDue(Payload, frozen=True, kw_only=True):
    """A timer, a volume or a price that a service asked for. Carries the market, so that the step stays pure."""

    message_type = "timer_due"

    order_id: str
    service: str
    name: str
    market: MarketSnapshot


class ExecutionAcknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to pause, resume, cancel, kill and re-arm: what holds now, and what venues still have to confirm."""

    order_id: str  # `desk` for kill and re-arm
    state: str  # the parent's; KILLED or ARMED for `desk`
    live_children: int  # cancels still to be answered, after a pause, cancel or kill
    reason: str
    orders_affected: int = 1
    unconfirmed: tuple[str, ...] = ()  # child orders whose cancel is asked and not answered

    def merged_with(self, other: "ExecutionAcknowledged") -> "ExecutionAcknowledged":
        """Both together, where several workers acknowledge one request about the desk."""
        return msgspec.structs.replace(
            self,
            live_children=self.live_children + other.live_children,
            orders_affected=self.orders_affected + other.orders_affected,
            unconfirmed=self.unconfirmed + other.unconfirmed,
        )
