"""Monitoring's own data: does it know every fill the algorithms know, and what was wrong with the quotes it saw?"""

from decimal import Decimal
from typing import Final

import msgspec

from bestex.api.access import Access
from bestex.messages.records import FillRow, MonitoringRow

_LATEST: Final = 1_000


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
    exact = [await _is_exact(access, row) for row in final]
    filled_orders = sorted({fill.order_id for fill in fills})
    known = [await access.store.get(MonitoringRow, order_id) is not None for order_id in filled_orders]
    quoted = [fill for fill in fills if fill.bid is not None and fill.ask is not None]
    accuracy = sum(exact) / len(exact) if exact else None
    coverage = sum(known) / len(known) if known else None
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


async def _is_exact(access: Access, row: MonitoringRow) -> bool:
    """Whether what monitoring counted is what is on record, to the last unit."""
    fills = (await access.store.find(FillRow, where={"order_id": row.order_id}, limit=100_000)).rows
    return sum((fill.quantity for fill in fills), Decimal(0)) == Decimal(str(row.update["filled_quantity"]))
