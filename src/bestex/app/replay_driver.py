"""Runs the desk in event time, as fast as it goes, on one thread: same tape, orders and seed, same bytes."""

from bestex.adapters.memory.journal import MemoryJournal
from bestex.app.desk import Desk
from bestex.app.host import Turn
from bestex.app.recovery import KeepsRecords
from bestex.domain.time import NS_PER_MILLISECOND
from bestex.messages.envelope import Payload
from bestex.ports import Batch

_WATCH_STEP_NS = 100 * NS_PER_MILLISECOND  # volumes and prices waited for are looked at this often, in market time


class ReplayDriver:
    """Turns on a memory journal. `run_until` is the whole loop."""

    def __init__(self, desk: Desk, journal: MemoryJournal) -> None:
        self.desk = desk
        self.journal = journal

    def request(self, service: str, payload: Payload, *, order_id: str) -> object:
        """Ask a service now; raises the BestexError with which it refused."""
        turn = self.desk.request(
            service, payload, order_id=order_id, time_ns=self.desk.market.now_ns, correlation_id=None
        )
        self._commit(turn)
        return turn.answer

    def restore_catalogues(self) -> None:
        """Give the services the rows of a first start."""
        for service in self.desk.services:
            if isinstance(service, KeepsRecords):
                rows = service.initial_records(self.desk.market.now_ns)
                self.journal.write(Batch(messages=(), records=rows))
                for kind in service.restores:
                    service.restore([row for row in rows if isinstance(row, kind)])

    def run_until(self, until_ns: int) -> None:
        """Let the market, the venues' answers and the timers happen in their order up to `until_ns`."""
        market = self.desk.market
        while True:
            while (turn := self.desk.timer_turn()) is not None:
                self._commit(turn)
            if market.now_ns >= until_ns:
                return
            goal = until_ns
            if (timer_ns := self.desk.next_timer_ns()) is not None:
                goal = min(goal, timer_ns)
            if self.desk.watches_market:
                goal = min(goal, market.now_ns + _WATCH_STEP_NS)
            if reports := self.desk.advance(max(goal, market.now_ns)):
                self._commit(self.desk.reports(reports))

    def _commit(self, turn: Turn) -> None:
        self.journal.write(turn.batch)
        self.desk.release(turn)
