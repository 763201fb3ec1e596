"""What the quality service may be told."""

from dataclasses import dataclass

from bestex.domain.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class QualityConfig:
    """Below the minimum samples nothing is ranked or graded, and the note says so."""

    interval_coverage: float = 0.80  # of a single order's score
    group_coverage: float = 0.95  # of a venue's or an algorithm's score
    like_executions_min: int = 20  # for percentile ranks and trends
    like_executions_kept: int = 2_000  # the latest of each algorithm
    recent_executions: int = 10  # what a trend compares with those before
    group_orders_min: int = 50
    group_effective_orders_min: float = 30.0
    grade_probability_min: float = 0.95  # P(grade) below which a group is not graded

    def __post_init__(self) -> None:
        errors = [
            InvalidInput(
                f"quality.{name} {value} is not in (0, 1)",
                field=f"quality.{name}",
                value=value,
                expected="more than 0, less than 1",
            )
            for name, value in (
                ("interval_coverage", self.interval_coverage),
                ("group_coverage", self.group_coverage),
                ("grade_probability_min", self.grade_probability_min),
            )
            if not 0 < value < 1
        ]
        if not 2 <= self.recent_executions < self.like_executions_min <= self.like_executions_kept:
            errors.append(
                InvalidInput(
                    "quality.recent_executions, like_executions_min and like_executions_kept must rise from 2",
                    field="quality.like_executions_min",
                    value=self.like_executions_min,
                    expected="more than recent_executions, at most like_executions_kept",
                )
            )
        if errors:
            raise InvalidInput("; ".join(error.message for error in errors), errors=errors)
