"""Errors as someone at a terminal reads them."""

import json

from rich.console import Console

from bestex.domain.errors import BestexError, InvalidInput

EXIT_INVALID = 2
EXIT_FAILED = 1


def explain(error: BestexError, *, as_json: bool) -> int:
    """Say what was wrong, the value seen and what would be right, on stderr; returns the exit code."""
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
    return EXIT_INVALID if isinstance(error, InvalidInput) else EXIT_FAILED
