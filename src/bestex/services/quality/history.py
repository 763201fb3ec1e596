"""Like executions seen before: where a score ranks among them, and where scores are going."""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from math import sqrt
from statistics import fmean, variance

TREND_Z = 1.2816  # a change is called one when luck alone would show it in one of ten cases


class History:
    """Scores of one metric among like executions, the latest `kept` of them."""

    def __init__(self, *, kept: int) -> None:
        self._kept = kept
        self._latest: deque[float] = deque()
        self._sorted: list[float] = []

    def add(self, score: float) -> None:
        self._latest.append(score)
        insort(self._sorted, score)
        if len(self._latest) > self._kept:
            self._sorted.pop(bisect_left(self._sorted, self._latest.popleft()))

    def percentile_rank(self, score: float, *, sample_min: int) -> float | None:
        """Share of earlier executions that were worse, equals counted half; None below the minimum sample."""
        count = len(self._sorted)
        if count < sample_min:
            return None
        return (bisect_left(self._sorted, score) + bisect_right(self._sorted, score)) / (2 * count)

    def trend(self, *, recent: int, sample_min: int) -> str:
        """IMPROVING, STABLE or WORSENING of the latest against those before; INSUFFICIENT_DATA below the minimum."""
        if len(self._latest) < sample_min:
            return "INSUFFICIENT_DATA"
        scores = list(self._latest)
        before, now = scores[:-recent], scores[-recent:]
        error = sqrt(variance(before) / len(before) + variance(now) / len(now))
        change = fmean(now) - fmean(before)
        if abs(change) <= TREND_Z * error:
            return "STABLE"
        return "IMPROVING" if change > 0 else "WORSENING"
