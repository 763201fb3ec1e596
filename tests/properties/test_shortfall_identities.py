"""Whatever happens to an order, the parts of its cost add up to the last digit."""

from dataclasses import replace
from decimal import Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bestex.quant import costs
from bestex.quant.costs import PricedFill, Shortfall, shortfall

prices = st.integers(1, 40_000_000).map(lambda half_ticks: Decimal(half_ticks) * Decimal("0.005"))
quantities = st.integers(1, 10**12).map(lambda units: Decimal(units) * Decimal("0.001"))
money = st.integers(-(10**12), 10**12).map(lambda units: Decimal(units) * Decimal("0.000001"))
fills = st.builds(PricedFill, quantity=quantities, price=prices, fee=money, mid=st.none() | prices)
orders = st.fixed_dictionaries(
    {
        "side_sign": st.sampled_from([1, -1]),
        "ordered": quantities,
        "fills": st.lists(fills, max_size=12),
        "decision_price": prices,
        "arrival_price": prices,
        "end_price": prices,
        "market_impact": money,
        "commission": money,
        "multiplier": st.sampled_from([Decimal(1), Decimal(50), Decimal("0.0001")]),
    }
)


@given(order=orders)
def test_both_bases_close_exactly_and_trading_cost_is_its_three_parts(order: dict[str, object]) -> None:
    cost = shortfall(**order)  # type: ignore[arg-type]
    with localcontext() as context:
        context.prec = 200
        explicit = cost.commission + cost.fees
        trading = cost.trading
        assert trading.spread + trading.market_impact + trading.timing == trading.total
        assert cost.delay + trading.total + cost.opportunity + explicit == cost.total
        assert cost.delay_order_basis + trading.total + cost.opportunity_order_basis + explicit == cost.total


@given(order=orders)
@example(
    order={
        "side_sign": 1,
        "ordered": Decimal(10),
        "fills": [PricedFill(quantity=Decimal(4), price=Decimal(101), fee=Decimal(0), mid=None)],
        "decision_price": Decimal(99),
        "arrival_price": Decimal(100),
        "end_price": Decimal(103),
        "market_impact": Decimal(0),
        "commission": Decimal(0),
        "multiplier": Decimal(1),
    }
)
def test_a_sell_is_a_buy_with_the_implicit_costs_turned_round(order: dict[str, object]) -> None:
    one = shortfall(**order)  # type: ignore[arg-type]
    other = shortfall(**(order | {"side_sign": -order["side_sign"]}))  # type: ignore[arg-type, operator]
    with localcontext() as context:
        context.prec = 200
        assert one.total - one.fees - one.commission == -(other.total - other.fees - other.commission)


def test_a_shortfall_that_forgets_the_opportunity_cost_does_not_pass_the_check() -> None:
    """The broken variant: the check is made from Perold's total, so a part that is wrong is seen."""
    cost = shortfall(
        side_sign=1,
        ordered=Decimal(10),
        fills=[PricedFill(quantity=Decimal(4), price=Decimal(101), fee=Decimal(1), mid=Decimal(100))],
        decision_price=Decimal(99),
        arrival_price=Decimal(100),
        end_price=Decimal(103),
    )
    broken: Shortfall = replace(cost, opportunity=Decimal(0))
    with pytest.raises(AssertionError, match="executed basis does not close"):
        costs._check(broken)


def test_the_example_of_the_textbook_can_be_done_by_hand() -> None:
    """Buy 10, decided at 99, arrived at 100, 4 filled at 101 with a fee of 1, the rest never: the mid ends at 103."""
    cost = shortfall(
        side_sign=1,
        ordered=Decimal(10),
        fills=[PricedFill(quantity=Decimal(4), price=Decimal(101), fee=Decimal(1), mid=Decimal("100.5"))],
        decision_price=Decimal(99),
        arrival_price=Decimal(100),
        end_price=Decimal(103),
        market_impact=Decimal("0.5"),
    )
    assert cost.delay == 4  # 4 x (100 - 99)
    assert cost.trading.total == 4  # 4 x (101 - 100)
    assert cost.trading.spread == 2  # 4 x (101 - 100.5)
    assert cost.trading.timing == Decimal("1.5")  # 4 - 2 - 0.5
    assert cost.opportunity == 24  # 6 x (103 - 99)
    assert cost.delay_order_basis == 10
    assert cost.opportunity_order_basis == 18  # 6 x (103 - 100)
    assert cost.total == 33  # 4 + 4 + 24 + 1
    assert cost.bps(cost.total) == pytest.approx(333.3333333)  # of 10 x 99


def test_an_unfilled_rest_without_an_end_price_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the price at the end"):
        shortfall(
            side_sign=1,
            ordered=Decimal(1),
            fills=[],
            decision_price=Decimal(1),
            arrival_price=Decimal(1),
            end_price=None,
        )
