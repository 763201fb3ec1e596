"""Writes the GraphQL schema as text: `python -m bestex.app.graphql_schema FILE` (`make reference`)."""

import sys
from pathlib import Path

from bestex.api.graphql.schema import sdl

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(sdl(), encoding="utf-8")
