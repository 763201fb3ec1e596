"""One reader of one partition, from a position that somebody else keeps, with its gaps noticed."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bestex.adapters.memory.bus import no_longer_kept
from bestex.adapters.pulsar.listening import delivery_of
from bestex.adapters.pulsar.positions import Kept, Position
from bestex.ports import Delivery

GROUP = 500  # records that a reader gets at once, at most


class PartitionReader:
    """What follows a position, in groups, as they come."""

    def __init__(
        self, reader: Any, after: Position | None, kept: Callable[[], Awaitable[Kept]], *, is_at_end: bool
    ) -> None:
        """
        Args:
            reader: of the client, set to what follows `after`.
            is_at_end: whether nothing is there yet: then whatever comes next is what follows.
        """
        self._reader = reader
        self._newest = after
        self._is_at_end = is_at_end
        self._kept = kept
        self._messages: list[Any] = []
        self._failure: Exception | None = None
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        # The client loses the message of a call that is cancelled: one task reads for as long as the reader lives.
        self._task = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        try:
            while True:
                message = await self._reader.read_next()
                self._messages.append(message)
                self._changed.set()
                while len(self._messages) >= GROUP:
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:
            self._failure = error
            self._changed.set()

    async def next_group(self, seconds: float) -> Sequence[Delivery]:
        """Empty if nothing comes in time.

        Raises:
            NotFound: if the broker removed what was to come next before it was read.
            PulsarException: if the client gives the reader up.
        """
        if not self._messages and self._failure is None:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
        if not self._messages and self._failure is not None:
            raise self._failure
        messages, self._messages = self._messages, []
        self._room.set()
        group = []
        for message in messages:
            delivery, position = delivery_of(message)
            if self._newest is not None and not self._is_at_end:
                await self._check_next(self._newest, position)
            self._newest, self._is_at_end = position, False
            group.append(delivery)
        return group

    async def _check_next(self, before: Position, after: Position) -> None:
        if not before.is_next(after) and not (
            before.ledger != after.ledger and (await self._kept()).follows(before, after)
        ):
            raise no_longer_kept(str(before))

    async def look(self) -> bool:
        """Whether it is connected. Where it has read everything, the next record follows, in whatever ledger."""
        if not self._reader.is_connected():
            return False
        if not self._is_at_end:
            with contextlib.suppress(Exception):  # then it is not known
                self._is_at_end = not await self._reader.has_message_available() and not self._messages
        return True

    async def close(self) -> None:
        with contextlib.suppress(Exception):  # it may be gone with its broker
            await self._reader.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
