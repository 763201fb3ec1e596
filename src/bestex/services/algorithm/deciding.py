"""Between a parent order and the native decision step: quantities as lots, prices as ticks, and back."""

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import ChildState, Side
from bestex.messages.quote_watch import Quoted, QuoteWatch
from bestex.native.decision import (
    AlgorithmCode,
    BestPrice,
    DecisionEngine,
    IntentKind,
    SideCode,
    StyleCode,
    Wake,
    price_watch,
)
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.instruction import Instruction
from bestex.services.algorithm.parent import Parent


class Intent(NamedTuple):
    """One thing the step wants done. `price` is None where the market decides it."""

    kind: IntentKind
    lots: int
    price: Decimal | None


class Decision(NamedTuple):
    """What the step answered. Volumes are others', in lots since the engine began."""

    intents: tuple[Intent, ...]
    wake_at_ns: int | None
    wake_at_volume: int | None
    others: int
    target: Decimal  # of the plan, filled and live, in units
    touch: QuoteWatch | None  # best prices whose change wakes
    price: QuoteWatch | None  # a price to be reached


def decision_engine(parent: Parent, instruction: Instruction, config: AlgorithmConfig) -> DecisionEngine:
    """The native step's engine for the present plan."""
    assert parent.table is not None
    instrument, side = parent.instrument, parent.order.side
    limit = instruction.limit(side)
    return DecisionEngine(
        algorithm=AlgorithmCode[instruction.algorithm],
        style=StyleCode[instruction.style],
        side=SideCode[side],
        quantity=max(1, int(parent.planned_quantity / instrument.lot_size)),
        start=int(parent.table.edges_ns[0]),
        end=int(parent.table.edges_ns[-1]),
        slices=parent.table.slices,
        curve=parent.table.curve,
        limit=None if limit is None else _ticks(limit, parent, ROUND_FLOOR if side is Side.BUY else ROUND_CEILING),
        participation_rate=instruction.participation_rate,
        child_quantity_max=_child_lots_max(parent, instruction, config),
        follows_price=instruction.follows_price,
    )


def _child_lots_max(parent: Parent, instruction: Instruction, config: AlgorithmConfig) -> int:
    """The largest child that the request and the notional guard allow, at least one lot."""
    instrument = parent.instrument
    prices = [price for price in (parent.market.ask, parent.market.bid, parent.market.last_price) if price]
    sizes = [parent.ledger.ordered]
    if instruction.child_quantity_max is not None:
        sizes.append(instruction.child_quantity_max)
    if prices:
        guards = config.guards
        # Room for the collar, and for the market to rise while the plan stands.
        worst = max(prices) * (1 + 2 * guards.collar_bps / 10_000)
        sizes.append(guards.child_notional_max / (worst * instrument.multiplier))
    return max(1, int(min(sizes) / instrument.lot_size))


def decide(parent: Parent, engine: DecisionEngine, wake: Wake, now_ns: int) -> Decision:
    """Ask the native step what to do now, in lots and ticks of the market as last seen."""
    ledger, market, lot = parent.ledger, uncrossed(parent.market), parent.instrument.lot_size
    cancel_pending = any(child.state is ChildState.CANCEL_PENDING for child in ledger.live_children())
    others = int(parent.others_since(parent.mark) / lot)
    intents, wake_at_ns, wake_at_volume, target = engine.decide(
        _lots_up(ledger.filled - parent.filled_before, lot),
        _lots_up(ledger.live, lot),
        cancel_pending,
        now_ns,
        None if market.bid is None else _ticks(market.bid, parent, ROUND_FLOOR),
        None if market.ask is None else _ticks(market.ask, parent, ROUND_CEILING),
        int(market.bid_quantity / lot),
        int(market.ask_quantity / lot),
        others,
        wake,
    )
    asked, side = price_watch(engine), parent.order.side
    changes = tuple(_quoted(price, side) for price in BestPrice if asked.changes >> price & 1)
    level = asked.level_half_ticks
    return Decision(
        intents=tuple(
            Intent(IntentKind(kind), sent, None if ticks is None else parent.instrument.ticks_to_price(ticks))
            for kind, sent, ticks in intents
        ),
        wake_at_ns=wake_at_ns,
        wake_at_volume=wake_at_volume,
        others=others,
        target=parent.instrument.lots_to_quantity(target),
        touch=_watch(parent, changes) if changes else None,
        price=None
        if level is None
        else replace(
            _watch(parent, (_quoted(asked.level_of, side),)),
            level=parent.instrument.half_ticks_to_price(level),
            from_below=asked.from_below,
        ),
    )


def _watch(parent: Parent, of: tuple[Quoted, ...]) -> QuoteWatch:
    return QuoteWatch(of=of, seen_bid=parent.market.bid, seen_ask=parent.market.ask)


def _quoted(price: BestPrice, side: Side) -> Quoted:
    if price is BestPrice.MID:
        return Quoted.MID
    return Quoted.BID if (price is BestPrice.NEAR) is (side is Side.BUY) else Quoted.ASK


def uncrossed(market: MarketSnapshot) -> MarketSnapshot:
    """A crossed quote is not a market to price against: both sides are taken as empty."""
    if market.bid is None or market.ask is None or market.bid <= market.ask:
        return market
    return MarketSnapshot(
        instrument_id=market.instrument_id,
        time_ns=market.time_ns,
        bid=None,
        ask=None,
        bid_quantity=Decimal(0),
        ask_quantity=Decimal(0),
        last_price=market.last_price,
        cumulative_volume=market.cumulative_volume,
        cumulative_notional=market.cumulative_notional,
        mid_time_integral=market.mid_time_integral,
        mid_seconds=market.mid_seconds,
    )


def _ticks(price: Decimal, parent: Parent, rounding: str) -> int:
    return int((price / parent.instrument.tick_size).to_integral_value(rounding))


def _lots_up(quantity: Decimal, lot: Decimal) -> int:
    return int((quantity / lot).to_integral_value(ROUND_CEILING))
