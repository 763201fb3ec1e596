"""Monitoring's own data: does it know every fill the algorithms know, and what was wrong with the quotes it saw?"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bestex.api.access import Access
from bestex.messages.records import FillRow, MonitoringRow

_LATEST: Final = 500
_FILLS_MAX: Final = 50_000


class MonitoringQuality(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over the latest fills and watched orders; shares are 0..1 and None where there is nothing to count.

    `accuracy`: share of the final orders whose executed quantity is the sum of the fills on record. `coverage`: share
    of the filled orders that are watched. `reliability_score`: the product of the two.
    """

    orders_watched: int
    orders_final: int
    orders_measured: int
    orders_with_missing_costs: int  # measured, but a price it needed was missing
    late_fills: int  # reported after their child order or the parent had ended
    fills: int
    fills_without_quote: int  # a side of the quote was empty
    fills_at_crossed_quote: int  # bid above ask: kept out of the spread metrics
    fills_at_locked_quote: int
    accuracy: float | None
    coverage: float | None
    reliability_score: float | None
    oldest_update_ns: int | None  # of the orders counted
    newest_update_ns: int | None


async def monitoring_quality(access: Access) -> MonitoringQuality:
    watched = (await access.store.find(MonitoringRow, order_by="-updated_time_ns", limit=_LATEST)).rows
    fills = (await access.store.find(FillRow, order_by="-received_time_ns", limit=_LATEST)).rows
    final = [row for row in watched if row.state in ("FILLED", "CANCELLED", "EXPIRED", "REJECTED")]
    measured = [row.measured for row in final if row.measured is not None]
    exact = await _exact(access, final)
    filled_orders = tuple(sorted({fill.order_id for fill in fills}))
    known = (await access.store.find(MonitoringRow, where={"order_id": filled_orders}, limit=_LATEST)).rows
    quoted = [fill for fill in fills if fill.bid is not None and fill.ask is not None]
    accuracy = sum(exact) / len(exact) if exact else None
    coverage = len(known) / len(filled_orders) if filled_orders else None
    times = [row.updated_time_ns for row in watched]
    return MonitoringQuality(
        orders_watched=len(watched),
        orders_final=len(final),
        orders_measured=len(measured),
        orders_with_missing_costs=sum(item["costs"]["total"] is None for item in measured),
        late_fills=sum(int(row.update["late_fills"]) for row in watched),
        fills=len(fills),
        fills_without_quote=len(fills) - len(quoted),
        fills_at_crossed_quote=sum(fill.bid > fill.ask for fill in quoted),
        fills_at_locked_quote=sum(fill.bid == fill.ask for fill in quoted),
        accuracy=accuracy,
        coverage=coverage,
        reliability_score=None if accuracy is None or coverage is None else accuracy * coverage,
        oldest_update_ns=min(times, default=None),
        newest_update_ns=max(times, default=None),
    )


async def _exact(access: Access, final: Sequence[MonitoringRow]) -> list[bool]:
    """Of each order, whether what monitoring counted is what is on record, to the last unit.

    Orders whose fills are not all among the first 50,000 are left out.
    """
    wanted = {row.order_id: Decimal(0) for row in final}
    found = await access.store.find(FillRow, where={"order_id": tuple(wanted)}, order_by="order_id", limit=_FILLS_MAX)
    for fill in found.rows:
        wanted[fill.order_id] += fill.quantity
    unread = found.rows[-1].order_id if found.next_cursor is not None else None
    return [
        wanted[row.order_id] == Decimal(str(row.update["filled_quantity"]))
        for row in final
        if unread is None or row.order_id < unread
    ]
