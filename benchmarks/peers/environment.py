"""A peer's own environment, outside the repository: made once, reused afterwards."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path


class PeerMissing(Exception):
    """Why a peer cannot be run here."""


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bestex" / "peers"


def environment(name: str, packages: Sequence[str], version: tuple[int, int]) -> Path:
    """The interpreter of the environment `name`, with the packages.

    Raises:
        PeerMissing: where there is no Python of that version, or the packages cannot be installed.
    """
    folder = cache_folder() / name
    python, stamp = folder / "bin" / "python", folder / "packages.txt"
    wanted = "\n".join(packages) + "\n"
    if stamp.exists() and stamp.read_text() == wanted and python.exists():
        return python
    base = next((found for found in _interpreters(version) if _runs(found, version)), None)
    if base is None:
        raise PeerMissing(f"there is no Python {version[0]}.{version[1]} here")
    try:
        _run([base, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", "-q", *packages])
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise PeerMissing(f"{', '.join(packages)} cannot be installed: {last}") from None
    stamp.write_text(wanted)
    return python


def _interpreters(version: tuple[int, int]) -> Iterator[str]:
    name = f"python{version[0]}.{version[1]}"
    if (found := shutil.which(name)) is not None:
        yield found
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from (str(path) for path in sorted(root.glob(f"{version[0]}.{version[1]}.*/bin/python"), reverse=True))


def _runs(python: str, version: tuple[int, int]) -> bool:
    asked = [python, "-c", "import sys; print(*sys.version_info[:2])"]
    found = subprocess.run(asked, capture_output=True, text=True)
    return found.returncode == 0 and found.stdout.split() == [str(part) for part in version]


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
