"""LOBSTER's two CSV layouts, checked cell by cell.

Source: the description LOBSTER ships with its samples. Message columns: seconds after midnight in New York, type,
order id, size, price x 10000, direction (1 = the resting order buys, -1 = it sells). Order-book columns: ask price,
ask size, bid price, bid size of level 1, then of level 2, ...; row i is the book after message i; an empty level
has price +-9999999999.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bestex.adapters.marketdata.files import (
    bad_cell,
    floats,
    integers,
    read_bytes,
    read_csv,
    refuse_backward,
    refuse_where,
)
from bestex.adapters.marketdata.half_ticks import scaled_to_half_ticks
from bestex.domain.errors import InvalidData
from bestex.domain.time import NS_PER_SECOND

ADD, PARTIAL_CANCEL, DELETE, EXECUTION, HIDDEN, CROSS, HALT = 1, 2, 3, 4, 5, 6, 7
PRICE_SCALE: Final = 10_000
EMPTY: Final = 9_999_999_999
COLUMNS: Final = ("time", "type", "order id", "size", "price", "direction")
NAME = re.compile(r"^(?P<symbol>[^_]+)_(?P<day>\d{4}-\d{2}-\d{2})_.*_(?P<what>message|orderbook)_(?P<levels>\d+)\.csv")
NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True, kw_only=True)
class LobsterName:
    """What a LOBSTER file name says."""

    symbol: str
    day: date
    what: str  # "message" or "orderbook"
    levels: int  # an event beyond this many levels is not in the file


@dataclass(frozen=True, kw_only=True)
class Messages:
    """The columns of a message file, one entry a message, in file order."""

    times_ns: NDArray[np.int64]  # UTC
    types: NDArray[np.int64]
    order_ids: NDArray[np.int64]
    sizes: NDArray[np.int64]  # lots
    half_ticks: NDArray[np.int64]  # 0 for type 7
    directions: NDArray[np.int64]
    halt_codes: NDArray[np.int64]  # -1, 0, 1 for type 7; 0 elsewhere


@dataclass(frozen=True, kw_only=True)
class BookRows:
    """(rows, levels) each, in half ticks and lots; price 0 and size 0 where a level is empty."""

    ask_half_ticks: NDArray[np.int64]
    ask_sizes: NDArray[np.int64]
    bid_half_ticks: NDArray[np.int64]
    bid_sizes: NDArray[np.int64]


def parse_name(path: Path) -> LobsterName | None:
    """None where the name is not LOBSTER's."""
    found = NAME.match(path.name)
    if found is None:
        return None
    return LobsterName(
        symbol=found["symbol"], day=date.fromisoformat(found["day"]), what=found["what"], levels=int(found["levels"])
    )


def midnight_ns(day: date) -> int:
    """UTC nanoseconds of New York's midnight, by the offset that holds at noon."""
    noon = datetime.combine(day, time(12), NEW_YORK)
    return (int(noon.timestamp()) - 12 * 3600) * NS_PER_SECOND


