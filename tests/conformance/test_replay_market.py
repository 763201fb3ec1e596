"""The replayed market keeps every promise of the port, on an L3 and on an L2 tape of the same flow."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.flow import Flow, generate
from bestex.domain.ids import InstrumentId, VenueId
from bestex.domain.instruments import AssetClass, Instrument
from bestex.domain.time import NS_PER_MINUTE
from bestex.domain.venues import Venue, VenueType
from bestex.native.tape import build_tape
from bestex.simulation.replay_market import ReplayListing, ReplayMarket
from tests.conformance.market_suite import MarketCase, MarketSuite

INSTRUMENT = Instrument(
    instrument_id=InstrumentId("FLOW"),
    name="Seeded flow",
    asset_class=AssetClass.EQUITY,
    currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal(1),
    is_generated=True,
)
VENUE = Venue(
    venue_id=VenueId("XFLO"),
    name="The flow's venue",
    venue_type=VenueType.PRIMARY_EXCHANGE,
    maker_fee=Decimal("-0.002"),
    taker_fee=Decimal("0.003"),
)


@pytest.fixture(scope="module")
def flow() -> Flow:
    return generate(n=200_000, seed=1)


def case_of(rows: NDArray[np.void], path: Path) -> MarketCase:
    tape = build_tape(rows, path / "flow.tape", instrument_id="FLOW")
    middle = (tape.metadata.first_time_ns + tape.metadata.last_time_ns) // 2

    def make() -> ReplayMarket:
        listing = ReplayListing(instrument=INSTRUMENT, tape=tape, venue=VENUE)
        return ReplayMarket([listing], start_ns=middle // NS_PER_MINUTE * NS_PER_MINUTE)

    return MarketCase(make=make, instrument_id="FLOW", lit_venue="XFLO")


class TestReplayMarketOrderByOrder(MarketSuite):
    @pytest.fixture
    def case(self, flow: Flow, tmp_path: Path) -> MarketCase:
        return case_of(flow.l3, tmp_path)


class TestReplayMarketByLevels(MarketSuite):
    @pytest.fixture
    def case(self, flow: Flow, tmp_path: Path) -> MarketCase:
        return case_of(flow.l2, tmp_path)
