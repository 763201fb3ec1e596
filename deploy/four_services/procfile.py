"""The processes of the Procfile beside this file, as commands that this interpreter can start."""

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

PROCFILE = Path(__file__).with_name("Procfile")


@dataclass(frozen=True, slots=True)
class Process:
    """One line: a name, what to run, and the port it will answer on."""

    name: str
    command: tuple[str, ...]
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def read(path: Path = PROCFILE) -> list[Process]:
    """In the order of the file.

    Raises:
        ValueError: if a line is not `name: bestex ... --port N`.
    """
    return [_process(line) for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]


def _process(line: str) -> Process:
    found = re.fullmatch(r"([a-z0-9-]+): bestex (.*--port (\d+).*)", line)
    if found is None:
        raise ValueError(f"{line!r} in the Procfile should read `name: bestex ... --port N`")
    return Process(found[1], (sys.executable, "-m", "bestex", *shlex.split(found[2])), int(found[3]))
