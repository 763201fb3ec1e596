"""PostgreSQL from the system's package: own data folder, loopback only, as durable as in production."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .processes import NotAvailable, NotStarted, Running, choose_ports, launch

NAME = "postgres"
PORT = 25432
STOP = signal.SIGINT  # a fast shutdown: connections are ended, everything is written
DATABASE = ROLE = "bestex"
OTHER_USERS = ("postgres", "_postgres", "nobody")  # to run as when we are root, the first that exists


def start(state: Path, password: str) -> Running:
    """Make the data folder on the first start, then start on loopback and make the database.

    Raises:
        NotAvailable: no PostgreSQL on this machine.
        NotStarted: with the end of its log.
    """
    programs = find_programs()
    user = None if os.geteuid() != 0 else next(name for name in OTHER_USERS if is_user(name))
    version = subprocess.run([programs / "postgres", "-V"], capture_output=True, text=True, check=True).stdout.split()
    data = state / f"postgres-{version[2].split('.')[0]}"
    if not (data / "PG_VERSION").exists():
        initialise(programs, data, password, user)
    port = choose_ports(state, NAME, {"port": PORT})["port"]
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "shared_buffers": "128MB",
        "max_connections": "200",
        "timezone": "UTC",
    }
    command = [str(programs / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]

    def ask(statement: str, database: str) -> str | None:
        answer = subprocess.run(
            [
                programs / "psql",
                "-XAtq",
                "-h",
                "127.0.0.1",
                "-p",
                str(port),
                "-U",
                ROLE,
                "-d",
                database,
                "-c",
                statement,
            ],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "2"},
        )
        return answer.stdout.strip() if answer.returncode == 0 else None

    running = launch(
        NAME,
        command,
        log=state / "logs" / "postgres.log",
        ports={"port": port},
        user=user,
        is_ready=lambda: ask("SELECT 1", "postgres") == "1",
        patience_s=60,
    )
    if ask(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'", "postgres") != "1":
        ask(f"CREATE DATABASE {DATABASE}", "postgres")
    return running


def initialise(programs: Path, data: Path, password: str, user: str | None) -> None:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".password") as secret:
        secret.write(password + "\n")
        secret.flush()
        if user is not None:
            shutil.chown(data, user, user)
            shutil.chown(secret.name, user, user)
        made = subprocess.run(
            [
                *(programs / "initdb", "-D", data, "-U", ROLE, "--pwfile", secret.name),
                *("-A", "scram-sha-256", "-E", "UTF8", "--locale", "C"),
            ],
            capture_output=True,
            text=True,
            check=False,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            cwd="/",
        )
    if made.returncode != 0:
        shutil.rmtree(data)
        raise NotStarted(f"initdb refused {data}: {made.stderr.strip()}")


def find_programs() -> Path:
    """The folder of `initdb` and `postgres`: on the PATH, or the newest where Debian, Red Hat and Homebrew put them."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql*/bin"):
        places += sorted(Path("/").glob(pattern), key=major_version, reverse=True)
    for place in places:
        if all((place / program).exists() for program in ("initdb", "postgres", "psql")):
            return place
    raise NotAvailable("PostgreSQL is not installed: apt-get install postgresql, or brew install postgresql")


def major_version(folder: Path) -> int:
    return int("".join(letter for letter in str(folder) if letter.isdigit()) or 0)


def is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def url(running: Running, password: str) -> str:
    return f"postgresql://{ROLE}:{password}@127.0.0.1:{running.ports['port']}/{DATABASE}"
