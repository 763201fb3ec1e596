"""A report of a real run says everything it should, the same each time, and nothing that is not so."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bestex.adapters.reports.html import report_html, write_report
from bestex.adapters.reports.json_report import report_json
from bestex.domain.errors import InvalidInput
from bestex.domain.orders import Algorithm, ParentState, Side
from bestex.messages.codec import json_bytes
from tests.unit.adapters.reports.worked_orders import CONTEXT, Worked, worked

SECTIONS = [
    "order",
    "work",
    "costs",
    "benchmarks",
    "expected",
    "venues",
    "quality",
    "fills",
    "children",
    "timeline",
    "data",
]


@pytest.fixture(scope="module")
def recommended() -> Worked:
    return worked(Side.SELL, 3000)


@pytest.fixture(scope="module")
def page(recommended: Worked) -> str:
    return report_html(recommended.story, recommended.market, CONTEXT)


@pytest.fixture(scope="module")
def unfilled() -> Worked:
    return worked(Side.BUY, 3000, limit="200.00", cancel_after_s=60, algorithm=Algorithm.TWAP)


class Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag in ("header", "section"):
            self.sections.append(str(found.get("id")))
        if tag not in ("meta", "use"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("meta", "use"):
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in ("meta", "use"):
            self.open.pop()


def read(page: str) -> Anchors:
    parser = Anchors()
    parser.feed(page)
    return parser


def test_every_section_is_there_in_order_and_every_tag_is_closed(page: str) -> None:
    parsed = read(page)
    assert parsed.sections == SECTIONS
    assert parsed.open == []
    assert page.count("<svg ") == 6


def test_no_two_things_on_the_page_have_one_id(page: str) -> None:
    ids = read(page).ids
    assert len(ids) == len(set(ids))


def test_the_page_needs_neither_network_nor_script(page: str) -> None:
    parsed = read(page)
    assert not parsed.tags & {"script", "link", "img", "iframe", "object"}
    outside = [url for url in re.findall(r"""(?:https?:|url\()[^"'\s)]*""", page) if not url.startswith("url(#")]
    assert set(outside) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_the_same_order_gives_the_same_bytes(recommended: Worked, page: str, tmp_path: Path) -> None:
    again = worked(Side.SELL, 3000)
    write_report(again.story, again.market, CONTEXT, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == page.encode()
    other = report_html(recommended.story, recommended.market, replace(CONTEXT, seed=6))
    assert other != page


def test_words_from_outside_cannot_become_markup() -> None:
    evil = "<script>alert(1)</script>"
    run = worked(Side.BUY, 500, minutes=2, actor=evil, algorithm=Algorithm.TWAP)
    context = replace(CONTEXT, title=evil, market_kind=evil, source_lines=(evil,), caveats=(evil,), command=evil)
    page = report_html(run.story, run.market, context)
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 7


def test_an_order_without_a_fill_says_why_instead_of_zero(unfilled: Worked) -> None:
    story = unfilled.story
    page = report_html(story, unfilled.market, CONTEXT)
    assert story.fills == ()
    assert story.measured.state is ParentState.CANCELLED
    assert read(page).sections == SECTIONS
    assert "Nothing of 3,000 AAPL was executed" in page
    assert "none: nothing was executed" in page
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL).lower().split()
    assert "None" not in re.findall(r">([^<]*)<", page)


def test_an_expired_order_says_what_was_left() -> None:
    run = worked(Side.BUY, 400_000, minutes=3, algorithm=Algorithm.TWAP, max_participation_rate=0.1)
    story = run.story
    page = report_html(story, run.market, CONTEXT)
    assert story.measured.state is ParentState.EXPIRED
    left = story.measured.requested_quantity - story.measured.executed_quantity
    assert 0 < left < 400_000
    assert f"{left:,f} was left when the order expired" in page


def test_a_folder_that_does_not_exist_is_named(recommended: Worked, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_report(recommended.story, recommended.market, CONTEXT, tmp_path / "nowhere" / "report.html")


def test_the_json_says_what_the_contract_wants(recommended: Worked) -> None:
    story = recommended.story
    told = report_json(story, CONTEXT)
    assert {"trade_executed", "fills", "benchmarks", "quality", "recommendation", "data", "version", "seed"} <= set(
        told
    )
    assert set(told["trade_executed"]) == {"execution", "execution_quality", "timing", "cost_breakdown"}
    assert told["trade_executed"]["timing"]["completion_time"].endswith("Z")
    assert sum(fill["quantity"] for fill in told["fills"]) == story.measured.executed_quantity
    assert sum(part["amount"] for part in told["costs"]["parts"]) == told["costs"]["total"]
    assert b"NaN" not in json_bytes(told)


def numbers(page: str, section: str, row: str) -> Iterator[Decimal]:
    part = page[page.index(f'<section id="{section}">') :]
    line = re.search(rf"<tr[^>]*><td>{row}</td>(.*?)</tr>", part)
    assert line is not None
    for text in re.findall(r'<td class="figure">([^<]*)</td>', line[1]):
        yield Decimal(text.replace(",", ""))


def test_the_costs_shown_are_the_costs_measured(recommended: Worked, page: str) -> None:
    costs = recommended.story.measured.costs
    assert costs.total is not None
    amount, in_bps = numbers(page, "costs", "Total")
    assert amount == round(costs.total, 2)
    assert in_bps == Decimal(f"{costs.total_cost_bps:.2f}")


def test_every_price_of_the_fills_keeps_its_digits_down_the_column(recommended: Worked, page: str) -> None:
    part = page[page.index('id="fills"') : page.index('id="children"')]
    rows = re.findall(r"<tr><td>(.*?)</tr>", part)
    prices = [re.findall(r'<td class="figure">([^<]*)</td>', row)[1:4] for row in rows]
    told = [[fill.price, fill.bid, fill.ask] for fill in recommended.story.fills]
    assert [[Decimal(text) for text in row] for row in prices] == told
    assert len({len(text.partition(".")[2]) for row in prices for text in row}) == 1


def test_an_algorithm_s_name_stands_in_words_that_can_wrap() -> None:
    run = worked(Side.BUY, 500, algorithm=Algorithm.IMPLEMENTATION_SHORTFALL)
    page = report_html(run.story, run.market, CONTEXT)
    header = page[page.index('<header id="order">') : page.index("</header>")]
    assert "<dd>Implementation shortfall<" in header
    assert "IMPLEMENTATION_SHORTFALL" not in header


def test_a_price_plot_without_fills_explains_no_marks() -> None:
    run = worked(Side.BUY, 3000, cancel_after_s=1)
    page = report_html(run.story, run.market, CONTEXT)
    assert "Nothing was filled." in page
    assert "A mark per fill" not in page


def test_tables_of_times_name_the_zone_and_tables_of_money_the_currency(page: str) -> None:
    for section in ("fills", "children", "timeline"):
        head = re.search(rf'id="{section}".*?<thead>(.*?)</thead>', page, flags=re.DOTALL)
        assert head is not None
        assert "America/New_York (UTC−05:00)" in head[1], section
    fills = page[page.index('id="fills"') :]
    assert 'Fee <span class="unit">USD</span>' in fills[: fills.index("</thead>")]
