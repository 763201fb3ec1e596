"""From a path to rows: detect the format, find what belongs to it, read it, and say which instrument it is."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from bestex.adapters.marketdata.bars import BarColumns, BarsSource, IntrabarPath, lean_minutes, read_bars
from bestex.adapters.marketdata.dbn import DbnSource, read_dbn
from bestex.adapters.marketdata.detect import Detected, Format, detect
from bestex.adapters.marketdata.instrument_file import InstrumentFile, read_instrument
from bestex.adapters.marketdata.lobster import LobsterSource, read_lobster
from bestex.adapters.marketdata.mappings import LEAN_TICKS, TAQ, Mapping, read_mapping
from bestex.adapters.marketdata.source import MarketData
from bestex.adapters.marketdata.times import TimeColumn
from bestex.adapters.marketdata.trades_quotes import TradesQuotesSource, read_trades_quotes
from bestex.domain.errors import InvalidData, InvalidInput
from bestex.domain.ids import InstrumentId
from bestex.domain.instruments import AssetClass, Instrument

US_STOCK_FORMATS: Final = (Format.LOBSTER, Format.TAQ, Format.LEAN_TICKS, Format.LEAN_MINUTES)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What the caller names; the rest is detected. The fields are the options of a replay."""

    path: Path
    book: Path | None = None  # LOBSTER: the order-book file to open with, or with a row for each message
    instrument: Path | None = None  # TOML; needed where the format does not say tick and lot
    mapping: Path | None = None  # TOML; trades and quotes with other columns
    quotes: Path | None = None  # with `mapping`: the quotes file
    symbol: str | None = None  # where a file holds several instruments
    day: date | None = None  # where times count from midnight and no name says the day
    bar_seconds: int = 60
    intrabar: IntrabarPath = field(default_factory=IntrabarPath)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A recording ready to be read."""

    recording: Recording
    detected: Detected | None  # None where a mapping file says what it is
    listing: InstrumentFile

    def files(self) -> tuple[Path, ...]:
        """Every file that the rows depend on, the main one first."""
        named = (self.recording.path, self.recording.book, self.recording.quotes)
        companions = () if self.detected is None else (self.detected.path, *self.detected.companions.values())
        options = (self.recording.instrument, self.recording.mapping)
        every = (*companions, *(path for path in (*named, *options) if path is not None and path.is_file()))
        return tuple(dict.fromkeys(every))


def open_recording(recording: Recording) -> Opened:
    """Find out what it is, without reading the data.

    Raises:
        InvalidData: if the path holds nothing known, or the files that belong to it are missing.
        InvalidInput: if it needs an instrument file and there is none, or that file is wrong.
    """
    detected = None if recording.mapping is not None else detect(recording.path)
    if detected is not None and detected.format is Format.TAPE:
        raise InvalidInput(
            f"{recording.path.name} is a tape already; open it as it is",
            field="path",
            value=recording.path.name,
            expected="a recording",
        )
    if recording.instrument is not None:
        return Opened(recording=recording, detected=detected, listing=read_instrument(recording.instrument))
    if detected is None or detected.format not in US_STOCK_FORMATS:
        raise InvalidInput(
            f"{recording.path.name} does not say its tick and lot size; give an instrument file",
            field="instrument",
            value=None,
            expected="a TOML file with instrument_id, tick_size, lot_size, currency, asset_class, calendar",
        )
    symbol = recording.symbol or detected.symbol or recording.path.name.split("_")[0]
    stock = Instrument(
        instrument_id=InstrumentId(symbol),
        name=symbol,
        asset_class=AssetClass.EQUITY,
        currency="USD",
        tick_size=Decimal("0.01"),
        lot_size=Decimal(1),
        calendar="XNYS",
    )
    return Opened(recording=recording, detected=detected, listing=InstrumentFile(instrument=stock, venues=()))


def read_recording(opened: Opened) -> MarketData:
    """The rows. Raises InvalidData as the reader of the format does."""
    recording, detected, instrument = opened.recording, opened.detected, opened.listing.instrument
    if detected is None:
        assert recording.mapping is not None
        return _trades_quotes(opened, recording.path, recording.quotes, read_mapping(recording.mapping))
    companions = detected.companions
    day = recording.day or detected.day
    match detected.format:
        case Format.LOBSTER:
            return read_lobster(
                LobsterSource(
                    messages=detected.path,
                    book=recording.book or companions.get("book"),
                    level1=companions.get("level1"),
                    day=day,
                    tick_size=instrument.tick_size,
                    lot_size=instrument.lot_size,
                )
            )
        case Format.DBN:
            return read_dbn(
                DbnSource(
                    path=detected.path,
                    tick_size=instrument.tick_size,
                    lot_size=instrument.lot_size,
                    symbol=recording.symbol,
                )
            )
        case Format.TAQ:
            return _trades_quotes(opened, detected.path, recording.quotes or companions.get("quotes"), TAQ)
        case Format.LEAN_TICKS:
            mapping = LEAN_TICKS if day is None else LEAN_TICKS.on_day(day)
            return _trades_quotes(opened, detected.path, recording.quotes or companions.get("quotes"), mapping)
        case Format.LEAN_MINUTES:
            if day is None:
                raise InvalidData(
                    f"{detected.path.name} does not say its day", field="day", value=None, expected="a date"
                )
            return _bars(opened, detected.path, lean_minutes(day))
        case Format.BARS:
            assert detected.time_column is not None
            return _bars(opened, detected.path, _bar_columns(detected, recording))
        case Format.TAPE:
            raise AssertionError("open_recording refuses a tape")


def _bar_columns(detected: Detected, recording: Recording) -> BarColumns:
    assert detected.time_column is not None
    columns = BarColumns(time=TimeColumn(column=detected.time_column))
    return columns if recording.symbol is None else replace(columns, symbol="symbol")


def _bars(opened: Opened, path: Path, columns: BarColumns) -> MarketData:
    recording, instrument = opened.recording, opened.listing.instrument
    return read_bars(
        BarsSource(
            path=path,
            columns=columns,
            tick_size=instrument.tick_size,
            lot_size=instrument.lot_size,
            calendar=instrument.calendar,
            bar_seconds=recording.bar_seconds,
            assumed=recording.intrabar,
            symbol=recording.symbol if columns.symbol is not None else None,
        )
    )


def _trades_quotes(opened: Opened, trades: Path, quotes: Path | None, mapping: Mapping) -> MarketData:
    recording, instrument = opened.recording, opened.listing.instrument
    return read_trades_quotes(
        TradesQuotesSource(
            trades=trades,
            quotes=quotes,
            mapping=mapping,
            tick_size=instrument.tick_size,
            lot_size=instrument.lot_size,
            calendar=instrument.calendar,
            symbol=recording.symbol if mapping.trades.symbol is not None else None,
            day=recording.day,
        )
    )
