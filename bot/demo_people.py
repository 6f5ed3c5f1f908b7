"""Made-up residents for the demo: names that a village in North Kazakhstan could have.

Invented from common given names and surnames and put together by chance; any likeness to a
living person is accidental. The proportions follow the worked example (S1, last chapter): 942
people, at most 200 of them on WhatsApp.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from core.languages import Language

TELEGRAM, WHATSAPP = 742, 199  # with Пётр on the page: 942 residents, 200 on WhatsApp
SHARES = {"595041100": 0.62, "595041500": 0.21, "595041600": 0.17}  # of the three villages
YOUNGEST, OLDEST = 16, 88  # years

_KAZAKH_SURNAMES = (
    "Ахметов Жұмабаев Сейітов Омаров Қасымов Нұрланов Әбілов Тілеуов Мұқанов Есенов Байжанов"
    " Сұлтанов Оспанов Ыбыраев Жақыпов Кәрімов Төлегенов Сәрсенов Бекенов Досанов"
)
_KAZAKH_MEN = (
    "Серік Болат Ерлан Нұрлан Қайрат Асқар Дәурен Марат Талғат Айдос Бауыржан Жанат Самат Ержан"
    " Мұрат Дастан Олжас Қанат Рүстем Бекзат"
)
_KAZAKH_WOMEN = (
    "Айгүл Гүлнар Сәуле Динара Жанар Алма Бақыт Әсел Мадина Роза Кәмила Ақмарал Назгүл Шолпан"
    " Меруерт Айнұр Гүлмира Раушан Зере Аружан"
)
_RUSSIAN_SURNAMES = (
    "Иванов Петров Кузнецов Соколов Морозов Волков Лебедев Козлов Новиков Павлов Шевченко Бондарь"
    " Мельник Ткаченко Шмидт Вебер Фишер Коваль Романов Зайцев"
)
_RUSSIAN_MEN = "Александр Сергей Виктор Николай Андрей Дмитрий Пётр Иван Юрий Василий Олег Роман"
_RUSSIAN_WOMEN = "Татьяна Елена Ольга Наталья Галина Анна Мария Светлана Ирина Людмила Вера Юлия"


@dataclass(frozen=True, slots=True)
class MadeUp:
    """One invented resident."""

    name: str
    place_code: str
    birth_date: date
    language: Language


def made_up(count: int, today: date, seed: int = 595041) -> Iterator[MadeUp]:
    """So many residents, the same ones for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        language = chance.choice(list(Language))
        days = chance.randint(YOUNGEST * 365, OLDEST * 365)
        yield MadeUp(
            _name(chance, language),
            chance.choices(list(SHARES), list(SHARES.values()))[0],
            today - timedelta(days=days),
            language,
        )


def _name(chance: random.Random, language: Language) -> str:
    woman = chance.random() < 0.52
    if language is Language.KK:
        surname = chance.choice(_KAZAKH_SURNAMES.split())
        given = chance.choice((_KAZAKH_WOMEN if woman else _KAZAKH_MEN).split())
    else:
        surname = chance.choice(_RUSSIAN_SURNAMES.split())
        given = chance.choice((_RUSSIAN_WOMEN if woman else _RUSSIAN_MEN).split())
    return f"{_of_woman(surname) if woman else surname} {given}"


def _of_woman(surname: str) -> str:
    return f"{surname}а" if surname.endswith(("ов", "ев", "ин")) else surname
