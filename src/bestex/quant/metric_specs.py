"""Every metric of a graded execution in machine-readable form; `docs/metrics.md` is printed from here.

python -m bestex.quant.metric_specs > docs/metrics.md
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Polarity(StrEnum):
    COST = "COST"  # positive is worse for us
    QUALITY = "QUALITY"  # higher is better for us
    DESCRIPTION = "DESCRIPTION"  # neither: it says how, not how well


@dataclass(frozen=True, kw_only=True)
class MetricSpec:
    """`number` is the metric's number in the catalogue of spec/metrics.md; 0 = of this project."""

    name: str
    number: int
    formula: str
    unit: str
    polarity: Polarity
    null_rule: str


C, Q, D = Polarity.COST, Polarity.QUALITY, Polarity.DESCRIPTION
_FILLS = "nothing executed"
_ARRIVAL = "nothing executed, or no two-sided quote at arrival"
_QUOTE = "no fill with a usable quote"
_COST = "a price of the shortfall is missing"


def _spec(name: str, number: int, formula: str, unit: str, polarity: Polarity, null_rule: str) -> MetricSpec:
    return MetricSpec(name=name, number=number, formula=formula, unit=unit, polarity=polarity, null_rule=null_rule)


METRIC_SPECS: Final[tuple[MetricSpec, ...]] = (
    _spec("SLIPPAGE", 1, "s(P̄ − M(t₀)) / M(t₀)", "bps", C, _ARRIVAL),
    _spec(
        "FAR_TOUCH_SLIPPAGE", 3, "Σx s(p − F) / Σx M, F = far touch when the child order was decided", "bps", C, _QUOTE
    ),
    _spec(
        "NEAR_TOUCH_SLIPPAGE",
        4,
        "Σx s(p − N) / Σx M, N = near touch when the child order was decided",
        "bps",
        C,
        _QUOTE,
    ),
    _spec(
        "VWAP_SLIPPAGE",
        5,
        "s(P̄ − VWAP) / VWAP over [t₀, tₙ], own prints included",
        "bps",
        C,
        "no volume, or nothing executed",
    ),
    _spec(
        "EX_OWN_VWAP_SLIPPAGE",
        6,
        "(5) / (1 − own share of volume)",
        "bps",
        C,
        "own share above 0.9, no volume, or nothing executed",
    ),
    _spec(
        "TWAP_SLIPPAGE",
        9,
        "s(P̄ − TWAP) / TWAP, TWAP = time-weighted mid over [t₀, tₙ]",
        "bps",
        C,
        "no two-sided quote, or nothing executed",
    ),
    _spec("NUMBER_OF_SPREADS", 18, "(1) / quoted spread at arrival", "spreads", C, _ARRIVAL),
    _spec("IMPLEMENTATION_SHORTFALL", 20, "s[Σxp − Q P_d] + s(X − Q)(Pₙ − P_d) + fees, of X P_d", "bps", C, _COST),
    _spec("DELAY_COST", 21, "s Q (M(t₀) − P_d), of X P_d", "bps", C, _COST),
    _spec("TRADING_COST", 23, "s[Σxp − Q M(t₀)], of X P_d", "bps", C, _COST),
    _spec("OPPORTUNITY_COST", 24, "s(X − Q)(Pₙ − P_d), of X P_d", "bps", C, _COST),
    _spec("EXPLICIT_COST", 25, "commission + fees − rebates, of executed notional", "bps", C, _FILLS),
    _spec("TIMING_COST", 27, "trading cost − half-spread paid − modelled impact, of X P_d", "bps", C, _COST),
    _spec("QUOTED_SPREAD", 29, "Σx(A − B) / Σx M at each fill", "bps", D, _QUOTE),
    _spec("EFFECTIVE_SPREAD", 31, "Σx 2s(p − M) / Σx M at each fill", "bps", C, _QUOTE),
    _spec("REALISED_SPREAD_10S", 33, "Σx 2s(p − M(t + 10 s)) / Σx M", "bps", C, "no fill with a mid 10 s later"),
    _spec(
        "PRICE_IMPACT_10S",
        34,
        "Σx 2s(M(t + 10 s) − M(t)) / Σx M = (31) − (33) on the same fills",
        "bps",
        D,
        "no fill with a mid 10 s later",
    ),
    _spec("EFFECTIVE_OVER_QUOTED", 35, "Σx·effective / Σx·quoted: 1 at the touch, 0 at the mid", "ratio", C, _QUOTE),
    _spec("PRICE_IMPROVEMENT", 36, "Σx max(0, s(F − p)) / Σx M, F = far touch at the fill", "bps", Q, _QUOTE),
    _spec("AT_OR_BETTER", 37, "share of the quoted quantity with s(p − F) ≤ 0", "fraction", Q, _QUOTE),
    _spec("OUTSIDE_QUOTE", 38, "Σx max(0, s(p − F)) / Σx M", "bps", C, _QUOTE),
    _spec(
        "SPREAD_CAPTURE", 39, "share-weighted mean of s(F − p) / (A − B): 0 far, ½ mid, 1 near", "fraction", Q, _QUOTE
    ),
    _spec("FEE_ADJUSTED_EFFECTIVE", 41, "Σx(2s(p − M) + 2 fee per unit) / Σx M", "bps", C, _QUOTE),
    _spec("MARKOUT_1S", 43, "share-weighted s(M(t + 1 s) − M(t)) / M(t)", "bps", Q, "no mid 1 s after any fill"),
    _spec("MARKOUT_10S", 43, "share-weighted s(M(t + 10 s) − M(t)) / M(t)", "bps", Q, "no mid 10 s after any fill"),
    _spec("MARKOUT_60S", 43, "share-weighted s(M(t + 60 s) − M(t)) / M(t)", "bps", Q, "no mid 60 s after any fill"),
    _spec(
        "ADVERSE_SELECTION_10S",
        44,
        "−(43) at 10 s over fills that rested",
        "bps",
        C,
        "no resting fill with a mid 10 s later",
    ),
    _spec(
        "REVERSION",
        45,
        "s(M(tₙ) − M(tₙ + h)) / M(tₙ), h = the last horizon after the end",
        "bps",
        D,
        "no two-sided quote then, or nothing executed",
    ),
    _spec(
        "MARKET_IMPACT",
        46,
        "s(M(tₙ + h) − M(t₀)) / M(t₀): what is left of the move after the end",
        "bps",
        C,
        "no two-sided quote then, or nothing executed",
    ),
    _spec("TEMPORARY_IMPACT", 46, "s(P̄ − M(tₙ + h)) / M(t₀)", "bps", C, "no two-sided quote then, or nothing executed"),
    _spec(
        "RIGHT_WAY", 49, "share of quantity with a positive 10 s markout", "fraction", Q, "no mid 10 s after any fill"
    ),
    _spec(
        "FILL_RATE", 50, "Q / X", "fraction", Q, "cancelled by the client: how much was left is not the desk's doing"
    ),
    _spec("CHILD_FILL_RATE", 50, "filled / sent over child orders", "fraction", Q, "no child order was sent"),
    _spec("TIME_TO_FIRST_FILL", 51, "first fill − submission", "seconds", D, _FILLS),
    _spec(
        "FILL_LATENCY",
        51,
        "share-weighted mean of fill − child order sent",
        "seconds",
        D,
        "no fill of a child order that was seen sent",
    ),
    _spec(
        "ACKNOWLEDGE_LATENCY",
        52,
        "mean of first answer − child order sent",
        "milliseconds",
        C,
        "no child order was answered",
    ),
    _spec("REJECT_RATE", 53, "rejected / sent child orders", "fraction", C, "no child order was sent"),
    _spec("CANCEL_RATE", 53, "cancelled / sent child orders", "fraction", D, "no child order was sent"),
    _spec("ORDER_TO_TRADE", 54, "child orders / fills − 1", "ratio", D, _FILLS),
    _spec("PARTICIPATION_RATE", 55, "Q / V[t₀, tₙ], own included", "fraction", D, "no volume, or own volume above it"),
    _spec("PASSIVE_SHARE", 56, "share of quantity that rested", "fraction", D, _FILLS),
    _spec("DARK_SHARE", 57, "share of quantity filled on dark venues", "fraction", D, _FILLS),
    _spec("SCHEDULE_DEVIATION", 59, "largest |filled − scheduled| / X while it worked", "fraction", C, "no schedule"),
    _spec(
        "EXECUTION_SPEED",
        0,
        "filled fraction / elapsed fraction of the planned window",
        "ratio",
        D,
        "no plan, or nothing executed",
    ),
    _spec(
        "COST_VS_MODEL",
        60,
        "graded cost; its benchmark is the pre-trade expected cost",
        "bps",
        C,
        "no graded cost, or no pre-trade cost with a spread around it",
    ),
    _spec("VOLATILITY_ADJUSTED_COST", 61, "((60) − expected) / sd of the pre-trade cost", "sd", C, "as COST_VS_MODEL"),
    _spec(
        "VENUE_EFFICIENCY",
        0,
        "Σx(half effective spread − 10 s move our way + fee) / Σx half quoted spread",
        "ratio",
        C,
        "no fill with a usable quote and a mid 10 s later",
    ),
    _spec(
        "ALGORITHM_EFFECTIVENESS",
        0,
        "against its own benchmark: TWAP (9); VWAP, PARTICIPATION_RATE (5); others (1) less expected",
        "bps",
        C,
        "as that benchmark's slippage",
    ),
)

