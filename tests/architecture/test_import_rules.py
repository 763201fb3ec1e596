"""The import rules hold, and a deliberate violation is caught."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


# An editable install would find the checkout's sources whatever the path says.
LINT = """
import sys
sys.meta_path = [finder for finder in sys.meta_path if "ScikitBuild" not in type(finder).__name__]
from importlinter.cli import lint_imports_command
lint_imports_command()
"""


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(folder / "src")},
    )


def test_the_house_keeps_its_import_rules() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout[-3000:]


def test_a_service_that_imports_another_is_caught(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src" / "bestex", tmp_path / "src" / "bestex", ignore=shutil.ignore_patterns("ui", "static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    module = tmp_path / "src" / "bestex" / "services" / "quality" / "__init__.py"
    module.write_text("import bestex.services.strategy\nimport sqlalchemy\n")
    result = lint(tmp_path)
    assert result.returncode != 0
    assert "bestex.services.quality is not allowed to import bestex.services.strategy" in result.stdout
    assert "bestex.services.quality -> sqlalchemy" in result.stdout
