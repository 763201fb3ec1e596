"""Answers: JSON with exact decimals, and their OpenAPI schemas made from the message types themselves."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import Query
from starlette.responses import Response

from bestex.api.problems import Problem
from bestex.messages.codec import client_json

_components: dict[str, Any] = {}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text}
    for status, text in {
        401: "No valid API key or token was given",
        403: "Who asks may not do this",
        404: "Nothing is known under that id",
        409: "The state forbids it, or the id was used for something else",
        413: "The body is larger than 64 KiB",
        422: "The input is wrong; `errors` names field, value and what would be right",
        429: "Above the rate limit; `Retry-After` says when to ask again",
        503: "The desk or its market cannot answer now",
    }.items()
}

Limit = Annotated[int, Query(ge=1, le=1000, description="rows a page")]
Cursor = Annotated[str | None, Query(description="next_cursor of the page before")]


def answer(value: object, status: int = 200) -> Response:
    return Response(client_json(value), status_code=status, media_type="application/json")


def page(rows: Sequence[object], next_cursor: str | None = None, view: Callable[[Any], Any] | None = None) -> Response:
    items = [view(row) if view else row for row in rows]
    return answer({"items": items, "next_cursor": next_cursor})


def schema(
    kind: type[Any], *, status: int = 200, description: str = "Successful answer"
) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that answers one `kind`."""
    return {
        status: {"description": description, "content": {"application/json": {"schema": _reference(kind)}}},
        **_rest(),
    }


def page_schema(kind: type[Any]) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that answers a page of `kind`."""
    listing = {
        "type": "object",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": _reference(kind)},
            "next_cursor": {"type": ["string", "null"]},
        },
    }
    return {200: {"description": "One page", "content": {"application/json": {"schema": listing}}}, **_rest()}


def components() -> dict[str, Any]:
    """Schemas of every type that a route named, in the client form."""
    return dict(sorted(_components.items()))


def _rest() -> dict[int | str, dict[str, Any]]:
    return dict(REFUSALS)


def _reference(kind: type[Any]) -> dict[str, Any]:
    (root,), found = msgspec.json.schema_components([kind], ref_template="#/components/schemas/{name}")
    _components.update({name: _client_form(item) for name, item in found.items()})
    return dict(root)


def _client_form(value: Any) -> Any:
    """Decimals are numbers, and `*_ns` times are ISO-8601 texts without the suffix, as `client_view` makes them."""
    if isinstance(value, list):
        return [_client_form(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("format") == "decimal":
        return {"type": "number"}
    out = {key: _client_form(item) for key, item in value.items() if key != "default"}
    if isinstance(value.get("properties"), dict):
        properties: dict[str, Any] = {}
        for name, item in value["properties"].items():
            if name.endswith("_ns") and not name.endswith("latency_ns"):
                moment: dict[str, Any] = {"type": "string", "format": "date-time"}
                properties[name[:-3]] = {"anyOf": [moment, {"type": "null"}]} if "anyOf" in item else moment
            else:
                properties[name] = _client_form(item)
        out["properties"] = properties
        # Answers always carry every field, the ones with defaults too.
        out["required"] = list(properties)
    return out
