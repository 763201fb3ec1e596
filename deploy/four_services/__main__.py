"""`python -m deploy.four_services start|stop|status`: the processes of the Procfile, on loopback.

They use the servers of `make services`. `start` stays, starts again what dies, and ends all of them at Ctrl-C; with
`--detach` it leaves them running. Ends only what it started.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from deploy.development.__main__ import only_one, password_of
from deploy.development.addresses import addresses, variables_of_desk
from deploy.development.folders import state_folder
from deploy.development.processes import NotStarted, Register, Running, launch
from deploy.four_services import procfile
from deploy.four_services.procfile import Process

ROOT = Path(__file__).parents[2]
SETTINGS = Path(__file__).with_name("bestex.toml")
PATIENCE_S = 60.0
NEEDED = ("BESTEX_STORE_URL", "BESTEX_BUS_URL", "BESTEX_BUS_ADMIN_URL")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.four_services", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status"])
    parser.add_argument("names", nargs="*", metavar="NAME", help="processes of the Procfile; none = all")
    parser.add_argument("--detach", action="store_true", help="start: leave them running")
    parser.add_argument("--folder", type=Path, default=ROOT / ".bestex" / "four-services", help="of logs and pids")
    asked = parser.parse_args()
    processes = chosen(procfile.read(), asked.names)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job would ignore the first
        signal.signal(number, signal.default_int_handler)
    asked.folder.mkdir(parents=True, exist_ok=True)
    if asked.command == "stop":
        return stop(asked.folder, processes)
    if asked.command == "status":
        return status(asked.folder, processes)
    return start(asked.folder.resolve(), processes, detach=asked.detach)


def chosen(processes: Sequence[Process], names: Sequence[str]) -> list[Process]:
    if unknown := set(names) - {process.name for process in processes}:
        known = ", ".join(process.name for process in processes)
        sys.exit(f"error: no process {', '.join(sorted(unknown))} in the Procfile; there are {known}")
    return [process for process in processes if not names or process.name in names]


def start(folder: Path, processes: Sequence[Process], *, detach: bool) -> int:
    """Start what is not running, all at the same time; 1 when one did not come up."""
    environment = environment_of_desk()
    register = Register(folder)
    with only_one(folder):
        running = register.read()
        missing = [process for process in processes if process.name not in running]
        stopping = threading.Event()
        with ThreadPoolExecutor(max(1, len(missing))) as pool:
            try:
                begun = list(pool.map(lambda process: begin(process, folder, environment, stopping), missing))
            except KeyboardInterrupt:
                stopping.set()
                return 130
        running |= {one.name: one for one in begun if one is not None}
        register.write(running)
    for process in processes:
        if process.name in running:
            say(process.name, f"{process.address}   pid {running[process.name].pid}")
    say("logs", str(folder / "logs"))
    if detach:
        return int(None in begun)
    try:
        watch(folder, processes, environment)
    except KeyboardInterrupt:
        print()
        stop(folder, processes)
    return int(None in begun)


def begin(process: Process, folder: Path, environment: dict[str, str], stopping: threading.Event) -> Running | None:
    """Its log is kept over restarts. None when it did not come up, which is said."""
    began = time.monotonic()
    try:
        running = launch(
            process.name,
            process.command,
            log=folder / "logs" / f"{process.name}.log",
            ports={"http": process.port},
            environment=environment,
            is_ready=lambda: is_ready_unless(stopping, process),
            patience_s=PATIENCE_S,
        )
    except NotStarted as reason:
        say(process.name, f"FAILED: {reason}")
        return None
    say(process.name, f"ready in {time.monotonic() - began:.1f} s")
    return running


def watch(folder: Path, processes: Sequence[Process], environment: dict[str, str]) -> None:
    """Until interrupted or stopped from elsewhere: start again what died, as a service manager would."""
    say("", "Ctrl-C ends them all; one that dies is started again")
    register = Register(folder)
    noted = register.read()
    while noted:
        time.sleep(0.2)
        for process in processes:
            running = noted.get(process.name)
            if running is None or (how := ending(running)) is None:
                continue
            with only_one(folder):
                wanted = noted_by(register)
                if process.name not in wanted:  # stopped on purpose, from elsewhere
                    del noted[process.name]
                    continue
                say(process.name, f"pid {running.pid} ended: {how}")
                again = begin(process, folder, environment, threading.Event()) if how != "exit code 2" else None
                noted = {name: one for name, one in {**noted, process.name: again}.items() if one is not None}
                register.write(noted)


def ending(running: Running) -> str | None:
    """How a process ended, None while it runs."""
    try:
        pid, code = os.waitpid(running.pid, os.WNOHANG)
    except ChildProcessError:  # started by an earlier command: only that it is gone can be seen
        return None if running.is_alive() else "by itself"
    if pid == 0:
        return None
    exit_code = os.waitstatus_to_exitcode(code)
    return f"exit code {exit_code}" if exit_code >= 0 else signal.Signals(-exit_code).name


def noted_by(register: Register) -> set[str]:
    """Names in the register, dead or alive."""
    return {entry["name"] for entry in json.loads(register.path.read_text())} if register.path.exists() else set()


def stop(folder: Path, processes: Sequence[Process]) -> int:
    """All at the same time, each with the time to hand its orders over."""
    register = Register(folder)
    with only_one(folder):
        running = register.read()
        ours = [running.pop(process.name) for process in processes if process.name in running]
        register.write(running)  # first, so that nobody starts them again
        began = time.monotonic()
        with ThreadPoolExecutor(max(1, len(ours))) as pool:
            list(pool.map(lambda one: one.stop(signal.SIGTERM), ours))
    for one in ours:
        say(one.name, "stopped")
    if ours:
        say("", f"in {time.monotonic() - began:.1f} s")
    return 0


def status(folder: Path, processes: Sequence[Process]) -> int:
    """0 when all of them are ready."""
    running = Register(folder).read()
    ready = {process.name: is_ready(process) for process in processes}
    for process in processes:
        state = "ready" if ready[process.name] else "not ready"
        found = running.get(process.name)
        say(process.name, "not running" if found is None else f"{process.address}   pid {found.pid}   {state}")
    return int(not all(ready.values()))


def is_ready(process: Process) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{process.address}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def is_ready_unless(stopping: threading.Event, process: Process) -> bool:
    """Raises NotStarted once it is not wanted any more."""
    if stopping.is_set():
        raise NotStarted("interrupted")
    return is_ready(process)


def environment_of_desk() -> dict[str, str]:
    """The addresses of `make services`, unless the environment has others."""
    state = state_folder()
    servers = Register(state).read()
    found = variables_of_desk(addresses(servers, password_of(state))) if servers else {}
    environment = {"BESTEX_CONFIG": str(SETTINGS), **found, **os.environ}
    if missing := [name for name in NEEDED if not environment.get(name)]:
        sys.exit(f"error: {', '.join(missing)} not known; `make services` starts the servers")
    return environment


def say(name: str, text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S.%f}"[:-3] + f"  {name:12} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
