"""Laws of any sequence of orders and cancels in the generated market."""

from decimal import Decimal
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bestex.domain.fills import Liquidity, ReportKind, VenueReport
from bestex.domain.ids import ChildOrderId, InstrumentId, ParentOrderId, VenueId
from bestex.domain.orders import ChildOrder, OrderType, Side, TimeInForce
from bestex.domain.time import NS_PER_SECOND, from_iso
from bestex.simulation.generated_listings import LISTINGS, VENUES
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.session_calendar import SessionCalendar

CALENDAR: Final = SessionCalendar.named("XNYS")
START_NS: Final = from_iso("2026-03-10T19:58:00Z")  # two minutes before the close
CLOSE_NS: Final = from_iso("2026-03-10T20:00:00Z")
FINAL: Final = (ReportKind.CANCELLED, ReportKind.REJECTED, ReportKind.EXPIRED)
TICK: Final = Decimal("0.01")

orders = st.builds(
    lambda side, kind, ticks, quantity, venue, time_in_force, post_only: {
        "side": side,
        "order_type": kind,
        "ticks": ticks,
        "quantity": quantity,
        "venue": venue,
        "time_in_force": time_in_force,
        "post_only": post_only,
    },
    st.sampled_from(Side),
    st.sampled_from(OrderType),
    st.integers(-6, 6),
    st.integers(1, 3_000),
    st.sampled_from([venue.venue_id for venue in VENUES]),
    st.sampled_from(TimeInForce),
    st.booleans(),
)
steps = st.lists(
    st.tuples(st.one_of(orders, st.integers(0, 12)), st.integers(0, 12 * NS_PER_SECOND)), min_size=1, max_size=14
)


def lived(market: GeneratedMarket, plan: list[tuple[object, int]]) -> tuple[dict[str, ChildOrder], list[VenueReport]]:
    """Sends each order or cancels the child of that number, waits, and at last runs past the close."""
    sent: dict[str, ChildOrder] = {}
    reports: list[VenueReport] = []

    def wait(until_ns: int) -> None:
        while market.now_ns < until_ns:
            found = market.advance(until_ns)
            assert all(report.received_time_ns == market.now_ns for report in found)
            reports.extend(found)

    for what, pause_ns in plan:
        if isinstance(what, dict):
            mid = market.snapshot("WOBL").mid or Decimal("17.35")
            price = (mid / TICK).to_integral_value() * TICK + what["ticks"] * TICK
            child = ChildOrder(
                child_order_id=ChildOrderId(f"C-{len(sent)}"),
                parent_order_id=ParentOrderId("P"),
                instrument_id=InstrumentId("WOBL"),
                side=what["side"],
                quantity=Decimal(what["quantity"]),
                order_type=what["order_type"],
                venue=VenueId(what["venue"]),
                price=price if what["order_type"] is OrderType.LIMIT else None,
                time_in_force=what["time_in_force"],
                post_only=what["post_only"],
            )
            sent[child.child_order_id] = child
            market.submit(child, market.now_ns)
        else:
            market.cancel(f"C-{what}", market.now_ns)
        wait(market.now_ns + pause_ns)
    wait(max(CLOSE_NS, market.now_ns) + NS_PER_SECOND)
    return sent, reports


def broken_law(child: ChildOrder, reports: list[VenueReport]) -> str | None:
    """What is wrong with one child's life; None if nothing is."""
    ours = [report for report in reports if report.child_order_id == child.child_order_id and report.quantity > 0]
    filled = sum(report.quantity for report in ours if report.kind is ReportKind.FILL)
    given_back = sum(report.quantity for report in ours if report.kind in FINAL)
    if filled + given_back != child.quantity:
        return f"filled {filled} and given back {given_back} of {child.quantity}"
    if not ours:
        return "no answer at all"
    if ours[0].kind not in (ReportKind.NEW, ReportKind.REJECTED):
        return f"the first answer is {ours[0].kind}"
    if sum(report.kind in FINAL for report in ours) > 1:
        return "ended twice"
    if any(report.kind in FINAL for report in ours[:-1]):
        return "something came after the end"
    for report in ours:
        venue = next(venue for venue in VENUES if venue.venue_id == report.venue)
        if report.received_time_ns - report.venue_time_ns != venue.order_latency_ns:
            return "the answer did not take the venue's latency"
        if report.kind is not ReportKind.FILL:
            continue
        if report.price is None or report.liquidity is None:
            return "a fill without a price or liquidity"
        if child.price is not None and child.side.sign * (report.price - child.price) > 0:
            return f"filled at {report.price} beyond {child.price}"
        if child.post_only and report.liquidity is Liquidity.REMOVED:
            return "a post-only order took"
        rate = venue.maker_fee if report.liquidity is Liquidity.ADDED else venue.taker_fee
        if report.fee != rate * report.quantity:
            return f"fee {report.fee} is not {rate} x {report.quantity}"
    return None


def new_market(seed: int) -> GeneratedMarket:
    return GeneratedMarket(seed=seed, start_ns=START_NS, listings=LISTINGS[3:], calendar=CALENDAR)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(plan=steps, seed=st.integers(0, 50))
def test_every_order_is_answered_and_ends_with_all_its_quantity_accounted_for(
    plan: list[tuple[object, int]], seed: int
) -> None:
    sent, reports = lived(new_market(seed), plan)
    for child in sent.values():
        assert broken_law(child, reports) is None, child
    assert len({report.execution_id for report in reports}) == len(reports)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(plan=steps, seed=st.integers(0, 50))
def test_the_same_orders_bring_the_same_answers(plan: list[tuple[object, int]], seed: int) -> None:
    first, second = new_market(seed), new_market(seed)
    assert lived(first, plan) == lived(second, plan)
    assert first.digest("WOBL") == second.digest("WOBL")


def test_the_laws_find_a_market_that_loses_a_fill() -> None:
    print("seed 3")
    plan: list[tuple[object, int]] = [
        (
            {
                "side": Side.BUY,
                "order_type": OrderType.MARKET,
                "ticks": 0,
                "quantity": 900,
                "venue": "NASDAQ",
                "time_in_force": TimeInForce.IOC,
                "post_only": False,
            },
            NS_PER_SECOND,
        )
    ]
    sent, reports = lived(new_market(3), plan)
    (child,) = sent.values()
    assert broken_law(child, reports) is None
    lost = next(report for report in reports if report.kind is ReportKind.FILL)
    assert broken_law(child, [report for report in reports if report is not lost]) is not None
    assert broken_law(child, [*reports, reports[-1]]) is not None
