"""Trades and quotes of all venues (CSV, one-member zip or Parquet) to level 1 of a consolidated book, and prints.

A trade strictly inside the quote, or printed off exchange, met no displayed order: HIDDEN. Any other is a TRADE, with
the side that took. Trades come before the quotes of the same time: they were struck on the quote before it.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bestex.adapters.marketdata.calendars import in_session
from bestex.adapters.marketdata.files import (
    ROW,
    bad_cell,
    checked_columns,
    floats,
    integers,
    of_symbol,
    read_table,
    refuse_where,
)
from bestex.adapters.marketdata.half_ticks import nearest_half_ticks, whole_lots, whole_ticks
from bestex.adapters.marketdata.mappings import Conditions, Mapping, QuoteColumns, QuoteRule
from bestex.adapters.marketdata.quotes import QuoteRows, aggressors, consolidated, depth_rows
from bestex.adapters.marketdata.source import Layout, MarketData, SourceReport, kinds_of
from bestex.adapters.marketdata.times import times_ns
from bestex.native.rows import L2_ROWS, L2Kind

ORDINARY, CROSS, DROP = 0, 1, 2
AGGRESSOR_RULE: Final = "quote rule, then tick test"


@dataclass(frozen=True, kw_only=True)
class TradesQuotesSource:
    """One instrument's trades and quotes."""

    trades: Path
    quotes: Path | None
    mapping: Mapping
    tick_size: Decimal
    lot_size: Decimal
    calendar: str | None  # rows outside its sessions are dropped, auctions apart; None keeps all
    symbol: str | None = None  # needed where the files hold several
    day: date | None = None  # for times that count from midnight


@dataclass(frozen=True, kw_only=True)
class _Trades:
    times_ns: NDArray[np.int64]
    prices: NDArray[np.int64]  # half ticks
    lots: NDArray[np.int64]
    is_cross: NDArray[np.bool_]
    is_off_exchange: NDArray[np.bool_]


def read_trades_quotes(source: TradesQuotesSource) -> MarketData:
    """Consolidated L2 rows: level 1 on both sides, and every print.

    Raises:
        InvalidData: for a file that is missing, truncated, malformed or out of order; names file, row and cell.
    """
    mapping = source.mapping if source.day is None else source.mapping.on_day(source.day)
    source = replace(source, mapping=mapping)
    dropped: Counter[str] = Counter()
    facts: Counter[str] = Counter()
    trades, trades_read = _read_trades(source, dropped, facts)
    quotes, quotes_read = _read_quotes(source, dropped, facts)
    caveats = [
        f"the aggressor of each trade is inferred: {AGGRESSOR_RULE}",
        "only the best price of each side is known",
    ]
    if source.quotes is None:
        caveats.append("no quotes: the book is empty and aggressors follow the tick test alone")
    stood = np.searchsorted(quotes.times_ns, trades.times_ns, side="left") - 1
    bids, asks = _at(quotes.bids, stood), _at(quotes.asks, stood)
    sides, unknown = aggressors(trades.prices, bids, asks)
    has_quote = (bids > 0) & (asks > 0)
    within = has_quote & (trades.prices >= bids) & (trades.prices <= asks)
    inside = has_quote & (trades.prices > bids) & (trades.prices < asks)
    facts["trades with a quote before them"] = int(has_quote.sum())
    facts["of these on or inside the quote"] = int(within.sum())
    if unknown.any():
        facts["trades of unknown aggressor, taken as buys"] = int((unknown & ~trades.is_cross).sum())
    rows = np.zeros(len(trades.times_ns), L2_ROWS)
    rows["time_ns"] = trades.times_ns
    rows["price_half_ticks"] = trades.prices
    rows["quantity"] = trades.lots
    rows["kind"] = np.where(trades.is_off_exchange | inside, L2Kind.HIDDEN, L2Kind.TRADE)
    rows["kind"][trades.is_cross] = L2Kind.CROSS
    rows["side"] = np.where(trades.is_cross, 0, sides)
    depth, _ = depth_rows(quotes)
    both = np.concatenate([rows, depth])
    both = both[np.argsort(both["time_ns"], kind="stable")]
    states = _distinct(quotes)
    report = SourceReport(
        format=f"trades and quotes ({mapping.name}), {mapping.rule} quote",
        files=tuple(path.name for path in (source.trades, source.quotes) if path is not None),
        rows_read=trades_read + quotes_read,
        rows_written=len(both),
        first_time_ns=int(both["time_ns"][0]) if len(both) else None,
        last_time_ns=int(both["time_ns"][-1]) if len(both) else None,
        kinds=kinds_of(both, Layout.L2),
        dropped={reason: count for reason, count in dropped.items() if count},
        quotes=int(states.sum()),
        crossed_quotes=int((states & (quotes.asks > 0) & (quotes.bids > quotes.asks)).sum()),
        locked_quotes=int((states & (quotes.asks > 0) & (quotes.bids == quotes.asks)).sum()),
        facts={name: count for name, count in facts.items() if count},
        caveats=tuple(caveats),
    )
    return MarketData(layout=Layout.L2, rows=both, tick_size=source.tick_size, lot_size=source.lot_size, report=report)


