"""`python3 -m deploy.development start|stop|status|variables`: the servers of production, for development.

PostgreSQL and Redis from the system's packages, Pulsar from Maven Central, on loopback, without containers. Only the
standard library is used, so that it runs before anything is installed. Ends only what it started.
"""

import argparse
import fcntl
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import postgres, pulsar, redis
from .addresses import addresses, toml, variables_of_desk, variables_of_tests
from .folders import cache_folder, state_folder
from .processes import NotAvailable, NotStarted, Register, Running

STOPS = {postgres.NAME: postgres.STOP, redis.NAME: redis.STOP, pulsar.NAME: pulsar.STOP}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m deploy.development", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status", "variables"])
    parser.add_argument("--tests", action="store_true", help="variables: under the names that the tests read")
    asked = parser.parse_args()
    state = state_folder()
    if asked.command == "start":
        return start(state)
    if asked.command == "stop":
        return stop(state)
    if asked.command == "variables":
        return variables(state, tests=asked.tests)
    return status(state)


def start(state: Path) -> int:
    """Start what is not running.

    Returns:
        1 when PostgreSQL or Redis is missing or something broke; a Pulsar that cannot be had is said and is no failure.
    """
    failed = False
    state.mkdir(parents=True, exist_ok=True)
    with only_one(state):
        password = password_of(state)
        register = Register(state)
        servers = register.read()
        beginnings: dict[str, Callable[[], Running]] = {
            postgres.NAME: lambda: postgres.start(state, password),
            redis.NAME: lambda: redis.start(state, password),
            pulsar.NAME: lambda: pulsar.start(state, cache_folder()),
        }
        for name, begin in beginnings.items():
            if name in servers:
                say(name, f"already running (pid {servers[name].pid})")
                continue
            say(name, "starting ...")
            began = time.monotonic()
            try:
                servers[name] = begin()
            except NotAvailable as reason:
                say(name, f"NOT STARTED: {reason}")
                failed |= name != pulsar.NAME
            except NotStarted as reason:
                say(name, f"FAILED: {reason}")
                failed = True
            else:
                say(name, f"ready in {time.monotonic() - began:.1f} s (pid {servers[name].pid})")
                register.write(servers)
        settings = state / "bestex.toml"
        settings.touch(mode=0o600)
        settings.write_text(toml(addresses(servers, password)))
        show(state, servers, password)
    return int(failed)


def stop(state: Path) -> int:
    if not state.exists():
        return 0
    with only_one(state):
        register = Register(state)
        servers = register.read()
        for name, running in reversed(list(servers.items())):
            running.stop(STOPS[name])
            say(name, "stopped")
        register.write({})
        (state / "bestex.toml").unlink(missing_ok=True)
    return 0


def status(state: Path) -> int:
    """0 when all three run."""
    servers = Register(state).read()
    for name in STOPS:
        running = servers.get(name)
        say(name, "not running" if running is None else f"running (pid {running.pid}, log {running.log})")
    if servers:
        show(state, servers, password_of(state))
    return int(len(servers) < len(STOPS))


def variables(state: Path, *, tests: bool) -> int:
    """NAME=address lines of what is running, without those that the environment already gives."""
    servers = Register(state).read()
    found = addresses(servers, password_of(state)) if servers else {}
    for name, url in (variables_of_tests(found) if tests else variables_of_desk(found)).items():
        if name not in os.environ:
            print(f"{name}={url}")
    return 0


def show(state: Path, servers: dict[str, Running], password: str) -> None:
    print()
    for name, url in variables_of_desk(addresses(servers, password)).items():
        print(f"export {name}={url}")
    print(f"\nThe same in {state / 'bestex.toml'}; logs in {state / 'logs'}; `make services-stop` ends them.")


def password_of(state: Path) -> str:
    """Made once. On a machine with other users, loopback alone keeps nobody out."""
    path = state / "password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(18))
    return path.read_text()


def say(name: str, text: str) -> None:
    print(f"{name:9} {text}", flush=True)


@contextmanager
def only_one(state: Path) -> Iterator[None]:
    """A second command waits for the first."""
    with (state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
