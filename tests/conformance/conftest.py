"""What the suites of several ports share."""

from collections.abc import Iterator

import pytest

from tests.databases import postgres_database


@pytest.fixture(scope="module")
def bus_database() -> Iterator[str]:
    with postgres_database() as url:
        yield url
