import gzip
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bestex.adapters.marketdata.lobster import LobsterSource, read_lobster
from bestex.adapters.marketdata.source import Layout, MarketData
from bestex.domain.errors import InvalidData
from bestex.domain.time import to_iso
from bestex.native.rows import ASK, BID, L2Kind, L3Kind

Top = tuple[int, int, int, int]  # ask, its lots, bid, its lots; 0 where empty


def write(folder: Path, name: str, lines: Sequence[str]) -> Path:
    path = folder / name
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def messages(folder: Path, lines: Sequence[str], levels: int = 10) -> Path:
    return write(folder, f"TEST_2012-06-21_34200000_57600000_message_{levels}.csv", lines)


def book(folder: Path, lines: Sequence[str], levels: int = 2) -> Path:
    return write(folder, f"TEST_2012-06-21_34200000_57600000_orderbook_{levels}.csv", lines)


def tops_of_orders(data: MarketData, *, skip_cancel_of: int | None = None) -> list[Top]:
    """Distinct states of best ask and bid after each instant's first message, from a plain dictionary of levels."""
    levels: dict[int, dict[int, int]] = {BID: {}, ASK: {}}
    opening = data.report.repaired.get("opening level", 0) + data.report.repaired.get("older order", 0)
    tops: list[Top] = []
    for index, row in enumerate(data.rows.tolist()):
        _, order_id, price, lots, kind, side, _ = row
        if kind == L3Kind.CANCEL and order_id == skip_cancel_of:
            continue
        if kind in (L3Kind.ADD, L3Kind.CANCEL, L3Kind.FILL):
            at = levels[side]
            at[price] = at.get(price, 0) + (lots if kind == L3Kind.ADD else -lots)
            assert at[price] >= 0
            if at[price] == 0:
                del at[price]
        if index < opening:
            continue
        top = top_of(levels)
        if not tops or top != tops[-1]:
            tops.append(top)
    return tops


def top_of(levels: dict[int, dict[int, int]]) -> Top:
    ask = min(levels[ASK], default=0)
    bid = max(levels[BID], default=0)
    return (ask, levels[ASK].get(ask, 0), bid, levels[BID].get(bid, 0))


