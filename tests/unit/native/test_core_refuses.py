"""What would have crashed the interpreter, or run on undefined numbers, is refused with its name.

`make sanitize-python` runs this under the sanitizers, where a check that is missing stops the run.
"""

import contextlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bestex.native import _core
from bestex.native.rows import ASK, BID, L3_ROWS, L3Kind

DAY = 1_700_000_000_000_000_000
HOUR = 3_600_000_000_000
MOST, LEAST = 2**63 - 1, -(2**63)


def market(**changes: Any) -> _core.GeneratedMarket:
    parameters: dict[str, Any] = {
        "seed": 7,
        "open_ns": DAY,
        "close_ns": DAY + HOUR,
        "opening_price": 10_000.0,
        "daily_volatility": 0.02,
        "instants_per_day": 20_000.0,
        "half_spread": 1.0,
        "order_size": 5.0,
        "market_order_size": 5.0,
        "orders_per_side": 20.0,
        "average_daily_volume": 100_000.0,
        "impact": 0.1,
        "dark_orders_per_day": 100.0,
        "dark_order_size": 5.0,
        "venue_shares": [0.5, 0.3, 0.2],
        "latency": [0, 0, 0, 0],
    }
    return _core.GeneratedMarket(**(parameters | changes))


def engine(**changes: Any) -> _core.DecisionEngine:
    parameters: dict[str, Any] = {
        "algorithm": 0,
        "style": 1,
        "side": 0,
        "quantity": 20,
        "start": 0,
        "end": 2000,
        "slices": 2,
        "curve": np.array([0.5, 1.0]),
    }
    return _core.DecisionEngine(**(parameters | changes))


@pytest.fixture(name="tape")
def open_small_tape(tmp_path: Path) -> _core.Tape:
    rows = np.zeros(2, L3_ROWS)
    for at, (side, price) in enumerate([(BID, 200), (ASK, 204)]):
        rows[at]["time_ns"], rows[at]["order_id"], rows[at]["price_half_ticks"] = DAY + at, at + 1, price
        rows[at]["quantity"], rows[at]["kind"], rows[at]["side"] = 10, L3Kind.ADD, side
    path = str(tmp_path / "day.tape")
    builder = builder_at(path)
    builder.add_l3(rows.view(np.uint8).reshape(-1, 32))
    builder.finish()
    return _core.Tape(path)


def builder_at(path: str) -> _core.TapeBuilder:
    return _core.TapeBuilder(
        path=path, instrument_id="T", tick_size="0.01", lot_size="1", day="", level=3, refuse_crossed=False
    )


def replay(tape: _core.Tape) -> _core.InteractiveReplay:
    return _core.InteractiveReplay(tape, report_delay_ns=0, queue_model=1, close_ns=DAY + HOUR)


PARENT = np.dtype(
    [
        ("quantity", "<i8"),
        ("start", "<i8"),
        ("end", "<i8"),
        ("limit", "<i8"),
        ("child_quantity_max", "<i8"),
        ("participation_rate", "<f8"),
        ("world", "<u4"),
        ("slices", "<i4"),
        ("curve", "<u4"),
        ("algorithm", "u1"),
        ("style", "u1"),
        ("side", "u1"),
        ("pad", "u1"),
    ]
)


def batch(tape: _core.Tape, feed_delay_ns: int = 0, **changes: Any) -> _core.BatchReplay:
    parents = np.zeros(1, PARENT)
    whole = {"quantity": 20, "start": DAY, "end": DAY + HOUR, "limit": LEAST, "child_quantity_max": MOST}
    whole |= {"participation_rate": 1.0, "slices": 2, "style": 1}
    for name, value in (whole | changes).items():
        parents[name] = value
    return _core.BatchReplay(
        tape,
        feed_delay_ns=feed_delay_ns,
        order_delay_ns=0,
        report_delay_ns=0,
        maker_fee=0,
        taker_fee=0,
        queue_model=1,
        keep_fills=False,
        parents=parents.view(np.uint8).reshape(-1, 64),
        curves=np.array([0.5, 1.0]),
    )


