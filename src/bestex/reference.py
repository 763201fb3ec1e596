"""Writes the reference page: `python -m bestex.reference FILE` (`make reference`).

Everything on it is read from what runs: routes and rights, messages, the GraphQL schema, commands, settings.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

import typer

from bestex import cli
from bestex.api.access import Access
from bestex.api.application import create_application
from bestex.api.graphql.schema import SCHEMA
from bestex.api.identity.permissions import RIGHT_OF
from bestex.app.settings import Settings
from bestex.messages.codec import PAYLOADS

_HEAD: Final = """# Reference

Written by `make reference` from what runs; a test fails where the two differ. The whole of each part stands in a
document of its own: the OpenAPI document at `/openapi.json` of a running desk, the [GraphQL schema](schema.graphql),
the [AsyncAPI document](asyncapi.json) and the [messages' JSON Schemas](schemas/).
"""
_COMMENT: Final = re.compile(r"^    (\w+): .*?  # (.+)$", re.MULTILINE)


def page() -> str:
    """The page as Markdown."""
    parts = [_HEAD, *_endpoints(), *_graphql(), *_events(), *_commands(), *_settings()]
    return "\n".join(parts).rstrip() + "\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""


def _endpoints() -> Iterator[str]:
    """Paths in the order of the document, each with who may and what it takes."""
    application = create_application(cast(Access, None))
    operations = dict(_operations(application.routes, ""))
    yield "## Endpoints\n"
    yield "Roles matter where identities are required; *own* means only orders that the caller sent.\n"
    rows = []
    for path, methods in application.openapi()["paths"].items():
        for method, found in methods.items():
            names = [item["name"] + ("" if item.get("required") else "?") for item in found.get("parameters", ())]
            body = found.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            kind = str(body.get("$ref", "")).rpartition("/")[2]
            takes = ", ".join([*names, *([kind] if kind else [])])
            roles = _roles(operations.get((method.upper(), path)))
            rows.append((f"`{method.upper()} {path}`", found.get("summary", ""), takes, roles))
    rows.append(("`POST /api/v1/graphql`", "A GraphQL query", "query, variables?, operationName?", "everybody"))
    for (method, path), operation in operations.items():
        if method == "WEBSOCKET":
            rows.append((f"`{method} {path}`", "Committed messages as they happen", "", _roles(operation)))
    yield from _table(("endpoint", "what", "parameters and body (? = optional)", "roles"), rows)


def _operations(routes: Any, prefix: str) -> Iterator[tuple[tuple[str, str], str]]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            given = getattr(getattr(route, "include_context", None), "prefix", "") or ""
            yield from _operations(inner.routes, prefix + given)
            continue
        endpoint = getattr(route, "endpoint", None)
        if endpoint is not None and endpoint.__module__.startswith("bestex.api.routes."):
            name = f"{endpoint.__module__.rpartition('.')[2]}.{endpoint.__name__}"
            for method in sorted(getattr(route, "methods", None) or {"WEBSOCKET"}):
                yield (method, prefix + route.path), name


def _roles(operation: str | None) -> str:
    right = RIGHT_OF.get(operation or "")
    if right is None or right.name == "read":
        return "everybody"
    return ", ".join([*sorted(map(str, right.roles)), *(f"{role} (own)" for role in sorted(map(str, right.own)))])


def _graphql() -> Iterator[str]:
    yield "## GraphQL\n"
    yield "`POST /api/v1/graphql`; subscriptions over WebSocket at the same path (graphql-transport-ws).\n"
    schema = SCHEMA.graphql_schema
    rows = []
    for root in (schema.query_type, schema.subscription_type):
        for name, field in root.fields.items():
            arguments = ", ".join(f"{key}: {item.type}" for key, item in field.args.items())
            rows.append((f"`{name}`", root.name.lower(), arguments, str(field.type), field.description or ""))
    yield from _table(("field", "of", "arguments", "answers", "what"), rows)


def _events() -> Iterator[str]:
    yield "## Messages\n"
    rows = []
    for name, payload in sorted(PAYLOADS.items()):
        version = payload.schema_version
        words = (payload.__dict__.get("__doc__") or "").strip().split("\n\n")[0]
        rows.append((f"[`{name}`](schemas/{name}.v{version}.json)", str(version), " ".join(words.split())))
    yield from _table(("message", "version", "what"), rows)


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    yield from _command(typer.main.get_command(cli.app), "bestex")


def _command(command: Any, name: str) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    rows = [(_usage(item), _default(item), getattr(item, "help", None) or "") for item in command.params]
    if inner is None or rows:
        yield f"### `{name}`\n"
        yield f"{' '.join((command.help or '').split())}\n"
        if rows:
            yield from _table(("option", "default", "what"), rows)
    for key, item in sorted((inner or {}).items()):
        yield from _command(item, f"{name} {key}")


def _usage(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    return f"`{', '.join(parameter.opts)}`" if is_option else f"`{parameter.name.upper()}`"


def _default(parameter: Any) -> str:
    default = parameter.default
    if parameter.required:
        return "required"
    return "" if default is None or default is False or callable(default) else f"`{default}`"


def _settings() -> Iterator[str]:
    yield "## Settings\n"
    yield "In a TOML file (`BESTEX_CONFIG`) or the environment; the environment wins, a command's option over both.\n"
    comments: dict[str, str] = {}
    for kind in reversed(Settings.__mro__):
        if kind.__module__.startswith("bestex."):
            comments |= dict(_COMMENT.findall(inspect.getsource(kind)))
    rows = []
    for name, field in Settings.model_fields.items():
        default = "by the system" if field.default_factory is not None else f"`{field.default}`"
        rows.append((f"`{name}`", f"`BESTEX_{name.upper()}`", default, comments.get(name, "")))
    yield from _table(("setting", "variable", "default", "what"), rows)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
