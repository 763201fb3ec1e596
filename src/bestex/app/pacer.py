"""Paces a desk's market beside the wall clock, in ticks that leave room for everything else in the process."""

from collections.abc import Iterator

from bestex.app.clock import PacedClock, stopwatch_ns
from bestex.app.desk import Desk
from bestex.app.host import Turn
from bestex.domain.time import NS_PER_MILLISECOND, NS_PER_SECOND

TICK_SECONDS = 0.002
_WATCH_STEP_NS = 100 * NS_PER_MILLISECOND
_WORK_NS_MAX = 2 * NS_PER_MILLISECOND  # of the wall; then requests and listeners get their turn
_SLIP_SECONDS = 0.25  # further behind than this, the market's clock slips instead of running after the wall


class Pacer:
    """`tick` as often as possible; `pause_seconds` says how long may pass before the next."""

    def __init__(self, desk: Desk, clock: PacedClock) -> None:
        self.desk = desk
        self.clock = clock
        self.lag_ns = 0  # how far the market is behind the clock, in desk time
        self.pause_seconds = 0.0
        self._slip_ns = int(_SLIP_SECONDS * clock.speed * NS_PER_SECOND)

    def tick(self) -> Iterator[Turn]:
        """The turns that lead up to the clock's time, or to the end of what one tick may take.

        The caller may leave the iteration at any turn; the next tick goes on from there.
        """
        desk, market = self.desk, self.desk.market
        due = self.clock.now_ns()
        began_ns = stopwatch_ns()
        self.pause_seconds = 0.0
        while stopwatch_ns() - began_ns < _WORK_NS_MAX:
            if (turn := desk.timer_turn()) is not None:
                yield turn
                continue
            if market.now_ns >= due:
                self.pause_seconds = TICK_SECONDS
                break
            goal = due
            if (timer_ns := desk.next_timer_ns()) is not None:
                goal = min(goal, timer_ns)
            if desk.watches_market:
                goal = min(goal, market.now_ns + _WATCH_STEP_NS)
            if reports := desk.advance(max(goal, market.now_ns)):
                yield desk.reports(reports)
        self.lag_ns = max(0, due - market.now_ns)
        if self.lag_ns > self._slip_ns:
            self.clock.slip_to(market.now_ns)
        self._skip_closed_hours()

    def _skip_closed_hours(self) -> None:
        """A generated market has nothing to show at night: go on at the next open."""
        market = self.desk.market
        opens = [
            session[0]
            for instrument in market.instruments()
            if (session := market.session(instrument.instrument_id, market.now_ns)) is not None
        ]
        if opens and min(opens) > market.now_ns:
            timer_ns = self.desk.next_timer_ns()
            self.clock.move_to(min(opens) if timer_ns is None else min(min(opens), timer_ns))
