"""What each venue did with our orders: of one order, and rolled up over all of them, order by order.

The primary metric, fixed in advance, is the net cost in half-spreads: (half effective spread - move of the mid our way
within 10 s + fee) over half the quoted spread. The score maps it straight: the standard's anchors of VENUE_EFFICIENCY.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from typing import Any

from bestex.domain.venues import Venue
from bestex.messages.monitoring import ExecutionMeasured, VenueMeasure
from bestex.messages.quality import VenuePerformance, VenueScore
from bestex.messages.records import VenueProfileRow
from bestex.quant import spreads
from bestex.quant.rollups import RatioOfSums
from bestex.quant.shrinkage import GroupPosterior
from bestex.services.quality.config import QualityConfig
from bestex.services.quality.fill_arrays import FillArrays, fill_arrays
from bestex.services.quality.group_grades import group_grade, posteriors
from bestex.services.quality.readings import MARKOUT
from bestex.services.quality.standards import Standard

PRIMARY = "net_cost"
PRIOR_SCALE = 0.1  # of the half-Cauchy on how much venues truly differ, in score
ZERO = Decimal(0)


@dataclass(kw_only=True)
class VenueRollup:
    """Sums over orders; each order adds one pair to each ratio it has something to say on."""

    venue: str
    orders: int = 0
    fills: int = 0
    quantity: Decimal = ZERO
    ratios: dict[str, RatioOfSums] = field(default_factory=dict)

    def add(self, pairs: Mapping[str, tuple[float, float]], *, fills: int, quantity: Decimal) -> None:
        self.orders += 1
        self.fills += fills
        self.quantity += quantity
        for name, (y, x) in pairs.items():
            if x > 0 and isfinite(y):
                self.ratios[name] = self.ratios.get(name, RatioOfSums()).adding(y, x)

    def value(self, name: str) -> float | None:
        ratio = self.ratios.get(name)
        return None if ratio is None else ratio.value


class Venues:
    """Roll-ups of all venues. A venue is judged together with the others, so that few orders do not make a star."""

    def __init__(self, standard: Standard, config: QualityConfig) -> None:
        self._standard = standard
        self._config = config
        self._rollups: dict[str, VenueRollup] = {}

    def add(self, measured: ExecutionMeasured, *, multiplier: Decimal) -> None:
        """Count one completed order at every venue it was sent to."""
        for venue in measured.venues:
            fills = [fill for fill in measured.fills if fill.venue == venue.venue]
            arrays = fill_arrays(measured.side.sign, fills, multiplier=multiplier)
            rollup = self._rollups.setdefault(venue.venue, VenueRollup(venue=venue.venue))
            rollup.add(_pairs(venue, arrays, self._standard), fills=len(fills), quantity=venue.filled_quantity)

    def score(self, venue: VenueMeasure, measured: ExecutionMeasured, *, multiplier: Decimal) -> VenueScore:
        """One venue's part in one order."""
        fills = [fill for fill in measured.fills if fill.venue == venue.venue]
        arrays = fill_arrays(measured.side.sign, fills, multiplier=multiplier)
        pairs = _pairs(venue, arrays, self._standard)

        def value(name: str) -> float | None:
            y, x = pairs[name]
            return y / x if x > 0 and isfinite(y) else None

        return VenueScore(
            venue=venue.venue,
            fills=len(fills),
            quantity=float(venue.filled_quantity),
            quality_score=None if (score := value("score")) is None else min(max(score, 0.0), 1.0),
            effective_spread_bps=value("effective_spread_bps"),
            markout_bps=value("markout_10s_bps"),
            fill_rate=value("fill_rate"),
            fee_bps=value("fee_bps"),
        )

    def posteriors(self) -> dict[str, GroupPosterior]:
        """True mean score of each venue, given all of them."""
        scores = {name: rollup.ratios["score"] for name, rollup in self._rollups.items() if "score" in rollup.ratios}
        return posteriors(scores, prior_scale=PRIOR_SCALE)

    def orders(self, venue: str) -> int:
        rollup = self._rollups.get(venue)
        return 0 if rollup is None else rollup.orders

    def performance(self, venue: str, known: Mapping[str, GroupPosterior]) -> VenuePerformance:
        rollup = self._rollups[venue]
        grade = group_grade(
            rollup.ratios.get("score", RatioOfSums()), known.get(venue), self._standard.venue_grades, self._config
        )
        return VenuePerformance(
            venue=venue,
            orders=rollup.orders,
            fills=rollup.fills,
            quantity=float(rollup.quantity),
            quality_score=grade.score,
            quality_grade=grade.grade,
            metrics={name: rollup.value(name) for name in METRICS},
            interval_low=grade.low,
            interval_high=grade.high,
            note=grade.note,
        )

    def row(self, performance: VenuePerformance, venue: Venue, *, now_ns: int) -> VenueProfileRow:
        rollup = self._rollups[performance.venue]
        return VenueProfileRow(
            venue=performance.venue,
            venue_type=venue.venue_type,
            orders=rollup.orders,
            fills=rollup.fills,
            quantity=rollup.quantity,
            quality_score=performance.quality_score,
            quality_grade=performance.quality_grade,
            metrics=dict(performance.metrics),
            state={name: _sums(ratio) for name, ratio in rollup.ratios.items()},
            updated_time_ns=now_ns,
        )

    def restore(self, row: VenueProfileRow) -> None:
        """Continue a venue's roll-up from the row of an earlier run."""
        self._rollups[row.venue] = VenueRollup(
            venue=row.venue,
            orders=row.orders,
            fills=row.fills,
            quantity=row.quantity,
            ratios={name: RatioOfSums(**sums) for name, sums in row.state.items()},
        )


