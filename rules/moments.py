"""Moments as people type them: "ертең 9:00", "завтра в 9", "25.11 18:00", "через 2 часа".

Local time throughout: what comes in and what goes out is as clocks in Kazakhstan show it.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from core.names import fold
from rules.dates import NoSuchDay, month_of

LATEST = timedelta(days=90)  # nobody plans a notice further ahead; a typed year is wrong then

_NOW = {"казир", "сейчас", "now", "бирден", "сразу"}
_DAYS = {
    "бугин": 0,
    "сегодня": 0,
    "ертен": 1,
    "завтра": 1,
    "бурсигуни": 2,
    "бурсикуни": 2,
    "послезавтра": 2,
}
_WEEKDAYS = (
    ("дуйсенби", "понедельник"),
    ("сейсенби", "вторник"),
    ("сарсенби", "среда", "среду"),
    ("бейсенби", "четверг"),
    ("жума", "пятница", "пятницу"),
    ("сенби", "суббота", "субботу"),
    ("жексенби", "воскресенье"),
)
_WEEKDAY = {fold(word): day for day, words in enumerate(_WEEKDAYS) for word in words}
_COUNTED = {
    "бир": 1, "еки": 2, "уш": 3, "торт": 4, "бес": 5, "алты": 6, "он": 10, "жарты": 0.5,
    "один": 1, "одну": 1, "два": 2, "две": 2, "три": 3, "четыре": 4, "пять": 5, "шесть": 6,
    "десять": 10, "пол": 0.5, "полтора": 1.5,
}  # fmt: skip
_UNITS = (
    (re.compile(r"мин\w*"), timedelta(minutes=1)),
    (re.compile(r"час\w*|сагат\w*|ч"), timedelta(hours=1)),
    (re.compile(r"день|дня|дней|сутки|суток|кун\w*|тауликте\w*"), timedelta(days=1)),
    (re.compile(r"недел\w*|апта\w*"), timedelta(days=7)),
)
_LATER_RU = re.compile(r"через(?: (\d{1,3}|[а-я]+))?? ?(пол)?([а-я]+)")
_LATER_KK = re.compile(r"(\d{1,3}|[а-я]+) ?([а-я]+) (?:кейин|сон)")
_EVENING = {"вечера", "вечером", "дня", "днем", "кешки", "кеште", "кешке", "туски", "тустен"}
_MORNING = {"утра", "утром", "тангы", "танертен", "танертенги", "тан"}
_NIGHT = {"ночи", "ночью", "тунги", "тунде"}
_FILLERS = {"в", "во", "на", "к", "сагат", "сагатта", "час", "часа", "часов", "ч", "куни", "мен",
            "да", "де", "та", "те", "кейин", "ровно", "года", "г", "жылы", "жылгы"}  # fmt: skip
_BESIDE = _FILLERS | _EVENING | _MORNING | _NIGHT
_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})(?:t|\b)")
_DATE = re.compile(r"(?<![\d:])(\d{1,2})[./](\d{1,2})(?:[./](\d{4}|\d{2}))?\b")
_NAMED = re.compile(r"\b(\d{1,2})[ -]?([а-я]{3,})(?: (\d{4}))?(?![\d:])")
_NAMED_KK = re.compile(r"\b(\d{4}) жыл\w* (\d{1,2}) ([а-я]{3,})")
_CLOCK = re.compile(r"(\d{1,2})(?: ?[:.-] ?| )(\d{2})\b")
_HOUR = re.compile(r"\b(\d{1,2})(?=\D|$)")
_WORD = re.compile(r"[^\W\d_]+")


class NoHour(ValueError):
    """A day without the time of day."""


class NoSuchHour(ValueError):
    """It is written like a time of day, but no clock shows it."""


class MomentPast(ValueError):
    """The moment that is meant is over; `at` says which."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at.isoformat())
        self.at = at


