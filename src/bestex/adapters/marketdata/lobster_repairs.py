"""What a LOBSTER message file leaves out, inferred: orders from before its first message, orders entered beyond the
published levels, and orders that ended there (ghosts).
"""

from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bestex.adapters.marketdata.level_book import BUY, SELL, LevelBook
from bestex.adapters.marketdata.lobster_files import ADD, EXECUTION, BookRows, Messages
from bestex.adapters.marketdata.lobster_orders import (
    AT_OPENING,
    Inserted,
    Order,
    free_ids,
    levels_of,
    next_adds,
    unadded_orders,
)
from bestex.domain.errors import InvalidData

GHOSTS_AT_ONCE: Final = 4  # fewer of one level are told apart by their sizes

Top = tuple[int | None, int, int | None, int]  # ask, its quantity, bid, its quantity; half ticks and lots


@dataclass(kw_only=True)
class Repaired:
    """What one pass over the messages found."""

    inserted: list[Inserted] = field(default_factory=list)
    sizes: NDArray[np.int64]  # lots of each message, cut where an order had less left; 0 drops the row
    cut: list[int] = field(default_factory=list)  # messages cut
    states: int = 0  # distinct states of best bid and ask
    states_equal: int = 0  # of these, equal to the published level-1 file, counted up to the first difference
    crossed: int = 0
    locked: int = 0
    away_from_best: int = 0  # executions at a price worse than the best, not explained by a ghost


