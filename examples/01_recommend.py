"""Which execution strategy for this order, what should it cost, and why? Asks the strategy service; starts nothing.

Run: python examples/01_recommend.py
"""

from decimal import Decimal

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.domain.orders import Objective, Side, Urgency
from bestex.domain.time import from_iso
from bestex.messages.strategy import ExecutionConstraints, Recommendation, RecommendExecution
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference


def recommended(urgency: Urgency) -> Recommendation:
    """The desk's answer for 50,000 AAPL at 10:00 in New York on a generated market."""
    market = GeneratedMarket(seed=1, start_ns=from_iso("2026-11-20T15:00:00Z"))
    driver = ReplayDriver(Desk(services("strategy", GeneratedReference(market), timed=False), market), MemoryJournal())
    driver.restore_catalogues()  # the strategies a fresh desk knows
    request = RecommendExecution(
        order_id="example",
        instrument_id="AAPL",
        side=Side.BUY,
        quantity=Decimal(50_000),
        objective=Objective.BALANCED_EXECUTION,
        urgency=urgency,
        constraints=ExecutionConstraints(max_participation_rate=0.2, time_limit_minutes=60),
        market=market.snapshot("AAPL"),
    )
    answer = driver.request("strategy", request, order_id="example")
    assert isinstance(answer, Recommendation)
    return answer


def main() -> None:
    for urgency in (Urgency.LOW, Urgency.HIGH):
        answer = recommended(urgency)
        expected = answer.expected_outcomes
        print(f"\nurgency {urgency}: {answer.recommended_strategy.strategy_name}, confidence {answer.confidence:.0%}")
        print(
            f"  expected cost {expected.estimated_cost * 1e4:.2f} bps, risk (one sd) {expected.cost_sd * 1e4:.1f} bps"
        )
        print(f"  {answer.strategy_rationale}")
        for other in answer.alternative_strategies[:3]:
            cost_bps = other.expected_outcomes.estimated_cost * 1e4
            print(f"  not {other.strategy.strategy_name} ({cost_bps:.2f} bps): {other.why_not_chosen}")


if __name__ == "__main__":
    main()
