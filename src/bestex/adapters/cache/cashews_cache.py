"""`Cache` on cashews: in this process's memory, or in Redis with copies in memory that Redis tells us to drop."""

import asyncio
import contextlib
import hashlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

import structlog
from cashews.backends.interface import Backend
from cashews.serialize import Serializer

from bestex.adapters.cache.bounded_memory import BoundedMemory
from bestex.adapters.cache.copies import Copy, packed, unpacked
from bestex.ports import CacheUse, Namespace

log = structlog.get_logger()

TIMEOUT_SECONDS = 0.05  # of one question to the cache; then the source is asked
_AWAY_SECONDS = 1.0  # after a failure Redis is not asked for so long
_COPY_BYTES_MAX = 256 * 1024  # a larger answer is not kept
_AS_BYTES = Serializer()  # type: ignore[no-untyped-call]
_ANSWERS = ("hit", "stale", "miss", "shared", "bypass")


class CashewsCache:
    """Implements `bestex.ports.Cache`. `open` returns at once; a Redis that is not there yet is tried every second."""

    def __init__(self, namespaces: Sequence[Namespace], *, bytes_max: int, redis_url: str | None, prefix: str) -> None:
        self._namespaces = {namespace.name: namespace for namespace in namespaces}
        self._use = {name: CacheUse(reads=dict.fromkeys(_ANSWERS, 0)) for name in self._namespaces}
        self._memory = BoundedMemory(bytes_max)
        self._redis_url = redis_url
        self._prefix = prefix
        self._backend: Backend | None = None if redis_url else self._memory
        self._connecting: asyncio.Task[None] | None = None
        self._flights: dict[tuple[str, str], asyncio.Task[bytes]] = {}

    @classmethod
    async def open(
        cls,
        namespaces: Sequence[Namespace],
        *,
        redis_url: str | None = None,
        bytes_max: int = 32 * 1024 * 1024,
        prefix: str = "bestex:",
    ) -> "CashewsCache":
        """
        Args:
            redis_url: `redis://...`; None keeps copies in this process alone.
            bytes_max: of the copies in this process.
            prefix: of every key in Redis.
        """
        cache = cls(namespaces, bytes_max=bytes_max, redis_url=redis_url, prefix=prefix)
        if redis_url is None:
            await cache._memory.init()
        else:
            cache._connecting = asyncio.create_task(cache._connect(0.0))
            await asyncio.wait({cache._connecting}, timeout=TIMEOUT_SECONDS)
        return cache

    async def close(self) -> None:
        tasks = [*self._flights.values(), *([self._connecting] if self._connecting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._backend is not None:
            backend, self._backend = self._backend, None
            await _closed(backend)

    def use(self) -> dict[str, CacheUse]:
        for name, use in self._use.items():
            use.bytes_kept = self._memory.kept[name]
        return self._use

    async def read(
        self, namespace: str, tenant: str, key: str, load: Callable[[], Awaitable[bytes]], *, version: str = ""
    ) -> bytes:
        space, reads = self._namespaces[namespace], self._use[namespace].reads
        full = f"{namespace}:{quote(tenant, safe='')}:{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"
        flight = self._flights.get((full, version))
        if flight is None:
            is_there, copy = await self._found(full)
            now = time.time()
            if copy is not None and copy.version == version and now < copy.fresh_until + space.stale_seconds:
                if now < copy.fresh_until:
                    reads["hit"] += 1
                    return copy.body
                reads["stale"] += 1
                if (full, version) not in self._flights:
                    self._fly(space, full, version, load).add_done_callback(_note_failure)
                return copy.body
            flight = self._flights.get((full, version))  # another may have begun while we looked
            if flight is None:
                reads["miss" if is_there else "bypass"] += 1
                return await asyncio.shield(self._fly(space, full, version, load))
        reads["shared"] += 1
        return await asyncio.shield(flight)

    def _fly(
        self, space: Namespace, full: str, version: str, load: Callable[[], Awaitable[bytes]]
    ) -> "asyncio.Task[bytes]":
        async def fly() -> bytes:
            try:
                body = await load()
            finally:
                self._flights.pop((full, version), None)
            if len(body) <= _COPY_BYTES_MAX:
                seconds = space.seconds * (1 - random.random() / 10)
                value = packed(full, Copy(time.time() + seconds, version, body))
                await self._asked(lambda backend: backend.set(full, value, expire=seconds + space.stale_seconds))
            return body

        task = asyncio.create_task(fly())
        self._flights[full, version] = task
        return task

    async def _found(self, full: str) -> tuple[bool, Copy | None]:
        """Whether the cache answered, and the copy."""
        is_there, value = await self._asked(lambda backend: backend.get(full))
        return is_there, None if value is None else unpacked(full, value)

    async def _asked(self, question: Callable[[Backend], Awaitable[object]]) -> tuple[bool, object]:
        backend = self._backend
        if backend is None:
            return False, None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return True, await question(backend)
        except Exception as error:
            # Whatever breaks in a cache: the source answers, and the cache is begun afresh.
            if self._redis_url is not None and self._backend is backend:
                log.warning("cache lost, going on without it", error=repr(error))
                self._backend = None
                self._connecting = asyncio.create_task(self._connect(_AWAY_SECONDS, instead_of=backend))
            return False, None

    async def _connect(self, after_seconds: float, instead_of: Backend | None = None) -> None:
        if instead_of is not None:
            await _closed(instead_of)
        await asyncio.sleep(after_seconds)
        assert self._redis_url is not None, "only Redis is connected to"
        while True:
            from cashews.backends.redis.client_side import BcastClientSide  # of the extra `production`

            backend = BcastClientSide(
                self._redis_url,
                local_cache=self._memory,
                client_side_prefix=self._prefix,
                suppress=False,
                socket_timeout=1.0,
                socket_connect_timeout=1.0,
                serializer=_AS_BYTES,  # what a shared server says is never unpickled
            )
            try:
                async with asyncio.timeout(2.0):
                    await backend.init()  # type: ignore[no-untyped-call]
            except Exception:
                await _closed(backend)
                await asyncio.sleep(_AWAY_SECONDS)
                continue
            self._backend = backend
            return


async def _closed(backend: Backend) -> None:
    with contextlib.suppress(Exception):
        async with asyncio.timeout(1.0):
            await backend.close()  # type: ignore[no-untyped-call]
    # It leaves the connection open on which it listened.
    if (client := getattr(backend, "_client", None)) is not None:
        with contextlib.suppress(Exception):
            await client.connection_pool.disconnect(inuse_connections=True)


def _note_failure(task: "asyncio.Task[bytes]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("a copy could not be made anew", error=repr(error))
