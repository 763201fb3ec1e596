"""Writes the JSON Schema of every message type: `python -m bestex.app.schemas FOLDER` (`make schemas`).

One file a type and version, `<type>.v<version>.json`: the stored form that travels on the bus. A file is written again
only with a change that its readers and writers of yesterday can live with; another change needs a new schema_version.
"""

import json
import sys
from pathlib import Path
from typing import Any, cast

import msgspec

from bestex.app.asyncapi import document
from bestex.app.schema_changes import breaking_changes
from bestex.domain.errors import Conflict
from bestex.messages.codec import PAYLOADS
from bestex.messages.envelope import Message, Payload

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(payload: type[Payload]) -> dict[str, Any]:
    """JSON Schema of a message with this payload, as its bytes are."""
    [reference], definitions = msgspec.json.schema_components(
        [Message[payload]],  # type: ignore[valid-type]
        ref_template="#/$defs/{name}",
    )
    schema = definitions.pop(reference["$ref"].rpartition("/")[2])
    properties = schema["properties"]
    properties["event_type"] = {"const": payload.message_type}
    properties["schema_version"] = {"const": payload.schema_version}
    found = _stored_form(
        {
            "$schema": DIALECT,
            "title": payload.message_type,
            "description": _words(payload) or _words(Message),
            "type": "object",
            "properties": properties,
            "required": schema["required"],
            "$defs": dict(sorted(definitions.items())),
        }
    )
    return cast(dict[str, Any], json.loads(json.dumps(found)))  # as a file gives it back


def schemas() -> dict[str, dict[str, Any]]:
    """File name -> schema, of every type in its present version."""
    return {f"{name}.v{payload.schema_version}.json": schema_of(payload) for name, payload in sorted(PAYLOADS.items())}


def text_of(schema: Any) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def write(folder: Path) -> None:
    """Write the files that are new or changed.

    Raises:
        Conflict: naming what of a published version would break; nothing is written then.
    """
    found = schemas()
    problems = [
        f"{name}: {problem}"
        for name, schema in found.items()
        if (folder / name).exists()
        for problem in breaking_changes(json.loads((folder / name).read_text(encoding="utf-8")), schema)
    ]
    if problems:
        raise Conflict(
            "published schemas would break: " + "; ".join(problems),
            field="schema_version",
            expected="fields with defaults beside the old ones, or a new schema_version of the message",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in found.items():
        (folder / name).write_text(text_of(schema), encoding="utf-8")


def _stored_form(schema: Any) -> Any:
    """Decimals are written as numbers, all their digits; a docstring's first paragraph says what a thing is."""
    if isinstance(schema, list):
        return [_stored_form(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        return {**schema, "type": "number"}
    out = {key: _stored_form(value) for key, value in schema.items()}
    if isinstance(out.get("description"), str):
        out["description"] = _paragraph(out["description"])
    return out


def _words(kind: type) -> str | None:
    words = vars(kind).get("__doc__")
    return words and _paragraph(words)


def _paragraph(words: str) -> str:
    return " ".join(words.partition("\n\n")[0].split())


def main() -> None:
    folder = Path(sys.argv[1])
    write(folder / "schemas")
    (folder / "asyncapi.json").write_text(text_of(document()), encoding="utf-8")


if __name__ == "__main__":
    main()
