import zipfile
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bestex.adapters.marketdata.mappings import LEAN_TICKS, TAQ, QuoteRule, read_mapping
from bestex.adapters.marketdata.source import MarketData
from bestex.adapters.marketdata.trades_quotes import TradesQuotesSource, read_trades_quotes
from bestex.domain.errors import InvalidData, InvalidInput
from bestex.domain.time import to_iso
from bestex.native.rows import ASK, BID, L2Kind

TRADES = "DT,EX,SYMBOL,COND,SIZE,PRICE,CORR"
QUOTES = "DT,EX,BID,BIDSIZ,OFR,OFRSIZ,SYMBOL"
FIELDS = ["kind", "side", "price_half_ticks", "quantity", "level_quantity"]


def write(folder: Path, name: str, header: str, lines: list[str]) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def taq(folder: Path, trades: list[str], quotes: list[str], **changes: Any) -> MarketData:
    settings: dict[str, Any] = {
        "mapping": TAQ,
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal(1),
        "calendar": "XNYS",
        **changes,
    }
    return read_trades_quotes(
        TradesQuotesSource(
            trades=write(folder, "trades.csv", TRADES, trades),
            quotes=write(folder, "quotes.csv", QUOTES, quotes),
            **settings,
        )
    )


def rows_of(data: MarketData) -> list[tuple[int, ...]]:
    return [tuple(row) for row in data.rows[FIELDS].tolist()]


QUOTE = "2018-01-02T14:30:01Z,N,100.00,2,100.02,3,XXX"


def test_a_trade_at_the_ask_is_a_buy_and_a_trade_inside_the_quote_is_hidden(tmp_path: Path) -> None:
    data = taq(
        tmp_path,
        ["2018-01-02T14:30:02Z,N,XXX,,50,100.02,0", "2018-01-02T14:30:03Z,N,XXX,,10,100.005,0"],
        [QUOTE],
    )
    assert rows_of(data) == [
        (L2Kind.DEPTH, BID, 20000, 200, 200),
        (L2Kind.DEPTH, ASK, 20004, 300, 300),
        (L2Kind.TRADE, BID, 20004, 50, 0),
        (L2Kind.HIDDEN, ASK, 20001, 10, 0),  # below the mid: a seller
    ]


def test_a_trade_at_the_mid_takes_the_side_of_the_last_price_change(tmp_path: Path) -> None:
    trades = [
        "2018-01-02T14:30:02Z,N,XXX,,1,100.00,0",
        "2018-01-02T14:30:03Z,N,XXX,,1,100.01,0",
        "2018-01-02T14:30:04Z,N,XXX,,1,100.02,0",
        "2018-01-02T14:30:05Z,N,XXX,,1,100.01,0",
        "2018-01-02T14:30:06Z,N,XXX,,1,100.01,0",
    ]
    rows = taq(tmp_path, trades, [QUOTE]).rows
    assert rows[rows["kind"] != L2Kind.DEPTH]["side"].tolist() == [ASK, BID, BID, ASK, ASK]


def test_a_trade_is_judged_by_the_quote_before_its_time_not_at_its_time(tmp_path: Path) -> None:
    data = taq(
        tmp_path,
        ["2018-01-02T14:30:02Z,N,XXX,,1,100.02,0"],
        [QUOTE, "2018-01-02T14:30:02Z,N,100.03,1,100.05,1,XXX"],
    )
    kinds = data.rows["kind"].tolist()
    trade = kinds.index(L2Kind.TRADE)
    assert data.rows["side"][trade] == BID
    assert kinds[trade + 1] == L2Kind.DEPTH
    assert data.rows["time_ns"][trade] == data.rows["time_ns"][trade + 1]


def test_a_print_off_exchange_touches_no_displayed_order(tmp_path: Path) -> None:
    data = taq(tmp_path, ["2018-01-02T14:30:02Z,D,XXX,,50,100.02,0"], [QUOTE])
    assert rows_of(data)[-1] == (L2Kind.HIDDEN, BID, 20004, 50, 0)


def test_auctions_print_as_crosses_even_after_the_close(tmp_path: Path) -> None:
    data = taq(
        tmp_path,
        ["2018-01-02T14:30:01Z,N,XXX,O,1000,100.00,0", "2018-01-02T21:00:07Z,N,XXX,6,5000,100.01,0"],
        [QUOTE],
    )
    assert data.rows["kind"].tolist().count(L2Kind.CROSS) == 2
    assert to_iso(int(data.rows["time_ns"][-1])) == "2018-01-02T21:00:07.000000Z"


