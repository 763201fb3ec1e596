"""Redis from the system's package: a cache on loopback that forgets when it ends and never outgrows its memory."""

import shutil
import signal
import socket
from pathlib import Path

from .processes import NotAvailable, Running, choose_ports, launch

NAME = "redis"
PORT = 26379
STOP = signal.SIGTERM


def start(state: Path, password: str) -> Running:
    """Start on loopback.

    Raises:
        NotAvailable: no Redis on this machine.
        NotStarted: with the end of its log.
    """
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise NotAvailable("Redis is not installed: apt-get install redis-server, or brew install redis")
    port = choose_ports(state, NAME, {"port": PORT})["port"]
    folder = state / "redis"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = folder / "redis.conf"  # not on the command line, where everyone reads the password
    settings.touch(mode=0o600)
    settings.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {folder}\n"
        'save ""\nappendonly no\nmaxmemory 256mb\nmaxmemory-policy allkeys-lru\n'
    )
    return launch(
        NAME,
        [program, str(settings)],
        log=state / "logs" / "redis.log",
        ports={"port": port},
        is_ready=lambda: answers(port, password),
        patience_s=20,
    )


def answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            heard = b""
            while not heard.endswith(b"+PONG\r\n") and (part := line.recv(64)):
                heard += part
            return heard.endswith(b"+PONG\r\n")
    except OSError:
        return False


def url(running: Running, password: str) -> str:
    return f"redis://:{password}@127.0.0.1:{running.ports['port']}/0"
