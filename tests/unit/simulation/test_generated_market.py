"""What is particular to the generated market: seeds, days, the dark pool, impact and its own reference data."""

import itertools
import os
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bestex.domain.errors import InvalidInput, NotFound
from bestex.domain.fills import Liquidity, ReportKind, VenueReport
from bestex.domain.ids import ChildOrderId, InstrumentId, ParentOrderId, VenueId
from bestex.domain.orders import ChildOrder, OrderType, Side, TimeInForce
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND, from_iso, to_iso
from bestex.simulation.generated_listings import LISTINGS, VENUES
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference
from bestex.simulation.session_calendar import SessionCalendar

OPEN_NS = from_iso("2026-03-10T13:30:00Z")
CLOSE_NS = from_iso("2026-03-10T20:00:00Z")
MIDDAY_NS = from_iso("2026-03-10T16:00:00Z")
APPLE = LISTINGS[:1]
THIN = LISTINGS[3:]


def market_at(start_ns: int, *, seed: int = 5, listings: object = APPLE, impact: float = 1.4) -> GeneratedMarket:
    return GeneratedMarket(seed=seed, start_ns=start_ns, listings=listings, impact=impact)  # type: ignore[arg-type]


def order(
    number: int,
    side: Side,
    quantity: int,
    *,
    order_type: OrderType = OrderType.MARKET,
    venue: str = "NASDAQ",
    price: Decimal | None = None,
    time_in_force: TimeInForce = TimeInForce.DAY,
) -> ChildOrder:
    return ChildOrder(
        child_order_id=ChildOrderId(f"C-{number}"),
        parent_order_id=ParentOrderId("P"),
        instrument_id=InstrumentId("AAPL"),
        side=side,
        quantity=Decimal(quantity),
        order_type=order_type,
        venue=VenueId(venue),
        price=price,
        time_in_force=time_in_force,
    )


def run(market: GeneratedMarket, until_ns: int) -> list[VenueReport]:
    reports: list[VenueReport] = []
    while market.now_ns < until_ns:
        reports += market.advance(until_ns)
    return reports


