"""The risk controls of a selection while its order is worked: what it may cost, what it may be worth, what stops it.

Slippage and value are those of what was filled under the controls: since the arrival for the first selection, since an
adaptation for its own. See docs/decisions/0046-risk-controls.md.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from bestex.domain.errors import InvalidOrder
from bestex.domain.instruments import Instrument
from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import Side
from bestex.messages.execution import ControlBreach
from bestex.messages.strategy import RiskControls
from bestex.quant.benchmarks import slippage_bps

STALE_QUOTE, CROSSED_QUOTE = "STALE_QUOTE", "CROSSED_QUOTE"
CONDITIONS = (STALE_QUOTE, CROSSED_QUOTE)
SLIPPAGE, VALUE = "max_slippage_bps", "max_order_value"
_BPS = Decimal(10_000)


@dataclass(frozen=True, kw_only=True)
class SelectedControls:
    """What one selection promised beyond its rate, price limit and child size, which its instruction carries."""

    selection_id: str
    is_adaptation: bool
    slippage_bps_max: float
    value_max: Decimal  # instrument's currency, of the quantity it was made for
    quantity: Decimal
    pause_on: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Account:
    """What one parent order has filled and has on its way, in units and their notional without the multiplier."""

    filled: Decimal
    notional: Decimal
    live: Decimal
    ordered: Decimal


@dataclass(frozen=True, kw_only=True)
class Controls:
    """Selected controls in force, with what a person has allowed beyond them by resuming."""

    selected: SelectedControls
    benchmark: Decimal | None  # mid at the arrival, or when the adaptation came; None = slippage is not measurable
    filled_before: Decimal
    notional_before: Decimal
    slippage_bps_allowed: float
    value_allowed: Decimal

    @classmethod
    def begin(cls, selected: SelectedControls, *, benchmark: Decimal | None, account: Account) -> "Controls":
        return cls(
            selected=selected,
            benchmark=benchmark,
            filled_before=account.filled,
            notional_before=account.notional,
            slippage_bps_allowed=selected.slippage_bps_max,
            value_allowed=selected.value_max,
        )

    def breach(
        self, side: Side, instrument: Instrument, account: Account, *, quantity: Decimal, price: Decimal | None
    ) -> ControlBreach | None:
        """Which limit is passed once `quantity` more is filled at `price`; None = none. 0 and None: as things stand."""
        slippage = self.slippage_bps(side, account, quantity=quantity, price=price)
        if slippage is not None and slippage > self.slippage_bps_allowed:
            return ControlBreach(control=SLIPPAGE, value=slippage, limit=self.slippage_bps_allowed)
        notional = account.notional - self.notional_before
        if price is not None:
            notional += (account.live + quantity) * price
        value, allowed = notional * instrument.multiplier, self._value_allowed(account)
        if value > allowed:
            return ControlBreach(control=VALUE, value=float(value), limit=float(allowed))
        return None

    def slippage_bps(
        self, side: Side, account: Account, *, quantity: Decimal = Decimal(0), price: Decimal | None = None
    ) -> float | None:
        """Average price of what was filled under the controls, and of `quantity` more at `price`, against the
        benchmark; positive is worse. None before anything is filled, or without a benchmark."""
        filled, notional = account.filled - self.filled_before, account.notional - self.notional_before
        if price is not None:
            filled, notional = filled + quantity, notional + quantity * price
        if self.benchmark is None or filled <= 0:
            return None
        return slippage_bps(side_sign=side.sign, price=notional / filled, benchmark=self.benchmark)

    def extended(self, breach: ControlBreach) -> "Controls":
        """A person goes on in spite of the breach: what broke may grow by the same limit again."""
        if breach.control == VALUE:
            return replace(self, value_allowed=Decimal(repr(breach.value)) + self.selected.value_max)
        # The value limit was made from the slippage limit: it grows with it, or it would stop the order for the same.
        dearer = 1 + Decimal(repr(max(breach.value, 0.0))) / _BPS
        return replace(
            self,
            slippage_bps_allowed=breach.value + self.selected.slippage_bps_max,
            value_allowed=max(self.value_allowed, self.selected.value_max * dearer),
        )

    def _value_allowed(self, account: Account) -> Decimal:
        """The client may have ordered more since: more is worth more."""
        grown = max(Decimal(1), (account.ordered - self.filled_before) / self.selected.quantity)
        return self.value_allowed * grown


def selected_controls(
    selection_id: str, adaptation: int, controls: RiskControls, *, quantity: Decimal
) -> SelectedControls:
    """Controls as a selection gives them, for `quantity` still to be filled.

    Raises:
        InvalidOrder: for a condition that nobody here can tell.
    """
    unknown = sorted(set(controls.pause_on) - set(CONDITIONS))
    if unknown:
        raise InvalidOrder(
            f"pause_on {', '.join(unknown)} cannot be told from the market's data",
            field="pause_on",
            value=", ".join(unknown),
            expected="among " + ", ".join(CONDITIONS),
        )
    return SelectedControls(
        selection_id=selection_id,
        is_adaptation=adaptation > 0,
        slippage_bps_max=controls.max_slippage_bps,
        value_max=controls.max_order_value,
        quantity=quantity,
        pause_on=frozenset(controls.pause_on),
    )


def condition(pause_on: frozenset[str], market: MarketSnapshot, stale: str | None) -> str | None:
    """The condition that holds the order back now, in words; None = none. `stale` says why the quote is too old."""
    if STALE_QUOTE in pause_on and stale is not None:
        return f"held on {STALE_QUOTE}: {stale}"
    if CROSSED_QUOTE in pause_on and market.bid is not None and market.ask is not None and market.bid > market.ask:
        return f"held on {CROSSED_QUOTE}: bid {market.bid} is above ask {market.ask}"
    return None


def words(breach: ControlBreach, controls: Controls) -> str:
    """Why the order pauses, with the figure, and what resuming means."""
    if breach.control == SLIPPAGE:
        until = breach.value + controls.selected.slippage_bps_max
        return (
            f"paused: slippage {breach.value:.1f} bps is beyond {SLIPPAGE} {breach.limit:.1f}; "
            f"resumed, it goes on up to {until:.1f} bps"
        )
    return (
        f"paused: value {breach.value:,.2f} is beyond {VALUE} {breach.limit:,.2f}; "
        f"resumed, it goes on up to {breach.value + float(controls.selected.value_max):,.2f}"
    )
