"""Dates of birth as villagers type them, in both languages and neither."""

from datetime import date, timedelta

import pytest
from babel.dates import get_month_names
from hypothesis import given
from hypothesis import strategies as st

from core.languages import Language
from core.texts import day_in_words
from rules.dates import NoSuchDay, read_day

TODAY = date(2026, 11, 20)
MARCH = date(1986, 3, 5)


@pytest.mark.parametrize(
    "typed",
    [
        "05.03.1986",
        "5.3.1986",
        "5.03.86",
        "05/03/1986",
        "05-03-1986",
        "5 3 1986",
        "05,03,1986",
        "05. 03. 1986",
        "05.03.1986г.",
        "05.03.1986 г.р.",
        "05.03.1986 ж.",
        "05.03.1986 жылы",
        " 05.03.1986 \n",
        "05031986",
        "1986-03-05",
        "1986.03.05",
        "1986/3/5",
        "5 марта 1986",
        "5 Марта 1986 года",
        "5 марта 1986 г.",
        "5 марта 86",
        "5 марта, 1986",
        "5 мар 1986",
        "5 мар. 1986 г.",
        "5 март 1986",
        "5-марта 1986",
        "5 наурыз 1986",
        "5 наурыз 1986 жыл",
        "5-наурыз 1986 ж.",
        "5 наурыз, 1986 жылы",
        "5 НАУРЫЗ 1986",
        "1986 жылғы 5 наурыз",
        "1986 жылы 5 наурызда",
        "1986 жылдың 5 наурызы",
        "1986ж. 5 наурыз",
        "1986 5 наурыз",
        "1986 жылгы 5 наурыз",
    ],
)
def test_the_fifth_of_march(typed: str) -> None:
    assert read_day(typed, TODAY) == MARCH


@pytest.mark.parametrize("language", Language)
def test_a_date_is_read_as_we_write_it(language: Language) -> None:
    for month in range(1, 13):
        day = date(1990, month, 17)
        written = day_in_words(day, language).rpartition(",")[0]  # without the weekday
        assert read_day(written, TODAY) == day


@pytest.mark.parametrize("locale", ["kk", "ru"])
@pytest.mark.parametrize("kind", ["format", "stand-alone"])
def test_months_in_every_form(locale: str, kind: str) -> None:
    names = get_month_names("wide", context=kind, locale=locale)
    for number, name in names.items():
        assert read_day(f"17 {name} 1990", TODAY) == date(1990, int(number), 17)
        assert read_day(f"17 {name.upper()} 1990", TODAY) == date(1990, int(number), 17)


@pytest.mark.parametrize(
    ("typed", "month"),
    [
        ("1 кантар 1990", 1),
        ("1 акпан 1990", 2),
        ("1 сауир 1990", 4),
        ("1 мамыр 1990", 5),
        ("1 маусым 1990", 6),
        ("1 шилде 1990", 7),
        ("1 кыркуйек 1990", 9),
        ("1 казан 1990", 10),
        ("1 караша 1990", 11),
        ("1 желтоксан 1990", 12),
        ("1 май 1990", 5),
    ],
)
def test_months_without_kazakh_letters(typed: str, month: int) -> None:
    """Before, every month with ң, қ, ғ, ү, і was not found on a Russian keyboard."""
    assert read_day(typed, TODAY) == date(1990, month, 1)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        pytest.param("1.1.90", date(1990, 1, 1), id="last century"),
        pytest.param("1.1.05", date(2005, 1, 1), id="this century"),
        pytest.param("20.11.26", date(2026, 11, 20), id="today"),
        pytest.param("21.11.26", date(1926, 11, 21), id="tomorrow is a hundred years ago"),
        pytest.param("1.1.27", date(1927, 1, 1), id="next year likewise"),
        pytest.param("29.02.24", date(2024, 2, 29), id="leap day"),
        pytest.param("29.02.28", date(1928, 2, 29), id="leap day of the other century"),
        pytest.param("1.1.00", date(2000, 1, 1), id="two zeros"),
    ],
)
def test_years_of_two_figures(typed: str, day: date) -> None:
    assert read_day(typed, TODAY) == day


@pytest.mark.parametrize(
    "typed",
    [
        "31.02.2010",
        "29.02.2010",
        "29.02.1900",
        "31.04.1990",
        "00.01.1990",
        "32.01.1990",
        "05.13.1986",
        "01.01.0000",
        "31022010",
        "2010-02-31",
        "31 ақпан 2010",
        "31 февраля 2010 года",
        "2010 жылғы 31 ақпан",
    ],
)
def test_days_that_do_not_exist(typed: str) -> None:
    with pytest.raises(NoSuchDay):
        read_day(typed, TODAY)


@pytest.mark.parametrize("typed", ["29.02.2012", "29.02.2000", "29 ақпан 2012", "29 февраля 2012"])
def test_leap_days_that_do(typed: str) -> None:
    day = read_day(typed, TODAY)
    assert day is not None
    assert (day.day, day.month) == (29, 2)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "😀",
        "вчера",
        "1986",
        "05.03",
        "5 марта",
        "наурыз 1986",
        "5 бұзау 1986",
        "050386",
        "05.03.198",
        "05.03.19861",
        "87011234567",
        "8 701 123 45 67",
        "05.03.1986 и 06.03.1986",
        "0" * 5000,
        "5 марта 1986 " * 400,
        "родился 5 марта 1986",
    ],
)
def test_no_dates(typed: str) -> None:
    assert read_day(typed, TODAY) is None


@given(st.dates(min_value=date(1000, 1, 1), max_value=date(9999, 1, 1)))
def test_every_day_in_every_shape(day: date) -> None:
    shapes = ("{d:02}.{m:02}.{y}", "{d}/{m}/{y}", "{y}-{m:02}-{d:02}", "{d:02}{m:02}{y}")
    for shape in shapes:
        assert read_day(shape.format(d=day.day, m=day.month, y=day.year), TODAY) == day


@given(st.dates(min_value=TODAY - timedelta(days=36_500), max_value=TODAY))
def test_two_figures_are_the_last_hundred_years(day: date) -> None:
    assert read_day(f"{day:%d.%m.%y}", TODAY) == day


@given(st.text(max_size=60))
def test_no_text_breaks_it(typed: str) -> None:
    try:
        found = read_day(typed, TODAY)
    except NoSuchDay:
        return
    assert found is None or isinstance(found, date)
