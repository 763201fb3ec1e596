"""One world worked from outside: send orders by key, let the tape run until something of ours happens.

Prices in ticks (fills in half ticks), quantities in lots, times of the tape in UTC ns. When an order fills:
docs/fill-rules.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from bestex.domain.errors import InvalidInput
from bestex.native import _core
from bestex.native.decision import NO_PRICE, SideCode
from bestex.native.replay import QueueModel
from bestex.native.tape import Tape


class OrderKind(IntEnum):
    MARKET = 0  # takes what is there; the rest is cancelled
    IMMEDIATE = 1  # as MARKET, no worse than its price
    LIMIT = 2  # takes what is there no worse than its price; the rest rests
    POST_ONLY = 3  # rests; rejected where it would take
    MIDPOINT = 4  # rests hidden at the middle of the quote, no worse than its price if it has one


class ReportKind(IntEnum):
    ACCEPTED = 0
    FILL = 1
    CANCELLED = 2
    REJECTED = 3
    EXPIRED = 4
    AMENDED = 5


class LiquidityKind(IntEnum):
    ADDED = 0
    REMOVED = 1
    MIDPOINT = 2


class Reason(IntEnum):
    NONE = 0
    ASKED = 1  # we cancelled it
    UNFILLED = 2  # nothing more at its price for an order that does not rest
    WOULD_TAKE = 3  # post only
    HALTED = 4
    CLOSED = 5  # the session is over
    REPEATED_KEY = 6
    UNKNOWN_KEY = 7


class Report(NamedTuple):
    kind: ReportKind
    key: int
    venue_time_ns: int
    received_time_ns: int
    quantity: int  # filled now, given back, or ordered (ACCEPTED, AMENDED)
    price_half_ticks: int  # FILL only
    liquidity: LiquidityKind  # FILL only
    reason: Reason
    bid_ticks: int | None  # the tape's quote at venue_time_ns; None where that side is empty
    ask_ticks: int | None
    is_new_volume: bool  # FILL only: a trade that the tape does not print


class Snapshot(NamedTuple):
    """The tape's public picture. Counters run from its first row; what we took is volume too."""

    now_ns: int
    bid_ticks: int | None
    ask_ticks: int | None
    bid_quantity: int
    ask_quantity: int
    volume: int  # lots, crosses included
    auction_volume: int  # of which crosses
    notional_half_ticks: int  # sum of price in half ticks x lots
    mid_half_ticks_ns: int  # sum of (bid + ask in ticks) x ns while bid < ask stood
    mid_ns: int  # ns while bid < ask stood: the divisor of the sum
    last_price_half_ticks: int | None
    trades: int
    crossed_quotes: int  # instants that ended with bid > ask
    locked_quotes: int
    displaced: int  # lots others traded on the tape that here were ours
    is_halted: bool
    is_closed: bool


class DepthLevel(NamedTuple):
    price_ticks: int
    quantity: int
    orders: int | None  # None on an L2 tape


@dataclass(frozen=True, kw_only=True)
class InteractiveConfig:
    report_delay_ns: int = 0  # from the venue to us
    queue_model: QueueModel = QueueModel.PRO_RATA  # L2 tapes only
    close_ns: int = 0  # resting orders expire then; the tape's last row when that is later


class InteractiveReplay:
    """Deterministic: the same calls with the same times give the same reports."""

    def __init__(self, tape: Tape, config: InteractiveConfig | None = None) -> None:
        config = config or InteractiveConfig()
        self.tape = tape
        self.core = _core.InteractiveReplay(
            tape.core,
            report_delay_ns=config.report_delay_ns,
            queue_model=config.queue_model,
            close_ns=config.close_ns,
        )

    @property
    def now_ns(self) -> int:
        """Just before the first row until the first `advance`."""
        return self.core.now_ns

    def submit(
        self,
        key: int,
        *,
        kind: OrderKind,
        side: SideCode,
        quantity: int,
        arrives_ns: int,
        price_ticks: int | None = None,
    ) -> None:
        """Let an order reach the venue at `arrives_ns`, or now if that has passed. A key seen before is REJECTED.

        Raises:
            InvalidInput: for a quantity that is not positive, or a price that the kind needs or forbids.
        """
        price = NO_PRICE if price_ticks is None else price_ticks
        try:
            self.core.submit(key, kind, side, quantity, price, arrives_ns)
        except ValueError as error:
            raise InvalidInput(str(error)) from None

    def cancel(self, key: int, *, arrives_ns: int) -> None:
        """Answered by CANCELLED with what was open; by nothing when the order has ended; an unknown key by 0 lots."""
        self.core.cancel(key, arrives_ns)

    def amend(self, key: int, *, quantity: int, arrives_ns: int, price_ticks: int | None = None) -> None:
        """`quantity` is the new total, filled lots included. Only a smaller one at the same price keeps its place."""
        try:
            self.core.amend(key, quantity, NO_PRICE if price_ticks is None else price_ticks, arrives_ns)
        except ValueError as error:
            raise InvalidInput(str(error)) from None

    def advance(self, until_ns: int) -> list[Report]:
        """Run to `until_ns`, or to the end of the first instant at which reports reach us; `now_ns` says which.

        Raises:
            InvalidInput: if `until_ns` lies before `now_ns`.
        """
        try:
            _, [received] = _core.advance_replays([self.core], until_ns)
        except ValueError as error:
            raise InvalidInput(str(error), field="until_ns", value=until_ns) from None
        return _reports(received)

    def snapshot(self) -> Snapshot:
        now, bid, ask, *rest = self.core.snapshot()
        rest[7] = _price(rest[7])
        return Snapshot(now, _price(bid), _price(ask), *rest)

    def depth(self, side: SideCode, levels: int = 10) -> list[DepthLevel]:
        """Best first."""
        found = self.core.depth(side, levels)
        return [DepthLevel(price, lots, None if orders < 0 else orders) for price, lots, orders in found]

    def open_order(self, key: int) -> tuple[int, int]:
        """Lots open, and displayed lots that trade before it; (0, 0) when nothing is open."""
        return self.core.open_order(key)


def advance_together(replays: Sequence[InteractiveReplay], until_ns: int) -> tuple[int, list[list[Report]]]:
    """Run replays on one clock to `until_ns`, or to the end of the first instant at which any of them has reports.

    Returns:
        The time reached, and each replay's reports in the order given.
    """
    now_ns, received = _core.advance_replays([replay.core for replay in replays], until_ns)
    return now_ns, [_reports(one) for one in received]


def _reports(received: "list[_core.ReplayReportRow]") -> list[Report]:
    return [
        Report(
            ReportKind(row[0]),
            *row[1:6],
            LiquidityKind(row[6]),
            Reason(row[7]),
            _price(row[8]),
            _price(row[9]),
            row[10],
        )
        for row in received
    ]


def _price(ticks: int) -> int | None:
    return None if ticks == NO_PRICE else ticks
