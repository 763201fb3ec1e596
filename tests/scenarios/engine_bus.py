"""A bus in the parent process, over a socket pair to the engine that is killed: durable, ordered, at least once."""

import asyncio
import pickle
import random
import selectors
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from typing import Any

from bestex.messages.streams import DESK, ORDERS
from bestex.ports import Delivery, Outgoing

Stream = tuple[str, int]
STREAMS: tuple[Stream, ...] = ((ORDERS, 0), (DESK, 0))
_HEAD = struct.Struct("<I")


class EngineBus:
    """`Bus` in the engine's process: only what a worker needs."""

    shards = 1

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._groups: dict[Stream, asyncio.Queue[Sequence[Delivery]]] = {stream: asyncio.Queue() for stream in STREAMS}
        self._stored: dict[int, asyncio.Future[None]] = {}
        self._asked = 0

    def tell(self, *frame: Any) -> None:
        body = pickle.dumps(frame)
        self._writer.write(_HEAD.pack(len(body)) + body)

    async def run(self) -> None:
        while True:
            (size,) = _HEAD.unpack(await self._reader.readexactly(_HEAD.size))
            kind, *content = pickle.loads(await self._reader.readexactly(size))
            if kind == "stored":
                self._stored.pop(content[0]).set_result(None)
            else:
                stream, group = content
                self._groups[stream].put_nowait(group)

    async def publish(self, topic: str, shard: int, producer: str, records: Sequence[Outgoing]) -> None:
        self._asked += 1
        stored = self._stored[self._asked] = asyncio.get_running_loop().create_future()
        self.tell("publish", self._asked, (topic, shard), list(records))
        await stored

    async def read(self, topic: str, shard: int, *, after: str | None) -> AsyncIterator[Sequence[Delivery]]:
        self.tell("read", (topic, shard), after)
        while True:
            yield await self._groups[topic, shard].get()


class ParentBus:
    """The other side: the records, which outlive every engine."""

    def __init__(self, randomness: random.Random, repeats: float) -> None:
        self.records: dict[Stream, list[Delivery]] = {stream: [] for stream in STREAMS}
        self._randomness, self._repeats = randomness, repeats
        self._sent: dict[Stream, int] = {}
        self._socket: socket.socket | None = None
        self._selector = selectors.DefaultSelector()
        self._buffer = bytearray()

    def connect(self, own: socket.socket) -> None:
        """To the next engine, which says from where it reads."""
        own.setblocking(False)
        self._socket, self._buffer, self._sent = own, bytearray(), {}
        self._selector.register(own, selectors.EVENT_READ)

    def disconnect(self) -> list[tuple[Any, ...]]:
        """The last frames of a dead engine: what had left it is on its way."""
        frames = self.frames(0.0)
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None
        return frames

    def append(self, stream: Stream, record: Outgoing) -> None:
        """Store it; the engine gets it now, and sometimes again."""
        records = self.records[stream]
        records.append(
            Delivery(
                position=str(len(records) + 1),
                key=record.key,
                body=record.body,
                headers=dict(record.headers),
                published_ns=0,
            )
        )

    def feed(self) -> None:
        """Send the engine what it has not been sent since it asked to read."""
        for stream, sent in self._sent.items():
            if group := self.records[stream][sent:]:
                self._sent[stream] = sent + len(group)
                self._send("group", stream, group)
                if self._randomness.random() < self._repeats:
                    self._send("group", stream, group)

    def stored(self, number: int) -> None:
        self._send("stored", number)

    def reading(self, stream: Stream, after: str | None) -> None:
        self._sent[stream] = 0 if after is None else int(after)

    def frames(self, seconds: float) -> list[tuple[Any, ...]]:
        """What the engine has said by now, waiting for it for at most so long."""
        if self._socket is None:
            return []
        if self._selector.select(max(0.0, seconds)):
            while True:
                try:
                    part = self._socket.recv(1 << 18)
                except (BlockingIOError, ConnectionError):
                    break
                if not part:
                    break
                self._buffer += part
        frames = []
        while len(self._buffer) >= _HEAD.size:
            (size,) = _HEAD.unpack_from(self._buffer)
            if len(self._buffer) < _HEAD.size + size:
                break
            frames.append(pickle.loads(bytes(self._buffer[_HEAD.size : _HEAD.size + size])))
            del self._buffer[: _HEAD.size + size]
        return frames

    def _send(self, *frame: Any) -> None:
        if self._socket is None:
            return
        body = pickle.dumps(frame)
        view = memoryview(_HEAD.pack(len(body)) + body)
        try:
            self._socket.setblocking(True)
            self._socket.sendall(view)
        except ConnectionError:
            return  # it is dead; the next one reads it again
        finally:
            self._socket.setblocking(False)
