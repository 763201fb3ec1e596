"""Where records stand in ledgers, and what a gap between two of them means."""

import pytest

from bestex.adapters.pulsar.positions import Kept, Position
from bestex.domain.errors import NotFound

# Ledger 3 is gone. Ledger 5 has four records, 6 none, 8 is being written and has two.
KEPT = Kept(ledgers=[(5, 4), (6, 0), (8, 2)], last=Position(8, 1))


@pytest.mark.parametrize("text", ["5:0", "5:-1", "123:456", "5:3:0"])
def test_a_position_is_its_text(text: str) -> None:
    assert str(Position.read(text)) == text


@pytest.mark.parametrize("text", ["", "5", "5:x", "-1:0", "5:0:0:0", "5:0 "])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(NotFound, match="not one of this bus"):
        Position.read(text)


def test_a_reader_may_go_on_after_what_is_kept() -> None:
    assert [KEPT.is_end(Position(*place)) for place in ((5, 0), (5, 3), (8, 0), (8, 1))] == [False, False, False, True]


def test_a_reader_may_not_go_on_after_what_is_removed_or_was_never_here() -> None:
    with pytest.raises(NotFound, match="no longer keeps"):
        KEPT.is_end(Position(3, 9))
    for place in ((5, 4), (7, 0), (8, 2), (9, 0)):
        with pytest.raises(NotFound, match="not one of this bus"):
            KEPT.is_end(Position(*place))


def test_the_newest_record_ever_is_an_end_though_its_ledger_is_gone() -> None:
    empty = Kept(ledgers=[(9, 0)], last=Position(8, 1))
    assert empty.is_end(Position(8, 1))
    assert empty.end() is None
    with pytest.raises(NotFound, match="no longer keeps"):
        empty.is_end(Position(8, 0))


@pytest.mark.parametrize(
    ("before", "after", "follows"),
    [
        ((5, 3), (8, 0), True),  # the last of one ledger, the first of the next that has any
        ((5, 2), (8, 0), False),  # 5:3 was not read
        ((5, 3), (8, 1), False),  # nor was 8:0
        ((3, 9), (5, 0), False),  # nobody can say what else ledger 3 had
    ],
)
def test_a_record_follows_another_over_ledgers_only_without_a_gap(
    before: tuple[int, int], after: tuple[int, int], follows: bool
) -> None:
    assert KEPT.follows(Position(*before), Position(*after)) is follows


def test_a_record_follows_another_in_a_ledger_by_its_entry_or_by_its_place_in_a_batch() -> None:
    assert Position(5, 1).is_next(Position(5, 2))
    assert Position(5, 1, 0).is_next(Position(5, 1, 1))
    assert not Position(5, 1).is_next(Position(5, 3))
    assert not Position(5, 3).is_next(Position(8, 0))


def test_records_are_counted_over_ledgers() -> None:
    assert [KEPT.number(n) for n in (0, 3, 4, 5, 6)] == [
        Position(5, 0), Position(5, 3), Position(8, 0), Position(8, 1), None,
    ]  # fmt: skip


def test_a_cursor_before_a_ledgers_first_record_stands_on_the_record_before_it() -> None:
    assert KEPT.at_or_before(Position(8, -1)) == Position(5, 3)
    assert KEPT.at_or_before(Position(5, -1)) is None
    assert KEPT.at_or_before(Position(5, 2)) == Position(5, 2)