def test_none_among_the_markets_to_advance_is_refused() -> None:
    with pytest.raises(TypeError, match="markets holds None"):
        _core.advance_markets([market(), None], DAY)  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("order_size", float("inf"), "mean sizes"),
        ("market_order_size", 1e300, "mean sizes"),
        ("dark_order_size", float("nan"), "mean sizes"),
        ("average_daily_volume", float("inf"), "average_daily_volume"),
        ("average_daily_volume", 1e-300, "average_daily_volume"),
        ("impact", float("inf"), "impact"),
        ("impact", float("nan"), "impact"),
        ("dark_orders_per_day", float("inf"), "dark_orders_per_day"),
        ("opening_price", float("nan"), "opening_price"),
    ],
)
def test_a_market_of_numbers_that_do_not_fit_is_refused(name: str, value: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        market(**{name: value})


def test_a_session_outside_the_clock_is_refused() -> None:
    with pytest.raises(ValueError, match="between 1970 and 2116"):
        market(open_ns=LEAST, close_ns=MOST)


def test_one_handle_cannot_name_two_orders() -> None:
    one = market()
    one.submit(1, 0, 1, 0, 9_990, 5, DAY)
    with pytest.raises(ValueError, match="handle was submitted before"):
        one.submit(1, 0, 1, 0, 9_990, 5, DAY)


@pytest.mark.parametrize(("limit", "time", "words"), [(LEAST, DAY, "limit"), (2**62, DAY, "limit"), (1, MOST, "time")])
def test_an_order_at_the_end_of_the_numbers_is_refused(limit: int, time: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        market().submit(1, 3, 1, 4, limit, 5, time)


def test_history_asked_for_to_the_end_of_time_stops_at_what_there_is() -> None:
    one = market()
    one.run_until(DAY + HOUR // 2)
    quotes, trades = one.quotes(LEAST, MOST, 2**64 - 1), one.trades(LEAST, MOST, 2**64 - 1)
    assert quotes == one.quotes(DAY, DAY + HOUR, 10**9)
    assert len(trades) == len(one.trades(DAY, DAY + HOUR, 10**9)) > 0
    assert one.counters(MOST) == one.counters(DAY + HOUR)
    [bar] = one.bars(DAY, DAY + HOUR, MOST)
    assert bar[6] == one.counters(DAY)["volume"]
    with pytest.raises(ValueError, match="start"):
        one.bars(LEAST, MOST, 1)


def test_a_great_own_order_moves_the_price_out_of_the_ladder_and_no_further() -> None:
    one = market(impact=1000.0, average_daily_volume=1.0)
    one.run_until(DAY)
    for handle in range(5):
        one.submit(handle, 0, 1, 1, None, 2**31 - 1, DAY)
    one.run_until(DAY + HOUR)
    filled = sum(report[7] for report in one.take_reports(DAY + HOUR) if report[3] == 1)
    assert filled > 0


def test_a_ladder_of_four_billion_levels_is_refused_before_it_is_made() -> None:
    with pytest.raises(ValueError, match="levels must be a multiple of 64"):
        _core.MatchingEngine(0, 2**32 - 64)


@pytest.mark.parametrize(("start", "end"), [(LEAST, MOST), (-(2**62), 0), (0, 2**62)])
def test_a_schedule_whose_length_does_not_fit_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="within 2\\^62 ns of 1970"):
        engine(start=start, end=end)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (0, MOST, "filled"),
        (0, -1, "filled"),
        (1, MOST, "live"),
        (3, LEAST, "now"),
        (4, MOST, "bid"),
        (5, LEAST + 1, "ask"),
        (8, MOST, "others_volume"),
        (9, 2**32, "wake is 4294967296"),
        (9, -1, "wake is -1"),
    ],
)
def test_a_decision_asked_with_numbers_that_do_not_fit_is_refused(column: int, value: int, words: str) -> None:
    row = np.array([[0, 0, 0, 10, 99, 100, 5, 5, 0, 1]])
    assert engine().decide_rows(row)[0, 0] == 1
    row[0, column] = value
    one = engine()
    before = one.state
    with pytest.raises(ValueError, match=words):
        one.decide_rows(row)
    assert one.state == before
    if column != 9:
        with pytest.raises(ValueError, match=words):
            one.decide(*(bool(v) if at == 2 else int(v) for at, v in enumerate(row[0])))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"child_quantity_max": 0}, r"parents\[0\].child_quantity_max is 0"),  # divided by it
        ({"participation_rate": float("nan")}, "participation_rate is nan"),
        ({"end": DAY - 1}, r"parents\[0\].end"),
        ({"start": LEAST}, r"parents\[0\].start"),
        ({"quantity": MOST}, r"parents\[0\].quantity"),
        ({"curve": 1, "slices": 1, "quantity": -5}, r"parents\[0\].quantity is -5"),
        ({"slices": 1}, "the last value of"),
        ({"curve": 2**32 - 1}, "lies outside"),
        ({"feed_delay_ns": MOST}, "feed_delay_ns"),
    ],
)
def test_a_batch_parent_is_held_to_the_ranges_of_a_live_one(
    tape: _core.Tape, changes: dict[str, Any], words: str
) -> None:
    assert batch(tape).advance(10) is False
    with pytest.raises(ValueError, match=words):
        batch(tape, **changes)