def read_messages(path: Path, *, day: date, tick_size: Decimal, lot_size: Decimal) -> Messages:
    """Raises InvalidData naming file, row, column, value and what was expected."""
    frame = read_csv(path, COLUMNS)
    types = integers(path, frame, "type")
    refuse_where(path, frame, (types < ADD) | (types > HALT), "type", "1 to 7")
    halts = types == HALT
    seconds = floats(path, frame, "time")
    refuse_where(path, frame, (seconds < 0) | (seconds >= 86_400), "time", "seconds after midnight, 0 to 86400")
    # Exact: a double holds 86400 s to 0.008 ns, so rounding finds the written nanosecond.
    times_ns = np.rint(seconds * NS_PER_SECOND).astype(np.int64) + midnight_ns(day)
    refuse_backward(path, frame, times_ns, "time")
    directions = integers(path, frame, "direction")
    refuse_where(path, frame, ~halts & (np.abs(directions) != 1), "direction", "1 or -1")
    prices = integers(path, frame, "price")
    refuse_where(path, frame, halts & (np.abs(prices) > 1), "price", "-1, 0 or 1 for a halt")
    refuse_where(path, frame, ~halts & (prices <= 0), "price", "a positive price x 10000")
    half_ticks = scaled_to_half_ticks(path, frame, "price", np.where(halts, 0, prices), PRICE_SCALE, tick_size)
    refuse_where(
        path, frame, (types <= EXECUTION) & (half_ticks % 2 != 0), "price", f"a multiple of the tick {tick_size}"
    )
    sizes = integers(path, frame, "size")
    refuse_where(path, frame, ~halts & (sizes <= 0), "size", "a positive number of shares")
    order_ids = integers(path, frame, "order id")
    refuse_where(path, frame, (types <= EXECUTION) & (order_ids <= 0), "order id", "a positive id")
    adds = np.flatnonzero(types == ADD)
    _, first_uses = np.unique(order_ids[adds], return_index=True)
    repeated = types == ADD
    repeated[adds[first_uses]] = False
    refuse_where(path, frame, repeated, "order id", "an id that was not added before")
    return Messages(
        times_ns=times_ns,
        types=types,
        order_ids=order_ids,
        sizes=to_lots(path, frame, "size", np.where(halts, 0, sizes), lot_size),
        half_ticks=half_ticks,
        directions=directions,
        halt_codes=np.where(halts, prices, 0),
    )


def read_book(path: Path, *, tick_size: Decimal, lot_size: Decimal, rows: int | None = None) -> BookRows:
    """The order-book file, or its first `rows` rows.

    Raises:
        InvalidData: naming file, row, column, value and what was expected.
    """
    cells = read_bytes(path).split(b"\n", 1)[0].count(b",") + 1
    if cells % 4:
        bad_cell(path, 1, "number of columns", cells, "a multiple of four: ask price, ask size, bid price, bid size")
    names = [f"{side} {what} {level}" for level in range(1, cells // 4 + 1) for side, what in _FIELDS]
    frame = read_csv(path, names)
    if rows is not None:
        frame = frame.head(rows)
    columns: dict[tuple[str, str], list[NDArray[np.int64]]] = {key: [] for key in _FIELDS}
    for level in range(1, cells // 4 + 1):
        for side in ("ask", "bid"):
            price_name, size_name = f"{side} price {level}", f"{side} size {level}"
            prices = integers(path, frame, price_name)
            sizes = integers(path, frame, size_name)
            refuse_where(path, frame, sizes < 0, size_name, "not negative")
            empty = (np.abs(prices) == EMPTY) | (sizes == 0)
            refuse_where(path, frame, ~empty & (prices <= 0), price_name, "a positive price x 10000")
            shown = np.where(empty, 0, prices)
            columns[side, "price"].append(scaled_to_half_ticks(path, frame, price_name, shown, PRICE_SCALE, tick_size))
            columns[side, "size"].append(to_lots(path, frame, size_name, np.where(empty, 0, sizes), lot_size))
    return BookRows(
        ask_half_ticks=np.stack(columns["ask", "price"], axis=1),
        ask_sizes=np.stack(columns["ask", "size"], axis=1),
        bid_half_ticks=np.stack(columns["bid", "price"], axis=1),
        bid_sizes=np.stack(columns["bid", "size"], axis=1),
    )


_FIELDS: Final = (("ask", "price"), ("ask", "size"), ("bid", "price"), ("bid", "size"))


def to_lots(
    path: Path, frame: pl.DataFrame, column: str, quantities: NDArray[np.int64], lot_size: Decimal
) -> NDArray[np.int64]:
    """Whole units to lots.

    Raises:
        InvalidData: for a lot that is not whole units, or naming the first quantity that is not whole lots.
    """
    if lot_size != lot_size.to_integral_value() or lot_size <= 0:
        raise InvalidData(
            f"lot size {lot_size} is not a whole number of shares",
            field="lot_size",
            value=lot_size,
            expected="a whole number, usually 1",
        )
    lots = int(lot_size)
    refuse_where(path, frame, quantities % lots != 0, column, f"a multiple of the lot size {lots}")
    refuse_where(path, frame, quantities // lots > 2**31 - 1, column, f"at most {2**31 - 1} lots")
    return quantities // lots