BY_NAME: Final[dict[str, MetricSpec]] = {spec.name: spec for spec in METRIC_SPECS}


def as_markdown() -> str:
    """The page `docs/metrics.md`."""
    lines = [
        "# The metrics of a graded execution",
        "",
        "Printed from `src/bestex/quant/metric_specs.py`; change it there and print it again:",
        "`python -m bestex.quant.metric_specs > docs/metrics.md`.",
        "",
        "s = +1 for a buy, −1 for a sell. X ordered, Q filled, fills of x at p and time t, P̄ their average price.",
        "M mid, B bid, A ask; t₀ arrival, tₙ the order's end, P_d the decision price (arrival, where none is known),",
        "Pₙ the mid at the end. COST: positive is worse for us. QUALITY: higher is better. DESCRIPTION: neither.",
        "A metric that cannot be computed is null and says why; it is never 0 instead. `#` is the number in the",
        "catalogue the desk follows; – where the metric is this project's own.",
        "",
        "| metric | # | formula | unit | polarity | null when |",
        "|---|---|---|---|---|---|",
    ]
    for spec in METRIC_SPECS:
        formula, null_rule = spec.formula.replace("|", "\\|"), spec.null_rule.replace("|", "\\|")
        number = spec.number or "–"
        lines.append(f"| {spec.name} | {number} | {formula} | {spec.unit} | {spec.polarity} | {null_rule} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    print(as_markdown(), end="")
