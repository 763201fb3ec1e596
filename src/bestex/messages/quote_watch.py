"""A best price that a service wants to be woken by: its change, or its coming to a level."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Quoted(StrEnum):
    BID = "BID"
    ASK = "ASK"
    MID = "MID"


@dataclass(frozen=True, kw_only=True)
class QuoteWatch:
    """A best price to be woken by: when it changes, or when it has reached a level.

    Nothing wakes while the quote is the one that was seen, so a level reached already waits for the next change.
    """

    of: tuple[Quoted, ...]  # any of them
    seen_bid: Decimal | None  # the quote that the asker knows; None where that side was empty
    seen_ask: Decimal | None
    level: Decimal | None = None  # None = any change
    from_below: bool = False  # reached at or above the level; else at or below

    def is_due(self, bid: Decimal | None, ask: Decimal | None) -> bool:
        if (bid, ask) == (self.seen_bid, self.seen_ask):
            return False
        return any(
            _price(of, bid, ask) != _price(of, self.seen_bid, self.seen_ask)
            if self.level is None
            else self._is_reached(_price(of, bid, ask), self.level)
            for of in self.of
        )

    def _is_reached(self, price: Decimal | None, level: Decimal) -> bool:
        return price is not None and (price >= level if self.from_below else price <= level)


def _price(of: Quoted, bid: Decimal | None, ask: Decimal | None) -> Decimal | None:
    if of is Quoted.MID:
        return None if bid is None or ask is None else (bid + ask) / 2
    return bid if of is Quoted.BID else ask