def test_an_interactive_replay_refuses_what_does_not_fit(tape: _core.Tape) -> None:
    one = replay(tape)
    for words, call in {
        "quantity": lambda: one.submit(1, 0, 0, MOST, LEAST, DAY),
        "price": lambda: one.submit(1, 2, 0, 1, MOST, DAY),
        "until_ns": lambda: _core.advance_replays([one], MOST),
        "before now": lambda: _core.advance_replays([one], 0),
        "no replay": lambda: _core.advance_replays([], DAY),
    }.items():
        with pytest.raises(ValueError, match=words):
            call()


def test_a_price_far_from_the_tape_still_has_a_place(tape: _core.Tape) -> None:
    one = replay(tape)
    one.submit(1, 2, 0, 5, -(2**53) + 1, DAY)
    one.submit(2, 2, 1, 5, 2**53 - 1, DAY)
    _core.advance_replays([one], DAY + 10)
    assert one.open_order(1)[0] == one.open_order(2)[0] == 5


def test_one_replay_cannot_be_advanced_twice_at_once(tape: _core.Tape) -> None:
    one = replay(tape)
    with pytest.raises(RuntimeError, match="used by another thread"):
        _core.advance_replays([one, one], DAY)
    assert _core.advance_replays([one], DAY)[0] == DAY


def test_replays_taken_from_their_list_while_they_run_live_on(tape: _core.Tape) -> None:
    """The native loop gives the interpreter's lock up: another thread may empty the list and drop the replays."""
    stop = threading.Event()
    together: list[_core.InteractiveReplay] = []

    def empty_it() -> None:
        while not stop.is_set():
            together.clear()

    thief = threading.Thread(target=empty_it)
    thief.start()
    try:
        for _ in range(50):
            together.clear()
            together.extend(replay(tape) for _ in range(4))
            with contextlib.suppress(ValueError):  # emptied before it began
                assert _core.advance_replays(together, DAY + HOUR)[0] == DAY + HOUR
    finally:
        stop.set()
        thief.join()


def test_a_tape_row_outside_the_clock_is_refused(tmp_path: Path) -> None:
    for time_ns in (LEAST, -1, MOST):
        rows = np.zeros(1, L3_ROWS)
        rows["time_ns"], rows["kind"] = time_ns, L3Kind.HALT
        with pytest.raises(_core.TapeError, match="time_ns"):
            builder_at(str(tmp_path / "day.tape")).add_l3(rows.view(np.uint8).reshape(-1, 32))


def test_an_object_that_was_never_constructed_is_refused() -> None:
    bare = _core.InteractiveReplay.__new__(_core.InteractiveReplay)
    with pytest.raises(TypeError), pytest.warns(RuntimeWarning):
        bare.snapshot()
