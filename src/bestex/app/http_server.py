"""Serves one ASGI application on one address, until SIGINT or SIGTERM."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from bestex.domain.errors import InvalidInput


class _Server(uvicorn.Server):
    """Stops on our word: uvicorn's own handling would raise the signal again before the desk has closed its journal."""

    on_start: Callable[[], None]

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_start()

    def stop(self) -> None:
        self.should_exit = True


async def run(
    application: Any,
    listener: socket.socket,
    ready: Callable[[], None],
    until: "asyncio.Future[Any] | None" = None,
) -> None:
    """`ready` is told once requests are taken. It stops as well when `until` is done."""
    server = _Server(
        uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=3,
            ws_max_size=64 * 1024,
            ws_per_message_deflate=False,  # a frame of 2 kB on loopback is sooner sent than packed
        )
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    server.on_start = ready
    if until is not None:
        until.add_done_callback(lambda _: server.stop())
    await server.serve(sockets=[listener])


def bind(host: str, port: int) -> socket.socket:
    """A listening address. Port 0 takes any free one. Raises InvalidInput if it cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then; without it every answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InvalidInput(
            f"port {port} on {host} cannot be used: {error.strerror}; give another with --port",
            field="port",
            value=port,
            expected="a free port",
        ) from None
    return listener
