"""The independent ledger: whatever venues report, in whatever order and how often, it adds up after every event."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bestex.domain.fills import Liquidity, ReportKind, VenueReport
from bestex.domain.ids import ChildOrderId, ExecutionId, InstrumentId, ParentOrderId, VenueId
from bestex.domain.orders import ChildOrder, OrderType, Side
from bestex.services.monitoring.progress import Fill, Progress

ORDERED = Decimal(1000)
VENUE = VenueId("NYSE")


def child(number: int, quantity: int) -> ChildOrder:
    return ChildOrder(
        child_order_id=ChildOrderId(f"c{number}"),
        parent_order_id=ParentOrderId("P"),
        instrument_id=InstrumentId("AAPL"),
        side=Side.BUY,
        quantity=Decimal(quantity),
        order_type=OrderType.MARKET,
        venue=VENUE,
    )


def report(kind: ReportKind, number: int, quantity: int, execution: int) -> VenueReport:
    return VenueReport(
        kind=kind,
        child_order_id=ChildOrderId(f"c{number}"),
        execution_id=ExecutionId(f"E{execution}"),
        venue=VENUE,
        venue_time_ns=1,
        received_time_ns=2,
        quantity=Decimal(quantity),
        price=Decimal(100) if kind is ReportKind.FILL else None,
        liquidity=Liquidity.REMOVED if kind is ReportKind.FILL else None,
        fee=Decimal("0.01"),
    )


# Small numbers of children and executions, so that repeats and late answers are common.
events = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, 5), st.integers(1, 400), st.just(0)),
        st.tuples(
            st.sampled_from([kind.value for kind in ReportKind]),
            st.integers(0, 6),
            st.integers(1, 200),
            st.integers(0, 30),
        ),
        st.tuples(st.just("amend"), st.just(0), st.integers(1, 2000), st.just(0)),
    ),
    max_size=60,
)


def play(progress: Progress, happened: list[tuple[Any, ...]]) -> None:
    """Apply events and compare with a recount from scratch after each."""
    fills: dict[int, tuple[int, int]] = {}
    seen: set[int] = set()
    ended: set[int] = set()
    sent: dict[int, int] = {}
    for what, number, quantity, execution in happened:
        if what == "send":
            progress.send(child(number, quantity), time_ns=1, bid=None, ask=None)
            sent.setdefault(number, quantity)
        elif what == "amend":
            progress.amend(Decimal(quantity))
        else:
            kind = ReportKind(what)
            progress.report(report(kind, number, quantity, execution), parent_ended=False)
            if execution not in seen:
                seen.add(execution)
                if kind is ReportKind.FILL:
                    fills[execution] = (number, quantity)
                elif kind is not ReportKind.NEW and number in sent:
                    ended.add(number)
        filled = sum(size for _, size in fills.values())
        live = sum(
            max(size - sum(part for owner, part in fills.values() if owner == one and one in sent), 0)
            for one, size in sent.items()
            if one not in ended
        )
        assert progress.filled == filled
        assert progress.sent == sum(sent.values())
        # A fill that came before its child order was sent is unreconciled and does not make that child smaller.
        assert progress.live >= live
        assert progress.live == sum((one.live for one in progress.children.values()), Decimal(0))
        assert sum(progress.venues.values(), Decimal(0)) == progress.filled
        assert progress.excess >= 0
        if progress.filled + progress.live <= progress.ordered:
            assert progress.excess == 0


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(happened=events)
def test_filled_and_live_are_those_of_a_recount_after_every_event(happened: list[tuple[Any, ...]]) -> None:
    play(Progress(ordered=ORDERED), happened)


class ForgetsWhatItHasSeen(Progress):
    """The broken variant: every report is new."""

    def report(self, report: VenueReport, *, parent_ended: bool) -> Fill | None:
        self._seen.clear()
        return super().report(report, parent_ended=parent_ended)


def test_a_ledger_that_does_not_remember_executions_is_caught() -> None:
    happened = [("send", 1, 400, 0), ("FILL", 1, 100, 1), ("FILL", 1, 100, 1)]
    play(Progress(ordered=ORDERED), happened)
    with pytest.raises(AssertionError):
        play(ForgetsWhatItHasSeen(ordered=ORDERED), happened)


def test_an_amendment_to_less_allows_what_is_out_until_it_comes_home_and_no_more() -> None:
    progress = Progress(ordered=ORDERED)
    progress.send(child(1, 800), time_ns=1, bid=None, ask=None)
    progress.amend(Decimal(500))
    assert progress.excess == 0
    progress.report(report(ReportKind.CANCELLED, 1, 800, 1), parent_ended=False)
    progress.send(child(2, 501), time_ns=1, bid=None, ask=None)
    assert progress.excess == 1


def test_a_fill_of_a_child_that_was_never_sent_counts_and_is_marked() -> None:
    progress = Progress(ordered=ORDERED)
    fill = progress.report(report(ReportKind.FILL, 9, 10, 1), parent_ended=False)
    assert fill is not None
    assert fill.is_unreconciled
    assert (progress.filled, progress.unreconciled_fills) == (10, 1)
