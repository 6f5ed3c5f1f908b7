"""Which of the two languages a text can be in."""

import pytest

from core.languages import Language, may_be

KAZAKH = "Су болмайды\nЕртең сағат 10:00-ден 16:00-ге дейін Бугровое ауылында су болмайды."
RUSSIAN = "Не будет воды\nЗавтра с 10:00 до 16:00 в селе Бугровое не будет воды."


def test_a_text_in_its_own_language() -> None:
    assert may_be(KAZAKH, Language.KK)
    assert may_be(RUSSIAN, Language.RU)


def test_a_text_in_the_other_languages_place() -> None:
    assert not may_be(KAZAKH, Language.RU)
    assert not may_be(RUSSIAN, Language.KK)
    assert not may_be(KAZAKH.upper(), Language.RU)


@pytest.mark.parametrize(
    "named",
    [
        "Субботник пройдёт в парке имени Әуезова, приходите с детьми и инструментом.",
        "Собрание в школе села Қызылжар, вопросы о дороге и о воде на лето.",
    ],
)
def test_kazakh_names_in_a_russian_text(named: str) -> None:
    assert may_be(named, Language.RU)


@pytest.mark.parametrize("little", ["Сход", "Жиын", "12.03.2026, 10:00", "", "Toi bolady"])
def test_too_little_to_tell(little: str) -> None:
    assert may_be(little, Language.KK)
    assert may_be(little, Language.RU)
