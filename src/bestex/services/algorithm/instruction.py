"""How one parent order is to be worked: the one form in which requests, orders and selections reach the algorithms.

`instruction_sources` makes one from a request, an order or a selection.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from bestex.domain.orders import Algorithm, ExecutionStyle, Side, Urgency
from bestex.services.algorithm.risk_controls import SelectedControls

# Almgren-Chriss urgency kappa x T: 0 is a TWAP, 1 mild, 3 front-loaded, 8 nearly at once.
KAPPA_T = {Urgency.LOW: 1.0, Urgency.NORMAL: 3.0, Urgency.HIGH: 5.0, Urgency.URGENT: 8.0}
KAPPA_T_MAX = 50.0
STYLES = {
    Urgency.LOW: ExecutionStyle.PASSIVE,
    Urgency.NORMAL: ExecutionStyle.BALANCED,
    Urgency.HIGH: ExecutionStyle.BALANCED,
    Urgency.URGENT: ExecutionStyle.AGGRESSIVE,
}


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """Everything an algorithm needs to know. Times are inside one session; rates 0..1, ours over all volume."""

    algorithm: Algorithm
    style: ExecutionStyle
    start_ns: int
    end_ns: int
    participation_rate: float  # the target of PARTICIPATION_RATE, the cap of the others
    kappa_t: float  # IMPLEMENTATION_SHORTFALL only
    slices: int
    last_end_ns: int | None = None  # when the order expires; None = with this window
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    child_quantity_max: Decimal | None = None
    child_quantity_min: Decimal | None = None
    dark_ratio: float = 0.0  # share of what is posted that rests at the mid on a dark venue
    venue_weights: Mapping[str, float] = field(default_factory=dict)  # for what is posted; empty = by displayed size
    venue_preferences: tuple[str, ...] = ()
    venue_exclusions: tuple[str, ...] = ()
    controls: SelectedControls | None = None  # of the selection; None for an order that names its algorithm
    no_trade_zones: tuple[tuple[int, int], ...] = ()  # [start_ns, end_ns), sorted, not overlapping
    follows_price: bool = False  # between slices too: passive orders move with the touch, a limit is watched
    notes: tuple[str, ...] = ()  # what the desk changed of what was asked, in words

    @property
    def deadline_ns(self) -> int:
        """When the order expires: the end of this window, or later where others may follow it."""
        return max(self.end_ns, self.last_end_ns or self.end_ns)

    def limit(self, side: Side) -> Decimal | None:
        """The worst price: a buy's ceiling, a sell's floor."""
        return self.price_max if side is Side.BUY else self.price_min

    def from_now(self, now_ns: int, end_ns: int | None = None) -> "Instruction":
        """What is left of it from `now_ns`, as fast as before: kappa stays, so kappa x T shrinks with the window."""
        start, end = max(now_ns, self.start_ns), end_ns or self.end_ns
        part = (end - start) / (self.end_ns - self.start_ns)
        return replace(
            self,
            start_ns=start,
            end_ns=end,
            kappa_t=min(KAPPA_T_MAX, self.kappa_t * part),
            slices=max(1, math.ceil(self.slices * part - 1e-9)),
            no_trade_zones=tuple((max(low, start), high) for low, high in self.no_trade_zones if high > start),
        )

    def parameters(self) -> dict[str, object]:
        """As execution_planned shows them."""
        shown: dict[str, object] = {
            "participation_rate": self.participation_rate,
            "slices": self.slices,
            "dark_pool_ratio": self.dark_ratio,
        }
        if self.algorithm is Algorithm.IMPLEMENTATION_SHORTFALL:
            shown["kappa_T"] = self.kappa_t
        if self.follows_price:
            shown["follows_price"] = True
        if self.notes:
            shown["notes"] = list(self.notes)
        return shown
