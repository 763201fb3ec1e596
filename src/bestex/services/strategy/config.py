"""What the strategy service may be told once, at start. Every default runs on a laptop."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bestex.domain.errors import InvalidInput
from bestex.domain.instruments import AssetClass
from bestex.domain.orders import Objective, Urgency


@dataclass(frozen=True, kw_only=True)
class ObjectiveWeights:
    """What one basis point of each part of a candidate counts for; all parts are in bps of notional.

    `cost`: expected cost. `risk`: standard deviation of the cost. `alpha`: the expected adverse move that waiting
    gives away. `minute`: bps charged for each expected minute of work, times the urgency.
    """

    cost: float
    risk: float
    alpha: float
    minute: float


def _objective_weights() -> Mapping[Objective, ObjectiveWeights]:
    return MappingProxyType(
        {
            Objective.MINIMIZE_COST: ObjectiveWeights(cost=1.0, risk=0.02, alpha=0.0, minute=0.0),
            Objective.MINIMIZE_RISK: ObjectiveWeights(cost=1.0, risk=0.60, alpha=0.0, minute=0.0),
            Objective.MINIMIZE_TIME: ObjectiveWeights(cost=0.5, risk=0.05, alpha=0.0, minute=0.50),
            Objective.MAXIMIZE_ALPHA_CAPTURE: ObjectiveWeights(cost=1.0, risk=0.05, alpha=1.0, minute=0.0),
            Objective.BALANCED_EXECUTION: ObjectiveWeights(cost=1.0, risk=0.15, alpha=0.25, minute=0.005),
        }
    )


def _urgency_multipliers() -> Mapping[Urgency, float]:
    return MappingProxyType({Urgency.LOW: 0.5, Urgency.NORMAL: 1.0, Urgency.HIGH: 2.0, Urgency.URGENT: 4.0})


def _daily_volatilities() -> Mapping[AssetClass, float]:
    return MappingProxyType(
        {
            AssetClass.EQUITY: 0.02,
            AssetClass.FUTURE: 0.012,
            AssetClass.FX: 0.006,
            AssetClass.CRYPTO: 0.04,
            AssetClass.BOND: 0.005,
        }
    )


@dataclass(frozen=True, kw_only=True)
class StrategyConfig:
    """Settings of the strategy service. Rates and fractions are 0..1.

    Raises:
        InvalidInput: with one entry per setting that is out of its range.
    """

    participation_rate_max: float = 0.25  # the desk's own cap; a client's lower cap wins
    slice_minutes: float = 1.0
    slices_max: int = 60
    alternatives_max: int = 3
    proposal_age_minutes_max: int = 15  # an older proposal is made anew when an order commits it
    proposals_kept_max: int = 20_000  # the oldest uncommitted ones are forgotten first
    objective_weights: Mapping[Objective, ObjectiveWeights] = field(default_factory=_objective_weights)
    urgency_multipliers: Mapping[Urgency, float] = field(default_factory=_urgency_multipliers)  # of risk and minute
    alpha_daily_sd_share: float = 0.20  # size of the move an alpha order fears, in daily standard deviations
    alpha_half_life_minutes: float = 45.0
    assumed_daily_volatility: Mapping[AssetClass, float] = field(default_factory=_daily_volatilities)  # no history
    tolerance_bps: float = 1.0  # "as good as the best": within the larger of this ...
    tolerance_share: float = 0.05  # ... and this share of the best candidate's loss
    own_error_share: float = 0.3  # own misfit of an algorithm and style, as a share of the stated model error's sd
    confidence_points: int = 1_024
    confidence_seed: int = 20_261_121
    slippage_limit_sd: float = 3.0  # max_slippage_bps = expected cost + this many standard deviations
    retry_seconds: float = 5.0  # between two tries to select for an order that has no quote yet

    def __post_init__(self) -> None:
        wrong = [
            InvalidInput(f"{name} is {value}; it must be {expected}", field=name, value=value, expected=expected)
            for name, value, holds, expected in (
                (
                    "participation_rate_max",
                    self.participation_rate_max,
                    0 < self.participation_rate_max <= 1,
                    "in (0, 1]",
                ),
                ("slice_minutes", self.slice_minutes, self.slice_minutes > 0, "more than 0"),
                ("slices_max", self.slices_max, self.slices_max >= 1, "at least 1"),
                ("alternatives_max", self.alternatives_max, self.alternatives_max >= 0, "at least 0"),
                ("proposals_kept_max", self.proposals_kept_max, self.proposals_kept_max >= 1, "at least 1"),
                ("tolerance_bps", self.tolerance_bps, self.tolerance_bps > 0, "more than 0"),
                ("tolerance_share", self.tolerance_share, self.tolerance_share >= 0, "at least 0"),
                ("own_error_share", self.own_error_share, self.own_error_share >= 0, "at least 0"),
                ("confidence_points", self.confidence_points, self.confidence_points >= 64, "at least 64"),
                ("retry_seconds", self.retry_seconds, self.retry_seconds > 0, "more than 0"),
                (
                    "objective_weights",
                    sorted(self.objective_weights),
                    set(self.objective_weights) == set(Objective),
                    "given for every objective",
                ),
                (
                    "urgency_multipliers",
                    sorted(self.urgency_multipliers),
                    set(self.urgency_multipliers) == set(Urgency),
                    "given for every urgency",
                ),
            )
            if not holds
        ]
        if wrong:
            raise InvalidInput("; ".join(error.message for error in wrong), errors=wrong)
