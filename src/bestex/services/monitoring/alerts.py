"""Alerts: rules as rows, and the life of an alert from pending to firing to resolved.

A rule holds while its metric is above (or below) its threshold. It fires after holding for `for_seconds` without a
break, and resolves after being false for a while (so that it does not flap). A value that cannot be computed breaks a
pending alert and leaves a firing one as it is: not knowing is no sign of recovery. Source: spec/metrics.md section 3.
"""

from dataclasses import dataclass, replace

from bestex.domain.errors import InvalidInput
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.monitoring import LiveMetrics, SaveAlertRule
from bestex.messages.records import AlertRow, AlertRuleRow

ALERT_TYPES = (
    "SLOW_EXECUTION",
    "HIGH_COST",
    "MARKET_IMPACT",
    "VENUE_ISSUE",
    "ALGORITHM_UNDERPERFORMANCE",
    "ANOMALY",
    "LIMIT_BREACH",
    "DATA_QUALITY",
)
SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
DERIVED_METRICS = {
    "cost_z": "arrival slippage less expected cost, in standard deviations of the pre-trade cost",
    "schedule_lag": "how long ago the plan wanted what is filled or live, in its windows; none in its first slice",
    "slices_behind": "schedule less filled, in the plan's largest slice",
    "participation_over_cap": "participation rate less the order's cap",
    "child_reject_rate": "rejected child orders over answered ones",
    "quote_missing": "1 while the book is one-sided or crossed, else 0",
    "unfilled_near_end": "unfilled fraction in the last tenth of the time between the first plan and the deadline",
    "slippage_over_control": "slippage beyond the selection's max_slippage_bps that paused the order, in bps",
    "value_over_control": "value beyond the selection's max_order_value that paused the order, in its currency",
    "conservation_excess": "filled + live beyond what the order allows, in units",
    "unreconciled_fills": "fills of child orders whose intent was never seen",
    "ledger_difference": "fills counted here less fills the algorithm service says it has, in units",
    "late_fills": "fills reported after their child order or the parent had ended",
}
METRICS = frozenset(LiveMetrics.__struct_fields__) | frozenset(DERIVED_METRICS)


def rule(
    rule_name: str, alert_type: str, metric: str, comparison: str, threshold: float, for_seconds: float, severity: str
) -> AlertRuleRow:
    return AlertRuleRow(
        rule_name=rule_name,
        alert_type=alert_type,
        metric=metric,
        comparison=comparison,
        threshold=threshold,
        for_seconds=for_seconds,
        severity=severity,
        enabled=True,
        created_at_ns=0,
    )


DEFAULT_RULES = (
    rule("behind schedule", "SLOW_EXECUTION", "schedule_lag", "above", 0.25, 10.0, "MEDIUM"),
    rule("cost above expectation", "HIGH_COST", "cost_z", "above", 2.4, 5.0, "HIGH"),
    rule("participation above cap", "LIMIT_BREACH", "participation_over_cap", "above", 0.02, 5.0, "HIGH"),
    rule("venues reject", "VENUE_ISSUE", "child_reject_rate", "above", 0.20, 0.0, "MEDIUM"),
    rule("no quote", "DATA_QUALITY", "quote_missing", "above", 0.5, 30.0, "MEDIUM"),
    rule("unfilled near the end", "SLOW_EXECUTION", "unfilled_near_end", "above", 0.25, 0.0, "HIGH"),
)
# What must never happen is not for a user to switch off.
INVARIANTS = (
    rule("conservation", "LIMIT_BREACH", "conservation_excess", "above", 0.0, 0.0, "CRITICAL"),
    rule("unreconciled fill", "LIMIT_BREACH", "unreconciled_fills", "above", 0.0, 0.0, "CRITICAL"),
    # Both services hear the same reports, but not in the same instant.
    rule("ledgers differ", "LIMIT_BREACH", "ledger_difference", "above", 0.0, 5.0, "CRITICAL"),
    rule("late fill", "DATA_QUALITY", "late_fills", "above", 0.0, 0.0, "MEDIUM"),
)
INVARIANT_NAMES = frozenset(row.rule_name for row in INVARIANTS)
# Nor is what a recommendation promised. The order is paused at it: a person decides whether it goes on.
CONTROLS = (
    rule("slippage control", "HIGH_COST", "slippage_over_control", "above", 0.0, 0.0, "HIGH"),
    rule("value control", "LIMIT_BREACH", "value_over_control", "above", 0.0, 0.0, "HIGH"),
)
CONTROL_NAMES = frozenset(row.rule_name for row in CONTROLS)
FIXED_NAMES = INVARIANT_NAMES | CONTROL_NAMES


