"""What the spread costs under each execution style, and how much of a slice is filled while it rests.

All costs are in half spreads against the mid at the moment the quantity was due: +1 is paid by crossing, -1 earned by a
fill at the near touch if nothing else moved.
"""

import math
from dataclasses import dataclass
from typing import Final

from bestex.domain.orders import ExecutionStyle


@dataclass(frozen=True, kw_only=True)
class PlacementAssumptions:
    """What the model assumes of resting orders; assumptions, not estimates, until fitted to own fills."""

    adverse_selection: float = 0.8  # mean move of the mid against a resting fill by the slice's end, in half spreads
    adverse_selection_se: float = 0.3
    dark_fill_share: float = 0.5  # of the quantity shown to dark venues, how much is filled there

    def __post_init__(self) -> None:
        if not self.adverse_selection >= 0 or not self.adverse_selection_se >= 0:
            raise ValueError("adverse_selection and its error must be at least 0")
        if not 0 <= self.dark_fill_share <= 1:
            raise ValueError(f"dark_fill_share is {self.dark_fill_share}; expected 0 to 1")


DEFAULT_PLACEMENT: Final = PlacementAssumptions()


@dataclass(frozen=True, kw_only=True)
class SpreadCost:
    cost: float  # mean over the order, in half spreads
    passive_share: float  # of the quantity, filled while resting
    adverse_sensitivity: float  # d cost / d adverse_selection


def fill_probability(child: float, ahead: float, slice_volume: float) -> float:
    """Chance that a resting child is filled within its slice.

    Half the slice's volume hits our side; what must trade first is the queue ahead and, on average, half the child.
    Quantity traded at a price before it changes is taken as exponential with that mean.

    Args:
        child: quantity resting. ahead: displayed at the touch when it joins. slice_volume: others' volume in the slice.

    Returns:
        0..1; 0 where nothing trades.
    """
    if min(child, ahead, slice_volume) < 0:
        raise ValueError("quantities must be at least 0")
    if slice_volume == 0:
        return 0.0
    return math.exp(-(ahead + child / 2) / (slice_volume / 2))


def spread_cost(
    style: ExecutionStyle,
    *,
    slices: int,
    fill: float,
    spread_ticks: float,
    assumptions: PlacementAssumptions = DEFAULT_PLACEMENT,
) -> SpreadCost:
    """Mean cost of the spread over all slices of an order.

    The mid is taken to be a martingale: if it moves on average a half spreads against us when we are filled, then it
    moves a p / (1 - p) away from us when we are not. One post therefore costs -p + p a + (1 - p) C, where C is what
    the rest costs next: crossing (1), or another post. A balanced slice has one post, a passive one as many as slices
    are left. An opportunistic slice crosses first where the spread is one tick, taken to happen with probability
    1 / spread_ticks (a geometric spread of that mean).

    Args:
        style: of the candidate.
        slices: of the schedule; at least 1.
        fill: chance that a resting child is filled within its slice, 0..1.
        spread_ticks: mean spread in ticks, at least 1.
    """
    if slices < 1 or not 0 <= fill <= 1 or spread_ticks < 1:
        raise ValueError(f"slices {slices}, fill {fill}, spread_ticks {spread_ticks}: expected >= 1, 0..1, >= 1")
    if style is ExecutionStyle.AGGRESSIVE:
        return SpreadCost(cost=1.0, passive_share=0.0, adverse_sensitivity=0.0)
    a = assumptions.adverse_selection
    taken = 1.0 / spread_ticks if style is ExecutionStyle.OPPORTUNISTIC else 0.0
    narrow = 1.0 / spread_ticks  # a half spread of one tick, in mean half spreads
    wide = (1.0 - taken * narrow) / (1.0 - taken) if taken < 1.0 else 0.0  # mean of the others
    cost, passive, sensitivity = 1.0, 0.0, 0.0
    sums = [0.0, 0.0, 0.0]
    posts = 1 if style is ExecutionStyle.BALANCED else slices
    for _ in range(posts):
        cost = taken * narrow + (1 - taken) * (fill * (a - 1) * wide + (1 - fill) * cost)
        passive = (1 - taken) * (fill + (1 - fill) * passive)
        sensitivity = (1 - taken) * (fill * wide + (1 - fill) * sensitivity)
        sums = [sums[0] + cost, sums[1] + passive, sums[2] + sensitivity]
    return SpreadCost(cost=sums[0] / posts, passive_share=sums[1] / posts, adverse_sensitivity=sums[2] / posts)
