"""Fixtures that every room's tests may ask for, and a line for everything that was not tested."""

from collections import Counter

import pytest

from tests.servers import (
    fresh_database,
    postgres_url,
    pulsar_namespace,
    pulsar_server,
    redis_prefix,
    redis_url,
)

__all__ = ["fresh_database", "postgres_url", "pulsar_namespace", "pulsar_server", "redis_prefix", "redis_url"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason to skip, however many tests it took."""
    skipped = (report.longrepr for report in terminalreporter.getreports("skipped"))
    reasons = Counter(str(told[2] if isinstance(told, tuple) else told).removeprefix("Skipped: ") for told in skipped)
    for reason, tests in sorted(reasons.items()):
        terminalreporter.write_line(f"{tests} skipped: {reason}")
