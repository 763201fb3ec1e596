"""Almgren and Chriss (2000), "Optimal execution of portfolio transactions": trajectories, cost, variance, frontier.

Arithmetic price, permanent impact gamma v, temporary impact epsilon sgn(v) + eta v, slices of equal length tau = T / N.
Costs are in money and positive is worse; quantities are unsigned, so that buying and selling read alike. Every
closed form is written so that it stays exact for tiny and for huge urgency kappa T.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bestex.quant.schedules import remaining_fraction

Array = NDArray[np.float64]

# Below this kappa T the closed variance subtracts nearly equal numbers; the sum it stands for does not.
SUM_BELOW: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class AlmgrenChriss:
    """One liquidation or acquisition problem.

    Raises:
        ValueError: if a number is out of range, or eta <= gamma tau / 2: the discrete problem would then not be convex.
    """

    quantity: float  # X, units
    horizon_days: float  # T
    slices: int  # N
    volatility: float  # sigma, price per square root of a day
    permanent: float  # gamma, price per unit
    temporary: float  # eta, price per (unit per day)
    fixed: float = 0.0  # epsilon, price: about half the spread, and fees

    def __post_init__(self) -> None:
        for name in ("quantity", "horizon_days", "volatility", "temporary"):
            if not (getattr(self, name) > 0 and math.isfinite(getattr(self, name))):
                raise ValueError(f"{name} is {getattr(self, name)}; expected a finite number above 0")
        for name in ("permanent", "fixed"):
            if not (getattr(self, name) >= 0 and math.isfinite(getattr(self, name))):
                raise ValueError(f"{name} is {getattr(self, name)}; expected a finite number of at least 0")
        if self.slices < 1:
            raise ValueError(f"slices is {self.slices}; expected at least 1")
        if self.temporary_adjusted <= 0:
            raise ValueError(
                f"temporary is {self.temporary}; expected above permanent * horizon_days / slices / 2 ="
                f" {self.permanent * self.slice_days / 2}: take more slices"
            )

    @property
    def slice_days(self) -> float:
        """tau."""
        return self.horizon_days / self.slices

    @property
    def temporary_adjusted(self) -> float:
        """eta tilde = eta - gamma tau / 2."""
        return self.temporary - self.permanent * self.slice_days / 2

    def kappa_t(self, risk_aversion: float) -> float:
        """Urgency kappa T of a risk aversion lambda (per unit of money): cosh(kappa tau) = 1 + kappa~^2 tau^2 / 2.

        Raises:
            ValueError: if risk_aversion is negative or not finite.
        """
        if not (risk_aversion >= 0 and math.isfinite(risk_aversion)):
            raise ValueError(f"risk_aversion is {risk_aversion}; expected a finite number of at least 0")
        kappa_squared = risk_aversion * self.volatility**2 / self.temporary_adjusted
        # cosh(z) - 1 = 2 sinh(z / 2)^2: no difference of nearly equal numbers.
        return 2.0 * math.asinh(math.sqrt(kappa_squared) * self.slice_days / 2) * self.slices

    def risk_aversion(self, kappa_t: float) -> float:
        """The risk aversion lambda, per unit of money, for which this urgency is optimal; the inverse of `kappa_t`."""
        _require_urgency(kappa_t)
        kappa_squared = (2.0 * math.sinh(kappa_t / self.slices / 2) / self.slice_days) ** 2
        return kappa_squared * self.temporary_adjusted / self.volatility**2

    def half_life_days(self, kappa_t: float) -> float:
        """1 / kappa: the time in which what remains falls by a factor e, whatever the quantity; infinite at 0."""
        _require_urgency(kappa_t)
        return math.inf if kappa_t == 0 else self.horizon_days / kappa_t

    def holdings(self, kappa_t: float) -> Array:
        """(slices + 1,) units left at each slice's edge, from X to 0: X sinh(kappa (T - t)) / sinh(kappa T)."""
        return self.quantity * remaining_fraction(np.arange(self.slices + 1) / self.slices, kappa_t)

    def trades(self, kappa_t: float) -> Array:
        """(slices,) units traded in each slice; they sum to X."""
        return -np.diff(self.holdings(kappa_t))

    def expected_cost(self, kappa_t: float) -> float:
        """E = gamma X^2 / 2 + epsilon X + eta~ / tau sum n^2, in closed form."""
        _require_urgency(kappa_t)
        x, tau = self.quantity, self.slice_days
        base = self.permanent * x**2 / 2 + self.fixed * x
        step = kappa_t / self.slices
        if kappa_t < 1e-8:  # the next term is kappa_t^4
            return base + self.temporary_adjusted * x**2 / self.horizon_days
        # tanh(z/2) [tau sinh(2 kT) + 2 T sinh(z)] / (2 tau^2 sinh(kT)^2), every exponent made negative.
        faded = math.expm1(-2 * kappa_t)
        ratio = -2 * math.exp(step - 2 * kappa_t) * math.expm1(-2 * step) / faded**2
        bracket = 2 * tau / math.tanh(kappa_t) + 2 * self.horizon_days * ratio
        return base + self.temporary_adjusted * x**2 * math.tanh(step / 2) * bracket / (2 * tau**2)

    def variance(self, kappa_t: float) -> float:
        """V = sigma^2 tau sum x^2 over the slices' ends, in closed form. Money squared."""
        _require_urgency(kappa_t)
        x, tau, step = self.quantity, self.slice_days, kappa_t / self.slices
        if kappa_t < SUM_BELOW:
            return self.volatility**2 * tau * float((self.holdings(kappa_t)[1:] ** 2).sum())
        # [tau cosh(kT - z) / sinh(kT) - T sinh(z) / sinh(kT)^2] / sinh(z), every exponent made negative.
        faded = -math.expm1(-2 * kappa_t)
        first = tau * math.exp(-step) * (1 + math.exp(-2 * (kappa_t - step))) / faded
        second = self.horizon_days * 4 * math.exp(-2 * kappa_t) / faded**2
        if step > 350:
            return self.volatility**2 * x**2 * tau * math.exp(-2 * step)
        return self.volatility**2 * x**2 / 2 * (first / math.sinh(step) - second)

    def frontier(self, urgencies: Iterable[float]) -> Array:
        """(urgencies, 2) variance and expected cost of the optimal trajectories: the efficient frontier, convex.

        Its slope at kappa T is minus `risk_aversion(kappa_t)`.
        """
        points = [(self.variance(u), self.expected_cost(u)) for u in urgencies]
        return np.array(points, dtype=np.float64).reshape(-1, 2)


