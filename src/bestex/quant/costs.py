"""Implementation shortfall in exact decimals: what an order cost, and the parts that add up to it.

Source: Perold (1988) for the total; Kissell and Glantz (2003), expanded implementation shortfall, for the parts;
spec/metrics.md numbers 20-28. Every amount is currency, positive is worse for us.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Clamped, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, localcontext

ZERO = Decimal(0)
# Sums and products of prices and quantities are finite decimals: the trap proves that none of them was rounded.
_EXACT = Context(prec=120, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, Clamped])


@dataclass(frozen=True, kw_only=True)
class PricedFill:
    """A fill with the mid-quote that stood when it happened."""

    quantity: Decimal
    price: Decimal
    fee: Decimal  # currency; negative = rebate
    mid: Decimal | None  # None where a side of the book was empty


@dataclass(frozen=True, kw_only=True)
class TradingCost:
    """What trading cost against the arrival price: total = spread + market_impact + timing."""

    spread: Decimal  # half-spread paid against the mid at each fill; negative = captured
    market_impact: Decimal  # as the pre-trade model has it, given
    timing: Decimal  # the rest of the mid's move between arrival and the fills
    total: Decimal
    quantity_without_mid: Decimal  # filled without a quote: its half-spread is inside timing


@dataclass(frozen=True, kw_only=True)
class Shortfall:
    """total = delay + trading + opportunity + commission + fees, to the last digit (numbers 20, 21, 23, 24, 25).

    The order basis counts the delay on all that was ordered, and the opportunity from arrival instead of decision:
    total = delay_order_basis + trading + opportunity_order_basis + commission + fees (numbers 22, 24).
    """

    delay: Decimal
    delay_order_basis: Decimal
    trading: TradingCost
    opportunity: Decimal
    opportunity_order_basis: Decimal
    commission: Decimal
    fees: Decimal
    total: Decimal
    notional: Decimal  # ordered quantity x decision price, what bps are of

    def bps(self, amount: Decimal) -> float:
        """An amount in bps of the paper portfolio, ordered quantity x decision price."""
        return bps_of(amount, self.notional)


def trading_cost(
    *,
    side_sign: int,
    fills: Sequence[PricedFill],
    arrival_price: Decimal,
    market_impact: Decimal,
    multiplier: Decimal = Decimal(1),
) -> TradingCost:
    """Cost of the fills against the arrival price (number 23), split.

    Args:
        side_sign: +1 for a buy, -1 for a sell.
        market_impact: the model's impact on what was filled, currency; 0 when there is no model.
        multiplier: currency per price point and unit.
    """
    with localcontext(_EXACT):
        scale = side_sign * multiplier
        # Nothing times -1 is a negative zero: plus zero it is a plain one.
        moved = sum(((fill.price - arrival_price) * fill.quantity for fill in fills), ZERO)
        crossed = sum(((fill.price - fill.mid) * fill.quantity for fill in fills if fill.mid is not None), ZERO)
        total, spread = scale * moved + ZERO, scale * crossed + ZERO
        return TradingCost(
            spread=spread,
            market_impact=market_impact,
            timing=total - spread - market_impact,
            total=total,
            quantity_without_mid=sum((fill.quantity for fill in fills if fill.mid is None), ZERO),
        )


def shortfall(
    *,
    side_sign: int,
    ordered: Decimal,
    fills: Sequence[PricedFill],
    decision_price: Decimal,
    arrival_price: Decimal,
    end_price: Decimal | None,
    market_impact: Decimal = ZERO,
    commission: Decimal = ZERO,
    multiplier: Decimal = Decimal(1),
) -> Shortfall:
    """The whole cost of an order against the paper portfolio that traded at the decision price (number 20).

    Args:
        side_sign: +1 for a buy, -1 for a sell.
        ordered: what the client wanted; more than it may be filled (an overfill has a negative opportunity quantity).
        end_price: mid when the order ended; may be None only if nothing was left unfilled.
        market_impact: the model's impact on what was filled, currency.
        commission: currency, beside the fills' fees.
        multiplier: currency per price point and unit.

    Raises:
        ValueError: if something was left unfilled and there is no end price.
    """
    trading = trading_cost(
        side_sign=side_sign,
        fills=fills,
        arrival_price=arrival_price,
        market_impact=market_impact,
        multiplier=multiplier,
    )
    with localcontext(_EXACT):
        scale = side_sign * multiplier
        filled = sum((fill.quantity for fill in fills), ZERO)
        unfilled = ordered - filled
        if end_price is None:
            if unfilled:
                raise ValueError(f"{unfilled} was left unfilled: its opportunity cost needs the price at the end")
            end_price = decision_price  # times 0
        fees = sum((fill.fee for fill in fills), ZERO)
        paid = sum((fill.price * fill.quantity for fill in fills), ZERO)
        # Perold's total, from its own definition and not from the parts, so that the check below can fail.
        total = scale * (paid - filled * decision_price + unfilled * (end_price - decision_price)) + fees + commission
        result = Shortfall(
            delay=scale * filled * (arrival_price - decision_price) + ZERO,
            delay_order_basis=scale * ordered * (arrival_price - decision_price) + ZERO,
            trading=trading,
            opportunity=scale * unfilled * (end_price - decision_price) + ZERO,
            opportunity_order_basis=scale * unfilled * (end_price - arrival_price) + ZERO,
            commission=commission,
            fees=fees,
            total=total + ZERO,
            notional=ordered * decision_price * multiplier,
        )
        _check(result)
        return result


def bps_of(amount: Decimal, notional: Decimal) -> float:
    """`amount` in bps of `notional`.

    Raises:
        ValueError: if notional is not positive.
    """
    if notional <= 0:
        raise ValueError(f"notional {notional} is not positive")
    return float(amount / notional * 10_000)


def _check(cost: Shortfall) -> None:
    trading = cost.trading
    explicit = cost.commission + cost.fees
    assert trading.total == trading.spread + trading.market_impact + trading.timing, "trading cost does not close"
    assert cost.total == cost.delay + trading.total + cost.opportunity + explicit, "executed basis does not close"
    assert cost.total == cost.delay_order_basis + trading.total + cost.opportunity_order_basis + explicit, (
        "order basis does not close"
    )
