"""Price levels from an order-book file with a row for each message: what stands in the file, no more.

Every change of a published level is a DEPTH row. A level that leaves the published range is set to 0: what it holds
while out of sight is unknown. A visible execution is a TRADE before the DEPTH of its level, a hidden one HIDDEN.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bestex.adapters.marketdata.lobster_files import CROSS, EXECUTION, HALT, HIDDEN, BookRows, Messages
from bestex.native.rows import ASK, BID, L2_ROWS, L2Kind

Row = tuple[int, int, int, int, int, int, tuple[int, ...]]
PAD = (0,) * 6


@dataclass(kw_only=True)
class QuoteCounts:
    """Distinct states of best bid and ask, and how many of them were crossed or locked."""

    states: int = 0
    crossed: int = 0
    locked: int = 0


def level_rows(messages: Messages, book: BookRows) -> tuple[NDArray[Any], dict[str, int], QuoteCounts]:
    """L2_ROWS of row-aligned messages and book, counts of message kinds, and counts of quotes.

    The opening state is the book after message 1, at the time of message 1; a trade in message 1 precedes it.
    """
    out: list[Row] = []
    quotes = QuoteCounts()
    shown: dict[int, dict[int, int]] = {BID: {}, ASK: {}}
    top: tuple[int, int, int, int] | None = None
    prices = {BID: book.bid_half_ticks.tolist(), ASK: book.ask_half_ticks.tolist()}
    sizes = {BID: book.bid_sizes.tolist(), ASK: book.ask_sizes.tolist()}
    columns = (messages.times_ns, messages.types, messages.sizes, messages.half_ticks, messages.directions)
    counts = {"executions": 0, "hidden executions": 0, "crosses": 0, "halts": 0}
    for index, (time_ns, kind, size, half_ticks, direction) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        resting = BID if direction == 1 else ASK
        if kind in (EXECUTION, HIDDEN, CROSS):
            name = {EXECUTION: "executions", HIDDEN: "hidden executions", CROSS: "crosses"}[kind]
            counts[name] += 1
            row_kind = {EXECUTION: L2Kind.TRADE, HIDDEN: L2Kind.HIDDEN, CROSS: L2Kind.CROSS}[kind]
            aggressor = ASK if resting == BID else BID
            out.append((time_ns, half_ticks, size, 0, row_kind, aggressor, PAD))
        elif kind == HALT:
            counts["halts"] += 1
            code = int(messages.halt_codes[index])
            if code:
                out.append((time_ns, 0, 0, 0, L2Kind.RESUME if code == 1 else L2Kind.HALT, 0, PAD))
        now = {
            side: {price: lots for price, lots in zip(prices[side][index], sizes[side][index], strict=True) if lots}
            for side in (BID, ASK)
        }
        traded_level = (resting, half_ticks) if kind == EXECUTION else None
        if traded_level is not None:
            # The level that traded comes first, so that its row follows its trade.
            level = now[resting].get(half_ticks, 0)
            out.append((time_ns, half_ticks, size, level, L2Kind.DEPTH, resting, PAD))
        for side in (BID, ASK):
            _changes(out, time_ns, side, shown[side], now[side], traded_level)
        shown = now
        state = (prices[BID][index][0], sizes[BID][index][0], prices[ASK][index][0], sizes[ASK][index][0])
        if state != top:
            top = state
            quotes.states += 1
            if state[1] and state[3]:
                quotes.crossed += state[0] > state[2]
                quotes.locked += state[0] == state[2]
    return np.array(out, L2_ROWS), {name: count for name, count in counts.items() if count}, quotes


def _changes(
    out: list[Row],
    time_ns: int,
    side: int,
    before: dict[int, int],
    after: dict[int, int],
    done: tuple[int, int] | None,
) -> None:
    # Levels that go come first: the two sides never cross between two rows of one message.
    gone = sorted(before.keys() - after.keys())
    changes = [(price, 0) for price in gone] + list(after.items())
    out.extend(
        (time_ns, price, abs(lots - before.get(price, 0)), lots, L2Kind.DEPTH, side, PAD)
        for price, lots in changes
        if lots != before.get(price, 0) and (side, price) != done
    )
