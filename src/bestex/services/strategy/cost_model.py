"""The cost model in use, as it is shown: its parameters, where they come from, and a version that changes with them."""

import hashlib
from dataclasses import asdict

import msgspec

from bestex.messages.strategy import CostModel
from bestex.quant.impact import ATHL_2005
from bestex.quant.spread_costs import DEFAULT_PLACEMENT
from bestex.services.strategy.config import StrategyConfig

MODEL_ID = "pretrade-cost"


def cost_model(config: StrategyConfig) -> CostModel:
    """The one model by which this desk prices candidates and plans."""
    impact = {name: value for name, value in asdict(ATHL_2005).items() if isinstance(value, float)}
    parameters = {
        **{f"impact.{name}": value for name, value in impact.items()},
        **{f"placement.{name}": float(value) for name, value in asdict(DEFAULT_PLACEMENT).items()},
        "confidence.own_error_share": config.own_error_share,
    }
    digest = hashlib.sha256(msgspec.json.encode(parameters, order="sorted")).hexdigest()
    return CostModel(
        model_id=MODEL_ID,
        name="Pre-trade cost: impact, spread, fees and risk of a candidate",
        version=digest[:12],
        parameters=dict(sorted(parameters.items())),
        sources={
            "impact": f"{ATHL_2005.source}; square_root: of order one everywhere, of no agreed standard error",
            "placement": "assumed, until fitted to own fills",
            "confidence": "assumed, until realised outcomes replace it",
        },
    )
