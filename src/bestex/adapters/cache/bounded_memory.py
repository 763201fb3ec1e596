"""Copies in this process's memory, bounded in bytes: the ones used longest ago go first."""

from collections import Counter
from typing import Any

from cashews.backends.memory import Memory


class BoundedMemory(Memory):
    """Keys begin with their namespace and a colon."""

    def __init__(self, bytes_max: int) -> None:
        # No sweeping of what has expired: it goes when it is asked for, or when room is needed.
        super().__init__(size=2**31, check_interval=0)
        self.bytes_max = bytes_max
        self.kept: Counter[str] = Counter()  # bytes, by namespace

    async def clear(self) -> None:
        await super().clear()
        self.kept.clear()

    def _set(self, key: str, value: Any, expire: float | None = None) -> None:
        self._weigh(key, -1)
        super()._set(key, value, expire)
        self._weigh(key, 1)
        while self.kept.total() > self.bytes_max and self.store:
            oldest = next(iter(self.store))
            self._weigh(oldest, -1)
            del self.store[oldest]

    async def _delete(self, key: str) -> bool:
        self._weigh(key, -1)
        return await super()._delete(key)

    def _weigh(self, key: str, sign: int) -> None:
        if key in self.store:
            value = self.store[key][1]
            size = len(key) + (len(value) if isinstance(value, bytes) else 0)
            self.kept[key.partition(":")[0]] += sign * size
