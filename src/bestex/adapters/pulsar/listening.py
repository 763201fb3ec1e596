"""One consumer of one partition's subscription: what has come and is not acknowledged, in order."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from bestex.adapters.pulsar.positions import Position
from bestex.ports import Delivery

QUEUE = 500  # records fetched ahead of their acknowledgement


class Listener:
    """Never gives a record back to the broker to come later (nack): that would break the order of its key."""

    def __init__(self, consumer: Any) -> None:
        self.consumer = consumer
        self.more = asyncio.Event()
        self.failure: Exception | None = None
        self._unacknowledged: list[Delivery] = []
        self._room = asyncio.Event()
        # The client loses the record of a receive that is cancelled: one task receives while the consumer lives.
        self._task = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        newest = Position(-1, -1)
        try:
            while True:
                message = await self.consumer.receive()
                delivery, position = delivery_of(message)
                if position <= newest:  # somebody has sought back, or the broker begins again after a lost connection
                    self._unacknowledged = [
                        item for item in self._unacknowledged if Position.read(item.position) < position
                    ]
                newest = position
                self._unacknowledged.append(delivery)
                self.more.set()
                while len(self._unacknowledged) >= QUEUE:
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:
            self.failure = error
            self.more.set()

    def first(self, limit: int) -> Sequence[Delivery]:
        return self._unacknowledged[:limit]

    async def acknowledge(self, position: Position, message_id: Any) -> None:
        await self.consumer.acknowledge_cumulative(message_id)
        self._unacknowledged = [item for item in self._unacknowledged if Position.read(item.position) > position]
        self._room.set()

    async def close(self) -> None:
        with contextlib.suppress(Exception):  # it may be gone with its broker
            await self.consumer.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def delivery_of(message: Any) -> tuple[Delivery, Position]:
    """A client message as the port's delivery, and its position."""
    identity = message.message_id()
    position = Position(identity.ledger_id(), identity.entry_id(), identity.batch_index())
    delivery = Delivery(
        position=str(position),
        key=message.partition_key(),
        body=message.data(),
        headers=dict(message.properties()),
        published_ns=message.publish_timestamp() * 1_000_000,
    )
    return delivery, position
