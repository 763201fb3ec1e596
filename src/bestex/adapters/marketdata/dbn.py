"""Databento files to rows: order by order (mbo) as L3, top of book with trades (mbp-1, tbbo) as L2.

Times are the exchange's (`ts_event`); records of a snapshot carry the time of the snapshot (`ts_recv`), since their
orders are older than the file.
"""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import databento_dbn as dbn
import numpy as np

from bestex.adapters.marketdata.dbn_orders import DbnOrders
from bestex.adapters.marketdata.dbn_records import PRICE_SCALE, DbnFile
from bestex.adapters.marketdata.files import bad_cell
from bestex.adapters.marketdata.quotes import QuoteRows, depth_rows
from bestex.adapters.marketdata.source import Layout, MarketData, SourceReport, kinds_of
from bestex.domain.errors import InvalidData
from bestex.native.rows import ASK, BID, L2_ROWS, L3_ROWS, L2Kind

SIDES: Final = {"B": BID, "A": ASK}
NO_SIDE: Final = "N"
TOP_SCHEMAS: Final = ("mbp-1", "tbbo")


@dataclass(frozen=True, kw_only=True)
class DbnSource:
    """One instrument of one DBN file."""

    path: Path
    tick_size: Decimal
    lot_size: Decimal
    symbol: str | None = None  # needed where the file holds several


def read_dbn(source: DbnSource) -> MarketData:
    """Rows of one instrument.

    Raises:
        InvalidData: for a file that is missing, truncated, damaged or of another schema; or a record that is out of
            order, off the grid or without its side; names file, record, field and value.
    """
    file = DbnFile(source.path)
    if file.header.schema == "mbo":
        return _from_orders(source, file)
    if file.header.schema in TOP_SCHEMAS:
        return _from_top(source, file)
    raise InvalidData(
        f"{source.path.name} has the schema {file.header.schema}",
        field="schema",
        value=file.header.schema,
        expected="mbo, mbp-1 or tbbo",
    )


class _Grid:
    """Prices and sizes of one file onto half ticks and lots."""

    def __init__(self, source: DbnSource) -> None:
        self._path = source.path
        self._half_tick = Fraction(source.tick_size) * PRICE_SCALE / 2
        self._lot = Fraction(source.lot_size)
        self._tick_size, self._lot_size = source.tick_size, source.lot_size

    def half_ticks(self, row: int, column: str, price: int, *, is_displayed: bool) -> int:
        half_ticks = Fraction(price) / self._half_tick
        if half_ticks.denominator != 1 or (is_displayed and half_ticks % 2 != 0):
            bad_cell(self._path, row, column, Decimal(price) / PRICE_SCALE, f"a multiple of the tick {self._tick_size}")
        return int(half_ticks)

    def lots(self, row: int, column: str, size: int, *, least: int = 0) -> int:
        lots = Fraction(size) / self._lot
        if lots.denominator != 1 or lots < least:
            bad_cell(self._path, row, column, size, f"at least {least}, a multiple of the lot {self._lot_size}")
        return int(lots)


