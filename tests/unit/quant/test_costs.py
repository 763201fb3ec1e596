"""The parts of a cost as numbers that may be printed."""

from decimal import Decimal

import pytest

from bestex.quant.costs import PricedFill, shortfall


@pytest.mark.parametrize("side_sign", [1, -1])
def test_a_part_that_is_nothing_is_a_plain_zero_on_both_sides(side_sign: int) -> None:
    price = Decimal("100.01")
    cost = shortfall(
        side_sign=side_sign,
        ordered=Decimal(100),
        fills=[PricedFill(quantity=Decimal(100), price=price, fee=Decimal(0), mid=price)],
        decision_price=price,
        arrival_price=price,
        end_price=None,
    )
    parts = (cost.delay, cost.delay_order_basis, cost.opportunity, cost.opportunity_order_basis, cost.total)
    for part in (*parts, cost.trading.spread, cost.trading.timing, cost.trading.total):
        assert part == 0
        assert not part.is_signed()
        assert f"{cost.bps(part):.2f}" == "0.00"
