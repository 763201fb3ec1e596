"""Many executions over one tape in one pass: each parent order worked by its own decision step.

A world is one execution that could have happened. Parents of one world share what they take; different worlds never
meet, so a world's fills are the same alone or among thousands. When an order fills: docs/fill-rules.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bestex.domain.errors import InvalidInput
from bestex.native import _core
from bestex.native.decision import NO_PRICE, UNLIMITED, AlgorithmCode, SideCode, StyleCode
from bestex.native.tape import Tape

ROWS_BETWEEN_SIGNALS: Final = 1 << 20

PARENT_ROWS: Final = np.dtype(
    [
        ("quantity", "<i8"),
        ("start_ns", "<i8"),
        ("end_ns", "<i8"),
        ("limit_ticks", "<i8"),
        ("child_quantity_max", "<i8"),
        ("participation_rate", "<f8"),
        ("world", "<u4"),
        ("slices", "<i4"),
        ("curve", "<u4"),
        ("algorithm", "u1"),
        ("style", "u1"),
        ("side", "u1"),
        ("follows_price", "u1"),
    ]
)

PARENT_RESULTS: Final = np.dtype(
    [
        ("quantity", "<i8"),  # lots ordered
        ("planned", "<i8"),  # lots sent in child orders; planned = filled + returned
        ("filled", "<i8"),
        ("returned", "<i8"),
        ("notional_half_ticks", "<i8"),  # sum of price in half ticks x lots
        ("fees", "<i8"),  # millionths of the currency; positive = paid
        ("first_fill_ns", "<i8"),  # 0 without a fill
        ("last_fill_ns", "<i8"),
        ("arrival_bid_ticks", "<i8"),  # when the parent started; NO_PRICE where that side was empty
        ("arrival_ask_ticks", "<i8"),
        ("child_orders", "<i8"),
        ("fills", "<i8"),
        ("others_volume", "<i8"),  # lots everyone else traded from its start until it was done
    ]
)

WORLD_RESULTS: Final = np.dtype(
    [
        ("fill_hash", "<u8"),  # of every fill's row, price, quantity and liquidity in order
        ("filled", "<i8"),
        ("displaced", "<i8"),  # lots the tape traded that in this world were ours
        ("fills", "<i8"),
    ]
)

FILL_ROWS: Final = np.dtype(
    [
        ("time_ns", "<i8"),
        ("price_half_ticks", "<i8"),
        ("quantity", "<i8"),
        ("world", "<u4"),
        ("parent", "<u4"),  # its place in the parents given
        ("row", "<u4"),  # rows of the tape applied then
        ("liquidity", "u1"),  # 0 added, 1 removed, 2 midpoint
        ("pad", "u1", (3,)),
    ]
)


class QueueModel(IntEnum):
    """On an L2 tape: which part of a cancelled quantity stood before us, where a lots are ahead and b behind."""

    BEHIND_FIRST = 0  # none, unless nothing else is left
    PRO_RATA = 1  # a / (a + b)
    SQUARE = 2  # a^2 / (a^2 + b^2)
    AHEAD_FIRST = 3  # all


@dataclass(frozen=True, kw_only=True)
class ReplayConfig:
    """The venue every world trades at. One-way delays in ns; fees in millionths of the currency per lot."""

    feed_delay_ns: int = 0  # market data to us
    order_delay_ns: int = 0  # our orders to the venue
    report_delay_ns: int = 0  # reports to us; never less than feed_delay_ns
    maker_fee: int = 0  # negative = rebate
    taker_fee: int = 0
    queue_model: QueueModel = QueueModel.PRO_RATA  # L2 tapes only
    keep_fills: bool = False  # else fills are hashed and added up


@dataclass(frozen=True, kw_only=True)
class ReplayParent:
    """One parent order and how it is worked. Lots, ticks, UTC ns."""

    side: SideCode
    quantity: int
    start_ns: int
    end_ns: int
    slices: int
    world: int = 0  # worlds are numbered 0, 1, 2, ...
    algorithm: AlgorithmCode = AlgorithmCode.TWAP
    style: StyleCode = StyleCode.AGGRESSIVE
    curve: NDArray[np.float64] | None = None  # (slices,) cumulative, ends at 1; None = even
    limit_ticks: int | None = None
    participation_rate: float = 1.0
    child_quantity_max: int | None = None
    follows_price: bool = False  # between slices too: passive orders move with the touch, a limit is watched


@dataclass(frozen=True)
class ReplayResult:
    """What came of it. Parents in the order given, worlds by number."""

    parents: NDArray[np.void]  # PARENT_RESULTS
    worlds: NDArray[np.void]  # WORLD_RESULTS
    fills: NDArray[np.void]  # FILL_ROWS in time order; empty unless keep_fills


class Replay:
    """Runs sets of parents over one tape. A tape can be replayed any number of times."""

    def __init__(self, tape: Tape, config: ReplayConfig | None = None) -> None:
        self.tape = tape
        self.config = config or ReplayConfig()

    def run(self, parents: Sequence[ReplayParent], *, progress: Callable[[int], None] | None = None) -> ReplayResult:
        """Replay the whole tape.

        Args:
            progress: called with the number of rows applied, about every million; may raise to stop.

        Raises:
            InvalidInput: for the first parent that cannot be worked; the field is "parents[i].name".
        """
        rows, curves = _rows(parents)
        config = self.config
        try:
            batch = _core.BatchReplay(
                self.tape.core,
                feed_delay_ns=config.feed_delay_ns,
                order_delay_ns=config.order_delay_ns,
                report_delay_ns=config.report_delay_ns,
                maker_fee=config.maker_fee,
                taker_fee=config.taker_fee,
                queue_model=config.queue_model,
                keep_fills=config.keep_fills,
                parents=rows.view(np.uint8).reshape(len(rows), PARENT_ROWS.itemsize),
                curves=curves,
            )
        except ValueError as error:
            raise InvalidInput(str(error)) from None
        done = 0
        while batch.advance(ROWS_BETWEEN_SIGNALS):
            done += ROWS_BETWEEN_SIGNALS
            if progress is not None:
                progress(done)
        return ReplayResult(
            batch.parents().view(PARENT_RESULTS).reshape(-1),
            batch.worlds().view(WORLD_RESULTS).reshape(-1),
            batch.fills().view(FILL_ROWS).reshape(-1),
        )


def _rows(parents: Sequence[ReplayParent]) -> tuple[NDArray[np.void], NDArray[np.float64]]:
    if not parents:
        raise InvalidInput("there is no parent order to replay", field="parents", value=0, expected="at least one")
    curves: list[NDArray[np.float64]] = []
    places: dict[int, int] = {}  # id of a curve, or slices of an even one -> where it begins
    rows = np.zeros(len(parents), PARENT_ROWS)
    end = 0
    for i, parent in enumerate(parents):
        _check(i, parent)
        key = -parent.slices if parent.curve is None else id(parent.curve)
        if key not in places:
            curve = parent.curve
            if curve is None:
                curve = np.arange(1, parent.slices + 1) / parent.slices
            places[key] = end
            curves.append(np.asarray(curve, np.float64))
            end += parent.slices
        rows[i] = (
            parent.quantity,
            parent.start_ns,
            parent.end_ns,
            NO_PRICE if parent.limit_ticks is None else parent.limit_ticks,
            UNLIMITED if parent.child_quantity_max is None else parent.child_quantity_max,
            parent.participation_rate,
            parent.world,
            parent.slices,
            places[key],
            parent.algorithm,
            parent.style,
            parent.side,
            parent.follows_price,
        )
    return rows, np.concatenate(curves)


def _check(i: int, parent: ReplayParent) -> None:
    def refuse(name: str, value: object, expected: str) -> InvalidInput:
        field = f"parents[{i}].{name}"
        return InvalidInput(f"{field} is {value}; it must be {expected}", field=field, value=value, expected=expected)

    if not 0 < parent.quantity < 1 << 53:
        raise refuse("quantity", parent.quantity, "from 1 to 2^53 - 1 lots")
    if parent.slices < 1:
        raise refuse("slices", parent.slices, "at least 1")
    if parent.end_ns - parent.start_ns < parent.slices:
        raise refuse("end_ns", parent.end_ns, "after start_ns, by at least a nanosecond a slice")
    highest = 1.0 if parent.algorithm != AlgorithmCode.PARTICIPATION_RATE else np.nextafter(1.0, 0.0)
    if not 0.0 < parent.participation_rate <= highest:
        raise refuse(
            "participation_rate", parent.participation_rate, "above 0 and at most 1 (below 1 for PARTICIPATION_RATE)"
        )
    if parent.child_quantity_max is not None and parent.child_quantity_max < 1:
        raise refuse("child_quantity_max", parent.child_quantity_max, "at least 1 lot")
    curve = parent.curve
    if curve is not None:
        if curve.shape != (parent.slices,):
            raise refuse("curve", f"an array of shape {curve.shape}", f"an array of shape ({parent.slices},)")
        if not (curve[0] >= 0 and bool(np.all(np.diff(curve) >= 0)) and curve[-1] == 1.0):
            raise refuse("curve", "not a cumulative fraction", "never falling, from 0 or more to exactly 1")
