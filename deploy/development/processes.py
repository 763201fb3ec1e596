"""Servers as child processes that outlive the command: their pids, ports and logs, and an end to only those."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


class NotAvailable(Exception):
    """The server cannot be had on this machine; the text says why and what to install."""


class NotStarted(Exception):
    """The server is here and did not come up; the text ends with its log."""


@dataclass(frozen=True, slots=True)
class Running:
    """One server that a `start` left behind."""

    name: str
    pid: int
    born: str  # by the system's clock: a pid that was given to somebody else has another birth
    ports: dict[str, int]
    log: str

    def is_alive(self) -> bool:
        return birth(self.pid) == self.born

    def stop(self, how: signal.Signals = signal.SIGTERM, patience_s: float = 30.0) -> None:
        """Ask it to end, and end it when it does not listen. A process that is not ours any more is left alone."""
        if not self.is_alive():
            return
        os.kill(self.pid, how)
        if not wait_until(lambda: not self.is_alive(), patience_s):
            os.kill(self.pid, signal.SIGKILL)
            wait_until(lambda: not self.is_alive(), 5.0)


def birth(pid: int) -> str:
    """When the process began, as the system prints it; empty when there is none (or only its remains)."""
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
    ).stdout.split(maxsplit=1)
    return shown[1].strip() if len(shown) == 2 and not shown[0].startswith("Z") else ""


def launch(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    ports: dict[str, int],
    user: str | None = None,
    environment: dict[str, str] | None = None,
    is_ready: Callable[[], bool],
    patience_s: float,
) -> Running:
    """Start a server in its own session and wait until it answers.

    Raises:
        NotStarted: it ended, or did not answer within `patience_s`; it is stopped then.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            cwd="/",
            env={**os.environ, **(environment or {})},
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    running = Running(name, child.pid, birth(child.pid), ports, str(log))
    try:
        is_over = wait_until(lambda: child.poll() is not None or is_ready(), patience_s)
    except BaseException:  # nobody would know of it
        child.kill()
        child.wait()
        raise
    if child.poll() is None and is_over:  # ready once is ready: it may be busy the next moment
        child.returncode = 0  # it outlives this command on purpose: nothing to wait for, nothing to warn of
        return running
    why = f"ended with {child.returncode}" if child.poll() is not None else f"did not answer within {patience_s:.0f} s"
    if child.poll() is None:
        child.kill()
        child.wait()
    raise NotStarted(f"{name} {why}; the end of {log}:\n{tail(log)}")


def wait_until(holds: Callable[[], bool], patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return held


def tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def choose_ports(state: Path, name: str, preferred: dict[str, int]) -> dict[str, int]:
    """The ports of the server's last run, so that clients of a crashed one find it again; at first the preferred ones.

    A port that somebody else took meanwhile gives way to a free one.
    """
    memory = state / "ports.json"
    remembered: dict[str, dict[str, int]] = json.loads(memory.read_text()) if memory.exists() else {}
    last = remembered.get(name, {})
    chosen = {use: port_near(last.get(use, port)) for use, port in preferred.items()}
    memory.write_text(json.dumps({**remembered, name: chosen}, indent=2) + "\n")
    return chosen


def port_near(preferred: int) -> int:
    """The preferred loopback port, or any free one when it is taken."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise NotStarted("no free port on 127.0.0.1")


class Register:
    """What is running, in one file of the state folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "running.json"

    def read(self) -> dict[str, Running]:
        """Only those that are still alive."""
        if not self.path.exists():
            return {}
        noted = [Running(**entry) for entry in json.loads(self.path.read_text())]
        return {running.name: running for running in noted if running.is_alive()}

    def write(self, servers: dict[str, Running]) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps([asdict(running) for running in servers.values()], indent=2) + "\n")
        fresh.replace(self.path)
