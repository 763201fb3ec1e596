"""What GraphQL shows of the desk: its rows, and an order with everything that belongs to it."""

from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

import strawberry

from bestex.api import reads
from bestex.api.graphql.context import Info
from bestex.api.graphql.limits import LIMIT_MAX
from bestex.api.graphql.outputs import answered, many, output, page_of
from bestex.api.graphql.scalars import Int64, Json
from bestex.api.routes.routing import VenueQuality as VenueQualityStruct
from bestex.domain.errors import NotFound
from bestex.messages import records, strategy
from bestex.ports import Page

T = TypeVar("T")

Limit = Annotated[int, strawberry.argument(description=f"rows a page, 1 to {LIMIT_MAX}")]
Cursor = Annotated[str | None, strawberry.argument(description="next_cursor of the page before")]
States = Annotated[str | None, strawberry.argument(description="one, or several with commas between")]
After = Annotated[Int64 | None, strawberry.argument(description="only what came after the message at this position")]


@strawberry.type(description="One message of an order's stream. `body` is what the message says, by its `event_type`.")
class Event:
    position: Int64
    event_id: str
    event_type: str
    schema_version: int
    timestamp: str
    source_service: str
    order_id: str
    sequence: int
    causation_id: str | None
    correlation_id: str
    body: Json


def event(told: dict[str, Any]) -> Event:
    """Of a message in the client form, with its position."""
    rest = dict(told)
    return Event(body=rest.pop(told["event_type"]), **rest)


async def or_null(asked: Awaitable[T]) -> T | None:
    """Null for what an order does not have yet."""
    try:
        return await asked
    except NotFound:
        return None


async def _children(root: Any, info: Info, limit: Limit = 20, cursor: Cursor = None) -> Any:
    return await reads.children(info.context.access, root.order_id, limit=limit, cursor=cursor)


async def _fills(root: Any, info: Info, limit: Limit = 20, cursor: Cursor = None) -> Any:
    return await reads.fills(info.context.access, root.order_id, limit=limit, cursor=cursor)


async def _timeline(
    root: Any, info: Info, limit: Limit = 20, cursor: Cursor = None, after_position: After = None
) -> Any:
    found = await reads.timeline(
        info.context.access,
        root.order_id,
        after_position=int(after_position or 0),
        limit=limit,
        cursor=cursor,
        quiet=reads.QUIET,
    )
    return Page(rows=[event(item) for item in found.rows], next_cursor=found.next_cursor)


async def _alerts(root: Any, info: Info, state: States = None, limit: Limit = 20, cursor: Cursor = None) -> Any:
    return await reads.alerts(info.context.access, order_id=root.order_id, state=state, limit=limit, cursor=cursor)


async def _status(root: Any, info: Info) -> Any:
    return await or_null(reads.execution_status(info.context.access, root.order_id))


async def _live_children(root: Any, info: Info) -> Any:
    return await reads.live_children(info.context.access, root.order_id)


async def _selections(root: Any, info: Info) -> Any:
    return await reads.selections(info.context.access, root.order_id)


async def _monitoring(root: Any, info: Info) -> Any:
    return await or_null(reads.monitoring(info.context.access, root.order_id))


async def _quality(root: Any, info: Info) -> Any:
    return await or_null(reads.quality_result(info.context.access, root.order_id))


ChildOrder = output(records.ChildOrderRow, name="ChildOrder")
Fill = output(records.FillRow, name="Fill")
Alert = output(records.AlertRow, name="Alert")
ExecutionStatus = output(
    records.ExecutionStatusRow,
    name="ExecutionStatus",
    more={"live_children": answered(_live_children, many(ChildOrder), "Those that have not ended.")},
)
Selection = output(records.StrategySelectionRow, name="StrategySelection")
Monitoring = output(records.MonitoringRow, name="Monitoring")
QualityResult = output(records.QualityResultRow, name="QualityResult")
ExecutionStrategy = output(records.ExecutionStrategyRow, name="CatalogueStrategy")
ExecutionAlgorithm = output(records.ExecutionAlgorithmRow, name="ExecutionAlgorithm")
VenueProfile = output(records.VenueProfileRow, name="VenueProfile")
AlgorithmProfile = output(records.AlgorithmProfileRow, name="AlgorithmProfile")
VenueQuality = output(VenueQualityStruct)
MarketConditions = output(strategy.MarketConditions)

EventPage = page_of(Event, "Event")
ChildOrderPage = page_of(ChildOrder, "ChildOrder")
FillPage = page_of(Fill, "Fill")
AlertPage = page_of(Alert, "Alert")
ExecutionStrategyPage = page_of(ExecutionStrategy, "CatalogueStrategy")
ExecutionAlgorithmPage = page_of(ExecutionAlgorithm, "ExecutionAlgorithm")

Order = output(
    records.ParentOrderRow,
    name="Order",
    more={
        "status": answered(_status, ExecutionStatus | None, "How it is worked; null before."),
        "children": answered(_children, ChildOrderPage, "Newest first."),
        "fills": answered(_fills, FillPage, "Oldest first."),
        "timeline": answered(
            _timeline, EventPage, "Everything on its stream but the timers and the live updates, oldest first."
        ),
        "selections": answered(_selections, many(Selection), "Recommendations and adaptations, oldest first."),
        "monitoring": answered(_monitoring, Monitoring | None, "The latest update, and the final costs."),
        "quality": answered(_quality, QualityResult | None, "Its grade; null before it has one."),
        "alerts": answered(_alerts, AlertPage, "Newest first."),
    },
)
OrderPage = page_of(Order, "Order")
