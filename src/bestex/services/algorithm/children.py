"""One child order: where it stands, what it may still fill, and when its venue owes an answer."""

from dataclasses import dataclass
from decimal import Decimal

from bestex.domain.fills import ReportKind
from bestex.domain.ids import ChildOrderId, ParentOrderId, child_order_id
from bestex.domain.orders import ChildOrder, ChildState, TimeInForce, changed_child_state

_ENDS = {
    ReportKind.CANCELLED: ChildState.CANCELLED,
    ReportKind.REJECTED: ChildState.REJECTED,
    ReportKind.EXPIRED: ChildState.EXPIRED,
}


@dataclass(kw_only=True)
class Child:
    """A child order as the desk knows it. `leaves` is what may still be filled, whatever the state."""

    order: ChildOrder
    slice_id: int
    reason: str
    submitted_ns: int
    updated_ns: int
    state: ChildState = ChildState.PENDING
    filled: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)  # given back by the venue
    is_acknowledged: bool = False  # the venue has said something that shows it has the order
    cancel_asked_ns: int | None = None
    cancels_asked: int = 0

    @property
    def child_order_id(self) -> str:
        return self.order.child_order_id

    @property
    def leaves(self) -> Decimal:
        return self.order.quantity - self.filled - self.returned

    @property
    def is_live(self) -> bool:
        return not self.state.is_final

    @property
    def is_taker(self) -> bool:
        return self.order.time_in_force is TimeInForce.IOC

    def change(self, new: ChildState, now_ns: int) -> None:
        """Raises Conflict where CHILD_TRANSITIONS does not allow it."""
        self.updated_ns = now_ns
        if new is not self.state:
            self.state = changed_child_state(self.state, new)

    def ask_cancel(self, now_ns: int) -> None:
        """A cancel leaves for the venue; an unknown child stays unknown until it is answered."""
        self.cancel_asked_ns = now_ns
        self.cancels_asked += 1
        self.change(ChildState.UNKNOWN if self.state is ChildState.UNKNOWN else ChildState.CANCEL_PENDING, now_ns)

    def acknowledge(self, now_ns: int) -> None:
        self.is_acknowledged = True
        self._settle(now_ns)

    def fill(self, quantity: Decimal, now_ns: int) -> None:
        """Book `quantity`, at most `leaves`, of a child that is not final."""
        self.is_acknowledged = True
        self.filled += quantity
        self._settle(now_ns)

    def give_back(self, quantity: Decimal, kind: ReportKind, now_ns: int) -> None:
        """The venue returned `quantity`, at most `leaves`.

        An answer about less than the leaves means that fills are still on their way: what is not accounted for stays
        reserved, and the child UNKNOWN.
        """
        self.returned += quantity
        self.change(_ENDS[kind] if self.leaves == 0 else ChildState.UNKNOWN, now_ns)

    def doubt(self, now_ns: int) -> None:
        """Nobody knows where it is: its quantity stays reserved until the venue gives a definite answer."""
        self.change(ChildState.UNKNOWN, now_ns)

    def answer_due_ns(self, timeout_ns: int, cancels_max: int) -> int | None:
        """When silence becomes UNKNOWN, or an unknown child's cancel is asked again; None = nothing is owed."""
        if not self.is_live:
            return None
        if self.state is ChildState.UNKNOWN:
            if self.cancels_asked >= cancels_max:
                return None
            return (self.cancel_asked_ns or self.updated_ns) + (timeout_ns << max(0, self.cancels_asked - 1))
        if self.state is ChildState.CANCEL_PENDING:
            return (self.cancel_asked_ns or self.updated_ns) + timeout_ns
        if self.state is ChildState.PENDING or self.is_taker:
            return self.updated_ns + timeout_ns
        return None

    def _settle(self, now_ns: int) -> None:
        if self.leaves == 0:
            self.change(ChildState.FILLED, now_ns)
        elif self.cancel_asked_ns is not None:
            self.change(ChildState.CANCEL_PENDING, now_ns)
        else:
            self.change(ChildState.PARTIALLY_FILLED if self.filled else ChildState.WORKING, now_ns)


class ChildNumbers:
    """The attempts used in each slice: no id is ever given twice, and the same history gives the same ids."""

    def __init__(self) -> None:
        self._used: dict[int, int] = {}

    def next_id(self, order_id: ParentOrderId, slice_id: int) -> ChildOrderId:
        return child_order_id(order_id, slice_id, self._used.get(slice_id, 0))

    def use(self, slice_id: int) -> None:
        """The id that `next_id` gave has been sent."""
        self._used[slice_id] = self._used.get(slice_id, 0) + 1

    def state(self) -> tuple[tuple[int, int], ...]:
        return tuple(sorted(self._used.items()))
