"""Completed orders' fills and the quotes of their days, as columns: one Parquet file a day, read with Polars.

Decimals are int64 in units of 1e-8, in columns whose names end in _e8; times are int64 UTC nanoseconds. A file appears
whole or not at all. Writing a fill again changes nothing.
"""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import polars as pl

from bestex.adapters.marketdata.files import ROW, read_parquet
from bestex.domain.errors import InvalidInput
from bestex.domain.market import Quote
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.records import FillRow

SCALE: Final = Decimal(10**8)
INT64_MAX: Final = 2**63 - 1
FILL_SCHEMA: Final = pl.Schema(
    {
        "execution_id": pl.String,
        "order_id": pl.String,
        "child_order_id": pl.String,
        "instrument_id": pl.String,
        "side": pl.String,
        "venue": pl.String,
        "quantity_e8": pl.Int64,
        "price_e8": pl.Int64,
        "liquidity": pl.String,
        "fee_e8": pl.Int64,
        "bid_e8": pl.Int64,
        "ask_e8": pl.Int64,
        "venue_time_ns": pl.Int64,
        "received_time_ns": pl.Int64,
    }
)
QUOTE_SCHEMA: Final = pl.Schema(
    {
        "time_ns": pl.Int64,
        "bid_e8": pl.Int64,
        "ask_e8": pl.Int64,
        "bid_quantity_e8": pl.Int64,
        "ask_quantity_e8": pl.Int64,
    }
)
SUFFIX: Final = "_e8"


class ParquetHistory:
    """fills/DAY.parquet and quotes/INSTRUMENT/DAY.parquet under one folder; days are UTC days of the venue's time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write_fills(self, fills: Sequence[FillRow]) -> list[Path]:
        """Add fills to the files of their days; a fill that is there already (venue and execution id) stays once.

        Raises:
            InvalidInput: for a number of more than eight decimals or beyond 92,233,720,368.
            InvalidData: if a file that is there already is damaged.
        """
        by_day: dict[date, list[FillRow]] = {}
        for fill in fills:
            by_day.setdefault(_day(fill.venue_time_ns), []).append(fill)
        written = []
        for day, found in sorted(by_day.items()):
            path = self._folder / "fills" / f"{day}.parquet"
            frame = pl.DataFrame([_columns(fill, FILL_SCHEMA) for fill in found], schema=FILL_SCHEMA)
            if path.is_file():
                frame = pl.concat([read_parquet(path).drop(ROW), frame])
            frame = frame.unique(["venue", "execution_id"], keep="last").sort("venue_time_ns", "venue", "execution_id")
            _write(frame, path)
            written.append(path)
        return written

    def fills(self, first: date, last: date, *, instrument_id: str | None = None) -> list[FillRow]:
        """Fills of the days from first to last, both included, by venue time. Days without a file have none.

        Raises:
            InvalidData: if a file is damaged.
        """
        frame = self.fills_frame(first, last)
        if instrument_id is not None:
            frame = frame.filter(pl.col("instrument_id") == instrument_id)
        return [FillRow(**_values(row)) for row in frame.iter_rows(named=True)]

    def fills_frame(self, first: date, last: date) -> pl.DataFrame:
        """The same as columns (FILL_SCHEMA)."""
        return _read(self._folder / "fills", FILL_SCHEMA, first, last)

    def write_quotes(self, instrument_id: str, quotes: Sequence[Quote]) -> list[Path]:
        """Write the best quotes of whole days; a day that is there already is replaced.

        Raises:
            InvalidInput: if times go back, or for a number of more than eight decimals or beyond 92,233,720,368.
        """
        by_day: dict[date, list[Quote]] = {}
        before = None
        for one in quotes:
            if before is not None and one.time_ns < before:
                raise InvalidInput(
                    f"quote at {one.time_ns} after one at {before}", field="time_ns", value=one.time_ns,
                    expected="quotes in time order",
                )  # fmt: skip
            before = one.time_ns
            by_day.setdefault(_day(one.time_ns), []).append(one)
        written = []
        for day, found in by_day.items():
            path = self._quotes_folder(instrument_id) / f"{day}.parquet"
            _write(pl.DataFrame([_columns(one, QUOTE_SCHEMA) for one in found], schema=QUOTE_SCHEMA), path)
            written.append(path)
        return written

    def quotes(self, instrument_id: str, first: date, last: date) -> list[Quote]:
        """Quotes of the days from first to last, both included, in time order.

        Raises:
            InvalidData: if a file is damaged.
        """
        frame = _read(self._quotes_folder(instrument_id), QUOTE_SCHEMA, first, last)
        return [Quote(**_values(row)) for row in frame.iter_rows(named=True)]

    def _quotes_folder(self, instrument_id: str) -> Path:
        # An id such as BRK/B or EUR.USD:X must not leave the folder.
        return self._folder / "quotes" / quote(instrument_id, safe="").replace(".", "%2E")


def _day(time_ns: int) -> date:
    return datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC).date()


def _columns(row: FillRow | Quote, schema: pl.Schema) -> dict[str, Any]:
    return {
        name: _scaled(name.removesuffix(SUFFIX), getattr(row, name.removesuffix(SUFFIX)))
        if name.endswith(SUFFIX)
        else getattr(row, name)
        for name in schema
    }


def _values(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name.removesuffix(SUFFIX): Decimal(value) / SCALE if name.endswith(SUFFIX) and value is not None else value
        for name, value in row.items()
    }


def _scaled(field: str, value: Decimal | None) -> int | None:
    if value is None:
        return None
    scaled = value * SCALE
    if not scaled.is_finite() or scaled != scaled.to_integral_value() or abs(scaled) > INT64_MAX:
        raise InvalidInput(
            f"{field} {value} does not fit eight decimals in 64 bits",
            field=field,
            value=value,
            expected=f"at most eight decimals, at most {INT64_MAX / SCALE}",
        )
    return int(scaled)


def _write(frame: pl.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    frame.write_parquet(partial, compression="zstd", statistics=True)
    partial.replace(path)


def _read(folder: Path, schema: pl.Schema, first: date, last: date) -> pl.DataFrame:
    frames = [
        read_parquet(path).drop(ROW)
        for path in sorted(folder.glob("*.parquet"))
        if first.isoformat() <= path.stem <= last.isoformat()
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)
