"""Services as processes of their own that a harness starts, stops and kills, with the times at which they were ready.

A warm start is forked from a process that has the modules but no connection, thread or state; it saves the second or
two that an interpreter needs to import them, and is a process like any other to the servers and to SIGKILL.
"""

import contextlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bestex.app import separate
from bestex.app.lease_keeper import LeaseKeeper
from bestex.app.separate import lease_names
from bestex.app.settings import Settings
from tests.scenarios.two_wirings import environment_of

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.scenarios.warm_modules"])
_SPAWNS = multiprocessing.get_context("spawn")


@dataclass(eq=False)
class ServiceProcess:
    """One start of a service. Its log is its own, one JSON object a line."""

    settings: Settings
    folder: Path
    instance: str
    number: int
    is_warm: bool = True
    forgets_leases: bool = False  # broken on purpose: see `_forget_leases`
    started: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.log = self.folder / f"{self.instance}-{self.number:04d}.log"
        command = ["serve", "--target", self.settings.target, "--instance", self.instance]
        make = _FORKS.Process if self.is_warm else _SPAWNS.Process
        self.process = make(
            target=_serve, args=(command, environment_of(self.settings, "info"), self.log, self.forgets_leases)
        )
        self.process.start()

    @property
    def is_alive(self) -> bool:
        return self.process.is_alive()

    def kill(self) -> None:
        self.process.kill()
        self.process.join(10)

    def stop(self, seconds: float = 30.0) -> tuple[int | None, float]:
        """SIGTERM; the exit status (None: it had not ended by then) and how long it took."""
        began = time.monotonic()
        self.process.terminate()
        self.process.join(seconds)
        return self.process.exitcode, time.monotonic() - began

    def signal(self, number: int) -> None:
        assert self.process.pid is not None, "it was started"
        os.kill(self.process.pid, number)

    def events(self) -> list[tuple[float, dict[str, object]]]:
        """(Unix time, fields) of every line of its log so far."""
        if not self.log.exists():
            return []
        found = []
        for line in self.log.read_text().splitlines():
            try:
                fields = json.loads(line)
                found.append((datetime.fromisoformat(fields["timestamp"]).timestamp(), fields))
            except (ValueError, KeyError, TypeError):
                continue  # half a line, or what an interpreter says
        return found

    def ready(self, names: Sequence[str] | None = None) -> dict[str, tuple[float, float]]:
        """For each worker that has recovered: (seconds from the process's start, seconds from its lease)."""
        taken: dict[object, float] = {}
        recovered: dict[str, tuple[float, float]] = {}
        for at, fields in self.events():
            if fields["event"] == "lease taken":
                taken[fields["name"]] = at
            elif fields["event"] == "worker recovered":
                name = str(fields["worker"])
                recovered.setdefault(name, (at - self.started, at - taken.get(name, at)))
        return recovered

    def is_ready(self) -> bool:
        """Whether it works everything there is of its kind: for the only process of a kind."""
        return set(self.ready()) >= set(lease_names(self.settings, self.settings.target))

    def trouble(self) -> str:
        """The last lines of its log that are not routine."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return "\n".join(line[:600] for line in lines if '"info"' not in line)[-3000:]


def _serve(command: list[str], environment: dict[str, str], log: Path, forgets_leases: bool) -> None:
    """In the new process: what `bestex` does on the command line."""
    from bestex import cli

    if forgets_leases:
        _forget_leases()
    os.environ.clear()
    os.environ.update(environment)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.argv = ["bestex", *command]
    cli.main()


def _forget_leases() -> None:
    """Broken on purpose: a holder goes on for ever under the lease that it once had."""
    from bestex.adapters.sql import journal
    from bestex.app.lease_keeper import LeaseKeeper

    async def renew(keeper: Any, held: Any) -> None:
        await keeper._leases.renew(held.lease)  # and whatever the answer is

    LeaseKeeper._may_send = lambda *_: True  # type: ignore[method-assign]
    LeaseKeeper._renew = renew  # type: ignore[method-assign]
    journal.check = lambda *_: None


class _PatientKeeper(LeaseKeeper):
    def __init__(self, *arguments: Any, **more: Any) -> None:
        *before, seconds, make_worker = arguments
        super().__init__(*before, seconds * 20, make_worker, **more)


@contextlib.contextmanager
def patient_market() -> Iterator[None]:
    """A market in the harness's own process keeps its lease for longer than the settings say.

    It stands for the venues, which do not die; on a busy machine it would end the run where nothing is wrong.
    """
    kept = separate.LeaseKeeper
    separate.LeaseKeeper = _PatientKeeper  # type: ignore[misc]
    try:
        yield
    finally:
        separate.LeaseKeeper = kept  # type: ignore[misc]


def quantile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least this part of the values does not pass; NaN of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-q * len(ordered) // 1) - 1))] if ordered else float("nan")
