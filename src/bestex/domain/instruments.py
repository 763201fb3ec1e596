"""What is traded, and the only place where exact decimals meet integer ticks and lots."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from bestex.domain.errors import InvalidOrder
from bestex.domain.ids import InstrumentId, VenueId


class AssetClass(StrEnum):
    EQUITY = "EQUITY"
    FUTURE = "FUTURE"
    FX = "FX"
    CRYPTO = "CRYPTO"
    BOND = "BOND"


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """One tradable thing. Every conversion to ticks or lots is here, and refuses what is off the grid."""

    instrument_id: InstrumentId
    name: str
    asset_class: AssetClass
    currency: str
    tick_size: Decimal
    lot_size: Decimal
    multiplier: Decimal = Decimal(1)  # currency per price point and unit: 1 for shares, 50 for an ES contract
    calendar: str = "XNYS"  # a name exchange_calendars knows; "24/7" for none
    venues: tuple[VenueId, ...] = ()
    average_daily_volume: Decimal | None = None  # units a day; None where there is no history
    daily_volatility: float | None = None  # sd of a day's return, as a fraction; None where there is no history
    is_generated: bool = False  # its market is simulated: everything drawn from it says so

    def price_to_ticks(self, price: Decimal, *, field: str = "price") -> int:
        """Exact number of ticks.

        Raises:
            InvalidOrder: if the price is not finite, not positive, or not on the tick grid.
        """
        if not price.is_finite() or price <= 0:
            raise InvalidOrder(
                f"{field} {price} is not a positive number", field=field, value=price, expected="a positive number"
            )
        ticks = price / self.tick_size
        if ticks != ticks.to_integral_value():
            below = ticks.to_integral_value(ROUND_DOWN) * self.tick_size
            expected = f"a multiple of {self.tick_size}; nearest are {below} and {below + self.tick_size}"
            raise InvalidOrder(
                f"{field} {price} is not on {self.instrument_id}'s {self.tick_size} tick grid; "
                f"nearest are {below} and {below + self.tick_size}",
                field=field,
                value=price,
                expected=expected,
            )
        return int(ticks)

    def quantity_to_lots(self, quantity: Decimal, *, field: str = "quantity") -> int:
        """Exact number of lots.

        Raises:
            InvalidOrder: if the quantity is not finite, not positive, or not a whole number of lots.
        """
        if not quantity.is_finite() or quantity <= 0:
            raise InvalidOrder(
                f"{field} {quantity} is not a positive number",
                field=field,
                value=quantity,
                expected="a positive number",
            )
        lots = quantity / self.lot_size
        if lots != lots.to_integral_value():
            below = lots.to_integral_value(ROUND_DOWN) * self.lot_size
            raise InvalidOrder(
                f"{field} {quantity} is not a whole number of {self.instrument_id} lots of {self.lot_size}; "
                f"nearest are {below} and {below + self.lot_size}",
                field=field,
                value=quantity,
                expected=f"a multiple of {self.lot_size}",
            )
        return int(lots)

    def ticks_to_price(self, ticks: int) -> Decimal:
        return self.tick_size * ticks

    def half_ticks_to_price(self, half_ticks: int) -> Decimal:
        return self.tick_size * half_ticks / 2

    def lots_to_quantity(self, lots: int) -> Decimal:
        return self.lot_size * lots

    def round_down_to_lot(self, quantity: Decimal) -> Decimal:
        return (quantity / self.lot_size).to_integral_value(ROUND_DOWN) * self.lot_size

    def notional(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Exact value in the instrument's currency."""
        return quantity * price * self.multiplier
