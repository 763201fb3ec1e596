"""The root of every query: the same questions as the GET routes, answered by the same functions."""

from typing import Any

from bestex.api import reads
from bestex.api.graphql import types
from bestex.api.graphql.context import Info
from bestex.api.graphql.outputs import answered, many, object_type
from bestex.api.graphql.types import Cursor, Limit, States
from bestex.api.routes.routing import venues_of


async def _orders(
    info: Info,
    state: States = None,
    instrument_id: str | None = None,
    sort: str = "-created_time",
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Any:
    return await reads.orders(
        info.context.access,
        state=state,
        instrument_id=instrument_id,
        sort=_row_field(sort),
        limit=limit,
        cursor=cursor,
    )


async def _order(info: Info, order_id: str) -> Any:
    return await reads.order_row(info.context.access, order_id)


async def _strategies(
    info: Info,
    enabled: bool | None = None,
    strategy_type: str | None = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Any:
    return await reads.strategies(
        info.context.access, enabled=enabled, strategy_type=strategy_type, limit=limit, cursor=cursor
    )


async def _algorithms(info: Info, limit: Limit = 20, cursor: Cursor = None) -> Any:
    return await reads.algorithms(info.context.access, limit=limit, cursor=cursor)


async def _algorithm_performance(info: Info, algorithm: str | None = None) -> Any:
    return await reads.algorithm_profiles(info.context.access, algorithm=algorithm)


async def _venue_comparison(info: Info, venue_types: States = None) -> Any:
    return await reads.venue_profiles(info.context.access, venue_types=venue_types)


async def _venues_quality(info: Info, instrument_id: str) -> Any:
    return await venues_of(info.context.access, instrument_id)


async def _alerts(
    info: Info,
    order_id: str | None = None,
    state: States = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Any:
    return await reads.alerts(info.context.access, order_id=order_id, state=state, limit=limit, cursor=cursor)


async def _market_conditions(info: Info, instrument_id: str) -> Any:
    return await reads.market_conditions(info.context.access, instrument_id)


def _row_field(sort: str) -> str:
    """The row's own name of a time that clients know without its suffix."""
    return f"{sort}_ns" if sort.endswith("_time") else sort


Query = object_type(
    "Query",
    "What can be read of the desk.",
    {
        "orders": answered(_orders, types.OrderPage, "Parent orders, newest first."),
        "order": answered(_order, types.Order, "One parent order."),
        "strategies": answered(_strategies, types.ExecutionStrategyPage, "The catalogue of execution strategies."),
        "algorithms": answered(_algorithms, types.ExecutionAlgorithmPage, "The catalogue of algorithms."),
        "algorithm_performance": answered(
            _algorithm_performance, many(types.AlgorithmProfile), "Algorithms side by side, best first."
        ),
        "venue_comparison": answered(_venue_comparison, many(types.VenueProfile), "Venues side by side, best first."),
        "venues_quality": answered(_venues_quality, many(types.VenueQuality), "The venues of an instrument, now."),
        "alerts": answered(_alerts, types.AlertPage, "Live and past alerts, newest first."),
        "market_conditions": answered(
            _market_conditions, types.MarketConditions, "Regime, volatility, liquidity, trend and intraday pattern now."
        ),
    },
)
