"""What a pre-trade estimate is asked about: a candidate, and what is believed of its market."""

import math
from dataclasses import dataclass

from bestex.domain.orders import Algorithm, ExecutionStyle
from bestex.quant.impact import ATHL_2005, ImpactCoefficients
from bestex.quant.spread_costs import DEFAULT_PLACEMENT, PlacementAssumptions
from bestex.quant.volume_curves import VolumeCurve


@dataclass(frozen=True, kw_only=True)
class MarketEstimates:
    """What is believed of the instrument's market when the order would start.

    The side of the order enters only through two signs: `drift_per_day` here, `limit_distance` of the candidate.
    """

    price: float  # arrival mid
    spread: float  # mean ask minus bid, in the price's unit
    tick_size: float
    touch_quantity: float  # displayed at the near touch
    daily_volume: float  # average, without us
    daily_volatility: float  # sd of the day's return, fraction
    volume_curve: VolumeCurve
    session_minutes: float  # 1440 = around the clock: a window may run past midnight
    session_fraction: float  # of the session, passed when the order starts; [0, 1)
    taker_fee: float = 0.0  # fraction of notional; negative = rebate
    maker_fee: float = 0.0
    dark_fee: float = 0.0
    drift_per_day: float = 0.0  # expected move of the price against us, fraction
    volume_error: float = 0.3  # sd of log(actual / expected volume)
    turnover_days: float = 1.0  # shares outstanding over daily volume; 1 where there is no such thing
    coefficients: ImpactCoefficients = ATHL_2005
    placement: PlacementAssumptions = DEFAULT_PLACEMENT

    def __post_init__(self) -> None:
        for name in ("price", "tick_size", "daily_volume", "session_minutes", "volume_error", "turnover_days"):
            require(name, getattr(self, name), getattr(self, name) > 0, "above 0")
        for name in ("spread", "touch_quantity", "daily_volatility"):
            require(name, getattr(self, name), getattr(self, name) >= 0, "at least 0")
        for name in ("taker_fee", "maker_fee", "dark_fee", "drift_per_day"):
            require(name, getattr(self, name), True, "a finite number")
        require("session_fraction", self.session_fraction, 0 <= self.session_fraction < 1, "in [0, 1)")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One algorithm with its parameters, for one window from now."""

    algorithm: Algorithm
    style: ExecutionStyle
    window_minutes: float
    slices: int
    kappa_t: float = 0.0  # urgency, IMPLEMENTATION_SHORTFALL only
    participation_rate: float | None = None  # target of PARTICIPATION_RATE, cap of the others; None = no cap
    dark_ratio: float = 0.0  # of the quantity, shown to dark venues first
    limit_distance: float | None = None  # how far the price may go against us, fraction; None = no limit

    def __post_init__(self) -> None:
        require("window_minutes", self.window_minutes, self.window_minutes > 0, "above 0")
        require("slices", self.slices, self.slices >= 1, "at least 1")
        require("kappa_t", self.kappa_t, self.kappa_t >= 0, "at least 0")
        require("dark_ratio", self.dark_ratio, 0 <= self.dark_ratio <= 1, "from 0 to 1")
        rate = self.participation_rate
        if rate is not None:
            require("participation_rate", rate, 0 < rate <= 1, "above 0 and at most 1")
        if self.algorithm is Algorithm.PARTICIPATION_RATE and (rate is None or rate == 1):
            raise ValueError(f"participation_rate is {rate}; PARTICIPATION_RATE needs one below 1")


def require(name: str, value: float, good: bool, expected: str) -> None:
    if not good or not math.isfinite(value):
        raise ValueError(f"{name} is {value}; expected {expected}")
