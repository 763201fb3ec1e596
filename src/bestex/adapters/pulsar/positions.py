"""Where a record stands in a partition: as text `ledger:entry`, or `ledger:entry:index` in a batch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bestex.adapters.memory.bus import no_longer_kept, not_of_this_bus

_TEXT = re.compile(r"(\d{1,19}):(\d{1,19}|-1)(?::(\d{1,9}))?")


@dataclass(frozen=True, order=True)
class Position:
    ledger: int
    entry: int  # -1: before the ledger's first
    index: int = -1  # in a batch; -1 where the entry is one record, as it is when we publish

    @classmethod
    def read(cls, text: str) -> "Position":
        """Raises NotFound if it was never a position."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise not_of_this_bus(text)
        ledger, entry, index = found.groups()
        return cls(int(ledger), int(entry), -1 if index is None else int(index))

    def __str__(self) -> str:
        return f"{self.ledger}:{self.entry}" + (f":{self.index}" if self.index >= 0 else "")

    def is_next(self, other: "Position") -> bool:
        """Whether the other follows without a gap in the same ledger."""
        return other.ledger == self.ledger and other.entry - self.entry in ((0, 1) if other.index > 0 else (1,))


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a partition still has. Whole ledgers are removed, from the first."""

    ledgers: Sequence[tuple[int, int]]  # (ledger, entries), in order
    last: Position  # newest record ever; entry -1 if the broker no longer knows of one

    def is_end(self, position: Position) -> bool:
        """Whether nothing was written after the position.

        A position at the very end of removed ledgers is refused, unless it is the newest ever: the broker cannot say
        whether there was more.

        Raises:
            NotFound: unless everything after the position is here.
        """
        if position == self.last:
            return True
        entries = dict(self.ledgers).get(position.ledger)
        if entries is not None and position.entry < entries:
            return position == self.end()
        if entries is None and self.ledgers and position.ledger < self.ledgers[0][0]:
            raise no_longer_kept(str(position))
        raise not_of_this_bus(str(position))

    def follows(self, before: Position, after: Position) -> bool:
        """Whether there is no record between the two, which are in different ledgers."""
        entries = dict(self.ledgers)
        between = [ledger for ledger, count in self.ledgers if before.ledger < ledger < after.ledger and count]
        return entries.get(before.ledger) == before.entry + 1 and not between and after.entry == 0

    def end(self) -> Position | None:
        """The newest record that is kept."""
        return next((Position(ledger, count - 1) for ledger, count in reversed(self.ledgers) if count), None)

    def at_or_before(self, position: Position) -> Position | None:
        """The position itself, or the record before it where it stands before a ledger's first."""
        if position.entry >= 0:
            return position
        earlier = [(ledger, count) for ledger, count in self.ledgers if ledger < position.ledger and count]
        return Position(earlier[-1][0], earlier[-1][1] - 1) if earlier else None

    def number(self, sequence: int) -> Position | None:
        """The n-th record that is kept, from 0; None past the newest."""
        for ledger, count in self.ledgers:
            if sequence < count:
                return Position(ledger, sequence)
            sequence -= count
        return None
