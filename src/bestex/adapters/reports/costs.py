"""The shortfall as parts that add up to it, one after another."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact

from bestex.messages.monitoring import CostAnalysis

ZERO = Decimal(0)
_EXACT = Context(prec=120, traps=[Inexact])  # the trap proves that no sum was rounded
IMPACT = "Market impact"
MEANINGS = {
    "Delay": "price move between the decision and the order's arrival, on what was executed",
    "Spread": "half-spread paid against the mid at each fill; negative = captured",
    IMPACT: "what the pre-trade model says our own trading moved the price by; modelled, not observed",
    "Timing": "the rest of the mid's move from arrival to the fills: drift, and what the impact model missed",
    "Opportunity": "price move on what was not executed, up to the end of the order",
    "Commission": "the broker's",
    "Fees": "of venues, less rebates; negative = rebates earned",
}


@dataclass(frozen=True, kw_only=True)
class CostPart:
    """One part of the shortfall. Currency; positive = worse for us."""

    name: str
    amount: Decimal
    before: Decimal  # sum of the parts before it: where its bar starts
    bps: float | None  # of ordered quantity x decision price; None when that is zero


def cost_parts(costs: CostAnalysis) -> tuple[CostPart, ...]:
    """The parts in the order of their names above; empty when a price they need was missing (see `costs.notes`)."""
    named = list(
        zip(
            MEANINGS,
            (
                costs.delay,
                costs.spread,
                costs.market_impact,
                costs.timing,
                costs.opportunity,
                costs.commission,
                costs.fees,
            ),
            strict=True,
        )
    )
    parts: list[CostPart] = []
    at = ZERO
    for name, amount in named:
        if amount is None:
            return ()
        parts.append(CostPart(name=name, amount=amount, before=at, bps=in_bps(amount, costs.notional)))
        at = _EXACT.add(at, amount)
    return tuple(parts)


def residue(parts: Sequence[CostPart], costs: CostAnalysis) -> Decimal:
    """What the parts miss of the total, exactly; anything but zero means that the figures must not be used."""
    assert costs.total is not None, "there are parts without a total"
    missed = costs.total
    for part in parts:
        missed = _EXACT.subtract(missed, part.amount)
    return missed


def in_bps(amount: Decimal, notional: Decimal | None) -> float | None:
    """Of the paper portfolio, ordered quantity x decision price; None when there is none."""
    return float(amount / notional * 10_000) if notional else None
