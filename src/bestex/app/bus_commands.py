"""What an operator does to a bus: look at topics and subscriptions, and change them with a line in the audit.

Each change is logged, and kept as a record on the bus itself, on the topic `operations`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from bestex.app.buses import BusAddress, open_bus
from bestex.domain.errors import NotFound
from bestex.messages.codec import json_bytes
from bestex.messages.streams import DESK, MARKET, OPERATIONS, ORDERS, requests_of
from bestex.ports import Bus, Outgoing, Subscription

log = structlog.get_logger()

_SERVICES = ("strategy", "algorithm", "monitoring", "quality")
_OURS = (
    ORDERS,
    DESK,
    MARKET,
    OPERATIONS,
    *map(requests_of, _SERVICES),
)  # they may be subscribed to before the first record


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a bus, as it stands in the audit."""

    action: str  # create, delete, seek, pause, resume, retain, remove
    actor: str
    topic: str | None = None
    subscription: str | None = None
    detail: str | None = None


async def topics(address: BusAddress) -> Sequence[str]:
    bus = await open_bus(address)
    try:
        return await bus.topics()
    finally:
        await bus.close()


async def subscriptions(address: BusAddress, topic: str | None) -> Sequence[Subscription]:
    """Of a topic, or of all. Raises NotFound for a topic that the bus does not have."""
    bus = await open_bus(address)
    try:
        known = await bus.topics()
        if topic is not None and topic not in known:
            raise _no_topic(topic, known)
        found: list[Subscription] = []
        for name in known if topic is None else [topic]:
            found.extend(await bus.subscriptions(name))
        return found
    finally:
        await bus.close()


async def change(
    address: BusAddress,
    wanted: Change,
    *,
    from_start: bool = False,
    time_ns: int | None = None,
    sequence: int | None = None,
    older_than_seconds: float = 0.0,
) -> None:
    """Do it, then say it in the audit.

    Args:
        from_start: of create.
        time_ns, sequence: of seek; exactly one of the two.
        older_than_seconds: of retain.

    Raises:
        NotFound: if the bus does not have the topic or the subscription.
    """
    bus = await open_bus(address)
    try:
        await _do(bus, wanted, from_start, time_ns, sequence, older_than_seconds)
        await _audit(bus, wanted)
    finally:
        await bus.close()
    log.info(
        "bus changed",
        bus=str(address),
        action=wanted.action,
        topic=wanted.topic,
        subscription=wanted.subscription,
        detail=wanted.detail,
        actor=wanted.actor,
    )


async def _do(
    bus: Bus,
    wanted: Change,
    from_start: bool,
    time_ns: int | None,
    sequence: int | None,
    older_than_seconds: float,
) -> None:
    topic, name = wanted.topic, wanted.subscription or ""
    known = await bus.topics()
    if topic is None:
        assert wanted.action == "retain", "everything else is of one topic"
        await bus.retain(older_than_seconds)
        return
    if topic not in known and topic not in _OURS:
        raise _no_topic(topic, known)
    match wanted.action:
        case "retain":
            await bus.retain(older_than_seconds, topic=topic)
        case "remove":
            await bus.remove(topic)
        case "create":
            await bus.subscribe(topic, name, from_start=from_start)
        case "delete":
            await bus.unsubscribe(topic, name)
        case "seek":
            await bus.seek(topic, name, time_ns=time_ns, sequence=sequence)
        case "pause" | "resume":
            await bus.pause(topic, name, paused=wanted.action == "pause")
        case _:
            raise AssertionError(f"there is no action {wanted.action!r}")


async def _audit(bus: Bus, done: Change) -> None:
    now_ns = time.time_ns()
    body = {"time_ns": now_ns, "action": done.action, "actor": done.actor, "topic": done.topic}
    body |= {"subscription": done.subscription, "detail": done.detail}
    headers = {"action": done.action, "actor": done.actor}
    # A name and a sequence of its own for each: two operators at once are both heard.
    record = Outgoing(key="bus", body=json_bytes(body), headers=headers, sequence=0)
    await bus.publish(OPERATIONS, 0, f"operator-{now_ns}", [record])


def _no_topic(topic: str, known: Sequence[str]) -> NotFound:
    return NotFound(
        f"the bus has no topic {topic!r}",
        field="topic",
        value=topic,
        expected="one of " + ", ".join(known) if known else "a topic that was published to; there is none yet",
    )