METRICS = (
    "net_cost",
    "effective_over_quoted",
    "effective_spread_bps",
    "quoted_spread_bps",
    "markout_10s_bps",
    "fee_bps",
    "fill_rate",
    "reject_rate",
    "acknowledge_latency_ms",
)


def _pairs(venue: VenueMeasure, fills: FillArrays, standard: Standard) -> dict[str, tuple[float, float]]:
    """Numerator and denominator of each ratio, of one order at one venue; a denominator of 0 says nothing."""
    quantities, mids = fills.quantities, fills.mids
    net, half = fills.net_costs(MARKOUT)
    anchors = standard.scoring["VENUE_EFFICIENCY"]
    quoted = spreads.usable_quotes(fills.bids, fills.asks)
    notional = float(mids[quoted] @ quantities[quoted])
    effective = float(fills.effective[quoted] @ quantities[quoted])
    spread = float(fills.quoted[quoted] @ quantities[quoted])
    moves = fills.moves(MARKOUT)
    seen = moves == moves  # not NaN
    answered = 0 if venue.acknowledge_latency_ns_mean is None else venue.child_orders
    return {
        PRIMARY: (net, half),
        # Straight in the net cost, so that the ratio of sums of scores is the score of the ratio of sums.
        "score": ((net - anchors.worst * half) / (anchors.best - anchors.worst), half),
        "effective_over_quoted": (effective, spread),
        "effective_spread_bps": (effective * 1e4, notional),
        "quoted_spread_bps": (spread * 1e4, notional),
        "markout_10s_bps": (float(moves[seen] @ quantities[seen]) * 1e4, float(mids[seen] @ quantities[seen])),
        "fee_bps": (float(fills.fees @ quantities) * 1e4, float(fills.prices @ quantities)),
        "fill_rate": (float(venue.filled_quantity), float(venue.sent_quantity)),
        "reject_rate": (float(venue.rejects), float(venue.child_orders)),
        "acknowledge_latency_ms": ((venue.acknowledge_latency_ns_mean or 0.0) / 1e6 * answered, float(answered)),
    }


def _sums(ratio: RatioOfSums) -> dict[str, Any]:
    return {name: getattr(ratio, name) for name in ratio.__dataclass_fields__}
