"""The printed catalogue of metrics is the one the code follows."""

from pathlib import Path

from bestex.quant.metric_specs import BY_NAME, METRIC_SPECS, as_markdown

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
ASKED_FOR = (
    "FILL_RATE",
    "EXECUTION_SPEED",
    "PRICE_IMPROVEMENT",
    "SLIPPAGE",
    "MARKET_IMPACT",
    "VENUE_EFFICIENCY",
    "ALGORITHM_EFFECTIVENESS",
)


def test_the_page_is_in_step_with_the_code() -> None:
    assert PAGE.read_text() == as_markdown(), "print it again: python -m bestex.quant.metric_specs > docs/metrics.md"


def test_every_metric_has_one_name_and_says_when_it_is_null() -> None:
    assert len(BY_NAME) == len(METRIC_SPECS) >= 20
    assert all(spec.null_rule and spec.unit and spec.formula for spec in METRIC_SPECS)
    assert set(ASKED_FOR) <= set(BY_NAME)
