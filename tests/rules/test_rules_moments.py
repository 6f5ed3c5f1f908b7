"""Moments as people type them, in both languages; past and impossible ones told apart."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.languages import Language
from core.texts import Near, T, moment_in_words, texts
from rules.dates import NoSuchDay
from rules.moments import (
    LATEST,
    MomentPast,
    MomentTooFar,
    NoHour,
    NoSuchHour,
    read_moment,
)

ALMATY = ZoneInfo("Asia/Almaty")
NOW = datetime(2026, 11, 24, 13, 0, tzinfo=ALMATY)  # a Tuesday
LATE = datetime(2026, 12, 31, 23, 30, tzinfo=ALMATY)


def read(typed: str, now: datetime = NOW) -> str | None:
    moment = read_moment(typed, now)
    return None if moment is None else f"{moment:%d.%m.%Y %H:%M}"


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("қазір", "24.11.2026 13:00"),
        ("Сейчас", "24.11.2026 13:00"),
        ("ертең 9:00", "25.11.2026 09:00"),
        ("Ертең, сағат 9-да", "25.11.2026 09:00"),
        ("ертен 9да", "25.11.2026 09:00"),
        ("ертең таңғы 9-да", "25.11.2026 09:00"),
        ("кешкі 7-де", "24.11.2026 19:00"),
        ("завтра в 9", "25.11.2026 09:00"),
        ("Завтра в 9 утра!", "25.11.2026 09:00"),
        ("завтра в 7 вечера", "25.11.2026 19:00"),
        ("завтра 9.10", "25.11.2026 09:10"),
        ("завтра в 18ч", "25.11.2026 18:00"),
        ("бүрсігүні 9-да", "26.11.2026 09:00"),
        ("послезавтра 9:00", "26.11.2026 09:00"),
        ("сегодня в 18", "24.11.2026 18:00"),
        ("18:00", "24.11.2026 18:00"),
        ("18-00", "24.11.2026 18:00"),
        ("9:00", "25.11.2026 09:00"),
        ("9.30", "25.11.2026 09:30"),
        ("в 12 ночи", "25.11.2026 00:00"),
        ("25.11 18:00", "25.11.2026 18:00"),
        ("25/11 18:00", "25.11.2026 18:00"),
        ("25.11 в 9.30", "25.11.2026 09:30"),
        ("25.11.26 в 18", "25.11.2026 18:00"),
        ("25.11.2026 18:00", "25.11.2026 18:00"),
        ("2026-11-25 18:00", "25.11.2026 18:00"),
        ("25 қараша 18:00", "25.11.2026 18:00"),
        ("25-қараша, 18.00", "25.11.2026 18:00"),
        ("25 ноября в 18", "25.11.2026 18:00"),
        ("05.01 9:00", "05.01.2027 09:00"),
        ("дүйсенбі 9:00", "30.11.2026 09:00"),
        ("в понедельник в 9", "30.11.2026 09:00"),
        ("во вторник в 18:00", "24.11.2026 18:00"),
        ("во вторник в 12:00", "01.12.2026 12:00"),
        ("в пятницу 9.10", "27.11.2026 09:10"),
        ("через 2 часа", "24.11.2026 15:00"),
        ("через час", "24.11.2026 14:00"),
        ("через полчаса", "24.11.2026 13:30"),
        ("через полтора часа", "24.11.2026 14:30"),
        ("через 30 минут", "24.11.2026 13:30"),
        ("через неделю", "01.12.2026 13:00"),
        ("2 сағаттан кейін", "24.11.2026 15:00"),
        ("екі сағаттан соң", "24.11.2026 15:00"),
        ("жарты сағаттан кейін", "24.11.2026 13:30"),
        ("бір күннен кейін", "25.11.2026 13:00"),
    ],
)
def test_read(typed: str, moment: str) -> None:
    assert read(typed) == moment


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "просто", "не завтра 9", "завтра в 9 или 10", "кешікпей", "9 9 9", "25.11 18:00 5",
     "2026 жылғы 25 қараша, жұма, сағат 18:00", "'; DROP TABLE notice", "😀", "через сколько-то"],
)  # fmt: skip
def test_not_understood(typed: str) -> None:
    assert read(typed) is None


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("31.02 9:00", NoSuchDay),
        ("31 ақпан 9:00", NoSuchDay),
        ("29.02 9:00", NoSuchDay),
        ("25:00", NoSuchHour),
        ("завтра в 9:75", NoSuchHour),
        ("25.11", NoHour),
        ("ертең", NoHour),
        ("сегодня вечером", NoHour),
        ("бүгін 9:00", MomentPast),
        ("24.11 13:00", MomentPast),
        ("20 ноября 2026 года, пятница, 18:00", MomentPast),
        ("25.11.2027 9:00", MomentTooFar),
        ("через 200 дней", MomentTooFar),
    ],
)
def test_refused(typed: str, why: type[Exception]) -> None:
    with pytest.raises(why):
        read(typed)


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("ертең 0:10", "01.01.2027 00:10"),
        ("через час", "01.01.2027 00:30"),
        ("23:45", "31.12.2026 23:45"),
        ("0:15", "01.01.2027 00:15"),
        ("1 қаңтар 9:00", "01.01.2027 09:00"),
        ("31.12 23:59", "31.12.2026 23:59"),
    ],
)
def test_around_midnight_of_the_year(typed: str, moment: str) -> None:
    assert read(typed, LATE) == moment


@given(minutes=st.integers(1, int(LATEST.total_seconds()) // 60 - 1))
def test_what_we_say_ourselves_is_read(minutes: int) -> None:
    """Our own wording, copied and sent back, means the same moment."""
    moment = NOW + timedelta(minutes=minutes)
    for language in Language:
        assert read_moment(moment_in_words(moment, language), NOW) == moment
        near = texts().say(language, T("preview-at", at=Near(moment, NOW)))
        assert read_moment(near.partition(": ")[2], NOW) == moment


@given(typed=st.text(max_size=40))
def test_nothing_breaks_it(typed: str) -> None:
    try:
        moment = read_moment(typed, NOW)
    except (NoSuchDay, NoSuchHour, NoHour, MomentPast, MomentTooFar):
        return
    assert moment is None or NOW <= moment <= NOW + LATEST
