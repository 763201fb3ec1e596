"""One named producer on one partition: what waits goes out together, in order, and nothing twice."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bestex.ports import Outgoing

_IN_FLIGHT_MAX = 1_000  # below the client's own queue

Sending = tuple[Sequence[Outgoing], "asyncio.Future[None]"]


class Publisher:
    """Sends for one (topic, shard, producer name).

    The broker drops what is not above the newest sequence that it has from the name. The same is asked here before
    each send, from the broker's own answer whenever the producer is made again: a batch that overlaps what the broker
    has would otherwise be dropped as a whole, or kept as a whole.
    """

    def __init__(
        self,
        make_producer: Callable[[], Awaitable[Any]],
        patiently: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]],
    ) -> None:
        self._make_producer = make_producer
        self._patiently = patiently
        self._producer: Any = None
        self._newest = -1
        self._waiting: list[Sending] = []
        self._task: asyncio.Task[None] | None = None

    async def publish(self, records: Sequence[Outgoing]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, done))
        if self._task is None or self._task.done():
            # A task of its own: a caller that is cancelled must not leave a hole in the others' order.
            self._task = asyncio.create_task(self._send_waiting())
        await asyncio.shield(done)

    async def _send_waiting(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            records = [record for item, _ in group for record in item]
            try:
                await self._patiently(lambda records=records: self._send(records))  # type: ignore[misc]
            except Exception as error:
                for _, done in group:
                    if not done.done():
                        done.set_exception(error)
            for _, done in group:
                if not done.done():
                    done.set_result(None)

    async def _send(self, records: Sequence[Outgoing]) -> None:
        if self._producer is None:
            self._producer = await self._make_producer()
            self._newest = self._producer.last_sequence_id()
        new = []
        newest = self._newest
        for record in records:
            if record.sequence > newest:
                newest = record.sequence
                new.append(record)
        try:
            for first in range(0, len(new), _IN_FLIGHT_MAX):
                await self._send_together(new[first : first + _IN_FLIGHT_MAX])
        except BaseException:
            # What of it the broker has is only known by asking it, with a new producer of the same name.
            await self.close()
            raise
        self._newest = newest

    async def _send_together(self, records: Sequence[Outgoing]) -> None:
        sent = await asyncio.gather(
            *(
                self._producer.send(
                    record.body, properties=record.headers, partition_key=record.key, sequence_id=record.sequence
                )
                for record in records
            ),
            return_exceptions=True,
        )
        for result in sent:
            if isinstance(result, BaseException):
                raise result

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(Exception):  # it may be gone with its broker
                await producer.close()

    async def finish(self) -> None:
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        await self.close()
