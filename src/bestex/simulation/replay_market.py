"""A recorded market to trade against: the tape plays, our orders fill by docs/fill-rules.md, nobody reacts to us.

The tapes, books and fill rules are the native core's (`native/include/bestex/interactive.hpp`); this file gives them
instruments, venues and exact decimals.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import heappop, heappush
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bestex.domain.errors import InvalidInput, InvalidOrder, NotFound
from bestex.domain.fills import Liquidity, ReportKind, VenueReport
from bestex.domain.ids import ChildOrderId, ExecutionId, InstrumentId, VenueId
from bestex.domain.instruments import Instrument
from bestex.domain.market import Bar, Book, BookLevel, MarketSnapshot, Quote, Trade, VenueQuote
from bestex.domain.orders import ChildOrder, OrderType, Side, TimeInForce
from bestex.domain.time import NS_PER_SECOND
from bestex.domain.venues import Venue
from bestex.native.decision import SideCode
from bestex.native.interactive import (
    InteractiveConfig,
    InteractiveReplay,
    LiquidityKind,
    OrderKind,
    Reason,
    Report,
    advance_together,
)
from bestex.native.interactive import ReportKind as NativeReportKind
from bestex.native.replay import QueueModel
from bestex.native.tape import NO_PRICE, Tape

_UNKNOWN_VENUE: Final = VenueId("UNKNOWN")
_BARS_MAX: Final = 100_000
_ALL: Final = 1 << 40
_CROSS: Final = 3  # TRADE_ROWS kind

_KINDS: Final = {
    NativeReportKind.ACCEPTED: ReportKind.NEW,
    NativeReportKind.FILL: ReportKind.FILL,
    NativeReportKind.CANCELLED: ReportKind.CANCELLED,
    NativeReportKind.REJECTED: ReportKind.REJECTED,
    NativeReportKind.EXPIRED: ReportKind.EXPIRED,
}
_LIQUIDITY: Final = {
    LiquidityKind.ADDED: Liquidity.ADDED,
    LiquidityKind.REMOVED: Liquidity.REMOVED,
    LiquidityKind.MIDPOINT: Liquidity.MIDPOINT,
}
_REASONS: Final = {
    Reason.ASKED: "cancel asked",
    Reason.UNFILLED: "no more liquidity within the limit",
    Reason.WOULD_TAKE: "a post-only order would have taken liquidity",
    Reason.HALTED: "trading is halted",
    Reason.CLOSED: "session is closed",
}
_SIDES: Final = {Side.BUY: SideCode.BUY, Side.SELL: SideCode.SELL}


@dataclass(frozen=True, kw_only=True)
class ReplayListing:
    """One instrument's tape, and the venue it was recorded at.

    Attributes:
        queue_model: on an L2 tape, where cancels stood in the queue; ignored on L3.
        open_ns: start of the session; None = the tape's first row.
        close_ns: when DAY orders expire; None = the tape's last row.
    """

    instrument: Instrument
    tape: Tape
    venue: Venue
    queue_model: QueueModel = QueueModel.PRO_RATA
    open_ns: int | None = None
    close_ns: int | None = None


@dataclass
class _Run:
    """One listing while it plays."""

    listing: ReplayListing
    replay: InteractiveReplay
    open_ns: int
    close_ns: int
    taken: list[Trade] = field(default_factory=list)  # our prints that the tape does not have, in time order

    @property
    def instrument(self) -> Instrument:
        return self.listing.instrument


class ReplayMarket:
    """Implements `bestex.ports.Market` over tapes, all on one clock.

    Args:
        listings: one per instrument.
        start_ns: where time begins; None = the first row of the earliest tape.

    Raises:
        InvalidInput: if there is no listing, an instrument is listed twice, its tick or lot is not its tape's, or the
            start lies beyond every tape.
    """

    def __init__(self, listings: Sequence[ReplayListing], *, start_ns: int | None = None) -> None:
        self._runs = {listing.instrument.instrument_id: _started(listing) for listing in listings}
        if not listings or len(self._runs) < len(listings):
            raise InvalidInput("list each instrument once, and at least one", field="listings", value=len(listings))
        first_ns = min(run.listing.tape.metadata.first_time_ns for run in self._runs.values())
        self.now_ns = first_ns if start_ns is None else max(start_ns, first_ns)
        if self.now_ns >= max(run.close_ns for run in self._runs.values()):
            raise InvalidInput(f"the tapes end before {self.now_ns} ns", field="start_ns", value=start_ns)
        for run in self._runs.values():
            run.replay.advance(self.now_ns)
        self._venues = {run.listing.venue.venue_id: run.listing.venue for run in self._runs.values()}
        self._keys: dict[str, int] = {}  # child order id -> key
        self._children: list[ChildOrder] = []  # by key
        self._sent: set[int] = set()  # keys that go on to a venue: the gateway has not refused them
        self._answers: list[tuple[int, int, VenueReport]] = []  # of the gateway: what never reaches a book
        self._sequence = 0
        self._executions = 0

    def instruments(self) -> Sequence[Instrument]:
        return tuple(run.instrument for run in self._runs.values())

    def venues(self) -> Sequence[Venue]:
        return tuple(self._venues.values())

    def session(self, instrument_id: str, time_ns: int) -> tuple[int, int] | None:
        run = self._run(instrument_id)
        return (run.open_ns, run.close_ns) if time_ns < run.close_ns else None

    def snapshot(self, instrument_id: str) -> MarketSnapshot:
        run = self._run(instrument_id)
        now, instrument = run.replay.snapshot(), run.instrument
        bid, ask = _price(instrument, now.bid_ticks), _price(instrument, now.ask_ticks)
        bid_quantity = instrument.lots_to_quantity(now.bid_quantity)
        ask_quantity = instrument.lots_to_quantity(now.ask_quantity)
        last = now.last_price_half_ticks
        return MarketSnapshot(
            instrument_id=instrument.instrument_id,
            time_ns=self.now_ns,
            bid=bid,
            ask=ask,
            bid_quantity=bid_quantity,
            ask_quantity=ask_quantity,
            last_price=None if last is None else instrument.half_ticks_to_price(last),
            cumulative_volume=instrument.lots_to_quantity(now.volume),
            cumulative_notional=instrument.tick_size * instrument.lot_size * now.notional_half_ticks / 2,
            # Bid and ask in ticks add up to the mid in half ticks.
            mid_time_integral=(instrument.tick_size * now.mid_half_ticks_ns / 2).scaleb(-9),
            mid_seconds=Decimal(now.mid_ns).scaleb(-9),
            venues=(
                VenueQuote(
                    venue=run.listing.venue.venue_id,
                    bid=bid,
                    ask=ask,
                    bid_quantity=bid_quantity,
                    ask_quantity=ask_quantity,
                ),
            ),
            is_generated=instrument.is_generated,
        )

    def submit(self, child: ChildOrder, at_ns: int) -> None:
        at_ns = max(at_ns, self.now_ns)
        if child.child_order_id in self._keys:
            self._reject(child, at_ns, f"child order id {child.child_order_id} was seen before")
            return
        key = len(self._children)
        self._keys[child.child_order_id] = key
        self._children.append(child)
        run = self._runs.get(child.instrument_id)
        if run is None:
            self._reject(child, at_ns, f"unknown instrument {child.instrument_id}")
        elif child.venue != run.listing.venue.venue_id:
            self._reject(child, at_ns, f"unknown venue {child.venue}; the tape is {run.listing.venue.venue_id}'s")
        else:
            try:
                kind, price_ticks, lots = _checked(child, run.instrument)
            except InvalidOrder as error:
                self._reject(child, at_ns, error.message)
                return
            self._sent.add(key)
            run.replay.submit(
                key,
                kind=kind,
                side=_SIDES[child.side],
                quantity=lots,
                price_ticks=price_ticks,
                arrives_ns=at_ns + run.listing.venue.order_latency_ns,
            )

    def cancel(self, child_order_id: str, at_ns: int) -> None:
        at_ns = max(at_ns, self.now_ns)
        key = self._keys.get(child_order_id)
        if key is None:
            self._answer(
                ReportKind.CANCELLED,
                ChildOrderId(child_order_id),
                _UNKNOWN_VENUE,
                Decimal(0),
                at_ns,
                "unknown child order",
            )
            return
        if key in self._sent:
            run = self._runs[self._children[key].instrument_id]
            run.replay.cancel(key, arrives_ns=at_ns + run.listing.venue.order_latency_ns)

    def advance(self, until_ns: int) -> Sequence[VenueReport]:
        until_ns = max(until_ns, self.now_ns)
        runs = list(self._runs.values())
        bound = min(until_ns, self._answers[0][0]) if self._answers else until_ns
        self.now_ns, received = advance_together([run.replay for run in runs], bound)
        reports = [self._report(run, report) for run, heard in zip(runs, received, strict=True) for report in heard]
        while self._answers and self._answers[0][0] <= self.now_ns:
            reports.append(heappop(self._answers)[2])
        return reports

    def quotes(self, instrument_id: str, start_ns: int, end_ns: int, limit: int = 10_000) -> Sequence[Quote]:
        """The latest `limit` best quotes so far, from the one that stood at `start_ns` to before `end_ns`."""
        run = self._run(instrument_id)
        instrument = run.instrument
        found = run.listing.tape.quotes(start_ns, min(end_ns, self.now_ns + 1), limit=_limit(limit))
        return [
            Quote(
                time_ns=time_ns,
                bid=None if bid == NO_PRICE else instrument.ticks_to_price(bid),
                ask=None if ask == NO_PRICE else instrument.ticks_to_price(ask),
                bid_quantity=instrument.lots_to_quantity(bid_lots),
                ask_quantity=instrument.lots_to_quantity(ask_lots),
            )
            for time_ns, bid, ask, bid_lots, ask_lots in found.tolist()
        ]

    def trades(self, instrument_id: str, start_ns: int, end_ns: int, limit: int = 10_000) -> Sequence[Trade]:
        """The latest `limit` prints so far from `start_ns` to before `end_ns`, what we took included."""
        run = self._run(instrument_id)
        instrument, venue = run.instrument, run.listing.venue.venue_id
        found = [
            Trade(
                time_ns=time_ns,
                price=instrument.half_ticks_to_price(half_ticks),
                quantity=instrument.lots_to_quantity(lots),
                venue=venue,
                aggressor=None if kind == _CROSS else (Side.BUY if aggressor == SideCode.BUY else Side.SELL).value,
            )
            for time_ns, half_ticks, lots, aggressor, kind, _ in self._tape_trades(
                run, start_ns, end_ns, _limit(limit)
            ).tolist()
        ]
        ours = [trade for trade in run.taken if start_ns <= trade.time_ns < end_ns]
        if ours:
            # The tape comes first at one time: our orders act when its rows are applied.
            found = sorted([*found, *ours], key=lambda trade: trade.time_ns)
        return found[-limit:]

    def bars(self, instrument_id: str, start_ns: int, end_ns: int, bar_seconds: int) -> Sequence[Bar]:
        """Bars of the prints so far, from `start_ns` on; the last one may be shorter.

        Raises:
            InvalidInput: if a bar is shorter than a second, or there would be more than 100,000.
        """
        width = _bar_width(start_ns, end_ns, bar_seconds)
        run = self._run(instrument_id)
        instrument = run.instrument
        rows = self._tape_trades(run, start_ns, end_ns, _ALL)
        half_tick, lot = instrument.tick_size / 2, instrument.lot_size
        ours = [trade for trade in run.taken if start_ns <= trade.time_ns < end_ns]
        times = np.concatenate([rows["time_ns"], np.array([t.time_ns for t in ours], np.int64)])
        prices = np.concatenate(
            [rows["price_half_ticks"], np.array([int(t.price / half_tick) for t in ours], np.int64)]
        )
        lots = np.concatenate([rows["quantity"], np.array([int(t.quantity / lot) for t in ours], np.int64)])
        order = np.argsort(times, kind="stable")
        times, prices, lots = times[order], prices[order], lots[order]
        starts = range(start_ns, min(end_ns, self.now_ns + 1), width)
        edges = np.searchsorted(times, [*starts, end_ns])
        return [
            _bar(instrument, start, min(start + width, end_ns), prices[low:high], lots[low:high])
            for start, low, high in zip(starts, edges, edges[1:], strict=False)
        ]

    def book(self, instrument_id: str, levels: int = 10) -> Book:
        """The tape's displayed book, best first. Our own resting orders are not in it."""
        run = self._run(instrument_id)

        def side(code: SideCode) -> tuple[BookLevel, ...]:
            return tuple(
                BookLevel(
                    price=run.instrument.ticks_to_price(level.price_ticks),
                    quantity=run.instrument.lots_to_quantity(level.quantity),
                    orders=level.orders,
                )
                for level in run.replay.depth(code, levels)
            )

        return Book(time_ns=self.now_ns, bids=side(SideCode.BUY), asks=side(SideCode.SELL))

    def quantity_ahead(self, child_order_id: str) -> Decimal | None:
        """Displayed quantity that trades before our order; None if it does not rest."""
        key = self._keys.get(child_order_id)
        if key is None or key not in self._sent:
            return None
        run = self._runs[self._children[key].instrument_id]
        open_lots, ahead = run.replay.open_order(key)
        return run.instrument.lots_to_quantity(ahead) if open_lots else None

    def _run(self, instrument_id: str) -> _Run:
        try:
            return self._runs[InstrumentId(instrument_id)]
        except KeyError:
            raise NotFound(
                f"there is no tape of {instrument_id}",
                field="instrument_id",
                value=instrument_id,
                expected=", ".join(self._runs),
            ) from None

    def _tape_trades(self, run: _Run, start_ns: int, end_ns: int, limit: int) -> NDArray[np.void]:
        return run.listing.tape.trades(start_ns, min(end_ns, self.now_ns + 1), limit=limit)

    def _reject(self, child: ChildOrder, at_ns: int, reason: str) -> None:
        self._answer(ReportKind.REJECTED, child.child_order_id, child.venue, child.quantity, at_ns, reason)

    def _answer(
        self, kind: ReportKind, child_id: ChildOrderId, venue_id: VenueId, quantity: Decimal, at_ns: int, reason: str
    ) -> None:
        venue = self._venues.get(venue_id)
        latency_ns = 0 if venue is None else venue.order_latency_ns
        report = VenueReport(
            kind=kind,
            child_order_id=child_id,
            execution_id=self._execution_id(venue_id, at_ns),
            venue=venue_id,
            venue_time_ns=at_ns + latency_ns,
            received_time_ns=at_ns + 2 * latency_ns,
            quantity=quantity,
            reason=reason,
        )
        self._sequence += 1
        heappush(self._answers, (report.received_time_ns, self._sequence, report))

    def _report(self, run: _Run, report: Report) -> VenueReport:
        instrument, venue, child = run.instrument, run.listing.venue, self._children[report.key]
        quantity = instrument.lots_to_quantity(report.quantity)
        is_fill = report.kind is NativeReportKind.FILL
        liquidity = _LIQUIDITY[report.liquidity] if is_fill else None
        price = instrument.half_ticks_to_price(report.price_half_ticks) if is_fill else None
        if price is not None and report.is_new_volume:
            run.taken.append(
                Trade(
                    time_ns=report.venue_time_ns,
                    price=price,
                    quantity=quantity,
                    venue=venue.venue_id,
                    aggressor=(child.side if liquidity is Liquidity.REMOVED else _other(child.side)).value,
                )
            )
        return VenueReport(
            kind=_KINDS[report.kind],
            child_order_id=child.child_order_id,
            execution_id=self._execution_id(venue.venue_id, report.venue_time_ns),
            venue=venue.venue_id,
            venue_time_ns=report.venue_time_ns,
            received_time_ns=report.received_time_ns,
            quantity=quantity,
            price=price,
            liquidity=liquidity,
            fee=_fee(venue, liquidity, quantity),
            bid=_price(instrument, report.bid_ticks),
            ask=_price(instrument, report.ask_ticks),
            reason=_REASONS.get(report.reason)
            if report.kind in (NativeReportKind.CANCELLED, NativeReportKind.REJECTED)
            else None,
        )

    def _execution_id(self, venue: VenueId, time_ns: int) -> ExecutionId:
        self._executions += 1
        return ExecutionId(f"{venue}-{time_ns // (86_400 * NS_PER_SECOND)}-{self._executions:06d}")


