"""All that monitoring knows of one parent order."""

from dataclasses import dataclass, field
from decimal import Decimal

from bestex.domain.instruments import Instrument
from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import ParentOrder, ParentState
from bestex.messages.execution import ControlBreach, ExecutionCompleted, ExecutionPlanned
from bestex.messages.monitoring import ExecutionMeasured, TradeExecuted
from bestex.messages.strategy import ExecutionStrategySelected
from bestex.quant.benchmarks import timing_risk
from bestex.services.monitoring.alerts import RaisedAlert, Silence
from bestex.services.monitoring.fill_markouts import FillMarkouts
from bestex.services.monitoring.market_interval import MarketInterval
from bestex.services.monitoring.progress import Progress
from bestex.services.monitoring.schedule import Schedule


@dataclass(kw_only=True)
class WatchedOrder:
    """`state` follows what the algorithm service says; quantities are this service's own count."""

    order: ParentOrder
    instrument: Instrument
    arrival: MarketSnapshot
    decision_time_ns: int
    submission_time_ns: int
    session_ns: int | None  # length of the session it arrived in; None where there is none
    progress: Progress
    interval: MarketInterval
    markouts: FillMarkouts
    state: ParentState = ParentState.PENDING
    limit_price: Decimal | None = None
    end_time_ns: int | None = None
    participation_cap: float | None = None
    algorithm: str | None = None
    selection: ExecutionStrategySelected | None = None  # the first one: what was expected before trading
    strategy_name: str | None = None  # the one in force
    first_plan: ExecutionPlanned | None = None
    schedule: Schedule | None = None
    deadline_ns: int | None = None  # when the order expires, by the latest plan
    algorithm_target: Decimal | None = None  # what the algorithm service says it should have filled
    algorithm_filled: Decimal | None = None  # and what it says it has filled, while the order lived
    breach: ControlBreach | None = None  # the risk control of the selection that paused it
    deviation_worst: float | None = None
    is_cancelled_by_client: bool = False
    thresholds: dict[str, float] = field(default_factory=dict)  # rule name -> threshold of this order alone
    metrics_wanted: tuple[str, ...] = ()
    is_updated_live: bool = True
    alerts: dict[str, RaisedAlert] = field(default_factory=dict)  # by rule name
    silences: dict[str, Silence] = field(default_factory=dict)  # by rule name; also those that are over
    breaches: list[str] = field(default_factory=list)
    completed: ExecutionCompleted | None = None
    end: MarketSnapshot | None = None  # the first one at or after completion
    mids_after: dict[int, Decimal | None] = field(default_factory=dict)  # horizon after the end -> mid
    measured: ExecutionMeasured | None = None
    trade: TradeExecuted | None = None

    @property
    def order_id(self) -> str:
        return self.order.order_id

    @property
    def side_sign(self) -> int:
        return self.order.side.sign

    @property
    def is_final(self) -> bool:
        return self.completed is not None

    @property
    def market(self) -> MarketSnapshot:
        """The latest market of the interval that is measured."""
        return self.interval.latest

    def target(self, time_ns: int) -> Decimal | None:
        """Cumulative quantity the plan wants by then; the algorithm service's own figure where a plan has no slices."""
        planned = None if self.schedule is None else self.schedule.target(time_ns)
        return self.algorithm_target if planned is None else planned

    def elapsed(self, time_ns: int) -> float | None:
        """Fraction passed of the time from the first plan's start to the order's deadline, 0..1; None without a plan.

        The end of a window is no deadline: what it leaves is planned again.
        """
        if self.first_plan is None or self.deadline_ns is None or self.deadline_ns <= self.first_plan.start_time_ns:
            return None
        start_ns = self.first_plan.start_time_ns
        return min(max((time_ns - start_ns) / (self.deadline_ns - start_ns), 0.0), 1.0)

    @property
    def expected_cost(self) -> float | None:
        """Pre-trade cost as a fraction of notional: the first selection's, else the first plan's."""
        if self.selection is not None:
            return self.selection.expected_outcomes.estimated_cost
        return None if self.first_plan is None else self.first_plan.estimated_cost

    @property
    def expected_cost_source(self) -> str | None:
        if self.selection is not None:
            return "selection"
        return None if self.first_plan is None else "plan"

    @property
    def expected_cost_sd(self) -> float | None:
        """Its sd: the selection's or the plan's, else the planned window's timing risk; None without volatility."""
        if self.selection is not None:
            modelled: float | None = self.selection.expected_outcomes.cost_sd
        else:
            modelled = None if self.first_plan is None else self.first_plan.cost_sd
        if modelled is not None and modelled > 0:
            return modelled
        if self.first_plan is None or self.instrument.daily_volatility is None or not self.session_ns:
            return None
        window = self.first_plan.end_time_ns - self.first_plan.start_time_ns
        risk = timing_risk(daily_volatility=self.instrument.daily_volatility, session_fraction=window / self.session_ns)
        return risk if risk > 0 else None

    @property
    def expected_impact(self) -> float | None:
        """The pre-trade model's impact as a fraction of notional: the first selection's, else the first plan's.

        None when no model priced the order.
        """
        if self.selection is not None:
            return self.selection.expected_outcomes.market_impact
        return None if self.first_plan is None else self.first_plan.estimated_impact
