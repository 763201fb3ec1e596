"""Whether the processes of one desk run the same program with the same settings.

Each says what it is in a lease of its own, so that whoever dies is forgotten when it runs out. Why a mixed desk works
its orders and takes no new ones: docs/decisions/0068-a-mixed-desk.md.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

import bestex
from bestex.app.settings import Settings
from bestex.domain.errors import InvalidInput, ServiceUnavailable, StoreUnavailable
from bestex.messages.envelope import Payload
from bestex.messages.orders import CreateOrder
from bestex.ports import Idempotency, Lease, Leases, Requests

log = structlog.get_logger()

SHARED_SETTINGS = ("shards", "bus_namespace", "event_time", "speed", "seed")
_PREFIX = "settings-"
_LONGEST = 60  # of a value, so that all of them fit the lease's column


def build() -> str:
    """The version and a digest of the package's sources."""
    root = Path(bestex.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return f"{bestex.__version__}-{digest.hexdigest()[:8]}"


def described(settings: Settings, of_build: str) -> str:
    """What must be the same everywhere, as `name=value` words; the build comes first."""
    values = {name: str(getattr(settings, name))[:_LONGEST] for name in SHARED_SETTINGS}
    return " ".join([f"build={of_build}", *(f"{name}={value}" for name, value in values.items())])


class Agreement:
    """What this process says of itself, and what the others say."""

    def __init__(self, leases: Leases, instance: str, description: str, seconds: float) -> None:
        """
        Args:
            instance: this start of this process.
            description: of `described`.
            seconds: how long after its death a process is still counted.
        """
        self._leases = leases
        self._instance = instance
        self._description = description
        self._seconds = seconds
        self._lease: Lease | None = None
        self.builds: frozenset[str] = frozenset()  # of all processes, this one included

    @property
    def is_mixed(self) -> bool:
        return len(self.builds) > 1

    async def join(self) -> None:
        """Say what this process is. A process with other settings is waited for as long as a dead one is counted.

        Raises:
            InvalidInput: naming every setting that is not the same, here and there.
            StoreUnavailable: if the database does not answer.
        """
        deadline = asyncio.get_running_loop().time() + self._seconds + 0.5
        while wrong := _differences(self._description, await self._others()):
            if asyncio.get_running_loop().time() > deadline:
                raise InvalidInput("; ".join(item.message for item in wrong), errors=wrong)
            await asyncio.sleep(0.2)
        await self._look()

    async def keep(self) -> None:
        """For ever; a database that is away is waited for."""
        while True:
            await asyncio.sleep(self._seconds / 3)
            with contextlib.suppress(StoreUnavailable):
                await self._look()

    async def leave(self) -> None:
        if self._lease is not None:
            with contextlib.suppress(StoreUnavailable):
                await self._leases.release(self._lease)

    async def _look(self) -> None:
        self._lease = await self._leases.acquire(f"{_PREFIX}{self._instance}", self._description, self._seconds)
        before = self.is_mixed
        self.builds = frozenset(_words(text)["build"] for text in (self._description, *(await self._others()).values()))
        if self.is_mixed != before:
            log.warning(
                "the desk is mixed" if self.is_mixed else "the desk is of one build", builds=sorted(self.builds)
            )

    async def _others(self) -> Mapping[str, str]:
        """Instance -> its description."""
        running = await self._leases.holders()
        named = {lease.name.removeprefix(_PREFIX): lease.holder for lease in running if lease.name.startswith(_PREFIX)}
        return {instance: text for instance, text in named.items() if instance != self._instance}


class WithheldOrders:
    """`Requests` that takes no new parent order while the desk is mixed."""

    def __init__(self, requests: Requests, agreement: Agreement) -> None:
        self._requests = requests
        self._agreement = agreement

    async def ask(
        self, service: str, payload: Payload, *, order_id: str, idempotency: Idempotency | None = None
    ) -> Any:
        if isinstance(payload, CreateOrder) and self._agreement.is_mixed:
            builds = ", ".join(sorted(self._agreement.builds))
            raise ServiceUnavailable(
                f"processes of different builds run ({builds}): working orders go on, new ones wait",
                field="build",
                value=builds,
                expected="one build; try again when the upgrade is over",
            )
        return await self._requests.ask(service, payload, order_id=order_id, idempotency=idempotency)


def _differences(own: str, others: Mapping[str, str]) -> Sequence[InvalidInput]:
    mine = _words(own)
    return [
        InvalidInput(
            f"setting {name} is {mine[name]} here and {theirs.get(name)} in {instance}, which runs",
            field=name,
            value=mine[name],
            expected=f"{theirs.get(name)}, or all processes stopped first",
        )
        for instance, theirs in sorted((instance, _words(text)) for instance, text in others.items())
        for name in SHARED_SETTINGS
        if theirs.get(name) != mine[name]
    ]


def _words(description: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in description.split())