@dataclass(frozen=True, kw_only=True)
class RaisedAlert:
    """Where one rule stands for one order. `row` is the alert once it has fired."""

    pending_since_ns: int | None = None
    false_since_ns: int | None = None
    row: AlertRow | None = None
    is_told: bool = True  # False: it fired into a silence, and nobody has heard of it

    @property
    def is_open(self) -> bool:
        return self.row is not None and self.row.state != "RESOLVED"


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Until when nobody is told what one rule finds of one order, who wanted it so, and why."""

    until_ns: int
    actor: str
    reason: str


def checked_rule(request: SaveAlertRule, *, now_ns: int) -> AlertRuleRow:
    """The row of a rule that a user saved.

    Raises:
        InvalidInput: with one entry per field that is not right.
    """
    errors: list[InvalidInput] = []

    def require(holds: bool, field: str, expected: str) -> None:
        if not holds:
            value = getattr(request, field)
            errors.append(
                InvalidInput(f"{field} {value!r} is not {expected}", field=field, value=value, expected=expected)
            )

    require(bool(request.rule_name.strip()), "rule_name", "a name")
    require(request.rule_name not in FIXED_NAMES, "rule_name", "the name of a rule that may be changed")
    require(request.alert_type in ALERT_TYPES, "alert_type", "one of " + ", ".join(ALERT_TYPES))
    require(request.metric in METRICS, "metric", "one of " + ", ".join(sorted(METRICS)))
    require(request.comparison in ("above", "below"), "comparison", "above or below")
    require(request.severity in SEVERITIES, "severity", "one of " + ", ".join(SEVERITIES))
    require(abs(request.threshold) < float("inf"), "threshold", "a finite number")
    require(0 <= request.for_seconds < float("inf"), "for_seconds", "0 or more seconds")
    if errors:
        raise InvalidInput("; ".join(error.message for error in errors), errors=errors)
    return AlertRuleRow(
        rule_name=request.rule_name,
        alert_type=request.alert_type,
        metric=request.metric,
        comparison=request.comparison,
        threshold=request.threshold,
        for_seconds=request.for_seconds,
        severity=request.severity,
        enabled=request.enabled,
        created_at_ns=now_ns,
    )


def step(
    raised: RaisedAlert, row: AlertRuleRow, *, value: float | None, threshold: float, now_ns: int, keep_firing_ns: int
) -> tuple[RaisedAlert, str | None]:
    """Evaluate a rule once.

    Returns:
        (where it stands now, "FIRE", "RESOLVE" or None). After "FIRE" the caller makes the row.
    """
    if value is None:
        return replace(raised, pending_since_ns=None, false_since_ns=None), None
    holds = value > threshold if row.comparison == "above" else value < threshold
    if raised.is_open:
        if holds:
            return replace(raised, false_since_ns=None), None
        since = now_ns if raised.false_since_ns is None else raised.false_since_ns
        if now_ns - since >= keep_firing_ns:
            return replace(raised, false_since_ns=None), "RESOLVE"
        return replace(raised, false_since_ns=since), None
    if not holds:
        return replace(raised, pending_since_ns=None), None
    since = now_ns if raised.pending_since_ns is None else raised.pending_since_ns
    if now_ns - since >= row.for_seconds * NS_PER_SECOND:
        return replace(raised, pending_since_ns=None), "FIRE"
    return replace(raised, pending_since_ns=since), None
