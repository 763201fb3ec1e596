"""The parent order's quantity ledger: the one place that says what may still be sent.

    ordered + overfilled = filled + live + unallocated + cancelled

`live` is everything sent and not finally answered: pending, working, cancel-pending and UNKNOWN. `overfilled` is zero
unless a venue executed what it had already given back. Quantity moves between the accounts by transfers only; `check`
counts it again from the child orders.
"""

from dataclasses import dataclass
from decimal import Decimal

from bestex.domain.fills import ReportKind, VenueReport
from bestex.domain.orders import ChildState
from bestex.services.algorithm.children import Child

_NONE = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Booking:
    """What one report did to the ledger."""

    is_new: bool  # False: the same report was applied before, nothing changed
    filled: Decimal = _NONE
    returned: Decimal = _NONE
    late: Decimal = _NONE  # of `filled`: executed after the venue had said that the child is done
    overfilled: Decimal = _NONE  # of `late`: more than was ordered


class Ledger:
    """Accounts of one parent order, in units of the instrument."""

    def __init__(self, ordered: Decimal) -> None:
        self.ordered = ordered
        self.filled = _NONE
        self.live = _NONE
        self.unallocated = ordered
        self.cancelled = _NONE
        self.overfilled = _NONE
        self.notional = _NONE  # sum of quantity x price, without the contract multiplier
        self.fees = _NONE
        self.children: dict[str, Child] = {}
        self._live: dict[str, Child] = {}  # those not finally answered, in the order they were sent
        self._wanted = ordered  # by the client; `ordered` follows as live quantity comes home
        self._worked = ordered  # how much of it may be worked; the rest is given up
        self._strays = _NONE  # filled under child ids that are not ours
        self._reports: set[tuple[str, str, str]] = set()

    @property
    def remaining(self) -> Decimal:
        """Still to be filled: live and unallocated."""
        return self.live + self.unallocated

    @property
    def unknown(self) -> Decimal:
        return sum((child.leaves for child in self.live_children() if child.state is ChildState.UNKNOWN), _NONE)

    @property
    def average_price(self) -> Decimal | None:
        return self.notional / self.filled if self.filled else None

    def live_children(self) -> list[Child]:
        return list(self._live.values())

    def reserve(self, child: Child) -> None:
        """Set the child's quantity aside before it is sent.

        Raises:
            AssertionError: if more is sent than is free, or the id was used before.
        """
        assert child.child_order_id not in self.children, f"child id {child.child_order_id} was used before"
        assert 0 < child.order.quantity <= self.unallocated, (
            f"child {child.child_order_id} of {child.order.quantity} but only {self.unallocated} unallocated"
        )
        self.unallocated -= child.order.quantity
        self.live += child.order.quantity
        self.children[child.child_order_id] = child
        self._live[child.child_order_id] = child

    def book(self, report: VenueReport, now_ns: int) -> Booking:
        """Apply a venue's report once, by (venue, kind, execution id)."""
        key = (report.venue, report.kind.value, report.execution_id)
        if key in self._reports:
            return Booking(is_new=False)
        self._reports.add(key)
        child = self.children.get(report.child_order_id)
        if report.kind is ReportKind.FILL:
            return self._fill(child, report, now_ns)
        if child is None or not child.is_live:
            return Booking(is_new=True)
        if report.kind is ReportKind.NEW:
            child.acknowledge(now_ns)
            return Booking(is_new=True)
        if report.kind is ReportKind.REJECTED and child.is_acknowledged:
            return Booking(is_new=True)  # a repeat was refused: it says nothing about the order that stands
        if report.quantity == 0 and report.kind is ReportKind.REJECTED:
            child.doubt(now_ns)  # a repeat was refused: nothing is given back, and the first one was never answered
            return Booking(is_new=True)
        # A cancel of quantity 0 is the answer for an order that the venue has never seen: all of it is free again.
        returned = min(report.quantity, child.leaves) or child.leaves
        child.give_back(returned, report.kind, now_ns)
        self._forget_if_final(child)
        self._release(returned)
        return Booking(is_new=True, returned=returned)

    def amend(self, wanted: Decimal) -> None:
        """The client's new total. What is filled or live beyond it stays ordered until it comes home."""
        raised = wanted - self.ordered
        self._wanted = self._worked = wanted
        if raised > 0:
            self.ordered += raised
            self.unallocated += raised
        self._settle()

    def work_only(self, quantity: Decimal) -> None:
        """Work this much of what is ordered and give up the rest, for now."""
        self._worked = quantity
        self._settle()

    def close(self) -> None:
        """Send no more: what is free, and what comes home later, is cancelled."""
        self.work_only(_NONE)

    def check(self) -> None:
        """Count everything again from the child orders.

        Raises:
            AssertionError: if an account is wrong. It is a bug: the process must stop.
        """
        children = self.children.values()
        accounts = (self.filled, self.live, self.unallocated, self.cancelled, self.overfilled)
        assert all(account >= 0 for account in accounts), f"an account is negative: {self.state()}"
        assert sum(accounts[:4]) == self.ordered + self.overfilled, f"quantity is not conserved: {self.state()}"
        assert self.live == sum(child.leaves for child in children if child.is_live), f"live is wrong: {self.state()}"
        assert self.filled == self._strays + sum(child.filled for child in children), f"filled is wrong: {self.state()}"
        assert self.filled + self.live <= self.ordered + self.overfilled, (
            f"more could fill than ordered: {self.state()}"
        )

    def state(self) -> dict[str, object]:
        return {
            "ordered": self.ordered,
            "filled": self.filled,
            "live": self.live,
            "unallocated": self.unallocated,
            "cancelled": self.cancelled,
            "overfilled": self.overfilled,
            "notional": self.notional,
            "fees": self.fees,
            "wanted": self._wanted,
            "worked": self._worked,
            "reports": tuple(sorted(self._reports)),
            "children": tuple(repr(child) for child in self.children.values()),
        }

    def _fill(self, child: Child | None, report: VenueReport, now_ns: int) -> Booking:
        assert report.price is not None, f"fill {report.execution_id} has no price"
        expected = min(report.quantity, child.leaves) if child is not None and child.is_live else _NONE
        late = report.quantity - expected
        if child is None:
            self._strays += late
        else:
            if expected:
                child.fill(expected, now_ns)
                self._forget_if_final(child)
            child.filled += late
        self.live -= expected
        self.filled += report.quantity
        self.notional += report.quantity * report.price
        self.fees += report.fee
        from_unallocated = min(late, self.unallocated)
        from_cancelled = min(late - from_unallocated, self.cancelled)
        beyond = late - from_unallocated - from_cancelled
        self.unallocated -= from_unallocated
        self.cancelled -= from_cancelled
        self.overfilled += beyond
        self._settle()
        return Booking(is_new=True, filled=report.quantity, late=late, overfilled=beyond)

    def _forget_if_final(self, child: Child) -> None:
        if not child.is_live:
            del self._live[child.child_order_id]

    def _release(self, quantity: Decimal) -> None:
        self.live -= quantity
        absorbed = min(quantity, self.overfilled)
        self.overfilled -= absorbed
        self.unallocated += quantity - absorbed
        self._settle()

    def _settle(self) -> None:
        """Bring `ordered` down to what the client wants, and give up what is not to be worked, as far as it is free."""
        surplus = min(self.ordered - self._wanted, self.unallocated + self.cancelled)
        if surplus > 0:
            from_cancelled = min(surplus, self.cancelled)
            self.cancelled -= from_cancelled
            self.unallocated -= surplus - from_cancelled
            self.ordered -= surplus
        given_up = min(max(_NONE, self.ordered - self._worked), self.unallocated + self.cancelled)
        self.unallocated += self.cancelled - given_up
        self.cancelled = given_up
