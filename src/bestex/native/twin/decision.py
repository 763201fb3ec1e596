"""The decision step in plain Python: the same rules, in the same order, as `native/src/decision.cpp`.

Read it to learn what an algorithm does; `tests/parity` holds the two to the same answers. Prices are ticks, quantities
lots, times UTC nanoseconds; None = no such price, no limit, no timer, no bound.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bestex.native.decision import AlgorithmCode, BestPrice, IntentKind, PriceWatch, SideCode, StyleCode, Wake

CATCH_UP: Final = 2.0  # a child that catches up may be this many times what the volume since the last one allows
ROUNDING_SLACK: Final = 1e-9  # keeps 0.1 * 9 / 0.9 a whole lot
CLOSING_PART: Final = 10  # the last tenth of the last slice is for crossing what is left

_PLACING: Final = frozenset({Wake.START, Wake.TIMER, Wake.VOLUME, Wake.RESUME, Wake.PRICE})
_FOLLOWING: Final = frozenset({StyleCode.PASSIVE, StyleCode.OPPORTUNISTIC})
_NO_WATCH: Final = PriceWatch(0, None, BestPrice.NEAR, False)


@dataclass(frozen=True, kw_only=True)
class Market:
    now: int
    bid: int | None
    ask: int | None
    others_volume: int = 0  # lots traded by everyone else since the parent started


@dataclass(frozen=True, kw_only=True)
class Position:
    filled: int
    live: int = 0  # everything sent and not finally answered
    cancel_pending: bool = False


@dataclass(frozen=True, kw_only=True)
class Parameters:
    algorithm: AlgorithmCode
    style: StyleCode
    side: SideCode
    quantity: int
    start: int
    end: int
    curve: Sequence[float]  # cumulative, one value per slice
    limit: int | None = None
    participation_rate: float = 1.0  # 1 = no cap
    child_quantity_max: int | None = None
    follows_price: bool = False  # between timers too: what rests follows the touch, a limit is watched

    @property
    def slices(self) -> int:
        return len(self.curve)


@dataclass(kw_only=True)
class State:
    slice: int = -1  # last slice begun
    crossing: int = 0  # cumulative quantity that may wait no longer: below it and unfilled, it crosses
    done: bool = False
    replacing: int = 0  # to be placed again once the pending cancel is answered
    posted: int | None = None  # least aggressive price posted since nothing was live
    volume_seen: int = 0  # others_volume when new quantity was last placed or held back by the market
    next_child_at: int | None = None  # when the rest of a quantity cut by child_quantity_max goes on


@dataclass(frozen=True)
class Intent:
    kind: IntentKind
    quantity: int = 0
    price: int | None = None


@dataclass(kw_only=True)
class Decision:
    intents: list[Intent] = field(default_factory=list)
    wake_at: int | None = None
    wake_at_volume: int | None = None
    target: int = 0
    price_watch: PriceWatch = _NO_WATCH


# --- the schedule ---


def slice_at(p: Parameters, now: int) -> int:
    return (now - p.start) * p.slices // (p.end - p.start)


def slice_start(p: Parameters, index: int) -> int:
    return p.start - (-(p.end - p.start) * index // p.slices)


def closing_time(p: Parameters) -> int:
    last = slice_start(p, p.slices - 1)
    return max(last, p.end - max(1, (p.end - last) // CLOSING_PART))


def curve_target(p: Parameters, index: int) -> int:
    """Cumulative lots by the end of a slice. The curve is rounded, never the children: no drift, the last is exact."""
    if index < 0:
        return 0
    if index >= p.slices - 1:
        return p.quantity
    return min(max(math.floor(p.quantity * p.curve[index] + 0.5), 0), p.quantity)


# --- participation: ours = rate * (ours + others), so ours = rate / (1 - rate) * others ---


def allowed_by(rate: float, others: int, factor: float = 1.0) -> float:
    """Lots we may have executed while others traded `others`; infinite at rate 1."""
    return math.inf if rate >= 1 else math.floor(factor * rate * others / (1 - rate) + ROUNDING_SLACK)


def volume_for(rate: float, ours: int, factor: float = 1.0) -> int:
    """The others' volume that allows `ours`."""
    return math.ceil(ours * (1 - rate) / (factor * rate) - ROUNDING_SLACK)


# --- prices ---


def more_aggressive(side: SideCode, price: int, other: int) -> bool:
    return price > other if side == SideCode.BUY else price < other


def within_limit(p: Parameters, price: int | None) -> bool:
    return price is not None and (p.limit is None or not more_aggressive(p.side, price, p.limit))


