"""The limits every child order passes before it leaves, and their refusals in words."""

from collections import deque
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from bestex.domain.instruments import Instrument
from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import ChildOrder, OrderType, Side
from bestex.domain.time import NS_PER_MILLISECOND, NS_PER_SECOND
from bestex.services.algorithm.config import GuardConfig

_BPS = Decimal(10_000)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the guards must know of the parent order at this moment. Quantities in units."""

    now_ns: int
    market: MarketSnapshot
    price_min: Decimal | None
    price_max: Decimal | None
    child_quantity_max: Decimal | None
    plan_rate: float  # the rate of the present plan: its target or its cap
    plan_sent: Decimal  # of the present plan: filled since it was made, and live
    plan_others_volume: Decimal  # since it began
    unallocated: Decimal
    sent: Decimal  # filled and live
    others_volume: Decimal  # traded by everyone else since the parent began
    live_children: int
    killed: str | None


class Guards:
    """The gate of one parent order. It remembers only when messages left."""

    def __init__(self, config: GuardConfig) -> None:
        self._config = config
        self._sent_ns: deque[int] = deque()

    def refusal(self, child: ChildOrder, instrument: Instrument, standing: Standing) -> str | None:
        """Why the child may not leave, in words; None if it may."""
        config, quantity = self._config, child.quantity
        if standing.killed is not None:
            return standing.killed
        if quantity <= 0 or quantity % instrument.lot_size:
            return f"child quantity {quantity} is not a whole number of lots of {instrument.lot_size}"
        if quantity > standing.unallocated:
            return f"child quantity {quantity} is more than the {standing.unallocated} that is free"
        if (reason := self.stale(standing.market, standing.now_ns)) is not None:
            return reason
        if standing.child_quantity_max is not None and quantity > standing.child_quantity_max:
            return f"child quantity {quantity} is above the order's largest child {standing.child_quantity_max}"
        for rate, sent, others in (
            (config.participation_rate_max, standing.sent, standing.others_volume),
            (standing.plan_rate, standing.plan_sent, standing.plan_others_volume),
        ):
            if rate < 1 and sent + quantity > _allowed(rate, others, instrument.lot_size):
                return f"{sent + quantity} sent against {others} of others would pass the participation limit {rate}"
        reference = self._reference_price(child, standing.market)
        if reference is None:
            return "no quote to check the price against"
        notional = instrument.notional(quantity, child.price or reference)
        if notional > config.child_notional_max:
            return f"child notional {notional} is above the limit {config.child_notional_max}"
        if (reason := self._price_refusal(child, instrument, standing)) is not None:
            return reason
        if standing.live_children >= config.live_children_max:
            return f"{standing.live_children} live child orders are the most allowed"
        while self._sent_ns and self._sent_ns[0] <= standing.now_ns - NS_PER_SECOND:
            self._sent_ns.popleft()
        if len(self._sent_ns) >= config.messages_per_second_max:
            return f"{len(self._sent_ns)} child orders within a second are the most allowed"
        return None

    def note_sent(self, now_ns: int) -> None:
        self._sent_ns.append(now_ns)

    def stale(self, market: MarketSnapshot, now_ns: int) -> str | None:
        """Why the quote is too old to act on; None if it is not."""
        age_ms = (now_ns - market.time_ns) // NS_PER_MILLISECOND
        if age_ms > self._config.quote_age_ms_max:
            return f"quote is {age_ms} ms old; {self._config.quote_age_ms_max} ms is the most allowed"
        return None

    def worst_price(
        self, side: Side, instrument: Instrument, market: MarketSnapshot, limit: Decimal | None
    ) -> Decimal | None:
        """The worst price a child that crosses may carry: the collar around the far touch, or the parent's limit.

        On the tick grid, rounded to the stricter side; None where nobody stands on the far side.
        """
        far = market.ask if side is Side.BUY else market.bid
        if far is None:
            return None
        collar = far * (1 + side.sign * self._config.collar_bps / _BPS)
        rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
        collar = (collar / instrument.tick_size).to_integral_value(rounding) * instrument.tick_size
        if limit is None:
            return collar
        return min(collar, limit) if side is Side.BUY else max(collar, limit)

    def state(self) -> tuple[int, ...]:
        return tuple(self._sent_ns)

    def _reference_price(self, child: ChildOrder, market: MarketSnapshot) -> Decimal | None:
        far, near = (market.ask, market.bid) if child.side is Side.BUY else (market.bid, market.ask)
        return far if far is not None else near

    def _price_refusal(self, child: ChildOrder, instrument: Instrument, standing: Standing) -> str | None:
        low, high = standing.price_min, standing.price_max
        if child.order_type is OrderType.MIDPOINT_PEG:
            # A peg floats: no price can hold it inside the client's limits.
            return None if low is None and high is None else "a midpoint peg cannot keep the parent's price limit"
        if child.order_type is not OrderType.LIMIT or child.price is None:
            return f"a {child.order_type} child has no price to hold it; only LIMIT and MIDPOINT_PEG leave"
        if child.price <= 0 or child.price % instrument.tick_size:
            return f"child price {child.price} is not on the {instrument.tick_size} tick grid"
        if (high is not None and child.price > high) or (low is not None and child.price < low):
            return f"child price {child.price} is outside the parent's limits {low} to {high}"
        reference = self._reference_price(child, standing.market)
        assert reference is not None, "checked before"
        beyond = child.side.sign * (child.price - reference)
        if beyond * _BPS > reference * self._config.collar_bps:
            return f"child price {child.price} is more than {self._config.collar_bps} bps beyond the quote {reference}"
        return None


def _allowed(rate: float, others: Decimal, lot: Decimal) -> Decimal:
    """ours <= rate / (1 - rate) x others, with one lot for rounding."""
    share = Decimal(str(rate))
    return share / (1 - share) * others + lot
