"""Databento's order-by-order actions as L3 rows.

Source: Databento's description of the MBO schema. A adds, C takes a quantity off, M states the new price and size,
R clears the book; T (the aggressor's trade) and F (a resting order's fill) do not change the book: the C or M that
follows does. Here F becomes the FILL, and what follows is only what F has not already taken off. What T traded beyond
the fills met nothing displayed: HIDDEN. A modification that changes the price or raises the size loses its place:
CANCEL and ADD; one that lowers the size keeps it.
"""

from collections import Counter
from dataclasses import dataclass, field

from bestex.adapters.marketdata.level_book import BUY, SELL, LevelBook
from bestex.native.rows import ASK, BID, L3Kind

Row = tuple[int, int, int, int, int, int, tuple[int, ...]]  # one row of L3_ROWS
PAD = (0,) * 6


@dataclass
class _Order:
    half_ticks: int
    lots: int  # displayed now
    side: int
    filled: int = 0  # by F, and not yet taken off by a C or M


@dataclass
class DbnOrders:
    """The live orders of one instrument and the rows so far. Each call is one record; prices in half ticks."""

    rows: list[Row] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    orders: dict[int, _Order] = field(default_factory=dict)
    levels: LevelBook = field(default_factory=LevelBook)
    unexplained: Counter[tuple[int, int]] = field(default_factory=Counter)  # (price, aggressor): lots without a FILL

    def add(self, time_ns: int, order_id: int, half_ticks: int, lots: int, side: int) -> None:
        if order_id in self.orders:
            # A snapshot may repeat an order: what it says replaces what was known.
            self.facts["orders added again"] += 1
            self._cancel(time_ns, order_id, self.orders[order_id].lots)
        self.orders[order_id] = _Order(half_ticks, lots, side)
        self._level(side, half_ticks, lots)
        self.rows.append((time_ns, order_id, half_ticks, lots, L3Kind.ADD, side, PAD))

    def cancel(self, time_ns: int, order_id: int, lots: int) -> None:
        order = self.orders.get(order_id)
        if order is None:
            self.dropped["cancel of an unknown order"] += 1
            return
        explained = min(order.filled, lots)
        order.filled -= explained
        rest = lots - explained
        if rest > order.lots:
            self.facts["cancels of more than was left"] += 1
            rest = order.lots
        if rest:
            self._cancel(time_ns, order_id, rest)
        elif order.lots == 0 and order.filled == 0:
            del self.orders[order_id]

    def modify(self, time_ns: int, order_id: int, half_ticks: int, lots: int, side: int) -> None:
        order = self.orders.get(order_id)
        if order is None:
            self.facts["modifications of an unknown order, taken as adds"] += 1
            self.add(time_ns, order_id, half_ticks, lots, side)
            return
        order.filled = 0
        if half_ticks == order.half_ticks and side == order.side and lots <= order.lots:
            if lots < order.lots:
                self._cancel(time_ns, order_id, order.lots - lots)
            return
        self.facts["modifications that lost their place"] += 1
        if order.lots:
            self._cancel(time_ns, order_id, order.lots)
        self.orders.pop(order_id, None)
        self.add(time_ns, order_id, half_ticks, lots, side)

    def trade(self, half_ticks: int, lots: int, aggressor: int) -> None:
        self.unexplained[half_ticks, aggressor] += lots

    def end_event(self, time_ns: int) -> None:
        """What was traded without a displayed order's fill met a hidden or an implied one: HIDDEN rows."""
        for (half_ticks, aggressor), lots in self.unexplained.items():
            if lots > 0:
                side = ASK if aggressor == BID else BID
                self.rows.append((time_ns, 0, half_ticks, lots, L3Kind.HIDDEN, side, PAD))
        self.unexplained.clear()

    def fill(self, time_ns: int, order_id: int, half_ticks: int, lots: int) -> None:
        order = self.orders.get(order_id)
        if order is None or order.half_ticks != half_ticks:
            # The aggressor's own fill, or one of an order that never was displayed.
            self.dropped["fill of an order that was not displayed at that price"] += 1
            return
        taken = min(lots, order.lots)
        if taken < lots:
            self.facts["fills of more than was left"] += 1
        if not taken:
            return
        order.lots -= taken
        order.filled += taken
        self.unexplained[half_ticks, ASK if order.side == BID else BID] -= taken
        self._level(order.side, half_ticks, -taken)
        self.rows.append((time_ns, order_id, half_ticks, taken, L3Kind.FILL, order.side, PAD))

    def print_cross(self, time_ns: int, half_ticks: int, lots: int) -> None:
        self.rows.append((time_ns, 0, half_ticks, lots, L3Kind.CROSS, 0, PAD))

    def clear(self, time_ns: int) -> None:
        for order_id, order in list(self.orders.items()):
            if order.lots:
                self._cancel(time_ns, order_id, order.lots)
        self.orders.clear()

    def _cancel(self, time_ns: int, order_id: int, lots: int) -> None:
        order = self.orders[order_id]
        self.rows.append((time_ns, order_id, order.half_ticks, lots, L3Kind.CANCEL, order.side, PAD))
        self._level(order.side, order.half_ticks, -lots)
        order.lots -= lots
        if order.lots == 0 and order.filled == 0:
            del self.orders[order_id]

    def _level(self, side: int, half_ticks: int, lots: int) -> None:
        self.levels.change(BUY if side == BID else SELL, half_ticks, lots)

    def best(self) -> tuple[int | None, int | None]:
        """Best bid and ask in half ticks; None where a side is empty."""
        return self.levels.best(BUY), self.levels.best(SELL)
