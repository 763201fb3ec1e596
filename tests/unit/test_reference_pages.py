"""The generated reference says what the code says; where it does not, `make reference` writes it again."""

from pathlib import Path

from bestex.api.graphql.schema import sdl
from bestex.app.settings import Settings
from bestex.messages.codec import PAYLOADS
from bestex.reference import page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_graphql_schema_is_the_one_that_is_served() -> None:
    assert (DOCS / "schema.graphql").read_text(encoding="utf-8") == sdl(), "run `make reference`"


def test_the_reference_page_says_what_runs() -> None:
    assert (DOCS / "reference.md").read_text(encoding="utf-8") == page(), "run `make reference`"


def test_the_reference_page_leaves_nothing_out() -> None:
    text = page()
    assert [name for name in PAYLOADS if f"`{name}`" not in text] == []
    assert [name for name in Settings.model_fields if f"`BESTEX_{name.upper()}`" not in text] == []
    assert "| `POST /api/v1/execution/kill` |" in text
    [kill] = [line for line in text.splitlines() if "`POST /api/v1/execution/kill`" in line]
    assert kill.endswith("| desk_head, operator, risk |")
    for words in ("`bestex serve`", "`bestex bus seek`", "`WEBSOCKET /api/v1/monitoring/stream`", "`order_updates`"):
        assert words in text, words


def test_every_file_that_the_reference_points_to_is_there() -> None:
    targets = [part.split(")")[0] for part in page().split("](")[1:]]
    assert len(targets) > 40
    assert [target for target in targets if not (DOCS / target).exists()] == []
