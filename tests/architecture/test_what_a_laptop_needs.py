"""One process runs on the run set alone: what production adds is loaded only where it is configured."""

import subprocess
import sys

BLOCKED = (
    "redis",
    "asyncpg",
    "pulsar",
    "_pulsar",
    "opentelemetry.sdk",
    "opentelemetry.exporter",
    "pytest",
    "hypothesis",
)

LOADS = """
import importlib, importlib.abc, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in BLOCKED or name.startswith(tuple(f"{item}." for item in BLOCKED)):
            raise ModuleNotFoundError(f"{name} is not in the run set", name=name)

BLOCKED = sys.argv[1].split(",")
sys.meta_path.insert(0, Absent())
for module in sys.argv[2:]:
    importlib.import_module(module)
"""

MODULES = ("bestex.cli", "bestex.app.serve", "bestex.app.demo", "bestex.app.replay", "bestex.app.recommend")


def loads(*modules: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LOADS, ",".join(BLOCKED), *modules]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_desk_on_a_laptop_loads_without_what_production_adds() -> None:
    done = loads(*MODULES)
    assert done.returncode == 0, done.stderr[-1500:]


def test_a_module_that_is_not_in_the_run_set_is_caught() -> None:
    done = loads("cashews.backends.redis.client_side")
    assert done.returncode != 0
    assert "not in the run set" in done.stderr