def test_what_is_no_trade_of_the_session_is_dropped_and_counted(tmp_path: Path) -> None:
    trades = [
        "2018-01-02T14:00:00Z,N,XXX,T,1,100.00,0",  # extended hours, by its condition
        "2018-01-02T14:00:01Z,N,XXX,,1,100.00,0",  # before the open
        "2018-01-02T14:30:02Z,N,XXX,,1,100.00,8",  # cancelled later
        "2018-01-02T14:30:03Z,N,XXX,,0,100.00,0",
        "2018-01-02T14:30:04Z,N,XXX,F I,1,100.00,0",
    ]
    quotes = [
        "2018-01-02T14:00:00Z,N,100.00,2,100.02,3,XXX",
        QUOTE,
        "2018-01-02T14:30:02Z,N,0,0,100.02,3,XXX",
    ]
    data = taq(tmp_path, trades, quotes)
    assert data.report.dropped == {
        "trades corrected or cancelled later": 1,
        "trades without price or quantity": 1,
        "trades not struck at the market's price and time (by sale condition)": 1,
        "trades outside the session": 1,
        "quotes outside the session": 1,
        "quotes with a bid or ask of zero": 1,
    }
    assert data.report.kinds == {"DEPTH": 2, "TRADE": 1}


def test_another_venue_improves_the_primarys_quote_while_it_is_the_newest(tmp_path: Path) -> None:
    quotes = [
        "2018-01-02T14:30:01Z,N,100.00,2,100.04,3,XXX",
        "2018-01-02T14:30:02Z,P,100.01,1,100.06,1,XXX",  # a better bid, a worse ask
        "2018-01-02T14:30:03Z,P,100.05,1,100.08,1,XXX",  # would cross the primary's ask
        "2018-01-02T14:30:04Z,N,100.00,2,100.04,3,XXX",
    ]
    data = taq(tmp_path, ["2018-01-02T14:30:05Z,N,XXX,,1,100.00,0"], quotes)
    assert rows_of(data)[:-1] == [
        (L2Kind.DEPTH, BID, 20000, 200, 200),
        (L2Kind.DEPTH, ASK, 20008, 300, 300),
        (L2Kind.DEPTH, BID, 20000, 200, 0),
        (L2Kind.DEPTH, BID, 20002, 100, 100),
        (L2Kind.DEPTH, BID, 20002, 100, 0),
        (L2Kind.DEPTH, BID, 20000, 200, 200),
    ]
    assert data.report.facts["quotes of other venues left out: they cross or lock the primary"] == 1


def test_crossed_and_locked_quotes_are_counted_and_stop_nothing(tmp_path: Path) -> None:
    quotes = [
        QUOTE,
        "2018-01-02T14:30:02Z,N,100.02,2,100.02,3,XXX",
        "2018-01-02T14:30:03Z,N,100.04,2,100.02,3,XXX",
    ]
    report = taq(tmp_path, ["2018-01-02T14:30:05Z,N,XXX,,1,100.00,0"], quotes).report
    assert (report.quotes, report.locked_quotes, report.crossed_quotes) == (3, 1, 1)


def test_a_trade_price_between_half_ticks_is_rounded_and_counted(tmp_path: Path) -> None:
    data = taq(tmp_path, ["2018-01-02T14:30:02Z,D,XXX,,1,100.0174,0"], [QUOTE])
    assert data.rows["price_half_ticks"][-1] == 20003
    assert data.report.facts["trade prices rounded to half a tick"] == 1


@pytest.mark.parametrize(
    ("trades", "quotes", "field"),
    [
        (["2018-01-02T14:30:02Z,N,XXX,,x,100,0"], [QUOTE], "trades.csv:2:SIZE"),
        (["2018-01-02T14:30:02Z,N,XXX,,-5,100,0"], [QUOTE], "trades.csv:2:SIZE"),
        (["yesterday,N,XXX,,5,100,0"], [QUOTE], "trades.csv:2:DT"),
        (["2018-01-02T14:30:02Z,N,XXX,,5,100,0"], [QUOTE, QUOTE.replace("30:01", "30:00")], "quotes.csv:3:DT"),
        (["2018-01-02T14:30:02Z,N,XXX,,5,100,0"], [QUOTE.replace("100.02", "100.025")], "quotes.csv:2:OFR"),
        (["2018-01-02T14:30:02Z,N,XXX,,5,100,0"], [QUOTE.replace(",2,", ",-2,")], "quotes.csv:2:BIDSIZ"),
        (["2018-01-02T14:30:02Z,N,XXX,,5,100"], [QUOTE], "trades.csv:2:number of columns"),
    ],
)
def test_a_bad_cell_is_refused_by_file_row_and_column(
    tmp_path: Path, trades: list[str], quotes: list[str], field: str
) -> None:
    with pytest.raises(InvalidData) as caught:
        taq(tmp_path, trades, quotes)
    assert caught.value.field == field
    assert caught.value.expected


def test_several_symbols_need_one_to_be_named(tmp_path: Path) -> None:
    trades = ["2018-01-02T14:30:02Z,N,XXX,,5,100,0", "2018-01-02T14:30:02Z,N,YYY,,7,100,0"]
    with pytest.raises(InvalidData, match="XXX, YYY"):
        taq(tmp_path, trades, [QUOTE])
    assert taq(tmp_path, trades, [QUOTE], symbol="XXX").report.kinds["TRADE"] == 1


