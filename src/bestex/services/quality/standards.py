"""The standard that executions are graded by: weights, scoring rules and cut points, fixed under a version.

Changing any of them needs a new version, so that a grade can always be explained by the standard it names.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Final

from bestex.messages.records import QualityStandardRow

CutPoints = tuple[tuple[str, float], ...]  # (grade, lowest score) from best to worst

UNACCEPTABLE: Final = "UNACCEPTABLE"  # outside the order's limits, whatever the score


class Rule(StrEnum):
    """How a metric's value becomes a score of 0..1."""

    OWN_RISK = "OWN_RISK"  # P(worse) under the order's own pre-trade cost distribution; luck moves it
    ANCHORS = "ANCHORS"  # straight from `worst` (0) to `best` (1)


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """`worst` and `best` are in the metric's unit; with `in_spreads`, in quoted spreads at arrival."""

    weight: float
    rule: Rule
    worst: float = 0.0
    best: float = 0.0
    in_spreads: bool = False
    risk_scale: float = 1.0  # OWN_RISK: sd of the metric over the sd of the pre-trade cost


@dataclass(frozen=True, kw_only=True)
class Standard:
    """Weights sum to 1; missing metrics hand their weight to the others in proportion."""

    version: str
    scoring: dict[str, Scoring]
    order_grades: CutPoints
    venue_grades: CutPoints
    algorithm_grades: CutPoints

    def row(self, *, created_at_ns: int) -> QualityStandardRow:
        groups = {"order": self.order_grades, "venue": self.venue_grades, "algorithm": self.algorithm_grades}
        return QualityStandardRow(
            version=self.version,
            weights={name: scoring.weight for name, scoring in self.scoring.items()},
            cut_points={f"{group}.{grade}": lowest for group, cuts in groups.items() for grade, lowest in cuts},
            created_at_ns=created_at_ns,
        )


STANDARD: Final = Standard(
    version="2026-11-1",
    scoring={
        "COST_VS_MODEL": Scoring(weight=0.35, rule=Rule.OWN_RISK),
        "SLIPPAGE": Scoring(weight=0.15, rule=Rule.OWN_RISK),
        "ALGORITHM_EFFECTIVENESS": Scoring(weight=0.10, rule=Rule.ANCHORS, worst=1.0, best=-1.0, in_spreads=True),
        "FILL_RATE": Scoring(weight=0.08, rule=Rule.ANCHORS, worst=0.0, best=1.0),
        "EXECUTION_SPEED": Scoring(weight=0.04, rule=Rule.ANCHORS, worst=0.0, best=1.0),
        "PRICE_IMPROVEMENT": Scoring(weight=0.05, rule=Rule.ANCHORS, worst=0.0, best=1.0, in_spreads=True),
        "MARKET_IMPACT": Scoring(weight=0.05, rule=Rule.OWN_RISK, risk_scale=sqrt(3)),  # end against mean of a walk
        "VENUE_EFFICIENCY": Scoring(weight=0.05, rule=Rule.ANCHORS, worst=2.0, best=-1.0),
        "VWAP_SLIPPAGE": Scoring(weight=0.05, rule=Rule.ANCHORS, worst=1.0, best=-1.0, in_spreads=True),
        "EFFECTIVE_OVER_QUOTED": Scoring(weight=0.05, rule=Rule.ANCHORS, worst=2.0, best=-1.0),
        "AT_OR_BETTER": Scoring(weight=0.03, rule=Rule.ANCHORS, worst=0.0, best=1.0),
    },
    order_grades=(("EXCELLENT", 0.75), ("GOOD", 0.60), ("AVERAGE", 0.40), ("POOR", 0.0)),
    venue_grades=(("EXCELLENT", 0.65), ("GOOD", 0.50), ("AVERAGE", 0.30), ("POOR", 0.0)),
    algorithm_grades=(("EXCELLENT", 0.60), ("GOOD", 0.52), ("AVERAGE", 0.45), ("POOR", 0.0)),
)
