"""What the generated market is like, measured; docs/generated-market.md quotes it.

    python benchmarks/generated_market.py [--days 60] [--seeds 40] [--instruments AAPL,WOBL]

Costs are paired: the same seed with and without our order, so that the day's drift drops out.
"""

import argparse
import itertools
import math
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from bestex.domain.fills import ReportKind
from bestex.domain.ids import ChildOrderId, InstrumentId, ParentOrderId, VenueId
from bestex.domain.orders import ChildOrder, OrderType, Side, TimeInForce
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND
from bestex.ports import Market
from bestex.simulation.generated_listings import IMPACT, LISTINGS, GeneratedListing
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.session_calendar import SessionCalendar

CALENDAR = SessionCalendar.named("XNYS")
DAY = CALENDAR.at_or_after(int(datetime(2026, 3, 10, tzinfo=UTC).timestamp()) * NS_PER_SECOND)
assert DAY is not None


def market_of(listing: GeneratedListing, seed: int, start_ns: int, impact: float = IMPACT) -> GeneratedMarket:
    return GeneratedMarket(seed=seed, start_ns=start_ns, listings=[listing], calendar=CALENDAR, impact=impact)


def mid_of(market: Market, instrument_id: str) -> float:
    mid = market.snapshot(instrument_id).mid
    assert mid is not None, "both sides stand in the middle of the day"
    return float(mid)


class Taker:
    """Works a parent order by taking what the best lit venues show, one slice after the other."""

    def __init__(self, market: Market, instrument_id: str, side: Side) -> None:
        self._market, self._instrument_id, self._side = market, instrument_id, side
        self._count = 0
        self.filled = Decimal(0)
        self.paid = Decimal(0)

    def take(self, quantity: Decimal, until_ns: int) -> None:
        """Takes the quantity from one venue after the other, the best quote first, and then waits."""
        tries = 0
        wanted = quantity
        while wanted > 0 and tries < 12 and self._market.now_ns < until_ns:
            tries += 1
            snapshot = self._market.snapshot(self._instrument_id)
            quotes = [
                (price, venue.venue, shown)
                for venue in snapshot.venues
                for price, shown in [
                    (venue.ask, venue.ask_quantity) if self._side is Side.BUY else (venue.bid, venue.bid_quantity)
                ]
                if price is not None
            ]
            if not quotes:
                break
            price, venue, shown = min(quotes, key=lambda quote: self._side.sign * quote[0])
            wanted -= self._send(min(wanted, shown) if tries < 12 else wanted, venue, price)
        while self._market.now_ns < until_ns:
            self._market.advance(until_ns)

    def _send(self, quantity: Decimal, venue: VenueId, price: Decimal) -> Decimal:
        self._count += 1
        child = ChildOrder(
            child_order_id=ChildOrderId(f"C-{self._side}-{self._count}"),
            parent_order_id=ParentOrderId("P"),
            instrument_id=InstrumentId(self._instrument_id),
            side=self._side,
            quantity=quantity,
            order_type=OrderType.LIMIT,
            venue=venue,
            price=price,
            time_in_force=TimeInForce.IOC,
        )
        self._market.submit(child, self._market.now_ns)
        filled = Decimal(0)
        while True:
            for report in self._market.advance(self._market.now_ns + NS_PER_SECOND):
                if report.kind is ReportKind.FILL:
                    assert report.price is not None
                    filled += report.quantity
                    self.filled += report.quantity
                    self.paid += report.quantity * report.price
                if report.kind in (ReportKind.CANCELLED, ReportKind.REJECTED) or filled == quantity:
                    return filled


def paired_cost_bps(
    listing: GeneratedListing, seed: int, share: float, side: Side, minutes: int = 30, slices: int = 90
) -> tuple[float, float, list[float]]:
    """Cost against the undisturbed mid in bps, share filled, price moves (bps) at the end, 30, 60, 120 minutes on."""
    assert DAY is not None
    instrument = listing.instrument
    name = instrument.instrument_id
    start = DAY.open_ns + 60 * NS_PER_MINUTE
    quiet, disturbed = market_of(listing, seed, start), market_of(listing, seed, start)
    assert instrument.average_daily_volume is not None
    quantity = instrument.round_down_to_lot(instrument.average_daily_volume * Decimal(str(share)))
    arrival = mid_of(quiet, name)
    taker = Taker(disturbed, name, side)
    undisturbed = 0.0
    for number in range(slices):
        before_filled = taker.filled
        target = instrument.round_down_to_lot(quantity * (number + 1) / slices)
        until = start + (number + 1) * minutes * NS_PER_MINUTE // slices
        quiet.advance(quiet.now_ns)
        undisturbed_mid = mid_of(quiet, name)
        taker.take(target - taker.filled, until)
        undisturbed += float(taker.filled - before_filled) * undisturbed_mid
        quiet.advance(until)
    if taker.filled == 0:
        return math.nan, 0.0, []
    cost = side.sign * (float(taker.paid) - undisturbed) / float(taker.filled) / arrival * 1e4
    moves = []
    for later in (0, 30, 60, 120):
        until = start + (minutes + later) * NS_PER_MINUTE
        for market in (quiet, disturbed):
            while market.now_ns < until:
                market.advance(until)
        moves.append(side.sign * (mid_of(disturbed, name) - mid_of(quiet, name)) / arrival * 1e4)
    return cost, float(taker.filled / quantity), moves


