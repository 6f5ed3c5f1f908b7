"""Days as people type them: 05.03.1986, 5/3/86, 5 наурыз 1986, 1986-03-05."""

import re
from datetime import date
from functools import cache

from babel.dates import get_month_names

from core.names import fold

_NUMBERS = re.compile(r"(\d{1,2})\D{1,3}(\d{1,2})\D{1,3}(\d{4}|\d{2})\D*")
_ISO = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})")
_RUN = re.compile(r"(\d{2})(\d{2})(\d{4})")
_WORDS = re.compile(r"(\d{1,2})[\s.-]*([^\W\d_]+)\.?[\s,]*(?:жылы?\s*)?(\d{4}|\d{2})\D*")
_WORDS_KK = re.compile(
    r"(\d{4})\s*(?:(?:жылғы|жылгы|жылдың|жылдын|жылы|жыл|ж)\b\.?)?[\s,]*(\d{1,2})[\s-]*([^\W\d_]+)\D*"
)
_PREFIX = 3  # letters that tell the months apart in both languages


class NoSuchDay(ValueError):
    """It is written like a day, but the calendar has no such day."""


def read_day(typed: str, today: date) -> date | None:
    """The day that is written, or None. Two figures of a year mean the last hundred years.

    Raises NoSuchDay for 31.02.2010.
    """
    figures = _figures(typed.strip(), today)
    if figures is None:
        return None
    try:
        return date(*figures)
    except ValueError:
        raise NoSuchDay(typed) from None


def _figures(typed: str, today: date) -> tuple[int, int, int] | None:
    if found := _ISO.fullmatch(typed):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _NUMBERS.fullmatch(typed) or _RUN.fullmatch(typed):
        return _dated(found[3], int(found[2]), int(found[1]), today)
    if (found := _WORDS.fullmatch(typed)) and (month := month_of(found[2])):
        return _dated(found[3], month, int(found[1]), today)
    if (found := _WORDS_KK.fullmatch(typed)) and (month := month_of(found[3])):
        return int(found[1]), month, int(found[2])
    return None


def _dated(figures: str, month: int, day: int, today: date) -> tuple[int, int, int]:
    """Year, month, day. A year of two figures is the latest that is not in the future."""
    year = int(figures)
    if len(figures) == 2:
        year += today.year - today.year % 100
        if (year, month, day) > (today.year, today.month, today.day):
            year -= 100
    return year, month, day


def month_of(word: str) -> int | None:
    """The month by its first letters, in either language, also without Kazakh letters."""
    return _months().get(fold(word)[:_PREFIX])


@cache
def _months() -> dict[str, int]:
    named = [get_month_names("wide", locale=locale) for locale in ("kk", "ru")]
    starts = {fold(name)[:_PREFIX]: int(n) for names in named for n, name in names.items()}
    return starts | {"май": 5}