class LobsterPass:
    """One pass over the messages that keeps the displayed book and notes what has to be put in.

    Args:
        opening: the book after message 1; None starts from an empty book.
        level1: published distinct level-1 states, to find ghosts by; None where there is no such file.
        levels: how many levels the message file covers; None where its name does not say.
    """

    def __init__(
        self, messages: Messages, *, opening: BookRows | None, level1: list[Top] | None, levels: int | None
    ) -> None:
        self._messages = messages
        self._level1 = level1
        self._levels = levels
        self._book = LevelBook()
        self._orders: dict[int, Order] = {}
        self._late: list[Inserted] = []
        self._outside: dict[int, list[int]] = {BUY: [], SELL: []}  # price at rank `levels` after each message, 0 none
        self.result = Repaired(sizes=messages.sizes.copy())
        self._last_named = dict(zip(messages.order_ids.tolist(), range(len(messages.types)), strict=True))
        self._open(opening)

    def run(self) -> Repaired:
        """Every message in file order."""
        messages, result = self._messages, self.result
        columns = (messages.types, messages.order_ids, messages.sizes, messages.half_ticks, messages.directions)
        newest = 0
        following_adds = next_adds(messages)
        late = iter(self._late)
        due = next(late, None)
        top: Top | None = None
        matching = self._level1 is not None
        for row, (kind, order_id, size, half_ticks, direction) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        ):
            if kind == ADD:
                newest = max(newest, order_id)
                while due is not None and due.order.order_id < newest:
                    self._insert(replace(due, after=row - 1))
                    due = next(late, None)
                self._drop_ghosts_through(row, direction, half_ticks)
                self._enter(
                    Order(order_id=order_id, direction=direction, half_ticks=half_ticks, remaining=size, last_row=row)
                )
            elif kind <= EXECUTION:
                if kind == EXECUTION:
                    self._check_execution(row, direction, half_ticks)
                self._take(row, order_id, size)
            # Entered before the next published add; at the latest then, and as soon as it would have been out of sight.
            while due is not None and due.order.order_id < following_adds[row] and self._is_hidden(due.order):
                self._insert(replace(due, after=row))
                due = next(late, None)
            now = self._book.top()
            if now != top:
                if matching:
                    matching, now = self._match(row, top, now)
                if now != top:
                    top = now
                    result.states += 1
                    result.states_equal += matching
                    if now[0] is not None and now[2] is not None:
                        result.crossed += now[2] > now[0]
                        result.locked += now[2] == now[0]
            if self._levels is not None:
                for side in (BUY, SELL):
                    self._outside[side].append(self._book.at_rank(side, self._levels) or 0)
        return result

    def _open(self, opening: BookRows | None) -> None:
        """The book before message 1: published levels less message 1, older orders out of their level's lump."""
        messages = self._messages
        lumps = {} if opening is None else dict(levels_of(opening))
        kind, direction = int(messages.types[0]), int(messages.directions[0])
        first = (direction, int(messages.half_ticks[0]))
        if opening is not None and kind <= EXECUTION:
            lumps[first] = lumps.get(first, 0) + (-1 if kind == ADD else 1) * int(messages.sizes[0])
            if lumps[first] < 0:
                raise InvalidData(
                    f"the order book does not show the order that message 1 adds: {messages.sizes[0]} lots at "
                    f"{messages.half_ticks[0]} half ticks",
                    field="book",
                    value=lumps[first] + int(messages.sizes[0]),
                    expected="the order-book file of the same day, from its first row",
                )
        older, self._late = unadded_orders(messages)
        for order in older:
            key = (order.direction, order.half_ticks)
            if key in lumps:
                lumps[key] = max(0, lumps[key] - order.remaining)
        free = free_ids(set(self._last_named))
        for (direction, half_ticks), lots in lumps.items():
            if lots > 0:
                lump = Order(
                    order_id=next(free), direction=direction, half_ticks=half_ticks, remaining=lots, last_row=AT_OPENING
                )
                self._insert(
                    Inserted(
                        after=AT_OPENING,
                        kind="opening level",
                        is_add=True,
                        order=lump,
                        quantity=lots,
                        reason="displayed at the opening by orders that no message names",
                    )
                )
        for order in older:
            self._insert(
                Inserted(
                    after=AT_OPENING,
                    kind="older order",
                    is_add=True,
                    order=order,
                    quantity=order.remaining,
                    reason="named by later messages, entered before the first",
                )
            )

    def _insert(self, inserted: Inserted) -> None:
        order = inserted.order
        self.result.inserted.append(inserted)
        if inserted.is_add:
            order.last_row = inserted.after
            self._enter(order)
        else:
            self._book.change(order.direction, order.half_ticks, -inserted.quantity)
            del self._orders[order.order_id]

    def _enter(self, order: Order) -> None:
        self._orders[order.order_id] = order
        self._book.change(order.direction, order.half_ticks, order.remaining)

    def _take(self, row: int, order_id: int, size: int) -> None:
        order = self._orders.get(order_id)
        taken = 0 if order is None else min(size, order.remaining)
        if taken < size:
            self.result.sizes[row] = taken
            self.result.cut.append(row)
        if order is None:
            return
        order.last_row = row
        order.remaining -= taken
        self._book.change(order.direction, order.half_ticks, -taken)
        if order.remaining == 0:
            del self._orders[order_id]

    def _check_execution(self, row: int, direction: int, half_ticks: int) -> None:
        better = self._book.better_than(direction, half_ticks)
        if better and not self._drop_ghosts(row, direction, better, "a trade went past it"):
            self.result.away_from_best += 1

    def _drop_ghosts_through(self, row: int, direction: int, half_ticks: int) -> None:
        through = self._book.better_than(-direction, half_ticks + direction)
        if through:
            self._drop_ghosts(row, -direction, through, "an order on the other side was displayed through it")

    def _match(self, row: int, before: Top | None, now: Top) -> tuple[bool, Top]:
        """Hold the new state to the published one, removing a ghost at the touch. False after a lasting difference."""
        assert self._level1 is not None
        known = self.result.states
        if known >= len(self._level1):
            return False, now
        wanted = self._level1[known]
        if now == wanted:
            return True, now
        for direction, price, lots in ((SELL, wanted[0], wanted[1]), (BUY, wanted[2], wanted[3])):
            better = self._book.prices(direction) if price is None else self._book.better_than(direction, price)
            self._drop_ghosts(row, direction, better, "the published level 1 does not show it")
            excess = 0 if price is None else self._book.quantity(direction, price) - lots
            if price is not None and excess > 0:
                self._drop_ghosts(row, direction, [price], "the published level 1 does not show it", excess)
        now = self._book.top()
        return now in (wanted, before), now

    def _drop_ghosts(
        self, row: int, direction: int, prices: list[int], evidence: str, excess: int | None = None
    ) -> bool:
        """Remove what stands at these prices, if all of it can be ghosts. `excess`: as many lots of it, no more."""
        if self._levels is None or not prices:
            return False
        found = []
        for order in self._orders.values():
            if order.direction == direction and order.half_ticks in prices:
                left = self._left_sight(order, row)
                if left is not None:
                    found.append((order, left))
        wanted = sum(self._book.quantity(direction, price) for price in prices) if excess is None else excess
        for order, left in _adding_up_to(wanted, found):
            reason = f"ended beyond the {self._levels} published levels, where no message says so: {evidence}"
            self._insert(
                Inserted(after=left, kind="ghost", is_add=False, order=order, quantity=order.remaining, reason=reason)
            )
            wanted -= order.remaining
        return wanted == 0

    def _is_hidden(self, order: Order) -> bool:
        edge = None if self._levels is None else self._book.at_rank(order.direction, self._levels)
        return edge is not None and (edge - order.half_ticks) * order.direction > 0

    def _left_sight(self, order: Order, row: int) -> int | None:
        """Where `levels` better levels last began to hide it, since its last message; None if they never did."""
        if self._last_named.get(order.order_id, AT_OPENING) >= row:
            return None
        edges = np.array(self._outside[order.direction][order.last_row + 1 : row], dtype=np.int64)
        hidden = (edges != 0) & ((edges - order.half_ticks) * order.direction > 0)
        began = np.flatnonzero(hidden & ~np.concatenate([[False], hidden[:-1]])) if len(hidden) else hidden
        return int(began[-1]) + order.last_row + 1 if len(began) else None


def _adding_up_to(lots: int, found: list[tuple[Order, int]]) -> list[tuple[Order, int]]:
    """The fewest of these orders that hold exactly so many lots; none where no few do."""
    if sum(order.remaining for order, _ in found) == lots:
        return found
    for count in range(1, GHOSTS_AT_ONCE):
        for some in combinations(found, count):
            if sum(order.remaining for order, _ in some) == lots:
                return list(some)
    return []


def distinct_tops(rows: BookRows) -> list[Top]:
    """States of level 1 without repeats, in order."""
    tops: list[Top] = []
    columns = (rows.ask_half_ticks, rows.ask_sizes, rows.bid_half_ticks, rows.bid_sizes)
    for ask, ask_lots, bid, bid_lots in zip(*(column[:, 0].tolist() for column in columns), strict=True):
        top = (ask or None, ask_lots, bid or None, bid_lots)
        if not tops or tops[-1] != top:
            tops.append(top)
    return tops