def decide(p: Parameters, state: State, position: Position, market: Market, wake: Wake) -> Decision:
    """One step; changes `state`. The promises are those of the header `native/include/bestex/decision.hpp`."""
    last_schedule, _ = _levels(p, p.slices - 1, market.others_volume)
    if state.done:
        return Decision(target=last_schedule)
    if market.now >= p.end or position.filled >= p.quantity:
        return _wind_up(state, position, last_schedule)
    if market.now < p.start:
        return Decision(wake_at=p.start)

    index = slice_at(p, market.now)
    schedule, target = _levels(p, index, market.others_volume)
    places = wake in _PLACING
    begins = places and index > state.slice
    closing = places and market.now >= closing_time(p)
    if begins:
        state.slice = index
    if position.live == 0:
        state.posted = None
    if places:
        state.crossing = max(state.crossing, _due_level(p, position, target, index, begins, closing))
        state.next_child_at = None
    decision = Decision(target=schedule)

    near, far = (market.bid, market.ask) if p.side == SideCode.BUY else (market.ask, market.bid)

    # 1. Take back what rests where it should not: due to cross, behind the touch, or more than is ordered.
    is_due = state.crossing > position.filled and (begins or state.crossing + position.live > target)
    is_behind = (
        (begins or wake is Wake.BEST_PRICE)
        and p.style in _FOLLOWING
        and near is not None
        and within_limit(p, near)
        and state.posted is not None
        and more_aggressive(p.side, near, state.posted)
    )
    is_stale = state.posted is not None and ((places and is_due) or is_behind)
    is_too_much = position.filled + position.live > p.quantity
    released = 0
    if not position.cancel_pending:
        released, state.replacing = state.replacing, 0
    cancels = position.cancel_pending
    if not cancels and position.live > 0 and (is_stale or (places and is_too_much)):
        decision.intents.append(Intent(IntentKind.CANCEL_ALL))
        cancels = True
        state.replacing = position.live
        state.posted = None

    # 2. How much may be placed now. Released quantity was allowed before; new quantity keeps the pace of the volume.
    free = max(0, target - position.filled - position.live)
    budget = min(free, released)
    if places and free > budget:
        pace = allowed_by(p.participation_rate, max(0, market.others_volume - state.volume_seen), CATCH_UP)
        if pace > 0:
            state.volume_seen = market.others_volume
        budget += int(min(free - budget, pace))

    # 3. Split it: what is due crosses, the rest is posted. Nothing crosses before the cancel's answer.
    under_way = position.live if state.posted is None or cancels else 0
    to_cross = min(max(state.crossing - position.filled - under_way, 0), budget)
    to_post = 0 if p.style == StyleCode.AGGRESSIVE else budget - to_cross
    one_tick = market.bid is not None and market.ask is not None and market.ask - market.bid == 1
    if p.style == StyleCode.OPPORTUNISTIC and one_tick and not cancels:
        to_cross, to_post = to_cross + to_post, 0
    if cancels and to_cross > 0:
        state.replacing = min(p.quantity, state.replacing + to_cross)
        to_cross = 0
    holds_cross = to_cross > 0 and not within_limit(p, far)
    holds_post = to_post > 0 and not within_limit(p, near)
    if holds_cross:
        to_cross = 0
    if holds_post:
        to_post = 0

    # 4. Send it, in children of the largest size allowed.
    largest = p.quantity if p.child_quantity_max is None else p.child_quantity_max
    cross_child, post_child = min(to_cross, largest), min(to_post, largest)
    if cross_child > 0:
        kind = IntentKind.MARKET if p.limit is None else IntentKind.LIMIT
        decision.intents.append(Intent(kind, cross_child, p.limit))
    if post_child > 0 and near is not None:
        decision.intents.append(Intent(IntentKind.POST_ONLY, post_child, near))
        if state.posted is None or more_aggressive(p.side, state.posted, near):
            state.posted = near

    # 5. When to be woken.
    following = _next_time(p, index, market.now)
    rest = to_cross + to_post - cross_child - post_child
    if rest > 0:
        children = (rest - 1) // largest + 2
        state.next_child_at = market.now + max(1, (following - market.now) // children)
    decision.wake_at = following if state.next_child_at is None else min(following, state.next_child_at)
    sent = position.filled + position.live + cross_child + post_child
    decision.wake_at_volume = _volume_subscription(p, state, sent, schedule, market.others_volume)
    if p.follows_price:
        rests = p.style in _FOLLOWING and state.posted is not None
        changes = 1 << BestPrice.NEAR if rests else 0
        decision.price_watch = _NO_WATCH._replace(changes=changes)
        if p.limit is not None and (holds_post or holds_cross):
            of = BestPrice.NEAR if holds_post else BestPrice.FAR
            decision.price_watch = PriceWatch(changes, 2 * p.limit, of, p.side == SideCode.SELL)
    return decision


def _levels(p: Parameters, index: int, others_volume: int) -> tuple[int, int]:
    """What the algorithm wants done by the end of the slice, and as much of it as the rate allows now."""
    allowed = int(min(p.quantity, allowed_by(p.participation_rate, others_volume)))
    schedule = allowed if p.algorithm == AlgorithmCode.PARTICIPATION_RATE else curve_target(p, index)
    return schedule, min(schedule, allowed)


def _due_level(p: Parameters, position: Position, target: int, index: int, begins: bool, closing: bool) -> int:
    if closing or p.style == StyleCode.AGGRESSIVE:
        return target
    if p.style != StyleCode.BALANCED or not begins:
        return 0
    if p.algorithm == AlgorithmCode.PARTICIPATION_RATE:
        return min(position.filled + position.live, target)
    return min(curve_target(p, index - 1), target)


def _volume_subscription(p: Parameters, state: State, sent: int, schedule: int, others_volume: int) -> int | None:
    if p.participation_rate >= 1:
        return None
    wanted = (p.quantity if p.algorithm == AlgorithmCode.PARTICIPATION_RATE else schedule) - sent
    if wanted <= 0:
        return None
    clip = -(-p.quantity // p.slices)
    if p.child_quantity_max is not None:
        clip = min(clip, p.child_quantity_max)
    child = min(wanted, clip)
    for_target = volume_for(p.participation_rate, sent + child)
    paced = state.volume_seen + volume_for(p.participation_rate, child, CATCH_UP)
    return max(for_target, paced, others_volume + 1)


def _next_time(p: Parameters, index: int, now: int) -> int:
    if index < p.slices - 1:
        return slice_start(p, index + 1)
    closing = closing_time(p)
    return closing if now < closing else p.end


def _wind_up(state: State, position: Position, target: int) -> Decision:
    decision = Decision(target=target)
    state.replacing = 0
    state.next_child_at = None
    if position.live > 0 and not position.cancel_pending:
        decision.intents.append(Intent(IntentKind.CANCEL_ALL))
    state.done = position.live == 0
    return decision