def published_tops(path: Path) -> list[Top]:
    tops: list[Top] = []
    for line in gzip.decompress(path.read_bytes()).decode().split():
        ask, ask_lots, bid, bid_lots = (int(cell) for cell in line.split(",")[:4])
        top = (ask // 50, ask_lots, bid // 50, bid_lots)
        if not tops or top != tops[-1]:
            tops.append(top)
    return tops


@pytest.fixture
def aapl(real_data: Path) -> MarketData:
    folder = real_data / "lobster"
    return read_lobster(
        LobsterSource(
            messages=folder / "AAPL_2012-06-21_34200000_37800000_message_50.csv.gz",
            book=folder / "AAPL_2012-06-21_first999_orderbook_10.csv.gz",
            level1=folder / "AAPL_2012-06-21_34200000_57600000_orderbook_1.csv.gz",
        )
    )


def test_every_level_1_state_of_the_apple_hour_equals_the_published_file(aapl: MarketData, real_data: Path) -> None:
    published = published_tops(real_data / "lobster/AAPL_2012-06-21_34200000_57600000_orderbook_1.csv.gz")
    tops = tops_of_orders(aapl)
    assert len(tops) == 23_440
    assert tops == published[:23_440]


def test_without_its_ghost_removal_the_apple_hour_differs_at_state_15_999(aapl: MarketData, real_data: Path) -> None:
    published = published_tops(real_data / "lobster/AAPL_2012-06-21_34200000_57600000_orderbook_1.csv.gz")
    (ghost,) = (repair for repair in aapl.report.repairs if repair.kind == "ghost")
    order_id = int(ghost.reason.split()[1].rstrip(":"))
    tops = tops_of_orders(aapl, skip_cancel_of=order_id)
    assert tops[:15_999] == published[:15_999]
    assert tops[15_999] != published[15_999]


def test_the_apple_hour_has_the_published_counts_and_every_repair_is_reported(aapl: MarketData) -> None:
    report = aapl.report
    assert report.facts == {
        "adds": 44_256,
        "partial cancels": 469,
        "deletes": 41_004,
        "executions": 4_067,
        "hidden executions": 2_201,
        "level-1 states equal to the published ones": 23_440,
    }
    assert report.repaired == {"older order": 36, "late order": 44, "ghost": 1}
    assert report.rows_written == 91_997 + 36 + 44 + 1
    assert report.crossed_quotes == 0
    assert not report.caveats
    (ghost,) = (repair for repair in report.repairs if repair.kind == "ghost")
    assert (ghost.price, ghost.quantity, ghost.side) == (Decimal("584.21"), Decimal(100), "bid")


def test_hidden_executions_keep_their_half_ticks(aapl: MarketData) -> None:
    hidden = aapl.rows[aapl.rows["kind"] == L3Kind.HIDDEN]
    assert int((hidden["price_half_ticks"] % 2 == 1).sum()) == 19
    displayed = aapl.rows[aapl.rows["kind"] != L3Kind.HIDDEN]
    assert not (displayed["price_half_ticks"] % 2).any()


def test_times_are_new_york_wall_clock_turned_into_utc_nanoseconds(aapl: MarketData) -> None:
    assert to_iso(int(aapl.rows["time_ns"][0])) == "2012-06-21T13:30:00.004241176Z"
    assert (np.diff(aapl.rows["time_ns"]) >= 0).all()


def test_the_amazon_levels_equal_the_published_order_book_after_every_message(real_data: Path) -> None:
    folder = real_data / "lobster"
    path = folder / "AMZN_2012-06-21_34200000_44553633_orderbook_1.csv.gz"
    data = read_lobster(
        LobsterSource(messages=folder / "AMZN_2012-06-21_34200000_44553633_message_1.csv.gz", book=path)
    )
    assert data.layout is Layout.L2
    published = published_tops(path)
    assert tops_of_levels(data) == published
    assert data.report.facts == {"executions": 3_537, "hidden executions": 1_064}
    trades = data.rows[np.isin(data.rows["kind"], (L2Kind.TRADE, L2Kind.HIDDEN))]
    assert len(trades) == 3_537 + 1_064


def tops_of_levels(data: MarketData) -> list[Top]:
    """Distinct states of best ask and bid after each time, with the states inside one time that were published."""
    levels: dict[int, dict[int, int]] = {BID: {}, ASK: {}}
    tops: list[Top] = []
    rows = data.rows.tolist()
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        _, price, _, level, kind, side, _ = row
        if kind == L2Kind.DEPTH:
            if level:
                levels[side][price] = level
            else:
                levels[side].pop(price, None)
        # A level that goes is followed, in the same message, by the next best.
        goes_on = (
            following is not None
            and following[4] == L2Kind.DEPTH
            and kind == L2Kind.DEPTH
            and following[5] == side
            and level == 0
        )
        both = len(levels[BID]) == 1 and len(levels[ASK]) == 1
        top = top_of(levels)
        if both and not goes_on and (not tops or top != tops[-1]):
            tops.append(top)
    return tops


OPENING = "1000200,100,1000000,50,1000300,200,999900,80"


def test_opening_levels_stand_before_the_first_message_which_is_taken_out_of_them(tmp_path: Path) -> None:
    # Bid 100.00 shows 50, of which message 1 is 20: a lump of 30 stood there before.
    data = read_lobster(
        LobsterSource(
            messages=messages(tmp_path, ["34200.5,1,77,20,1000000,1", "34201.0,3,77,20,1000000,1"]),
            book=book(tmp_path, [OPENING]),
            layout=Layout.L3,
        )
    )
    assert data.report.repaired == {"opening level": 4}
    lumps = {(row["side"], row["price_half_ticks"]): row["quantity"] for row in data.rows[:4]}
    assert lumps == {(ASK, 20004): 100, (ASK, 20006): 200, (BID, 20000): 30, (BID, 19998): 80}
    assert data.rows["kind"].tolist() == [1, 1, 1, 1, L3Kind.ADD, L3Kind.CANCEL]
    assert len(set(data.rows["order_id"][:5].tolist())) == 5


def test_an_order_named_without_an_add_and_older_than_the_first_comes_out_of_its_levels_lump(tmp_path: Path) -> None:
    lines = ["34200.5,1,77,20,1000000,1", "34201.0,2,33,25,1000300,-1", "34202.0,3,33,100,1000300,-1"]
    data = read_lobster(
        LobsterSource(messages=messages(tmp_path, lines), book=book(tmp_path, [OPENING]), layout=Layout.L3)
    )
    assert data.report.repaired == {"opening level": 4, "older order": 1}
    at_level = [int(row["quantity"]) for row in data.rows[:5] if row["price_half_ticks"] == 20006]
    assert at_level == [75, 125]  # 200 displayed: 125 of order 33, the rest nameless and in front


def test_an_order_that_appears_beyond_the_published_levels_is_put_in_where_its_id_belongs(tmp_path: Path) -> None:
    lines = [
        "34200.5,1,77,20,1000000,1",
        "34201.0,1,90,20,999800,1",
        "34202.0,3,80,60,999000,1",
    ]
    data = read_lobster(
        LobsterSource(messages=messages(tmp_path, lines), book=book(tmp_path, [OPENING]), layout=Layout.L3)
    )
    assert data.report.repaired["late order"] == 1
    late = data.rows[data.rows["order_id"] == 80]
    assert late["kind"].tolist() == [L3Kind.ADD, L3Kind.CANCEL]
    assert to_iso(int(late["time_ns"][0])).endswith("13:30:00.500000Z")


def test_a_trade_past_an_order_that_was_out_of_sight_proves_it_a_ghost(tmp_path: Path) -> None:
    # One published level. Order 77 (bid 99.99) is hidden by order 78 (100.01), which goes; then 79 trades at 99.98.
    lines = [
        "34200.5,1,77,20,999900,1",
        "34201.0,1,78,10,1000100,1",
        "34201.5,1,79,10,999800,1",
        "34202.0,3,78,10,1000100,1",
        "34203.0,4,79,10,999800,1",
    ]
    data = read_lobster(LobsterSource(messages=messages(tmp_path, lines, levels=1)))
    (ghost,) = data.report.repairs
    assert (ghost.kind, ghost.price, ghost.quantity) == ("ghost", Decimal("99.99"), Decimal(20))
    removal = data.rows[(data.rows["order_id"] == 77) & (data.rows["kind"] == L3Kind.CANCEL)]
    assert to_iso(int(removal["time_ns"][0])).endswith("13:30:01.000000Z")


def test_an_order_that_always_showed_is_no_ghost_and_the_trade_past_it_is_counted(tmp_path: Path) -> None:
    lines = ["34200.5,1,77,20,999900,1", "34201.5,1,79,10,999800,1", "34203.0,4,79,10,999800,1"]
    data = read_lobster(LobsterSource(messages=messages(tmp_path, lines, levels=10)))
    assert data.report.repairs == ()
    assert data.report.facts["executions away from the best price"] == 1


def test_a_removal_of_more_than_an_order_has_is_cut_and_reported(tmp_path: Path) -> None:
    lines = ["34200.5,1,77,20,999900,1", "34201.5,3,77,30,999900,1", "34201.6,3,77,5,999900,1"]
    data = read_lobster(LobsterSource(messages=messages(tmp_path, lines)))
    assert data.report.repaired == {"removal cut": 2}
    assert data.rows["quantity"].tolist() == [20, 20]
    assert data.report.dropped == {"removal of an order with nothing left": 1}


def test_halts_crosses_and_hidden_executions_do_not_touch_the_displayed_book(tmp_path: Path) -> None:
    lines = [
        "34200.5,1,77,20,999900,1",
        "34201.0,5,0,7,1000050,-1",
        "34202.0,7,0,0,-1,-1",
        "34203.0,7,0,0,0,-1",
        "34204.0,7,0,0,1,-1",
        "34205.0,6,0,900,1000000,-1",
    ]
    data = read_lobster(LobsterSource(messages=messages(tmp_path, lines)))
    kinds = [L3Kind(kind) for kind in data.rows["kind"].tolist()]
    assert kinds == [L3Kind.ADD, L3Kind.HIDDEN, L3Kind.HALT, L3Kind.RESUME, L3Kind.CROSS]
    assert data.rows["price_half_ticks"].tolist() == [19998, 20001, 0, 0, 20000]
    assert data.report.dropped == {"quoting resumes (no trading yet)": 1}


def test_a_crossed_book_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    lines = ["34200.5,1,77,20,999900,1", "34201.0,1,78,10,999900,-1", "34202.0,1,79,10,999800,-1"]
    report = read_lobster(LobsterSource(messages=messages(tmp_path, lines))).report
    assert (report.quotes, report.locked_quotes, report.crossed_quotes) == (3, 1, 1)


def test_row_aligned_levels_become_depth_rows_and_a_trade_comes_before_its_level(tmp_path: Path) -> None:
    data = read_lobster(
        LobsterSource(
            messages=messages(
                tmp_path,
                ["34200.5,1,77,20,1000000,1", "34201.0,4,70,100,1000200,-1", "34202.0,5,0,3,1000050,1"],
                levels=1,
            ),
            book=book(tmp_path, ["1000200,100,1000000,20", "1000400,60,1000000,20", "1000400,60,1000000,20"], levels=1),
        )
    )
    assert data.layout is Layout.L2
    fields = ["kind", "side", "price_half_ticks", "quantity", "level_quantity"]
    assert [tuple(row) for row in data.rows[fields].tolist()] == [
        (L2Kind.DEPTH, BID, 20000, 20, 20),
        (L2Kind.DEPTH, ASK, 20004, 100, 100),
        (L2Kind.TRADE, BID, 20004, 100, 0),  # a buyer took the ask
        (L2Kind.DEPTH, ASK, 20004, 100, 0),
        (L2Kind.DEPTH, ASK, 20008, 60, 60),
        (L2Kind.HIDDEN, ASK, 20001, 3, 0),  # a seller met a hidden bid
    ]


GOOD = "34200.5,1,77,20,1000000,1"


@pytest.mark.parametrize(
    ("lines", "field", "value", "expected"),
    [
        ([GOOD, "34201,1,78,20,1000000"], "2:number of columns", "5", "6"),
        ([GOOD, "34201,1,78,-20,1000000,1"], "2:size", "-20", "a positive number"),
        ([GOOD, "34201,1,78,x,1000000,1"], "2:size", "x", "a whole number"),
        ([GOOD, "34201,9,78,20,1000000,1"], "2:type", "9", "1 to 7"),
        ([GOOD, "34200.4,1,78,20,1000000,1"], "2:time", "34200.4", "at or after 34200.5"),
        ([GOOD, "34201,1,78,20,1000050,1"], "2:price", "1000050", "a multiple of the tick"),
        ([GOOD, "34201,1,78,20,1000025,1"], "2:price", "1000025", "half a tick"),
        ([GOOD, "34201,1,78,20,1000000,0"], "2:direction", "0", "1 or -1"),
        ([GOOD, "34201,1,77,20,1000000,1"], "2:order id", "77", "not added before"),
    ],
)
def test_a_bad_message_is_refused_by_file_row_column_and_value(
    tmp_path: Path, lines: list[str], field: str, value: str, expected: str
) -> None:
    path = messages(tmp_path, lines)
    with pytest.raises(InvalidData) as caught:
        read_lobster(LobsterSource(messages=path))
    assert caught.value.field == f"{path.name}:{field}"
    assert caught.value.value == value
    assert expected in str(caught.value.expected)
    assert path.name in str(caught.value)


def test_a_truncated_gzip_is_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, "TEST_2012-06-21_34200000_57600000_message_10.csv.gz", [GOOD] * 1000)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InvalidData, match="truncated"):
        read_lobster(LobsterSource(messages=path))


def test_a_file_name_without_a_day_needs_the_day(tmp_path: Path) -> None:
    path = write(tmp_path, "messages.csv", [GOOD])
    with pytest.raises(InvalidData, match="does not say its day"):
        read_lobster(LobsterSource(messages=path))


def test_levels_without_a_row_for_each_message_are_refused(tmp_path: Path) -> None:
    source: dict[str, Any] = {"messages": messages(tmp_path, [GOOD, "34201,3,77,20,1000000,1"])}
    with pytest.raises(InvalidData, match="a row for each of the 2 messages"):
        read_lobster(LobsterSource(**source, book=book(tmp_path, [OPENING]), layout=Layout.L2))


def test_an_order_book_of_another_day_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="does not show the order that message 1 adds") as caught:
        read_lobster(
            LobsterSource(
                messages=messages(tmp_path, [GOOD, "34201,3,77,20,1000000,1"]),
                book=book(tmp_path, ["1100200,100,1100000,50,1100300,200,1099900,80"]),
            )
        )
    assert caught.value.field == "book"
