"""The monitoring service: which messages it takes and sends.

It follows every parent order from its own stream, publishes how it is going, raises alerts, measures what it cost and
tells the outside once, when the grade is there.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from bestex.domain.errors import Conflict, InvalidInput, NotFound
from bestex.domain.fills import ReportKind
from bestex.domain.market import MarketSnapshot
from bestex.messages.codec import client_view
from bestex.messages.effects import Effects, Timer
from bestex.messages.envelope import Message
from bestex.messages.execution import (
    AlgorithmExecution,
    ChildOrderSubmitted,
    ExecutionCompleted,
    ExecutionPlanned,
    ExecutionReport,
    TimerDue,
)
from bestex.messages.monitoring import (
    AcknowledgeAlert,
    DeleteAlertRule,
    ExecutionMonitoring,
    LastFill,
    LiveMetrics,
    MonitoringSession,
    SaveAlertRule,
    SilenceAlert,
    StartMonitoring,
)
from bestex.messages.orders import OrderAmended, OrderCancelled, OrderCreated
from bestex.messages.quality import ExecutionQualityAnalyzed
from bestex.messages.records import AlertRuleRow, MonitoringRow, Record
from bestex.messages.strategy import ExecutionStrategySelected
from bestex.ports import ReferenceData
from bestex.quant.metric_specs import BY_NAME
from bestex.services.monitoring.alert_desk import AlertDesk
from bestex.services.monitoring.alerts import METRICS
from bestex.services.monitoring.config import MonitoringConfig
from bestex.services.monitoring.fill_markouts import FillMarkouts
from bestex.services.monitoring.live_metrics import live_metrics, performance_score
from bestex.services.monitoring.market_interval import MarketInterval, usable_mid
from bestex.services.monitoring.measurement import measure, trade_executed
from bestex.services.monitoring.progress import Fill, Progress
from bestex.services.monitoring.schedule import Schedule
from bestex.services.monitoring.watched_order import WatchedOrder

MONITOR, MARKOUT, AFTER, GIVE_UP = "monitor", "markout", "after", "give-up"  # names of timers


class MonitoringService:
    """Watches all orders. Everything it knows comes from the messages it is handed."""

    name = "monitoring"
    takes = frozenset(
        {
            "order_created",
            "order_amended",
            "order_cancelled",
            "execution_strategy_selected",
            "execution_planned",
            "child_order_submitted",
            "child_order_cancel_requested",
            "execution_report",
            "algorithm_execution",
            "execution_completed",
            "execution_quality_analyzed",
            "timer_due",
            "start_monitoring",
            "acknowledge_alert",
            "silence_alert",
            "save_alert_rule",
            "delete_alert_rule",
        }
    )

    restores: tuple[type[Record], ...] = (AlertRuleRow,)

    def __init__(self, reference: ReferenceData, config: MonitoringConfig) -> None:
        self._reference = reference
        self._config = config
        self._orders: dict[str, WatchedOrder] = {}
        self._alerts = AlertDesk(keep_firing_ns=config.keep_firing_ns)

    def initial_records(self, now_ns: int) -> Sequence[AlertRuleRow]:
        """The default alert rules, saved at the first start."""
        return tuple(msgspec.structs.replace(row, created_at_ns=now_ns) for row in self._alerts.rules)

    def restore(self, rows: Sequence[Record]) -> None:
        """Continue with the alert rules of an earlier run; without any, the defaults stay."""
        rules = [row for row in rows if isinstance(row, AlertRuleRow)]
        if rules:
            self._alerts.restore(rules)

    def state(self, order_id: str) -> object:
        return self._orders.get(order_id)

    def handle(self, message: Message[Any]) -> Effects:
        now_ns = message.time_ns
        match message.payload:
            case OrderCreated() as fact:
                return self._watch(fact, now_ns)
            case StartMonitoring() as request:
                return self._start(request)
            case AcknowledgeAlert() as request:
                watched = self._known(request.order_id)
                return self._alerts.acknowledge(watched, request, self._metrics(watched, now_ns), now_ns=now_ns)
            case SilenceAlert() as request:
                watched = self._known(request.order_id)
                return self._alerts.silence(watched, request, self._metrics(watched, now_ns), now_ns=now_ns)
            case SaveAlertRule() as request:
                return self._alerts.save(request, now_ns=now_ns)
            case DeleteAlertRule() as request:
                return self._alerts.delete(request)
        order = self._orders.get(message.order_id)
        return Effects() if order is None else self._follow(order, message.payload, now_ns)

    def _follow(self, watched: WatchedOrder, payload: object, now_ns: int) -> Effects:
        match payload:
            case OrderAmended() as fact:
                _amend(watched, fact)
                return self._update(watched, now_ns)
            case OrderCancelled():
                watched.is_cancelled_by_client = not watched.is_final
            case ExecutionStrategySelected() as fact:
                watched.selection = watched.selection or fact
                watched.strategy_name = fact.recommended_strategy.strategy_name
            case ExecutionPlanned() as fact:
                return self._plan(watched, fact, now_ns)
            case ChildOrderSubmitted() as fact:
                watched.progress.send(fact.child, time_ns=now_ns, bid=fact.bid, ask=fact.ask)
                return self._alerts.evaluate(watched, self._metrics(watched, now_ns), now_ns=now_ns)
            case ExecutionReport() as fact:
                return self._report(watched, fact, now_ns)
            case AlgorithmExecution() as fact:
                return self._algorithm(watched, fact, now_ns)
            case ExecutionCompleted() as fact:
                return self._complete(watched, fact, now_ns)
            case TimerDue() as fact:
                return self._timer(watched, fact, now_ns)
            case ExecutionQualityAnalyzed() as fact:
                return self._trade(watched, fact.overall_quality_score, now_ns)
        return Effects()

    # -- facts ---------------------------------------------------------------------------------------------------

    def _watch(self, fact: OrderCreated, now_ns: int) -> Effects:
        order = fact.order
        if order.order_id in self._orders:
            return Effects()
        session = self._reference.session(order.instrument_id, fact.submission_time_ns)
        watched = WatchedOrder(
            order=order,
            instrument=self._reference.instrument(order.instrument_id),
            arrival=fact.arrival,
            decision_time_ns=fact.decision_time_ns,
            submission_time_ns=fact.submission_time_ns,
            session_ns=None if session is None else session[1] - session[0],
            progress=Progress(ordered=order.quantity),
            interval=MarketInterval.starting(fact.arrival),
            markouts=FillMarkouts(
                side_sign=order.side.sign,
                horizons_ns=self._config.markout_horizons_ns,
                grid_ns=self._config.markout_grid_ns,
                lag_max_ns=self._config.markout_lag_max_ns,
            ),
            limit_price=order.price,
            end_time_ns=order.instructions.end_time_ns,
            participation_cap=order.instructions.max_participation_rate,
            algorithm=order.instructions.algorithm,
        )
        self._orders[order.order_id] = watched
        return self._update(watched, now_ns)

    def _plan(self, watched: WatchedOrder, fact: ExecutionPlanned, now_ns: int) -> Effects:
        watched.first_plan = watched.first_plan or fact
        watched.algorithm = fact.algorithm_used
        watched.deadline_ns = fact.deadline_time_ns or fact.end_time_ns
        filled = watched.progress.filled if fact.revision else Decimal(0)
        watched.schedule = Schedule.of(fact, filled_before=filled)
        effects = self._update(watched, now_ns)
        if not watched.is_final and watched.is_updated_live:
            first = max(now_ns, fact.start_time_ns) + self._config.update_interval_ns
            effects.timers.append(Timer(order_id=watched.order_id, name=MONITOR, at_ns=first))
        return effects

    def _report(self, watched: WatchedOrder, fact: ExecutionReport, now_ns: int) -> Effects:
        self._see(watched, fact.market)
        fill = watched.progress.report(fact.report, parent_ended=watched.is_final)
        if fill is None:
            if fact.report.kind is ReportKind.NEW:
                return Effects()
            return self._alerts.evaluate(watched, self._metrics(watched, now_ns), now_ns=now_ns)
        watched.markouts.add(len(watched.progress.fills) - 1, time_ns=fill.report.venue_time_ns, mid=fill.mid)
        _note_breaches(watched, fill)
        effects = self._update(watched, now_ns, fill=fill)
        self._ask_for_markouts(watched, effects)
        return effects

    def _algorithm(self, watched: WatchedOrder, fact: AlgorithmExecution, now_ns: int) -> Effects:
        watched.algorithm_target = fact.scheduled_quantity
        watched.algorithm = fact.algorithm
        watched.breach = fact.breach
        has_counted = fact.filled_quantity != watched.algorithm_filled
        if not watched.is_final:
            watched.algorithm_filled = fact.filled_quantity
        if fact.state is watched.state:
            if not has_counted:
                return Effects()
            # A report is heard here before the algorithm has counted it: without this look the two would seem to
            # differ from one fill to the next.
            return self._alerts.evaluate(watched, self._metrics(watched, now_ns), now_ns=now_ns)
        watched.state = fact.state
        return self._update(watched, now_ns)

    def _complete(self, watched: WatchedOrder, fact: ExecutionCompleted, now_ns: int) -> Effects:
        if watched.is_final:
            return Effects()
        watched.completed = fact
        watched.algorithm_filled = fact.filled_quantity
        watched.state = fact.state
        if watched.market.time_ns >= fact.completed_ns:
            watched.end = watched.market
        effects = self._update(watched, now_ns)
        after = () if watched.end is not None else (0,)
        effects.timers.append(Timer(order_id=watched.order_id, name=MONITOR))
        for horizon in (*after, *self._config.horizons_after_ns):
            effects.timers.append(
                Timer(order_id=watched.order_id, name=f"{AFTER}:{horizon}", at_ns=fact.completed_ns + horizon)
            )
        return effects

    def _timer(self, watched: WatchedOrder, fact: TimerDue, now_ns: int) -> Effects:
        if fact.service != self.name:
            return Effects()
        if fact.name == GIVE_UP:
            return self._trade(watched, None, now_ns)
        self._see(watched, fact.market)
        effects = Effects()
        if fact.name == MONITOR and not watched.is_final:
            effects = self._update(watched, now_ns)
            next_ns = now_ns + self._config.update_interval_ns
            effects.timers.append(Timer(order_id=watched.order_id, name=MONITOR, at_ns=next_ns))
        elif fact.name == f"{AFTER}:{self._config.horizons_after_ns[-1]}" and watched.measured is None:
            effects = self._measure(watched, now_ns)
        if watched.measured is None:
            self._ask_for_markouts(watched, effects)
        return effects

    def _measure(self, watched: WatchedOrder, now_ns: int) -> Effects:
        watched.measured = measure(watched, config=self._config, reference=self._reference)
        effects = self._update(watched, now_ns)
        effects.events.append((watched.order_id, watched.measured))
        effects.timers.append(Timer(order_id=watched.order_id, name=MARKOUT))
        give_up_ns = now_ns + self._config.grade_timeout_ns
        effects.timers.append(Timer(order_id=watched.order_id, name=GIVE_UP, at_ns=give_up_ns))
        return effects

    def _trade(self, watched: WatchedOrder, score: float | None, now_ns: int) -> Effects:
        if watched.measured is None or watched.trade is not None:
            return Effects()
        watched.trade = trade_executed(watched, score=score, config=self._config)
        effects = Effects(events=[(watched.order_id, watched.trade)])
        effects.timers.append(Timer(order_id=watched.order_id, name=GIVE_UP))
        effects.records.append(self._row(watched, self._monitoring(watched, watched.measured.metrics, now_ns)))
        return effects

    # -- requests ------------------------------------------------------------------------------------------------

    def _start(self, request: StartMonitoring) -> Effects:
        watched = self._known(request.order_id)
        known = {name.upper() for name in METRICS} | BY_NAME.keys()
        unknown = [name for name in request.monitoring_metrics if name not in known]
        if unknown:
            raise InvalidInput(
                f"monitoring_metrics {', '.join(unknown)} are not known",
                field="monitoring_metrics",
                value=", ".join(unknown),
                expected="among " + ", ".join(sorted(known)),
            )
        self._alerts.check_thresholds(request.alert_thresholds)
        if watched.is_final:
            raise Conflict(
                f"order {request.order_id} is {watched.state}: there is nothing left to watch",
                field="order_id",
                value=watched.state,
            )
        watched.metrics_wanted = request.monitoring_metrics
        watched.thresholds = dict(request.alert_thresholds)
        watched.is_updated_live = request.real_time_updates
        session = MonitoringSession(
            order_id=request.order_id,
            monitoring_metrics=request.monitoring_metrics,
            alert_thresholds=watched.thresholds,
            real_time_updates=request.real_time_updates,
        )
        return Effects(answer=session)

    def _known(self, order_id: str) -> WatchedOrder:
        watched = self._orders.get(order_id)
        if watched is None:
            raise NotFound(f"no order {order_id} is being watched", field="order_id", value=order_id)
        return watched

    # -- what an update is made of -------------------------------------------------------------------------------

    def _see(self, watched: WatchedOrder, snapshot: MarketSnapshot) -> None:
        """Let everything that waits for the market look at it."""
        if watched.measured is not None:
            return
        watched.markouts.see(snapshot)
        completed = watched.completed
        if completed is None:
            watched.interval.see(snapshot)
            return
        since = snapshot.time_ns - completed.completed_ns
        if watched.end is None and since >= 0:
            watched.interval.see(snapshot)
            watched.end = snapshot
        for horizon in self._config.horizons_after_ns:
            if since >= horizon and horizon not in watched.mids_after:
                in_time = since - horizon <= self._config.markout_lag_max_ns
                watched.mids_after[horizon] = usable_mid(snapshot) if in_time else None

    def _update(self, watched: WatchedOrder, now_ns: int, *, fill: Fill | None = None) -> Effects:
        metrics = self._metrics(watched, now_ns)
        deviation = metrics.schedule_deviation
        if deviation is not None and not watched.is_final and abs(deviation) >= abs(watched.deviation_worst or 0.0):
            watched.deviation_worst = deviation
        effects = self._alerts.evaluate(watched, metrics, now_ns=now_ns)
        update = self._monitoring(watched, metrics, now_ns, fill=fill)
        effects.events.insert(0, (watched.order_id, update))
        effects.records.append(self._row(watched, update))
        return effects

    def _metrics(self, watched: WatchedOrder, now_ns: int) -> LiveMetrics:
        at_ns = now_ns if watched.completed is None else watched.completed.completed_ns
        return live_metrics(watched, now_ns=at_ns, reference=self._reference)

    def _monitoring(
        self, watched: WatchedOrder, metrics: LiveMetrics, now_ns: int, *, fill: Fill | None = None
    ) -> ExecutionMonitoring:
        progress, market = watched.progress, watched.market
        at_ns = now_ns if watched.completed is None else watched.completed.completed_ns
        return ExecutionMonitoring(
            order_id=watched.order_id,
            instrument_id=watched.order.instrument_id,
            side=watched.order.side,
            state=watched.state,
            execution_progress=float(progress.filled / progress.ordered),
            quantity=progress.ordered,
            filled_quantity=progress.filled,
            remaining_quantity=progress.ordered - progress.filled,
            live_quantity=progress.live,
            average_fill_price=progress.average_price,
            scheduled_quantity=watched.target(at_ns),
            bid=market.bid,
            ask=market.ask,
            market_volume=watched.interval.volume,
            metrics=metrics,
            performance_score=performance_score(watched, metrics),
            alerts_open=sum(raised.is_open for raised in watched.alerts.values()),
            venues=dict(progress.venues),
            is_generated=market.is_generated,
            late_fills=progress.late_fills,
            last_fill=None if fill is None else _last_fill(fill),
        )

    def _row(self, watched: WatchedOrder, update: ExecutionMonitoring) -> MonitoringRow:
        return MonitoringRow(
            order_id=watched.order_id,
            instrument_id=watched.order.instrument_id,
            state=watched.state,
            execution_progress=update.execution_progress,
            update=client_view(update),
            performance_score=update.performance_score,
            measured=None if watched.measured is None else client_view(watched.measured),
            trade_executed=None if watched.trade is None else client_view(watched.trade),
            updated_time_ns=watched.market.time_ns,
        )

    def _ask_for_markouts(self, watched: WatchedOrder, effects: Effects) -> None:
        next_ns = watched.markouts.next_look_ns()
        if next_ns is not None and watched.measured is None:
            effects.timers.append(Timer(order_id=watched.order_id, name=MARKOUT, at_ns=next_ns))


def _amend(watched: WatchedOrder, fact: OrderAmended) -> None:
    if fact.quantity is not None:
        watched.progress.amend(fact.quantity)
    watched.limit_price = fact.price or watched.limit_price
    watched.end_time_ns = fact.end_time_ns or watched.end_time_ns
    watched.participation_cap = fact.max_participation_rate or watched.participation_cap


def _note_breaches(watched: WatchedOrder, fill: Fill) -> None:
    limit = watched.limit_price
    if limit is not None and watched.side_sign * (fill.price - limit) > 0:
        watched.breaches.append(f"fill {fill.report.execution_id} at {fill.price} is beyond the limit {limit}")


def _last_fill(fill: Fill) -> LastFill:
    report = fill.report
    return LastFill(
        time_ns=report.venue_time_ns,
        price=fill.price,
        quantity=report.quantity,
        venue=report.venue,
        liquidity=None if report.liquidity is None else report.liquidity.value,
    )
