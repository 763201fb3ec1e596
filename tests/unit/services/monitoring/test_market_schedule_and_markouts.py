"""What the watch sees of the market, the plan, and the time after each fill."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bestex.domain.market import MarketSnapshot
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.execution import ExecutionPlanned, ExecutionSlice
from bestex.services.monitoring.fill_markouts import FillMarkouts, horizon_name
from bestex.services.monitoring.market_interval import MarketInterval
from bestex.services.monitoring.measurement import part_percent
from bestex.services.monitoring.schedule import Schedule
from tests.scenarios.order_story import Story

S = NS_PER_SECOND


def snapshot(second: float, *, mid: str | None = "100", volume: int = 0) -> MarketSnapshot:
    price = None if mid is None else Decimal(mid)
    return replace(
        Story().snapshot(),
        time_ns=int(second * S),
        bid=price,
        ask=price,
        cumulative_volume=Decimal(volume),
        cumulative_notional=Decimal(volume) * 10,
        mid_time_integral=Decimal(volume) * 2,
        mid_seconds=Decimal(volume) / 100,
    )


def test_an_interval_is_the_difference_of_its_ends() -> None:
    interval = MarketInterval.starting(snapshot(0, volume=500))
    interval.see(snapshot(1, volume=700))
    interval.see(snapshot(2, volume=800))
    assert (interval.volume, interval.notional, interval.mid_seconds) == (300, 3000, 3)


def test_an_older_snapshot_changes_nothing() -> None:
    interval = MarketInterval.starting(snapshot(5, volume=500))
    interval.see(snapshot(4, volume=400))
    assert (interval.volume, interval.latest.time_ns) == (0, 5 * S)


def test_a_new_session_counts_from_zero_and_keeps_what_was_before() -> None:
    interval = MarketInterval.starting(snapshot(0, volume=500))
    interval.see(snapshot(1, volume=800))
    interval.see(snapshot(2, volume=100))
    assert interval.volume == 300 + 100


def plan(*sizes: int, revision: int = 0) -> ExecutionPlanned:
    return ExecutionPlanned(
        order_id="P",
        algorithm_used="TWAP",
        child_orders=(),
        execution_schedule=tuple(
            ExecutionSlice(
                slice_id=number, start_time_ns=number * S, end_time_ns=(number + 1) * S, target_quantity=Decimal(size)
            )
            for number, size in enumerate(sizes)
        ),
        estimated_cost=0.0,
        expected_completion_ns=len(sizes) * S,
        start_time_ns=0,
        end_time_ns=len(sizes) * S,
        execution_style="BALANCED",
        parameters={},
        revision=revision,
    )


@pytest.mark.parametrize(("second", "target"), [(-1, 0), (0.5, 50), (1, 100), (1.25, 150), (2, 300), (9, 300)])
def test_a_target_is_straight_within_a_slice(second: float, target: int) -> None:
    schedule = Schedule.of(plan(100, 200), filled_before=Decimal(0))
    assert schedule.target(int(second * S)) == target


def test_a_revised_plan_begins_at_what_was_filled_when_it_was_made() -> None:
    schedule = Schedule.of(plan(100, revision=1), filled_before=Decimal(70))
    assert schedule.target(S) == 170


def test_being_behind_is_counted_in_the_largest_slice() -> None:
    schedule = Schedule.of(plan(100, 200), filled_before=Decimal(0))
    assert schedule.slices_behind(2 * S, Decimal(0)) == 1.5
    assert schedule.slices_behind(2 * S, Decimal(400)) == -0.5


def test_the_lag_is_how_long_ago_the_plan_wanted_what_there_is() -> None:
    schedule = Schedule.of(plan(100, 100, 200), filled_before=Decimal(0))
    assert schedule.lag(S - 1, Decimal(0)) is None  # the first slice may be worked to its end
    assert schedule.lag(S, Decimal(0)) == pytest.approx(1 / 3)
    assert schedule.lag(2 * S, Decimal(50)) == pytest.approx(0.5)
    assert schedule.lag(2 * S, Decimal(250)) == 0.0
    assert schedule.lag(9 * S, Decimal(399)) == pytest.approx(0.0, abs=0.01)
    assert schedule.lag(9 * S, Decimal(400)) == 0.0
    revised = Schedule.of(plan(100, revision=1), filled_before=Decimal(70))
    assert revised.lag(S, Decimal(120)) == pytest.approx(0.5)
    assert revised.lag(S, Decimal(60)) == 1.0


def test_a_plan_without_slices_has_no_target_and_a_window_without_length_no_elapsed_part() -> None:
    schedule = Schedule.of(plan(), filled_before=Decimal(0))
    assert schedule.target(S) is None
    assert schedule.slices_behind(S, Decimal(0)) is None
    assert schedule.lag(S, Decimal(0)) is None
    assert schedule.elapsed(S) is None


def markouts() -> FillMarkouts:
    return FillMarkouts(side_sign=-1, horizons_ns=(S, 10 * S), grid_ns=S // 4, lag_max_ns=S)


def test_a_seller_is_pleased_when_the_mid_falls() -> None:
    watch = markouts()
    watch.add(0, time_ns=0, mid=Decimal(100))
    watch.see(snapshot(1.2, mid="99.9"))
    assert watch.observed == {0: {"1": pytest.approx(10.0), "10": None}}


def test_a_mid_seen_too_late_is_not_the_horizons() -> None:
    watch = markouts()
    watch.add(0, time_ns=0, mid=Decimal(100))
    watch.see(snapshot(2.1, mid="99.9"))
    assert watch.observed[0]["1"] is None
    watch.see(snapshot(10.1, mid="99.0"))
    assert watch.observed[0]["10"] == pytest.approx(100.0)


def test_a_horizon_is_settled_once_by_the_first_look() -> None:
    watch = markouts()
    watch.add(0, time_ns=0, mid=Decimal(100))
    watch.see(snapshot(1, mid="101"))
    watch.see(snapshot(1.1, mid="99"))
    assert watch.observed[0]["1"] == pytest.approx(-100.0)


def test_without_a_mid_at_the_fill_or_at_the_horizon_there_is_no_markout() -> None:
    watch = markouts()
    watch.add(0, time_ns=0, mid=None)
    watch.add(1, time_ns=0, mid=Decimal(100))
    watch.see(snapshot(1, mid=None))
    assert watch.observed[0]["1"] is None
    assert watch.observed[1]["1"] is None


def test_looks_are_asked_for_on_a_grid_and_only_while_something_is_pending() -> None:
    watch = markouts()
    assert watch.next_look_ns() is None
    watch.add(0, time_ns=int(0.1 * S), mid=Decimal(100))
    assert watch.next_look_ns() == int(1.25 * S)
    watch.see(snapshot(100))
    assert watch.next_look_ns() is None


def test_many_fills_ask_for_no_more_looks_than_the_grid_has() -> None:
    """The bound: at most four looks a second and horizon, however many fills."""
    story = Story(quantity=Decimal(1000))
    story.create()
    story.plan()
    story.send("c1", 1000)
    for number in range(100):
        story.pass_time(number / 50)
        story.fill("c1", 10, "100.01")
    story.pass_time(30)
    looks = [m for m in story.messages if m.event_type == "timer_due" and m.payload.name == "markout"]
    assert len(looks) <= 2 * (2 * 4 + 1)


def test_horizons_are_named_in_seconds() -> None:
    assert [horizon_name(ns) for ns in (S, 10 * S, S // 2)] == ["1", "10", "0.5"]


@pytest.mark.parametrize(("share", "percent"), [(0.0, 0), (0.29, 29), (0.996, 99), (0.999999999999, 99)])
def test_a_share_that_is_not_all_is_never_shown_as_all(share: float, percent: int) -> None:
    assert part_percent(share) == percent
