"""Texts in words: dates, money, plurals, names in both languages; a text is complete or wrong."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from core.languages import Language
from core.texts import (
    Joined,
    MissingText,
    Named,
    T,
    Texts,
    Words,
    day_in_words,
    day_or_near,
    moment_in_words,
    tenge,
)

KK, RU = Language
AKIM = Named(kk="Бугров ауылдық округінің әкімі", ru="Аким Бугровского сельского округа")
TEXTS: Mapping[Language, str] = {
    KK: """
people = { $n } тұрғын
hello = { $name }, сәлем!
when = { $at } басталады
bare =
    .label = тек атрибут
only-kk = тек қазақша
""",
    RU: """
people = { $n ->
        [one] { $n } житель
        [few] { $n } жителя
       *[other] { $n } жителей
    }
hello = Здравствуйте, { $name }!
when = Начало: { $at }
bare =
    .label = только атрибут
""",
}


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Texts:
    folder: Path = tmp_path_factory.mktemp("locales")
    for language, source in TEXTS.items():
        (folder / language).mkdir()
        (folder / language / "a.ftl").write_text(source, encoding="utf-8")
    return Texts(folder)


@pytest.mark.parametrize(
    ("n", "ru"),
    [
        (0, "0 жителей"),
        (1, "1 житель"),
        (2, "2 жителя"),
        (4, "4 жителя"),
        (5, "5 жителей"),
        (11, "11 жителей"),
        (12, "12 жителей"),
        (21, "21 житель"),
        (22, "22 жителя"),
        (112, "112 жителей"),
        (1001, "1001 житель"),
        (25_000, "25000 жителей"),
    ],
)
def test_plurals(spoken: Texts, n: int, ru: str) -> None:
    assert spoken.say(RU, T("people", n=n)) == ru
    assert spoken.say(KK, T("people", n=n)) == f"{n} тұрғын"


@pytest.mark.parametrize(
    ("text", "kk", "ru"),
    [
        pytest.param("Ахметов Серік", "Ахметов Серік", "Ахметов Серік", id="own words"),
        pytest.param("{ $name }", "{ $name }", "{ $name }", id="own words like a text"),
        pytest.param(AKIM, AKIM.kk, AKIM.ru, id="a name in both languages"),
        pytest.param(
            T("hello", name=AKIM), f"{AKIM.kk}, сәлем!", f"Здравствуйте, {AKIM.ru}!", id="in a text"
        ),
        pytest.param(
            T("hello", name=T("people", n=2)),
            "2 тұрғын, сәлем!",
            "Здравствуйте, 2 жителя!",
            id="a text in a text",
        ),
        pytest.param(
            Joined([AKIM, T("people", n=1), "№5"], "; "),
            f"{AKIM.kk}; 1 тұрғын; №5",
            f"{AKIM.ru}; 1 житель; №5",
            id="joined",
        ),
        pytest.param(
            T("hello", name=Joined(["а", "б"])), "а\nб, сәлем!", "Здравствуйте, а\nб!", id="lines"
        ),
        pytest.param(Joined([]), "", "", id="joined of nothing"),
    ],
)
def test_words(spoken: Texts, text: Words, kk: str, ru: str) -> None:
    assert spoken.say(KK, text) == kk
    assert spoken.say(RU, text) == ru


def test_a_moment_is_said_in_local_time(spoken: Texts) -> None:
    """19:00 UTC is midnight in Almaty: the next day has begun."""
    text = T("when", at=datetime(2026, 11, 19, 19, 0, tzinfo=UTC))
    assert spoken.say(KK, text) == "2026 жылғы 20 қараша, жұма, сағат 00:00 басталады"
    assert spoken.say(RU, text) == "Начало: 20 ноября 2026 года, пятница, 00:00"
    day = T("when", at=date(2026, 11, 20))
    assert spoken.say(RU, day) == "Начало: 20 ноября 2026 года, пятница"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(T("no-such-text"), id="unknown"),
        pytest.param(T("only-kk"), id="only in the other language"),
        pytest.param(T("hello"), id="an argument is missing"),
        pytest.param(T("hello", nam="x"), id="an argument is called otherwise"),
        pytest.param(T("bare"), id="no value"),
        pytest.param(T("hello", name=T("no-such-text")), id="a missing text as an argument"),
        pytest.param(Joined(["а", T("hello")]), id="joined"),
    ],
)
def test_a_text_is_complete_or_wrong(spoken: Texts, text: Words) -> None:
    with pytest.raises(MissingText):
        spoken.say(RU, text)


@pytest.mark.parametrize(
    ("moment", "kk", "ru"),
    [
        pytest.param(
            datetime(2026, 11, 20, 13, 0, tzinfo=UTC),
            "2026 жылғы 20 қараша, жұма, сағат 18:00",
            "20 ноября 2026 года, пятница, 18:00",
            id="the example of VOICE",
        ),
        pytest.param(
            datetime(2026, 12, 31, 18, 59, tzinfo=UTC),
            "2026 жылғы 31 желтоқсан, бейсенбі, сағат 23:59",
            "31 декабря 2026 года, четверг, 23:59",
            id="a minute before midnight",
        ),
        pytest.param(
            datetime(2026, 12, 31, 19, 0, tzinfo=UTC),
            "2027 жылғы 1 қаңтар, жұма, сағат 00:00",
            "1 января 2027 года, пятница, 00:00",
            id="midnight in Almaty",
        ),
    ],
)
def test_moments(moment: datetime, kk: str, ru: str) -> None:
    assert moment_in_words(moment, KK) == kk
    assert moment_in_words(moment, RU) == ru


@pytest.mark.parametrize(
    ("day", "kk", "ru"),
    [
        (date(2026, 11, 20), "бүгін", "сегодня"),
        (date(2026, 11, 21), "ертең", "завтра"),
        (date(2026, 11, 19), "кеше", "вчера"),
        (date(2026, 11, 22), "2026 жылғы 22 қараша, жексенбі", "22 ноября 2026 года, воскресенье"),
        (date(2027, 11, 20), "2027 жылғы 20 қараша, сенбі", "20 ноября 2027 года, суббота"),
    ],
)
def test_near_days(day: date, kk: str, ru: str) -> None:
    today = date(2026, 11, 20)
    assert day_or_near(day, today, KK) == kk
    assert day_or_near(day, today, RU) == ru


def test_days() -> None:
    assert day_in_words(date(2026, 5, 9), RU) == "9 мая 2026 года, суббота"
    assert day_in_words(date(2026, 5, 9), KK) == "2026 жылғы 9 мамыр, сенбі"


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "0 ₸"),
        (999, "999 ₸"),
        (1000, "1 000 ₸"),
        (15_200_000, "15 200 000 ₸"),
        (-5000, "-5 000 ₸"),
    ],
)
def test_tenge(amount: int, words: str) -> None:
    assert tenge(amount) == words.replace(" ", "\N{NO-BREAK SPACE}")


def test_a_long_argument_is_said_in_full(spoken: Texts) -> None:
    """A correction of a notice of 2,600 characters ended in an apology."""
    words = "сөз " * 2000
    assert spoken.say(KK, T("hello", name=words)) == f"{words}, сәлем!"
