"""What venues say of child orders: booked once, and what follows from it."""

from bestex.domain.fills import ReportKind, VenueReport
from bestex.domain.orders import ParentState
from bestex.messages.effects import Effects
from bestex.messages.records import FillRow
from bestex.native.decision import Wake
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.ledger import Booking
from bestex.services.algorithm.parent import Parent
from bestex.services.algorithm.sending import Sending
from bestex.services.algorithm.telling import child_row
from bestex.services.algorithm.working import Working


class Reports:
    """The steps that a venue's report leads to."""

    def __init__(self, working: Working, sending: Sending, config: AlgorithmConfig) -> None:
        self._working = working
        self._sending = sending
        self._config = config

    def book(self, parent: Parent, report: VenueReport, effects: Effects, now_ns: int) -> None:
        """Book a venue's report once, and go on."""
        booking = parent.ledger.book(report, now_ns)
        if not booking.is_new:
            return
        child = parent.ledger.children.get(report.child_order_id)
        if child is not None:
            effects.records.append(child_row(parent, child))
        if report.kind is ReportKind.FILL:
            effects.records.append(_fill_row(parent, report))
        if report.kind in (ReportKind.FILL, ReportKind.NEW):
            parent.rejects_in_a_row = 0
        if booking.late:
            self._late_fill(parent, report, booking, effects, now_ns)
        elif report.kind is ReportKind.REJECTED and booking.returned:
            self._rejected(parent, report, effects, now_ns)
        elif booking.returned and child is not None and child.is_taker and parent.state is ParentState.WORKING:
            parent.retry_at(now_ns + self._config.refusal_backoff_ns)
        wake = Wake.FILL if report.kind is ReportKind.FILL else Wake.CHILD_DONE
        if report.kind is not ReportKind.NEW:
            self._working.step(parent, wake, effects, now_ns)

    def _late_fill(self, parent: Parent, report: VenueReport, booking: Booking, effects: Effects, now_ns: int) -> None:
        """A real fill is never dropped. It was not expected any more, so nobody knows what else the venue will say."""
        words = f"late fill of {booking.late} on {report.child_order_id} at {report.venue}, booked"
        if booking.overfilled:
            words += f"; {booking.overfilled} more than ordered"
        parent.flag = words
        if parent.state is ParentState.WORKING:
            self._working.pause(parent, effects, now_ns, f"frozen: {words}")
        else:
            parent.reason = words
            if not parent.state.is_final:
                self._sending.cancel_live(parent, effects, now_ns, words)

    def _rejected(self, parent: Parent, report: VenueReport, effects: Effects, now_ns: int) -> None:
        parent.rejects_in_a_row += 1
        words = f"{report.venue} rejected {report.child_order_id}: {report.reason or 'no reason given'}"
        if parent.rejects_in_a_row >= self._config.rejects_in_a_row_max and parent.state is ParentState.WORKING:
            self._working.pause(parent, effects, now_ns, f"{parent.rejects_in_a_row} rejects in a row; {words}")
            return
        parent.reason = words
        parent.hold_until_ns = now_ns + (self._config.reject_backoff_ns << (parent.rejects_in_a_row - 1))
        parent.retry_at(parent.hold_until_ns)


def _fill_row(parent: Parent, report: VenueReport) -> FillRow:
    assert report.price is not None
    return FillRow(
        execution_id=report.execution_id,
        order_id=parent.order_id,
        child_order_id=report.child_order_id,
        instrument_id=parent.order.instrument_id,
        side=parent.order.side,
        venue=report.venue,
        quantity=report.quantity,
        price=report.price,
        liquidity=report.liquidity or "",
        fee=report.fee,
        bid=report.bid,
        ask=report.ask,
        venue_time_ns=report.venue_time_ns,
        received_time_ns=report.received_time_ns,
    )
