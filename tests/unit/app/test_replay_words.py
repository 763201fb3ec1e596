"""What `bestex replay` prints of an order: a figure that was not measured is named so."""

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from bestex.app.replay import _say


def story(**quality: float | None) -> SimpleNamespace:
    execution = SimpleNamespace(
        side="BUY",
        executed_quantity=Decimal(0),
        requested_quantity=Decimal(100),
        instrument_id="ABC",
        average_fill_price=None,
    )
    trade = SimpleNamespace(
        execution=execution,
        execution_quality=SimpleNamespace(**quality),
        timing=SimpleNamespace(completion_time_ns=0),
    )
    return SimpleNamespace(trade_executed=trade, graded=None)


def test_what_was_not_measured_is_said_and_the_rest_keeps_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    measured = story(implementation_shortfall_bps=None, market_impact_bps=1.234, timing_cost_bps=None)
    _say(measured, Path("report.html"))  # type: ignore[arg-type]
    shown = capsys.readouterr().out
    assert "shortfall not measured (positive = worse), of it impact 1.23 bps, timing not measured" in shown
