"""Committed messages as they happen, without a gap and without a repeat, for one reader.

It listens first, then reads the journal from where the reader left off, then goes on with what arrived meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from bestex.api.access import Access
from bestex.messages.envelope import Message

QUEUE_MAX: Final = 5_000

Past = AsyncIterator[tuple[int, Message[Any]]]


class SlowReader(Exception):
    """The reader fell further behind than its queue holds. `position` is the last one it was given."""

    def __init__(self, position: int) -> None:
        super().__init__(f"too slow; resume after position {position}")
        self.position = position


class Following:
    """Listens from its creation until `close`; iterate it once.

    Args:
        wanted: which messages; the others cost no room in the queue.
        past: what comes first; None = only what is committed from now on.
    """

    def __init__(
        self,
        access: Access,
        wanted: Callable[[Message[Any]], bool],
        past: Past | None,
        queue_max: int | None = None,
    ) -> None:
        self._wanted = wanted
        self._past = past
        self._queue: asyncio.Queue[tuple[int, Message[Any]]] = asyncio.Queue(queue_max or QUEUE_MAX)
        self._overflowed = False
        self.close: Callable[[], None] = access.feed.subscribe(self._listen)

    def _listen(self, position: int, message: Message[Any]) -> None:
        if not self._wanted(message):
            return
        try:
            self._queue.put_nowait((position, message))
        except asyncio.QueueFull:
            self._overflowed = True

    async def __aiter__(self) -> AsyncIterator[tuple[int, Message[Any]]]:
        """Positions and messages in order. Raises SlowReader."""
        last = 0
        if self._past is not None:
            async for position, message in self._past:
                last = position
                if self._wanted(message):
                    yield position, message
        while not self._overflowed:
            position, message = await self._queue.get()
            if position > last:
                last = position
                yield position, message
        raise SlowReader(last)
