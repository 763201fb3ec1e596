"""A tape holds what its source said, and refuses what no market could have said."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bestex.domain.errors import InvalidData
from bestex.native.rows import ASK, BID, L2_ROWS, L3_ROWS, L2Kind, L3Kind
from bestex.native.tape import NO_PRICE, Tape, build_tape, open_tape

DAY = 1_700_000_000_000_000_000


def l3(*rows: tuple[int, int, int, int, int, int]) -> NDArray[np.void]:
    """(seconds, order id, half ticks, quantity, kind, side) -> rows."""
    made = np.zeros(len(rows), L3_ROWS)
    for name, column in zip(L3_ROWS.names[:6], zip(*rows, strict=True), strict=True):
        made[name] = column
    made["time_ns"] = made["time_ns"] * 1_000_000_000 + DAY
    return made


def l2(*rows: tuple[int, int, int, int, int, int]) -> NDArray[np.void]:
    """(seconds, half ticks, quantity, level quantity, kind, side) -> rows."""
    made = np.zeros(len(rows), L2_ROWS)
    for name, column in zip(L2_ROWS.names[:6], zip(*rows, strict=True), strict=True):
        made[name] = column
    made["time_ns"] = made["time_ns"] * 1_000_000_000 + DAY
    return made


TWO_SIDED = l3((0, 1, 200, 10, L3Kind.ADD, BID), (0, 2, 204, 5, L3Kind.ADD, ASK))


def build(rows: NDArray[np.void], path: Path, **options: Any) -> Tape:
    return build_tape(rows, path / "day.tape", instrument_id="TEST", **options)


def test_quotes_and_trades_come_back_as_they_were_said(tmp_path: Path) -> None:
    rows = np.concatenate(
        [
            TWO_SIDED,
            l3((1, 2, 204, 2, L3Kind.FILL, ASK), (1, 2, 204, 3, L3Kind.FILL, ASK)),
            l3((2, 0, 203, 7, L3Kind.HIDDEN, ASK), (9, 0, 206, 50, L3Kind.CROSS, BID)),
        ]
    )
    tape = build(rows, tmp_path)
    assert tape.quotes(DAY, DAY + 10**10).tolist() == [
        (DAY, 100, 102, 10, 5),
        (DAY + 10**9, 100, NO_PRICE, 10, 0),
    ]
    assert [row[:5] for row in tape.trades(DAY, DAY + 10**10).tolist()] == [
        (DAY + 10**9, 204, 2, 0, 0),
        (DAY + 10**9, 204, 3, 0, 0),
        (DAY + 2 * 10**9, 203, 7, 0, 1),
        (DAY + 9 * 10**9, 206, 50, 1, 3),
    ]
    assert (tape.metadata.traded_lots, tape.metadata.crosses, tape.metadata.source_rows) == (12, 1, 6)


def test_a_limit_keeps_the_latest_quotes_and_trades(tmp_path: Path) -> None:
    bids = l3(*((second, second + 10, 2 * (100 + second), 1, L3Kind.ADD, BID) for second in range(1, 9)))
    sales = l3(*((second, second + 2, 2 * (100 + second - 8), 1, L3Kind.FILL, BID) for second in range(16, 8, -1)))
    sales["time_ns"] = DAY + np.arange(9, 17) * 1_000_000_000
    tape = build(np.concatenate([TWO_SIDED[:1], bids, sales]), tmp_path)
    for every_row in (False, True):
        quotes = tape.quotes(DAY, 2**62, every_row=every_row)
        for limit in range(1, len(quotes) + 2):
            kept = tape.quotes(DAY, 2**62, limit=limit, every_row=every_row)
            assert kept.tolist() == quotes.tolist()[-limit:]
    times = tape.trades(DAY, 2**62)["time_ns"].tolist()
    assert len(times) == 8
    for limit in range(1, 10):
        assert tape.trades(DAY, 2**62, limit=limit)["time_ns"].tolist() == times[-limit:]


def test_every_row_of_a_sweep_is_seen_when_asked_for(tmp_path: Path) -> None:
    rows = np.concatenate([TWO_SIDED, l3((1, 2, 204, 2, L3Kind.FILL, ASK), (1, 2, 204, 3, L3Kind.FILL, ASK))])
    quotes = build(rows, tmp_path).quotes(DAY, DAY + 10**10, every_row=True)
    assert quotes["ask_quantity"].tolist() == [5, 3, 0]


def test_a_trade_and_its_depth_row_become_one_row(tmp_path: Path) -> None:
    tape = build(
        l2(
            (0, 200, 10, 10, L2Kind.DEPTH, BID),
            (1, 200, 4, 0, L2Kind.TRADE, ASK),
            (1, 200, 4, 6, L2Kind.DEPTH, BID),
            (2, 200, 1, 0, L2Kind.TRADE, ASK),
        ),
        tmp_path,
    )
    # Two time rows would be too many: one base, then an addition, a fill and a print.
    assert (tape.metadata.rows, tape.metadata.fills, tape.metadata.prints) == (4, 1, 1)
    assert tape.trades(DAY, DAY + 10**10)["quantity"].tolist() == [4, 1]


def test_a_trade_with_a_larger_fall_of_its_level_is_a_fill_and_a_cancel(tmp_path: Path) -> None:
    tape = build(
        l2(
            (0, 200, 10, 10, L2Kind.DEPTH, BID),
            (1, 200, 4, 0, L2Kind.TRADE, ASK),
            (1, 200, 7, 3, L2Kind.DEPTH, BID),
        ),
        tmp_path,
    )
    assert (tape.metadata.fills, tape.metadata.cancels, tape.metadata.traded_lots) == (1, 1, 4)
    assert tape.quotes(DAY + 10**9, DAY + 10**10).tolist() == [(DAY + 10**9, 100, NO_PRICE, 3, 0)]


def test_chunks_make_the_same_tape_as_one_array(tmp_path: Path) -> None:
    rows = np.concatenate([TWO_SIDED, l3((5, 1, 200, 10, L3Kind.CANCEL, BID), (6, 3, 202, 1, L3Kind.ADD, BID))])
    whole = build_tape(rows, tmp_path / "whole.tape", instrument_id="TEST")
    seen: list[int] = []
    parts = build_tape(
        [rows[:1], rows[1:3], rows[3:]], tmp_path / "parts.tape", instrument_id="TEST", progress=seen.append
    )
    assert whole.metadata == parts.metadata
    assert seen == [1, 3, 4]


@pytest.mark.parametrize(
    ("bad", "field", "value"),
    [
        ((0, 2, 204, 5, L3Kind.ADD, ASK), "order_id", "2"),
        ((0, 7, 204, 5, L3Kind.CANCEL, ASK), "order_id", "7"),
        ((0, 2, 204, 6, L3Kind.FILL, ASK), "quantity", "6"),
        ((0, 2, 206, 5, L3Kind.FILL, ASK), "price_half_ticks", "206"),
        ((0, 2, 204, 5, L3Kind.FILL, BID), "side", "0"),
        ((0, 3, 205, 5, L3Kind.ADD, ASK), "price_half_ticks", "205"),
        ((0, 3, 204, 0, L3Kind.ADD, ASK), "quantity", "0"),
        ((0, 3, 204, 5, 9, ASK), "kind", "9"),
        ((0, 3, 204, 5, L3Kind.ADD, 2), "side", "2"),
        ((-1, 3, 204, 5, L3Kind.ADD, ASK), "time_ns", str(DAY - 10**9)),
        ((0, 3, 2_000_000_000, 5, L3Kind.ADD, ASK), "price_half_ticks", "2000000000"),
    ],
)
def test_a_row_no_market_could_send_is_named_with_its_field_and_value(
    tmp_path: Path, bad: tuple[int, int, int, int, int, int], field: str, value: str
) -> None:
    with pytest.raises(InvalidData, match="row 2") as caught:
        build(np.concatenate([TWO_SIDED, l3(bad)]), tmp_path)
    assert (caught.value.field, caught.value.value) == (field, value)
    assert list(tmp_path.iterdir()) == []


def test_a_crossed_book_is_counted_or_refused_as_asked(tmp_path: Path) -> None:
    rows = np.concatenate([TWO_SIDED, l3((1, 3, 206, 1, L3Kind.ADD, BID), (2, 3, 206, 1, L3Kind.CANCEL, BID))])
    assert build(rows, tmp_path).metadata.crossed_quotes == 1
    with pytest.raises(InvalidData, match="row 2.*crossed.*bid 206 and ask 204"):
        build(rows, tmp_path, refuse_crossed=True)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda b: b[:-5], "truncated"),
        (lambda b: b + b"\0" * 16, "appended"),
        (lambda b: b[:1000], "too short"),
        (lambda b: b"X" + b[1:], "not a tape"),
        (lambda b: b[:8] + b"\x09" + b[9:], "version 9"),
        (lambda b: b[:200] + bytes([b[200] ^ 1]) + b[201:], "header's checksum"),
        (lambda b: b[:-8] + bytes([b[-8] ^ 1]) + b[-7:], "checksum of its rows|corrupted"),
    ],
)
def test_a_damaged_tape_is_refused_with_the_reason(tmp_path: Path, harm: Any, message: str) -> None:
    build(TWO_SIDED, tmp_path)
    path = tmp_path / "day.tape"
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(InvalidData, match=message):
        open_tape(path)


def test_a_missing_tape_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"nowhere\.tape: cannot be opened"):
        open_tape(tmp_path / "nowhere.tape")
