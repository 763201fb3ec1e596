"""How long one step of monitoring and of quality takes, on real orders of the generated market.

python benchmarks/watch_and_grade.py [orders]
"""

import sys
import time
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import numpy as np

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.domain.ids import ParentOrderId
from bestex.domain.orders import Algorithm, ExecutionInstructions, ExecutionStyle, ParentOrder, Side
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.messages.orders import CreateOrder
from bestex.ports import Service
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference


class Timed:
    """A service with a stopwatch around its step."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.name, self.takes = service.name, service.takes
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)

    def handle(self, message: Message[Any]) -> Effects:
        begun = time.perf_counter()
        effects = self._service.handle(message)
        self.seconds[message.event_type].append(time.perf_counter() - begun)
        return effects

    def state(self, order_id: str) -> object:
        return self._service.state(order_id)


def run(orders: int) -> None:
    """Works five-minute orders, one each 20 s, and prints the times of both services' steps."""
    market = GeneratedMarket(seed=3, wall_ns=1_795_000_000 * NS_PER_SECOND)
    reference = GeneratedReference(market)
    timed = [
        Timed(service) if service.name in ("monitoring", "quality") else service
        for service in services("all", reference, timed=False)
    ]
    journal = MemoryJournal()
    driver = ReplayDriver(Desk(timed, market), journal)
    for number in range(orders):
        instrument = list(reference.instruments())[number % 2]
        order = ParentOrder(
            order_id=ParentOrderId(f"o{number}"),
            instrument_id=instrument.instrument_id,
            side=(Side.BUY, Side.SELL)[number // 4 % 2],
            quantity=Decimal(2000),
            instructions=ExecutionInstructions(
                algorithm=(Algorithm.TWAP, Algorithm.VWAP)[number % 2],
                execution_style=list(ExecutionStyle)[number // 2 % 4],
                end_time_ns=market.now_ns + 5 * NS_PER_MINUTE,
            ),
        )
        request = CreateOrder(order=order, actor="benchmark", market=market.snapshot(instrument.instrument_id))
        driver.request("order-desk", request, order_id=order.order_id)
        driver.run_until(market.now_ns + 20 * NS_PER_SECOND)
    driver.run_until(market.now_ns + 7 * NS_PER_MINUTE)
    for service in timed:
        if isinstance(service, Timed):
            for event_type, seconds in service.seconds.items():
                microseconds = np.array(seconds) * 1e6
                print(
                    f"{service.name:10} {event_type:28} {len(seconds):7,} steps   "
                    f"P50 {np.percentile(microseconds, 50):8,.0f}   P99 {np.percentile(microseconds, 99):8,.0f} us"
                )
    told = [message.payload for message in journal.messages if message.event_type == "execution_alert_generated"]
    print("alerts fired:", dict(Counter(alert.alert_type for alert in told if alert.state == "FIRING")))
    graded = [message.payload for message in journal.messages if message.event_type == "execution_quality_analyzed"]
    print("grades:", dict(Counter(str(one.quality_grade) for one in graded)))
    zs = [one.metric_breakdown["VOLATILITY_ADJUSTED_COST"].metric_value for one in graded]
    known = [z for z in zs if z is not None]
    print(f"cost against its own distribution, z: mean {np.mean(known):.2f}, sd {np.std(known):.2f}, n {len(known)}")


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
