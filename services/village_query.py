"""Reads what somebody typed for a village: the name, and the district or oblast beside it.

"село Бугровое, Кызылжарский район", "Жамбыл қызылжар", "Qyzyljar audany Bugrovoe". Words for
what a place is are taken away; where no word says which part is the region, every way to cut the
line in two is a reading, and the index decides which of them exists.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from core.names import from_latin

LONGEST = 8  # words; what comes after is not read

_VILLAGE_WORDS = frozenset(
    re.findall(
        r"\w+",
        """село селе села сельцо деревня деревне аул ауле аула ауыл ауылы ауылында ауылынан
        ауылынын авыл авил авилы ауил ауили поселок поселке пос кент кенти кентинде город городе
        гор кала каласы каласында станция станции ст разъезд разъезде рзд разъези участок уч
        учаскеси зимовка кыстауы точка мекени отгон с п г а к д""",
    )
)
_OKRUG_FIRST = frozenset({"сельский", "сельского", "ауылдык", "селолык"})
_REGION_WORDS = re.compile(r"(?:район|област|обл$|аудан|облыс|округ|окр$)")
_KAZAKH_REGION = re.compile(r"(?:аудан|облыс|округи)")
_ADJECTIVE = re.compile(r"(?:[иы]й|ой|ая|ого|ом)$")
_DIRECTIONS = re.compile(r"(?:северо|южно|восточно|западно|солтустик|онтустик|шыгыс|батыс)$")
_SHORTENED = ((re.compile(r"\bр-н\w*", re.IGNORECASE), " район "),)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a query. `passed_over`: words were left unread; `region_first`: no
    noun said so, and most people begin with the village."""

    name: str
    region: str = ""
    passed_over: bool = False
    region_first: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """The readings of what was typed, and those to fall back on when none of them exists."""

    readings: Sequence[Reading]
    fallbacks: Sequence[Reading]


@dataclass(slots=True)
class _Words:
    """Words of a query, sorted: those that a noun marks as a region, and the others."""

    free: list[str] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)


def read_query(text: str) -> Query:
    """The readings of a query, each once; none for a text without letters or figures."""
    words = _Words()
    for part in re.split(r"[,;\n]", _spelled_out(text)):
        _sort_words(_joined(from_latin(part).split()[:LONGEST]), words)
    whole = " ".join(from_latin(text).split()[:LONGEST])
    return Query(_once(_readings(words, whole)), _once(_parts(words.free)))


def _once(readings: Iterable[Reading]) -> list[Reading]:
    return list(dict.fromkeys(reading for reading in readings if reading.name))


def _readings(words: _Words, whole: str) -> Iterator[Reading]:
    name = " ".join(words.free) or " ".join(words.regions)
    if words.free and words.regions:
        yield from (Reading(name, region) for region in words.regions)
        yield Reading(name, passed_over=True)
    else:
        yield Reading(name)
    yield from _cuts(words.free)
    if whole != name and not words.regions:
        yield Reading(whole)


def _cuts(free: Sequence[str]) -> Iterator[Reading]:
    """Every cut in two, either part being the region."""
    for at in range(1, len(free)):
        first, second = " ".join(free[:at]), " ".join(free[at:])
        yield Reading(first, second)
        yield Reading(second, first, region_first=True)


def _parts(free: Sequence[str]) -> Iterator[Reading]:
    """Every cut in two, the other part passed over: it names no region there is."""
    for at in range(1, len(free)):
        yield Reading(" ".join(free[:at]), passed_over=True)
        yield Reading(" ".join(free[at:]), passed_over=True)


def _sort_words(words: Sequence[str], into: _Words) -> None:
    """Kazakh has the noun after the name; Russian after an adjective, else before the name."""
    expects_region = False
    held: list[str] = []
    for word in words:
        if _REGION_WORDS.match(word):
            if held and (_KAZAKH_REGION.match(word) or _ADJECTIVE.search(held[-1])):
                into.regions.append(held.pop())
            else:
                expects_region = True
        elif expects_region:
            into.regions.append(word)
            expects_region = False
        elif word not in _VILLAGE_WORDS and word not in _OKRUG_FIRST:
            held.append(word)
    into.free += held


def _joined(words: Sequence[str]) -> list[str]:
    """ "северо", "казахстанская" are one word of a region's name."""
    done: list[str] = []
    for word in words:
        if done and _DIRECTIONS.fullmatch(done[-1]):
            done[-1] = f"{done[-1]} {word}"
        else:
            done.append(word)
    return done


def _spelled_out(text: str) -> str:
    for shortened, words in _SHORTENED:
        text = shortened.sub(words, text)
    return text
