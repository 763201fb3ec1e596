"""Asks services in other processes, over the bus. Whoever works the order answers, when it is durable."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import structlog

from bestex.app.observer import SILENT, Observer
from bestex.domain.errors import BestexError, BusUnavailable, ServiceUnavailable
from bestex.messages.envelope import Payload
from bestex.messages.requests import read_answer, request_bytes
from bestex.messages.streams import ANSWERS, requests_of, shard_of
from bestex.ports import Bus, Idempotency, Outgoing

log = structlog.get_logger()


class BusRequests:
    """`Requests`. `run` takes the answers; it must run while somebody asks."""

    def __init__(
        self,
        bus: Bus,
        instance: str,
        now_ns: Callable[[], int],
        new_id: Callable[[str], str],
        shared: frozenset[str] = frozenset(),
        seconds: float = 10.0,
        observer: Observer = SILENT,
    ) -> None:
        """
        Args:
            instance: of this process; nobody else has that name.
            now_ns: desk time.
            shared: services whose orders several workers share: what concerns the desk as a whole is asked of each.
            seconds: how long to wait for an answer.
        """
        self._bus = bus
        self._instance = instance
        self._now_ns = now_ns
        self._new_id = new_id
        self._shared = shared
        self._seconds = seconds
        self._observer = observer
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._number = 0
        self._listening = asyncio.Event()

    async def run(self) -> None:
        shard = shard_of(self._instance, self._bus.shards)
        position = await self._bus.end(ANSWERS, shard)
        while True:
            try:
                self._listening.set()
                async for group in self._bus.read(ANSWERS, shard, after=position):
                    for delivery in group:
                        position = delivery.position
                        if delivery.key == self._instance:
                            self._take(delivery.body)
            except BusUnavailable as error:
                log.warning("bus lost, waiting for answers again", instance=self._instance, error=error.message)
                await asyncio.sleep(0.2)

    async def ask(
        self, service: str, payload: Payload, *, order_id: str, idempotency: Idempotency | None = None
    ) -> Any:
        if service in self._shared and order_id == "desk":
            asked = [self._ask(service, payload, order_id, shard, idempotency) for shard in range(self._bus.shards)]
            return merged(await asyncio.gather(*asked))
        return await self._ask(service, payload, order_id, shard_of(order_id, self._bus.shards), idempotency)

    async def _ask(
        self, service: str, payload: Payload, order_id: str, shard: int, idempotency: Idempotency | None
    ) -> Any:
        request_id = self._new_id("req")
        body = request_bytes(
            request_id,
            service,
            order_id,
            payload,
            self._instance,
            time_ns=self._now_ns(),
            idempotency_key=None if idempotency is None else idempotency.key,
            request_digest=None if idempotency is None else idempotency.request_digest,
        )
        self._number += 1
        record = Outgoing(
            key=order_id,
            body=body,
            headers={"request": service, "event_type": payload.message_type, **self._observer.headers(None)},
            sequence=self._number,
        )
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = answered
        try:
            await self._listening.wait()
            await self._bus.publish(requests_of(service), shard, f"ask-{self._instance}", [record])
            async with asyncio.timeout(self._seconds):
                return await answered
        except TimeoutError:
            raise ServiceUnavailable(
                f"the {service} service did not answer within {self._seconds:g} s; what it does with the request shows "
                "on the order, and the same Idempotency-Key asks again without doing it twice",
                field="service",
                value=service,
                expected=f"a running {service} service",
            ) from None
        finally:
            self._waiting.pop(request_id, None)

    def _take(self, body: bytes) -> None:
        request_id, answer = read_answer(body)
        waiting = self._waiting.get(request_id)
        if waiting is None or waiting.done():
            return  # asked too long ago
        with contextlib.suppress(asyncio.InvalidStateError):
            if isinstance(answer, BestexError):
                waiting.set_exception(answer)
            else:
                waiting.set_result(answer)


def merged(answers: list[Any]) -> Any:
    """One answer of what every worker of a service said to the same request about the desk: its counts added up."""
    first = answers[0]
    if first is None or not hasattr(first, "merged_with"):
        return first
    for other in answers[1:]:
        first = first.merged_with(other)
    return first
