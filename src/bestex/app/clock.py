"""The desk's clocks. The only place where the operating system is asked for the time."""

import time


class WallClock:
    def now_ns(self) -> int:
        return time.time_ns()


class PacedClock:
    """Desk time that runs `speed` times as fast as the wall, from a given start, and can be moved forward."""

    def __init__(self, start_ns: int, speed: float = 1.0) -> None:
        self.speed = speed
        self._start_ns = start_ns
        self._started = time.monotonic_ns()

    def now_ns(self) -> int:
        return self._start_ns + int((time.monotonic_ns() - self._started) * self.speed)

    def move_to(self, time_ns: int) -> None:
        """Jump forward, over a night for example. Does nothing when the time has already come."""
        if time_ns > self.now_ns():
            self._start_ns = time_ns
            self._started = time.monotonic_ns()


def stopwatch_ns() -> int:
    """For durations only."""
    return time.perf_counter_ns()
