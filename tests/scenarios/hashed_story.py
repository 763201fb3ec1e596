"""One order story, told by a process of its own: prints the sha256 of its event log.

`python -m tests.scenarios.hashed_story --seed 5 [--broken set|clock]`
"""

import argparse
import time
from collections.abc import Sequence
from typing import Any

from bestex.domain.orders import Algorithm, ExecutionStyle, Side
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.effects import Effects, Timer
from bestex.messages.envelope import Message
from bestex.messages.execution import CancelExecution, PauseExecution, ResumeExecution
from bestex.messages.strategy import AdaptStrategy
from bestex.ports import Service
from tests.scenarios.event_time import EventTimeDesk, digest

_NAMES = frozenset({"north", "east", "south", "west", "up", "down", "left", "right"})


class LooksAtASet:
    """A service that must be caught: the order of its timers is the order of a set of strings."""

    name = "looks-at-a-set"
    takes = frozenset({"order_created", "timer_due"})

    def handle(self, message: Message[Any]) -> Effects:
        if message.event_type != "order_created":
            return Effects()
        return Effects(
            timers=[
                Timer(order_id=message.order_id, name=name, at_ns=message.time_ns + number * NS_PER_SECOND)
                for number, name in enumerate(_NAMES)
            ]
        )

    def state(self, order_id: str) -> object:
        return None


class LooksAtTheClock(LooksAtASet):
    """Another: it sets a timer by the wall."""

    name = "looks-at-the-clock"

    def handle(self, message: Message[Any]) -> Effects:
        if message.event_type != "order_created":
            return Effects()
        spread_ns = time.time_ns() % (10 * NS_PER_SECOND)
        return Effects(timers=[Timer(order_id=message.order_id, name="late", at_ns=message.time_ns + spread_ns)])


BROKEN: dict[str, Sequence[Service]] = {"none": (), "set": (LooksAtASet(),), "clock": (LooksAtTheClock(),)}


def tell(seed: int, also: Sequence[Service] = ()) -> EventTimeDesk:
    """Five orders of all kinds, with a pause, an adaptation and a cancel, through all services to the last trade."""
    desk = EventTimeDesk(seed=seed, also=also)
    desk.send("chosen", quantity=6_000)
    desk.send("twap", side=Side.SELL, algorithm=Algorithm.TWAP, execution_style=ExecutionStyle.PASSIVE)
    desk.send("vwap", instrument_id="MSFT", algorithm=Algorithm.VWAP)
    desk.run(seconds=20)
    desk.send("pov", instrument_id="MSFT", side=Side.SELL, quantity=40_000, algorithm=Algorithm.PARTICIPATION_RATE)
    desk.send("is", algorithm=Algorithm.IMPLEMENTATION_SHORTFALL, execution_style=ExecutionStyle.OPPORTUNISTIC)
    desk.run(seconds=40)
    desk.ask("algorithm", PauseExecution(order_id="twap", actor="trader"), "twap")
    adapt = AdaptStrategy(order_id="chosen", reason="faster", market=desk.snapshot(), actor="trader")
    desk.ask("strategy", adapt, "chosen")
    desk.run(minutes=1)
    desk.ask("algorithm", ResumeExecution(order_id="twap", actor="trader", market=desk.snapshot()), "twap")
    desk.ask("algorithm", CancelExecution(order_id="pov", actor="trader"), "pov")
    desk.run_to_the_end("chosen", "twap", "vwap", "pov", "is")
    return desk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--broken", choices=BROKEN, default="none", help="add a service that breaks the promise")
    arguments = parser.parse_args()
    print(digest(tell(arguments.seed, BROKEN[arguments.broken]).messages))


if __name__ == "__main__":
    main()
