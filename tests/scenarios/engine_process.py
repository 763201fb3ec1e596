"""The algorithm engine in a forked process: a worker over a SQLite journal, in the shipped form and in two broken ones."""

import asyncio
import hashlib
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from bestex.adapters.sql.journal import SqlJournal
from bestex.app import logs
from bestex.app.host import Host
from bestex.app.worker import Worker
from bestex.domain.ids import ChildOrderId
from bestex.messages.envelope import Message
from bestex.services.algorithm import children, planning
from tests.scenarios.engine_bus import STREAMS, EngineBus

BROKEN = ("send-first", "random-ids")


class SendFirst(Worker):
    """Broken on purpose: says what it is going to commit before it is durable."""

    async def _commit(self) -> None:
        for turn in self._gathered.turns:
            for message in turn.messages:
                if message.source_service in self.host.sources:
                    await self._bus.publish(*self._stream_of(message), "first", [self._outgoing(0, message)])
        await super()._commit()


def forked(own: socket.socket, others: socket.socket, path: Path, make_host: Callable[[], Host], broken: str) -> int:
    """Start an engine; its process id."""
    pid = os.fork()
    if pid == 0:
        others.close()
        _run(own, path, make_host, broken)
    own.close()
    return pid


def _run(own: socket.socket, path: Path, make_host: Callable[[], Host], broken: str) -> NoReturn:
    try:
        logs.configure("error")
        if broken == "random-ids":
            _take_random_ids()
        asyncio.run(_work(own, path, make_host, SendFirst if broken == "send-first" else Worker))
    finally:
        os._exit(1)


async def _work(own: socket.socket, path: Path, make_host: Callable[[], Host], kind: type[Worker]) -> None:
    reader, writer = await asyncio.open_connection(sock=own, limit=1 << 24)
    bus = EngineBus(reader, writer)
    journal = await SqlJournal.open_file(path)
    worker = kind("algorithm", make_host, journal, bus, STREAMS)  # type: ignore[arg-type]

    def committed(position: int, _: Message[Any]) -> None:
        if position == journal.last_position:
            bus.tell("state", position, digest(worker.host))

    worker.subscribe(committed)
    working = asyncio.create_task(worker.run())
    ready = asyncio.create_task(worker.ready.wait())
    await asyncio.wait([working, ready], return_when=asyncio.FIRST_COMPLETED)
    bus.tell("ready", journal.last_position, digest(worker.host))
    await asyncio.gather(working, bus.run())


def digest(host: Host) -> str:
    """Of everything the services of a host know of the orders it has heard of."""
    orders = sorted({order_id for order_id, _ in host._sequences})
    states = [(order_id, service.state(order_id)) for order_id in orders for service in host.services]
    return hashlib.sha256(repr(states).encode()).hexdigest()


def _take_random_ids() -> None:
    """Broken on purpose: a child's id is not a function of parent, slice and attempt."""

    def random_id(parent_order_id: str, slice_number: int, attempt: int) -> ChildOrderId:
        return ChildOrderId(f"{parent_order_id}-{secrets.token_hex(4)}-{attempt:03d}")

    children.child_order_id = random_id  # type: ignore[assignment]
    planning.child_order_id = random_id  # type: ignore[assignment]
