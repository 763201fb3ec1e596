"""What must never stand in a tracked file, and what must."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import bestex
from bestex.native import _core

ROOT = Path(__file__).parents[2]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_lock_or_settings_file_holds_a_registry_address() -> None:
    """A lock made behind a mirror would send everyone to it."""
    suspects = [path for path in tracked() if path.suffix in {".lock", ".toml", ".json", ".npmrc", ".cfg", ".ini"}]
    address = re.compile(r'("resolved"|index|registry|find-links)\W+[\w-]*\W*https?://', re.IGNORECASE)
    assert [path.name for path in suspects if address.search(path.read_text(errors="ignore"))] == []


def test_the_tree_holds_no_drawers() -> None:
    """A folder or file called common or utils is where architecture goes to die."""
    names = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base_impl"}
    assert [path for path in tracked("src", "native") if path.stem in names] == []


def test_python_and_the_core_carry_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert bestex.__version__ == project["version"] == _core.version


def test_every_module_says_what_it_is_for() -> None:
    modules = [path for path in tracked("src/bestex/**/*.py", "src/bestex/*.py") if path.read_text().strip()]
    silent = [
        path for path in modules if "versions" not in path.parts and not path.read_text().startswith(('"""', "#"))
    ]
    assert silent == []


def test_no_service_asks_the_system_for_time_randomness_or_ids() -> None:
    """Yesterday can be replayed only if all three are given."""
    banned = re.compile(
        r"\b(time\.time|time\.monotonic|time\.perf_counter|datetime\.now|utcnow|uuid4|uuid1|os\.urandom|secrets\.)"
        r"|^import random|^from random|^import time$",
        re.MULTILINE,
    )
    pure = [
        path
        for room in ("domain", "messages", "quant", "services", "simulation")
        for path in (ROOT / "src" / "bestex" / room).rglob("*.py")
    ]
    assert [str(path.relative_to(ROOT)) for path in pure if banned.search(path.read_text())] == []