def _at(values: NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[np.int64]:
    if len(values) == 0:
        return np.zeros(len(index), np.int64)
    return np.where(index >= 0, values[np.maximum(index, 0)], 0)


def _distinct(quotes: QuoteRows) -> NDArray[np.bool_]:
    states = np.stack([quotes.bids, quotes.bid_lots, quotes.asks, quotes.ask_lots], axis=1)
    new = np.ones(len(states), np.bool_)
    new[1:] = (states[1:] != states[:-1]).any(axis=1)
    return new


def _only_zero(path: Path, frame: pl.DataFrame, column: str | None, why: str, dropped: Counter[str]) -> pl.DataFrame:
    if column is None:
        return frame
    wrong = integers(path, frame, column) != 0
    dropped[why] += int(wrong.sum())
    return frame.filter(~wrong)


def _in_sessions(source: TradesQuotesSource, times: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.ones(len(times), np.bool_) if source.calendar is None else in_session(source.calendar, times)


def _prices(path: Path, frame: pl.DataFrame, column: str, scale: int) -> NDArray[np.float64]:
    return floats(path, frame, column) / scale


def _read_trades(source: TradesQuotesSource, dropped: Counter[str], facts: Counter[str]) -> tuple[_Trades, int]:
    path, columns = source.trades, source.mapping.trades
    frame = read_table(path, columns.header)
    conditions = columns.conditions
    checked_columns(
        path,
        frame,
        [
            columns.time.column,
            columns.price,
            columns.quantity,
            columns.venue,
            columns.symbol,
            columns.correction,
            columns.suspicious,
            conditions.column if conditions else None,
        ],
    )
    read = len(frame)
    frame = of_symbol(path, frame, columns.symbol, source.symbol)
    times = times_ns(path, frame, columns.time)
    frame = frame.with_columns(pl.Series(_TIME, times))
    frame = _only_zero(path, frame, columns.correction, "trades corrected or cancelled later", dropped)
    frame = _only_zero(path, frame, columns.suspicious, "trades marked suspicious", dropped)
    quantities = floats(path, frame, columns.quantity)
    refuse_where(path, frame, quantities < 0, columns.quantity, "not negative")
    prices = _prices(path, frame, columns.price, source.mapping.price_scale)
    bare = (quantities == 0) | (prices <= 0)
    dropped["trades without price or quantity"] += int(bare.sum())
    frame = frame.filter(~bare)
    meaning = _meanings(path, frame, conditions)
    dropped["trades not struck at the market's price and time (by sale condition)"] += int((meaning == DROP).sum())
    frame, meaning = frame.filter(meaning != DROP), meaning[meaning != DROP]
    # Closing auctions print after the close: they belong to the session all the same.
    outside = ~_in_sessions(source, frame[_TIME].to_numpy()) & (meaning != CROSS)
    dropped["trades outside the session"] += int(outside.sum())
    frame, meaning = frame.filter(~outside), meaning[~outside]
    prices = _prices(path, frame, columns.price, source.mapping.price_scale)
    half_ticks, on_grid = nearest_half_ticks(path, frame, columns.price, prices, source.tick_size)
    facts["trade prices rounded to half a tick"] += int((~on_grid).sum())
    off_exchange = np.zeros(len(frame), np.bool_)
    if columns.venue is not None:
        venues = frame[columns.venue].cast(pl.String)
        off_exchange = venues.is_in(list(source.mapping.off_exchange_venues)).to_numpy()
        for venue, count in sorted(Counter(venues.to_list()).items()):
            facts[f"trades at {venue}"] = count
    return _Trades(
        times_ns=frame[_TIME].to_numpy(),
        prices=half_ticks,
        lots=whole_lots(path, frame, columns.quantity, floats(path, frame, columns.quantity), source.lot_size),
        is_cross=meaning == CROSS,
        is_off_exchange=off_exchange,
    ), read


_TIME: Final = "time_ns_of_row"


def _meanings(path: Path, frame: pl.DataFrame, conditions: Conditions | None) -> NDArray[np.int64]:
    """ORDINARY, CROSS or DROP for each trade."""
    found = np.zeros(len(frame), np.int64)
    if conditions is None:
        return found
    texts = frame[conditions.column].cast(pl.String).fill_null("")
    for text in texts.unique().to_list():
        is_one = (texts == text).to_numpy()
        if conditions.is_hex_mask:
            try:
                mask = int(text, 16)
            except ValueError:
                row = frame[ROW][int(np.argmax(is_one))]
                bad_cell(path, row, conditions.column, text, "a hexadecimal mask")
            cross, drop = mask & int(conditions.crosses, 16), mask & int(conditions.dropped, 16)
        else:
            cross, drop = set(text) & set(conditions.crosses), set(text) & set(conditions.dropped)  # type: ignore[assignment]
        found[is_one] = CROSS if cross else DROP if drop else ORDINARY
    return found


def _read_quotes(source: TradesQuotesSource, dropped: Counter[str], facts: Counter[str]) -> tuple[QuoteRows, int]:
    if source.quotes is None:
        nothing = np.zeros(0, np.int64)
        return QuoteRows(times_ns=nothing, bids=nothing, bid_lots=nothing, asks=nothing, ask_lots=nothing), 0
    path, columns = source.quotes, source.mapping.quotes
    frame = read_table(path, columns.header)
    checked_columns(
        path,
        frame,
        [
            columns.time.column,
            columns.bid,
            columns.bid_quantity,
            columns.ask,
            columns.ask_quantity,
            columns.venue,
            columns.symbol,
            columns.suspicious,
        ],
    )
    read = len(frame)
    frame = of_symbol(path, frame, columns.symbol, source.symbol)
    frame = frame.with_columns(pl.Series(_TIME, times_ns(path, frame, columns.time)))
    frame = _only_zero(path, frame, columns.suspicious, "quotes marked suspicious", dropped)
    outside = ~_in_sessions(source, frame[_TIME].to_numpy())
    dropped["quotes outside the session"] += int(outside.sum())
    frame = frame.filter(~outside)
    scale = source.mapping.price_scale
    empty = (_prices(path, frame, columns.bid, scale) <= 0) | (_prices(path, frame, columns.ask, scale) <= 0)
    if not columns.zero_keeps:
        dropped["quotes with a bid or ask of zero"] += int(empty.sum())
        frame = frame.filter(~empty)
    sides: dict[str, NDArray[Any]] = {}
    for name in (columns.bid, columns.ask):
        sides[name] = whole_ticks(path, frame, name, _prices(path, frame, name, scale), source.tick_size)
    for name in (columns.bid_quantity, columns.ask_quantity):
        sides[name] = whole_lots(path, frame, name, floats(path, frame, name) * columns.quantity_unit, source.lot_size)
    rows = QuoteRows(
        times_ns=frame[_TIME].to_numpy(),
        bids=sides[columns.bid],
        bid_lots=sides[columns.bid_quantity],
        asks=sides[columns.ask],
        ask_lots=sides[columns.ask_quantity],
    )
    best, crossing = consolidated(rows, source.mapping.rule, _is_primary(source, frame, columns, facts))
    facts["quotes of other venues left out: they cross or lock the primary"] += crossing
    return best, read


def _is_primary(
    source: TradesQuotesSource, frame: pl.DataFrame, columns: QuoteColumns, facts: Counter[str]
) -> NDArray[np.bool_]:
    if source.mapping.rule is not QuoteRule.PRIMARY or columns.venue is None or frame.is_empty():
        return np.ones(len(frame), np.bool_)
    venues = frame[columns.venue].cast(pl.String)
    primary = source.mapping.primary_venue or str(Counter(venues.to_list()).most_common(1)[0][0])
    is_primary: NDArray[np.bool_] = (venues == primary).to_numpy()
    facts[f"quotes of the primary venue {primary}"] = int(is_primary.sum())
    return is_primary
