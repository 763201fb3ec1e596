"""WebSockets: committed messages as they happen, without a gap and without a repeat.

A reader too slow for its bounded queue is closed with 1013 and the place to resume from.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket

from bestex.api import sockets
from bestex.api.access import Access
from bestex.api.following import Following, Past, SlowReader
from bestex.api.meters import CLIENTS, DROPPED
from bestex.domain.tenants import qualified
from bestex.messages.envelope import Message

DESK_TYPES = frozenset(
    {
        "order_created",
        "order_amended",
        "order_cancelled",
        "execution_strategy_selected",
        "algorithm_execution",
        "execution_report",
        "execution_monitoring",
        "execution_alert_generated",
        "execution_completed",
        "execution_quality_analyzed",
        "trade_executed",
        "kill_switch_changed",
    }
)


async def order_stream(socket: WebSocket, access: Access, order_id: str, after_sequence: int) -> None:
    async def begin(access: Access) -> None:
        order = qualified(access.identity.tenant, order_id)

        def wanted(message: Message[Any]) -> bool:
            return message.order_id == order and message.source_service == "monitoring"

        past = access.journal.read(order_id=order, source="monitoring", after_sequence=after_sequence)
        await _serve(socket, access, wanted, past, lambda _, message: access.frames.of_order(message))

    await sockets.admitted(socket, access, "monitoring.order_stream", begin)


async def desk_stream(socket: WebSocket, access: Access, after_position: int | None) -> None:
    async def begin(access: Access) -> None:
        def wanted(message: Message[Any]) -> bool:
            return message.event_type in DESK_TYPES

        past = None if after_position is None else access.journal.read(after_position=after_position)
        await _serve(socket, access, wanted, past, access.frames.of_desk)

    await sockets.admitted(socket, access, "monitoring.desk_stream", begin)


async def _serve(
    socket: WebSocket,
    access: Access,
    wanted: Callable[[Message[Any]], bool],
    past: Past | None,
    frame: Callable[[int, Message[Any]], str],
) -> None:
    CLIENTS.inc()
    following = Following(access, wanted, past)
    reader = asyncio.create_task(sockets.until_closed(socket))
    sender = asyncio.create_task(_send(socket, following, frame))
    try:
        await asyncio.wait({reader, sender}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        CLIENTS.dec()
        following.close()
        for task in (reader, sender):
            task.cancel()
        await asyncio.gather(reader, sender, return_exceptions=True)


async def _send(socket: WebSocket, following: Following, frame: Callable[[int, Message[Any]], str]) -> None:
    try:
        async for position, message in following:
            await socket.send_text(frame(position, message))
    except SlowReader as slow:
        DROPPED.inc()
        await socket.close(code=1013, reason=str(slow))