def test_a_truncated_parquet_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "trades.parquet"
    pl.DataFrame({"DT": [1, 2], "PRICE": [1.0, 2.0]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    source = TradesQuotesSource(
        trades=path, quotes=None, mapping=TAQ, tick_size=Decimal("0.01"), lot_size=Decimal(1), calendar=None
    )
    with pytest.raises(InvalidData, match="truncated or not Parquet"):
        read_trades_quotes(source)


def lean(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ticks.csv", "\n".join(lines) + "\n")
    return path


def test_a_quote_row_that_states_one_side_keeps_the_other(tmp_path: Path) -> None:
    data = read_trades_quotes(
        TradesQuotesSource(
            trades=lean(tmp_path, "20131008_trade.zip", ["34201000,1000200,50,P,20,0", "34202000,1000200,9,N,40,0"]),
            quotes=lean(
                tmp_path, "20131008_quote.zip", ["34200500,1000000,200,0,0,P,1,0", "34200600,0,0,1000200,300,Q,1,0"]
            ),
            mapping=LEAN_TICKS,
            tick_size=Decimal("0.01"),
            lot_size=Decimal(1),
            calendar="XNYS",
            day=date(2013, 10, 8),
        )
    )
    assert rows_of(data) == [
        (L2Kind.DEPTH, BID, 20000, 200, 200),
        (L2Kind.DEPTH, ASK, 20004, 300, 300),
        (L2Kind.TRADE, BID, 20004, 50, 0),
        (L2Kind.CROSS, 0, 20004, 9, 0),
    ]
    assert to_iso(int(data.rows["time_ns"][0])) == "2013-10-08T13:30:00.500000Z"


MAPPING = """
name = "mine"
rule = "NATIONAL"
[trades]
price = "p"
quantity = "q"
[trades.time]
column = "t"
unit = "ms"
[quotes]
bid = "b"
bid_quantity = "bq"
ask = "a"
ask_quantity = "aq"
[quotes.time]
column = "t"
unit = "ms"
"""


def test_a_mapping_file_names_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING)
    data = read_trades_quotes(
        TradesQuotesSource(
            trades=write(tmp_path, "t.csv", "t,p,q", ["1514903402000,100.02,50"]),
            quotes=write(tmp_path, "q.csv", "t,b,bq,a,aq", ["1514903401000,100,2,100.02,3"]),
            mapping=read_mapping(path),
            tick_size=Decimal("0.01"),
            lot_size=Decimal(1),
            calendar=None,
        )
    )
    assert data.report.kinds == {"DEPTH": 2, "TRADE": 1}
    assert to_iso(int(data.rows["time_ns"][-1])) == "2018-01-02T14:30:02.000000Z"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (('rule = "NATIONAL"', 'rule = "BEST"'), "rule"),
        (('price = "p"', 'prices = "p"'), "trades.prices"),
        (('price = "p"', "price = 3"), "trades.price"),
        (('unit = "ms"', 'unit = "minutes"'), "unit"),
    ],
)
def test_a_wrong_mapping_file_is_refused_by_field(tmp_path: Path, change: tuple[str, str], field: str) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING.replace(*change))
    with pytest.raises(InvalidInput) as caught:
        read_mapping(path)
    assert caught.value.field == field


def test_the_2018_sample_has_no_crossed_quote_and_its_trades_lie_on_it(real_data: Path) -> None:
    folder = real_data / "us_taq_2018"
    source = TradesQuotesSource(
        trades=folder / "XXX_trades_2018-01-02.parquet",
        quotes=folder / "XXX_quotes_2018-01-02.parquet",
        mapping=TAQ,
        tick_size=Decimal("0.01"),
        lot_size=Decimal(1),
        calendar="XNYS",
    )
    data = read_trades_quotes(source)
    report = data.report
    assert (report.crossed_quotes, report.locked_quotes) == (0, 0)
    assert report.kinds["TRADE"] + report.kinds["HIDDEN"] == 38_858
    assert report.kinds["CROSS"] == 2
    share = report.facts["of these on or inside the quote"] / report.facts["trades with a quote before them"]
    assert share > 0.93
    national = read_trades_quotes(replace(source, mapping=replace(TAQ, rule=QuoteRule.NATIONAL)))
    assert national.report.quotes > report.quotes


@pytest.mark.parametrize(("symbol", "least"), [("ibm", 0.95), ("bac", 0.995), ("aig", 0.956)])
def test_the_2013_ticks_trade_on_the_national_quote(real_data: Path, symbol: str, least: float) -> None:
    folder = real_data / "lean/equity/usa/tick" / symbol
    report = read_trades_quotes(
        TradesQuotesSource(
            trades=folder / "20131008_trade.zip",
            quotes=folder / "20131008_quote.zip",
            mapping=LEAN_TICKS,
            tick_size=Decimal("0.01"),
            lot_size=Decimal(1),
            calendar="XNYS",
            day=date(2013, 10, 8),
        )
    ).report
    facts = report.facts
    assert facts["of these on or inside the quote"] / facts["trades with a quote before them"] >= least
    assert report.crossed_quotes <= 0.0008 * report.quotes
    assert (np.array([report.locked_quotes]) <= 0.05 * report.quotes).all()