def impact_table(listing: GeneratedListing, shares: Sequence[float], seeds: int) -> None:
    volatility_bps = (listing.instrument.daily_volatility or math.nan) * 1e4
    print(f"\n{listing.instrument.instrument_id}: an order of some % ADV in 30 minutes, {seeds} seeds, both sides")
    print("  % ADV  cost bps   +-se  filled   Y=cost/(sigma sqrt(Q/V))  move at end, +30, +60, +120 min (bps)")
    points = []
    for share in shares:
        rows = [
            paired_cost_bps(listing, seed, share, Side.BUY if seed % 2 == 0 else Side.SELL) for seed in range(seeds)
        ]
        costs = [row[0] for row in rows if not math.isnan(row[0])]
        mean, error = statistics.mean(costs), statistics.stdev(costs) / math.sqrt(len(costs))
        moves = [statistics.mean(row[2][i] for row in rows) for i in range(4)]
        filled = statistics.mean(row[1] for row in rows)
        y = mean / (volatility_bps * math.sqrt(share))
        points.append((math.log(share), math.log(max(mean, 1e-9))))
        print(
            f"  {share * 100:5.2f}  {mean:8.2f} {error:6.2f}  {filled:6.3f}  {y:10.3f}  "
            + "  ".join(f"{m:7.2f}" for m in moves)
        )
    xs, ys = zip(*points, strict=True)
    mean_x, mean_y = statistics.mean(xs), statistics.mean(ys)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x in xs)
    print(f"  exponent of cost in size: {slope:.2f}")


def day_table(listing: GeneratedListing, days: int) -> None:
    assert DAY is not None
    name = listing.instrument.instrument_id
    rows: dict[str, list[float]] = {}
    for seed in range(days):
        began = time.process_time()
        market = market_of(listing, seed, DAY.open_ns)
        open_mid = mid_of(market, name)
        market.advance(DAY.close_ns - 1)
        seconds = time.process_time() - began
        counts = market.statistics(name)
        quotes = market.quotes(name, DAY.open_ns + 60 * NS_PER_MINUTE, DAY.open_ns + 120 * NS_PER_MINUTE, 10**7)
        weights = [(b.time_ns - a.time_ns, a) for a, b in itertools.pairwise(quotes)]
        total = sum(weight for weight, _ in weights)
        mids = minute_mids(market, name)
        signs = [
            1 if trade.aggressor == "BUY" else -1
            for trade in market.trades(name, DAY.open_ns, DAY.close_ns, 10**7)
            if trade.aggressor is not None
        ]
        day = {
            "volume": float(market.snapshot(name).cumulative_volume),
            "move": math.log(mid_of(market, name) / open_mid),
            "spread": sum(w * float(q.ask - q.bid) for w, q in weights if q.ask and q.bid) / total,
            "touch": sum(w * float(q.ask_quantity + q.bid_quantity) / 2 for w, q in weights) / total,
            "events": counts["events"] or 0,
            "prints": counts["trades"] or 0,
            "locked": counts["locked"] or 0,
            "crossed": counts["crossed"] or 0,
            "seconds": seconds,
            "minute": autocorrelation([b - a for a, b in itertools.pairwise(mids)], 1),
            "signature": variance_ratio(mids, 10),
            "sign10": autocorrelation(signs, 10),
            "sign100": autocorrelation(signs, 100),
        }
        for key, value in day.items():
            rows.setdefault(key, []).append(value)
    mean = {key: statistics.mean(values) for key, values in rows.items()}
    print(
        f"  {name:5} volume {mean['volume']:11,.0f} (sd {statistics.stdev(rows['volume']) / mean['volume']:.0%}),"
        f" volatility {math.sqrt(statistics.mean(m * m for m in rows['move'])):.4f},"
        f" spread {mean['spread'] / float(listing.instrument.tick_size):.2f} ticks, touch {mean['touch']:.0f} lots,"
        f" {mean['events']:,.0f} events, {mean['prints']:,.0f} prints,"
        f" {mean['locked']:.1f} locked, {mean['crossed']:.1f} crossed, {statistics.median(rows['seconds']):.3f} s CPU"
    )
    print(
        f"        autocorrelation of minute returns {mean['minute']:+.3f}, of signs at 10 prints {mean['sign10']:+.2f}"
        f" and 100 {mean['sign100']:+.2f}; variance of 10-minute over 10 x 1-minute returns {mean['signature']:.2f}"
    )


def minute_mids(market: Market, instrument_id: str) -> list[float]:
    """Logarithm of the mid at each whole minute of the day."""
    assert DAY is not None
    found = []
    for at in range(DAY.open_ns, DAY.close_ns, NS_PER_MINUTE):
        (quote,) = market.quotes(instrument_id, at, at + 1, 1)
        assert quote.bid is not None
        assert quote.ask is not None
        found.append(math.log(float(quote.bid + quote.ask) / 2))
    return found


def autocorrelation(values: Sequence[float], lag: int) -> float:
    mean = statistics.fmean(values)
    centred = [value - mean for value in values]
    return sum(a * b for a, b in zip(centred, centred[lag:], strict=False)) / sum(a * a for a in centred)


def variance_ratio(levels: Sequence[float], steps: int) -> float:
    """Variance of returns over `steps` against `steps` times that of single ones: 1 for a random walk."""
    single = statistics.pvariance([b - a for a, b in itertools.pairwise(levels)])
    longer = statistics.pvariance([b - a for a, b in zip(levels, levels[steps:], strict=False)])
    return longer / (steps * single)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--instruments", default=",".join(listing.instrument.instrument_id for listing in LISTINGS))
    arguments = parser.parse_args()
    chosen = [listing for listing in LISTINGS if listing.instrument.instrument_id in arguments.instruments.split(",")]
    print(f"one day, mean of {arguments.days} seeds")
    for listing in chosen:
        day_table(listing, arguments.days)
    for listing in chosen:
        impact_table(listing, (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05), arguments.seeds)


if __name__ == "__main__":
    main()
