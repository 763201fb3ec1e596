"""Rate limits: so many requests a second for a key, and for all keys of an account together.

What stops orders (cancel, pause, kill) has a budget of its own, so that a client that is far over its limit can still
stop. The counts are in Redis where there is one, so that all processes share them; while it is away each process counts
for itself.
"""

import math
import time
from typing import Final

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from bestex.api.identity.identities import Identity
from bestex.domain.errors import TooManyRequests

log = structlog.get_logger()
_STOPS: Final = ("/cancel", "/pause", "/kill")
_RETRY_SECONDS: Final = 5.0
_STORE_SECONDS: Final = 0.05
_FAILURES_A_SECOND: Final = 20  # of unknown credentials from one address


def is_urgent(method: str, path: str) -> bool:
    """Whether the request stops orders. Said by the path, before anything is routed; a test holds it to the table."""
    return method in ("POST", "PUT") and path.startswith("/api/v1/") and path.endswith(_STOPS)


class Limits:
    """Counts requests in moving windows of a second."""

    def __init__(self, *, per_key: int, per_account: int, urgent: int, redis_url: str | None = None) -> None:
        """
        Args:
            per_key: ordinary requests a second of one key or token.
            per_account: ordinary requests a second of all keys of an account.
            urgent: cancels, pauses and kills a second of one key; of an account, in the ratio of the other two.
            redis_url: redis://...; None counts in this process alone.
        """
        ratio = max(1, per_account // per_key)
        self._key, self._account = RateLimitItemPerSecond(per_key), RateLimitItemPerSecond(per_account)
        self._urgent_key = RateLimitItemPerSecond(urgent)
        self._urgent_account = RateLimitItemPerSecond(urgent * ratio)
        self._failures = RateLimitItemPerSecond(_FAILURES_A_SECOND)
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._redis = None if redis_url is None else _redis(redis_url)
        self._shared = None if self._redis is None else MovingWindowRateLimiter(self._redis)
        self._shared_again = 0.0
        self.per_key = per_key

    async def admit(self, identity: Identity, *, is_urgent: bool) -> None:
        """Count a request. Raises TooManyRequests."""
        kind = "urgent" if is_urgent else "ordinary"
        key, account = (self._urgent_key, self._urgent_account) if is_urgent else (self._key, self._account)
        await self._take(key, kind, "key", identity.tenant, identity.credential)
        await self._take(account, kind, "account", identity.account)

    async def refuse_guesses(self, address: str) -> None:
        """Count an unknown credential. Raises TooManyRequests."""
        await self._take(self._failures, "unknown", "address", address)

    async def left(self, identity: Identity) -> int:
        """Ordinary requests that the key has left in the second that runs."""
        names = ("ordinary", "key", identity.tenant, identity.credential)
        try:
            return (await self._limiter().get_window_stats(self._key, *names)).remaining
        except (StorageError, OSError):
            return (await self._here.get_window_stats(self._key, *names)).remaining

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.bridge.storage.aclose()  # type: ignore[attr-defined]

    async def _take(self, limit: RateLimitItem, *names: str) -> None:
        limiter = self._limiter()
        try:
            taken = await limiter.hit(limit, *names)
        except (StorageError, OSError) as error:
            log.warning("rate limits are counted in this process alone", error=repr(error))
            self._shared_again = time.monotonic() + _RETRY_SECONDS
            limiter = self._here
            taken = await limiter.hit(limit, *names)
        if not taken:
            await self._refuse(limiter, limit, names)

    async def _refuse(self, limiter: MovingWindowRateLimiter, limit: RateLimitItem, names: tuple[str, ...]) -> None:
        try:
            reset = (await limiter.get_window_stats(limit, *names)).reset_time
        except (StorageError, OSError):
            reset = 0.0
        raise TooManyRequests(
            f"more than {limit.amount} {names[0]} requests a second of one {names[1]}",
            retry_after_seconds=max(1, math.ceil(reset - time.time())),
            expected=f"at most {limit.amount} a second",
        )

    def _limiter(self) -> MovingWindowRateLimiter:
        if self._shared is None or time.monotonic() < self._shared_again:
            return self._here
        return self._shared


def _redis(url: str) -> RedisStorage:
    return RedisStorage(
        f"async+{url}",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="bestex-limits",
        socket_timeout=_STORE_SECONDS,
        socket_connect_timeout=_STORE_SECONDS,
    )
