"""One world worked from outside, in plain Python: the twin of `native/src/interactive.cpp`, for small tapes."""

from collections import deque
from heapq import heappop, heappush
from typing import Any

from numpy.typing import NDArray

from bestex.native.decision import SideCode
from bestex.native.interactive import (
    InteractiveConfig,
    LiquidityKind,
    OrderKind,
    Reason,
    Report,
    ReportKind,
    Snapshot,
)
from bestex.native.rows import ASK, BID, L3_ROWS
from bestex.native.twin.book import Event, LevelBook, OrderBook, events_of
from bestex.native.twin.fill_rules import Exchange, OwnOrder


class TwinReplay:
    """As `bestex.native.interactive.InteractiveReplay`, straight from feed rows."""

    exchange_type = Exchange

    def __init__(self, rows: NDArray[Any], config: InteractiveConfig) -> None:
        self._events = deque(events_of(rows))
        self._delay_ns = config.report_delay_ns
        self.now_ns = self._events[0].time_ns - 1
        self._close_ns = max(config.close_ns, self._events[-1].time_ns)
        self.exchange = self.exchange_type(
            OrderBook() if rows.dtype == L3_ROWS else LevelBook(), config.queue_model, self._on_fill, self._on_done
        )
        self._requests: list[tuple[int, int, str, int, Any]] = []
        self._calls = 0
        self._orders: dict[int, OwnOrder | None] = {}  # every key seen; None = ended
        self._reports: deque[Report] = deque()
        self._accepting: tuple[ReportKind, int, int] | None = None
        self._closed = False
        self._volume = self._auction = self._notional = self._trades = 0
        self._last: int | None = None
        self._mid_sum = self._mid_ns = self._crossed = self._locked = 0
        self._seen_to_ns = 0
        self._instant_is_open = False

    def submit(
        self,
        key: int,
        *,
        kind: OrderKind,
        side: SideCode,
        quantity: int,
        arrives_ns: int,
        price_ticks: int | None = None,
    ) -> None:
        price = None if price_ticks is None else 2 * price_ticks
        self._ask(arrives_ns, "submit", key, OwnOrder(key, kind, int(side), quantity, quantity, price))

    def cancel(self, key: int, *, arrives_ns: int) -> None:
        self._ask(arrives_ns, "cancel", key, None)

    def amend(self, key: int, *, quantity: int, arrives_ns: int, price_ticks: int | None = None) -> None:
        self._ask(arrives_ns, "amend", key, (quantity, None if price_ticks is None else 2 * price_ticks))

    def advance(self, until_ns: int) -> list[Report]:
        while True:
            while self._events and self._events[0].time_ns <= self._stop(until_ns):
                event = self._events.popleft()
                self._integrate(event.time_ns)
                self.now_ns = event.time_ns
                self.exchange.apply(event)
                self._count(event)
                self._instant_is_open = True
            now = self._stop(until_ns)
            self._integrate(now)
            self.now_ns = now
            while self._requests and self._requests[0][0] <= now:
                _, _, what, key, details = heappop(self._requests)
                self._act(what, key, details)
            if not self._closed and now >= self._close_ns:
                self._closed = True
                for order in sorted(self.exchange.resting, key=lambda order: order.key):
                    self.exchange.cancel(order, Reason.CLOSED)
            received = []
            while self._reports and self._reports[0].received_time_ns <= now:
                received.append(self._reports.popleft())
            if received or now == until_ns:
                return received

    def snapshot(self) -> Snapshot:
        book = self.exchange.book
        bid, ask = book.best(BID), book.best(ASK)
        return Snapshot(
            self.now_ns,
            None if bid is None else bid // 2,
            None if ask is None else ask // 2,
            0 if bid is None else book.quantity(BID, bid),
            0 if ask is None else book.quantity(ASK, ask),
            self._volume,
            self._auction,
            self._notional,
            self._mid_sum,
            self._mid_ns,
            self._last,
            self._trades,
            self._crossed,
            self._locked,
            self.exchange.displaced,
            self.exchange.is_halted,
            self._closed,
        )

    def open_order(self, key: int) -> tuple[int, int]:
        order = self._orders.get(key)
        return (0, 0) if order is None else (order.remaining, self.exchange.ahead_of(order))

    # --- time ---

    def _stop(self, until_ns: int) -> int:
        """As far as the tape may run before something of ours is due."""
        due = [until_ns]
        if self._requests:
            due.append(self._requests[0][0])
        if self._reports:
            due.append(self._reports[0].received_time_ns)
        if not self._closed:
            due.append(self._close_ns)
        return min(due)

    def _integrate(self, time_ns: int) -> None:
        if time_ns <= self._seen_to_ns or self._closed:
            return
        bid, ask = self.exchange.book.best(BID), self.exchange.book.best(ASK)
        if bid is not None and ask is not None:
            if bid < ask:
                self._mid_sum += (bid + ask) // 2 * (time_ns - self._seen_to_ns)
                self._mid_ns += time_ns - self._seen_to_ns
            elif self._instant_is_open:
                self._crossed += bid > ask
                self._locked += bid == ask
        self._instant_is_open = False
        self._seen_to_ns = time_ns

    def _count(self, event: Event) -> None:
        if event.kind in ("fill", "hidden", "print", "cross"):
            self._print(event.price, event.quantity)
            self._auction += event.quantity if event.kind == "cross" else 0

    def _print(self, price: int, quantity: int) -> None:
        self._volume += quantity
        self._notional += price * quantity
        self._last = price
        self._trades += 1

    # --- requests ---

    def _ask(self, arrives_ns: int, what: str, key: int, details: Any) -> None:
        heappush(self._requests, (max(arrives_ns, self.now_ns), self._calls, what, key, details))
        self._calls += 1

    def _act(self, what: str, key: int, details: Any) -> None:
        known, order = key in self._orders, self._orders.get(key)
        if what == "submit":
            if known:
                self._say(key, ReportKind.REJECTED, details.quantity, Reason.REPEATED_KEY)
            elif self._closed:
                self._orders[key] = None
                self._say(key, ReportKind.REJECTED, details.quantity, Reason.CLOSED)
            else:
                self._orders[key] = details
                self._accepting = (ReportKind.ACCEPTED, key, details.quantity)
                self.exchange.arrive(details)
                self._accept()
        elif what == "cancel":
            if not known:
                self._say(key, ReportKind.CANCELLED, 0, Reason.UNKNOWN_KEY)
            elif order is not None:
                self.exchange.cancel(order)
        elif not known:
            self._say(key, ReportKind.REJECTED, 0, Reason.UNKNOWN_KEY)
        elif order is not None:
            quantity, price = details
            self._accepting = (ReportKind.AMENDED, key, quantity)
            self.exchange.amend(order, quantity, order.price if price is None else price)
            self._accept()

    # --- answers ---

    def _accept(self) -> None:
        """An order is accepted before its first fill is told; a refused one never is."""
        if self._accepting is not None:
            kind, key, quantity = self._accepting
            self._accepting = None
            self._say(key, kind, quantity, Reason.NONE)

    def _on_fill(
        self, order: OwnOrder, quantity: int, price: int, liquidity: LiquidityKind, is_new_volume: bool
    ) -> None:
        self._accept()
        self._say(order.key, ReportKind.FILL, quantity, Reason.NONE, price, liquidity, is_new_volume)
        if is_new_volume:
            self._print(price, quantity)

    def _on_done(self, order: OwnOrder, returned: int, why: Reason) -> None:
        self._orders[order.key] = None
        if why is Reason.UNFILLED:
            self._accept()
        if why is not Reason.NONE:
            self._accepting = None
            kind = {
                Reason.ASKED: ReportKind.CANCELLED,
                Reason.UNFILLED: ReportKind.CANCELLED,
                Reason.CLOSED: ReportKind.EXPIRED,
            }.get(why, ReportKind.REJECTED)
            self._say(order.key, kind, returned, why)

    def _say(
        self,
        key: int,
        kind: ReportKind,
        quantity: int,
        reason: Reason,
        price: int = 0,
        liquidity: LiquidityKind = LiquidityKind.ADDED,
        is_new_volume: bool = False,
    ) -> None:
        bid, ask = self.exchange.book.best(BID), self.exchange.book.best(ASK)
        self._reports.append(
            Report(
                kind,
                key,
                self.now_ns,
                self.now_ns + self._delay_ns,
                quantity,
                price,
                liquidity,
                reason,
                None if bid is None else bid // 2,
                None if ask is None else ask // 2,
                is_new_volume,
            )
        )
