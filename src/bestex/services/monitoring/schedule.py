"""How much of the order its plan wanted filled by a time."""

from dataclasses import dataclass
from decimal import Decimal

from bestex.messages.execution import ExecutionPlanned, ExecutionSlice

QUANTITY_STEP = Decimal("0.000001")  # targets within a slice are rounded to it


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The latest plan's cumulative target, straight within a slice. A revision plans what remained when it was made."""

    start_ns: int
    end_ns: int
    slices: tuple[ExecutionSlice, ...]
    filled_before: Decimal

    @classmethod
    def of(cls, plan: ExecutionPlanned, *, filled_before: Decimal) -> "Schedule":
        return cls(
            start_ns=plan.start_time_ns,
            end_ns=plan.end_time_ns,
            slices=plan.execution_schedule,
            filled_before=filled_before,
        )

    def target(self, time_ns: int) -> Decimal | None:
        """Cumulative quantity that should be filled by `time_ns`; None when the plan has no slices."""
        if not self.slices:
            return None
        target = self.filled_before
        for piece in self.slices:
            if time_ns >= piece.end_time_ns:
                target += piece.target_quantity
            elif time_ns > piece.start_time_ns:
                elapsed = Decimal(time_ns - piece.start_time_ns) / (piece.end_time_ns - piece.start_time_ns)
                target += piece.target_quantity * elapsed
        return target.quantize(QUANTITY_STEP)

    def slices_behind(self, time_ns: int, filled: Decimal) -> float | None:
        """How many of its largest slices the order is behind; negative = ahead. One may be worked to its end."""
        target = self.target(time_ns)
        largest = max((piece.target_quantity for piece in self.slices), default=Decimal(0))
        return None if target is None or not largest else float((target - filled) / largest)

    def lag(self, time_ns: int, filled: Decimal) -> float | None:
        """How long ago the plan wanted what is filled, as a fraction of its window, 0..1; 0 while it is on time.

        None in the first slice, which may be worked to its end, and for a plan without slices.
        """
        if not self.slices or time_ns < self.slices[0].end_time_ns or self.end_ns <= self.start_ns:
            return None
        wanted_ns, target = self.start_ns, self.filled_before
        for piece in self.slices:
            if target + piece.target_quantity > filled:
                share = max(Decimal(0), filled - target) / piece.target_quantity
                wanted_ns = piece.start_time_ns + int(share * (piece.end_time_ns - piece.start_time_ns))
                break
            target += piece.target_quantity
        else:
            return 0.0
        return max(0, min(time_ns, self.end_ns) - wanted_ns) / (self.end_ns - self.start_ns)

    def elapsed(self, time_ns: int) -> float | None:
        """Fraction of the planned window that has passed, 0..1; None for a window without length."""
        if self.end_ns <= self.start_ns:
            return None
        return min(max((time_ns - self.start_ns) / (self.end_ns - self.start_ns), 0.0), 1.0)
