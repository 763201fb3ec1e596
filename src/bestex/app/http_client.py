"""A running desk as the command line talks to it."""

import json
import urllib.error
import urllib.request
from typing import Final

from bestex.domain.errors import BestexError, Conflict, InvalidInput, NotFound, VenueUnavailable

_TIMEOUT_SECONDS: Final = 10
_ERRORS: Final[dict[int, type[BestexError]]] = {404: NotFound, 409: Conflict, 503: VenueUnavailable}


def call(url: str, method: str, path: str, body: bytes | None = None) -> bytes:
    """What a desk answers to a path under /api/v1.

    Raises:
        BestexError: what it refused with, or VenueUnavailable because it does not answer.
    """
    request = urllib.request.Request(
        f"{url.rstrip('/')}/api/v1/{path}", data=body, headers={"content-type": "application/json"}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as reply:
            answer: bytes = reply.read()
            return answer
    except urllib.error.HTTPError as error:
        raise _refusal(error.code, error.read()) from None
    except (OSError, ValueError) as error:
        raise VenueUnavailable(
            f"{url} does not answer: {error}; is the desk running?", field="url", value=url
        ) from None


def _refusal(status: int, text: bytes) -> BestexError:
    try:
        problem = json.loads(text)
        detail, errors = problem["detail"], problem["errors"]
    except (ValueError, KeyError, TypeError):
        return VenueUnavailable(f"the desk answered {status} with something that is no problem document")
    fields = [
        InvalidInput(item["detail"], field=item["field"], value=item["value"], expected=item["expected"])
        for item in errors
    ]
    kind = _ERRORS.get(status)
    return InvalidInput(detail, errors=fields) if kind is None else kind(detail)
