import itertools

import pytest

from bestex.domain.errors import Conflict
from bestex.domain.orders import (
    CHILD_TRANSITIONS,
    PARENT_TRANSITIONS,
    ChildState,
    ParentState,
    Side,
    changed_child_state,
    changed_parent_state,
)


def test_every_state_has_a_row_in_its_table() -> None:
    assert set(PARENT_TRANSITIONS) == set(ParentState)
    assert set(CHILD_TRANSITIONS) == set(ChildState)


@pytest.mark.parametrize(("now", "new"), list(itertools.product(ParentState, ParentState)))
def test_a_parent_changes_only_as_its_table_says(now: ParentState, new: ParentState) -> None:
    if new in PARENT_TRANSITIONS[now]:
        assert changed_parent_state(now, new) is new
    else:
        with pytest.raises(Conflict, match=f"that is {now} cannot become {new}"):
            changed_parent_state(now, new)


@pytest.mark.parametrize(("now", "new"), list(itertools.product(ChildState, ChildState)))
def test_a_child_changes_only_as_its_table_says(now: ChildState, new: ChildState) -> None:
    if new in CHILD_TRANSITIONS[now]:
        assert changed_child_state(now, new) is new
    else:
        with pytest.raises(Conflict):
            changed_child_state(now, new)


def test_final_states_are_those_without_a_way_out() -> None:
    assert {state for state in ParentState if state.is_final} == {
        ParentState.FILLED,
        ParentState.CANCELLED,
        ParentState.REJECTED,
        ParentState.EXPIRED,
    }
    assert {state for state in ChildState if state.is_final} == {s for s in ChildState if not CHILD_TRANSITIONS[s]}


def test_every_live_state_can_reach_a_final_one() -> None:
    for table in (PARENT_TRANSITIONS, CHILD_TRANSITIONS):
        for state in table:
            reached, front = {state}, {state}
            while front:
                front = {new for now in front for new in table[now]} - reached  # type: ignore[index]
                reached |= front
            assert any(item.is_final for item in reached), state


def test_an_unknown_child_may_still_be_filled_or_found_working() -> None:
    assert {ChildState.FILLED, ChildState.WORKING, ChildState.CANCELLED} <= CHILD_TRANSITIONS[ChildState.UNKNOWN]


def test_signs_make_worse_positive() -> None:
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)
