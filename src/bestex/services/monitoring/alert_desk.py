"""The rules in force, what they find of an order, and what a person says to an alert."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from bestex.domain.errors import Conflict, InvalidInput, NotFound
from bestex.domain.ids import time_ordered_uuid
from bestex.domain.orders import ParentState
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.effects import Effects
from bestex.messages.monitoring import (
    AcknowledgeAlert,
    DeleteAlertRule,
    ExecutionAlertGenerated,
    LiveMetrics,
    SaveAlertRule,
    SilenceAlert,
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
    Silence,
    checked_rule,
    step,
)
from bestex.services.monitoring.live_metrics import alert_values
from bestex.services.monitoring.watched_order import WatchedOrder

SILENCE_SECONDS_MAX = 24 * 60 * 60  # of desk time


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
            elif raised.is_open and _silence(watched, row.rule_name, now_ns) is None:
                self._speak_again(watched, row.rule_name, raised, metrics, effects, now_ns)
        return effects

    def acknowledge(
        self, watched: WatchedOrder, request: AcknowledgeAlert, metrics: LiveMetrics, *, now_ns: int
    ) -> Effects:
        """A person has seen it. Acknowledging twice changes nothing.

        Raises:
            NotFound: if the order has no such alert.
            Conflict: if it has resolved already.
        """
        rule_name, raised, row = _latest(watched, request.alert_id)
        if row.state == "RESOLVED":
            raise Conflict(f"alert {request.alert_id} has resolved already", field="alert_id", value=request.alert_id)
        if row.state == "ACKNOWLEDGED":
            return Effects(answer=row)
        seen = msgspec.structs.replace(row, state="ACKNOWLEDGED", acknowledged_by=request.actor, updated_time_ns=now_ns)
        watched.alerts[rule_name] = replace(raised, row=seen, is_told=True)
        effects = Effects(answer=seen)
        _tell(watched, seen, metrics, effects, now_ns)
        return effects

    def silence(self, watched: WatchedOrder, request: SilenceAlert, metrics: LiveMetrics, *, now_ns: int) -> Effects:
        """Nobody is told of this rule on this order until the time is over; then of what still fires.

        The alert is kept and shown all the while. 0 seconds end a silence.

        Raises:
            NotFound: if the order has no such alert.
            Conflict: if the order is over, or the alert is a broken invariant.
            InvalidInput: if the time is not 0 to a day.
        """
        rule_name, raised, row = _latest(watched, request.alert_id)
        if not 0 <= request.duration_seconds <= SILENCE_SECONDS_MAX:
            raise InvalidInput(
                f"duration_seconds {request.duration_seconds} is not 0 to {SILENCE_SECONDS_MAX}",
                field="duration_seconds",
                value=request.duration_seconds,
                expected=f"0 to {SILENCE_SECONDS_MAX}; 0 ends a silence",
            )
        if rule_name in INVARIANT_NAMES:
            raise Conflict(
                f"alert {request.alert_id} is of the invariant {rule_name!r}: acknowledge it, it cannot be silenced",
                field="alert_id",
                value=request.alert_id,
                expected="an alert of a rule that may be switched off",
            )
        if watched.is_final:
            raise Conflict(f"order {watched.order_id} is over: it raises nothing more", field="order_id")
        until_ns = now_ns + request.duration_seconds * NS_PER_SECOND
        watched.silences[rule_name] = Silence(until_ns=until_ns, actor=request.actor, reason=request.reason)
        if request.duration_seconds == 0:
            effects = Effects()
            self._speak_again(watched, rule_name, raised, metrics, effects, now_ns)
            effects.answer = _latest(watched, request.alert_id)[2]
            return effects
        quiet = msgspec.structs.replace(
            row,
            silenced_until_ns=until_ns,
            silenced_by=request.actor,
            silence_reason=request.reason,
            updated_time_ns=now_ns,
        )
        watched.alerts[rule_name] = replace(raised, row=quiet)
        effects = Effects(answer=quiet)
        _tell(watched, quiet, metrics, effects, now_ns)
        return effects

    def _speak_again(
        self,
        watched: WatchedOrder,
        rule_name: str,
        raised: RaisedAlert,
        metrics: LiveMetrics,
        effects: Effects,
        now_ns: int,
    ) -> None:
        """Its silence is over; nothing to do where there was none."""
        assert raised.row is not None
        if raised.row.silenced_until_ns is None:
            return
        row = msgspec.structs.replace(
            raised.row, silenced_until_ns=None, silenced_by=None, silence_reason=None, updated_time_ns=now_ns
        )
        watched.alerts[rule_name] = replace(raised, row=row, is_told=True)
        _tell(watched, row, metrics, effects, now_ns)

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
        silence = _silence(watched, rule.rule_name, now_ns)
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
            silenced_until_ns=None if silence is None else silence.until_ns,
            silenced_by=None if silence is None else silence.actor,
            silence_reason=None if silence is None else silence.reason,
        )
        watched.alerts[rule.rule_name] = replace(raised, row=row, is_told=silence is None)
        if silence is None:
            _tell(watched, row, metrics, effects, now_ns)
        else:
            effects.records.append(row)

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
        if raised.is_told:
            _tell(watched, row, metrics, effects, now_ns)
        else:
            effects.records.append(row)


def _silence(watched: WatchedOrder, rule_name: str, now_ns: int) -> Silence | None:
    """The one in force; None where somebody is to be told."""
    found = watched.silences.get(rule_name)
    return None if found is None or now_ns >= found.until_ns else found


def _latest(watched: WatchedOrder, alert_id: str) -> tuple[str, RaisedAlert, AlertRow]:
    """The rule's name, where it stands, and the alert. Raises NotFound unless it is the latest of its rule."""
    for rule_name, raised in watched.alerts.items():
        if raised.row is not None and raised.row.alert_id == alert_id:
            return rule_name, raised, raised.row
    raise NotFound(f"order {watched.order_id} has no alert {alert_id} any more", field="alert_id", value=alert_id)


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
                silenced_until_ns=row.silenced_until_ns,
            ),
        )
    )
