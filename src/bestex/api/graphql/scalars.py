"""Scalars beside GraphQL's own: exact numbers, times, 64-bit integers and free-form JSON."""

from decimal import Decimal
from typing import Any, Final, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from bestex.domain.time import to_iso
from bestex.messages.codec import client_view

Time = NewType("Time", int)
Int64 = NewType("Int64", int)
Json = NewType("Json", object)


def _int64(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise GraphQLError(f"Int64 cannot represent {str(value)[:40]!r}: an integer of 64 bits is wanted")
    return value


SCALARS: Final[dict[object, ScalarDefinition]] = {
    Decimal: strawberry.scalar(name="Decimal", description="An exact number; a JSON number in answers."),
    Time: strawberry.scalar(
        name="Time", description="ISO-8601 in UTC, e.g. 2026-11-20T14:30:00.000000Z.", serialize=to_iso
    ),
    Int64: strawberry.scalar(name="Int64", description="An integer of 64 bits.", serialize=_int64, parse_value=_int64),
    Json: strawberry.scalar(
        name="JSON", description="Any JSON value, as the same thing stands in a REST answer.", serialize=client_view
    ),
}
