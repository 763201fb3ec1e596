"""The plan of a parent order: slices in lots, their child orders, when it should be done, what it should cost."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bestex.domain.ids import ParentOrderId, child_order_id
from bestex.domain.instruments import Instrument
from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import Algorithm, ExecutionStyle, OrderType, Side, TimeInForce
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.execution import ExecutionPlan, ExecutionSlice, PlannedChild
from bestex.ports import ReferenceData
from bestex.quant.pretrade import Candidate, MarketEstimates, expected_outcome
from bestex.quant.schedules import cumulative_targets
from bestex.quant.volume_curves import VolumeCurve as SessionCurve
from bestex.services.algorithm.instruction import Instruction
from bestex.services.algorithm.routing import Router
from bestex.services.algorithm.timetable import Timetable

_CURVE_POINTS = 33


def plan(
    instruction: Instruction,
    table: Timetable,
    *,
    order_id: str,
    instrument: Instrument,
    side: Side,
    quantity: Decimal,
    market: MarketSnapshot,
    reference: ReferenceData,
    first_slice: int = 0,
) -> ExecutionPlan:
    """The plan for `quantity` over a timetable. `first_slice` is the number of its first slice, for revisions.

    Child orders are planned at one venue each; where and at what price they really go is decided when they leave.
    """
    targets = _targets(instruction, table, instrument, quantity)
    sizes = np.diff(targets, prepend=0)
    venue = Router(instruction, reference.venues(instrument.instrument_id)).planned_venue(side, market)
    takes = instruction.style is ExecutionStyle.AGGRESSIVE
    slices = tuple(
        ExecutionSlice(
            slice_id=first_slice + k,
            start_time_ns=int(table.edges_ns[k]),
            end_time_ns=int(table.edges_ns[k + 1]),
            target_quantity=instrument.lots_to_quantity(int(sizes[k])),
        )
        for k in range(table.slices)
    )
    children = tuple(
        PlannedChild(
            child_order_id=child_order_id(ParentOrderId(order_id), part.slice_id, 0),
            parent_order_id=order_id,
            quantity=part.target_quantity,
            venue=venue,
            timing_ns=part.start_time_ns,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.IOC if takes else TimeInForce.DAY,
        )
        for part in slices
        if part.target_quantity > 0
    )
    last = int(np.argmax(targets == targets[-1]))
    expected = plan_estimate(instruction, table, instrument, side, quantity, market, reference)
    return ExecutionPlan(
        order_id=order_id,
        algorithm_used=instruction.algorithm,
        child_orders=children,
        execution_schedule=slices,
        expected_completion_ns=int(table.edges_ns[last + 1]),
        estimated_cost=expected.cost,
        estimated_impact=expected.impact,
        cost_sd=expected.cost_sd,
    )


def _targets(
    instruction: Instruction, table: Timetable, instrument: Instrument, quantity: Decimal
) -> NDArray[np.int64]:
    """Cumulative lots by slice. What PARTICIPATION_RATE may expect to do is bounded by the volume it expects."""
    lots = int(instrument.round_down_to_lot(quantity) / instrument.lot_size)
    daily = instrument.average_daily_volume
    if instruction.algorithm is not Algorithm.PARTICIPATION_RATE or daily is None:
        return cumulative_targets(table.curve, lots)
    rate = instruction.participation_rate
    others = float(daily / instrument.lot_size) * table.volume_share * table.curve
    return np.minimum(np.floor(rate / (1 - rate) * others + 0.5).astype(np.int64), lots)


@dataclass(frozen=True, kw_only=True)
class PlanEstimate:
    """What a plan is expected to cost, as fractions of notional; positive is worse.

    `impact` and `cost_sd` are None where the pre-trade model has too little to work with.
    """

    cost: float
    impact: float | None = None
    cost_sd: float | None = None


def plan_estimate(
    instruction: Instruction,
    table: Timetable,
    instrument: Instrument,
    side: Side,
    quantity: Decimal,
    market: MarketSnapshot,
    reference: ReferenceData,
) -> PlanEstimate:
    """Expected cost, impact and risk from the desk's one pre-trade model (`bestex.quant.pretrade`).

    Half the spread alone where the instrument has no history of volume and volatility; 0 where there is no quote
    either.
    """
    mid, spread = market.mid, market.spread
    if mid is None or spread is None:
        return PlanEstimate(cost=0.0)
    half_spread = float(max(Decimal(0), spread) / 2 / mid)
    daily, volatility = instrument.average_daily_volume, instrument.daily_volatility
    start, end = int(table.edges_ns[0]), int(table.edges_ns[-1])
    session = reference.session(instrument.instrument_id, start)
    if daily is None or volatility is None or session is None or table.volume_share <= 0:
        return PlanEstimate(cost=half_spread)
    opens, closes = session
    maker, taker, dark = _fees(reference, instrument, mid)
    limit = instruction.limit(side)
    estimates = MarketEstimates(
        price=float(mid),
        spread=float(max(Decimal(0), spread)),
        tick_size=float(instrument.tick_size),
        touch_quantity=float(market.bid_quantity if side is Side.BUY else market.ask_quantity),
        daily_volume=float(daily),
        daily_volatility=volatility,
        volume_curve=_session_curve(reference, instrument, opens, closes),
        session_minutes=(closes - opens) / NS_PER_MINUTE,
        session_fraction=(start - opens) / (closes - opens),
        taker_fee=taker,
        maker_fee=maker,
        dark_fee=dark,
    )
    candidate = Candidate(
        algorithm=instruction.algorithm,
        style=instruction.style,
        window_minutes=(end - start) / NS_PER_MINUTE,
        slices=table.slices,
        kappa_t=instruction.kappa_t,
        participation_rate=instruction.participation_rate,
        dark_ratio=instruction.dark_ratio,
        limit_distance=None if limit is None else float((limit - mid) / mid) * side.sign,
    )
    outcome = expected_outcome(candidate, float(quantity), estimates)
    return PlanEstimate(cost=outcome.expected_cost, impact=outcome.market_impact, cost_sd=outcome.cost_sd)


def _fees(reference: ReferenceData, instrument: Instrument, mid: Decimal) -> tuple[float, float, float]:
    """Mean maker and taker fee of the lit venues and mean fee of the dark ones, as fractions of notional."""
    notional = instrument.notional(Decimal(1), mid)
    venues = reference.venues(instrument.instrument_id)

    def mean(fees: list[Decimal]) -> float:
        return float(sum(fees, Decimal(0)) / len(fees) / notional) if fees else 0.0

    return (
        mean([venue.maker_fee for venue in venues if not venue.is_dark]),
        mean([venue.taker_fee for venue in venues if not venue.is_dark]),
        mean([venue.taker_fee for venue in venues if venue.is_dark]),
    )


def _session_curve(reference: ReferenceData, instrument: Instrument, opens: int, closes: int) -> SessionCurve:
    """The port's curve as points over the session; even where the port expects nothing at all."""
    curve = reference.volume_curve(instrument.instrument_id, opens)
    edges = np.linspace(0.0, 1.0, _CURVE_POINTS)
    times = [opens + round((closes - opens) * edge) for edge in edges]
    shares = [curve.share(low, high) for low, high in pairwise(times)]
    total = sum(shares)
    cumulative = np.concatenate(([0.0], np.cumsum(shares) / total)) if total > 0 else edges
    cumulative[-1] = 1.0
    return SessionCurve(
        fractions=edges, cumulative=np.maximum.accumulate(np.minimum(cumulative, 1.0)), source=curve.name
    )
