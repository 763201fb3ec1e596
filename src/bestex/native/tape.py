"""Tapes: one instrument's day, immutable, built once from feed rows and mapped by every replay."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bestex.domain.errors import InvalidData, InvalidInput
from bestex.native import _core
from bestex.native.rows import L2_ROWS, L3_ROWS

NO_PRICE: Final = np.iinfo(np.int64).min  # a price in ticks where that side of the book is empty

QUOTE_ROWS: Final = np.dtype(
    [
        ("time_ns", "<i8"),
        ("bid_ticks", "<i8"),  # NO_PRICE where that side is empty
        ("ask_ticks", "<i8"),
        ("bid_quantity", "<u4"),
        ("ask_quantity", "<u4"),
    ]
)

TRADE_ROWS: Final = np.dtype(
    [
        ("time_ns", "<i8"),
        ("price_half_ticks", "<i8"),
        ("quantity", "<u4"),
        ("aggressor", "u1"),  # 0 buy, 1 sell; meaningless for a cross
        ("kind", "u1"),  # 0 displayed, 1 hidden, 2 a print without its depth row, 3 cross
        ("pad", "u1", (2,)),
    ]
)


@dataclass(frozen=True, kw_only=True)
class TapeMetadata:
    """What a tape's header says. Prices in ticks, quantities in lots."""

    instrument_id: str
    tick_size: str
    lot_size: str
    day: str
    level: int  # 3 = order by order, 2 = by price level
    rows: int  # 16-byte rows in the file, time rows included
    source_rows: int
    checksum: int
    first_time_ns: int
    last_time_ns: int
    lowest_price_ticks: int
    highest_price_ticks: int
    orders_live_max: int  # 0 on an L2 tape
    adds: int
    cancels: int
    fills: int
    hidden_fills: int
    prints: int
    crosses: int
    halts: int
    traded_lots: int  # crosses apart
    crossed_quotes: int  # instants that ended with bid > ask
    locked_quotes: int  # instants that ended with bid = ask


class Tape:
    """An open tape. Mapped, checked against its checksum once, never resident as a whole."""

    def __init__(self, core: _core.Tape, path: str) -> None:
        self.core = core
        self.path = path
        self.metadata = TapeMetadata(**core.metadata())

    def quotes(self, start_ns: int, end_ns: int, *, limit: int = 10_000, every_row: bool = False) -> NDArray[np.void]:
        """The best quote standing at `start_ns`, then each change before `end_ns`; the latest `limit`, as QUOTE_ROWS.

        By default one state per instant: what stands when all rows of one time are applied. `every_row` shows the
        states inside a sweep too.
        """
        found = self.core.quotes(start_ns, end_ns, limit, every_row)
        return found.view(QUOTE_ROWS).reshape(-1)

    def trades(self, start_ns: int, end_ns: int, *, limit: int = 10_000) -> NDArray[np.void]:
        """Executions and prints in [start_ns, end_ns); the latest `limit`, in order, as TRADE_ROWS."""
        return self.core.trades(start_ns, end_ns, limit).view(TRADE_ROWS).reshape(-1)


def build_tape(
    rows: NDArray[np.void] | Iterable[NDArray[np.void]],
    path: str | PathLike[str],
    *,
    instrument_id: str,
    tick_size: str = "0.01",
    lot_size: str = "1",
    day: str = "",
    refuse_crossed: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Tape:
    """Build a tape from rows in time order and open it.

    Args:
        rows: one array, or chunks of it, all L3_ROWS or all L2_ROWS. Only the live orders are held in memory.
        path: the file appears here when it is complete.
        day: ISO date; the UTC day of the first row when empty.
        refuse_crossed: fail on the first instant that ends crossed or locked. Otherwise such instants are counted.
        progress: called after each chunk with the number of source rows read.

    Raises:
        InvalidData: names the row (counted from 0 over all chunks), the field and the value.
    """
    builder: _core.TapeBuilder | None = None
    layout: np.dtype[Any] | None = None
    done = 0
    try:
        for chunk in [rows] if isinstance(rows, np.ndarray) else rows:
            if chunk.dtype not in (L2_ROWS, L3_ROWS) or (layout is not None and chunk.dtype != layout):
                raise InvalidData(
                    f"rows of {path} have the layout {chunk.dtype}; use L3_ROWS or L2_ROWS, the same in all chunks",
                    field="dtype",
                    value=chunk.dtype,
                    expected="bestex.native.rows.L3_ROWS or L2_ROWS",
                )
            if builder is None:
                layout = chunk.dtype
                builder = _core.TapeBuilder(
                    path=fspath(path),
                    instrument_id=instrument_id,
                    tick_size=tick_size,
                    lot_size=lot_size,
                    day=day,
                    level=3 if layout == L3_ROWS else 2,
                    refuse_crossed=refuse_crossed,
                )
            add = builder.add_l3 if layout == L3_ROWS else builder.add_l2
            for part in np.array_split(chunk, max(1, -(-len(chunk) // 65_536))):
                add(np.ascontiguousarray(part).view(np.uint8).reshape(len(part), 32))
            done += len(chunk)
            if progress is not None:
                progress(done)
        if builder is None:
            raise InvalidData(
                f"there is no row to build {path} from", field="rows", value=0, expected="at least one row"
            )
        builder.finish()
    except _core.TapeError as error:
        raise _invalid_data(error, f"{path}: ") from None
    return open_tape(path)


def open_tape(path: str | PathLike[str]) -> Tape:
    """Open a tape and check it whole.

    Raises:
        InvalidData: if it is no tape, of another version, truncated or corrupted.
        InvalidInput: if there is no such file.
    """
    try:
        return Tape(_core.Tape(fspath(path)), fspath(path))
    except _core.TapeError as error:
        raise _invalid_data(error, "") from None


def _invalid_data(error: _core.TapeError, prefix: str) -> InvalidInput:
    message, field, value = error.args
    return InvalidData(prefix + message, field=field or None, value=value or None)
