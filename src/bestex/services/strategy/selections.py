"""Proposals and the orders that commit them: which stored proposal an order may take, and its rows."""

from dataclasses import dataclass, replace
from decimal import Decimal

import msgspec

from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import ParentOrder, ParentState
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.monitoring import ExecutionMeasured
from bestex.messages.orders import OrderAmended
from bestex.messages.records import StrategySelectionRow
from bestex.messages.strategy import Recommendation, TimeAllocation, TimeSlice
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.profile import OrderProfile
from bestex.services.strategy.recommendation import Choice

_WINDOW_KEPT = 0.9  # a proposal whose window would shrink by more is made anew


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A recommendation that nobody has committed yet."""

    choice: Choice
    created_ns: int


@dataclass(frozen=True, kw_only=True)
class WorkedOrder:
    """All the strategy service knows of one parent order. `profile` is None while nothing has been selected for it."""

    order: ParentOrder
    arrival: MarketSnapshot
    filled_quantity: Decimal = Decimal(0)
    state: ParentState = ParentState.PENDING
    profile: OrderProfile | None = None
    selections: tuple[StrategySelectionRow, ...] = ()  # committed ones, the first first
    recommendations: tuple[Recommendation, ...] = ()  # what they committed
    adaptations: int = 0
    measured: ExecutionMeasured | None = None
    is_scored: bool = False


def mismatch(proposal: Proposal, wanted: OrderProfile, now_ns: int, config: StrategyConfig) -> str | None:
    """Why an order may not take a stored proposal as it stands; None if it may.

    An order may be looser than the proposal (what the client demanded then still holds) but not tighter.
    """
    made, plan = proposal.choice.profile, proposal.choice.recommendation.recommended_strategy
    wants = wanted.constraints
    for what, was, now in (
        ("instrument", made.instrument.instrument_id, wanted.instrument.instrument_id),
        ("side", made.side, wanted.side),
        ("quantity", made.quantity, wanted.quantity),
        ("price limit", made.constraints.price_limit, wants.price_limit),
    ):
        if was != now:
            return f"it was made for {what} {was}, the order has {now}"
    if now_ns - proposal.created_ns > config.proposal_age_minutes_max * NS_PER_MINUTE:
        return f"it is older than {config.proposal_age_minutes_max} minutes"
    rate = plan.risk_controls.max_participation_rate
    if wants.max_participation_rate is not None and rate > wants.max_participation_rate:
        return f"it may trade {rate:.1%} of volume, the order at most {wants.max_participation_rate:.1%}"
    if wanted.algorithm is not None and plan.algorithm != wanted.algorithm:
        return f"it works {plan.algorithm}, the order asks for {wanted.algorithm}"
    style = plan.parameters["execution_style"]
    if wanted.execution_style is not None and style != wanted.execution_style:
        return f"it is {style}, the order asks for {wanted.execution_style}"
    if barred := set(wants.venue_restrictions) & set(plan.venue_allocation):
        return f"it uses {', '.join(sorted(barred))}, which the order bars"
    if wants.dark_pool_preference is False and plan.parameters["dark_pool_ratio"] > 0:
        return "it uses dark pools, which the order bars"
    times = plan.time_allocation
    start_ns, end_ns = _fitted(times, wanted)
    if end_ns - start_ns < _WINDOW_KEPT * (times.end_time_ns - times.start_time_ns):
        return "its window no longer fits between now and the order's end"
    return None


def committed(choice: Choice, wanted: OrderProfile) -> Choice:
    """The proposal as the order commits it: the same strategy, its schedule moved to start when the order does.

    What the client demanded when the proposal was made still holds.
    """
    answer = choice.recommendation
    times = answer.recommended_strategy.time_allocation
    moved = moved_to(times, *_fitted(times, wanted))
    strategy = msgspec.structs.replace(answer.recommended_strategy, time_allocation=moved)
    recommendation = msgspec.structs.replace(
        answer, order_id=wanted.order_id, recommended_strategy=strategy, status="COMMITTED"
    )
    end_ns = min(choice.profile.end_ns, wanted.end_ns) if choice.profile.end_is_fixed else wanted.end_ns
    profile = replace(
        choice.profile,
        order_id=wanted.order_id,
        start_ns=wanted.start_ns,
        end_ns=max(end_ns, moved.end_time_ns),
        end_is_fixed=choice.profile.end_is_fixed or wanted.end_is_fixed,
    )
    return Choice(recommendation=recommendation, profile=profile)


def moved_to(times: TimeAllocation, start_ns: int, end_ns: int) -> TimeAllocation:
    """The same slices, moved and stretched evenly into [start, end); their fractions stay."""
    old_start, old_length = times.start_time_ns, times.end_time_ns - times.start_time_ns
    if (start_ns, end_ns) == (times.start_time_ns, times.end_time_ns):
        return times

    def at(time_ns: int) -> int:
        return start_ns + (time_ns - old_start) * (end_ns - start_ns) // old_length

    return TimeAllocation(
        start_time_ns=start_ns,
        end_time_ns=end_ns,
        slices=tuple(
            TimeSlice(start_time_ns=at(item.start_time_ns), end_time_ns=at(item.end_time_ns), fraction=item.fraction)
            for item in times.slices
        ),
    )


def _fitted(times: TimeAllocation, wanted: OrderProfile) -> tuple[int, int]:
    start_ns = max(times.start_time_ns, wanted.start_ns)
    return start_ns, min(start_ns + times.end_time_ns - times.start_time_ns, wanted.end_ns)


def selection_row(choice: Choice, *, adaptation: int, reason: str | None, created_ns: int) -> StrategySelectionRow:
    """The row of a proposal or a committed selection."""
    answer, profile = choice.recommendation, choice.profile
    return StrategySelectionRow(
        id=answer.selection_id,
        order_id=answer.order_id,
        instrument_id=profile.instrument.instrument_id,
        side=profile.side,
        quantity=profile.quantity,
        status=answer.status,
        adaptation=adaptation,
        strategy_name=answer.recommended_strategy.strategy_name,
        algorithm=answer.recommended_strategy.algorithm,
        selection_rationale=answer.strategy_rationale,
        recommendation=answer,
        market_conditions=answer.market_context,
        expected_outcomes=answer.expected_outcomes,
        actual_outcomes=None,
        performance_score=None,
        reason=reason,
        created_at_ns=created_ns,
    )


def amended(order: ParentOrder, change: OrderAmended) -> ParentOrder:
    """The order as the client wants it now."""
    given = order.instructions
    rate = change.max_participation_rate
    return replace(
        order,
        quantity=order.quantity if change.quantity is None else change.quantity,
        price=order.price if change.price is None else change.price,
        instructions=replace(
            given,
            end_time_ns=given.end_time_ns if change.end_time_ns is None else change.end_time_ns,
            max_participation_rate=given.max_participation_rate if rate is None else rate,
            urgency=given.urgency if change.urgency is None else change.urgency,
        ),
    )
