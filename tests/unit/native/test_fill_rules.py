"""docs/fill-rules.md, one rule at a time, on tapes small enough to follow by hand.

Every tape begins with bids of 10 at 100 and asks of 5 and 7 at 102; a test adds what happens next, one row a second.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bestex.native.decision import SideCode
from bestex.native.interactive import (
    InteractiveConfig,
    InteractiveReplay,
    LiquidityKind,
    OrderKind,
    Reason,
    Report,
    ReportKind,
)
from bestex.native.replay import QueueModel
from bestex.native.rows import ASK, BID, L2_ROWS, L3_ROWS, L2Kind, L3Kind
from bestex.native.tape import build_tape

SECOND = 1_000_000_000
CLOSE = 90 * SECOND
BUY, SELL = SideCode.BUY, SideCode.SELL
OPENING = [(1, 200, 10, L3Kind.ADD, BID), (2, 204, 5, L3Kind.ADD, ASK), (3, 204, 7, L3Kind.ADD, ASK)]

Rows = list[tuple[int, int, int, L3Kind, int]]
Start = Callable[..., InteractiveReplay]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """start(rows...) plays the opening at second 0, then one row a second; the clock stands after the opening."""

    def make(*then: tuple[int, int, int, L3Kind, int], opening: Rows = OPENING) -> InteractiveReplay:
        rows = np.zeros(len(opening) + len(then), L3_ROWS)
        for i, row in enumerate([*opening, *then]):
            for name, value in zip(("order_id", "price_half_ticks", "quantity", "kind", "side"), row, strict=True):
                rows[name][i] = value
            rows["time_ns"][i] = max(0, i - len(opening) + 1) * SECOND
        replay = InteractiveReplay(
            build_tape(rows, tmp_path / "t.tape", instrument_id="T"), InteractiveConfig(close_ns=CLOSE)
        )
        replay.advance(0)
        return replay

    return make


def start_by_levels(
    path: Path, rows: list[tuple[int, int, int, int, L2Kind, int]], model: QueueModel
) -> InteractiveReplay:
    """Rows of (second, half ticks, quantity, level quantity, kind, side)."""
    made = np.zeros(len(rows), L2_ROWS)
    for name, column in zip(L2_ROWS.names[:6], zip(*rows, strict=True), strict=True):
        made[name] = column
    made["time_ns"] *= SECOND
    tape = build_tape(made, path / "t.tape", instrument_id="T")
    replay = InteractiveReplay(tape, InteractiveConfig(queue_model=model, close_ns=CLOSE))
    replay.advance(0)
    return replay


def send(
    replay: InteractiveReplay, key: int, kind: OrderKind, side: SideCode, quantity: int, price: int | None = None
) -> None:
    replay.submit(key, kind=kind, side=side, quantity=quantity, price_ticks=price, arrives_ns=replay.now_ns)


def run(replay: InteractiveReplay, second: int = 100) -> list[Report]:
    reports = []
    while replay.now_ns < second * SECOND:
        reports += replay.advance(second * SECOND)
    return reports


def fills(reports: list[Report]) -> list[tuple[int, int, int]]:
    """(key, quantity, half ticks)."""
    return [(r.key, r.quantity, r.price_half_ticks) for r in reports if r.kind is ReportKind.FILL]


def ends(reports: list[Report]) -> list[tuple[int, ReportKind, int, Reason]]:
    return [
        (r.key, r.kind, r.quantity, r.reason) for r in reports if r.kind not in (ReportKind.FILL, ReportKind.ACCEPTED)
    ]


def test_rule_1_a_market_order_walks_the_displayed_prices_and_returns_the_rest(start: Start) -> None:
    replay = start((4, 206, 3, L3Kind.ADD, ASK))
    run(replay, 1)
    send(replay, 1, OrderKind.MARKET, BUY, 20)
    reports = run(replay)
    assert fills(reports) == [(1, 12, 204), (1, 3, 206)]
    assert ends(reports) == [(1, ReportKind.CANCELLED, 5, Reason.UNFILLED)]


def test_rule_1_a_limit_order_takes_no_worse_than_its_price_then_rests(start: Start) -> None:
    replay = start((4, 206, 3, L3Kind.ADD, ASK))
    run(replay, 1)
    send(replay, 1, OrderKind.LIMIT, BUY, 20, 102)
    send(replay, 2, OrderKind.IMMEDIATE, BUY, 20, 103)
    replay.advance(SECOND)
    assert replay.open_order(1) == (8, 0)
    assert fills(run(replay)) == []


def test_rule_2_what_was_taken_comes_back_only_as_a_new_order(start: Start) -> None:
    replay = start((2, 204, 1, L3Kind.CANCEL, ASK), (4, 204, 6, L3Kind.ADD, ASK))
    send(replay, 1, OrderKind.MARKET, BUY, 12)
    assert fills(run(replay, 0) + replay.advance(0)) == [(1, 12, 204)]
    send(replay, 2, OrderKind.MARKET, BUY, 5)
    assert ends(run(replay, 1)) == [(2, ReportKind.CANCELLED, 5, Reason.UNFILLED)]
    run(replay, 2)
    send(replay, 3, OrderKind.MARKET, BUY, 9)
    assert fills(run(replay)) == [(3, 6, 204)]


def test_rule_3_an_order_fills_when_the_tape_hits_one_behind_it(start: Start) -> None:
    replay = start((4, 200, 8, L3Kind.ADD, BID), (1, 200, 10, L3Kind.FILL, BID), (4, 200, 6, L3Kind.FILL, BID))
    send(replay, 1, OrderKind.POST_ONLY, BUY, 4, 100)
    assert replay.open_order(1) == (0, 0)
    replay.advance(0)
    assert replay.open_order(1) == (4, 10)
    reports = run(replay)
    assert fills(reports) == [(1, 4, 200)]
    assert [r.venue_time_ns for r in reports if r.kind is ReportKind.FILL] == [3 * SECOND]


def test_rule_3_a_trade_at_a_worse_price_fills_at_our_price(start: Start) -> None:
    replay = start((1, 200, 3, L3Kind.FILL, BID))
    send(replay, 1, OrderKind.POST_ONLY, BUY, 9, 101)
    assert fills(run(replay)) == [(1, 3, 202)]


def test_rule_3_one_trade_gives_no_more_than_its_quantity_best_price_first(start: Start) -> None:
    replay = start((1, 200, 5, L3Kind.FILL, BID), (1, 200, 5, L3Kind.FILL, BID))
    send(replay, 1, OrderKind.POST_ONLY, BUY, 2, 100)
    send(replay, 2, OrderKind.POST_ONLY, BUY, 4, 101)
    send(replay, 3, OrderKind.POST_ONLY, BUY, 4, 101)
    assert fills(run(replay)) == [(2, 4, 202), (3, 1, 202), (3, 3, 202)]


def test_rule_4_an_arriving_order_through_ours_fills_us_and_cannot_be_taken_again(start: Start) -> None:
    replay = start((4, 202, 10, L3Kind.ADD, ASK), (4, 202, 1, L3Kind.CANCEL, ASK))
    send(replay, 1, OrderKind.POST_ONLY, BUY, 6, 101)
    assert fills(run(replay, 1)) == [(1, 6, 202)]
    send(replay, 2, OrderKind.IMMEDIATE, BUY, 10, 101)
    assert fills(run(replay)) == [(2, 4, 202)]


def test_rule_5_a_hidden_trade_at_our_price_fills_us_first_and_leaves_the_book(start: Start) -> None:
    replay = start((0, 200, 3, L3Kind.HIDDEN, BID), (0, 201, 3, L3Kind.HIDDEN, BID))
    send(replay, 1, OrderKind.POST_ONLY, BUY, 9, 100)
    assert fills(run(replay)) == [(1, 3, 200)]
    assert replay.snapshot().bid_quantity == 10


def test_rule_6_a_midpoint_peg_fills_from_trades_beyond_the_middle_not_at_it(start: Start) -> None:
    replay = start(
        (0, 202, 2, L3Kind.HIDDEN, BID),  # at the middle: the hidden order there is before ours
        (4, 202, 4, L3Kind.ADD, BID),  # the quote is 101 - 102: the middle moves to 203 half ticks
        (4, 202, 3, L3Kind.FILL, BID),
    )
    send(replay, 1, OrderKind.MIDPOINT, BUY, 9)
    reports = run(replay)
    assert fills(reports) == [(1, 3, 203)]
    assert next(r.liquidity for r in reports if r.kind is ReportKind.FILL) is LiquidityKind.MIDPOINT


def test_rule_6_a_midpoint_peg_stays_out_beyond_its_limit(start: Start) -> None:
    replay = start((4, 202, 4, L3Kind.ADD, BID), (4, 202, 3, L3Kind.FILL, BID))
    send(replay, 1, OrderKind.MIDPOINT, BUY, 9, 101)
    assert fills(run(replay)) == []


# A level of 10 with us behind it, 4 cancelled with 6 more behind us: which part of the 4 stood before us?
@pytest.mark.parametrize(
    ("model", "ahead"),
    [
        (QueueModel.BEHIND_FIRST, 10),  # none
        (QueueModel.PRO_RATA, 8),  # 4 * 10/16 = 2.5, whole lots: 2
        (QueueModel.SQUARE, 8),  # 4 * 100/136 = 2.9
        (QueueModel.AHEAD_FIRST, 6),  # all
    ],
)
def test_rule_7_a_queue_by_levels_shortens_by_its_model(model: QueueModel, ahead: int, tmp_path: Path) -> None:
    depth = [
        (0, 200, 10, 10, L2Kind.DEPTH, BID),
        (1, 200, 6, 16, L2Kind.DEPTH, BID),
        (2, 200, 4, 12, L2Kind.DEPTH, BID),
    ]
    replay = start_by_levels(tmp_path, depth, model)
    send(replay, 1, OrderKind.POST_ONLY, BUY, 5, 100)
    run(replay, 1)
    assert replay.open_order(1) == (5, 10)
    run(replay, 2)
    assert replay.open_order(1) == (5, ahead)


def test_rule_7_a_trade_larger_than_the_queue_before_us_fills_us_with_the_rest(tmp_path: Path) -> None:
    rows = [
        (0, 200, 10, 10, L2Kind.DEPTH, BID),
        (1, 200, 8, 18, L2Kind.DEPTH, BID),
        (2, 200, 13, 0, L2Kind.TRADE, ASK),
        (2, 200, 13, 5, L2Kind.DEPTH, BID),
    ]
    replay = start_by_levels(tmp_path, rows, QueueModel.PRO_RATA)
    send(replay, 1, OrderKind.POST_ONLY, BUY, 5, 100)
    assert fills(run(replay)) == [(1, 3, 200)]


def test_rule_8_post_only_is_tested_against_what_we_have_not_taken(start: Start) -> None:
    replay = start((4, 208, 1, L3Kind.ADD, ASK))
    send(replay, 1, OrderKind.POST_ONLY, BUY, 5, 102)
    assert ends(replay.advance(0)) == [(1, ReportKind.REJECTED, 5, Reason.WOULD_TAKE)]
    send(replay, 2, OrderKind.MARKET, BUY, 12)
    send(replay, 3, OrderKind.POST_ONLY, BUY, 5, 102)
    assert ends(replay.advance(0)) == []
    assert replay.open_order(3)[0] == 5


def test_rule_8_an_amendment_down_keeps_the_place_and_up_loses_it(start: Start) -> None:
    replay = start((4, 200, 8, L3Kind.ADD, BID), (5, 208, 1, L3Kind.ADD, ASK), (6, 208, 1, L3Kind.ADD, ASK))
    send(replay, 1, OrderKind.POST_ONLY, BUY, 4, 100)
    run(replay, 1)
    replay.amend(1, quantity=3, arrives_ns=replay.now_ns)
    run(replay, 2)
    assert replay.open_order(1) == (3, 10)
    replay.amend(1, quantity=4, arrives_ns=replay.now_ns)
    replay.advance(2 * SECOND)
    assert replay.open_order(1) == (4, 18)


def test_rule_8_our_own_orders_never_trade_with_each_other(start: Start) -> None:
    replay = start((4, 208, 1, L3Kind.ADD, ASK))
    send(replay, 1, OrderKind.POST_ONLY, SELL, 5, 101)
    send(replay, 2, OrderKind.IMMEDIATE, BUY, 5, 101)
    assert fills(run(replay)) == []


def test_rule_9_what_the_tape_trades_that_was_ours_is_displaced(start: Start) -> None:
    replay = start((2, 204, 5, L3Kind.FILL, ASK), (1, 200, 4, L3Kind.FILL, BID))
    send(replay, 1, OrderKind.MARKET, BUY, 3)
    run(replay, 1)
    assert replay.snapshot().displaced == 3
    send(replay, 2, OrderKind.POST_ONLY, BUY, 2, 101)
    run(replay)
    assert replay.snapshot().displaced == 5


def test_nothing_fills_in_a_halt_and_orders_keep_their_place(start: Start) -> None:
    replay = start(
        (0, 0, 0, L3Kind.HALT, BID),
        (0, 0, 0, L3Kind.RESUME, BID),
        (1, 200, 10, L3Kind.FILL, BID),
        (4, 198, 1, L3Kind.ADD, BID),
        (4, 198, 1, L3Kind.FILL, BID),
    )
    send(replay, 1, OrderKind.POST_ONLY, BUY, 4, 100)
    run(replay, 1)
    send(replay, 2, OrderKind.MARKET, BUY, 4)
    assert ends(run(replay, 2)) == [(2, ReportKind.REJECTED, 4, Reason.HALTED)]
    assert fills(run(replay)) == [(1, 1, 200)]


def test_a_cross_is_volume_and_fills_nobody(start: Start) -> None:
    replay = start((0, 190, 50, L3Kind.CROSS, BID))
    send(replay, 1, OrderKind.POST_ONLY, BUY, 4, 100)
    assert fills(run(replay)) == []
    assert (replay.snapshot().volume, replay.snapshot().auction_volume) == (50, 50)


def test_an_action_sees_every_row_of_its_own_time(start: Start) -> None:
    replay = start(
        (2, 204, 5, L3Kind.FILL, ASK), opening=[*OPENING, (3, 204, 7, L3Kind.CANCEL, ASK), (4, 206, 9, L3Kind.ADD, ASK)]
    )
    replay.submit(1, kind=OrderKind.MARKET, side=BUY, quantity=2, arrives_ns=SECOND)
    assert fills(run(replay)) == [(1, 2, 206)]
