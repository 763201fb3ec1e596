"""GraphQL types made from the rows and messages themselves, so that the two cannot come apart.

Fields keep their names (a `*_ns` time loses the suffix, as in REST answers) and their order. What is free-form in the
row is JSON here.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import msgspec
import strawberry

from bestex.api.graphql.scalars import Int64, Json, Time

_PLAIN = (str, bool, float, Decimal)
_made: dict[type[Any], Any] = {}


def output(kind: type[Any], *, name: str | None = None, more: Mapping[str, Any] | None = None) -> Any:
    """The object type of a struct or dataclass; the values it resolves are instances of `kind` themselves.

    Args:
        name: of the type; the struct's own otherwise.
        more: further fields, beside those of the struct.
    """
    if kind not in _made:
        hints = get_type_hints(kind)
        fields = {field: _field(field, hints[field]) for field in _names(kind)}
        _made[kind] = object_type(
            name or kind.__name__, inspect.cleandoc(kind.__doc__ or ""), _renamed(fields) | dict(more or {})
        )
    return _made[kind]


def object_type(name: str, description: str, fields: Mapping[str, Any]) -> Any:
    """A type of ready fields."""
    return strawberry.type(type(name, (), dict(fields)), description=description or None)


def answered(resolver: Callable[..., Any], kind: Any, description: str | None = None) -> Any:
    """A field that a function answers."""
    return strawberry.field(resolver=resolver, graphql_type=kind, description=description)


def many(kind: Any) -> Any:
    """A list of `kind`."""
    return list[kind]


def page_of(kind: Any, name: str) -> Any:
    """One page of `kind`, resolved from a `Page`."""
    items = strawberry.field(resolver=lambda root: root.rows, graphql_type=many(kind))
    following = strawberry.field(
        resolver=lambda root: root.next_cursor,
        graphql_type=str | None,
        description="`cursor` of the next page; null at the end.",
    )
    return object_type(f"{name}Page", "One page, in order.", {"items": items, "next_cursor": following})


def _names(kind: type[Any]) -> list[str]:
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    return [field.name for field in msgspec.structs.fields(kind)]


def _renamed(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {_client_name(name): field for name, field in fields.items()}


def _is_time(name: str) -> bool:
    return name.endswith("_ns") and not name.endswith("latency_ns")


def _client_name(name: str) -> str:
    return name[:-3] if _is_time(name) else name


def _field(name: str, hint: Any) -> Any:
    return strawberry.field(resolver=_reader(name), graphql_type=_graphql_type(name, hint))


def _reader(name: str) -> Callable[[Any], Any]:
    def read(root: Any) -> Any:
        return getattr(root, name)

    return read


def _graphql_type(name: str, hint: Any) -> Any:
    if isinstance(hint, NewType):
        return _graphql_type(name, hint.__supertype__)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        [inner] = [item for item in arguments if item is not NoneType]
        return _graphql_type(name, inner) | None
    if origin in (tuple, list) and (origin is list or arguments[1:] == (Ellipsis,)):
        return many(_graphql_type(name, arguments[0]))
    if hint is int:
        return Time if _is_time(name) else Int64 if name.endswith("_ns") else int
    if hint in _PLAIN:
        return hint
    if isinstance(hint, type) and issubclass(hint, Enum):
        return str
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, msgspec.Struct)):
        return output(hint)
    return Json
