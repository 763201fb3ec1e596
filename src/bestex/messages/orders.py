"""Parent orders: what the order desk is asked and what it says."""

from decimal import Decimal

from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import ParentOrder, Urgency
from bestex.messages.envelope import Payload


class CreateOrder(Payload, frozen=True, kw_only=True):
    message_type = "create_order"

    order: ParentOrder
    actor: str
    market: MarketSnapshot
    decision_time_ns: int | None = None  # the portfolio manager's; None = as received


class AmendOrder(Payload, frozen=True, kw_only=True):
    """Change what remains of a parent order; None = leave as it is."""

    message_type = "amend_order"

    order_id: str
    actor: str
    quantity: Decimal | None = None  # new total; not below what is filled
    price: Decimal | None = None  # new limit
    end_time_ns: int | None = None
    max_participation_rate: float | None = None
    urgency: Urgency | None = None
    reason: str | None = None
    expected_version: int | None = None  # refused if the order has another by then; None = whatever it is


class CancelOrder(Payload, frozen=True, kw_only=True):
    message_type = "cancel_order"

    order_id: str
    actor: str
    reason: str | None = None
    expected_version: int | None = None  # as of an amendment


class OrderCreated(Payload, frozen=True, kw_only=True):
    message_type = "order_created"

    order: ParentOrder
    status: str  # PENDING
    actor: str
    arrival: MarketSnapshot  # the market when the order reached the desk
    decision_time_ns: int
    submission_time_ns: int


class OrderAmended(Payload, frozen=True, kw_only=True):
    message_type = "order_amended"

    order_id: str
    actor: str
    quantity: Decimal | None = None
    price: Decimal | None = None
    end_time_ns: int | None = None
    max_participation_rate: float | None = None
    urgency: Urgency | None = None
    reason: str | None = None


class OrderCancelled(Payload, frozen=True, kw_only=True):
    """The client wants no more of it; the algorithm service still has to bring its children home."""

    message_type = "order_cancelled"

    order_id: str
    actor: str
    reason: str | None = None
