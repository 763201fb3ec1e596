"""The tape's rows and books in plain Python: the twin of `native/include/bestex/book_l2.hpp` and `book_l3.hpp`.

Prices are half ticks throughout; displayed orders stand on even ones. Sides are 0 = bid, 1 = ask.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from bestex.native.rows import ASK, BID, L3_ROWS, L2Kind, L3Kind


@dataclass(frozen=True)
class Event:
    """One thing the tape says. `side` is the resting side; `shown` (L2) what the level shows afterwards."""

    time_ns: int
    kind: str  # add, cancel, fill, hidden, print, cross, halt, resume
    side: int = BID
    price: int = 0
    quantity: int = 0
    order_id: int | None = None
    shown: int = 0


@dataclass
class TapeOrder:
    order_id: int
    remaining: int
    birth: int  # number of the event that added it


class DisplayedBook(Protocol):
    def best(self, side: int) -> int | None: ...
    def prices(self, side: int) -> list[int]: ...
    def quantity(self, side: int, price: int) -> int: ...


@dataclass
class OrderBook:
    """Order by order: each price's queue, first in line first."""

    queues: tuple[dict[int, list[TapeOrder]], dict[int, list[TapeOrder]]] = field(default_factory=lambda: ({}, {}))

    def prices(self, side: int) -> list[int]:
        """Best first."""
        return sorted((price for price, queue in self.queues[side].items() if queue), reverse=side == BID)

    def best(self, side: int) -> int | None:
        return next(iter(self.prices(side)), None)

    def quantity(self, side: int, price: int) -> int:
        return sum(order.remaining for order in self.queues[side].get(price, []))

    def find(self, event: Event) -> TapeOrder:
        return next(o for o in self.queues[event.side][event.price] if o.order_id == event.order_id)

    def apply(self, event: Event, number: int) -> None:
        queue = self.queues[event.side].setdefault(event.price, [])
        if event.kind == "add":
            assert event.order_id is not None, "order-by-order rows name their order"
            queue.append(TapeOrder(event.order_id, event.quantity, number))
        elif event.kind in ("cancel", "fill"):
            order = self.find(event)
            order.remaining -= event.quantity
            if order.remaining == 0:
                queue.remove(order)


@dataclass
class LevelBook:
    """By price level: what each shows."""

    shown: tuple[dict[int, int], dict[int, int]] = field(default_factory=lambda: ({}, {}))

    def prices(self, side: int) -> list[int]:
        """Best first."""
        return sorted((price for price, lots in self.shown[side].items() if lots), reverse=side == BID)

    def best(self, side: int) -> int | None:
        return next(iter(self.prices(side)), None)

    def quantity(self, side: int, price: int) -> int:
        return self.shown[side].get(price, 0)

    def apply(self, event: Event, number: int) -> None:
        if event.kind in ("add", "cancel", "fill"):
            self.shown[event.side][event.price] = event.shown


_OTHER_KINDS = {L3Kind.HIDDEN: "hidden", L3Kind.CROSS: "cross", L3Kind.HALT: "halt", L3Kind.RESUME: "resume"}


def events_of(rows: NDArray[Any]) -> Iterator[Event]:
    """What feed rows say, a trade and its depth row made one."""
    return _order_events(rows) if rows.dtype == L3_ROWS else _level_events(rows)


def _order_events(rows: NDArray[Any]) -> Iterator[Event]:
    names = {L3Kind.ADD: "add", L3Kind.CANCEL: "cancel", L3Kind.FILL: "fill", **_OTHER_KINDS}
    for time_ns, order_id, price, quantity, kind, side, _ in rows.tolist():
        yield Event(time_ns, names[kind], side, price, quantity, order_id)


def _level_events(rows: NDArray[Any]) -> Iterator[Event]:
    shown: dict[tuple[int, int], int] = {}
    trade: Event | None = None  # waits for its depth row
    for time_ns, price, quantity, level_quantity, kind, side, _ in rows.tolist():
        resting = ASK if side == BID else BID
        if trade is not None and not (
            kind == L2Kind.DEPTH and (time_ns, price, side) == (trade.time_ns, trade.price, trade.side)
        ):
            yield trade
            trade = None
        if kind == L2Kind.TRADE:
            trade = Event(time_ns, "print", resting, price, quantity)
        elif kind != L2Kind.DEPTH:
            yield Event(time_ns, _OTHER_KINDS[L3Kind(kind)], resting, price, quantity)
        else:
            before = shown.get((side, price), 0)
            shown[side, price] = level_quantity
            if trade is not None and level_quantity + trade.quantity > before:
                yield trade
                trade = None
            if level_quantity > before:
                yield Event(time_ns, "add", side, price, level_quantity - before, shown=level_quantity)
                continue
            left = before
            if trade is not None:
                left -= trade.quantity
                yield Event(time_ns, "fill", side, price, trade.quantity, shown=left)
                trade = None
            if left > level_quantity:
                yield Event(time_ns, "cancel", side, price, left - level_quantity, shown=level_quantity)
    if trade is not None:
        yield trade
