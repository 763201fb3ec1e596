"""A market to trade against where there is no recording: seeded, in event time, its price answers our orders.

The books, the flow and the impact are the native core's (`native/include/bestex/generated_market.hpp`); this file gives
it days, instruments and words. A day of an instrument depends on (seed, instrument, date) and on our own orders only.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from heapq import heappop, heappush
from statistics import NormalDist
from typing import Final

from bestex.domain.errors import InvalidInput, InvalidOrder, NotFound
from bestex.domain.fills import Liquidity, ReportKind, VenueReport
from bestex.domain.ids import ChildOrderId, ExecutionId, InstrumentId, VenueId
from bestex.domain.instruments import Instrument
from bestex.domain.market import Bar, Book, BookLevel, MarketSnapshot, Quote, Trade, VenueQuote
from bestex.domain.orders import ChildOrder, OrderType, Side, TimeInForce
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND
from bestex.domain.venues import Venue
from bestex.native import _core
from bestex.simulation.generated_listings import IMPACT, LISTINGS, VENUES, GeneratedListing
from bestex.simulation.session_calendar import Session, SessionCalendar

_LIT: Final = len(VENUES) - 1
_VENUE_INDEX: Final = {venue.venue_id: index for index, venue in enumerate(VENUES)}
_LOTS_MAX: Final = 2**31 - 1
_OPENING_PRICE_SD: Final = 0.02  # around the usual price, from day to day
_UNKNOWN_VENUE: Final = VenueId("UNKNOWN")
_START_AFTER_OPEN_NS: Final = 30 * NS_PER_MINUTE

# The native core's codes, in its order.
_LIMIT, _MARKET, _POST_ONLY, _IMMEDIATE, _MIDPOINT_PEG = range(5)
_KINDS: Final = (ReportKind.NEW, ReportKind.FILL, ReportKind.CANCELLED, ReportKind.REJECTED, ReportKind.EXPIRED)
_LIQUIDITY: Final = (Liquidity.ADDED, Liquidity.REMOVED, Liquidity.MIDPOINT)
_REASONS: Final = (
    None,
    "cancel asked",
    "no more liquidity within the limit",
    "gave way to an order of the same owner",
    "a post-only order would have taken liquidity",
    "price is outside the venue's price band",
    "session is closed",
)


@dataclass(frozen=True)
class _Sent:
    """A child order that a venue has been given."""

    handle: int
    child: ChildOrder
    native: _core.GeneratedMarket


class GeneratedMarket:
    """Implements `bestex.ports.Market`. Everything it says carries `is_generated`.

    Args:
        seed: chooses all that others do; any integer.
        start_ns: where time begins; None = half an hour into the latest session opened before `wall_ns`.
        wall_ns: the present, only used when `start_ns` is None.
        listings: instruments with their flows.
        calendar: sessions of them all; None = XNYS.
        impact: see `generated_listings.IMPACT`; 0 = the market does not remember our fills.

    Raises:
        InvalidInput: if neither time is given, or there is no session at or after the start.
    """

    def __init__(
        self,
        *,
        seed: int,
        start_ns: int | None = None,
        wall_ns: int | None = None,
        listings: Sequence[GeneratedListing] = LISTINGS,
        calendar: SessionCalendar | None = None,
        impact: float = IMPACT,
    ) -> None:
        self.seed = seed
        self._calendar = SessionCalendar.named("XNYS") if calendar is None else calendar
        self.now_ns = _start(self._calendar, start_ns, wall_ns)
        self._impact = impact
        self._listings = {listing.instrument.instrument_id: listing for listing in listings}
        self._seen: set[str] = set()
        self._sent: dict[str, _Sent] = {}
        self._ids: dict[int, str] = {}
        self._outbox: list[tuple[int, int, ChildOrder | ChildOrderId]] = []  # leaves the desk at a later time
        self._answers: list[tuple[int, int, VenueReport]] = []  # of the gateway, not of a book
        self._sequence = 0
        self._executions = 0
        self._started_ns = self.now_ns
        session = self._calendar.at_or_after(self.now_ns)
        if session is None:
            raise InvalidInput(
                f"the calendar has no session at or after {self.now_ns} ns", field="start_ns", value=self.now_ns
            )
        self._begin(session)

    def instruments(self) -> Sequence[Instrument]:
        return tuple(listing.instrument for listing in self._listings.values())

    def venues(self) -> Sequence[Venue]:
        return VENUES

    def session(self, instrument_id: str, time_ns: int) -> tuple[int, int] | None:
        self._listing(instrument_id)
        session = self._calendar.at_or_after(time_ns)
        return None if session is None else (session.open_ns, session.close_ns)

    def snapshot(self, instrument_id: str) -> MarketSnapshot:
        instrument = self._listing(instrument_id).instrument
        native = self._natives[instrument.instrument_id]
        _, bid, ask, bid_lots, ask_lots = native.quote()
        counters = native.counters(self.now_ns)
        last = counters["last_half_ticks"]
        half_tick_lot = instrument.tick_size * instrument.lot_size / 2
        return MarketSnapshot(
            instrument_id=instrument.instrument_id,
            time_ns=self.now_ns,
            bid=_price(instrument, bid),
            ask=_price(instrument, ask),
            bid_quantity=instrument.lots_to_quantity(bid_lots),
            ask_quantity=instrument.lots_to_quantity(ask_lots),
            last_price=None if last is None else instrument.half_ticks_to_price(last),
            cumulative_volume=instrument.lots_to_quantity(_whole(counters["volume"])),
            cumulative_notional=half_tick_lot * _whole(counters["notional_half_ticks"]),
            # Half ticks of bid + ask are the mid itself in half ticks.
            mid_time_integral=(instrument.tick_size * _whole(counters["mid_integral_half_ticks_ns"]) / 2).scaleb(-9),
            mid_seconds=Decimal(_whole(counters["mid_time_ns"])).scaleb(-9),
            venues=tuple(self._venue_quote(instrument, native, index) for index in range(_LIT)),
            is_generated=True,
        )

    def submit(self, child: ChildOrder, at_ns: int) -> None:
        at_ns = max(at_ns, self.now_ns)
        if child.child_order_id in self._seen:
            self._reject(child, at_ns, f"child order id {child.child_order_id} was seen before")
            return
        self._seen.add(child.child_order_id)
        if at_ns > self.now_ns:
            heappush(self._outbox, (at_ns, self._next(), child))
        else:
            self._send(child)

    def cancel(self, child_order_id: str, at_ns: int) -> None:
        at_ns = max(at_ns, self.now_ns)
        if child_order_id not in self._seen:
            self._answer(
                ReportKind.CANCELLED,
                ChildOrderId(child_order_id),
                _UNKNOWN_VENUE,
                Decimal(0),
                at_ns,
                "unknown child order",
            )
        elif at_ns > self.now_ns:
            heappush(self._outbox, (at_ns, self._next(), ChildOrderId(child_order_id)))
        else:
            self._send_cancel(child_order_id)

    def advance(self, until_ns: int) -> Sequence[VenueReport]:
        until_ns = max(until_ns, self.now_ns)
        natives = list(self._natives.values())
        while True:
            bound = until_ns
            if self._outbox:
                bound = min(bound, self._outbox[0][0])
            if self._answers:
                bound = min(bound, self._answers[0][0])
            if self._next_session is not None:
                bound = min(bound, self._next_session.open_ns)
            self.now_ns = _core.advance_markets(natives, bound)
            if self._next_session is not None and self.now_ns == self._next_session.open_ns:
                reports = self._take_reports()  # the old books' last words
                self._begin(self._next_session)
                natives = list(self._natives.values())
            else:
                reports = []
            while self._outbox and self._outbox[0][0] <= self.now_ns:
                _, _, what = heappop(self._outbox)
                if isinstance(what, ChildOrder):
                    self._send(what)
                else:
                    self._send_cancel(what)
            reports += self._take_reports()
            if reports or self.now_ns >= until_ns:
                return reports

    def quotes(self, instrument_id: str, start_ns: int, end_ns: int, limit: int = 10_000) -> Sequence[Quote]:
        """The latest `limit` best quotes of this session, from the one standing at `start_ns` to before `end_ns`."""
        instrument, native = self._instrument_and_native(instrument_id)
        return [
            Quote(
                time_ns=time_ns,
                bid=_price(instrument, bid),
                ask=_price(instrument, ask),
                bid_quantity=instrument.lots_to_quantity(bid_lots),
                ask_quantity=instrument.lots_to_quantity(ask_lots),
            )
            for time_ns, bid, ask, bid_lots, ask_lots in native.quotes(start_ns, end_ns, _limit(limit))
        ]

    def trades(self, instrument_id: str, start_ns: int, end_ns: int, limit: int = 10_000) -> Sequence[Trade]:
        """The latest `limit` prints of this session from `start_ns` to before `end_ns`, ours included."""
        instrument, native = self._instrument_and_native(instrument_id)
        return [
            Trade(
                time_ns=time_ns,
                price=instrument.half_ticks_to_price(half_ticks),
                quantity=instrument.lots_to_quantity(lots),
                venue=VENUES[venue].venue_id,
                aggressor=None if sign == 0 else Side.BUY.value if sign > 0 else Side.SELL.value,
            )
            for time_ns, half_ticks, lots, venue, sign, _ in native.trades(start_ns, end_ns, _limit(limit))
        ]

    def bars(self, instrument_id: str, start_ns: int, end_ns: int, bar_seconds: int) -> Sequence[Bar]:
        """Bars of this session's prints, from `start_ns` on; the last one may be shorter.

        Raises:
            InvalidInput: if a bar is shorter than a second, or there would be more than 100,000.
        """
        instrument, native = self._instrument_and_native(instrument_id)
        if bar_seconds < 1:
            raise InvalidInput(
                f"bar_seconds {bar_seconds} is too short", field="bar_seconds", value=bar_seconds, expected="1 or more"
            )
        width = bar_seconds * NS_PER_SECOND
        if (end_ns - start_ns) // width >= 100_000:
            raise InvalidInput(
                f"{(end_ns - start_ns) // width + 1} bars are too many",
                field="bar_seconds",
                value=bar_seconds,
                expected="at most 100,000 bars between start and end",
            )

        def at(half_ticks: int | None) -> Decimal | None:
            return None if half_ticks is None else instrument.half_ticks_to_price(half_ticks)

        return [
            Bar(
                start_ns=start,
                end_ns=end,
                open=at(first),
                high=at(high),
                low=at(low),
                close=at(last),
                volume=instrument.lots_to_quantity(lots),
                notional=instrument.tick_size * instrument.lot_size * notional / 2,
            )
            for start, end, first, high, low, last, lots, notional in native.bars(start_ns, end_ns, width)
        ]

    def book(self, instrument_id: str, levels: int = 10) -> Book:
        """All lit venues added up, best price first."""
        instrument, native = self._instrument_and_native(instrument_id)
        return Book(
            time_ns=self.now_ns,
            bids=_consolidated(instrument, native, Side.BUY, levels),
            asks=_consolidated(instrument, native, Side.SELL, levels),
        )

    def digest(self, instrument_id: str) -> int:
        """Of all quotes and trades of the session so far: equal digests, equal markets."""
        return self._instrument_and_native(instrument_id)[1].digest()

    def statistics(self, instrument_id: str) -> dict[str, int | None]:
        """Counts of the session so far: instants, events, trades, quotes, locked and crossed consolidated quotes."""
        return self._instrument_and_native(instrument_id)[1].counters(self.now_ns)

    def quantity_ahead(self, child_order_id: str) -> Decimal | None:
        """Displayed quantity before our order in its queue; None if it does not rest displayed."""
        sent = self._sent.get(child_order_id)
        if sent is None:
            return None
        lots = sent.native.quantity_ahead(sent.handle, _VENUE_INDEX[sent.child.venue])
        instrument = self._listing(sent.child.instrument_id).instrument
        return None if lots is None else instrument.lots_to_quantity(lots)

    def _listing(self, instrument_id: str) -> GeneratedListing:
        try:
            return self._listings[InstrumentId(instrument_id)]
        except KeyError:
            raise NotFound(
                f"the generated market has no instrument {instrument_id}",
                field="instrument_id",
                value=instrument_id,
                expected=", ".join(self._listings),
            ) from None

    def _instrument_and_native(self, instrument_id: str) -> tuple[Instrument, _core.GeneratedMarket]:
        instrument = self._listing(instrument_id).instrument
        return instrument, self._natives[instrument.instrument_id]

    def _begin(self, session: Session) -> None:
        """New books for the session, run up to now."""
        self._session = session
        self._next_session = self._calendar.at_or_after(session.close_ns)
        self._natives = {
            instrument_id: _native(listing, self.seed, session, self._impact)
            for instrument_id, listing in self._listings.items()
        }
        for native in self._natives.values():
            native.run_until(self.now_ns)
        self._sent = {}
        self._ids = {}

    def _send(self, child: ChildOrder) -> None:
        """Gives the child order to its venue now."""
        venue = _VENUE_INDEX.get(child.venue)
        listing = self._listings.get(child.instrument_id)
        if venue is None:
            self._reject(child, self.now_ns, f"unknown venue {child.venue}; known are {', '.join(_VENUE_INDEX)}")
            return
        if listing is None:
            self._reject(child, self.now_ns, f"unknown instrument {child.instrument_id}")
            return
        try:
            kind, price, lots = _checked(child, listing.instrument)
        except InvalidOrder as error:
            self._reject(child, self.now_ns, error.message)
            return
        native = self._natives[child.instrument_id]
        handle = self._next()
        self._sent[child.child_order_id] = _Sent(handle, child, native)
        self._ids[handle] = child.child_order_id
        native.submit(handle, venue, child.side.sign, kind, price, lots, self.now_ns)

    def _send_cancel(self, child_order_id: str) -> None:
        sent = self._sent.get(child_order_id)
        if sent is not None:  # otherwise it was refused, or ended with an earlier session
            sent.native.cancel(sent.handle, _VENUE_INDEX[sent.child.venue], self.now_ns)

    def _reject(self, child: ChildOrder, at_ns: int, reason: str) -> None:
        self._answer(ReportKind.REJECTED, child.child_order_id, child.venue, child.quantity, at_ns, reason)

    def _answer(
        self, kind: ReportKind, child_order_id: ChildOrderId, venue: VenueId, quantity: Decimal, at_ns: int, reason: str
    ) -> None:
        """A refusal that needs no book: there and back at the venue's latency, at once where there is no such venue."""
        index = _VENUE_INDEX.get(venue)
        latency_ns = 0 if index is None else VENUES[index].order_latency_ns
        report = VenueReport(
            kind=kind,
            child_order_id=child_order_id,
            execution_id=self._execution_id(venue),
            venue=venue,
            venue_time_ns=at_ns + latency_ns,
            received_time_ns=at_ns + 2 * latency_ns,
            quantity=quantity,
            reason=reason,
        )
        heappush(self._answers, (report.received_time_ns, self._next(), report))

    def _take_reports(self) -> list[VenueReport]:
        reports: list[VenueReport] = []
        for instrument_id, native in self._natives.items():
            instrument = self._listings[instrument_id].instrument
            reports.extend(self._report(instrument, row) for row in native.take_reports(self.now_ns))
        while self._answers and self._answers[0][0] <= self.now_ns:
            reports.append(heappop(self._answers)[2])
        return reports

    def _report(self, instrument: Instrument, row: "_core.OwnReportRow") -> VenueReport:
        received, venue_time, handle, kind_code, reason, liquidity_code, venue_index, lots, half_ticks, bid, ask = row
        kind = _KINDS[kind_code]
        venue = VENUES[venue_index]
        quantity = instrument.lots_to_quantity(lots)
        is_fill = kind is ReportKind.FILL
        liquidity = _LIQUIDITY[liquidity_code] if is_fill else None
        return VenueReport(
            kind=kind,
            child_order_id=ChildOrderId(self._ids[handle]),
            execution_id=self._execution_id(venue.venue_id),
            venue=venue.venue_id,
            venue_time_ns=venue_time,
            received_time_ns=received,
            quantity=quantity,
            price=None if half_ticks is None else instrument.half_ticks_to_price(half_ticks),
            liquidity=liquidity,
            fee=_fee(venue, liquidity, quantity),
            bid=_price(instrument, bid),
            ask=_price(instrument, ask),
            reason=_REASONS[reason] if kind in (ReportKind.CANCELLED, ReportKind.REJECTED) else None,
        )

    def _execution_id(self, venue: VenueId) -> ExecutionId:
        # A market started again begins later, so it never gives an id that the one before it gave.
        self._executions += 1
        return ExecutionId(f"{venue}-{self._started_ns:x}-{self._executions:06d}")

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _venue_quote(self, instrument: Instrument, native: _core.GeneratedMarket, index: int) -> VenueQuote:
        _, bid, ask, bid_lots, ask_lots = native.venue_quote(index)
        return VenueQuote(
            venue=VENUES[index].venue_id,
            bid=_price(instrument, bid),
            ask=_price(instrument, ask),
            bid_quantity=instrument.lots_to_quantity(bid_lots),
            ask_quantity=instrument.lots_to_quantity(ask_lots),
        )


