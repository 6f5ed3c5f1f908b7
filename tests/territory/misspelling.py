"""Misspells names as people do: each way a function of (name, random generator)."""

import re
from collections.abc import Callable
from random import Random

KEYBOARD = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
NO_KAZAKH = str.maketrans("ӘәҒғҚқҢңӨөҰұҮүҺһІі", "АаГгКкНнОоУуУуХхИи")
LATIN = dict(
    pair.split(":")
    for pair in re.split(
        " ",
        "а:a б:b в:v г:g д:d е:e ё:yo ж:zh з:z и:i й:y к:k л:l м:m н:n о:o п:p р:r с:s т:t у:u "
        "ф:f х:kh ц:ts ч:ch ш:sh щ:shch ъ: ы:y ь: э:e ю:yu я:ya "
        "ә:a ғ:g қ:q ң:n ө:o ұ:u ү:u һ:h і:i",
    )
)
LATIN_2021 = LATIN | dict(zip("әғжқңөұүшыіу", "äğjqñöūüşyıu", strict=True))


def deletion(name: str, random: Random) -> str:
    at = random.randrange(len(name))
    return name[:at] + name[at + 1 :]


def swap(name: str, random: Random) -> str:
    at = random.randrange(len(name) - 1)
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def neighbour_key(name: str, random: Random) -> str:
    at = random.randrange(len(name))
    row = next((row for row in KEYBOARD if name[at].lower() in row), "аоиеу")
    place = row.find(name[at].lower())
    beside = row[max(place - 1, 0) : place] + row[place + 1 : place + 2]
    return name[:at] + random.choice(beside) + name[at + 1 :]


def doubling(name: str, random: Random) -> str:
    at = random.randrange(len(name))
    return name[:at] + name[at] + name[at:]


def vowel(name: str, random: Random) -> str:
    pairs = str.maketrans("оаеиыіөұү", "аоиеиыоую")
    places = [at for at, letter in enumerate(name) if letter.translate(pairs) != letter]
    at = random.choice(places or [0])
    return name[:at] + name[at].translate(pairs) + name[at + 1 :]


def no_kazakh(name: str, random: Random) -> str:
    return name.translate(NO_KAZAKH)


def no_kazakh_and_deletion(name: str, random: Random) -> str:
    return deletion(no_kazakh(name, random), random)


def latin(name: str, random: Random) -> str:
    table = random.choice((LATIN, LATIN_2021))
    return "".join(table.get(letter, letter) for letter in name.lower())


def with_noun(name: str, random: Random) -> str:
    wrong = deletion(name, random)
    return random.choice(("село {}", "с.{}", "{} ауылы", "аул {}", "{} а.")).format(wrong)


WAYS: tuple[Callable[[str, Random], str], ...] = (
    deletion, swap, neighbour_key, doubling, vowel, no_kazakh, no_kazakh_and_deletion, latin,
    with_noun,
)  # fmt: skip
