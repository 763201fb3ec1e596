"""ETag and If-Match: a change that was meant for what its sender last read, and for nothing newer."""

import re
from typing import Annotated, Any

from fastapi import Header
from starlette.responses import Response

from bestex.api.answers import answer
from bestex.api.problems import Problem
from bestex.domain.errors import InvalidInput
from bestex.messages.records import ParentOrderRow

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=30, description='the ETag last read, e.g. "7": refused if it changed since'),
]
OUTDATED: dict[int | str, dict[str, Any]] = {
    412: {"model": Problem, "description": "It has changed since the version that If-Match names"}
}


def expected_version(if_match: str | None) -> int | None:
    """The version a change is meant for; None where any will do (`*`, or no header).

    Raises:
        InvalidInput: if the header is not one ETag of ours.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    if (found := re.fullmatch(r'"([1-9][0-9]{0,17})"', if_match.strip())) is None:
        raise InvalidInput(
            f"If-Match {if_match[:30]!r} is no version of an order",
            field="If-Match",
            value=if_match,
            expected='the ETag of GET /orders/{order_id}, quotes included, e.g. "7"',
        )
    return int(found[1])


def versioned(row: ParentOrderRow, status: int = 200) -> Response:
    """The row, with its version as ETag."""
    return tagged(answer(row, status), row)


def tagged(response: Response, row: ParentOrderRow | None) -> Response:
    """The response with the row's version as ETag; as it is where it repeats an earlier answer."""
    if row is not None:
        response.headers["ETag"] = f'"{row.version}"'
    return response