class MomentTooFar(ValueError):
    """More than ninety days ahead; `at` says when."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at.isoformat())
        self.at = at


@dataclass(frozen=True, slots=True)
class _Day:
    """A day as it was typed; without its year, or by the weekday alone, it is the nearest one."""

    day: date
    yearless: bool = False
    weekday: bool = False


def read_moment(typed: str, now: datetime) -> datetime | None:
    """The local moment that is written, or None; `now` is local, with its zone.

    A time without a day is the next one on the clock, a date without a year the nearest. Raises
    NoSuchDay for 31.02, NoSuchHour for 25:00, NoHour for a day alone, MomentPast, MomentTooFar.
    """
    words = _plain(typed)
    if words in _NOW:
        return now
    later = _later(words)
    if later is not None:
        return _ahead(now + later, now)
    day, rest = _day(words, now)
    hour = _hour(rest)
    if hour is None:
        if day is not None and not set(rest.split()) - _BESIDE:
            raise NoHour(typed)
        return None
    return _ahead(_moment(day, hour, now), now)


def days_said(text: str) -> list[tuple[str, int]]:
    """The words of this text that name a day by how far it is ahead: "завтра" is 1, "бүгін" 0."""
    words = (word.lower() for word in _WORD.findall(text))
    return [(word, _DAYS[fold(word)]) for word in words if fold(word) in _DAYS]


def _plain(typed: str) -> str:
    """Small plain letters, figures with what stands between them, single spaces."""
    words = _WORD.sub(lambda word: fold(word[0]), typed.lower())
    words = re.sub(r"[–—]", "-", words)
    words = re.sub(r"(?<=\d)-(?=[^\W\d_])", " ", words)  # "9-да", "25-қараша"
    words = re.sub(r"(?<=[^\W\d_])[.-]+|[,;!?«»\"']|\.$", " ", words)
    return " ".join(words.split()).strip(" .")


def _later(words: str) -> timedelta | None:
    """ "через 2 часа", "через полчаса", "жарты сағаттан кейін"."""
    if found := _LATER_RU.fullmatch(words):
        count, half, unit = found[1], found[2], found[3]
    elif found := _LATER_KK.fullmatch(words):
        count, half, unit = found[1], None, found[2]
    else:
        return None
    length = next((each for pattern, each in _UNITS if pattern.fullmatch(unit)), None)
    number = 0.5 if half else _count(count)
    return None if length is None or number is None else number * length


def _count(word: str | None) -> float | None:
    if word is None:
        return 1
    return int(word) if word.isdecimal() else _COUNTED.get(word)


def _day(words: str, now: datetime) -> tuple[_Day | None, str]:
    """The day that is named and the words without it."""
    today = now.date()
    for word in words.split():
        if word in _DAYS:
            return _Day(today + timedelta(days=_DAYS[word])), _without(words, word)
    weekday = next((word for word in words.split() if word in _WEEKDAY), None)
    plain = _without(words, weekday) if weekday else words
    for read in (_iso_day, _named_day, _dotted_day):
        found = read(plain, now)
        if found is None or (weekday and not any(map(str.isdigit, found[1]))):
            continue  # "в пятницу 9.10" is a time
        if weekday and found[0].day.weekday() != _WEEKDAY[weekday]:
            return None, words  # the two do not go together: not understood
        return found
    if weekday is None:
        return None, words
    ahead = (_WEEKDAY[weekday] - today.weekday()) % 7
    return _Day(today + timedelta(days=ahead), weekday=True), plain


def _iso_day(words: str, now: datetime) -> tuple[_Day, str] | None:
    found = _ISO.search(words)
    if found is None:
        return None
    return _Day(_date(int(found[1]), int(found[2]), int(found[3]), words)), _cut(words, found)


def _named_day(words: str, now: datetime) -> tuple[_Day, str] | None:
    """ "25 қараша", "25 ноября 2026", "2026 жылғы 25 қараша"."""
    if found := _NAMED_KK.search(words):
        year, day, word = int(found[1]), int(found[2]), found[3]
        month = month_of(word)
        return None if month is None else (_Day(_date(year, month, day, words)), _cut(words, found))
    for found in _NAMED.finditer(words):
        month = month_of(found[2])
        if month is not None:
            return _dated(found[3], month, int(found[1]), words, now), _cut(words, found)
    return None


def _dotted_day(words: str, now: datetime) -> tuple[_Day, str] | None:
    """ "25.11", "25.11.2026"; "9.30" alone is a time."""
    found = _DATE.search(words)
    if found is None or (found[3] is None and int(found[2]) > 12):
        return None
    return _dated(found[3], int(found[2]), int(found[1]), words, now), _cut(words, found)


def _dated(figures: str | None, month: int, day: int, typed: str, now: datetime) -> _Day:
    if figures is not None:
        year = int(figures) + (2000 if len(figures) == 2 else 0)
        return _Day(_date(year, month, day, typed))
    try:
        return _Day(_date(now.year, month, day, typed), yearless=True)
    except NoSuchDay:
        return _Day(_date(now.year + 1, month, day, typed))  # 29.02 of the next year


def _date(year: int, month: int, day: int, typed: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise NoSuchDay(typed) from None


def _hour(words: str) -> time | None:
    """The time of day, if the words hold one and nothing that is not understood."""
    found = _CLOCK.search(words) or _HOUR.search(words)
    if found is None:
        return None
    rest = set(_cut(words, found).split())
    if rest - _BESIDE:
        return None
    hour, minute = int(found[1]), int(found[2]) if found.re is _CLOCK else 0
    if hour < 12 and rest & _EVENING:
        hour += 12
    if hour == 12 and rest & _NIGHT:
        hour = 0
    if hour > 23 or minute > 59:
        raise NoSuchHour(found[0])
    return time(hour, minute)


def _moment(day: _Day | None, hour: time, now: datetime) -> datetime:
    """Day and hour together; what was left open is the next that comes."""
    if day is None:
        moment = datetime.combine(now.date(), hour, now.tzinfo)
        return moment if moment > now else moment + timedelta(days=1)
    moment = datetime.combine(day.day, hour, now.tzinfo)
    if moment > now:
        return moment
    if day.weekday:
        return moment + timedelta(days=7)
    if day.yearless:
        next_year = _next_year(moment)
        return next_year if next_year and next_year - now <= LATEST else moment
    return moment


def _next_year(moment: datetime) -> datetime | None:
    try:
        return moment.replace(year=moment.year + 1)
    except ValueError:
        return None


def _ahead(moment: datetime, now: datetime) -> datetime:
    if moment <= now:
        raise MomentPast(moment)
    if moment - now > LATEST:
        raise MomentTooFar(moment)
    return moment


def _without(words: str, word: str) -> str:
    left = words.split()
    left.remove(word)
    return " ".join(left)


def _cut(words: str, found: re.Match[str]) -> str:
    return " ".join(f"{words[: found.start()]} {words[found.end() :]}".split())
