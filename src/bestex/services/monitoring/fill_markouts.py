"""Where the mid went after each fill, observed once per horizon while the order is watched.

A horizon's mid is the first one seen at or after it. The service asks to be woken when markouts are due, at most once
per grid step, and looks at every snapshot that passes anyway; a first look later than the allowed lag gives None,
never a stand-in.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from heapq import heappop, heappush

from bestex.domain.market import MarketSnapshot
from bestex.domain.time import NS_PER_SECOND
from bestex.services.monitoring.market_interval import usable_mid

BPS = Decimal(10_000)


def horizon_name(horizon_ns: int) -> str:
    """Horizon in seconds, as text: "1", "10", "0.5"."""
    return f"{horizon_ns / NS_PER_SECOND:g}"


@dataclass(kw_only=True)
class FillMarkouts:
    """Pending and observed mid markouts of one order's fills, by the fill's number from 0."""

    side_sign: int
    horizons_ns: tuple[int, ...]
    grid_ns: int
    lag_max_ns: int
    observed: dict[int, dict[str, float | None]] = field(default_factory=dict)
    _pending: list[tuple[int, int, int]] = field(default_factory=list)  # heap of (due_ns, fill, horizon)
    _mids: dict[int, Decimal] = field(default_factory=dict)

    def add(self, fill: int, *, time_ns: int, mid: Decimal | None) -> None:
        """Watch a fill at `mid`; without a mid none of its markouts can be computed."""
        self.observed[fill] = {horizon_name(horizon): None for horizon in self.horizons_ns}
        if mid is None or mid <= 0:
            return
        self._mids[fill] = mid
        for horizon in self.horizons_ns:
            heappush(self._pending, (time_ns + horizon, fill, horizon))

    def see(self, snapshot: MarketSnapshot) -> None:
        """Settle what is due by the snapshot's time."""
        while self._pending and self._pending[0][0] <= snapshot.time_ns:
            due_ns, fill, horizon = heappop(self._pending)
            after = usable_mid(snapshot)
            if after is not None and snapshot.time_ns - due_ns <= self.lag_max_ns:
                mid = self._mids[fill]
                move = self.side_sign * (after - mid) / mid * BPS
                self.observed[fill][horizon_name(horizon)] = float(move)

    def next_look_ns(self) -> int | None:
        """When to look again: the earliest pending horizon, rounded up to the grid; None when nothing is pending."""
        return -(-self._pending[0][0] // self.grid_ns) * self.grid_ns if self._pending else None
