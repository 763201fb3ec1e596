"""What an order cost and where it went: implementation shortfall, split into parts that add up to the last digit.

Small enough to check by hand. A buy of 1,000 decided at 100.00; it reached the desk at 100.02, 800 were filled, and the
price stood at 100.10 when the order ended. Every amount is exact; positive is worse for us.

Run: python examples/03_read_the_costs.py
"""

from decimal import Decimal

from bestex.quant.costs import PricedFill, shortfall

FILLS = (
    PricedFill(
        quantity=Decimal(500), price=Decimal("100.03"), fee=Decimal("1.50"), mid=Decimal("100.02")
    ),  # crossed: half-spread paid
    PricedFill(
        quantity=Decimal(300), price=Decimal("100.04"), fee=Decimal("-0.60"), mid=Decimal("100.05")
    ),  # rested: half-spread earned
)


def main() -> None:
    cost = shortfall(
        side_sign=+1,
        ordered=Decimal(1000),
        fills=FILLS,
        decision_price=Decimal("100.00"),
        arrival_price=Decimal("100.02"),
        end_price=Decimal("100.10"),
        market_impact=Decimal("4.00"),  # the pre-trade model's, on what was filled
        commission=Decimal("2.00"),
    )
    parts = {
        "delay": cost.delay,  # 800 x (100.02 - 100.00)
        "spread": cost.trading.spread,  # 500 x 0.01 - 300 x 0.01
        "market impact": cost.trading.market_impact,
        "timing": cost.trading.timing,  # the rest of 500 x 0.01 + 300 x 0.02
        "opportunity": cost.opportunity,  # 200 x (100.10 - 100.00)
        "commission": cost.commission,
        "fees": cost.fees,
    }
    for name, amount in parts.items():
        print(f"{name:>14}  {amount:>8.2f}  {cost.bps(amount):>7.3f} bps")
    print(f"{'total':>14}  {cost.total:>8.2f}  {cost.bps(cost.total):>7.3f} bps of {cost.notional:,.0f}")

    # Perold's definition: what the paper portfolio made and the real one did not.
    paid = Decimal(500) * Decimal("100.03") + Decimal(300) * Decimal("100.04")
    perold = (
        (paid - 800 * Decimal("100.00"))
        + 200 * (Decimal("100.10") - Decimal("100.00"))
        + Decimal("0.90")
        + Decimal("2.00")
    )
    assert sum(parts.values()) == cost.total == perold == Decimal("49.90")
    print("the parts add up to Perold's total, to the last digit")


if __name__ == "__main__":
    main()
