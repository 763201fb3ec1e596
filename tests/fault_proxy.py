"""A TCP proxy on loopback that loses connections at a stated byte, holds answers back, or is away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

COMMIT = b"Q\x00\x00\x00\x0cCOMMIT;\x00"  # PostgreSQL's message that asks for the commit


class FaultProxy:
    """Forwards bytes to one address. Each fault is of one use: the next connection is whole again."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.faults = 0  # how many happened
        self.happened = asyncio.Event()
        self.cut_up: int | None = None  # from the start of a COMMIT: forward so many of its bytes, then cut
        self.cut_down: int | None = None  # forward COMMIT, and so many bytes of its answer, then cut
        self.swallow = False  # forward COMMIT, and never its answer, on a connection that stays open
        self.cut_anywhere: int | None = None  # after so many bytes in either direction

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections and cut those there are; `start` takes the same port again."""
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def count(self) -> None:
        self.faults += 1
        self.happened.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            up_reader, up_writer = await asyncio.open_connection(*self._target)
            self._open |= {writer, up_writer}
            await _Link(self, (reader, writer), (up_reader, up_writer)).run()
            self._open -= {writer, up_writer}
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)


class _Link:
    """One connection through the proxy."""

    def __init__(
        self,
        proxy: FaultProxy,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._answer: int | None = None  # bytes of the answer still to forward, then cut
        self._is_mute = False

    async def run(self) -> None:
        tasks = [asyncio.create_task(self._up()), asyncio.create_task(self._down())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for _, writer in (self._client, self._server):
                writer.transport.abort()

    async def _up(self) -> None:
        while data := await self._client[0].read(65_536):
            data, is_cut = self._counted(data)
            if (at := data.find(COMMIT)) >= 0:
                data, is_cut = self._on_commit(data, at)
            self._server[1].write(data)
            await self._server[1].drain()
            if is_cut:
                await _flushed(self._server[1])
                return

    async def _down(self) -> None:
        while data := await self._server[0].read(65_536):
            data, is_cut = self._counted(data)
            if self._is_mute:
                continue
            if self._answer is not None:
                data, self._answer = data[: self._answer], self._answer - len(data)
                is_cut = self._answer <= 0
            self._client[1].write(data)
            await self._client[1].drain()
            if is_cut:
                await _flushed(self._client[1])
                return

    def _on_commit(self, data: bytes, at: int) -> tuple[bytes, bool]:
        proxy = self._proxy
        if proxy.cut_up is not None:
            data, proxy.cut_up = data[: at + proxy.cut_up], None
            proxy.count()
            return data, True
        if proxy.cut_down is not None:
            self._answer, proxy.cut_down = proxy.cut_down, None
            proxy.count()
            return data, False
        if proxy.swallow:
            self._is_mute, proxy.swallow = True, False
            proxy.count()
        return data, False

    def _counted(self, data: bytes) -> tuple[bytes, bool]:
        left = self._proxy.cut_anywhere
        if left is None:
            return data, False
        if left > len(data):
            self._proxy.cut_anywhere = left - len(data)
            return data, False
        self._proxy.cut_anywhere = None
        self._proxy.count()
        return data[:left], True


async def _flushed(writer: asyncio.StreamWriter) -> None:
    """What was written has left before the connection is cut."""
    with contextlib.suppress(OSError):
        writer.write_eof()
        await asyncio.sleep(0.002)


@asynccontextmanager
async def fault_proxy(host: str, port: int) -> AsyncIterator[FaultProxy]:
    proxy = FaultProxy(host, port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
