"""What every `bestex.ports.Market` promises, as tests. Subclass `MarketSuite` and give it a `case` fixture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from bestex.domain.errors import NotFound
from bestex.domain.fills import Liquidity, ReportKind, VenueReport
from bestex.domain.ids import ChildOrderId, InstrumentId, ParentOrderId, VenueId
from bestex.domain.orders import ChildOrder, OrderType, Side, TimeInForce
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND
from bestex.domain.venues import Venue
from bestex.ports import Market

FINAL = (ReportKind.CANCELLED, ReportKind.REJECTED, ReportKind.EXPIRED)


@dataclass(frozen=True, kw_only=True)
class MarketCase:
    """`make` gives a fresh market in the middle of a session, with both sides quoted, that goes on for ten minutes."""

    make: Callable[[], Market]
    instrument_id: str
    lit_venue: str


def child(case: MarketCase, number: int, side: Side, quantity: int | Decimal, **changes: object) -> ChildOrder:
    order = ChildOrder(
        child_order_id=ChildOrderId(f"C-{number}"),
        parent_order_id=ParentOrderId("P"),
        instrument_id=InstrumentId(case.instrument_id),
        side=side,
        quantity=Decimal(quantity),
        order_type=OrderType.MARKET,
        venue=VenueId(case.lit_venue),
        time_in_force=TimeInForce.IOC,
    )
    return replace(order, **changes)  # type: ignore[arg-type]


def run(market: Market, until_ns: int) -> list[VenueReport]:
    reports: list[VenueReport] = []
    while market.now_ns < until_ns:
        reports += market.advance(until_ns)
    return reports


def venue_of(market: Market, venue_id: str) -> Venue:
    return next(venue for venue in market.venues() if venue.venue_id == venue_id)


def kinds(reports: Sequence[VenueReport], child_order_id: str) -> list[ReportKind]:
    return [report.kind for report in reports if report.child_order_id == child_order_id]


class MarketSuite:
    @pytest.fixture
    def case(self) -> MarketCase:
        raise NotImplementedError("a subclass says which market")

    @pytest.fixture
    def market(self, case: MarketCase) -> Market:
        return case.make()

    def test_the_snapshot_is_of_now_and_not_crossed(self, case: MarketCase, market: Market) -> None:
        snapshot = market.snapshot(case.instrument_id)
        assert snapshot.time_ns == market.now_ns
        assert snapshot.bid is not None
        assert snapshot.ask is not None
        assert snapshot.bid < snapshot.ask
        assert snapshot.bid_quantity > 0
        assert snapshot.ask_quantity > 0
        for quote in snapshot.venues:
            assert quote.bid is None or quote.bid <= snapshot.bid
            assert quote.ask is None or quote.ask >= snapshot.ask

    def test_an_unknown_instrument_is_not_found(self, market: Market) -> None:
        for ask in (market.snapshot, market.book, lambda name: market.session(name, 0)):
            with pytest.raises(NotFound):
                ask("NO-SUCH-THING")

    def test_the_session_at_or_after_a_time_ends_after_it(self, case: MarketCase, market: Market) -> None:
        session = market.session(case.instrument_id, market.now_ns)
        assert session is not None
        assert session[0] <= market.now_ns < session[1]

    def test_time_goes_to_where_it_is_told_and_never_back(self, market: Market) -> None:
        start = market.now_ns
        run(market, start + NS_PER_SECOND)
        assert market.now_ns == start + NS_PER_SECOND
        market.advance(start)
        assert market.now_ns == start + NS_PER_SECOND

    def test_a_market_order_is_acknowledged_then_filled_at_the_touch_or_worse(
        self, case: MarketCase, market: Market
    ) -> None:
        venue_quote = next(q for q in market.snapshot(case.instrument_id).venues if q.venue == case.lit_venue)
        assert venue_quote.ask is not None
        market.submit(child(case, 1, Side.BUY, 1), market.now_ns)
        reports = run(market, market.now_ns + NS_PER_SECOND)
        assert kinds(reports, "C-1") == [ReportKind.NEW, ReportKind.FILL]
        fill = reports[1]
        assert fill.quantity == 1
        assert fill.liquidity in (Liquidity.REMOVED, Liquidity.MIDPOINT)
        assert fill.price is not None
        assert fill.bid is not None
        assert fill.ask is not None
        assert fill.price >= (fill.bid + fill.ask) / 2

    def test_an_answer_takes_the_venue_s_latency_both_ways(self, case: MarketCase, market: Market) -> None:
        sent, latency = market.now_ns, venue_of(market, case.lit_venue).order_latency_ns
        market.submit(child(case, 1, Side.BUY, 1), sent)
        reports = market.advance(sent + NS_PER_SECOND)
        assert reports
        assert all(report.venue_time_ns == sent + latency for report in reports)
        assert all(report.received_time_ns == market.now_ns == sent + 2 * latency for report in reports)

    def test_every_report_is_received_at_the_instant_the_market_stops(self, case: MarketCase, market: Market) -> None:
        for number in range(5):
            market.submit(child(case, number, Side.SELL, 1), market.now_ns + number * 10_000_000)
        end = market.now_ns + NS_PER_SECOND
        seen = 0
        while market.now_ns < end:
            for report in market.advance(end):
                assert report.received_time_ns == market.now_ns
                seen += 1
        assert seen == 10

    def test_an_order_sent_for_later_waits(self, case: MarketCase, market: Market) -> None:
        later = market.now_ns + 3 * NS_PER_SECOND
        market.submit(child(case, 1, Side.BUY, 1), later)
        assert run(market, later) == []
        assert kinds(run(market, later + NS_PER_SECOND), "C-1") == [ReportKind.NEW, ReportKind.FILL]

    def test_the_fee_is_exact(self, case: MarketCase, market: Market) -> None:
        venue = venue_of(market, case.lit_venue)
        market.submit(child(case, 1, Side.BUY, 7), market.now_ns)
        fills = [r for r in run(market, market.now_ns + NS_PER_SECOND) if r.kind is ReportKind.FILL]
        assert fills
        for fill in fills:
            assert fill.fee == fill.quantity * venue.taker_fee

    def test_what_an_immediate_order_does_not_get_is_given_back(self, case: MarketCase, market: Market) -> None:
        book_side = sum(level.quantity for level in market.book(case.instrument_id, 1000).asks)
        market.submit(child(case, 1, Side.BUY, book_side * 10), market.now_ns)
        reports = run(market, market.now_ns + NS_PER_SECOND)
        assert kinds(reports, "C-1")[-1] is ReportKind.CANCELLED
        assert reports[-1].reason
        filled = sum(report.quantity for report in reports if report.kind is ReportKind.FILL)
        assert filled > 0
        assert filled + reports[-1].quantity == book_side * 10

    def test_a_limit_order_never_trades_beyond_its_price(self, case: MarketCase, market: Market) -> None:
        ask = market.snapshot(case.instrument_id).ask
        market.submit(child(case, 1, Side.BUY, 100_000, order_type=OrderType.LIMIT, price=ask), market.now_ns)
        for report in run(market, market.now_ns + 10 * NS_PER_SECOND):
            assert report.price is None or (ask is not None and report.price <= ask)

    def test_a_resting_order_is_acknowledged_and_can_be_cancelled(self, case: MarketCase, market: Market) -> None:
        instrument = next(i for i in market.instruments() if i.instrument_id == case.instrument_id)
        bid = market.snapshot(case.instrument_id).bid
        assert bid is not None
        far = bid - 200 * instrument.tick_size
        market.submit(
            child(
                case,
                1,
                Side.BUY,
                5,
                order_type=OrderType.LIMIT,
                price=far,
                time_in_force=TimeInForce.DAY,
                post_only=True,
            ),
            market.now_ns,
        )
        assert kinds(run(market, market.now_ns + NS_PER_SECOND), "C-1") == [ReportKind.NEW]
        market.cancel("C-1", market.now_ns)
        reports = run(market, market.now_ns + NS_PER_SECOND)
        assert [(r.kind, r.quantity) for r in reports] == [(ReportKind.CANCELLED, Decimal(5))]
        market.cancel("C-1", market.now_ns)
        assert run(market, market.now_ns + NS_PER_SECOND) == []

    def test_a_post_only_order_that_would_take_is_rejected(self, case: MarketCase, market: Market) -> None:
        quote = next(q for q in market.snapshot(case.instrument_id).venues if q.venue == case.lit_venue)
        order = child(
            case,
            1,
            Side.BUY,
            5,
            order_type=OrderType.LIMIT,
            price=quote.ask,
            time_in_force=TimeInForce.DAY,
            post_only=True,
        )
        market.submit(order, market.now_ns)
        reports = run(market, market.now_ns + NS_PER_SECOND)
        assert [(r.kind, r.quantity) for r in reports] == [(ReportKind.REJECTED, Decimal(5))]
        assert reports[0].reason

    def test_a_child_id_seen_before_is_rejected_and_changes_nothing(self, case: MarketCase, market: Market) -> None:
        market.submit(child(case, 1, Side.BUY, 1), market.now_ns)
        run(market, market.now_ns + NS_PER_SECOND)
        market.submit(child(case, 1, Side.BUY, 1), market.now_ns)
        reports = run(market, market.now_ns + NS_PER_SECOND)
        assert kinds(reports, "C-1") == [ReportKind.REJECTED]
        assert "C-1" in (reports[0].reason or "")

    def test_a_cancel_of_an_unknown_order_is_answered_with_nothing_cancelled(self, market: Market) -> None:
        market.cancel("NEVER-SENT", market.now_ns)
        reports = run(market, market.now_ns + NS_PER_SECOND)
        assert [(r.kind, r.quantity, r.reason) for r in reports] == [
            (ReportKind.CANCELLED, Decimal(0), "unknown child order")
        ]

    @pytest.mark.parametrize(
        "changes",
        [
            {"price": Decimal("100.00123"), "order_type": OrderType.LIMIT},
            {"venue": VenueId("NOWHERE")},
            {"instrument_id": InstrumentId("NO-SUCH-THING")},
            {"quantity": Decimal("0.5")},
            {"quantity": Decimal(0)},
            {"order_type": OrderType.LIMIT},
        ],
        ids=["off the tick grid", "unknown venue", "unknown instrument", "part of a lot", "nothing", "limit, no price"],
    )
    def test_what_a_venue_would_refuse_is_rejected_with_a_reason(
        self, case: MarketCase, market: Market, changes: dict[str, object]
    ) -> None:
        order = replace(child(case, 1, Side.BUY, 1), **changes)  # type: ignore[arg-type]
        market.submit(order, market.now_ns)
        reports = run(market, market.now_ns + NS_PER_SECOND)
        assert kinds(reports, "C-1") == [ReportKind.REJECTED]
        assert reports[0].quantity == order.quantity
        assert reports[0].reason

    def test_execution_ids_are_unique(self, case: MarketCase, market: Market) -> None:
        for number in range(20):
            market.submit(child(case, number, Side(["BUY", "SELL"][number % 2]), 50), market.now_ns)
        reports = run(market, market.now_ns + NS_PER_SECOND)
        assert len({(r.venue, r.execution_id) for r in reports}) == len(reports) >= 40

    def test_counters_only_grow_and_integrate_the_mid_exactly(self, case: MarketCase, market: Market) -> None:
        before, start = market.snapshot(case.instrument_id), market.now_ns
        run(market, start + NS_PER_MINUTE)
        after = market.snapshot(case.instrument_id)
        trades = market.trades(case.instrument_id, start + 1, market.now_ns + 1, 1_000_000)
        assert after.cumulative_volume - before.cumulative_volume == sum(t.quantity for t in trades)
        assert after.cumulative_notional - before.cumulative_notional == sum(t.quantity * t.price for t in trades)
        quotes = list(market.quotes(case.instrument_id, start, market.now_ns + 1, 1_000_000))
        ends = [quote.time_ns for quote in quotes[1:]] + [market.now_ns]
        integral = sum(
            (quote.bid + quote.ask) / 2 * (end - max(quote.time_ns, start))
            for quote, end in zip(quotes, ends, strict=True)
            if quote.bid is not None and quote.ask is not None
        )
        assert after.mid_time_integral - before.mid_time_integral == integral / NS_PER_SECOND
        assert after.mid_seconds - before.mid_seconds <= NS_PER_MINUTE / NS_PER_SECOND

    def test_our_own_fills_are_prints_of_the_tape(self, case: MarketCase, market: Market) -> None:
        start = market.now_ns
        before = market.snapshot(case.instrument_id).cumulative_volume
        market.submit(child(case, 1, Side.BUY, 11), start)
        fills = [r for r in market.advance(start + NS_PER_SECOND) if r.kind is ReportKind.FILL]
        after = market.snapshot(case.instrument_id).cumulative_volume
        assert after - before >= sum(fill.quantity for fill in fills) > 0
        printed = {(t.time_ns, t.price) for t in market.trades(case.instrument_id, start, market.now_ns + 1)}
        assert all((fill.venue_time_ns, fill.price) in printed for fill in fills)

    def test_bars_add_up_to_the_trades(self, case: MarketCase, market: Market) -> None:
        start = market.now_ns
        run(market, start + 2 * NS_PER_MINUTE)
        bars = market.bars(case.instrument_id, start, market.now_ns, 30)
        trades = market.trades(case.instrument_id, start, market.now_ns, 1_000_000)
        assert [bar.start_ns for bar in bars] == [start + i * 30 * NS_PER_SECOND for i in range(4)]
        assert sum(bar.volume for bar in bars) == sum(trade.quantity for trade in trades)
        for bar in bars:
            if bar.volume:
                assert bar.low is not None
                assert bar.high is not None
                assert bar.low <= bar.notional / bar.volume <= bar.high

    def test_rows_between_two_times_are_in_order_and_the_latest_of_the_limit(
        self, case: MarketCase, market: Market
    ) -> None:
        start = market.now_ns
        run(market, start + NS_PER_MINUTE)
        all_trades = market.trades(case.instrument_id, start, market.now_ns, 1_000_000)
        assert list(market.trades(case.instrument_id, start, market.now_ns, 3)) == list(all_trades)[-3:]
        all_quotes = market.quotes(case.instrument_id, start, market.now_ns, 1_000_000)
        assert list(market.quotes(case.instrument_id, start, market.now_ns, 3)) == list(all_quotes)[-3:]
        assert [q.time_ns for q in all_quotes] == sorted(q.time_ns for q in all_quotes)
        assert all(start <= t.time_ns < market.now_ns for t in all_trades)

    def test_the_book_is_best_first_and_begins_with_the_quote(self, case: MarketCase, market: Market) -> None:
        snapshot, book = market.snapshot(case.instrument_id), market.book(case.instrument_id, 5)
        bids, asks = [level.price for level in book.bids], [level.price for level in book.asks]
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert (bids[0], asks[0]) == (snapshot.bid, snapshot.ask)
        assert (book.bids[0].quantity, book.asks[0].quantity) == (snapshot.bid_quantity, snapshot.ask_quantity)
        assert len(bids) <= 5

    def test_two_markets_given_the_same_orders_are_the_same(self, case: MarketCase) -> None:
        outcomes = []
        for _ in range(2):
            market = case.make()
            market.submit(child(case, 1, Side.BUY, 500), market.now_ns + 5 * NS_PER_SECOND)
            reports = run(market, market.now_ns + NS_PER_MINUTE)
            outcomes.append((reports, market.snapshot(case.instrument_id)))
        assert outcomes[0] == outcomes[1]
