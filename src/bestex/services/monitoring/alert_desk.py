"""The rules in force, what they find of an order, and what a person says to an alert."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from bestex.domain.errors import Conflict, InvalidInput, NotFound
from bestex.domain.ids import time_ordered_uuid
from bestex.domain.orders import ParentState
from bestex.messages.effects import Effects
from bestex.messages.monitoring import (
    AcknowledgeAlert,
    DeleteAlertRule,
    ExecutionAlertGenerated,
    LiveMetrics,
    SaveAlertRule,
)
from bestex.messages.records import AlertRow, AlertRuleRow
from bestex.services.monitoring.advice import recommendation
from bestex.services.monitoring.alerts import (
    CONTROLS,
    DEFAULT_RULES,
    FIXED_NAMES,
    INVARIANT_NAMES,
    INVARIANTS,
    RaisedAlert,
    checked_rule,
    step,
)
from bestex.services.monitoring.live_metrics import alert_values
from bestex.services.monitoring.watched_order import WatchedOrder


class AlertDesk:
    """Evaluates every enabled rule for an order whenever something about it has changed."""

    def __init__(self, *, keep_firing_ns: int) -> None:
        self._keep_firing_ns = keep_firing_ns
        self._rules = {row.rule_name: row for row in DEFAULT_RULES}

    @property
    def rules(self) -> tuple[AlertRuleRow, ...]:
        return tuple(self._rules.values())

    def restore(self, rules: Sequence[AlertRuleRow]) -> None:
        self._rules = {row.rule_name: row for row in rules}

    def save(self, request: SaveAlertRule, *, now_ns: int) -> Effects:
        row = checked_rule(request, now_ns=now_ns)
        self._rules[row.rule_name] = row
        return Effects(records=[row], answer=row)

    def delete(self, request: DeleteAlertRule) -> Effects:
        row = self._rules.get(request.rule_name)
        if row is None:
            raise NotFound(f"no alert rule {request.rule_name!r}", field="rule_name", value=request.rule_name)
        # A disabled row stays in the table: alerts it raised still name it.
        disabled = msgspec.structs.replace(row, enabled=False)
        self._rules[row.rule_name] = disabled
        return Effects(records=[disabled], answer=disabled)

    def check_thresholds(self, thresholds: dict[str, float]) -> None:
        """Raises InvalidInput if a name is not a rule's."""
        unknown = sorted(thresholds.keys() - self._rules.keys())
        if unknown:
            raise InvalidInput(
                f"alert_thresholds names no rule: {', '.join(unknown)}",
                field="alert_thresholds",
                value=", ".join(unknown),
                expected="rule names: " + ", ".join(sorted(self._rules)),
            )

    def evaluate(self, watched: WatchedOrder, metrics: LiveMetrics, *, now_ns: int) -> Effects:
        """Alerts that start or end now. A finished order has only its invariants left to break."""
        effects = Effects()
        values = alert_values(watched, metrics, now_ns=now_ns)
        for row in (*INVARIANTS, *CONTROLS, *self._rules.values()):
            raised = watched.alerts.get(row.rule_name, RaisedAlert())
            is_watched = row.enabled and (not watched.is_final or row.rule_name in INVARIANT_NAMES)
            if not is_watched:
                if raised.is_open:
                    self._resolve(watched, row, raised, metrics, effects, now_ns)
                continue
            threshold = watched.thresholds.get(row.rule_name, row.threshold)
            is_invariant = row.rule_name in INVARIANT_NAMES
            # A halted order cannot be slow or dear: what it is waiting for is not worth a page.
            is_halted = watched.state is not ParentState.WORKING
            value = None if is_halted and row.rule_name not in FIXED_NAMES else values[row.metric]
            keep_ns = 0 if is_invariant else self._keep_firing_ns
            raised, happens = step(raised, row, value=value, threshold=threshold, now_ns=now_ns, keep_firing_ns=keep_ns)
            watched.alerts[row.rule_name] = raised
            if happens == "FIRE":
                assert value is not None
                self._fire(watched, row, raised, metrics, effects, now_ns=now_ns, value=value, threshold=threshold)
            elif happens == "RESOLVE":
                self._resolve(watched, row, raised, metrics, effects, now_ns)
        return effects

    def acknowledge(
        self, watched: WatchedOrder, request: AcknowledgeAlert, metrics: LiveMetrics, *, now_ns: int
    ) -> Effects:
        """A person has seen it. Acknowledging twice changes nothing.

        Raises:
            NotFound: if the order has no such alert.
            Conflict: if it has resolved already.
        """
        for rule_name, raised in watched.alerts.items():
            row = raised.row
            if row is None or row.alert_id != request.alert_id:
                continue
            if row.state == "RESOLVED":
                raise Conflict(
                    f"alert {request.alert_id} has resolved already", field="alert_id", value=request.alert_id
                )
            if row.state == "ACKNOWLEDGED":
                return Effects(answer=row)
            seen = msgspec.structs.replace(
                row, state="ACKNOWLEDGED", acknowledged_by=request.actor, updated_time_ns=now_ns
            )
            watched.alerts[rule_name] = replace(raised, row=seen)
            effects = Effects(answer=seen)
            _tell(watched, seen, metrics, effects, now_ns)
            return effects
        raise NotFound(
            f"order {watched.order_id} has no alert {request.alert_id}", field="alert_id", value=request.alert_id
        )

    def _fire(
        self,
        watched: WatchedOrder,
        rule: AlertRuleRow,
        raised: RaisedAlert,
        metrics: LiveMetrics,
        effects: Effects,
        *,
        now_ns: int,
        value: float,
        threshold: float,
    ) -> None:
        row = AlertRow(
            alert_id=time_ordered_uuid(now_ns, "alert", watched.order_id, rule.rule_name),
            order_id=watched.order_id,
            alert_type=rule.alert_type,
            severity=rule.severity,
            state="FIRING",
            recommendation=recommendation(watched, rule, metrics, value=value, threshold=threshold, now_ns=now_ns),
            value=value,
            threshold=threshold,
            raised_time_ns=now_ns,
            updated_time_ns=now_ns,
            acknowledged_by=None,
        )
        watched.alerts[rule.rule_name] = replace(raised, row=row)
        _tell(watched, row, metrics, effects, now_ns)

    def _resolve(
        self,
        watched: WatchedOrder,
        rule: AlertRuleRow,
        raised: RaisedAlert,
        metrics: LiveMetrics,
        effects: Effects,
        now_ns: int,
    ) -> None:
        assert raised.row is not None
        row = msgspec.structs.replace(raised.row, state="RESOLVED", updated_time_ns=now_ns)
        watched.alerts[rule.rule_name] = RaisedAlert(row=row)
        _tell(watched, row, metrics, effects, now_ns)


def _tell(watched: WatchedOrder, row: AlertRow, metrics: LiveMetrics, effects: Effects, now_ns: int) -> None:
    target = watched.target(now_ns)
    present = {name: getattr(metrics, name) for name in metrics.__struct_fields__}
    effects.records.append(row)
    effects.events.append(
        (
            watched.order_id,
            ExecutionAlertGenerated(
                order_id=watched.order_id,
                alert_id=row.alert_id,
                alert_type=row.alert_type,
                severity=row.severity,
                state=row.state,
                current_progress=float(watched.progress.filled / watched.progress.ordered),
                expected_progress=None if target is None else float(target / watched.progress.ordered),
                recommendation=row.recommendation,
                metrics={name: value for name, value in present.items() if value is not None},
                threshold=row.threshold,
                value=row.value,
            ),
        )
    )
