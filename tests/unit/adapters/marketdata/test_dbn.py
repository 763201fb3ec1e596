from decimal import Decimal
from pathlib import Path
from typing import Any

import databento_dbn as dbn
import numpy as np
import pytest

from bestex.adapters.marketdata.dbn import DbnSource, read_dbn
from bestex.adapters.marketdata.source import Layout, MarketData
from bestex.adapters.marketdata.zstandard import is_complete
from bestex.domain.errors import InvalidData
from bestex.native.rows import ASK, BID, L2Kind, L3Kind

START = 1_703_462_400_000_000_000
FIELDS = ["kind", "side", "order_id", "price_half_ticks", "quantity"]


def mbo(action: str, side: str, ticks: int, size: int, order_id: int, at: int, *, flags: int = dbn.F_LAST) -> bytes:
    return bytes(
        dbn.MBOMsg(
            publisher_id=1,
            instrument_id=7,
            ts_event=START + at,
            order_id=order_id,
            price=ticks * 250_000_000,
            size=size,
            channel_id=0,
            action=dbn.Action(action),
            side=dbn.Side(side),
            ts_recv=START + at,
            flags=flags,
            ts_in_delta=0,
            sequence=0,
        )
    )


def write(folder: Path, records: list[bytes], schema: str = "mbo") -> Path:
    metadata = dbn.Metadata(
        dataset="GLBX.MDP3",
        start=START,
        stype_in=dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=dbn.Schema(schema),
        symbols=["TEST"],
    )
    path = folder / "test.dbn"
    path.write_bytes(bytes(metadata) + b"".join(records))
    return path


def read(path: Path, **changes: Any) -> MarketData:
    return read_dbn(DbnSource(**{"path": path, "tick_size": Decimal("0.25"), "lot_size": Decimal(1), **changes}))


def rows_of(data: MarketData) -> list[tuple[int, ...]]:
    return [tuple(row) for row in data.rows[FIELDS].tolist()]


def test_a_fill_takes_off_once_though_a_cancel_follows_it(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [
            mbo("A", "A", 100, 5, 1, 0),
            mbo("T", "B", 100, 5, 9, 1, flags=0),
            mbo("F", "A", 100, 5, 1, 1, flags=0),
            mbo("C", "A", 100, 5, 1, 2),
        ],
    )
    assert rows_of(read(path)) == [(L3Kind.ADD, ASK, 1, 200, 5), (L3Kind.FILL, ASK, 1, 200, 5)]


def test_a_fill_followed_by_a_modification_leaves_the_stated_size(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [
            mbo("A", "A", 100, 5, 1, 0),
            mbo("T", "B", 100, 3, 9, 1, flags=0),
            mbo("F", "A", 100, 3, 1, 1, flags=0),
            mbo("M", "A", 100, 2, 1, 2),
            mbo("C", "A", 100, 2, 1, 3),
        ],
    )
    assert rows_of(read(path)) == [
        (L3Kind.ADD, ASK, 1, 200, 5),
        (L3Kind.FILL, ASK, 1, 200, 3),
        (L3Kind.CANCEL, ASK, 1, 200, 2),
    ]


def test_a_smaller_size_keeps_its_place_and_a_larger_size_or_another_price_loses_it(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [
            mbo("A", "B", 100, 5, 1, 0),
            mbo("M", "B", 100, 4, 1, 1),
            mbo("M", "B", 100, 6, 1, 2),
            mbo("M", "B", 99, 6, 1, 3),
        ],
    )
    data = read(path)
    assert rows_of(data) == [
        (L3Kind.ADD, BID, 1, 200, 5),
        (L3Kind.CANCEL, BID, 1, 200, 1),
        (L3Kind.CANCEL, BID, 1, 200, 4),
        (L3Kind.ADD, BID, 1, 200, 6),
        (L3Kind.CANCEL, BID, 1, 200, 6),
        (L3Kind.ADD, BID, 1, 198, 6),
    ]
    assert data.report.facts["modifications that lost their place"] == 2


def test_what_an_aggressor_traded_beyond_the_fills_met_nothing_displayed(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [
            mbo("A", "A", 100, 5, 1, 0),
            mbo("T", "B", 100, 8, 9, 1, flags=0),
            mbo("F", "A", 100, 5, 1, 1, flags=0),
            mbo("C", "A", 100, 5, 1, 1),
        ],
    )
    assert rows_of(read(path))[-1] == (L3Kind.HIDDEN, ASK, 0, 200, 3)


def test_an_auction_is_a_cross_and_its_orders_leave_by_their_cancels(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [
            mbo("A", "A", 100, 5, 1, 0),
            mbo("T", "N", 100, 5, 0, 1, flags=0),
            mbo("F", "N", 100, 5, 1, 1, flags=0),
            mbo("C", "A", 100, 5, 1, 1),
        ],
    )
    kinds = read(path).rows["kind"].tolist()
    assert kinds == [L3Kind.ADD, L3Kind.CROSS, L3Kind.CANCEL]


