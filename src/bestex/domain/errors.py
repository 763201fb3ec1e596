"""What can go wrong, as a few types a caller can act on.

    BestexError
    ├── InvalidInput        fix the input and send it again (HTTP 422, exit code 2)
    │   ├── InvalidOrder
    │   └── InvalidData     a tape, file or row cannot be read
    ├── NotFound            no such order, instrument, venue, ... (404)
    ├── Conflict            someone got there first, or the state forbids it (409)
    ├── Outdated            it has changed since it was read; read it again (412)
    ├── LimitBreached       a guard refused (409)
    ├── Unauthenticated     who asks is not known (401)
    ├── Forbidden           who asks is known, and may not (403)
    ├── TooManyRequests     ask again after `retry_after_seconds` (429)
    ├── StaleMarketData     wait for the market (503)
    ├── VenueUnavailable    try again later (503)
    ├── StoreUnavailable    the database does not answer; what was asked may be asked again later (503)
    ├── BusUnavailable      the bus does not answer; nothing is lost, try again later (503)
    ├── ServiceUnavailable  another service does not answer in time (503)
    └── Fenced              another holder works this now; stop (503)

Each has a stable `code` that survives the wire and the database. A broken invariant is not among them: that is an
`AssertionError`, and it stops the process loudly.
"""

from collections.abc import Sequence


class BestexError(Exception):
    """Base of every error a caller can act on.

    Args:
        message: what was wrong, the value seen, what would be right.
        field: path of the offending field, e.g. "execution_instructions.max_participation_rate"; None if no single one.
        value: the value seen, as text; None if there is none.
        expected: what would be right, in words.
    """

    code = "error"

    def __init__(
        self, message: str, *, field: str | None = None, value: object = None, expected: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.value = None if value is None else str(value)[:200]
        self.expected = expected


class InvalidInput(BestexError):
    """The input is wrong; the same input will always be refused."""

    code = "invalid_input"

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: object = None,
        expected: str | None = None,
        errors: "Sequence[InvalidInput]" = (),
    ) -> None:
        super().__init__(message, field=field, value=value, expected=expected)
        self.errors = tuple(errors) or (self,)


class InvalidOrder(InvalidInput):
    """A parent or child order that cannot be accepted as it is."""

    code = "invalid_order"


class InvalidData(InvalidInput):
    """Market data that cannot be read: truncated, out of order, crossed, or not of the stated format."""

    code = "invalid_data"


class NotFound(BestexError):
    """Nothing is known under that id."""

    code = "not_found"


class Conflict(BestexError):
    """The state forbids it, or the same id was used for something else."""

    code = "conflict"


class Outdated(BestexError):
    """It has changed since the version that the change was meant for. Read it again and decide anew."""

    code = "outdated"


class LimitBreached(BestexError):
    """A guard refused."""

    code = "limit_breached"


class Unauthenticated(BestexError):
    """Who asks is not known. The reason is the same whatever was wrong with the credential."""

    code = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("no valid API key or token was given", expected="Authorization: Bearer KEY-OR-TOKEN")


class Forbidden(BestexError):
    """Who asks is known, and may not."""

    code = "forbidden"


class TooManyRequests(BestexError):
    """Above the rate limit."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after_seconds: int, expected: str | None = None) -> None:
        super().__init__(message, expected=expected)
        self.retry_after_seconds = retry_after_seconds


class StaleMarketData(BestexError):
    """There is no quote young enough to act on."""

    code = "stale_market_data"


class VenueUnavailable(BestexError):
    """The venue does not answer."""

    code = "venue_unavailable"


class StoreUnavailable(BestexError):
    """The database does not answer, after its adapter's own retries. What was asked may be asked again."""

    code = "store_unavailable"


class BusUnavailable(BestexError):
    """The bus does not answer, after its own retries."""

    code = "bus_unavailable"


class Fenced(BestexError):
    """The lease under which this was to be written is not the newest of its name."""

    code = "fenced"


class ServiceUnavailable(BestexError):
    """A service in another process did not answer in time. What became of the request is not known."""

    code = "service_unavailable"
