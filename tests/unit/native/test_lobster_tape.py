"""The repaired order-by-order hour of AAPL gives every published level-1 state, through the tape."""

import os
from pathlib import Path

import numpy as np
import pytest

from bestex.adapters.marketdata.lobster import LobsterSource, read_lobster
from bestex.adapters.marketdata.lobster_files import read_book
from bestex.native.tape import build_tape

REPOSITORY = Path(__file__).parents[3]
STATES = 23_440


@pytest.mark.data
def test_all_published_states_of_the_aapl_hour_are_rebuilt_in_order(tmp_path: Path) -> None:
    folder = Path(os.environ.get("BESTEX_DATA", REPOSITORY / "../shared/data")).resolve() / "lobster"
    if not folder.is_dir():
        pytest.skip(f"no LOBSTER files at {folder}; set BESTEX_DATA to the data folder")
    source = LobsterSource(
        messages=folder / "AAPL_2012-06-21_34200000_37800000_message_50.csv.gz",
        book=folder / "AAPL_2012-06-21_first999_orderbook_10.csv.gz",
        level1=folder / "AAPL_2012-06-21_34200000_57600000_orderbook_1.csv.gz",
    )
    data = read_lobster(source)
    tape = build_tape(data.rows, tmp_path / "aapl.tape", instrument_id="AAPL")
    # The opening book is put in row by row; the published states begin when it is complete.
    quotes = tape.quotes(0, 2**62, limit=10**7, every_row=True)
    ours = [row[1:] for row in quotes.tolist()]
    assert source.level1 is not None
    book = read_book(source.level1, tick_size=data.tick_size, lot_size=data.lot_size)
    published = np.column_stack(
        [book.bid_half_ticks[:, 0] // 2, book.ask_half_ticks[:, 0] // 2, book.bid_sizes[:, 0], book.ask_sizes[:, 0]]
    )
    distinct = published[np.r_[True, (published[1:] != published[:-1]).any(axis=1)]]
    expected = [tuple(row) for row in distinct[:STATES].tolist()]
    begin = ours.index(expected[0])
    assert ours[begin : begin + STATES] == expected
    assert len(ours) - begin == STATES
    assert tape.metadata.crossed_quotes == 0
