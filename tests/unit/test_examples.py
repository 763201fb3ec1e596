"""Every example runs as a reader would run it, and shows what it says it shows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOWN = {
    "01_recommend.py": ["urgency HIGH", "expected cost", "confidence"],
    "02_work_an_order.py": ["slice 1 of", "FILLED: 2000 of 2000", "grade", "bps of what was ordered"],
    "03_read_the_costs.py": ["49.90    4.990 bps of 100,000", "add up to Perold's total"],
    "04_replay_a_small_tape.py": ["BUY 3,000 of 3,000", "report", "event log"],
    "05_what_if_many_worlds.py": ["TWAP  filled 100.0%", "IMPLEMENTATION_SHORTFALL"],
    "06_http_client.py": ["recommended", "FILLED 3000 of 3000", "total"],
}


def test_every_example_stands_in_the_list_and_is_numbered_without_a_gap() -> None:
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == list(SHOWN)
    assert [int(name[:2]) for name in SHOWN] == list(range(1, len(SHOWN) + 1))


@pytest.mark.parametrize("name", SHOWN)
def test_the_example_runs_and_shows_what_it_promises(name: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        cwd=tmp_path,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert [words for words in SHOWN[name] if words not in run.stdout] == [], run.stdout


@pytest.mark.parametrize("name", SHOWN)
def test_the_example_opens_with_what_it_shows_and_fits_two_screens(name: str) -> None:
    text = (EXAMPLES / name).read_text()
    assert text.startswith('"""')
    assert f"python examples/{name}" in text.split('"""')[1]
    assert len(text.splitlines()) <= 80
