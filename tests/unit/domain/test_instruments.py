from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestex.domain.errors import InvalidOrder
from bestex.domain.ids import InstrumentId
from bestex.domain.instruments import AssetClass, Instrument

AAPL = Instrument(
    instrument_id=InstrumentId("AAPL"),
    name="Apple",
    asset_class=AssetClass.EQUITY,
    currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal(1),
)
BUND = Instrument(
    instrument_id=InstrumentId("FGBL"),
    name="Bund",
    asset_class=AssetClass.FUTURE,
    currency="EUR",
    tick_size=Decimal("0.015"),
    lot_size=Decimal(5),
    multiplier=Decimal(1000),
)


@given(ticks=st.integers(1, 10**12), lots=st.integers(1, 10**12), instrument=st.sampled_from([AAPL, BUND]))
def test_ticks_and_lots_survive_the_round_trip(ticks: int, lots: int, instrument: Instrument) -> None:
    assert instrument.price_to_ticks(instrument.ticks_to_price(ticks)) == ticks
    assert instrument.quantity_to_lots(instrument.lots_to_quantity(lots)) == lots


def test_an_off_tick_price_is_refused_with_its_neighbours() -> None:
    with pytest.raises(
        InvalidOrder, match=r"187\.345 is not on AAPL's 0\.01 tick grid; nearest are 187\.34 and 187\.35"
    ):
        AAPL.price_to_ticks(Decimal("187.345"))


def test_an_off_lot_quantity_is_refused_with_its_neighbours() -> None:
    with pytest.raises(InvalidOrder, match="nearest are 10 and 15"):
        BUND.quantity_to_lots(Decimal(12))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "0", "-1"])
def test_only_positive_finite_numbers_are_prices_and_quantities(value: str) -> None:
    with pytest.raises(InvalidOrder, match="is not a positive number"):
        AAPL.price_to_ticks(Decimal(value))
    with pytest.raises(InvalidOrder, match="is not a positive number"):
        AAPL.quantity_to_lots(Decimal(value))


def test_the_refusal_names_the_field_it_was_given() -> None:
    with pytest.raises(InvalidOrder) as refusal:
        AAPL.quantity_to_lots(Decimal("0.5"), field="execution_instructions.min_fill_size")
    assert refusal.value.field == "execution_instructions.min_fill_size"
    assert refusal.value.value == "0.5"


def test_notional_carries_the_multiplier_exactly() -> None:
    assert BUND.notional(Decimal(5), Decimal("131.015")) == Decimal("655075.000")


def test_a_midpoint_lies_on_the_half_tick() -> None:
    assert AAPL.half_ticks_to_price(37469) == Decimal("187.345")


def test_rounding_down_never_gives_more_than_was_asked() -> None:
    assert BUND.round_down_to_lot(Decimal("14.99")) == Decimal(10)
