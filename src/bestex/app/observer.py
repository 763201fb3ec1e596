"""Hears what a process does, for metrics and traces. It never changes what is done, and nothing is decided by it."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.ports import Delivery, Service

if TYPE_CHECKING:
    from bestex.app.host import Turn
    from bestex.app.worker import Worker


class Observer:
    """This one keeps nothing: replays and tests run with it. Begins are `stopwatch_ns`."""

    def works(self, worker: "Worker") -> None:
        """A worker exists from now on; its queues may be looked at."""

    def step(self, service: Service, message: Message[Any]) -> Effects:
        """Let the service handle the message; raises what it raises."""
        return service.handle(message)

    def read(self, worker: str, group: Sequence[Delivery]) -> None:
        """Records of the bus were handled."""

    def heard(self, message: Message[Any], headers: Mapping[str, str]) -> None:
        """A fact of another process is about to be handled."""

    def following(self, headers: Mapping[str, str]) -> contextlib.AbstractContextManager[object]:
        """What happens inside follows from the request that had these headers."""
        return contextlib.nullcontext()

    def committed(
        self, worker: str, began_ns: int, turns: Sequence["Turn"], said: Sequence[Message[Any]], *, sends: bool
    ) -> None:
        """One commit is durable.

        Args:
            turns: that shared it.
            said: the messages among theirs that are this process's own.
            sends: whether this process has the venues: its child orders leave now.
        """

    def published(self, worker: str, began_ns: int, messages: Sequence[Message[Any]], waiting: int) -> None:
        """The bus has taken messages; `waiting` are still to go."""

    def headers(self, message: Message[Any] | None) -> dict[str, str]:
        """What a record of the bus carries for its reader's trace; None = of the present request."""
        return {}

    def refused_stale(self, worker: str) -> None:
        """A record of an earlier lease epoch was refused."""

    def recovered(self, worker: str, seconds: float) -> None:
        """A worker is at the state of its journal again."""

    def lease(self, name: str, change: str) -> None:
        """taken, lost, handed_over or broken."""


SILENT = Observer()
