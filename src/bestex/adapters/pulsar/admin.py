"""What Pulsar's administration answers: namespaces, topics, subscriptions and where their cursors stand."""

import asyncio
import json
import math
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bestex.adapters.pulsar.positions import Kept, Position
from bestex.domain.errors import InvalidInput

_ANSWER_SECONDS = 10.0
_DEFAULT_RETENTION_DAYS = 7
_BACKLOG_BYTES_MAX = 10 * 2**30


class AdminError(Exception):
    """The administration refused. `status` is HTTP's."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


@dataclass(frozen=True, kw_only=True)
class CursorState:
    """One durable subscription of one partition."""

    name: str
    lag: int
    position: Position | None
    is_paused: bool


class Admin:
    """The administration of one namespace. Calls wait on a thread; they raise OSError while nobody answers."""

    def __init__(self, url: str, namespace: str) -> None:
        self.url = url
        self._namespace = namespace
        # Straight to the broker: a proxy for the outside world must not see the desk's own servers.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    async def prepare_namespace(self) -> None:
        """Make the namespace where it is missing; only a new one gets the retention."""
        is_new = await self._make_namespace()
        path = f"/namespaces/{self._namespace}"
        await self._ask("POST", f"{path}/deduplication", True)
        # A consumer that reconnects would bring a deleted subscription back, and a wrong name would make a topic.
        await self._ask("POST", f"{path}/autoSubscriptionCreation", {"allowAutoSubscriptionCreation": False})
        await self._ask("POST", f"{path}/autoTopicCreation", {"allowAutoTopicCreation": False})
        if is_new:
            # A listener that is forgotten loses its oldest records; otherwise it would stop those who publish.
            quota = {"limitSize": _BACKLOG_BYTES_MAX, "limitTime": -1, "policy": "consumer_backlog_eviction"}
            await self._ask("POST", f"{path}/backlogQuota?backlogQuotaType=destination_storage", quota)
            await self.retain(_DEFAULT_RETENTION_DAYS * 86_400)

    async def _make_namespace(self) -> bool:
        tenant = self._namespace.partition("/")[0]
        tenants = await self._ask("GET", "/tenants")
        if tenant not in tenants:
            clusters = await self._ask("GET", "/clusters")
            await self._ask("PUT", f"/tenants/{tenant}", {"allowedClusters": clusters}, taken=(409,))
        if self._namespace in await self._ask("GET", f"/namespaces/{tenant}"):
            return False
        return bool(await self._ask("PUT", f"/namespaces/{self._namespace}", taken=(409,)) != 409)

    async def retain(self, seconds: float, topic: str | None = None) -> None:
        """Of one topic, or of the namespace for those that have no time of their own."""
        minutes = math.ceil(seconds / 60)
        path = f"/namespaces/{self._namespace}" if topic is None else self._path(topic)
        policy = {"retentionTimeInMinutes": minutes, "retentionSizeInMB": -1 if minutes else 0}
        await self._ask("POST", f"{path}/retention", policy)

    async def remove_topic(self, topic: str) -> None:
        await self._ask("DELETE", f"{self._path(topic)}/partitions?force=true", taken=(404,))

    async def make_topic(self, topic: str, shards: int) -> None:
        """Raises InvalidInput if it has another number of partitions."""
        if await self._ask("PUT", f"{self._path(topic)}/partitions", shards, taken=(409,)) != 409:
            return
        found = (await self._ask("GET", f"{self._path(topic)}/partitions"))["partitions"]
        if found != shards:
            raise InvalidInput(
                f"topic {topic} has {found} shards on the broker, and the bus was opened with {shards}",
                field="bus.shards",
                value=shards,
                expected=f"{found}, or a namespace of its own",
            )

    async def topics(self) -> Sequence[str]:
        names = await self._ask("GET", f"/persistent/{self._namespace}/partitioned")
        return sorted(name.rpartition("/")[2] for name in names)

    async def kept(self, topic: str, shard: int) -> Kept:
        """Which records a partition still has."""
        stats = await self._ask("GET", f"{self._path(topic, shard)}/internalStats")
        ledgers = [(item["ledgerId"], item["entries"]) for item in stats["ledgers"]]
        if ledgers:  # the one that is being written says nothing of its entries
            ledgers[-1] = (ledgers[-1][0], stats["currentLedgerEntries"])
        return Kept(ledgers=ledgers, last=Position.read(stats["lastConfirmedEntry"]))

    async def cursors(self, topic: str, shard: int) -> Sequence[CursorState]:
        path = self._path(topic, shard)
        stats = await self._ask("GET", f"{path}/stats?getPreciseBacklog=true")
        named = {name: item for name, item in stats["subscriptions"].items() if item["isDurable"]}
        if not named:
            return ()
        internal = await self._ask("GET", f"{path}/internalStats")
        kept = await self.kept(topic, shard)
        return [
            CursorState(
                name=name,
                lag=item["msgBacklog"],
                position=kept.at_or_before(Position.read(internal["cursors"][name]["markDeletePosition"])),
                is_paused=item["subscriptionProperties"].get("paused") == "true",
            )
            for name, item in sorted(named.items())
        ]

    async def subscribe(self, topic: str, name: str, *, from_start: bool) -> None:
        edge = -1 if from_start else 2**63 - 1
        where = {"ledgerId": edge, "entryId": edge, "partitionIndex": -1}
        await self._ask("PUT", self._subscription(topic, name), where, taken=(409,))

    async def unsubscribe(self, topic: str, name: str) -> None:
        await self._ask("DELETE", f"{self._subscription(topic, name)}?force=true")

    async def is_paused(self, topic: str, name: str, shard: int) -> bool:
        properties = await self._ask("GET", f"{self._subscription(topic, name, shard)}/properties")
        return bool((properties or {}).get("paused") == "true")

    async def pause(self, topic: str, name: str, *, paused: bool) -> None:
        await self._ask("PUT", f"{self._subscription(topic, name)}/properties", {"paused": str(paused).lower()})

    async def seek_time(self, topic: str, name: str, shard: int, time_ms: int) -> None:
        await self._ask("POST", f"{self._subscription(topic, name, shard)}/resetcursor/{time_ms}")

    async def seek_record(self, topic: str, name: str, shard: int, record: Position) -> None:
        """The record itself comes next."""
        where = {"ledgerId": record.ledger, "entryId": record.entry, "partitionIndex": shard}
        await self._ask("POST", f"{self._subscription(topic, name, shard)}/resetcursor", where)

    async def seek_end(self, topic: str, name: str, shard: int) -> None:
        await self._ask("POST", f"{self._subscription(topic, name, shard)}/skip_all")

    def _path(self, topic: str, shard: int | None = None) -> str:
        partition = "" if shard is None else f"-partition-{shard}"
        return f"/persistent/{self._namespace}/{quote(topic)}{partition}"

    def _subscription(self, topic: str, name: str, shard: int | None = None) -> str:
        return f"{self._path(topic, shard)}/subscription/{quote(name)}"

    async def _ask(self, method: str, path: str, body: Any = None, *, taken: Sequence[int] = ()) -> Any:
        """The answer, or its status if that is one of `taken`.

        Raises:
            AdminError: for any other refusal.
            OSError: if nobody answers.
        """
        try:
            return await asyncio.to_thread(self._wait, method, path, body)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in taken:
                    return error.code
                raise AdminError(error.code, error.read().decode(errors="replace")[:300]) from None

    def _wait(self, method: str, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.url}/admin/v2{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with self._opener.open(request, timeout=_ANSWER_SECONDS) as answer:
            text = answer.read()
        return json.loads(text) if text else None
