"""Updates as they are committed: resumable by position, for a reader who keeps up."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import strawberry

from bestex.api import reads
from bestex.api.access import Access
from bestex.api.following import Following
from bestex.api.graphql import types
from bestex.api.graphql.context import Info
from bestex.api.graphql.outputs import answered, object_type, output
from bestex.api.graphql.types import After
from bestex.domain.tenants import qualified
from bestex.messages.codec import wire
from bestex.messages.envelope import Message, Payload
from bestex.messages.execution import AlgorithmExecution, ExecutionReport
from bestex.messages.monitoring import ExecutionAlertGenerated, ExecutionMonitoring
from bestex.messages.quality import ExecutionQualityAnalyzed, QualityAlert

_ORDER: Final = frozenset(
    {
        "order_created",
        "order_amended",
        "order_cancelled",
        "execution_strategy_selected",
        "execution_completed",
        "trade_executed",
    }
)


@dataclass(frozen=True, kw_only=True)
class Update:
    position: int
    message: Message[Any]


def _event(root: Update) -> types.Event:
    return types.event({"position": root.position, **wire(root.message)})


def _update(name: str, description: str, payloads: dict[str, type[Payload]]) -> Any:
    """An update whose fields hold the payload under the name of its kind, and null for the others."""
    fields: dict[str, Any] = {"event": answered(_event, types.Event)}
    for key, kind in payloads.items():
        fields[key] = answered(_payload_of(kind), output(kind) | None)
    return object_type(name, description, fields)


def _payload_of(kind: type[Payload]) -> Any:
    def read(root: Update) -> Any:
        return root.message.payload if isinstance(root.message.payload, kind) else None

    return read


async def _order(root: Update, info: Info) -> Any:
    return await types.or_null(reads.order_row(info.context.access, root.message.order_id))


_EXECUTION: Final[dict[str, type[Payload]]] = {
    "execution": AlgorithmExecution,
    "report": ExecutionReport,
    "metrics": ExecutionMonitoring,
}
_ALERT: Final[dict[str, type[Payload]]] = {"alert": ExecutionAlertGenerated, "quality_alert": QualityAlert}
_QUALITY: Final[dict[str, type[Payload]]] = {"quality": ExecutionQualityAnalyzed}

OrderUpdate = object_type(
    "OrderUpdate",
    "What became of a parent order, and the order as it is now.",
    {
        "event": answered(_event, types.Event),
        "order": answered(_order, types.Order | None),
    },
)
ExecutionUpdate = _update("ExecutionUpdate", "How an order is being worked: progress, report or metrics.", _EXECUTION)
AlertUpdate = _update("AlertUpdate", "An alert that fires, is acknowledged or ends.", _ALERT)
QualityUpdate = _update("QualityUpdate", "An order's grade.", _QUALITY)


async def _follow(
    access: Access, kinds: frozenset[str], order_id: str | None, after_position: int | None
) -> AsyncIterator[Update]:
    """Raises NotFound for an order nobody knows, SlowReader for a reader who does not keep up."""
    if order_id is not None:
        order_id = qualified(access.identity.tenant, order_id)
        await reads.order_row(access, order_id)

    def wanted(message: Message[Any]) -> bool:
        return message.event_type in kinds and order_id in (None, message.order_id)

    past = None
    if after_position is not None:
        past = access.journal.read(order_id=order_id, after_position=after_position)
    following = Following(access, wanted, past)
    try:
        async for position, message in following:
            yield Update(position=position, message=message)
    finally:
        following.close()


def _types(payloads: dict[str, type[Payload]]) -> frozenset[str]:
    return frozenset(kind.message_type for kind in payloads.values())


def _updates(kinds: frozenset[str], kind: Any, description: str) -> Any:
    async def updates(info: Info, order_id: str | None = None, after_position: After = None) -> AsyncIterator[Any]:
        async for update in _follow(info.context.access, kinds, order_id, after_position):
            yield update

    return strawberry.subscription(resolver=updates, graphql_type=kind, description=description)


Subscription = object_type(
    "Subscription",
    "Updates of all orders, or of one. With `after_position` from there on, else from now on; a reader who falls "
    "behind is told the position to go on from.",
    {
        "order_updates": _updates(_ORDER, OrderUpdate, "Created, selected, amended, cancelled, done."),
        "execution_updates": _updates(_types(_EXECUTION), ExecutionUpdate, "Progress, venue reports, live metrics."),
        "alert_updates": _updates(_types(_ALERT), AlertUpdate, "Alerts of executions and of quality."),
        "quality_updates": _updates(_types(_QUALITY), QualityUpdate, "Grades as they are given."),
    },
)
