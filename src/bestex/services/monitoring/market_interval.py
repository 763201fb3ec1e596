"""What the market did between the order's arrival and its end, from the counters of the snapshots seen."""

from dataclasses import dataclass
from decimal import Decimal

from bestex.domain.market import MarketSnapshot

ZERO = Decimal(0)


def usable_mid(snapshot: MarketSnapshot) -> Decimal | None:
    """Mid-quote; None where a side is empty or the quote is crossed. A locked quote has a mid."""
    spread = snapshot.spread
    return None if spread is None or spread < 0 else snapshot.mid


@dataclass(kw_only=True)
class MarketInterval:
    """Volume, notional and time-weighted mid since `arrival`, up to the latest snapshot."""

    arrival: MarketSnapshot
    latest: MarketSnapshot
    volume: Decimal = ZERO
    notional: Decimal = ZERO
    mid_time_integral: Decimal = ZERO
    mid_seconds: Decimal = ZERO

    @classmethod
    def starting(cls, arrival: MarketSnapshot) -> "MarketInterval":
        return cls(arrival=arrival, latest=arrival)

    def see(self, snapshot: MarketSnapshot) -> None:
        """Extend the interval to a later snapshot; an older one is ignored.

        The counters start again at each session's open: when they fall, the new session counts from zero.
        """
        before = self.latest
        if snapshot.time_ns < before.time_ns:
            return
        is_new_session = (
            snapshot.cumulative_volume < before.cumulative_volume or snapshot.mid_seconds < before.mid_seconds
        )
        self.volume += snapshot.cumulative_volume - (ZERO if is_new_session else before.cumulative_volume)
        self.notional += snapshot.cumulative_notional - (ZERO if is_new_session else before.cumulative_notional)
        self.mid_time_integral += snapshot.mid_time_integral - (ZERO if is_new_session else before.mid_time_integral)
        self.mid_seconds += snapshot.mid_seconds - (ZERO if is_new_session else before.mid_seconds)
        self.latest = snapshot