def continuous_temporary_cost(kappa_t: float) -> float:
    """Temporary cost in the limit of many slices, in units of eta X^2 / T: 1 at 0, kappa T / 2 when urgent.

    z [sinh(2 z) + 2 z] / (4 sinh(z)^2), z = kappa T.
    """
    _require_urgency(kappa_t)
    if kappa_t < 1e-4:
        return 1.0 + kappa_t**4 / 45.0
    faded = math.expm1(-2 * kappa_t)
    return kappa_t / 2 / math.tanh(kappa_t) + 2 * (kappa_t * math.exp(-kappa_t) / faded) ** 2


def continuous_variance(kappa_t: float) -> float:
    """Variance in the limit of many slices, in units of sigma^2 X^2 T: 1/3 at 0, 1 / (2 kappa T) when urgent.

    [sinh(2 z) - 2 z] / (4 z sinh(z)^2), z = kappa T.
    """
    _require_urgency(kappa_t)
    if kappa_t < 0.02:  # the difference of nearly equal numbers, as its series
        z = kappa_t**2
        return 1.0 / 3.0 - 2.0 * z / 45.0 + 2.0 * z**2 / 315.0
    faded = math.expm1(-2 * kappa_t)
    return 1 / (2 * kappa_t * math.tanh(kappa_t)) - 2 * math.exp(-2 * kappa_t) / faded**2


def _require_urgency(kappa_t: float) -> None:
    if not (kappa_t >= 0 and math.isfinite(kappa_t)):
        raise ValueError(f"kappa_t is {kappa_t}; expected a finite number of at least 0")
