"""LOBSTER orders that no message adds, found from the messages that take them off."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from bestex.adapters.marketdata.level_book import BUY, SELL
from bestex.adapters.marketdata.lobster_files import ADD, EXECUTION, BookRows, Messages

AT_OPENING: Final = -1


@dataclass(kw_only=True)
class Order:
    """A displayed order, known or inferred."""

    order_id: int
    direction: int
    half_ticks: int
    remaining: int  # lots
    last_row: int  # index of the last message that named it so far; AT_OPENING before any


@dataclass(frozen=True, kw_only=True)
class Inserted:
    """A row to put in after message `after` (AT_OPENING: before the first)."""

    after: int
    kind: str  # "opening level", "older order", "late order", "ghost"
    is_add: bool
    order: Order
    quantity: int  # lots
    reason: str


def unadded_orders(messages: Messages) -> tuple[list[Order], list[Inserted]]:
    """Orders that are removed without having been added: older than the first add, and later ones; both by id."""
    adds = messages.types == ADD
    removals = (messages.types > ADD) & (messages.types <= EXECUTION)
    unknown = np.flatnonzero(removals & ~np.isin(messages.order_ids, messages.order_ids[adds]))
    orders: dict[int, Order] = {}
    for row in unknown.tolist():
        order_id = int(messages.order_ids[row])
        if order_id in orders:
            orders[order_id].remaining += int(messages.sizes[row])
        else:
            orders[order_id] = Order(
                order_id=order_id,
                direction=int(messages.directions[row]),
                half_ticks=int(messages.half_ticks[row]),
                remaining=int(messages.sizes[row]),
                last_row=AT_OPENING,
            )
    first = int(messages.order_ids[adds][0]) if adds.any() else None
    ordered = [orders[order_id] for order_id in sorted(orders)]
    older = [order for order in ordered if first is None or order.order_id < first]
    reason = "entered beyond the published levels, put in where its id belongs"
    late = [
        Inserted(after=AT_OPENING, kind="late order", is_add=True, order=order, quantity=order.remaining, reason=reason)
        for order in ordered[len(older) :]
    ]
    return older, late


def next_adds(messages: Messages) -> list[int]:
    """For each message the id of the first add after it; 0 after the last."""
    ids = np.where(messages.types == ADD, np.arange(len(messages.types)), len(messages.types))
    following = np.minimum.accumulate(ids[::-1])[::-1]
    after = np.append(following[1:], len(messages.types))
    return np.append(messages.order_ids, 0)[after].tolist()  # type: ignore[no-any-return]


def levels_of(opening: BookRows) -> Iterator[tuple[tuple[int, int], int]]:
    for direction, prices, sizes in (
        (SELL, opening.ask_half_ticks[0], opening.ask_sizes[0]),
        (BUY, opening.bid_half_ticks[0], opening.bid_sizes[0]),
    ):
        for half_ticks, lots in zip(prices.tolist(), sizes.tolist(), strict=True):
            if lots:
                yield (direction, half_ticks), lots


def free_ids(taken: set[int]) -> Iterator[int]:
    candidate = 0
    while True:
        candidate += 1
        if candidate not in taken:
            yield candidate
