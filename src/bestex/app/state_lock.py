"""One process per state directory: the second one is told who holds it."""

import fcntl
import os
from pathlib import Path
from typing import IO

from bestex.domain.errors import Conflict


class StateLock:
    """Held until the process ends or `release` is called; the operating system frees it after a crash."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self._path = state_dir / "desk.lock"
        self._file: IO[str] = self._path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "another process"
            self._file.close()
            raise Conflict(
                f"{state_dir} is in use by {holder}; talk to that desk over HTTP, stop it, "
                "or give this one its own --state-dir",
                field="state_dir",
                value=state_dir,
            ) from None

    def say(self, address: str) -> None:
        """Write who holds it, for the next one to read."""
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()} at {address}")
        self._file.flush()

    def release(self) -> None:
        self._file.truncate(0)
        self._file.close()