def day_seed(seed: int, instrument_id: str, session: Session) -> int:
    """64 bits that belong to one instrument's one day."""
    digest = hashlib.sha256(f"{seed}|{instrument_id}|{session.date.isoformat()}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def _native(listing: GeneratedListing, seed: int, session: Session, impact: float) -> _core.GeneratedMarket:
    instrument = listing.instrument
    chosen = day_seed(seed, instrument.instrument_id, session)
    usual_ticks = float(listing.usual_price / instrument.tick_size)
    uniform = ((chosen >> 11) + 0.5) * 2.0**-53
    assert instrument.average_daily_volume is not None, "a generated listing states its volume"
    assert instrument.daily_volatility is not None, "a generated listing states its volatility"
    return _core.GeneratedMarket(
        seed=chosen,
        open_ns=session.open_ns,
        close_ns=session.close_ns,
        opening_price=usual_ticks * (1.0 + _OPENING_PRICE_SD * NormalDist().inv_cdf(uniform)),
        daily_volatility=instrument.daily_volatility,
        instants_per_day=listing.instants_per_day,
        half_spread=listing.half_spread_ticks,
        order_size=listing.order_size,
        market_order_size=listing.market_order_size,
        orders_per_side=listing.orders_per_side,
        average_daily_volume=float(instrument.average_daily_volume / instrument.lot_size),
        impact=impact,
        dark_orders_per_day=listing.dark_orders_per_day,
        dark_order_size=listing.dark_order_size,
        venue_shares=list(listing.venue_shares),
        latency=[venue.order_latency_ns for venue in VENUES],
    )


def _start(calendar: SessionCalendar, start_ns: int | None, wall_ns: int | None) -> int:
    if start_ns is not None:
        return start_ns
    if wall_ns is None:
        raise InvalidInput("a generated market needs start_ns or wall_ns", field="start_ns", expected="UTC nanoseconds")
    session = calendar.latest_opened(wall_ns)
    if session is None:
        raise InvalidInput(f"the calendar has no session before {wall_ns} ns", field="wall_ns", value=wall_ns)
    return session.open_ns + _START_AFTER_OPEN_NS


def _checked(child: ChildOrder, instrument: Instrument) -> tuple[int, int | None, int]:
    """Native kind, limit in ticks and lots of a child order.

    Raises:
        InvalidOrder: with what a venue would object to.
    """
    lots = instrument.quantity_to_lots(child.quantity)
    if lots > _LOTS_MAX:
        raise InvalidOrder(f"quantity {child.quantity} is more than a venue takes at once", field="quantity")
    if child.order_type is OrderType.LIMIT:
        if child.price is None:
            raise InvalidOrder("a limit order needs a price", field="price")
        price = instrument.price_to_ticks(child.price)
        if child.time_in_force is TimeInForce.IOC:
            if child.post_only:
                raise InvalidOrder("an IOC order cannot be post-only", field="post_only")
            return _IMMEDIATE, price, lots
        return (_POST_ONLY if child.post_only else _LIMIT), price, lots
    if child.price is not None:
        raise InvalidOrder(f"a {child.order_type} order has no price", field="price", value=child.price)
    if child.order_type is OrderType.MARKET:
        if child.post_only:
            raise InvalidOrder("a market order cannot be post-only", field="post_only")
        return _MARKET, None, lots
    if child.time_in_force is TimeInForce.IOC:
        raise InvalidOrder("a midpoint peg rests; it cannot be IOC", field="time_in_force")
    return _MIDPOINT_PEG, None, lots


def _fee(venue: Venue, liquidity: Liquidity | None, quantity: Decimal) -> Decimal:
    """Exact; a midpoint execution pays the taker's fee whether it rested or not."""
    if liquidity is None:
        return Decimal(0)
    return quantity * (venue.maker_fee if liquidity is Liquidity.ADDED else venue.taker_fee)


def _price(instrument: Instrument, ticks: int | None) -> Decimal | None:
    return None if ticks is None else instrument.ticks_to_price(ticks)


def _whole(count: int | None) -> int:
    assert count is not None, "the core always counts this"
    return count


def _limit(limit: int) -> int:
    if limit < 1:
        raise InvalidInput(f"limit {limit} is too small", field="limit", value=limit, expected="1 or more")
    return limit


def _consolidated(
    instrument: Instrument, native: _core.GeneratedMarket, side: Side, levels: int
) -> tuple[BookLevel, ...]:
    found: dict[int, tuple[int, int]] = {}
    for venue in range(_LIT):
        for ticks, lots, orders in native.depth(venue, side.sign, levels):
            before = found.get(ticks, (0, 0))
            found[ticks] = (before[0] + lots, before[1] + orders)
    best_first = sorted(found, reverse=side is Side.BUY)[:levels]
    return tuple(
        BookLevel(
            price=instrument.ticks_to_price(ticks),
            quantity=instrument.lots_to_quantity(found[ticks][0]),
            orders=found[ticks][1],
        )
        for ticks in best_first
    )