def test_the_same_seed_is_the_same_day_in_another_process_with_another_hash_seed() -> None:
    program = (
        "from bestex.simulation.generated_market import GeneratedMarket\n"
        f"market = GeneratedMarket(seed=5, start_ns={MIDDAY_NS})\n"
        "print([market.digest(i.instrument_id) for i in market.instruments()])\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    here = GeneratedMarket(seed=5, start_ns=MIDDAY_NS)
    assert outputs == {f"{[here.digest(i.instrument_id) for i in here.instruments()]}\n"}


def test_another_seed_or_another_day_is_another_market() -> None:
    digests = {
        market_at(MIDDAY_NS).digest("AAPL"),
        market_at(MIDDAY_NS, seed=6).digest("AAPL"),
        market_at(from_iso("2026-03-11T16:00:00Z")).digest("AAPL"),
    }
    assert len(digests) == 3


def test_without_orders_it_makes_no_difference_how_time_is_cut() -> None:
    whole, cut = market_at(OPEN_NS), market_at(OPEN_NS)
    whole.advance(MIDDAY_NS)
    while cut.now_ns < MIDDAY_NS:
        cut.advance(min(MIDDAY_NS, cut.now_ns + 7_654_321_987))
    assert whole.digest("AAPL") == cut.digest("AAPL")
    assert whole.snapshot("AAPL") == cut.snapshot("AAPL")


def test_orders_in_one_instrument_leave_the_others_as_they_were() -> None:
    quiet, busy = (GeneratedMarket(seed=5, start_ns=MIDDAY_NS, listings=LISTINGS[:2]) for _ in range(2))
    busy.submit(order(1, Side.BUY, 5_000), MIDDAY_NS)
    for market in (quiet, busy):
        run(market, MIDDAY_NS + NS_PER_MINUTE)
    assert quiet.digest("MSFT") == busy.digest("MSFT")
    assert quiet.digest("AAPL") != busy.digest("AAPL")


def test_the_day_before_our_first_order_is_the_day_without_us() -> None:
    quiet, busy = market_at(MIDDAY_NS), market_at(MIDDAY_NS)
    busy.submit(order(1, Side.BUY, 500), MIDDAY_NS + NS_PER_MINUTE)
    for market in (quiet, busy):
        run(market, MIDDAY_NS + 2 * NS_PER_MINUTE)
    until = MIDDAY_NS + NS_PER_MINUTE
    assert quiet.quotes("AAPL", MIDDAY_NS, until) == busy.quotes("AAPL", MIDDAY_NS, until)
    assert quiet.trades("AAPL", MIDDAY_NS, until) == busy.trades("AAPL", MIDDAY_NS, until)


def test_a_generated_day_takes_under_half_a_second_of_processor_time() -> None:
    market = market_at(OPEN_NS)
    began = time.process_time()
    market.advance(CLOSE_NS)
    assert market.statistics("AAPL")["events"] > 100_000  # type: ignore[operator]
    assert time.process_time() - began < 0.5


def test_everything_says_that_it_is_generated() -> None:
    market = market_at(MIDDAY_NS)
    assert all(instrument.is_generated and "generated" in instrument.name for instrument in market.instruments())
    assert all(venue.is_generated for venue in market.venues())
    assert market.snapshot("AAPL").is_generated
    assert "generated" in GeneratedReference(market).volume_curve("AAPL", MIDDAY_NS).name


def test_without_a_start_it_begins_half_an_hour_into_the_latest_session() -> None:
    sunday = from_iso("2026-03-08T12:00:00Z")
    market = GeneratedMarket(seed=1, wall_ns=sunday, listings=THIN)
    assert to_iso(market.now_ns) == "2026-03-06T15:00:00.000000Z"
    with pytest.raises(InvalidInput, match="start_ns or wall_ns"):
        GeneratedMarket(seed=1, listings=THIN)


def test_it_goes_on_from_one_session_to_the_next_over_a_holiday() -> None:
    friday = from_iso("2026-04-02T19:59:00Z")  # Good Friday follows
    market = market_at(friday, listings=THIN)
    before = market.snapshot("WOBL")
    assert before.bid is not None
    market.advance(from_iso("2026-04-02T20:00:00Z"))
    closed = market.snapshot("WOBL")
    assert (closed.bid, closed.ask) == (None, None)
    assert market.session("WOBL", market.now_ns) == (from_iso("2026-04-06T13:30:00Z"), from_iso("2026-04-06T20:00:00Z"))
    market.advance(from_iso("2026-04-06T13:30:00Z"))
    opened = market.snapshot("WOBL")
    assert opened.bid is not None
    assert opened.cumulative_volume < before.cumulative_volume


def test_a_resting_order_expires_at_the_close() -> None:
    market = market_at(CLOSE_NS - NS_PER_MINUTE)
    bid = market.snapshot("AAPL").bid
    assert bid is not None
    market.submit(order(1, Side.BUY, 40, order_type=OrderType.LIMIT, price=bid - 2), market.now_ns)
    reports = run(market, CLOSE_NS + NS_PER_SECOND)
    assert [(report.kind, report.quantity) for report in reports] == [
        (ReportKind.NEW, Decimal(40)),
        (ReportKind.EXPIRED, Decimal(40)),
    ]
    assert reports[1].venue_time_ns == CLOSE_NS


@pytest.mark.parametrize("sent_ns", [OPEN_NS - NS_PER_MINUTE, CLOSE_NS + NS_PER_MINUTE])
def test_an_order_outside_the_session_is_rejected(sent_ns: int) -> None:
    market = market_at(sent_ns)
    market.submit(order(1, Side.BUY, 40), sent_ns)
    (report,) = run(market, sent_ns + NS_PER_SECOND)
    assert (report.kind, report.reason) == (ReportKind.REJECTED, "session is closed")


def test_a_cancel_after_the_next_open_of_an_order_that_expired_brings_nothing() -> None:
    market = market_at(CLOSE_NS - NS_PER_MINUTE)
    market.submit(order(1, Side.SELL, 40, order_type=OrderType.LIMIT, price=Decimal("290.00")), market.now_ns)
    run(market, from_iso("2026-03-11T13:31:00Z"))
    market.cancel("C-1", market.now_ns)
    assert run(market, market.now_ns + NS_PER_SECOND) == []


def test_our_resting_order_waits_behind_those_before_it() -> None:
    market = market_at(MIDDAY_NS)
    quote = next(quote for quote in market.snapshot("AAPL").venues if quote.venue == "NYSE")
    market.submit(order(1, Side.BUY, 100, order_type=OrderType.LIMIT, price=quote.bid, venue="NYSE"), MIDDAY_NS)
    market.advance(MIDDAY_NS + NS_PER_SECOND)
    ahead = market.quantity_ahead("C-1")
    assert ahead is not None
    assert ahead > 0
    traded = Decimal(0)
    start = market.now_ns
    for report in run(market, MIDDAY_NS + 30 * NS_PER_MINUTE):
        if report.kind is ReportKind.FILL:
            assert report.liquidity is Liquidity.ADDED
            assert report.price == quote.bid
            assert report.fee == report.quantity * Decimal("-0.0018")
            traded += report.quantity
    assert traded == 100
    prints = market.trades("AAPL", start, market.now_ns, 1_000_000)
    assert sum(t.quantity for t in prints if t.venue == "NYSE" and t.price <= quote.bid) > 100  # type: ignore[operator]


def test_the_dark_pool_fills_at_the_mid_on_half_ticks_and_shows_nothing() -> None:
    market = market_at(MIDDAY_NS)
    market.submit(order(1, Side.BUY, 20_000, order_type=OrderType.MIDPOINT_PEG, venue="DARK_POOL_1"), MIDDAY_NS)
    fills = [r for r in run(market, MIDDAY_NS + 10 * NS_PER_MINUTE) if r.kind is ReportKind.FILL]
    assert 0 < sum(fill.quantity for fill in fills) < 20_000  # censored: we learn only what we got
    for fill in fills:
        assert fill.bid is not None
        assert fill.ask is not None
        assert fill.price == (fill.bid + fill.ask) / 2
        assert fill.liquidity is Liquidity.MIDPOINT
    assert any(fill.price is not None and fill.price % Decimal("0.01") for fill in fills)
    assert {quote.venue for quote in market.snapshot("AAPL").venues} == {"NYSE", "NASDAQ", "BATS"}


def test_a_dark_order_with_a_limit_is_not_filled_beyond_it() -> None:
    market = market_at(MIDDAY_NS)
    limit = market.snapshot("AAPL").bid
    assert limit is not None
    market.submit(order(1, Side.BUY, 50_000, order_type=OrderType.LIMIT, price=limit, venue="DARK_POOL_1"), MIDDAY_NS)
    fills = [r for r in run(market, MIDDAY_NS + 60 * NS_PER_MINUTE) if r.kind is ReportKind.FILL]
    assert fills, "within an hour the mid was below the first bid at this seed"
    assert all(fill.price is not None and fill.price <= limit for fill in fills)


def test_a_peg_at_a_lit_venue_is_hidden_and_fills_at_the_mid() -> None:
    market = market_at(MIDDAY_NS)
    before = market.book("AAPL", 50)
    market.submit(order(1, Side.SELL, 3_000, order_type=OrderType.MIDPOINT_PEG, venue="NASDAQ"), MIDDAY_NS)
    reports = market.advance(MIDDAY_NS + NS_PER_SECOND)
    assert [report.kind for report in reports] == [ReportKind.NEW]
    assert market.book("AAPL", 50).asks[0].price >= before.bids[0].price
    fills = [r for r in run(market, MIDDAY_NS + 10 * NS_PER_MINUTE) if r.kind is ReportKind.FILL]
    assert fills
    for fill in fills:
        assert fill.bid is not None
        assert fill.ask is not None
        assert fill.price == (fill.bid + fill.ask) / 2


def cost_of_buying(seed: int, quantity: int, impact: float) -> float:
    """Mean price in bps above the undisturbed mid, for ten slices in five minutes."""
    quiet, market = market_at(MIDDAY_NS, seed=seed, impact=impact), market_at(MIDDAY_NS, seed=seed, impact=impact)
    paid, filled, undisturbed = Decimal(0), Decimal(0), Decimal(0)
    for number in range(10):
        mid = quiet.snapshot("AAPL").mid
        assert mid is not None
        venue = ["NYSE", "NASDAQ", "BATS"][number % 3]
        market.submit(order(number, Side.BUY, quantity // 10, venue=venue), market.now_ns)
        for report in run(market, MIDDAY_NS + (number + 1) * 30 * NS_PER_SECOND):
            if report.kind is ReportKind.FILL and report.price is not None:
                paid += report.price * report.quantity
                undisturbed += mid * report.quantity
                filled += report.quantity
        quiet.advance(market.now_ns)
    return float((paid - undisturbed) / undisturbed * 10_000)


def test_the_price_moves_against_us_and_more_with_size() -> None:
    """Broken variant: without its memory the market charges less for the same order."""
    seeds = range(12)
    small = statistics.mean(cost_of_buying(seed, 1_000, 1.4) for seed in seeds)
    large = statistics.mean(cost_of_buying(seed, 20_000, 1.4) for seed in seeds)
    forgetful = statistics.mean(cost_of_buying(seed, 20_000, 0.0) for seed in seeds)
    assert 0 < small < large
    assert forgetful < 0.7 * large


def test_buying_and_selling_again_does_not_earn_money() -> None:
    results = []
    for seed in range(12):
        market = market_at(MIDDAY_NS, seed=seed)
        cash, position = Decimal(0), Decimal(0)
        for number in range(20):
            side = Side.BUY if number < 10 else Side.SELL
            quantity = 1_000 if number < 19 else int(position)
            market.submit(order(number, side, quantity, venue=["NYSE", "NASDAQ", "BATS"][number % 3]), market.now_ns)
            for report in run(market, market.now_ns + 20 * NS_PER_SECOND):
                if report.kind is ReportKind.FILL and report.price is not None:
                    cash -= side.sign * report.price * report.quantity
                    position += side.sign * report.quantity
        mid = market.snapshot("AAPL").mid
        assert mid is not None
        results.append(float(cash + position * mid))
    assert statistics.mean(results) < 0


def test_a_day_s_volume_and_range_are_what_the_reference_data_say() -> None:
    for listing in LISTINGS[2:]:
        name = listing.instrument.instrument_id
        volumes, moves = [], []
        for seed in range(120):
            market = market_at(OPEN_NS, seed=seed, listings=[listing])
            first = market.snapshot(name).mid
            market.advance(CLOSE_NS - 1)
            last = market.snapshot(name)
            assert first is not None
            assert last.mid is not None
            volumes.append(float(last.cumulative_volume))
            moves.append(float(last.mid / first) - 1.0)
        volume, volatility = listing.instrument.average_daily_volume, listing.instrument.daily_volatility
        assert volume is not None
        assert statistics.mean(volumes) == pytest.approx(float(volume), rel=0.07)
        assert statistics.pstdev(moves) == pytest.approx(volatility, rel=0.25)


def test_the_volume_curve_is_the_one_the_flow_is_drawn_from() -> None:
    market = market_at(OPEN_NS)
    curve = GeneratedReference(market).volume_curve("AAPL", OPEN_NS)
    cuts = [OPEN_NS + (CLOSE_NS - OPEN_NS) * part // 13 for part in range(14)]
    expected = [curve.share(start, end) for start, end in itertools.pairwise(cuts)]
    assert sum(expected) == pytest.approx(1.0)
    assert expected[0] > expected[6] < expected[12]
    seen = [0.0] * 13
    days = 40
    for seed in range(days):
        market = market_at(OPEN_NS, seed=seed, listings=THIN)
        market.advance(CLOSE_NS)
        bars = market.bars("WOBL", OPEN_NS, CLOSE_NS, (CLOSE_NS - OPEN_NS) // 13 // NS_PER_SECOND)
        total = sum(float(bar.volume) for bar in bars)
        for part, bar in enumerate(bars):
            seen[part] += float(bar.volume) / total / days
    for part in range(13):
        assert seen[part] == pytest.approx(expected[part], rel=0.15), f"half hour {part + 1}"


def test_quotes_are_never_crossed_within_a_venue_and_seldom_across() -> None:
    market = market_at(OPEN_NS + NS_PER_MINUTE)
    while market.now_ns < OPEN_NS + 30 * NS_PER_MINUTE:
        market.advance(market.now_ns + NS_PER_SECOND)
        for quote in market.snapshot("AAPL").venues:
            assert quote.bid is None or quote.ask is None or quote.bid < quote.ask
    counts = market.statistics("AAPL")
    locked, crossed, quotes = counts["locked"], counts["crossed"], counts["quotes"]
    assert locked is not None
    assert crossed is not None
    assert quotes is not None
    assert (locked + crossed) / quotes < 0.01


def test_reference_data_know_only_what_is_listed() -> None:
    reference = GeneratedReference(market_at(MIDDAY_NS, listings=LISTINGS[:1]))
    assert [venue.venue_id for venue in reference.venues("AAPL")] == [venue.venue_id for venue in VENUES]
    assert reference.venue("DARK_POOL_1").is_dark
    for ask in (reference.instrument, reference.venue, reference.venues):
        with pytest.raises(NotFound):
            ask("NOWHERE")
    with pytest.raises(NotFound):
        reference.volume_curve("AAPL", int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * NS_PER_SECOND)


def test_a_half_day_closes_early() -> None:
    calendar = SessionCalendar.named("XNYS")
    session = calendar.at_or_after(from_iso("2025-11-28T12:00:00Z"))
    assert session is not None
    assert to_iso(session.close_ns) == "2025-11-28T18:00:00.000000Z"
    with pytest.raises(InvalidInput, match="XNYS"):
        SessionCalendar.named("NO-SUCH-EXCHANGE")
