"""One best bid and ask from quote rows, and on which side of it a trade was struck."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bestex.adapters.marketdata.mappings import QuoteRule
from bestex.native.rows import ASK, BID, L2_ROWS, L2Kind


@dataclass(frozen=True, kw_only=True)
class QuoteRows:
    """(rows,) best bid and ask over time, in half ticks and lots; 0 where a side is unknown or empty."""

    times_ns: NDArray[np.int64]
    bids: NDArray[np.int64]
    bid_lots: NDArray[np.int64]
    asks: NDArray[np.int64]
    ask_lots: NDArray[np.int64]


def carried(values: NDArray[np.int64], is_known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Each value, or the last known one before it; 0 before the first."""
    last = np.maximum.accumulate(np.where(is_known, np.arange(len(values)), -1))
    return np.where(last >= 0, values[np.maximum(last, 0)], 0)


def consolidated(rows: QuoteRows, rule: QuoteRule, is_primary: NDArray[np.bool_]) -> tuple[QuoteRows, int]:
    """The best bid and ask after each row, and how many rows of other venues were left out as crossing or locking.

    NATIONAL carries each side forward over rows that do not state it. PRIMARY puts the newest row of another venue on
    top of the primary venue's last quote, where it improves it.
    """
    if rule is QuoteRule.NATIONAL:
        has_bid, has_ask = rows.bids > 0, rows.asks > 0
        return QuoteRows(
            times_ns=rows.times_ns,
            bids=carried(rows.bids, has_bid),
            bid_lots=carried(rows.bid_lots, has_bid),
            asks=carried(rows.asks, has_ask),
            ask_lots=carried(rows.ask_lots, has_ask),
        ), 0
    bid, bid_lots = carried(rows.bids, is_primary), carried(rows.bid_lots, is_primary)
    ask, ask_lots = carried(rows.asks, is_primary), carried(rows.ask_lots, is_primary)
    others = ~is_primary
    crossing = others & (((ask > 0) & (rows.bids >= ask)) | ((bid > 0) & (rows.asks > 0) & (rows.asks <= bid)))
    better_bid = others & ~crossing & (rows.bids > bid)
    better_ask = others & ~crossing & (rows.asks > 0) & ((rows.asks < ask) | (ask == 0))
    return QuoteRows(
        times_ns=rows.times_ns,
        bids=np.where(better_bid, rows.bids, bid),
        bid_lots=np.where(better_bid, rows.bid_lots, bid_lots),
        asks=np.where(better_ask, rows.asks, ask),
        ask_lots=np.where(better_ask, rows.ask_lots, ask_lots),
    ), int(crossing.sum())


def depth_rows(quotes: QuoteRows) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """L2_ROWS that make level 1 what each quote says, in order, and the index of the quote each belongs to."""
    parts, owners = [], []
    ranks = []
    for side, prices, lots in ((BID, quotes.bids, quotes.bid_lots), (ASK, quotes.asks, quotes.ask_lots)):
        before_price = np.concatenate([[0], prices[:-1]])
        before_lots = np.concatenate([[0], lots[:-1]])
        moved = prices != before_price
        for changed, price, level, quantity, rank in (
            (moved & (before_price > 0) & (before_lots > 0), before_price, np.zeros_like(lots), before_lots, 0),
            (
                (prices > 0) & (lots > 0) & (moved | (lots != before_lots)),
                prices,
                lots,
                np.where(moved, lots, np.abs(lots - before_lots)),
                1,
            ),
            (~moved & (prices > 0) & (lots == 0) & (before_lots > 0), prices, lots, before_lots, 1),
        ):
            index = np.flatnonzero(changed)
            rows = np.zeros(len(index), L2_ROWS)
            rows["time_ns"] = quotes.times_ns[index]
            rows["price_half_ticks"] = price[index]
            rows["quantity"] = quantity[index]
            rows["level_quantity"] = level[index]
            rows["kind"] = L2Kind.DEPTH
            rows["side"] = side
            parts.append(rows)
            owners.append(index)
            # Levels that go come first, so that the sides never cross between two rows of one quote.
            ranks.append(np.full(len(index), rank))
    owner = np.concatenate(owners)
    order = np.lexsort((np.concatenate(ranks), owner))
    return np.concatenate(parts)[order], owner[order]


def aggressors(
    prices: NDArray[np.int64], bids: NDArray[np.int64], asks: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """BID (a buyer) or ASK (a seller) for each trade, and whether neither rule below could say, so BID was put.

    Above the mid of the quote that stood before it a buyer, below it a seller; at the mid, or without a quote, by the
    last different trade price (tick test). Source: Lee and Ready (1991), without their five-second delay.
    """
    has_quote = (bids > 0) & (asks > 0)
    by_quote = np.where(has_quote, np.sign(2 * prices - bids - asks), 0)
    steps = np.sign(np.diff(prices, prepend=prices[:1]))
    by_tick = carried(steps, steps != 0)
    sign = np.where(by_quote != 0, by_quote, by_tick)
    return np.where(sign >= 0, BID, ASK).astype(np.uint8), sign == 0
