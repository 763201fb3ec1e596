"""The generated market keeps the promises of the `Market` port."""

from datetime import UTC, datetime

import pytest

from bestex.domain.time import NS_PER_SECOND
from bestex.simulation.generated_listings import LISTINGS
from bestex.simulation.generated_market import GeneratedMarket
from tests.conformance.market_suite import MarketCase, MarketSuite

MIDDAY_NS = int(datetime(2026, 3, 10, 16, 0, tzinfo=UTC).timestamp()) * NS_PER_SECOND


class TestGeneratedMarket(MarketSuite):
    @pytest.fixture(params=["AAPL", "KRNL"])
    def case(self, request: pytest.FixtureRequest) -> MarketCase:
        return MarketCase(
            make=lambda: GeneratedMarket(seed=11, start_ns=MIDDAY_NS, listings=LISTINGS[:3]),
            instrument_id=request.param,
            lit_venue="NASDAQ",
        )
