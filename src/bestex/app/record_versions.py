"""Counts the commits that changed the rows of each kind, so that a copy made before one of them is known to be old."""

from collections import Counter
from collections.abc import Iterable

from bestex.messages.records import Record


class RecordVersions:
    """Of a process that hears of every commit. `start` is never used by another start of it."""

    def __init__(self, start: str) -> None:
        self._start = start
        self._changes: Counter[type[Record]] = Counter()

    def saved(self, rows: Iterable[Record]) -> None:
        for row in rows:
            self._changes[type(row)] += 1

    def of(self, record: type[Record]) -> str:
        return f"{self._start}.{self._changes[record]}"
