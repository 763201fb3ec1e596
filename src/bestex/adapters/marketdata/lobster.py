"""LOBSTER message and order-book files to rows: order by order where the messages allow it, else price levels.

With an opening book (`--book`, its first row is the book after message 1) the messages give every displayed order; see
`lobster_repairs` for what is put in. With an order-book file that has a row for each message the published levels are
taken as they are; see `lobster_levels`.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np

from bestex.adapters.marketdata import lobster_files as files
from bestex.adapters.marketdata.lobster_files import BookRows, Messages
from bestex.adapters.marketdata.lobster_levels import level_rows
from bestex.adapters.marketdata.lobster_orders import Inserted
from bestex.adapters.marketdata.lobster_repairs import LobsterPass, Repaired, distinct_tops
from bestex.adapters.marketdata.source import Layout, MarketData, Repair, SourceReport, kinds_of
from bestex.domain.errors import InvalidData
from bestex.native.rows import ASK, BID, L3_ROWS, L3Kind

TYPE_NAMES: Final = {
    files.ADD: "adds",
    files.PARTIAL_CANCEL: "partial cancels",
    files.DELETE: "deletes",
    files.EXECUTION: "executions",
    files.HIDDEN: "hidden executions",
    files.CROSS: "crosses",
    files.HALT: "halts and resumptions",
}
KINDS: Final = np.array(
    [0, L3Kind.ADD, L3Kind.CANCEL, L3Kind.CANCEL, L3Kind.FILL, L3Kind.HIDDEN, L3Kind.CROSS, L3Kind.HALT], np.uint8
)


@dataclass(frozen=True, kw_only=True)
class LobsterSource:
    """Which files belong together."""

    messages: Path
    book: Path | None = None  # opening book, or one row for each message; None starts from an empty book
    level1: Path | None = None  # published level-1 book of the same day, to find ghosts by
    day: date | None = None  # New York date; None takes it from the message file's name
    layout: Layout | None = None  # None: L2 where the book has a row for each message, else L3
    tick_size: Decimal = Decimal("0.01")  # LOBSTER is NASDAQ stocks
    lot_size: Decimal = Decimal(1)


def read_lobster(source: LobsterSource) -> MarketData:
    """Rows of one LOBSTER message file.

    Raises:
        InvalidData: for a file that is missing, truncated, malformed or out of order; names file, row and cell.
    """
    name = files.parse_name(source.messages)
    day = source.day or (name.day if name else None)
    if day is None:
        raise InvalidData(
            f"{source.messages.name} does not say its day; give the day, or a name like "
            "AAPL_2012-06-21_34200000_57600000_message_10.csv",
            field="day",
            value=source.messages.name,
            expected="a New York date",
        )
    tick_size, lot_size = source.tick_size, source.lot_size
    messages = files.read_messages(source.messages, day=day, tick_size=tick_size, lot_size=lot_size)
    book = None if source.book is None else files.read_book(source.book, tick_size=tick_size, lot_size=lot_size)
    aligned = book is not None and len(book.ask_sizes) == len(messages.types)
    layout = source.layout or (Layout.L2 if aligned else Layout.L3)
    if layout is Layout.L2:
        if book is None or not aligned:
            raise InvalidData(
                f"price levels need an order-book file with a row for each of the {len(messages.types)} messages",
                field="book",
                value=None if book is None else f"{len(book.ask_sizes)} rows",
                expected=f"{len(messages.types)} rows",
            )
        return _from_levels(source, messages, book)
    level1 = None
    if source.level1 is not None:
        level1 = distinct_tops(files.read_book(source.level1, tick_size=tick_size, lot_size=lot_size))
    found = LobsterPass(messages, opening=book, level1=level1, levels=name.levels if name else None).run()
    return _from_orders(source, messages, found, has_level1=level1 is not None)


def _from_orders(source: LobsterSource, messages: Messages, found: Repaired, *, has_level1: bool) -> MarketData:
    rows = np.zeros(len(messages.types), L3_ROWS)
    rows["time_ns"] = messages.times_ns
    rows["order_id"] = np.where(messages.types <= files.EXECUTION, messages.order_ids, 0)
    rows["price_half_ticks"] = messages.half_ticks
    rows["quantity"] = found.sizes
    rows["kind"] = KINDS[messages.types]
    rows["side"] = np.where(messages.directions == 1, BID, ASK)
    halts = messages.types == files.HALT
    rows["side"][halts] = 0
    rows["kind"][halts & (messages.halt_codes == 1)] = L3Kind.RESUME
    quoting = halts & (messages.halt_codes == 0)
    gone = found.sizes == 0
    gone[halts] = False
    keep = ~quoting & ~gone
    inserted = sorted(found.inserted, key=lambda one: one.after)
    extra = np.zeros(len(inserted), L3_ROWS)
    for index, one in enumerate(inserted):
        extra[index] = _inserted_row(one, messages)
    places = np.array([one.after + 1 for one in inserted], np.int64)
    # Dropped messages go after the insertion, so that the places still count messages.
    kept = np.insert(keep, places, True)
    rows = np.insert(rows, places, extra)[kept]
    dropped = {
        "quoting resumes (no trading yet)": int(quoting.sum()),
        "removal of an order with nothing left": int(gone.sum()),
    }
    facts = {name: int((messages.types == kind).sum()) for kind, name in TYPE_NAMES.items()}
    facts = {name: count for name, count in facts.items() if count}
    if has_level1:
        facts["level-1 states equal to the published ones"] = found.states_equal
    if found.away_from_best:
        facts["executions away from the best price"] = found.away_from_best
    caveats = []
    if source.book is None:
        caveats.append("no opening book: only orders that messages name are displayed")
    if not has_level1:
        caveats.append("no published level 1 to compare with: an order that ended out of sight may still be displayed")
    if has_level1 and found.states_equal < found.states:
        caveats.append(f"the published level 1 differs after {found.states_equal} of {found.states} states")
    report = SourceReport(
        format="LOBSTER messages, order by order",
        files=tuple(path.name for path in (source.messages, source.book, source.level1) if path is not None),
        rows_read=len(messages.types),
        rows_written=len(rows),
        first_time_ns=int(rows["time_ns"][0]),
        last_time_ns=int(rows["time_ns"][-1]),
        kinds=kinds_of(rows, Layout.L3),
        dropped={reason: count for reason, count in dropped.items() if count},
        repairs=(*(_repair(one, messages, source) for one in inserted), *_cuts(found, messages, source)),
        quotes=found.states,
        crossed_quotes=found.crossed,
        locked_quotes=found.locked,
        facts=facts,
        caveats=tuple(caveats),
    )
    return MarketData(layout=Layout.L3, rows=rows, tick_size=source.tick_size, lot_size=source.lot_size, report=report)


def _inserted_row(one: Inserted, messages: Messages) -> tuple[Any, ...]:
    kind = L3Kind.ADD if one.is_add else L3Kind.CANCEL
    side = BID if one.order.direction == 1 else ASK
    return (_time_of(one, messages), one.order.order_id, one.order.half_ticks, one.quantity, kind, side, (0,) * 6)


def _time_of(one: Inserted, messages: Messages) -> int:
    return int(messages.times_ns[max(one.after, 0)])


def _repair(one: Inserted, messages: Messages, source: LobsterSource) -> Repair:
    return Repair(
        kind=one.kind,
        time_ns=_time_of(one, messages),
        side="bid" if one.order.direction == 1 else "ask",
        price=source.tick_size * one.order.half_ticks / 2,
        quantity=source.lot_size * one.quantity,
        reason=f"order {one.order.order_id}: {one.reason}",
    )


def _cuts(found: Repaired, messages: Messages, source: LobsterSource) -> list[Repair]:
    return [
        Repair(
            kind="removal cut",
            time_ns=int(messages.times_ns[row]),
            side="bid" if messages.directions[row] == 1 else "ask",
            price=source.tick_size * int(messages.half_ticks[row]) / 2,
            quantity=source.lot_size * int(found.sizes[row]),
            reason=f"row {row + 1} takes {messages.sizes[row]} off order {messages.order_ids[row]}, more than was left",
        )
        for row in found.cut
    ]


def _from_levels(source: LobsterSource, messages: Messages, book: BookRows) -> MarketData:
    rows, facts, quotes = level_rows(messages, book)
    assert source.book is not None
    report = SourceReport(
        format=f"LOBSTER order book of {book.ask_sizes.shape[1]} levels with its messages",
        files=(source.messages.name, source.book.name),
        rows_read=len(messages.types) + len(book.ask_sizes),
        rows_written=len(rows),
        first_time_ns=int(rows["time_ns"][0]) if len(rows) else None,
        last_time_ns=int(rows["time_ns"][-1]) if len(rows) else None,
        kinds=kinds_of(rows, Layout.L2),
        quotes=quotes.states,
        crossed_quotes=quotes.crossed,
        locked_quotes=quotes.locked,
        facts=facts,
        caveats=(f"only the best {book.ask_sizes.shape[1]} level(s) of each side are known",),
    )
    return MarketData(layout=Layout.L2, rows=rows, tick_size=source.tick_size, lot_size=source.lot_size, report=report)
