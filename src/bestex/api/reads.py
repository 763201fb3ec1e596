"""What can be read of the desk: one function a question, whatever protocol it was asked by."""

from typing import Annotated, Final

from fastapi import Query

from bestex.api.access import Access
from bestex.api.market_now import market_now
from bestex.domain.errors import InvalidInput, NotFound
from bestex.messages.codec import wire
from bestex.messages.records import (
    AlertRow,
    AlgorithmProfileRow,
    ChildOrderRow,
    ExecutionAlgorithmRow,
    ExecutionStatusRow,
    ExecutionStrategyRow,
    FillRow,
    MonitoringRow,
    ParentOrderRow,
    QualityResultRow,
    StrategySelectionRow,
    VenueProfileRow,
)
from bestex.messages.strategy import AssessMarket, MarketConditions
from bestex.ports import Page

After = Annotated[int, Query(ge=0, le=2**63 - 1, description="only what came after the message at this position")]
QUIET: Final = frozenset({"timer_due", "execution_monitoring"})  # left out of an order's life
_LIVE: Final = ("PENDING", "WORKING", "PARTIALLY_FILLED", "CANCEL_PENDING", "UNKNOWN")
_POSITION_DIGITS_MAX: Final = 18


async def orders(
    access: Access,
    *,
    state: str | None = None,
    instrument_id: str | None = None,
    sort: str = "-created_time_ns",
    limit: int = 100,
    cursor: str | None = None,
) -> Page:
    """Parent orders. `state` takes several, separated by commas."""
    where: dict[str, object] = {}
    if state is not None:
        where["state"] = tuple(state.split(","))
    if instrument_id is not None:
        where["instrument_id"] = instrument_id
    return await access.store.find(ParentOrderRow, where=where, order_by=sort, limit=limit, cursor=cursor)


async def order_row(access: Access, order_id: str) -> ParentOrderRow:
    """The order's row. Raises NotFound."""
    row = await access.store.get(ParentOrderRow, order_id)
    if row is None:
        raise NotFound(f"no order {order_id}", field="order_id", value=order_id)
    return row


async def fills(access: Access, order_id: str, *, limit: int = 1000, cursor: str | None = None) -> Page:
    """Its fills, oldest first. Raises NotFound for an unknown order."""
    await order_row(access, order_id)
    return await access.store.find(
        FillRow, where={"order_id": order_id}, order_by="received_time_ns", limit=limit, cursor=cursor
    )


async def children(access: Access, order_id: str, *, limit: int = 1000, cursor: str | None = None) -> Page:
    """Its child orders, newest first. Raises NotFound for an unknown order."""
    await order_row(access, order_id)
    return await access.store.find(
        ChildOrderRow, where={"order_id": order_id}, order_by="-submitted_time_ns", limit=limit, cursor=cursor
    )


async def live_children(access: Access, order_id: str) -> list[ChildOrderRow]:
    """Its child orders that have not ended."""
    found = await access.store.find(ChildOrderRow, where={"order_id": order_id, "state": _LIVE})
    return list(found.rows)


async def execution_status(access: Access, order_id: str) -> ExecutionStatusRow:
    """How it is being worked. Raises NotFound where it is not."""
    row = await access.store.get(ExecutionStatusRow, order_id)
    if row is None:
        raise NotFound(f"order {order_id} is not being worked", field="order_id", value=order_id)
    return row


async def monitoring(access: Access, order_id: str) -> MonitoringRow:
    """Its latest update, and at the end its measurement. Raises NotFound."""
    row = await access.store.get(MonitoringRow, order_id)
    if row is None:
        raise NotFound(f"order {order_id} is not monitored", field="order_id", value=order_id)
    return row


async def selections(access: Access, order_id: str) -> list[StrategySelectionRow]:
    """Its recommendations and adaptations, oldest first; empty where there are none."""
    found = await access.store.find(StrategySelectionRow, where={"order_id": order_id}, order_by="created_at_ns")
    return list(found.rows)


async def quality_result(access: Access, order_id: str) -> QualityResultRow:
    """Its grade. Raises NotFound where it has none."""
    row = await access.store.get(QualityResultRow, order_id)
    if row is None:
        raise NotFound(f"order {order_id} has no grade", field="order_id", value=order_id)
    return row


async def alerts(
    access: Access,
    *,
    order_id: str | None = None,
    state: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page:
    """Alerts, newest first. `state` takes several, separated by commas."""
    where: dict[str, object] = {}
    if order_id is not None:
        where["order_id"] = order_id
    if state is not None:
        where["state"] = tuple(state.split(","))
    return await access.store.find(AlertRow, where=where, order_by="-raised_time_ns", limit=limit, cursor=cursor)


async def strategies(
    access: Access,
    *,
    enabled: bool | None = None,
    strategy_type: str | None = None,
    sort: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page:
    """The catalogue of execution strategies."""
    where = {"enabled": enabled, "strategy_type": strategy_type}
    return await access.store.find(
        ExecutionStrategyRow,
        where={name: value for name, value in where.items() if value is not None},
        order_by=sort,
        limit=limit,
        cursor=cursor,
    )


async def algorithms(access: Access, *, limit: int = 100, cursor: str | None = None) -> Page:
    """The catalogue of execution algorithms."""
    return await access.store.find(ExecutionAlgorithmRow, limit=limit, cursor=cursor)


async def venue_profiles(access: Access, *, venue_types: str | None = None) -> list[VenueProfileRow]:
    """Venues side by side, over every order so far; best first. `venue_types` takes several, separated by commas."""
    where: dict[str, object] = {} if venue_types is None else {"venue_type": tuple(venue_types.split(","))}
    return list((await access.store.find(VenueProfileRow, where=where, order_by="-quality_score")).rows)


async def algorithm_profiles(access: Access, *, algorithm: str | None = None) -> list[AlgorithmProfileRow]:
    """Algorithms side by side, over every order so far; best first."""
    where: dict[str, object] = {} if algorithm is None else {"algorithm": algorithm}
    return list((await access.store.find(AlgorithmProfileRow, where=where, order_by="-quality_score")).rows)


async def market_conditions(access: Access, instrument_id: str) -> MarketConditions:
    """Regime, volatility, liquidity, trend and intraday pattern now. Raises NotFound, InvalidOrder."""
    payload = AssessMarket(instrument_id=instrument_id, market=market_now(access, instrument_id))
    found: MarketConditions = await access.requests.ask("strategy", payload, order_id="desk")
    return found


async def timeline(
    access: Access,
    order_id: str,
    *,
    after_position: int = 0,
    limit: int = 1000,
    cursor: str | None = None,
    source: str | None = None,
    quiet: frozenset[str] = frozenset(),
) -> Page:
    """Messages of an order's stream with their positions, oldest first, in the client form.

    Args:
        source: of this service only; None = of all.
        quiet: event types left out.

    Raises:
        NotFound: for an unknown order.
        InvalidInput: for a cursor that is not of a timeline.
    """
    await order_row(access, order_id)
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _POSITION_DIGITS_MAX):
            raise InvalidInput(
                f"cursor {cursor[:40]!r} is not of a timeline",
                field="cursor",
                value=cursor,
                expected="next_cursor of the same timeline",
            )
        after_position = max(after_position, int(cursor))
    items: list[dict[str, object]] = []
    async for position, message in access.journal.read(order_id=order_id, source=source, after_position=after_position):
        if message.event_type in quiet:
            continue
        if len(items) == limit:
            return Page(rows=items, next_cursor=str(items[-1]["position"]))
        items.append({"position": position, **wire(message)})
    return Page(rows=items, next_cursor=None)