class _Times:
    """Exchange times that never go back."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.held = 0

    def of(self, record: Any) -> int:
        time_ns = record.ts_recv if record.flags & dbn.F_SNAPSHOT else record.ts_event
        if time_ns < self.now_ns:
            self.held += 1
        self.now_ns = max(self.now_ns, time_ns)
        return self.now_ns


def _from_orders(source: DbnSource, file: DbnFile) -> MarketData:
    grid, times, book = _Grid(source), _Times(), DbnOrders()
    actions: Counter[str] = Counter()
    states = crossed = locked = read = 0
    last: tuple[int | None, int | None] = (None, None)
    for row, record in file.records(source.symbol):
        read += 1
        action, side = str(record.action), str(record.side)
        time_ns = times.of(record)
        actions[action] += 1
        if record.flags & dbn.F_SNAPSHOT:
            book.facts["records of a snapshot"] += 1
        if action == "R":
            book.clear(time_ns)
        elif action in ("T", "F"):
            half_ticks = grid.half_ticks(row, "price", record.price, is_displayed=False)
            lots = grid.lots(row, "size", record.size)
            if side == NO_SIDE:
                # An auction: T prints it, its fills leave the book by the cancels that follow.
                if action == "T" and lots:
                    book.print_cross(time_ns, half_ticks, lots)
            elif action == "F":
                book.fill(time_ns, record.order_id, half_ticks, lots)
            else:
                book.trade(half_ticks, lots, SIDES[side])
                book.facts["lots traded by aggressors"] += lots
        elif action in ("A", "C", "M"):
            if side not in SIDES:
                bad_cell(source.path, row, "side", side, "A or B")
            lots = grid.lots(row, "size", record.size)
            if action == "C":
                book.cancel(time_ns, record.order_id, lots)
            else:
                half_ticks = grid.half_ticks(row, "price", record.price, is_displayed=True)
                if lots == 0:
                    bad_cell(source.path, row, "size", record.size, "positive")
                change = book.add if action == "A" else book.modify
                change(time_ns, record.order_id, half_ticks, lots, SIDES[side])
        elif action != "N":
            bad_cell(source.path, row, "action", action, "A, C, M, T, F, R or N")
        if record.flags & dbn.F_LAST:
            book.end_event(time_ns)
            best = book.best()
            if best != last:
                last, states = best, states + 1
                if best[0] is not None and best[1] is not None:
                    crossed += best[0] > best[1]
                    locked += best[0] == best[1]
    book.end_event(times.now_ns)
    rows = np.array(book.rows, L3_ROWS)
    if times.held:
        book.facts["exchange times that went back, held"] = times.held
    report = SourceReport(
        format=f"Databento mbo, {file.header.dataset}",
        files=(source.path.name,),
        rows_read=read,
        rows_written=len(rows),
        first_time_ns=int(rows["time_ns"][0]) if len(rows) else None,
        last_time_ns=int(rows["time_ns"][-1]) if len(rows) else None,
        kinds=kinds_of(rows, Layout.L3),
        dropped=dict(book.dropped),
        quotes=states,
        crossed_quotes=crossed,
        locked_quotes=locked,
        facts={**{f"records {action}": count for action, count in sorted(actions.items())}, **book.facts},
    )
    return MarketData(layout=Layout.L3, rows=rows, tick_size=source.tick_size, lot_size=source.lot_size, report=report)


def _from_top(source: DbnSource, file: DbnFile) -> MarketData:
    grid, times = _Grid(source), _Times()
    trades: list[tuple[int, int, int, int, int, int, tuple[int, ...]]] = []
    after: list[int] = []  # for each trade, quotes before it
    quotes: list[tuple[int, ...]] = []
    facts: Counter[str] = Counter()
    read = 0
    for row, record in file.records(source.symbol):
        read += 1
        time_ns = times.of(record)
        facts[f"records {record.action}"] += 1
        if str(record.action) == "T" and record.size:
            half_ticks = grid.half_ticks(row, "price", record.price, is_displayed=False)
            lots = grid.lots(row, "size", record.size)
            side = str(record.side)
            kind = L2Kind.CROSS if side == NO_SIDE else L2Kind.TRADE
            trades.append((time_ns, half_ticks, lots, 0, kind, SIDES.get(side, 0), (0,) * 6))
            after.append(len(quotes))
        top = record.levels[0]
        sides: list[int] = []
        for name, price, size in (("bid_px", top.bid_px, top.bid_sz), ("ask_px", top.ask_px, top.ask_sz)):
            is_empty = price == dbn.UNDEF_PRICE or size == 0
            sides.append(0 if is_empty else grid.half_ticks(row, name, price, is_displayed=True))
            sides.append(0 if is_empty else grid.lots(row, name, size))
        quotes.append((time_ns, *sides))
    columns = np.array(quotes, np.int64).reshape(-1, 5)
    tops = QuoteRows(
        times_ns=columns[:, 0], bids=columns[:, 1], bid_lots=columns[:, 2], asks=columns[:, 3], ask_lots=columns[:, 4]
    )
    depth, owners = depth_rows(tops)
    rows = np.concatenate([np.array(trades, L2_ROWS), depth])
    # A trade's record shows the book before it: it goes ahead of that quote's changes and of the next one's.
    place = np.concatenate([np.array(after, np.int64) * 2, owners * 2 + 1])
    rows = rows[np.argsort(place, kind="stable")]
    changed = np.ones(len(columns), np.bool_)
    changed[1:] = (columns[1:, 1:] != columns[:-1, 1:]).any(axis=1)
    both = changed & (tops.bids > 0) & (tops.asks > 0)
    if times.held:
        facts["exchange times that went back, held"] = times.held
    report = SourceReport(
        format=f"Databento {file.header.schema}, {file.header.dataset}",
        files=(source.path.name,),
        rows_read=read,
        rows_written=len(rows),
        first_time_ns=int(rows["time_ns"][0]) if len(rows) else None,
        last_time_ns=int(rows["time_ns"][-1]) if len(rows) else None,
        kinds=kinds_of(rows, Layout.L2),
        quotes=int(changed.sum()),
        crossed_quotes=int((both & (tops.bids > tops.asks)).sum()),
        locked_quotes=int((both & (tops.bids == tops.asks)).sum()),
        facts=dict(facts),
        caveats=("only the best price of each side is known",),
    )
    return MarketData(layout=Layout.L2, rows=rows, tick_size=source.tick_size, lot_size=source.lot_size, report=report)
