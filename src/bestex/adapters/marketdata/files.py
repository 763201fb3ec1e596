"""Opening market-data files: plain, gzip, xz, zip with one member, Parquet; and saying exactly which cell is wrong."""

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bestex.domain.errors import InvalidData

ROW: Final = "row_in_file"  # 1-based line of a text file, 1-based row of a Parquet file


def bad_cell(path: Path, row: int, column: str, value: object, expected: str) -> NoReturn:
    """Refuse one cell of a file.

    Raises:
        InvalidData: always.
    """
    raise InvalidData(
        f"{path.name}, row {row}: {column} is {value!r}, expected {expected}",
        field=f"{path.name}:{row}:{column}",
        value=value,
        expected=expected,
    )


def read_bytes(path: Path) -> bytes:
    """The whole content, decompressed by the name's ending (.gz, .xz, .zip with one member).

    Raises:
        InvalidData: if the file is missing, truncated or not what its ending says.
    """
    try:
        if path.suffix == ".gz":
            return gzip.decompress(path.read_bytes())
        if path.suffix == ".xz":
            return lzma.decompress(path.read_bytes())
        if path.suffix == ".zip":
            return _only_member(path)
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidData(f"{path} does not exist", field="path", value=path, expected="an existing file") from None
    except (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise InvalidData(
            f"{path.name} is truncated or not a {path.suffix} file ({error}); fetch it again",
            field=path.name,
            value=str(error),
            expected=f"a complete {path.suffix} file",
        ) from error


def _only_member(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise InvalidData(
                f"{path.name} holds {len(names)} files ({', '.join(names[:4])}); expected one",
                field=path.name,
                value=len(names),
                expected="a zip with one file",
            )
        return archive.read(names[0])


def read_csv(path: Path, columns: Sequence[str] | None, *, separator: str = ",") -> pl.DataFrame:
    """Every cell as text, with the line number of each row in column ROW.

    Args:
        columns: names for a file without a header; None where the first line names them.

    Raises:
        InvalidData: if a row has more or fewer cells than the first, or the file is not text.
    """
    content = read_bytes(path)
    has_header = columns is None
    if not content.strip():
        raise InvalidData(f"{path.name} is empty", field=path.name, value="0 rows", expected="at least one row")
    width = content.split(b"\n", 1)[0].count(separator.encode()) + 1
    if columns is not None and width != len(columns):
        bad_cell(path, 1, "number of columns", width, f"{len(columns)}: {', '.join(columns)}")
    try:
        frame = pl.read_csv(
            content,
            has_header=has_header,
            new_columns=None if columns is None else list(columns),
            separator=separator,
            infer_schema=False,
            row_index_name=ROW,
            row_index_offset=2 if has_header else 1,
        )
    except pl.exceptions.PolarsError as error:
        _refuse_ragged(path, content, separator, width)
        raise InvalidData(
            f"{path.name} cannot be read as CSV: {error}", field=path.name, value=str(error), expected="text, UTF-8"
        ) from error
    _refuse_short(path, content, separator, width)
    return frame


def _refuse_short(path: Path, content: bytes, separator: str, width: int) -> None:
    # Polars fills a short row with nulls; counting separators finds it without parsing again.
    if b'"' in content:
        return
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    if content.count(separator.encode()) != (width - 1) * lines:
        _refuse_ragged(path, content, separator, width)


def _refuse_ragged(path: Path, content: bytes, separator: str, width: int) -> None:
    for number, line in enumerate(content.split(b"\n"), start=1):
        cells = line.count(separator.encode()) + 1
        if line and cells != width and b'"' not in line:
            shown = line[:80].decode("utf-8", "replace")
            bad_cell(path, number, "number of columns", cells, f"{width} (the row is {shown!r})")


def read_parquet(path: Path) -> pl.DataFrame:
    """All columns with their types, and the row number in column ROW.

    Raises:
        InvalidData: if the file is missing, truncated or not Parquet.
    """
    try:
        return pl.read_parquet(path, row_index_name=ROW, row_index_offset=1)
    except FileNotFoundError:
        raise InvalidData(f"{path} does not exist", field="path", value=path, expected="an existing file") from None
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InvalidData(
            f"{path.name} is truncated or not Parquet ({error}); fetch it again",
            field=path.name,
            value=str(error),
            expected="a complete Parquet file",
        ) from error


def read_table(path: Path, header: Sequence[str] | None) -> pl.DataFrame:
    """A Parquet file with its types, or a CSV as text; `header` names the columns of a CSV whose first line does not.

    Raises:
        InvalidData: as `read_csv` and `read_parquet`.
    """
    return read_parquet(path) if path.suffix in (".parquet", ".pq") else read_csv(path, header)


def checked_columns(path: Path, frame: pl.DataFrame, names: Sequence[str | None]) -> None:
    """Raises InvalidData for the first of the named columns that the file does not have."""
    missing = [name for name in names if name is not None and name not in frame.columns]
    if missing:
        there = ", ".join(name for name in frame.columns if name != ROW)
        raise InvalidData(
            f"{path.name} has no column {missing[0]!r}; it has {there}",
            field=path.name,
            value=missing[0],
            expected=f"one of {there}, by a mapping file",
        )


def of_symbol(path: Path, frame: pl.DataFrame, column: str | None, symbol: str | None) -> pl.DataFrame:
    """The rows of one symbol. Raises InvalidData where there are several and none is named, or none of that name."""
    if column is None:
        return frame
    symbols = frame[column].cast(pl.String)
    names = symbols.unique().sort().to_list()
    if symbol is None and len(names) > 1:
        shown = ", ".join(str(name) for name in names[:8])
        bad_cell(path, frame[ROW][0], column, f"{len(names)} symbols", f"one symbol to be named: {shown}")
    if symbol is not None:
        frame = frame.filter(symbols == symbol)
        if frame.is_empty():
            shown = ", ".join(str(name) for name in names[:8])
            raise InvalidData(
                f"{path.name} has no row of {symbol!r}; it has {shown}", field=column, value=symbol, expected=shown
            )
    return frame


def integers(path: Path, frame: pl.DataFrame, column: str) -> NDArray[np.int64]:
    """The column as int64.

    Raises:
        InvalidData: naming the first cell that is not a whole number.
    """
    return _numbers(path, frame, column, pl.Int64, "a whole number").to_numpy()


def floats(path: Path, frame: pl.DataFrame, column: str) -> NDArray[np.float64]:
    """The column as float64, finite.

    Raises:
        InvalidData: naming the first cell that is not a finite number.
    """
    numbers: NDArray[np.float64] = _numbers(path, frame, column, pl.Float64, "a number").to_numpy()
    refuse_where(path, frame, ~np.isfinite(numbers), column, "a finite number")
    return numbers


def _numbers(path: Path, frame: pl.DataFrame, column: str, dtype: Any, expected: str) -> pl.Series:
    text = frame[column]
    source = text.str.strip_chars() if text.dtype == pl.String else text
    numbers = source.cast(dtype, strict=False)
    if numbers.null_count():
        index = int(numbers.is_null().arg_max() or 0)
        bad_cell(path, frame[ROW][index], column, text[index], expected)
    return numbers


def refuse_where(path: Path, frame: pl.DataFrame, wrong: NDArray[np.bool_], column: str, expected: str) -> None:
    """Raises InvalidData for the first row where `wrong` holds."""
    if wrong.any():
        index = int(np.argmax(wrong))
        bad_cell(path, frame[ROW][index], column, frame[column][index], expected)


def refuse_backward(path: Path, frame: pl.DataFrame, times_ns: NDArray[np.int64], column: str) -> None:
    """Raises InvalidData where a time is before the row above."""
    backward = np.flatnonzero(np.diff(times_ns) < 0)
    if backward.size:
        index = int(backward[0]) + 1
        bad_cell(path, frame[ROW][index], column, frame[column][index], f"at or after {frame[column][index - 1]}")
