"""`bestex serve` as a process of its own, on a free port, for tests and benchmarks that must see a real one."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


class DeskProcess:
    """Started at once; the caller stops, kills or restarts it on the same state directory."""

    def __init__(self, state_dir: Path, *, speed: float = 20.0, seed: int = 20_261_121) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "bestex", "serve", "--port", "0", "--log-level", "warning"),
                *("--speed", str(speed), "--seed", str(seed), "--state-dir", str(state_dir)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = ""
        while "dashboard" not in line:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"the desk did not start; exit code {self.process.wait()}")
        self.url = line.split()[1].rstrip("/")
        self.start_seconds = time.monotonic() - self.started

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v1{path}", timeout=10) as reply:
            return json.loads(reply.read())

    def post(self, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read())

    def until(self, path: str, holds: Any, seconds: float = 60.0) -> Any:
        """The answer of `path` once it holds; a 404 counts as not yet."""
        deadline = time.monotonic() + seconds
        answer: Any = None
        while time.monotonic() < deadline:
            try:
                if holds(answer := self.get(path)):
                    return answer
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
            time.sleep(0.05)
        raise AssertionError(f"{path} never got there; last answer {answer}")

    def kill(self) -> None:
        self.process.kill()
        self._end()

    def stop(self) -> int:
        self.process.terminate()
        return self._end()

    def _end(self) -> int:
        code = self.process.wait(timeout=20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code
