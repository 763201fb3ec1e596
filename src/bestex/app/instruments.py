"""Instruments from files: told to a desk as it starts, or to a running one over HTTP (`bestex instruments add`)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bestex.adapters.marketdata.instrument_file import InstrumentFile, read_instrument
from bestex.app.desk import Desk
from bestex.app.http_client import call
from bestex.domain.errors import Conflict, NotFound
from bestex.domain.instruments import Instrument
from bestex.domain.venues import Venue
from bestex.messages.codec import client_view, json_bytes
from bestex.messages.reference import SaveInstrument, SaveVenue
from bestex.ports import Journal, ReferenceData

T = TypeVar("T")

FOLDER = "instruments"  # of the state directory: its *.toml are read at each start


def files_of(state_dir: Path, given: Sequence[Path]) -> list[Path]:
    """Files of the state directory in the order of their names, then the given ones."""
    return [*sorted((state_dir / FOLDER).glob("*.toml")), *given]


async def take_files(paths: Sequence[Path], reference: ReferenceData, desk: Desk, journal: Journal) -> int:
    """Tell the desk what it does not know yet of these files; a file wins over what was added before.

    Returns:
        How many instruments and venues were added or changed.

    Raises:
        InvalidInput: if a file cannot be read, or what it says cannot be. Conflict: if it would change what the market
            itself lists.
    """
    saved = 0
    for path in paths:
        listing = read_instrument(path)
        for payload in _saves(
            listing,
            lambda venue_id: _or_none(reference.venue, venue_id),
            lambda instrument_id: _or_none(reference.instrument, instrument_id),
            actor=f"file {path.name}",
            may_replace=True,
        ):
            turn = desk.request("reference", payload, order_id="desk", time_ns=desk.market.now_ns, correlation_id=None)
            await journal.append(turn.batch)
            saved += 1
    return saved


def add(paths: Sequence[Path], *, url: str, may_replace: bool) -> list[str]:
    """Tell a running desk; returns one line for each instrument and venue.

    Raises:
        BestexError: as the desk refused, or because it does not answer.
    """
    lines = []
    for path in paths:
        listing = read_instrument(path)
        for payload in _saves(
            listing,
            lambda venue_id: _known(url, f"venues/{venue_id}", Venue),
            lambda instrument_id: _known(url, f"instruments/{instrument_id}", Instrument),
            actor="",  # the desk knows who asks
            may_replace=may_replace,
        ):
            what, key, item = _resource(payload)
            body: dict[str, Any] = client_view(item)
            del body["is_generated"]
            if not payload.create:
                del body[key]
            place = what if payload.create else f"{what}/{getattr(item, key)}"
            call(url, "POST" if payload.create else "PUT", place, json_bytes(body))
            lines.append(f"{'added' if payload.create else 'changed'} {what[:-1]} {getattr(item, key)}")
        if not lines or not lines[-1].endswith(f" instrument {listing.instrument.instrument_id}"):
            lines.append(f"known instrument {listing.instrument.instrument_id}")
    return lines


def _saves(
    listing: InstrumentFile,
    venue_of: Callable[[str], Venue | None],
    instrument_of: Callable[[str], Instrument | None],
    *,
    actor: str,
    may_replace: bool,
) -> Sequence[SaveVenue | SaveInstrument]:
    """What is to be said so that the desk knows the file: venues first; nothing of what it knows already.

    Raises:
        Conflict: if it is known otherwise, and may not be replaced.
    """
    saves: list[SaveVenue | SaveInstrument] = []
    for venue in listing.venues:
        before = venue_of(venue.venue_id)
        if before is None or (before != venue and venue.venue_id not in listing.named_only):
            _may_replace(before, "venue", venue.venue_id, may_replace=may_replace)
            saves.append(SaveVenue(venue=venue, actor=actor, create=before is None))
    known = instrument_of(listing.instrument.instrument_id)
    if known != listing.instrument:
        _may_replace(known, "instrument", listing.instrument.instrument_id, may_replace=may_replace)
        saves.append(SaveInstrument(instrument=listing.instrument, actor=actor, create=known is None))
    return saves


def _may_replace(before: object, what: str, key: str, *, may_replace: bool) -> None:
    if before is not None and not may_replace:
        raise Conflict(f"{what} {key} is known otherwise; give --replace to change it", field=f"{what}_id", value=key)


def _or_none(ask: Callable[[str], T], key: str) -> T | None:
    try:
        return ask(key)
    except NotFound:
        return None


def _known(url: str, path: str, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(call(url, "GET", path), type=kind)
    except NotFound:
        return None


def _resource(payload: SaveVenue | SaveInstrument) -> tuple[str, str, Venue | Instrument]:
    if isinstance(payload, SaveVenue):
        return "venues", "venue_id", payload.venue
    return "instruments", "instrument_id", payload.instrument
