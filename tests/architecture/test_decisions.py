"""The index of the decisions is the list of the decisions."""

import re
from pathlib import Path

DECISIONS = Path(__file__).parents[2] / "docs" / "decisions"


def test_the_index_lists_every_decision_page_once_in_order() -> None:
    listed = re.findall(r"^\* \[\d{4}\]\(([^)]+)\)", (DECISIONS / "README.md").read_text(), re.MULTILINE)
    pages = sorted(path.name for path in DECISIONS.glob("*.md") if path.name != "README.md")
    assert listed == pages, "write the missing page into docs/decisions/README.md"


def test_every_decision_asks_and_decides() -> None:
    pages = [path for path in DECISIONS.glob("[0-9]*.md") if path.name != "README.md"]
    assert [path.name for path in pages if "**Decision" not in path.read_text()] == []
