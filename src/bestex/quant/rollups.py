"""Ratios of sums over many orders, kept incrementally, with intervals clustered by order."""

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, kw_only=True)
class RatioOfSums:
    """Sum of `y` over sum of `x`, where each order contributes one pair; fills of one order are never independent.

    Means and centred co-moments are kept, so that adding order by order equals one pass over all of them.
    """

    orders: int = 0
    mean_y: float = 0.0
    mean_x: float = 0.0
    moment_yy: float = 0.0  # sum of (y - mean_y) ** 2
    moment_xx: float = 0.0
    moment_xy: float = 0.0
    sum_xx: float = 0.0  # sum of x ** 2, for the effective number of orders

    def adding(self, y: float, x: float) -> "RatioOfSums":
        """With one more order. Source: Welford (1962), and its two-variable form."""
        orders = self.orders + 1
        step_y, step_x = y - self.mean_y, x - self.mean_x
        mean_y, mean_x = self.mean_y + step_y / orders, self.mean_x + step_x / orders
        return RatioOfSums(
            orders=orders,
            mean_y=mean_y,
            mean_x=mean_x,
            moment_yy=self.moment_yy + step_y * (y - mean_y),
            moment_xx=self.moment_xx + step_x * (x - mean_x),
            moment_xy=self.moment_xy + step_y * (x - mean_x),
            sum_xx=self.sum_xx + x * x,
        )

    @property
    def value(self) -> float | None:
        """The ratio; None while the denominator is 0."""
        return self.mean_y / self.mean_x if self.orders and self.mean_x != 0 else None

    @property
    def effective_orders(self) -> float:
        """(sum x)^2 / sum x^2: how many equally large orders would weigh as much (Kish 1965)."""
        return (self.orders * self.mean_x) ** 2 / self.sum_xx if self.sum_xx > 0 else 0.0

    @property
    def standard_error(self) -> float | None:
        """Linearised standard error of the ratio, clustered by order (Cochran 1977, 6.3); None below two orders."""
        ratio = self.value
        if ratio is None or self.orders < 2:
            return None
        residual = self.moment_yy - 2 * ratio * self.moment_xy + ratio * ratio * self.moment_xx
        return sqrt(max(residual, 0.0) * self.orders / (self.orders - 1)) / abs(self.orders * self.mean_x)
