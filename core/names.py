"""Letters of names: folding, the Kazakh alphabet's order, Latin input, what sounds alike.

The embedded PostgreSQL has the C locale and no ICU, so that names are compared and sorted here
and nowhere else. Alphabet: law "On languages", Cyrillic alphabet of 42 letters; Latin input: the
alphabets of 2018 (acutes) and 2021 (umlauts) and the Latin that people type on any phone.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any

KAZAKH_ALPHABET = "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя"

_ORDER = {letter: place for place, letter in enumerate(KAZAKH_ALPHABET)}
_DIGIT, _CYRILLIC, _OTHER = 0, 1, 2

_PLAIN = str.maketrans("әғқңөұүһіёѐѝ", "агкноуухиееи")
_APOSTROPHES = re.compile(r"['’‘ʼʹ`´′\"«»“”„]")
_NOT_WORD = re.compile(r"[\W_]+")
_COMBINING = re.compile("[\u0300-\u036f]")

# Letters of other code pages that stand in the Bureau's workbook for Kazakh ones.
_BROKEN = str.maketrans("ЌќЎўЇїЈјҒғ", "ҚқҰұҮүӘәҒғ")
_LOOKALIKES = str.maketrans("ABCEHIKMOPTXYaceiopxy", "АВСЕНІКМОРТХУасеіорху")
_WORD = re.compile(r"\w+")
_CYRILLIC_LETTER = re.compile("[а-яёәғқңөұүһі]", re.IGNORECASE)
_LATIN_LETTER = re.compile("[a-z\u00c0-\u024f]", re.IGNORECASE)


def tidy(name: str) -> str:
    """The name as it should have been typed: single spaces, no Latin or broken letters in it."""
    plain = unicodedata.normalize("NFC", name).translate(_BROKEN)
    plain = _WORD.sub(lambda word: _one_script(word.group()), plain)
    return re.sub(r" +\.", ".", " ".join(plain.split()))


def fold(text: str) -> str:
    """The text in plain small Russian letters, figures and single spaces; Latin stays Latin.

    "Қызылжар ауылы!" and "кызылжар  АУЫЛЫ" fold to the same. Folding twice changes nothing.
    """
    lowered = unicodedata.normalize("NFKC", text).lower()
    plain = _without_accents(lowered.translate(_PLAIN)).translate(_PLAIN)
    return " ".join(_NOT_WORD.sub(" ", _APOSTROPHES.sub("", plain)).split())


def sort_key(text: str) -> tuple[tuple[tuple[int, int], ...], str]:
    """The place of a text in a Kazakh list: figures by value, then Аа Әә Бб …, then the rest.

    Case, spaces and hyphens do not count, unless nothing else tells two texts apart.
    """
    lowered = unicodedata.normalize("NFC", text).lower()
    return tuple(_weight(part) for part in _PARTS.findall(lowered)), text


def person_key(full_name: str) -> tuple[Any, ...]:
    """The place of a person in a list: by the surname as a word, then by the other names, so that
    "Әбілов Серік" comes before "Әбілова Айгүл"."""
    words = full_name.split()
    return tuple(sort_key(word)[0] for word in words), tuple(words)


def from_latin(text: str) -> str:
    """Latin words of a folded or raw text in folded Cyrillic; words of other scripts folded.

    "Qyzyljar", "Kyzylzhar", "Qızıljar" → "кызылжар"; "Bugrovoe" → "бугровое".
    """
    lowered = unicodedata.normalize("NFC", text).lower().replace("i̇", "i")
    words = _NOT_WORD.sub(" ", _APOSTROPHES.sub("", lowered)).split()
    return " ".join(_cyrillic(word) if _LATIN_LETTER.search(word) else fold(word) for word in words)


@lru_cache(maxsize=65_536)
def sound(folded: str) -> str:
    """What is left of a folded text when letters that are often taken for each other are one.

    Vowels that sound alike, soft and hard signs, doubled letters, ч/ш/щ, дж/ж, ң written "нг".
    """
    text = _DOUBLED.sub(r"\1", folded)
    for written, heard in _HEARD:
        text = text.replace(written, heard)
    return _DOUBLED.sub(r"\1", text.translate(_ALIKE))


_PARTS = re.compile(r"\d+|[^\W\d_]")
_DOUBLED = re.compile(r"([^\d\s])\1+")
_HEARD = (("дж", "ж"), ("нг", "н"), ("тс", "ц"), ("йя", "я"), ("йю", "ю"), ("йе", "е"), ("ий", "и"))
_ALIKE = str.maketrans("яоюэеыйчщцфх", "аауиииишшспк", "ьъ")

# Longest first: several letters that stand for one.
_LATIN = (
    ("shch", "щ"), ("sch", "щ"), ("zh", "ж"), ("kh", "х"), ("gh", "г"), ("sh", "ш"), ("ch", "ч"),
    ("ts", "ц"), ("tz", "ц"), ("ng", "н"), ("dzh", "дж"), ("yaa", "яа"), ("ya", "я"), ("yu", "ю"),
    ("yo", "е"), ("ye", "е"), ("ja", "жа"), ("ju", "жу"), ("iya", "ия"), ("ck", "к"), ("ph", "ф"),
    ("oo", "у"), ("ee", "и"), ("qu", "ку"),
)  # fmt: skip
_LATIN_LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyzäöüğşıñçáóúýǵńŭ",
        "абкдефгхижклмнопкрстувухызаоугшинчаоуугну",
        strict=True,
    )
)
_LATIN_PATTERN = re.compile(
    "|".join(re.escape(written) for written, _ in sorted(_LATIN, key=lambda p: -len(p[0]))) + "|."
)
_LATIN_GROUPS = dict(_LATIN)
_VOWELS = frozenset("аеиоуыэюя")


def _cyrillic(word: str) -> str:
    done = ""
    for match in _LATIN_PATTERN.finditer(word):
        done += _sound_of(match.group(), done[-1:], word[match.end() : match.end() + 1])
    return fold(done)


def _sound_of(written: str, before: str, after: str) -> str:
    """One Latin letter or group; "y", "i" and "w" are read by their neighbours."""
    if written in ("y", "i") and before in _VOWELS and before:
        return "й"
    if written == "w":
        return "в" if after in tuple("aeiouy") else "у"
    return _LATIN_GROUPS.get(written) or _LATIN_LETTERS.get(written) or _without_mark(written)


def _without_mark(written: str) -> str:
    """ "ū", "ë" and whatever else carries a mark that no Kazakh alphabet had."""
    plain = unicodedata.normalize("NFD", written)[0]
    return _LATIN_LETTERS.get(plain, plain)


def _without_accents(text: str) -> str:
    """Stress marks over Cyrillic letters fall away; й stays й."""
    decomposed = unicodedata.normalize("NFD", text)
    kept = re.sub("и\u0306", "й", decomposed)
    return unicodedata.normalize("NFC", _COMBINING.sub("", kept))


def _one_script(word: str) -> str:
    return word.translate(_LOOKALIKES) if _CYRILLIC_LETTER.search(word) else word


def _weight(part: str) -> tuple[int, int]:
    if part.isdecimal():
        return _DIGIT, int(part)
    place = _ORDER.get(part)
    return (_OTHER, ord(part)) if place is None else (_CYRILLIC, place)