def _started(listing: ReplayListing) -> _Run:
    instrument, metadata = listing.instrument, listing.tape.metadata
    for name, ours, tapes in (
        ("tick_size", instrument.tick_size, metadata.tick_size),
        ("lot_size", instrument.lot_size, metadata.lot_size),
    ):
        if ours != Decimal(tapes):
            raise InvalidInput(
                f"{instrument.instrument_id} has a {name} of {ours}, but its tape was built with {tapes}",
                field=name,
                value=ours,
                expected=tapes,
            )
    close_ns = max(listing.close_ns or 0, metadata.last_time_ns)
    replay = InteractiveReplay(
        listing.tape,
        InteractiveConfig(
            report_delay_ns=listing.venue.order_latency_ns, queue_model=listing.queue_model, close_ns=close_ns
        ),
    )
    return _Run(listing, replay, metadata.first_time_ns if listing.open_ns is None else listing.open_ns, close_ns)


def _checked(child: ChildOrder, instrument: Instrument) -> tuple[OrderKind, int | None, int]:
    """Kind, limit in ticks and lots of a child order.

    Raises:
        InvalidOrder: with what a venue would object to.
    """
    lots = instrument.quantity_to_lots(child.quantity)
    if child.order_type is OrderType.LIMIT:
        if child.price is None:
            raise InvalidOrder("a limit order needs a price", field="price")
        price = instrument.price_to_ticks(child.price)
        if child.time_in_force is TimeInForce.IOC:
            if child.post_only:
                raise InvalidOrder("an IOC order cannot be post-only", field="post_only")
            return OrderKind.IMMEDIATE, price, lots
        return (OrderKind.POST_ONLY if child.post_only else OrderKind.LIMIT), price, lots
    if child.price is not None:
        raise InvalidOrder(f"a {child.order_type} order has no price", field="price", value=child.price)
    if child.order_type is OrderType.MARKET:
        if child.post_only:
            raise InvalidOrder("a market order cannot be post-only", field="post_only")
        return OrderKind.MARKET, None, lots
    if child.time_in_force is TimeInForce.IOC:
        raise InvalidOrder("a midpoint peg rests; it cannot be IOC", field="time_in_force")
    return OrderKind.MIDPOINT, None, lots


