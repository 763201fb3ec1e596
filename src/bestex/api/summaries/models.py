"""How a cost model's predictions compare with what became of them."""

from collections.abc import Sequence
from typing import Final

import msgspec

from bestex.domain.samples import Estimate, estimated_mean, estimated_share
from bestex.messages.records import StrategySelectionRow
from bestex.messages.strategy import CostModel

_BPS: Final = 10_000
_BANDS: Final = (0.5, 0.8, 0.9)


class ModelCalibration(msgspec.Struct, frozen=True, kw_only=True):
    """Over completed orders that a recommendation chose for, each weighing the same; costs in bps, positive is worse.

    `coverage`: "0.8" -> share of orders whose realised cost fell into the central 80 % of their own pre-trade cost
    distribution; a calibrated model has 0.8 there.
    """

    orders: int
    bias_bps: Estimate  # realised minus expected
    absolute_error_bps: Estimate
    coverage: dict[str, Estimate]
    finding: str


class ModelInUse(msgspec.Struct, frozen=True, kw_only=True):
    """A registered cost model with its calibration on this desk."""

    model_id: str
    name: str
    version: str  # changes when a parameter does
    status: str  # CHAMPION: candidates and plans are priced by it
    parameters: dict[str, float]
    sources: dict[str, str]
    calibration: ModelCalibration


def model_in_use(model: CostModel, selections: Sequence[StrategySelectionRow]) -> ModelInUse:
    return ModelInUse(
        model_id=model.model_id,
        name=model.name,
        version=model.version,
        status="CHAMPION",
        parameters=model.parameters,
        sources=model.sources,
        calibration=calibration(selections),
    )


def calibration(selections: Sequence[StrategySelectionRow]) -> ModelCalibration:
    """Of the selections whose order is complete; those without a measured cost are left out."""
    known = [
        (float(row.actual_outcomes["cost_error"]) * _BPS, row.performance_score)
        for row in selections
        if row.performance_score is not None
        and row.actual_outcomes is not None
        and row.actual_outcomes.get("cost_error") is not None
    ]
    bias = estimated_mean([error for error, _ in known])
    # The score is the share of the order's own distribution that is dearer: uniform where the model is calibrated.
    coverage = {
        f"{band:g}": estimated_share(sum(abs(score - 0.5) <= band / 2 for _, score in known), len(known))
        for band in _BANDS
    }
    return ModelCalibration(
        orders=len(known),
        bias_bps=bias,
        absolute_error_bps=estimated_mean([abs(error) for error, _ in known]),
        coverage=coverage,
        finding=_finding(bias, coverage["0.8"]),
    )


def _finding(bias: Estimate, inside: Estimate) -> str:
    if bias.mean is None or bias.interval_low is None or bias.interval_high is None:
        return f"nothing can be said of the model yet: {bias.note}"
    assert inside.mean is not None
    assert inside.interval_low is not None
    assert inside.interval_high is not None
    if bias.interval_low > 0:
        level = f"orders cost {bias.mean:.1f} bps more than expected"
    elif bias.interval_high < 0:
        level = f"orders cost {-bias.mean:.1f} bps less than expected"
    else:
        level = "orders cost what is expected: the difference may be luck"
    width = f"{inside.mean:.0%} of them fall into their own 80 % band"
    if inside.interval_low > 0.8:
        return f"{level}; {width}, more than stated"
    if inside.interval_high < 0.8:
        return f"{level}; {width}, fewer than stated"
    return f"{level}; {width}, as stated"
