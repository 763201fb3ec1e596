"""Bars (open, high, low, close, volume) to rows, along a path inside the bar that is declared and not known.

Path `nearer extreme first`: open, then of high and low the one nearer to the open (the high when equally near), then
the other, then the close, at the start, one, two and three quarters of the bar. Each of the four is a print of a
quarter of the bar's volume (what does not divide goes to the close). The quote around it has a fixed spread and a fixed
displayed quantity: a print that is higher than the last is a buy at the ask, a lower one a sale at the bid.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bestex.adapters.marketdata.calendars import in_session
from bestex.adapters.marketdata.files import checked_columns, floats, of_symbol, read_table, refuse_where
from bestex.adapters.marketdata.half_ticks import INT32_MAX, nearest_half_ticks
from bestex.adapters.marketdata.quotes import QuoteRows, carried, depth_rows
from bestex.adapters.marketdata.source import Layout, MarketData, SourceReport, kinds_of
from bestex.adapters.marketdata.times import TimeColumn, times_ns
from bestex.domain.errors import InvalidData
from bestex.domain.time import NS_PER_SECOND
from bestex.native.rows import ASK, BID, L2_ROWS, L2Kind

STEPS: Final = 4
PRICES: Final = ("open", "high", "low", "close")


@dataclass(frozen=True, kw_only=True)
class BarColumns:
    """Names of the columns of a bars file."""

    time: TimeColumn  # of the bar's start
    open: str = "open"
    high: str = "high"
    low: str = "low"
    close: str = "close"
    volume: str = "volume"
    symbol: str | None = None
    price_scale: int = 1
    header: tuple[str, ...] | None = None  # column names of a CSV that has no first line with names


@dataclass(frozen=True, kw_only=True)
class IntrabarPath:
    """What is assumed where the bar says nothing."""

    spread_ticks: int = 1
    displayed_lots: int = 100  # at the best bid and at the best ask


@dataclass(frozen=True, kw_only=True)
class BarsSource:
    """One instrument's bars."""

    path: Path
    columns: BarColumns
    tick_size: Decimal
    lot_size: Decimal
    calendar: str | None  # bars that start outside its sessions are dropped; None keeps all
    bar_seconds: int
    assumed: IntrabarPath = field(default_factory=IntrabarPath)
    symbol: str | None = None  # needed where the file holds several


def lean_minutes(day: date, *, zone: str = "America/New_York") -> BarColumns:
    """LEAN's minute trade bars of one day: milliseconds since midnight, prices x 10000."""
    time = TimeColumn(column="ms", unit="ms", zone=zone, since_midnight_of=day)
    return BarColumns(time=time, price_scale=10_000, header=("ms", *PRICES, "volume"))


def read_bars(source: BarsSource) -> MarketData:
    """L2 rows along the declared path.

    Raises:
        InvalidData: for a file that is missing, truncated, malformed or out of order, a bar whose high is not its
            highest price or whose low not its lowest, or bars that overlap; names file, row and cell.
    """
    assumed, columns, path = source.assumed, source.columns, source.path
    if assumed.spread_ticks < 1 or assumed.displayed_lots < 1 or source.bar_seconds < 1:
        raise InvalidData(
            "spread_ticks, displayed_lots and bar_seconds must be at least 1",
            field="assumed",
            value=(assumed.spread_ticks, assumed.displayed_lots, source.bar_seconds),
            expected="at least 1",
        )
    frame = read_table(path, columns.header)
    checked_columns(path, frame, [columns.time.column, columns.symbol, columns.volume, *_price_columns(columns)])
    read = len(frame)
    frame = of_symbol(path, frame, columns.symbol, source.symbol)
    starts = times_ns(path, frame, columns.time)
    gaps = np.diff(starts, prepend=starts[:1] - source.bar_seconds * NS_PER_SECOND)
    refuse_where(path, frame, gaps < source.bar_seconds * NS_PER_SECOND, columns.time.column,
                 f"at least {source.bar_seconds} s after the bar above")  # fmt: skip
    inside = np.ones(len(frame), np.bool_) if source.calendar is None else in_session(source.calendar, starts)
    facts: Counter[str] = Counter()
    dropped = {"bars outside the session": int((~inside).sum())}
    frame, starts = frame.filter(inside), starts[inside]
    prices = _whole_tick_prices(source, frame, facts)
    lots = _lots(source, frame, facts)
    rows, states = _rows(source, starts, prices, lots)
    report = SourceReport(
        format="bars",
        files=(path.name,),
        rows_read=read,
        rows_written=len(rows),
        first_time_ns=int(rows["time_ns"][0]) if len(rows) else None,
        last_time_ns=int(rows["time_ns"][-1]) if len(rows) else None,
        kinds=kinds_of(rows, Layout.L2),
        dropped={reason: count for reason, count in dropped.items() if count},
        quotes=states,
        facts={"bars": len(frame), **facts},
        caveats=(
            "BARS ARE NOT A MARKET: all quotes, and the course of prices inside a bar, are assumed; costs mean little",
            "path inside a bar: open, the nearer of high and low, the other, close, a quarter of the volume each",
            f"spread fixed at {assumed.spread_ticks} tick(s), {source.lot_size * assumed.displayed_lots} on each side",
        ),
    )
    return MarketData(layout=Layout.L2, rows=rows, tick_size=source.tick_size, lot_size=source.lot_size, report=report)


