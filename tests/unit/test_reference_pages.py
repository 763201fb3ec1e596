"""The generated reference says what the code says; where it does not, `make reference` writes it again."""

from pathlib import Path

from bestex.api.graphql.schema import sdl

DOCS = Path(__file__).parents[2] / "docs"


def test_the_graphql_schema_is_the_one_that_is_served() -> None:
    assert (DOCS / "schema.graphql").read_text(encoding="utf-8") == sdl(), "run `make reference`"
