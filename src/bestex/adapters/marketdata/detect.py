"""What a path holds: which format, and which files belong to it. Nothing is read but names and first lines."""

import gzip
import lzma
import re
import zipfile
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final

import polars as pl

from bestex.adapters.marketdata.lobster_files import LobsterName, parse_name
from bestex.adapters.marketdata.zstandard import is_zstandard
from bestex.domain.errors import InvalidData

BAR_COLUMNS: Final = frozenset({"open", "high", "low", "close", "volume"})
TIME_COLUMNS: Final = ("ts_utc", "timestamp_utc", "timestamp", "datetime", "time", "date")
TAPE_MAGIC: Final = b"BESTEXTP"
LEAN_NAME: Final = re.compile(r"^(?P<day>\d{8})_(?P<what>trade|quote)\.zip$")
TRIED: Final = (
    "a tape (begins with BESTEXTP)",
    "LOBSTER (SYMBOL_DATE_START_END_message_LEVELS.csv)",
    "Databento (.dbn, .dbn.zst)",
    "LEAN ticks or minutes (YYYYMMDD_trade.zip under tick/ or minute/)",
    "TAQ trades (columns DT, PRICE, SIZE)",
    "bars (columns open, high, low, close, volume and a time)",
)


class Format(StrEnum):
    """Formats that can be told from their files."""

    TAPE = "TAPE"  # built before
    LOBSTER = "LOBSTER"
    DBN = "DBN"
    LEAN_TICKS = "LEAN_TICKS"
    LEAN_MINUTES = "LEAN_MINUTES"
    TAQ = "TAQ"
    BARS = "BARS"


@dataclass(frozen=True, kw_only=True)
class Detected:
    """A format with the files that go together."""

    format: Format
    path: Path  # messages, trades, bars, ...
    companions: dict[str, Path] = field(default_factory=dict)  # "book", "level1", "quotes"
    symbol: str | None = None  # as the file's name says
    day: date | None = None
    time_column: str | None = None  # of bars
    needs_instrument: bool = False  # tick and lot are not known from the format


def detect(path: Path) -> Detected:
    """The format of a file, or of the one recording in a folder.

    Raises:
        InvalidData: if there is nothing, nothing of a known format (saying what was tried), or more than one recording.
    """
    if path.is_dir():
        return _in_folder(path)
    if not path.is_file():
        raise InvalidData(f"{path} does not exist", field="path", value=path, expected="a file or a folder")
    found = _of_file(path)
    if found is None:
        raise InvalidData(
            f"{path.name} is of no known format; tried {'; '.join(TRIED)}",
            field="path",
            value=path.name,
            expected="; ".join(TRIED),
        )
    return found


def _in_folder(folder: Path) -> Detected:
    found = [one for one in map(_of_file, sorted(folder.iterdir())) if one is not None]
    if not found:
        raise InvalidData(
            f"no file in {folder} is of a known format; tried {'; '.join(TRIED)}",
            field="path",
            value=folder,
            expected="; ".join(TRIED),
        )
    if len(found) > 1:
        names = ", ".join(one.path.name for one in found[:6])
        raise InvalidData(
            f"{folder} holds {len(found)} recordings: {names}; name one of them",
            field="path",
            value=f"{len(found)} recordings",
            expected=names,
        )
    return found[0]


def _of_file(path: Path) -> Detected | None:
    if not path.is_file():
        return None
    head = _head(path)
    if head.startswith(TAPE_MAGIC):
        return Detected(format=Format.TAPE, path=path)
    name = parse_name(path)
    if name is not None:
        return _lobster(path, name) if name.what == "message" else None
    if head.startswith(b"DBN") or (is_zstandard(head) and ".dbn" in path.name):
        return Detected(format=Format.DBN, path=path, needs_instrument=True)
    lean = LEAN_NAME.match(path.name)
    if lean is not None:
        return _lean(path, lean)
    columns = _columns(path, head)
    if {"DT", "PRICE", "SIZE"} <= columns.keys():
        quotes = path.with_name(path.name.replace("trades", "quotes"))
        has_quotes = quotes != path and quotes.is_file()
        return Detected(format=Format.TAQ, path=path, companions={"quotes": quotes} if has_quotes else {})
    lower = {name.lower(): name for name in columns}
    time_column = next((lower[name] for name in TIME_COLUMNS if name in lower), None)
    if lower.keys() >= BAR_COLUMNS and time_column is not None:
        return Detected(format=Format.BARS, path=path, time_column=time_column, needs_instrument=True)
    return None


def _lobster(path: Path, name: LobsterName) -> Detected:
    """The row-aligned book, or else the deepest of the day to open with; and a level 1 to check against."""
    companions: dict[str, Path] = {}
    aligned = path.with_name(path.name.replace("_message_", "_orderbook_"))
    if aligned.is_file():
        companions["book"] = aligned
    else:
        others = []
        for other in sorted(path.parent.iterdir()):
            parsed = parse_name(other)
            if parsed is not None and (parsed.symbol, parsed.day, parsed.what) == (name.symbol, name.day, "orderbook"):
                others.append((parsed.levels, other))
        deepest = max(others, key=lambda one: one[0], default=None)
        if deepest is not None:
            companions["book"] = deepest[1]
        level1 = [other for levels, other in others if levels == 1]
        if len(level1) == 1:
            companions["level1"] = level1[0]
    return Detected(format=Format.LOBSTER, path=path, companions=companions, symbol=name.symbol, day=name.day)


def _lean(path: Path, lean: re.Match[str]) -> Detected | None:
    if lean["what"] == "quote":
        return None
    resolution = next((part for part in reversed(path.parts[:-1]) if part in ("tick", "minute")), None)
    if resolution is None:
        return None
    day = date.fromisoformat(lean["day"])
    symbol = path.parent.name.upper()
    if resolution == "minute":
        return Detected(format=Format.LEAN_MINUTES, path=path, symbol=symbol, day=day)
    quotes = path.with_name(path.name.replace("_trade", "_quote"))
    companions = {"quotes": quotes} if quotes.is_file() else {}
    return Detected(format=Format.LEAN_TICKS, path=path, companions=companions, symbol=symbol, day=day)


def _head(path: Path, length: int = 4096) -> bytes:
    """The first bytes, decompressed where the name says gzip or xz; empty where that fails."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                return file.read(length)
        if path.suffix == ".xz":
            with lzma.open(path) as file:
                return file.read(length)
        with path.open("rb") as file:
            return file.read(length)
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile):
        return b""


def _columns(path: Path, head: bytes) -> dict[str, None]:
    """Names of the columns: of the Parquet schema, or the cells of a first line of text."""
    if head.startswith(b"PAR1"):
        try:
            return dict.fromkeys(pl.read_parquet_schema(path))
        except (pl.exceptions.PolarsError, OSError):
            return {}
    try:
        line = head.split(b"\n", 1)[0].decode("utf-8")
    except UnicodeDecodeError:
        return {}
    return dict.fromkeys(cell.strip() for cell in line.split(","))
