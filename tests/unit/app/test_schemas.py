"""The published schemas: as the types are, as the stored samples are, and never breaking who knows an older one."""

import copy
import json
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bestex.app import asyncapi
from bestex.app.schema_changes import breaking_changes
from bestex.app.schemas import schema_of, schemas, text_of, write
from bestex.domain.errors import Conflict
from bestex.messages.codec import PAYLOADS

DOCS = Path(__file__).parents[3] / "docs"
SAMPLES = Path(__file__).parents[1] / "messages" / "samples"
STORED = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (DOCS / "schemas").glob("*.json")}


def fits(value: Any, schema: Any, root: Any) -> bool:
    """JSON Schema, as far as the published schemas use it."""
    if "$ref" in schema:
        return fits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return any(fits(value, item, root) for item in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    kinds: dict[str, Callable[[], bool]] = {
        "string": lambda: isinstance(value, str),
        "integer": lambda: isinstance(value, int) and not isinstance(value, bool),
        "number": lambda: isinstance(value, (int, float)) and not isinstance(value, bool),
        "boolean": lambda: isinstance(value, bool),
        "null": lambda: value is None,
        "array": lambda: isinstance(value, list) and all(fits(item, schema.get("items") or {}, root) for item in value),
        "object": lambda: isinstance(value, dict) and fits_object(value, schema, root),
    }
    return "type" not in schema or kinds[schema["type"]]()


def fits_object(value: dict[str, Any], schema: Any, root: Any) -> bool:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties")
    return set(schema.get("required", ())) <= set(value) and all(
        fits(item, known[name], root) if name in known else not isinstance(others, dict) or fits(item, others, root)
        for name, item in value.items()
    )


def test_the_stored_schemas_are_those_of_the_types() -> None:
    for name, schema in schemas().items():
        assert STORED.get(name) == json.loads(text_of(schema)), f"{name} is not up to date: run `make schemas`"


def test_no_published_type_has_gone_and_versions_have_no_gap() -> None:
    versions: dict[str, set[int]] = defaultdict(set)
    for name in STORED:
        found = re.fullmatch(r"([a-z_]+)\.v(\d+)\.json", name)
        assert found, name
        versions[found[1]].add(int(found[2]))
    assert set(versions) == set(PAYLOADS)
    for name, numbers in versions.items():
        assert numbers == set(range(1, PAYLOADS[name].schema_version + 1)), name


def test_each_version_can_be_read_by_who_knows_the_one_before() -> None:
    for name, schema in STORED.items():
        kind, _, version = name.removesuffix(".json").rpartition(".v")
        if (before := f"{kind}.v{int(version) - 1}.json") in STORED:
            assert breaking_changes(STORED[before], schema) == [], name


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_a_stored_message_fits_its_schema(path: Path) -> None:
    message = json.loads(path.read_text(encoding="utf-8"))
    schema = STORED[f"{message['event_type']}.v{message['schema_version']}.json"]
    assert fits(message, schema, schema)
    assert not fits({**message, "time_ns": "yesterday"}, schema, schema)
    assert not fits({**message, "payload": None}, schema, schema)


def amended() -> dict[str, Any]:
    return copy.deepcopy(schema_of(PAYLOADS["order_amended"]))


def fields(schema: dict[str, Any]) -> Any:
    return schema["$defs"]["OrderAmended"]["properties"]


def test_a_new_field_with_a_default_and_a_new_name_in_an_enumeration_are_compatible() -> None:
    new = amended()
    fields(new)["note"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    new["$defs"]["Urgency"]["enum"].append("EXTREME")
    new["properties"]["schema_version"] = {"const": 2}
    assert breaking_changes(amended(), new) == []


def remove(schema: dict[str, Any]) -> None:
    del fields(schema)["reason"]


def rename(schema: dict[str, Any]) -> None:
    fields(schema)["why"] = fields(schema).pop("reason")


def retype(schema: dict[str, Any]) -> None:
    fields(schema)["end_time_ns"]["anyOf"][0]["type"] = "string"


def narrow(schema: dict[str, Any]) -> None:
    fields(schema)["end_time_ns"] = {"type": "integer", "default": None}


def demand(schema: dict[str, Any]) -> None:
    schema["$defs"]["OrderAmended"]["required"].append("reason")


def demand_new(schema: dict[str, Any]) -> None:
    fields(schema)["desk"] = {"type": "string"}
    schema["$defs"]["OrderAmended"]["required"].append("desk")


def leave_out(schema: dict[str, Any]) -> None:
    schema["$defs"]["OrderAmended"]["required"].remove("actor")


def change_default(schema: dict[str, Any]) -> None:
    fields(schema)["reason"]["default"] = "none"


def drop_name(schema: dict[str, Any]) -> None:
    schema["$defs"]["Urgency"]["enum"].pop()


BROKEN = [
    (remove, "payload.reason: is removed"),
    (rename, "payload.reason: is removed"),
    (retype, "payload.end_time_ns: integer or null has become null or string"),
    (narrow, "payload.end_time_ns: a choice has become integer"),
    (demand, "payload.reason: was optional and is required"),
    (demand_new, "payload.desk: is new and has no default"),
    (leave_out, "payload.actor: was required and is optional"),
    (change_default, "payload.reason: its default has changed"),
    (drop_name, "payload.urgency: 'URGENT' is removed"),
]


@pytest.mark.parametrize(("change", "told"), BROKEN, ids=lambda item: getattr(item, "__name__", ""))
def test_a_change_that_breaks_a_reader_or_writer_is_told(change: Callable[[dict[str, Any]], None], told: str) -> None:
    new = amended()
    change(new)
    problems = breaking_changes(amended(), new)
    assert any(told in problem for problem in problems), problems


def test_a_breaking_change_is_not_written_over_what_was_published(tmp_path: Path) -> None:
    write(tmp_path)
    published = tmp_path / "order_amended.v1.json"
    schema = json.loads(published.read_text())
    fields(schema)["venue"] = {"type": "string"}  # yesterday's type had it
    published.write_text(text_of(schema))
    (tmp_path / "order_created.v1.json").unlink()
    with pytest.raises(Conflict, match=r"order_amended.v1.json: \$.payload.venue: is removed"):
        write(tmp_path)
    assert "venue" in published.read_text()
    assert not (tmp_path / "order_created.v1.json").exists()


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for item in value.values() for found in references(item)]
    return [found for item in value for found in references(item)] if isinstance(value, list) else []


def test_the_stored_asyncapi_document_is_up_to_date_and_every_reference_in_it_leads_somewhere() -> None:
    stored = json.loads((DOCS / "asyncapi.json").read_text(encoding="utf-8"))
    assert stored == json.loads(text_of(asyncapi.document())), "run `make schemas`"
    for reference in references(stored):
        path, _, inside = reference.partition("#")
        found = stored
        if path:
            assert (DOCS / path).exists(), reference
        for part in inside.strip("/").split("/") if inside else ():
            found = found[part]


def test_every_fact_is_on_a_topic_and_every_request_can_be_asked() -> None:
    document = asyncapi.document()
    told = {name for channel in document["channels"].values() for name in channel["messages"]}
    asked = set(document["components"]["messages"]["request"]["payload"]["properties"]["payload_type"]["enum"])
    assert told - {"request", "answer", "operation"} == set(PAYLOADS) - asked
    # A request is imperative: what it leads to is told in the past tense, by another name.
    assert not {name for name in asked if name.endswith(("_changed", "_listed", "_selected", "_performance"))}
