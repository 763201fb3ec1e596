"""The desk's clocks. The only place where the operating system is asked for the time."""

import time

from bestex.ports import Market


class WallClock:
    def now_ns(self) -> int:
        return time.time_ns()


class MarketClock:
    """Desk time: the time the market has reached."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def now_ns(self) -> int:
        return self._market.now_ns


class PacedClock:
    """How far the market should be by now: `speed` times the wall's time since the start."""

    def __init__(self, start_ns: int, speed: float = 1.0) -> None:
        self.speed = speed
        self._start_ns = start_ns
        self._started = time.monotonic_ns()

    def now_ns(self) -> int:
        return self._start_ns + int((time.monotonic_ns() - self._started) * self.speed)

    def slip_to(self, time_ns: int) -> None:
        """Go on from an earlier time: the desk could not keep up, and its time is what it has worked off."""
        self._start_ns = min(time_ns, self.now_ns())
        self._started = time.monotonic_ns()

    def move_to(self, time_ns: int) -> None:
        """Jump forward, over a night for example. Does nothing when the time has already come."""
        if time_ns > self.now_ns():
            self._start_ns = time_ns
            self._started = time.monotonic_ns()


def stopwatch_ns() -> int:
    """For durations only."""
    return time.perf_counter_ns()
