"""The OpenAPI document explains itself: a summary for every operation, an example for every body that is sent."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from bestex.api import models
from bestex.api.fields import Body
from bestex.api.strict_json import parse
from bestex.app.openapi import document

DOCUMENT = document()
OPERATIONS = [
    (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if method in ("get", "post", "put", "delete")
]
BODIES = [
    kind
    for kind in vars(models).values()
    if isinstance(kind, type) and issubclass(kind, Body) and kind.model_config.get("json_schema_extra")
]


def example_of(schema: dict[str, Any]) -> Any:
    """The example of a body's schema, behind its reference, list or `null` alternative."""
    if "$ref" in schema:
        return example_of(DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    if "anyOf" in schema:
        return next((found for item in schema["anyOf"] if (found := example_of(item)) is not None), None)
    if schema.get("type") == "array":
        found = example_of(schema["items"])
        return None if found is None else [found]
    return schema.get("examples", [None])[0]


@pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=lambda item: item if isinstance(item, str) else ""
)
def test_every_operation_has_a_summary_of_its_own(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation.get("summary"), (method, path)
    assert operation["summary"] != operation["operationId"].replace("_", " ").title(), (method, path)


def test_every_body_that_is_posted_or_put_has_an_example() -> None:
    bodies = {
        (method, path): operation["requestBody"]["content"]["application/json"]["schema"]
        for method, path, operation in OPERATIONS
        if "requestBody" in operation
    }
    assert len(bodies) > 20
    assert [place for place, schema in bodies.items() if example_of(schema) is None] == []
    assert example_of({"type": "object"}) is None


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_every_example_is_a_body_that_is_taken(body: type[Body]) -> None:
    [example] = body.model_config["json_schema_extra"]["examples"]  # type: ignore[index,call-overload]
    TypeAdapter(body).validate_python(parse(json.dumps(example).encode()))
