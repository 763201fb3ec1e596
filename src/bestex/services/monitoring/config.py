"""What the monitoring service may be told."""

from dataclasses import dataclass
from decimal import Decimal

from bestex.domain.errors import InvalidInput
from bestex.domain.time import NS_PER_MILLISECOND, NS_PER_SECOND


@dataclass(frozen=True, kw_only=True)
class MonitoringConfig:
    """Intervals are desk time."""

    update_interval_ns: int = NS_PER_SECOND
    horizons_after_ns: tuple[int, ...] = (NS_PER_SECOND, 5 * NS_PER_SECOND, 10 * NS_PER_SECOND)  # after the order ended
    markout_horizons_ns: tuple[int, ...] = (NS_PER_SECOND, 10 * NS_PER_SECOND, 60 * NS_PER_SECOND)  # after each fill
    markout_grid_ns: int = 250 * NS_PER_MILLISECOND  # markouts due within one step share a look at the market
    markout_lag_max_ns: int = NS_PER_SECOND  # a mid seen later than this after its horizon is not the horizon's
    grade_timeout_ns: int = 30 * NS_PER_SECOND  # after the measurement; then trade_executed goes out without a score
    keep_firing_ns: int = 2 * NS_PER_SECOND  # a firing alert resolves only after being false for so long
    participation_tolerance: float = 0.02  # over the order's cap before its execution counts as a breach
    commission_bps: Decimal = Decimal(0)  # of executed notional, beside the venues' fees
    broker: str = "paper"

    def __post_init__(self) -> None:
        errors = [
            InvalidInput(
                f"monitoring.{name} {value} is not positive", field=f"monitoring.{name}", value=value, expected="> 0"
            )
            for name, value in (
                ("update_interval_ns", self.update_interval_ns),
                ("markout_grid_ns", self.markout_grid_ns),
                ("grade_timeout_ns", self.grade_timeout_ns),
                *(("horizons_after_ns", horizon) for horizon in self.horizons_after_ns),
                *(("markout_horizons_ns", horizon) for horizon in self.markout_horizons_ns),
            )
            if value <= 0
        ]
        if not 0 <= self.participation_tolerance < 1:
            errors.append(
                InvalidInput(
                    f"monitoring.participation_tolerance {self.participation_tolerance} is not in [0, 1)",
                    field="monitoring.participation_tolerance",
                    value=self.participation_tolerance,
                    expected="0 or more, less than 1",
                )
            )
        if errors:
            raise InvalidInput("; ".join(error.message for error in errors), errors=errors)