def test_a_clear_takes_every_order_off(tmp_path: Path) -> None:
    path = write(tmp_path, [mbo("A", "A", 101, 5, 1, 0), mbo("A", "B", 100, 3, 2, 1), mbo("R", "N", 0, 0, 0, 2)])
    assert rows_of(read(path))[2:] == [(L3Kind.CANCEL, ASK, 1, 202, 5), (L3Kind.CANCEL, BID, 2, 200, 3)]


def test_a_snapshot_stands_at_its_own_time_and_a_cancel_of_the_unknown_is_dropped(tmp_path: Path) -> None:
    old = dbn.MBOMsg(
        publisher_id=1, instrument_id=7, ts_event=START - 5, order_id=1, price=25_000_000_000, size=5, channel_id=0,
        action=dbn.Action("A"), side=dbn.Side("B"), ts_recv=START, flags=dbn.F_SNAPSHOT | dbn.F_LAST, ts_in_delta=0,
        sequence=0,
    )  # fmt: skip
    data = read(write(tmp_path, [bytes(old), mbo("C", "B", 100, 5, 77, 1)]))
    assert data.rows["time_ns"].tolist() == [START]
    assert data.report.facts["records of a snapshot"] == 1
    assert data.report.dropped == {"cancel of an unknown order": 1}


@pytest.mark.parametrize(
    ("records", "field"),
    [
        ([mbo("A", "A", 100, 5, 1, 5), mbo("A", "A", 100, 5, 2, 4)], "test.dbn:2:ts_recv"),
        ([mbo("A", "N", 100, 5, 1, 5)], "test.dbn:1:side"),
        ([mbo("A", "A", 100, 0, 1, 5)], "test.dbn:1:size"),
    ],
)
def test_a_bad_record_is_refused_by_file_record_and_field(tmp_path: Path, records: list[bytes], field: str) -> None:
    with pytest.raises(InvalidData) as caught:
        read(write(tmp_path, records))
    assert caught.value.field == field


def test_a_price_off_the_tick_grid_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, [mbo("A", "A", 101, 5, 1, 0)])
    with pytest.raises(InvalidData) as caught:
        read(path, tick_size=Decimal("0.5"))
    assert caught.value.field == "test.dbn:1:price"
    assert caught.value.value == "25.25"


def test_a_file_cut_within_a_record_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, [mbo("A", "A", 101, 5, 1, 0)])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InvalidData, match="left after record"):
        read(path)


def test_a_file_that_is_not_dbn_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "test.dbn"
    path.write_bytes(b"time,price\n1,2\n")
    with pytest.raises(InvalidData, match="not DBN"):
        read(path)


def test_an_unknown_symbol_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData) as caught:
        read(write(tmp_path, [mbo("A", "A", 101, 5, 1, 0)]), symbol="NONE")
    assert caught.value.field == "symbol"


def futures(real_data: Path, name: str) -> Path:
    return real_data / "futures/databento" / name


def test_the_christmas_file_conserves_what_aggressors_traded(real_data: Path) -> None:
    data = read(futures(real_data, "esh4-glbx-mdp3-20231225.mbo.dbn.zst"))
    assert data.layout is Layout.L3
    rows, facts = data.rows, data.report.facts
    traded = rows["quantity"][np.isin(rows["kind"], (L3Kind.FILL, L3Kind.HIDDEN))].sum()
    assert traded == facts["lots traded by aggressors"] == 9_848
    assert {name: facts[f"records {name}"] for name in "ACMFT"} == {
        "A": 29_216, "C": 17_999, "M": 12_233, "F": 6_371, "T": 2_973,
    }  # fmt: skip
    assert (np.diff(rows["time_ns"]) >= 0).all()


def test_the_top_of_book_file_ends_on_its_last_record(real_data: Path) -> None:
    data = read(futures(real_data, "futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst"))
    assert data.layout is Layout.L2
    assert data.report.kinds["TRADE"] == 120
    content = futures(real_data, "futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst").read_bytes()
    last = dbn.DBNDecoder(compression=dbn.Compression.ZSTD).write_and_decode(content)[-1].levels[0]
    shown: dict[int, dict[int, int]] = {BID: {}, ASK: {}}
    for row in data.rows[data.rows["kind"] == L2Kind.DEPTH].tolist():
        shown[row[5]][row[1]] = row[3]
        shown[row[5]] = {price: lots for price, lots in shown[row[5]].items() if lots}
    half_tick = 125_000_000
    assert shown == {BID: {last.bid_px // half_tick: last.bid_sz}, ASK: {last.ask_px // half_tick: last.ask_sz}}


def test_a_truncated_zstandard_file_is_refused_at_every_cut(real_data: Path, tmp_path: Path) -> None:
    content = futures(real_data, "futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst").read_bytes()
    assert is_complete(content)
    for cut in (1, 7, 1000, len(content) // 2, len(content) - 1):
        assert not is_complete(content[:cut])
        path = tmp_path / "cut.dbn.zst"
        path.write_bytes(content[:cut])
        with pytest.raises(InvalidData, match="truncated or not DBN"):
            read(path)