def _fee(venue: Venue, liquidity: Liquidity | None, quantity: Decimal) -> Decimal:
    """Exact; a midpoint execution pays the taker's fee though it rested."""
    if liquidity is None:
        return Decimal(0)
    return quantity * (venue.maker_fee if liquidity is Liquidity.ADDED else venue.taker_fee)


def _bar(instrument: Instrument, start_ns: int, end_ns: int, prices: NDArray[np.int64], lots: NDArray[np.int64]) -> Bar:
    def at(half_ticks: int) -> Decimal | None:
        return instrument.half_ticks_to_price(int(half_ticks)) if len(prices) else None

    notional = sum(price * quantity for price, quantity in zip(prices.tolist(), lots.tolist(), strict=True))
    return Bar(
        start_ns=start_ns,
        end_ns=end_ns,
        open=at(prices[0]) if len(prices) else None,
        high=at(prices.max()) if len(prices) else None,
        low=at(prices.min()) if len(prices) else None,
        close=at(prices[-1]) if len(prices) else None,
        volume=instrument.lots_to_quantity(int(lots.sum())),
        notional=instrument.tick_size * instrument.lot_size * notional / 2,
    )


def _bar_width(start_ns: int, end_ns: int, bar_seconds: int) -> int:
    if bar_seconds < 1:
        raise InvalidInput(
            f"bar_seconds {bar_seconds} is too short", field="bar_seconds", value=bar_seconds, expected="1 or more"
        )
    width = bar_seconds * NS_PER_SECOND
    if (end_ns - start_ns) // width >= _BARS_MAX:
        raise InvalidInput(
            f"{(end_ns - start_ns) // width + 1} bars are too many",
            field="bar_seconds",
            value=bar_seconds,
            expected="at most 100,000 bars between start and end",
        )
    return width


def _limit(limit: int) -> int:
    if limit < 1:
        raise InvalidInput(f"limit {limit} is too small", field="limit", value=limit, expected="1 or more")
    return limit


def _price(instrument: Instrument, ticks: int | None) -> Decimal | None:
    return None if ticks is None else instrument.ticks_to_price(ticks)


def _other(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY
