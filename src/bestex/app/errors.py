"""Errors as someone at a terminal reads them."""

import json

from rich.console import Console

from bestex.domain.errors import BestexError, BusUnavailable, InvalidInput, StoreUnavailable

EXIT_INVALID = 2
EXIT_FAILED = 1
EXIT_AWAY = 3


def explain(error: BestexError, *, as_json: bool) -> int:
    """Say what was wrong, the value seen and what would be right, on stderr; returns the exit code:
    2 for what has to be put right, 3 for a server that did not answer, 1 for the rest."""
    items = error.errors if isinstance(error, InvalidInput) else (error,)
    if as_json:
        document = {
            "code": error.code,
            "detail": error.message,
            "errors": [
                {"field": item.field, "value": item.value, "expected": item.expected, "detail": item.message}
                for item in items
            ],
        }
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(json.dumps(document))
    else:
        console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
        for item in items:
            console.print(f"error: {item.message}")
            if item.expected and item.expected not in item.message:
                console.print(f"       right would be: {item.expected}")
    if isinstance(error, InvalidInput):
        return EXIT_INVALID
    return EXIT_AWAY if isinstance(error, StoreUnavailable | BusUnavailable) else EXIT_FAILED
