"""One order's life, from the client's wish to its grade, in event time: minutes of market in a second of yours.

Run: python examples/02_work_an_order.py
"""

from datetime import UTC, datetime
from decimal import Decimal

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.domain.ids import InstrumentId, ParentOrderId
from bestex.domain.orders import Algorithm, ExecutionInstructions, ExecutionStyle, ParentOrder, Side
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND, from_iso
from bestex.messages.execution import ChildOrderSubmitted, ExecutionCompleted, ExecutionReport
from bestex.messages.monitoring import TradeExecuted
from bestex.messages.orders import CreateOrder
from bestex.messages.quality import ExecutionQualityAnalyzed
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference


def main() -> None:
    market = GeneratedMarket(seed=1, start_ns=from_iso("2026-11-20T15:00:00Z"))
    journal = MemoryJournal()
    driver = ReplayDriver(Desk(services("all", GeneratedReference(market), timed=False), market), journal)
    driver.restore_catalogues()
    order = ParentOrder(
        order_id=ParentOrderId("example"),
        instrument_id=InstrumentId("AAPL"),
        side=Side.BUY,
        quantity=Decimal(2_000),
        instructions=ExecutionInstructions(
            algorithm=Algorithm.TWAP,
            execution_style=ExecutionStyle.BALANCED,
            end_time_ns=market.now_ns + 3 * NS_PER_MINUTE,
        ),
    )
    create = CreateOrder(order=order, actor="client", market=market.snapshot("AAPL"))
    driver.request("order-desk", create, order_id="example")
    driver.run_until(market.now_ns + 5 * NS_PER_MINUTE)

    for message in journal.messages:
        clock = datetime.fromtimestamp(message.time_ns / NS_PER_SECOND, UTC).strftime("%H:%M:%S.%f")[:-3]
        match message.payload:
            case ChildOrderSubmitted(child=child, reason=why):
                print(f"{clock}  send {child.quantity} {child.order_type} at {child.price} to {child.venue}: {why}")
            case ExecutionReport(report=report) if report.price is not None:
                print(f"{clock}  filled {report.quantity} at {report.price} on {report.venue}, {report.liquidity}")
            case ExecutionCompleted() as done:
                print(f"{clock}  {done.state}: {done.filled_quantity} of {done.quantity}, {done.child_orders} children")
            case ExecutionQualityAnalyzed() as grade:
                print(f"{clock}  grade {grade.quality_grade}")
            case TradeExecuted(execution_quality=quality):
                print(f"{clock}  cost {quality.total_cost_bps:.2f} bps of what was ordered (positive = worse for us)")


if __name__ == "__main__":
    main()
