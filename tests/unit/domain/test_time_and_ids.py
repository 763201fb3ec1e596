from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestex.domain.errors import InvalidInput
from bestex.domain.ids import ParentOrderId, checked_id, child_order_id, time_ordered_uuid
from bestex.domain.time import from_iso, to_iso


@given(st.integers(0, 4_000_000_000 * 10**9))
def test_times_survive_the_round_trip_to_the_nanosecond(time_ns: int) -> None:
    assert from_iso(to_iso(time_ns)) == time_ns


def test_a_time_reads_as_iso_8601_utc() -> None:
    assert to_iso(1_750_500_000_000_000_000) == "2025-06-21T10:00:00.000000Z"
    assert from_iso("2025-06-21T06:00:00-04:00") == 1_750_500_000_000_000_000


@pytest.mark.parametrize(
    "text", ["", "noon", "2025-06-21", "2025-06-21T10:00:00", "2025-06-21T10:00:00.Z", "1750500000"]
)
def test_a_time_without_a_zone_or_sense_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not an ISO-8601 time with a zone"):
        from_iso(text, field="end_time")


def test_ids_are_uuid_version_7_sort_by_time_and_repeat_for_the_same_content() -> None:
    first, second = time_ordered_uuid(10**15, "api", "A", 1), time_ordered_uuid(2 * 10**15, "api", "A", 1)
    assert UUID(first).version == 7
    assert UUID(first).variant == "specified in RFC 4122"
    assert first < second
    assert first == time_ordered_uuid(10**15, "api", "A", 1)
    assert first != time_ordered_uuid(10**15, "api", "A", 2)


def test_a_child_id_depends_on_parent_slice_and_attempt_alone() -> None:
    assert child_order_id(ParentOrderId("A"), 3, 1) == child_order_id(ParentOrderId("A"), 3, 1)
    assert child_order_id(ParentOrderId("A"), 3, 1) != child_order_id(ParentOrderId("A"), 3, 2)


@pytest.mark.parametrize("text", ["", " A", "a" * 101, "A/B", "../x", "A\n", "é", ".A"])
def test_an_id_with_other_characters_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be an id"):
        checked_id(text, field="order_id")
