"""An independent ledger of one parent order, kept from raw intents and execution reports alone.

The algorithm service keeps its own; this one trusts nothing of it, so that a mistake there is seen here.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from bestex.domain.fills import Liquidity, ReportKind, VenueReport
from bestex.domain.orders import ChildOrder

ZERO = Decimal(0)
PRICE_STEP = Decimal("0.00000001")


@dataclass(frozen=True, kw_only=True)
class ChildProgress:
    """One child order. `live` is what a venue may still fill."""

    child_order_id: str
    venue: str
    sent: Decimal
    sent_time_ns: int
    bid: Decimal | None  # the quote it was decided on
    ask: Decimal | None
    filled: Decimal = ZERO
    end: ReportKind | None = None  # CANCELLED, REJECTED or EXPIRED; None while it can still fill
    first_answer_ns: int | None = None

    @property
    def live(self) -> Decimal:
        return ZERO if self.end is not None else max(self.sent - self.filled, ZERO)


@dataclass(frozen=True, kw_only=True)
class Fill:
    """One execution, applied once."""

    report: VenueReport
    price: Decimal
    is_late: bool  # its child order, or the parent, had already ended
    is_unreconciled: bool  # no intent was seen for its child order

    @property
    def mid(self) -> Decimal | None:
        """Mid of the quote that stood at the venue's time; None without one that is two-sided and not crossed."""
        bid, ask = self.report.bid, self.report.ask
        return None if bid is None or ask is None or ask < bid else (bid + ask) / 2


@dataclass(kw_only=True)
class Progress:
    """filled + live <= allowed at every moment; `excess` says by how much not."""

    ordered: Decimal
    children: dict[str, ChildProgress] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    filled: Decimal = ZERO
    live: Decimal = ZERO
    filled_notional: Decimal = ZERO  # sum of price x quantity
    fees: Decimal = ZERO
    venues: dict[str, Decimal] = field(default_factory=dict)  # filled quantity
    sent: Decimal = ZERO
    filled_resting: Decimal = ZERO  # by orders that rested
    filled_after_end: Decimal = ZERO  # after the parent had ended
    answered: int = 0  # child orders with any answer
    late_fills: int = 0
    unreconciled_fills: int = 0
    duplicates: int = 0
    rejects: int = 0
    cancels: int = 0
    _allowed: Decimal = ZERO
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._allowed = self.ordered

    def amend(self, quantity: Decimal) -> None:
        """A smaller total allows what is already out until it comes home: no new child may add to it."""
        self.ordered = quantity
        self._allowed = max(quantity, self.filled + self.live)

    def send(self, child: ChildOrder, *, time_ns: int, bid: Decimal | None, ask: Decimal | None) -> None:
        """Book an intent; the same child order twice counts once."""
        if child.child_order_id in self.children:
            self.duplicates += 1
            return
        self.live += child.quantity
        self.sent += child.quantity
        self.children[child.child_order_id] = ChildProgress(
            child_order_id=child.child_order_id,
            venue=child.venue,
            sent=child.quantity,
            sent_time_ns=time_ns,
            bid=bid,
            ask=ask,
        )

    def report(self, report: VenueReport, *, parent_ended: bool) -> Fill | None:
        """Book a venue's answer; the new fill if it is one, None for other answers and for a duplicate."""
        key = (report.venue, report.execution_id)
        if key in self._seen:
            self.duplicates += 1
            return None
        self._seen.add(key)
        child = self.children.get(report.child_order_id)
        if child is not None and child.first_answer_ns is None:
            child = replace(child, first_answer_ns=report.received_time_ns)
            self.answered += 1
        if report.kind is ReportKind.FILL:
            return self._fill(report, child, parent_ended=parent_ended)
        if child is None:
            return None
        if report.kind is not ReportKind.NEW and child.end is None:
            self.rejects += report.kind is ReportKind.REJECTED
            self.cancels += report.kind is ReportKind.CANCELLED
            child = replace(child, end=report.kind)
        self._put(child)
        return None

    @property
    def excess(self) -> Decimal:
        """How much more is filled or live than the order allows; 0 when conservation holds."""
        return max(self.filled + self.live - self._allowed, ZERO)

    @property
    def average_price(self) -> Decimal | None:
        """To more decimals than any tick has; exact sums are in `filled_notional` and `filled`."""
        return (self.filled_notional / self.filled).quantize(PRICE_STEP) if self.filled else None

    def _fill(self, report: VenueReport, child: ChildProgress | None, *, parent_ended: bool) -> Fill:
        assert report.price is not None, f"fill {report.execution_id} of {report.venue} has no price"
        fill = Fill(
            report=report,
            price=report.price,
            is_late=parent_ended or (child is not None and child.end is not None),
            is_unreconciled=child is None,
        )
        self.fills.append(fill)
        self.filled += report.quantity
        self.filled_notional += report.price * report.quantity
        self.fees += report.fee
        self.late_fills += fill.is_late
        self.unreconciled_fills += fill.is_unreconciled
        if report.liquidity is Liquidity.ADDED:
            self.filled_resting += report.quantity
        if parent_ended:
            self.filled_after_end += report.quantity
        self.venues[report.venue] = self.venues.get(report.venue, ZERO) + report.quantity
        if child is not None:
            self._put(replace(child, filled=child.filled + report.quantity))
        return fill

    def _put(self, child: ChildProgress) -> None:
        self.live += child.live - self.children[child.child_order_id].live
        self.children[child.child_order_id] = child
        # What came home after an amendment to less is not allowed out again.
        self._allowed = max(self.ordered, min(self._allowed, self.filled + self.live))
