import numpy as np
import pytest

from bestex.adapters.marketdata.calendars import in_session, session_at_or_after, sessions_between
from bestex.domain.errors import InvalidInput
from bestex.domain.time import from_iso, to_iso


def session(calendar: str, at: str) -> list[str]:
    found = session_at_or_after(calendar, from_iso(at))
    assert found is not None
    return [to_iso(time_ns)[:16] for time_ns in found]


def test_a_time_within_a_session_gives_that_session() -> None:
    assert session("XNYS", "2018-01-02T15:00:00Z") == ["2018-01-02T14:30", "2018-01-02T21:00"]


def test_summer_time_moves_the_session_in_utc() -> None:
    assert session("XNYS", "2012-06-21T10:00:00Z") == ["2012-06-21T13:30", "2012-06-21T20:00"]


def test_the_day_before_christmas_closes_early() -> None:
    assert session("XNYS", "2019-12-24T10:00:00Z") == ["2019-12-24T14:30", "2019-12-24T18:00"]


def test_after_the_close_before_a_holiday_comes_the_next_business_day() -> None:
    assert session("NYSE", "2019-12-24T18:00:00Z") == ["2019-12-26T14:30", "2019-12-26T21:00"]


def test_after_the_last_session_of_a_year_comes_the_first_of_the_next() -> None:
    assert session("XNYS", "2019-12-31T22:00:00Z") == ["2020-01-02T14:30", "2020-01-02T21:00"]


def test_futures_sessions_begin_on_the_evening_before() -> None:
    assert session("CME", "2023-12-25T23:30:00Z") == ["2023-12-25T23:00", "2023-12-26T23:00"]


def test_a_market_that_never_closes_has_utc_days() -> None:
    assert session("24/7", "2024-08-08T23:54:13Z") == ["2024-08-08T00:00", "2024-08-09T00:00"]


def test_open_is_inside_the_session_and_close_is_not() -> None:
    texts = ["14:29:59.999999999", "14:30:00", "20:59:59.999999999", "21:00:00"]
    times = np.array([from_iso(f"2018-01-02T{text}Z") for text in texts])
    assert in_session("XNYS", times).tolist() == [False, True, True, False]


def test_nothing_is_in_session_on_a_weekend() -> None:
    saturday = np.array([from_iso("2018-01-06T15:00:00Z")])
    assert in_session("XNYS", saturday).tolist() == [False]
    assert len(sessions_between("XNYS", int(saturday[0]), int(saturday[0]))) == 0


def test_an_unknown_calendar_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as caught:
        session_at_or_after("NOWHERE", from_iso("2018-01-02T15:00:00Z"))
    assert (caught.value.field, caught.value.value) == ("calendar", "NOWHERE")
