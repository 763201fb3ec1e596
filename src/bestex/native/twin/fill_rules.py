"""When a simulated order fills, in plain Python: the twin of `native/include/bestex/exchange.hpp`, for one world.

The rules have the numbers of docs/fill-rules.md. Prices are half ticks, sides 0 = buy, 1 = sell.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bestex.native.interactive import LiquidityKind, OrderKind, Reason
from bestex.native.replay import QueueModel
from bestex.native.rows import ASK, BID
from bestex.native.twin.book import DisplayedBook, Event, LevelBook, OrderBook


@dataclass(eq=False)
class OwnOrder:
    key: int
    kind: OrderKind
    side: int
    quantity: int
    remaining: int
    price: int | None  # half ticks; None for a market order and a peg without a limit
    join: int = 0  # events applied when it took its place
    ahead: int = 0  # by level: displayed lots before it


def not_worse(side: int, a: int, b: int) -> bool:
    """Is price `a` at least as good as `b` for whoever trades against an order on `side`?"""
    return a >= b if side == BID else a <= b


@dataclass
class Exchange:
    """The tape's book, our orders over it, and the rules between them."""

    book: Any  # OrderBook or LevelBook
    queue_model: QueueModel
    on_fill: Callable[[OwnOrder, int, int, LiquidityKind, bool], None]
    on_done: Callable[[OwnOrder, int, Reason], None]
    resting: list[OwnOrder] = field(default_factory=list)  # in order of arrival
    claims: dict[object, int] = field(default_factory=dict)  # tape order or (side, price) -> lots we took of it
    events: int = 0
    is_halted: bool = False
    displaced: int = 0
    got: int = 0  # from the event being applied

    @property
    def by_order(self) -> bool:
        return isinstance(self.book, OrderBook)

    # --- the tape moves ---

    def apply(self, event: Event) -> None:
        self.events += 1
        self.got = 0
        target: object = event.order_id if self.by_order else (event.side, event.price)
        if event.kind == "add":
            self.cross_added(event)
            self.book.apply(event, self.events)
            self.claim(target, self.got)
        elif event.kind in ("cancel", "fill"):
            if event.kind == "fill":
                self.executed(event, hidden=False)
            self.shorten_queues(event)
            self.book.apply(event, self.events)
            self.cut_claim(target, event)
        elif event.kind == "print":
            self.executed(event, hidden=False)
            self.shorten_queues(event)
        elif event.kind == "hidden":
            self.executed(event, hidden=True)
        elif event.kind in ("halt", "resume"):
            self.is_halted = event.kind == "halt"

    def middle(self) -> int | None:
        bid, ask = self.book.best(BID), self.book.best(ASK)
        return None if bid is None or ask is None or bid >= ask else (bid + ask) // 2

    def reached(self, side: int, price: int) -> list[tuple[OwnOrder, int]]:
        """Our orders a trade at `price` reaches, with their prices: best price, displayed before hidden, time."""
        middle = self.middle()
        found = []
        for order in self.resting:
            if order.kind is not OrderKind.MIDPOINT:
                at = order.price
            elif middle is None or (order.price is not None and not not_worse(side, order.price, middle)):
                continue
            else:
                at = middle
            if order.side == side and at is not None and not_worse(side, at, price):
                found.append((order, at))
        worse = -1 if side == BID else 1
        return sorted(found, key=lambda item: (worse * item[1], item[0].kind is OrderKind.MIDPOINT))

    def fill(self, order: OwnOrder, offered: int, price: int, *, aggressor_is_on_tape: bool) -> None:
        quantity = min(order.remaining, offered)
        if quantity <= 0:
            return
        order.remaining -= quantity
        self.got += quantity
        if aggressor_is_on_tape:
            self.displaced += quantity
        liquidity = LiquidityKind.MIDPOINT if order.kind is OrderKind.MIDPOINT else LiquidityKind.ADDED
        self.on_fill(order, quantity, price, liquidity, not aggressor_is_on_tape)
        if order.remaining == 0:
            self.resting.remove(order)
            self.on_done(order, 0, Reason.NONE)

    def executed(self, event: Event, *, hidden: bool) -> None:
        """Rules 3, 5, 6, 7: the tape traded; what stood before the order hit trades first."""
        for order, price in self.reached(event.side, event.price):
            offered = event.quantity - self.got
            if price == event.price:
                if order.kind is OrderKind.MIDPOINT:
                    continue
                if not hidden and self.by_order and order.join >= self.book.find(event).birth:
                    continue
                if not hidden and not self.by_order:
                    offered -= order.ahead
            self.fill(order, offered, price, aggressor_is_on_tape=True)

    def cross_added(self, event: Event) -> None:
        """Rule 4: an order of the tape arrives at or through ours."""
        for order, price in self.reached(1 - event.side, event.price):
            self.fill(order, event.quantity - self.got, price, aggressor_is_on_tape=False)

    # --- what we took, and what stands before us ---

    def claim(self, target: object, quantity: int) -> None:
        if quantity:
            self.claims[target] = self.claims.get(target, 0) + quantity

    def cut_claim(self, target: object, event: Event) -> None:
        """Rules 2 and 9."""
        had = self.claims.pop(target, 0)
        traded = event.kind == "fill"
        if self.by_order:
            queue = self.book.queues[event.side][event.price]
            left = next((o.remaining for o in queue if o.order_id == event.order_id), 0)
            kept = min(had, left)
        else:
            kept = max(0, min(had - event.quantity if traded else had, event.shown))
        if kept:
            self.claims[target] = kept
        if traded:
            self.displaced += min(had - kept, event.quantity - self.got)

    def shorten_queues(self, event: Event) -> None:
        """Rule 7."""
        if self.by_order:
            return
        shown = self.book.quantity(event.side, event.price)
        after = shown if event.kind == "print" else event.shown
        for order in self.resting:
            if (order.side, order.price) != (event.side, event.price) or order.kind is OrderKind.MIDPOINT:
                continue
            gone = (
                self.cancelled_ahead(order.ahead, shown, event.quantity) if event.kind == "cancel" else event.quantity
            )
            order.ahead = max(0, min(order.ahead - gone, after))

    def cancelled_ahead(self, ahead: int, shown: int, cancelled: int) -> int:
        behind = max(0, shown - ahead)
        if self.queue_model is QueueModel.BEHIND_FIRST or ahead + behind == 0:
            return 0
        if self.queue_model is QueueModel.PRO_RATA:
            return cancelled * ahead // (ahead + behind)
        if self.queue_model is QueueModel.SQUARE:
            return cancelled * ahead**2 // (ahead**2 + behind**2)
        return cancelled

    # --- our orders arrive ---

    def arrive(self, order: OwnOrder) -> None:
        """Rules 1 and 8."""
        if self.is_halted:
            self.on_done(order, order.remaining, Reason.HALTED)
            return
        takes = order.kind in (OrderKind.MARKET, OrderKind.IMMEDIATE, OrderKind.LIMIT)
        if takes:
            self.take(order)
        if order.kind is OrderKind.POST_ONLY and any(lots > 0 for _, _, lots in self.available(order)):
            self.on_done(order, order.remaining, Reason.WOULD_TAKE)
        elif takes and order.remaining == 0:
            self.on_done(order, 0, Reason.NONE)
        elif order.kind in (OrderKind.MARKET, OrderKind.IMMEDIATE):
            self.on_done(order, order.remaining, Reason.UNFILLED)
        else:
            self.join_queue(order)

    def available(self, order: OwnOrder) -> list[tuple[int, object, int]]:
        """(price, target, lots) it could take now, first first: displayed less what we took before."""
        side = 1 - order.side
        found: list[tuple[int, object, int]] = []
        for price in self.book.prices(side):
            if order.price is not None and not not_worse(side, price, order.price):
                break
            if self.by_order:
                found += [
                    (price, tape_order.order_id, tape_order.remaining - self.claims.get(tape_order.order_id, 0))
                    for tape_order in self.book.queues[side][price]
                ]
            else:
                found.append(
                    (price, (side, price), self.book.quantity(side, price) - self.claims.get((side, price), 0))
                )
        return found

    def take(self, order: OwnOrder) -> None:
        """One fill for each price, first come first served within it."""
        fills: dict[int, int] = {}
        wanted = order.remaining
        for price, target, lots in self.available(order):
            quantity = min(wanted, lots)
            if quantity > 0:
                self.claim(target, quantity)
                fills[price] = fills.get(price, 0) + quantity
                wanted -= quantity
        for price, quantity in fills.items():
            order.remaining -= quantity
            self.on_fill(order, quantity, price, LiquidityKind.REMOVED, True)

    def join_queue(self, order: OwnOrder) -> None:
        order.join = self.events
        order.ahead = 0 if order.price is None or order.kind is OrderKind.MIDPOINT else self.displayed(order)
        self.resting.append(order)

    def displayed(self, order: OwnOrder) -> int:
        """Lots in the book at our own price, less what we took of them."""
        assert order.price is not None, "only a displayed order has a place in a queue"
        if not self.by_order:
            shown: int = self.book.quantity(order.side, order.price)
            return shown - self.claims.get((order.side, order.price), 0)
        queue = self.book.queues[order.side].get(order.price, [])
        return sum(o.remaining - self.claims.get(o.order_id, 0) for o in queue if o.birth <= order.join)

    def ahead_of(self, order: OwnOrder) -> int:
        if order.kind is OrderKind.MIDPOINT:
            return 0
        return self.displayed(order) if self.by_order else order.ahead

    def cancel(self, order: OwnOrder, why: Reason = Reason.ASKED) -> None:
        if order in self.resting:
            self.resting.remove(order)
            self.on_done(order, order.remaining, why)

    def amend(self, order: OwnOrder, quantity: int, price: int | None) -> None:
        """Rule 8. `quantity` counts what is filled already."""
        if order not in self.resting:
            return
        filled = order.quantity - order.remaining
        if quantity <= filled:
            self.cancel(order)
            return
        keeps_place = price == order.price and quantity <= order.quantity
        order.quantity, order.remaining = quantity, quantity - filled
        if not keeps_place:
            self.resting.remove(order)
            order.price = price
            self.arrive(order)


__all__ = ["DisplayedBook", "Exchange", "LevelBook", "OrderBook", "OwnOrder", "not_worse"]
