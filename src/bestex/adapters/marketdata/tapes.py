"""A tape is built once from a recording and kept: the next replay of the same files and options opens it at once.

The name of a kept tape is a digest of the content of every file, the options and the readers' version, so a changed
file or option builds anew. Beside it stands the report of how it was read.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from bestex.adapters.marketdata.instrument_file import InstrumentFile
from bestex.adapters.marketdata.recordings import Opened, Recording, open_recording, read_recording
from bestex.adapters.marketdata.source import Repair, SourceReport
from bestex.domain.errors import InvalidData, InvalidInput
from bestex.native.tape import Tape, build_tape, open_tape

READERS_VERSION: Final = 1  # raise it when a reader makes other rows of the same files
READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class RecordedTape:
    """An open tape, what it is a recording of, and how it was read."""

    tape: Tape
    listing: InstrumentFile
    report: SourceReport
    is_from_cache: bool


def default_cache(environment: Mapping[str, str], home: Path) -> Path:
    """Where tapes are kept: bestex/tapes under XDG_CACHE_HOME, or under .cache of the home folder."""
    named = environment.get("XDG_CACHE_HOME", "")
    root = Path(named) if named and Path(named).is_absolute() else home / ".cache"
    return root / "bestex" / "tapes"


def recorded_tape(
    recording: Recording, cache: Path, *, progress: Callable[[int, int], None] | None = None
) -> RecordedTape:
    """The tape of a recording: opened where it was built before, else built and kept.

    Args:
        progress: called with rows done and rows in all while a tape is built.

    Raises:
        InvalidData: for data that cannot be read. A kept tape that is damaged is built again.
        InvalidInput: for options that are missing or wrong, or a cache folder that cannot be written.
    """
    opened = open_recording(recording)
    digest = _digest(opened)
    target, notes = cache / f"{digest}.tape", cache / f"{digest}.json"
    kept = _kept(target, notes)
    if kept is not None:
        return RecordedTape(tape=kept[0], listing=opened.listing, report=kept[1], is_from_cache=True)
    data = read_recording(opened)
    total = len(data.rows)
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"tapes cannot be kept in {cache}: {error}", field="cache", value=cache, expected="a folder to write in"
        ) from error
    # Built under a name of this process, so that two of them never write one file.
    building = cache / f"{digest}.{os.getpid()}.building"
    build_tape(
        data.chunks(),
        building,
        instrument_id=str(opened.listing.instrument.instrument_id),
        tick_size=str(data.tick_size),
        lot_size=str(data.lot_size),
        progress=None if progress is None else lambda done: progress(done, total),
    )
    notes_building = cache / f"{digest}.{os.getpid()}.notes"
    notes_building.write_text(json.dumps(asdict(data.report), default=str), encoding="utf-8")
    notes_building.replace(notes)
    building.replace(target)
    return RecordedTape(tape=open_tape(target), listing=opened.listing, report=data.report, is_from_cache=False)


def _kept(target: Path, notes: Path) -> tuple[Tape, SourceReport] | None:
    if not target.is_file() or not notes.is_file():
        return None
    try:
        return open_tape(target), _report(json.loads(notes.read_text(encoding="utf-8")))
    except (InvalidData, ValueError, TypeError, KeyError):
        # A damaged copy of what can be built again.
        return None


def _report(table: dict[str, Any]) -> SourceReport:
    repairs = tuple(
        Repair(**{**one, "price": Decimal(one["price"]), "quantity": Decimal(one["quantity"])})
        for one in table["repairs"]
    )
    return SourceReport(
        **{**table, "files": tuple(table["files"]), "caveats": tuple(table["caveats"]), "repairs": repairs}
    )


def _digest(opened: Opened) -> str:
    recording = opened.recording
    digest = hashlib.blake2b(digest_size=16)
    instrument = opened.listing.instrument
    options = (
        READERS_VERSION,
        None if opened.detected is None else opened.detected.format,
        str(instrument.instrument_id),
        str(instrument.tick_size),
        str(instrument.lot_size),
        instrument.calendar,
        recording.symbol,
        str(recording.day),
        recording.bar_seconds,
        repr(recording.intrabar),
    )
    digest.update(repr(options).encode())
    for path in opened.files():
        digest.update(path.name.encode() + b"\0")
        try:
            with path.open("rb") as file:
                while chunk := file.read(READ_BYTES):
                    digest.update(chunk)
        except OSError as error:
            raise InvalidData(
                f"{path} cannot be read: {error}", field="path", value=path, expected="a readable file"
            ) from error
    return digest.hexdigest()
