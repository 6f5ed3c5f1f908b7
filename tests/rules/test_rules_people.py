"""Ages by the calendar."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.people import age, birthday


@pytest.mark.parametrize(
    ("birth", "today", "years"),
    [
        pytest.param(date(2008, 11, 20), date(2026, 11, 19), 17, id="the day before"),
        pytest.param(date(2008, 11, 20), date(2026, 11, 20), 18, id="on the birthday"),
        pytest.param(date(2008, 11, 20), date(2026, 11, 20), 18, id="the birthday"),
        pytest.param(date(2026, 11, 20), date(2026, 11, 20), 0, id="born today"),
        pytest.param(date(2008, 2, 29), date(2026, 2, 28), 17, id="leap day, 28 February"),
        pytest.param(date(2008, 2, 29), date(2026, 3, 1), 18, id="leap day, 1 March"),
        pytest.param(date(2008, 2, 29), date(2028, 2, 28), 19, id="leap year, the day before"),
        pytest.param(date(2008, 2, 29), date(2028, 2, 29), 20, id="leap year, on the day"),
        pytest.param(date(1890, 1, 1), date(2026, 11, 20), 136, id="1890"),
    ],
)
def test_age(birth: date, today: date, years: int) -> None:
    assert age(birth, today) == years


@pytest.mark.parametrize(
    ("birth", "day"),
    [
        (date(2008, 11, 20), date(2026, 11, 20)),
        (date(2008, 2, 29), date(2026, 3, 1)),
        (date(2010, 2, 28), date(2028, 2, 28)),
        (date(2008, 12, 31), date(2026, 12, 31)),
    ],
)
def test_majority(birth: date, day: date) -> None:
    assert birthday(birth, 18) == day


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 120))
def test_age_changes_on_the_birthday_only(birth: date, years: int) -> None:
    day = birthday(birth, years)
    assert age(birth, day) == years
    assert age(birth, day - timedelta(days=1)) == years - 1


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_the_day_of_majority_is_the_first_of_being_18(birth: date) -> None:
    day = birthday(birth, 18)
    assert age(birth, day) == 18
    assert age(birth, day - timedelta(days=1)) == 17
