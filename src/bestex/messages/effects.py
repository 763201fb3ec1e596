"""What one step of a service leads to: `handle(message) -> Effects`, and nothing else happens.

The desk commits events, records and the fact that the message was handled in one transaction; only then are the events
delivered, the timers set and the answer given.
"""

from dataclasses import dataclass, field
from typing import Any

from bestex.messages.envelope import Payload
from bestex.messages.quote_watch import QuoteWatch
from bestex.messages.records import Record


@dataclass(frozen=True, kw_only=True)
class Timer:
    """Wake me with `TimerDue`. Asking again under the same (order_id, name) replaces; nothing to wait for cancels.

    Volume and prices are looked at where the market stops, at least ten times a second of its time.
    """

    order_id: str
    name: str
    at_ns: int | None = None
    instrument_id: str | None = None  # with at_volume and at_price
    at_volume: Any = None  # Decimal: cumulative market volume of the session at which to wake
    at_price: QuoteWatch | None = None


@dataclass(kw_only=True)
class Effects:
    events: list[tuple[str, Payload]] = field(default_factory=list)  # (ordering key, payload), in order
    records: list[Record] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    answer: Any = None  # to a request; None for a fact
