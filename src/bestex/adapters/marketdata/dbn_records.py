"""Databento Binary Encoding files (`.dbn`, `.dbn.zst`) as records of one instrument, in file order."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import databento_dbn as dbn

from bestex.adapters.marketdata.files import bad_cell
from bestex.adapters.marketdata.zstandard import is_complete, is_zstandard
from bestex.domain.errors import InvalidData

CHUNK_BYTES: Final = 1 << 20
PRICE_SCALE: Final = 1_000_000_000  # prices are in 1e-9 units


@dataclass(frozen=True, kw_only=True)
class DbnHeader:
    """What the file says of itself."""

    dataset: str
    schema: str  # "mbo", "mbp-1", ...
    symbols: dict[int, str]  # by instrument id; empty where the file has no mapping


class DbnFile:
    """One file, its header read; `records` decodes the rest a megabyte at a time.

    Raises:
        InvalidData: if the file is missing, truncated, corrupted or not DBN.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._content = path.read_bytes()
        except OSError as error:
            raise InvalidData(
                f"{path} cannot be read: {error}", field="path", value=path, expected="an existing file"
            ) from error
        is_compressed = is_zstandard(self._content)
        if is_compressed and not is_complete(self._content):
            raise self._damaged("it ends in the middle of a zstandard frame")
        if not is_compressed and self._content[:3] != b"DBN":
            raise self._damaged(f"it begins with {self._content[:4]!r}")
        self._compression: Any = dbn.Compression.ZSTD if is_compressed else dbn.Compression.NONE
        metadata = next((record for _, record in self._decoded() if isinstance(record, dbn.Metadata)), None)
        if metadata is None:
            raise self._damaged("its header is missing or cut")
        symbols = {}
        for raw_symbol, intervals in metadata.mappings.items():
            for interval in intervals:
                if str(interval["symbol"]).isdigit():
                    symbols[int(interval["symbol"])] = raw_symbol
        self.header = DbnHeader(dataset=metadata.dataset, schema=str(metadata.schema), symbols=symbols)

    def records(self, symbol: str | None) -> Iterator[tuple[int, Any]]:
        """Row number from 1 and record, of the one symbol (the file's only instrument where None).

        Raises:
            InvalidData: for a symbol the file does not have, several instruments and no symbol, or a damaged file.
        """
        wanted = None
        if symbol is not None:
            known = {name: number for number, name in self.header.symbols.items()}
            if symbol not in known:
                raise InvalidData(
                    f"{self.path.name} has no {symbol!r}; it has {', '.join(known) or 'no symbols'}",
                    field="symbol",
                    value=symbol,
                    expected=", ".join(known),
                )
            wanted = {number for number, name in self.header.symbols.items() if name == symbol}
        only: int | None = None
        received_ns = 0
        for row, record in self._decoded():
            if not hasattr(record, "instrument_id") or not hasattr(record, "action"):
                continue
            if wanted is None:
                if only is not None and record.instrument_id != only:
                    bad_cell(self.path, row, "instrument_id", record.instrument_id, f"{only}, or a symbol to be named")
                only = record.instrument_id
            elif record.instrument_id not in wanted:
                continue
            if record.ts_recv < received_ns:
                bad_cell(self.path, row, "ts_recv", record.ts_recv, f"at or after {received_ns}")
            received_ns = record.ts_recv
            yield row, record

    def _decoded(self) -> Iterator[tuple[int, Any]]:
        decoder = dbn.DBNDecoder(compression=self._compression)
        row = 0
        try:
            for start in range(0, len(self._content), CHUNK_BYTES):
                for record in decoder.write_and_decode(self._content[start : start + CHUNK_BYTES]):
                    yield row, record
                    row += 1
        except (dbn.DBNError, RuntimeError, ValueError) as error:
            raise self._damaged(str(error)) from error
        left = decoder.buffer()
        if left:
            raise self._damaged(f"{len(left)} bytes are left after record {row - 1}")

    def _damaged(self, why: str) -> InvalidData:
        return InvalidData(
            f"{self.path.name} is truncated or not DBN: {why}; fetch it again",
            field=self.path.name,
            value=why,
            expected="a complete DBN file, plain or zstandard",
        )
