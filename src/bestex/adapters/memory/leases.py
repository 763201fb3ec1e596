"""Leases in memory, for one process and for tests."""

from collections.abc import Callable, Sequence

from bestex.domain.errors import Fenced
from bestex.ports import Lease


class MemoryLeases:
    """`Leases` over a dictionary and an injected clock."""

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._granted: dict[str, tuple[Lease, int]] = {}  # name -> (newest lease, when it runs out)

    async def acquire(self, name: str, holder: str, seconds: float) -> Lease | None:
        now = self._clock_ns()
        lease, until = self._granted.get(name, (Lease(name=name, holder="", epoch=0, seconds=0.0), 0))
        if until > now and lease.holder != holder:
            return None
        epoch = lease.epoch if until > now else lease.epoch + 1
        granted = Lease(name=name, holder=holder, epoch=epoch, seconds=seconds)
        self._granted[name] = (granted, now + int(seconds * 1e9))
        return granted

    def check(self, lease: Lease) -> None:
        """Raises Fenced if a later epoch has been granted; one that has run out but is nobody else's still counts."""
        newest, _ = self._granted.get(lease.name, (Lease(name=lease.name, holder="nobody", epoch=0, seconds=0.0), 0))
        if newest.epoch != lease.epoch or newest.holder != lease.holder:
            raise Fenced(
                f"lease {lease.name} epoch {lease.epoch} was followed by epoch {newest.epoch}",
                field="lease",
                value=lease.epoch,
                expected=f"epoch {newest.epoch} of {newest.holder}",
            )

    async def renew(self, lease: Lease) -> bool:
        now = self._clock_ns()
        newest, until = self._granted.get(lease.name, (lease, 0))
        if newest.epoch != lease.epoch or newest.holder != lease.holder or until <= now:
            return False
        self._granted[lease.name] = (lease, now + int(lease.seconds * 1e9))
        return True

    async def release(self, lease: Lease) -> None:
        newest, _ = self._granted.get(lease.name, (lease, 0))
        if newest.epoch == lease.epoch and newest.holder == lease.holder:
            self._granted[lease.name] = (newest, 0)

    async def holders(self) -> Sequence[Lease]:
        now = self._clock_ns()
        return [lease for _, (lease, until) in sorted(self._granted.items()) if until > now]
