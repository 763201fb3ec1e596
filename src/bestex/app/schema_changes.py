"""What of a schema's change would break a reader or a writer that knows the older one."""

import json
from collections.abc import Mapping
from typing import Any

_OF_THE_VERSION = ("$.schema_version",)


def breaking_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Each change that is more than a new field with a default, or a new name in an enumeration; none = compatible.

    Args:
        old, new: JSON Schemas of one message type, references to their own `$defs` only.
    """
    problems: list[str] = []
    _compare(old, new, old, new, "$", problems, set())
    return problems


def _compare(
    old: Any, new: Any, old_root: Any, new_root: Any, path: str, problems: list[str], seen: set[tuple[str, str]]
) -> None:
    references = (old.get("$ref", ""), new.get("$ref", ""))
    if any(references):
        if references in seen:
            return
        seen = seen | {references}
        old, new = _resolve(old, old_root), _resolve(new, new_root)
    if "enum" in old and "enum" in new:
        problems.extend(f"{path}: {name!r} is removed" for name in old["enum"] if name not in new["enum"])
        return
    if "anyOf" in old and "anyOf" in new:
        _compare_choices(old["anyOf"], new["anyOf"], old_root, new_root, path, problems, seen)
    elif _kind(old) != _kind(new):
        problems.append(f"{path}: {_kind(old)} has become {_kind(new)}")
        return
    if old.get("default") != new.get("default") or ("default" in old) != ("default" in new):
        problems.append(f"{path}: its default has changed")
    if "properties" in old:
        _compare_fields(old, new, old_root, new_root, path, problems, seen)
    for inner in ("items", "additionalProperties"):
        if isinstance(old.get(inner), dict) and isinstance(new.get(inner), dict):
            _compare(old[inner], new[inner], old_root, new_root, f"{path}[]", problems, seen)
    for number, (one, other) in enumerate(zip(old.get("prefixItems", ()), new.get("prefixItems", ()), strict=False)):
        _compare(one, other, old_root, new_root, f"{path}[{number}]", problems, seen)


def _compare_fields(
    old: Any, new: Any, old_root: Any, new_root: Any, path: str, problems: list[str], seen: set[tuple[str, str]]
) -> None:
    required = set(old.get("required", ())), set(new.get("required", ()))
    for name, schema in old["properties"].items():
        here = f"{path}.{name}"
        if here in _OF_THE_VERSION:
            continue
        if name not in new["properties"]:
            problems.append(f"{here}: is removed")
            continue
        if (name in required[0]) != (name in required[1]):
            problems.append(f"{here}: was {_need(name in required[0])} and is {_need(name in required[1])}")
        _compare(schema, new["properties"][name], old_root, new_root, here, problems, seen)
    problems.extend(
        f"{path}.{name}: is new and has no default"
        for name in new["properties"]
        if name not in old["properties"] and name in required[1]
    )


def _compare_choices(
    old: Any, new: Any, old_root: Any, new_root: Any, path: str, problems: list[str], seen: set[tuple[str, str]]
) -> None:
    before = {_kind(_resolve(item, old_root)): item for item in old}
    after = {_kind(_resolve(item, new_root)): item for item in new}
    if set(before) != set(after):
        problems.append(f"{path}: {' or '.join(sorted(before))} has become {' or '.join(sorted(after))}")
        return
    for kind, item in before.items():
        _compare(item, after[kind], old_root, new_root, path, problems, seen)


def _kind(schema: Any) -> str:
    """What tells two schemas apart before one looks inside them."""
    if "anyOf" in schema:
        return "a choice"
    if "enum" in schema:
        return "an enumeration"
    if "const" in schema:
        return f"the value {json.dumps(schema['const'])}"
    kind = str(schema.get("type", "anything"))
    if "format" in schema:
        kind += f" ({schema['format']})"
    if kind == "array":
        kind += f" of {len(schema['prefixItems'])}" if "prefixItems" in schema else ""
    return kind


def _resolve(schema: Any, root: Any) -> Any:
    """The schema behind a reference; what stands beside the reference (a default) stays."""
    if "$ref" not in schema:
        return schema
    found = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}


def _need(required: bool) -> str:
    return "required" if required else "optional"