def _price_columns(columns: BarColumns) -> tuple[str, ...]:
    return (columns.open, columns.high, columns.low, columns.close)


def _whole_tick_prices(source: BarsSource, frame: pl.DataFrame, facts: Counter[str]) -> NDArray[np.int64]:
    """(bars, 4) open, high, low, close in half ticks, on whole ticks; rounded to the nearest where they are not."""
    names = _price_columns(source.columns)
    columns = []
    for name in names:
        prices = floats(source.path, frame, name) / source.columns.price_scale
        refuse_where(source.path, frame, prices <= 0, name, "positive")
        half_ticks, on_grid = nearest_half_ticks(source.path, frame, name, prices, source.tick_size)
        on_tick = on_grid & (half_ticks % 2 == 0)
        facts["bar prices rounded to the tick"] += int((~on_tick).sum())
        ticks = np.rint(prices / float(source.tick_size)).astype(np.int64)
        columns.append(2 * ticks)
    found = np.stack(columns, axis=1)
    refuse_where(source.path, frame, found[:, 1] < found.max(axis=1), names[1], "the highest of the bar's prices")
    refuse_where(source.path, frame, found[:, 2] > found.min(axis=1), names[2], "the lowest of the bar's prices")
    if not facts["bar prices rounded to the tick"]:
        del facts["bar prices rounded to the tick"]
    return found


def _lots(source: BarsSource, frame: pl.DataFrame, facts: Counter[str]) -> NDArray[np.int64]:
    volumes = floats(source.path, frame, source.columns.volume)
    refuse_where(source.path, frame, volumes < 0, source.columns.volume, "not negative")
    exact = volumes / float(source.lot_size)
    # A hair above, so that 0.3 / 0.1 is three lots.
    lots = np.floor(exact + 1e-9 * np.maximum(exact, 1.0))
    refuse_where(source.path, frame, lots > STEPS * INT32_MAX, source.columns.volume, "fewer or larger lots")
    rounded = int((exact - lots > 1e-6 * np.maximum(exact, 1.0)).sum())
    if rounded:
        facts["bar volumes rounded down to lots"] = rounded
    return lots.astype(np.int64)


def _rows(
    source: BarsSource, starts: NDArray[np.int64], prices: NDArray[np.int64], lots: NDArray[np.int64]
) -> tuple[NDArray[np.void], int]:
    bars = len(starts)
    opened, high, low, close = prices.T
    high_first = high - opened <= opened - low
    path = np.stack([opened, np.where(high_first, high, low), np.where(high_first, low, high), close], axis=1).ravel()
    quarter = source.bar_seconds * NS_PER_SECOND // STEPS
    times = (starts[:, None] + quarter * np.arange(STEPS)).ravel()
    split = np.repeat(lots[:, None] // STEPS, STEPS, axis=1)
    split[:, -1] += lots % STEPS
    quantities = split.ravel()
    moves = np.sign(np.diff(path, prepend=path[:1]))
    direction = carried(moves, moves != 0)
    is_buy = direction >= 0
    spread = 2 * source.assumed.spread_ticks
    displayed = np.full(bars * STEPS, source.assumed.displayed_lots, np.int64)
    quotes = QuoteRows(
        times_ns=times,
        bids=np.where(is_buy, path - spread, path),
        bid_lots=displayed,
        asks=np.where(is_buy, path, path + spread),
        ask_lots=displayed,
    )
    depth, owners = depth_rows(quotes)
    traded = np.flatnonzero(quantities > 0)
    trades = np.zeros(len(traded), L2_ROWS)
    trades["time_ns"] = times[traded]
    trades["price_half_ticks"] = path[traded]
    trades["quantity"] = quantities[traded]
    trades["kind"] = L2Kind.TRADE
    trades["side"] = np.where(is_buy[traded], BID, ASK)
    # The quote of a step stands before its print.
    place = np.concatenate([2 * owners, 2 * traded + 1])
    rows = np.concatenate([depth, trades])[np.argsort(place, kind="stable")]
    return rows, len(np.unique(owners))
