"""Writes the API's OpenAPI document and prints its digest: `python -m bestex.app.openapi FILE`."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any, cast

from bestex.api.access import Access
from bestex.api.application import create_application


def document() -> dict[str, Any]:
    """The document of every route. It describes types alone, so it needs no running desk."""
    return create_application(cast(Access, None)).openapi()


def digest(found: Any) -> str:
    """SHA-256 of what a client depends on: everything but the words that explain."""
    return hashlib.sha256(json.dumps(_without_words(found), sort_keys=True).encode()).hexdigest()


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        words = {"description", "summary", "title"}
        return {
            key: _without_words(item) for key, item in value.items() if not (key in words and isinstance(item, str))
        }
    return [_without_words(item) for item in value] if isinstance(value, list) else value


def main() -> None:
    target = Path(sys.argv[1])
    found = document()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    sys.stdout.write(digest(found))


if __name__ == "__main__":
    main()
