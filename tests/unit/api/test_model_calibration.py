"""What is said of a cost model: right where it is right, too narrow where it is, nothing where little is known."""

import random
from decimal import Decimal
from statistics import NormalDist

import pytest

from bestex.api.summaries.models import calibration
from bestex.messages.records import StrategySelectionRow
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.cost_model import cost_model

SEED = 20_261_121


def selection(error: float | None, score: float | None) -> StrategySelectionRow:
    return StrategySelectionRow(
        id="s",
        order_id="o",
        instrument_id="AAPL",
        side="BUY",
        quantity=Decimal(1),
        status="COMMITTED",
        adaptation=0,
        strategy_name="VWAP Tracker",
        algorithm="VWAP",
        selection_rationale="",
        recommendation={},
        market_conditions={},
        expected_outcomes={},
        actual_outcomes=None if error is None else {"cost_error": error},
        performance_score=score,
        reason=None,
        created_at_ns=0,
    )


def orders(*, bias_bps: float, sd_bps: float, stated_sd_bps: float, count: int = 400) -> list[StrategySelectionRow]:
    """Realised less expected cost is normal; the model states 0 and `stated_sd_bps`."""
    chance = random.Random(SEED)
    print("seed", SEED)
    errors = [chance.gauss(bias_bps, sd_bps) for _ in range(count)]
    return [selection(error / 1e4, 1 - NormalDist(0, stated_sd_bps).cdf(error)) for error in errors]


def test_a_calibrated_model_is_said_to_be_one() -> None:
    found = calibration(orders(bias_bps=0, sd_bps=5, stated_sd_bps=5))
    assert found.orders == 400
    assert found.coverage["0.8"].mean == pytest.approx(0.8, abs=0.05)
    assert found.coverage["0.5"].mean == pytest.approx(0.5, abs=0.06)
    assert found.finding.startswith("orders cost what is expected")
    assert found.finding.endswith("as stated")


def test_a_model_that_is_too_sure_or_too_cheap_is_caught() -> None:
    found = calibration(orders(bias_bps=4, sd_bps=5, stated_sd_bps=2))
    assert found.bias_bps.mean == pytest.approx(4, abs=0.6)
    assert "bps more than expected" in found.finding
    assert found.finding.endswith("fewer than stated")
    assert calibration(orders(bias_bps=0, sd_bps=2, stated_sd_bps=5)).finding.endswith("more than stated")


def test_below_the_minimum_only_the_count_is_given_and_orders_without_a_cost_are_left_out() -> None:
    rows = [*orders(bias_bps=0, sd_bps=5, stated_sd_bps=5, count=19), selection(None, None)]
    found = calibration(rows)
    assert (found.orders, found.bias_bps.mean, found.coverage["0.8"].mean) == (19, None, None)
    assert found.finding == "nothing can be said of the model yet: insufficient evidence: 19 orders, 20 needed"


def test_the_version_changes_with_a_parameter_and_only_then() -> None:
    before = cost_model(StrategyConfig())
    assert before.version == cost_model(StrategyConfig()).version
    assert before.version != cost_model(StrategyConfig(own_error_share=0.31)).version
    assert before.parameters["impact.permanent"] == 0.314
    assert {name.split(".")[0] for name in before.parameters} == set(before.sources)
