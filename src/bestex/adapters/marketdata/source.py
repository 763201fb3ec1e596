"""What every market-data reader hands over: rows for a tape, and a report of what was done to get them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bestex.native.rows import L2Kind, L3Kind

CHUNK_ROWS: Final = 65_536


class Layout(StrEnum):
    """Which of the two row layouts of `bestex.native.rows` the rows have."""

    L3 = "L3"  # order by order
    L2 = "L2"  # price levels and trades


@dataclass(frozen=True, kw_only=True)
class Repair:
    """One row that the source does not hold, or holds otherwise, and why it was put in."""

    kind: str  # e.g. "late order"; counted under this name
    time_ns: int  # UTC
    side: str  # "bid", "ask" or "" where it has none
    price: Decimal
    quantity: Decimal
    reason: str


@dataclass(frozen=True, kw_only=True)
class SourceReport:
    """What was read, left out and put right on the way from a source to rows."""

    format: str
    files: tuple[str, ...]  # names, without folders
    rows_read: int  # data rows of all files
    rows_written: int
    first_time_ns: int | None  # UTC; None when nothing was written
    last_time_ns: int | None
    kinds: Mapping[str, int]  # rows written by kind: "ADD", "TRADE", ...
    dropped: Mapping[str, int] = field(default_factory=dict)  # reason: rows read that left no trace
    repairs: tuple[Repair, ...] = ()
    quotes: int = 0  # states of best bid and ask seen
    crossed_quotes: int = 0  # of these, bid above ask: to be left out of metrics
    locked_quotes: int = 0  # of these, bid equal to ask
    facts: Mapping[str, int] = field(default_factory=dict)  # further counts of this format, by name
    caveats: tuple[str, ...] = ()  # what results drawn from these rows must say

    @property
    def repaired(self) -> dict[str, int]:
        """Repairs by kind."""
        return dict(Counter(repair.kind for repair in self.repairs))

    def lines(self) -> Iterator[str]:
        """The report as a person reads it."""
        yield f"{self.format}: {', '.join(self.files)}"
        yield f"read {self.rows_read:,} rows, wrote {self.rows_written:,}: " + _counts(self.kinds)
        if self.dropped:
            yield "dropped: " + _counts(self.dropped)
        if self.repairs:
            yield "repaired: " + _counts(self.repaired)
        if self.facts:
            yield "counted: " + _counts(self.facts)
        yield f"quotes: {self.quotes:,}, crossed {self.crossed_quotes:,}, locked {self.locked_quotes:,}"
        for caveat in self.caveats:
            yield f"caveat: {caveat}"


@dataclass(frozen=True, kw_only=True)
class MarketData:
    """Rows of one instrument in time order, in the layout that `bestex.native.rows` describes (32 bytes each)."""

    layout: Layout
    rows: NDArray[Any]  # structured: L3_ROWS or L2_ROWS
    tick_size: Decimal
    lot_size: Decimal
    report: SourceReport

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[NDArray[Any]]:
        """Views of at most `rows` rows each, in order."""
        for start in range(0, len(self.rows), rows):
            yield self.rows[start : start + rows]


def kinds_of(rows: NDArray[Any], layout: Layout) -> dict[str, int]:
    """How many rows of each kind, by the kind's name."""
    names = L3Kind if layout is Layout.L3 else L2Kind
    values, counts = np.unique(rows["kind"], return_counts=True)
    return {names(int(value)).name: int(count) for value, count in zip(values, counts, strict=True)}


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
