"""The matching engine in plain Python: the same rules, in the same order, as `native/src/matching.cpp`."""

from dataclasses import dataclass, field

from bestex.native.matching import ANY_PRICE, MatchEvent, MatchKind, MatchReason, OperationKind

BUY, SELL = 0, 1


@dataclass
class Order:
    id: int
    owner: int
    side: int
    price: int | None  # ticks; None = a peg
    remaining: int


@dataclass
class MatchingEngine:
    """A price-time order book. Prices are ticks from `lowest_price` on, `levels` of them."""

    lowest_price: int
    levels: int
    queues: tuple[dict[int, list[Order]], dict[int, list[Order]]] = field(default_factory=lambda: ({}, {}))
    pegs: tuple[list[Order], list[Order]] = field(default_factory=lambda: ([], []))
    live: dict[int, Order] = field(default_factory=dict)
    events: list[MatchEvent] = field(default_factory=list)
    has_own_midpoint: bool = True
    given_midpoint: int | None = None

    @property
    def best_bid(self) -> int | None:
        return max(self.queues[BUY], default=None)

    @property
    def best_ask(self) -> int | None:
        return min(self.queues[SELL], default=None)

    @property
    def midpoint_half_ticks(self) -> int | None:
        """Where pegs stand; None where they cannot meet anybody."""
        bid, ask = self.best_bid, self.best_ask
        if bid is None or ask is None:
            return None
        if self.has_own_midpoint:
            return bid + ask
        given = self.given_midpoint
        return given if given is not None and 2 * bid < given < 2 * ask else None

    def apply(
        self, kind: OperationKind, side: int, price: int, quantity: int, owner: int, order_id: int
    ) -> list[MatchEvent]:
        self.events = []
        order = Order(order_id, owner, side, price, quantity)
        if kind is OperationKind.IMMEDIATE and price == ANY_PRICE:
            order.price = self.lowest_price + (self.levels - 1 if side == BUY else 0)
        if kind is OperationKind.MIDPOINT_PEG:
            order.price = None
        if kind is OperationKind.CANCEL:
            self._cancel(order_id, MatchReason.ASKED)
        elif kind is OperationKind.AMEND:
            self._amend(order)
        elif self._is_valid(order):
            enter = {
                OperationKind.LIMIT: self._enter,
                OperationKind.IMMEDIATE: self._enter_immediate,
                OperationKind.POST_ONLY: self._enter_post_only,
                OperationKind.MIDPOINT_PEG: self._enter_peg,
            }[kind]
            enter(order)
        return self.events

    def _is_valid(self, order: Order) -> bool:
        if order.remaining <= 0:
            self._reject(order, MatchReason.BAD_QUANTITY)
            return False
        if order.price is not None and not 0 <= order.price - self.lowest_price < self.levels:
            self._reject(order, MatchReason.PRICE_OUT_OF_RANGE)
            return False
        return True

    def _enter(self, order: Order) -> None:
        if order.id in self.live:
            self._reject(order, MatchReason.DUPLICATE_ID)
            return
        assert order.price is not None
        self._take(order, 2 * order.price, takes_displayed=True)
        if order.remaining:
            self._rest(order)

    def _enter_immediate(self, order: Order) -> None:
        if order.id in self.live:
            self._reject(order, MatchReason.DUPLICATE_ID)
            return
        assert order.price is not None
        self._take(order, 2 * order.price, takes_displayed=True)
        if order.remaining:
            self._say(MatchKind.CANCELLED, order, order.remaining, reason=MatchReason.NO_MORE_LIQUIDITY)

    def _enter_post_only(self, order: Order) -> None:
        sign = 1 if order.side == BUY else -1
        touch = self.best_ask if order.side == BUY else self.best_bid
        mid = self.midpoint_half_ticks if self.pegs[1 - order.side] else None
        assert order.price is not None
        if (touch is not None and sign * (order.price - touch) >= 0) or (
            mid is not None and sign * (2 * order.price - mid) >= 0
        ):
            self._reject(order, MatchReason.WOULD_CROSS)
        elif order.id in self.live:
            self._reject(order, MatchReason.DUPLICATE_ID)
        else:
            self._rest(order)

    def _enter_peg(self, order: Order) -> None:
        if order.id in self.live:
            self._reject(order, MatchReason.DUPLICATE_ID)
            return
        mid = self.midpoint_half_ticks
        if mid is not None:
            self._take(order, mid, takes_displayed=False)
        if order.remaining:
            self._rest(order)

    def _take(self, order: Order, limit_half_ticks: int, *, takes_displayed: bool) -> None:
        """Fills the order from the other side, pegs first because their price is better."""
        sign = 1 if order.side == BUY else -1
        other = 1 - order.side
        mid = self.midpoint_half_ticks
        if mid is not None and sign * (limit_half_ticks - mid) >= 0:
            self._take_queue(order, self.pegs[other], mid)
        while takes_displayed and order.remaining:
            best = self.best_ask if order.side == BUY else self.best_bid
            if best is None or sign * (limit_half_ticks - 2 * best) < 0:
                return
            self._take_queue(order, self.queues[other][best], 2 * best)

    def _take_queue(self, order: Order, queue: list[Order], half_ticks: int) -> None:
        while order.remaining and queue:
            maker = queue[0]
            if order.owner and maker.owner == order.owner:
                self._cancel(maker.id, MatchReason.SELF_TRADE)
                continue
            quantity = min(order.remaining, maker.remaining)
            order.remaining -= quantity
            maker.remaining -= quantity
            self._say(MatchKind.TRADED, maker, quantity, order.id, half_ticks, maker.remaining)
            if not maker.remaining:
                self._remove(maker)

    def _rest(self, order: Order) -> None:
        self.live[order.id] = order
        if order.price is None:
            self.pegs[order.side].append(order)
        else:
            self.queues[order.side].setdefault(order.price, []).append(order)
        half_ticks = 0 if order.price is None else 2 * order.price
        self._say(MatchKind.RESTED, order, order.remaining, 0, half_ticks, order.remaining)

    def _remove(self, order: Order) -> None:
        del self.live[order.id]
        if order.price is None:
            self.pegs[order.side].remove(order)
            return
        queue = self.queues[order.side][order.price]
        queue.remove(order)
        if not queue:
            del self.queues[order.side][order.price]

    def _cancel(self, order_id: int, reason: MatchReason) -> None:
        order = self.live.get(order_id)
        if order is None:
            unknown = Order(order_id, 0, BUY, 0, 0)
            self._say(MatchKind.REJECTED, unknown, 0, reason=MatchReason.UNKNOWN_ID)
            return
        self._remove(order)
        self._say(MatchKind.CANCELLED, order, order.remaining, reason=reason)

    def _amend(self, wanted: Order) -> None:
        order = self.live.get(wanted.id)
        if order is None:
            self._reject(wanted, MatchReason.UNKNOWN_ID)
            return
        if order.price is None:
            self._reject(wanted, MatchReason.NOT_AMENDABLE)
            return
        wanted.side, wanted.owner = order.side, order.owner
        if not self._is_valid(wanted):
            return
        if wanted.price == order.price and wanted.remaining <= order.remaining:
            given_back = order.remaining - wanted.remaining
            order.remaining = wanted.remaining
            self._say(
                MatchKind.REDUCED, order, given_back, 0, 2 * order.price, order.remaining, reason=MatchReason.ASKED
            )
            return
        self._remove(order)
        self._say(MatchKind.REPLACED, order, order.remaining, reason=MatchReason.ASKED)
        self._enter(wanted)

    def _reject(self, order: Order, reason: MatchReason) -> None:
        refused = Order(order.id, order.owner, order.side, 0, order.remaining)
        self._say(MatchKind.REJECTED, refused, order.remaining & 0xFFFFFFFF, reason=reason)

    def _say(
        self,
        kind: MatchKind,
        order: Order,
        quantity: int,
        taker: int = 0,
        half_ticks: int = 0,
        remaining: int = 0,
        *,
        reason: MatchReason = MatchReason.NONE,
    ) -> None:
        is_hidden = int(order.price is None)
        self.events.append(
            MatchEvent(kind, order.id, taker, half_ticks, quantity, remaining, order.side, reason, is_hidden)
        )
