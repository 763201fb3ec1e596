"""How often a normal day pages somebody: alerts fired by ordinary orders of the generated market.

python -m benchmarks.alert_noise [--orders 20] [--seed 20261121] [--days 1]

Orders come evenly over the session with ordinary sizes, sides, urgencies and ends; half of them take the recommendation
and half name an algorithm. Nothing is wrong in this market: at most one order in twenty may raise an alert, of
whatever severity. An order that does not fill in time is paged rightly, and is counted all the same.
"""

import argparse
import random
from collections import Counter
from typing import Any

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.domain.ids import ParentOrderId
from bestex.domain.orders import Algorithm, ExecutionInstructions, ExecutionStyle, ParentOrder, Side, Urgency
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND, from_iso
from bestex.messages.envelope import Message
from bestex.messages.orders import CreateOrder
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference

OPEN_NS = from_iso("2026-11-20T14:30:00Z")  # 09:30 in New York
SHARES_OF_ADV = (0.0002, 0.0005, 0.001, 0.002, 0.005)
MINUTES = (10, 20, 30, None)  # None = the desk decides


def ordinary(number: int, instrument: Any, now_ns: int, randomness: random.Random) -> ParentOrder:
    """An order a client would send: at most half a percent of a day, with time to be worked."""
    minutes = randomness.choice(MINUTES)
    share = randomness.choice(SHARES_OF_ADV) * (0.2 if minutes == 10 else 0.5 if minutes == 20 else 1)
    lots = max(1, int(float(instrument.average_daily_volume) * share / float(instrument.lot_size)))
    named = number % 2 == 0
    return ParentOrder(
        order_id=ParentOrderId(f"o{number}"),
        instrument_id=instrument.instrument_id,
        side=randomness.choice(list(Side)),
        quantity=lots * instrument.lot_size,
        instructions=ExecutionInstructions(
            algorithm=randomness.choice(list(Algorithm)) if named else None,
            execution_style=randomness.choice(list(ExecutionStyle)) if named else None,
            urgency=randomness.choice(list(Urgency)),
            end_time_ns=None if minutes is None else now_ns + minutes * NS_PER_MINUTE,
        ),
    )


def day(orders: int, seed: int) -> list[Message[Any]]:
    """The messages of one session with that many orders, to the last grade."""
    randomness = random.Random(seed)
    market = GeneratedMarket(seed=seed, start_ns=OPEN_NS + 10 * NS_PER_MINUTE)
    reference = GeneratedReference(market)
    journal = MemoryJournal()
    driver = ReplayDriver(Desk(services("all", reference, timed=False), market), journal)
    driver.restore_catalogues()
    pause_ns = 300 * NS_PER_MINUTE // orders
    for number in range(orders):
        instrument = randomness.choice(list(reference.instruments()))
        order = ordinary(number, instrument, market.now_ns, randomness)
        request = CreateOrder(order=order, actor="client", market=market.snapshot(instrument.instrument_id))
        driver.request("order-desk", request, order_id=order.order_id)
        driver.run_until(market.now_ns + pause_ns)
    driver.run_until(OPEN_NS + 390 * NS_PER_MINUTE + 60 * NS_PER_SECOND)
    return journal.messages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--days", type=int, default=1)
    given = parser.parse_args()
    ends: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    paged = rightly = urgent = 0
    for seed in range(given.seed, given.seed + given.days):
        messages = day(given.orders, seed)
        fired = [
            message
            for message in messages
            if message.event_type == "execution_alert_generated" and message.payload.state == "FIRING"
        ]
        orders = {
            message.order_id: message.payload.order for message in messages if message.event_type == "order_created"
        }
        created = {message.order_id: message.time_ns for message in messages if message.event_type == "order_created"}
        for message in fired:
            order, alert = orders[message.order_id], message.payload
            kinds[f"{alert.alert_type} {alert.severity}"] += 1
            at = (message.time_ns - created[message.order_id]) / NS_PER_MINUTE
            print(
                f"  seed {seed} {message.order_id:4} {order.instrument_id} {order.side} {order.quantity:f} "
                f"{order.instructions.algorithm or 'recommended'}, after {at:.1f} min: {alert.alert_type} "
                f"{alert.severity} {alert.value:.3g} against {alert.threshold:g}: {alert.recommendation}"
            )
        states = {m.order_id: str(m.payload.state) for m in messages if m.event_type == "execution_completed"}
        ends += Counter(states.values())
        those = {message.order_id for message in fired}
        paged += len(those)
        rightly += sum(states[order_id] != "FILLED" for order_id in those)
        urgent += len({message.order_id for message in fired if message.payload.severity in ("HIGH", "CRITICAL")})
    total = given.orders * given.days
    print(f"{total} orders, seed {given.seed}: {dict(ends)}")
    print(f"alerts fired: {dict(kinds)}")
    print(f"orders that paged: {paged} of {total} = {paged / total:.1%}, of them {rightly} that did not fill in time")
    print(f"... with an alert of severity HIGH or CRITICAL: {urgent} of {total} = {urgent / total:.1%}")


if __name__ == "__main__":
    main()
