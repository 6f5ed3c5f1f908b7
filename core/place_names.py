"""Names of places as people say them, read from the abbreviations of the classifier КАТО.

КАТО writes "Бугровский с.о." and "Бугров а.о.", "с.Бугровое" and "Бугровое а.", "Семей Г.А." and
"Семей Қ.Ә." (НК РК 11-2025). Names themselves are never inflected, the noun beside them is, so
that vowel harmony never depends on a name; a Russian adjective ("Бугровский") agrees with its noun.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property, lru_cache

from core.names import tidy
from core.texts import Named


class PlaceKind(StrEnum):
    """What a place is, by the noun that КАТО puts beside its name."""

    OBLAST = "oblast"
    CITY = "city"
    CITY_AREA = "city_area"  # Г.А. / Қ.Ә.: a city of oblast significance with what belongs to it
    DISTRICT = "district"
    OKRUG = "okrug"
    TOWN_OFFICE = "town_office"  # г.а. / қ.ә.: a town of district significance likewise
    KENT_OFFICE = "kent_office"  # п.а. / к.ә.
    VILLAGE_OFFICE = "village_office"  # с.а. / а.ә.: a village that belongs to no okrug
    DISTRICT_OFFICE = "district_office"  # р.а. / а.ә.: a district in a city
    KENT = "kent"  # посёлок / кент
    VILLAGE = "village"
    STATION = "station"
    SIDING = "siding"
    SECTION = "section"
    POINT = "point"
    WINTERING = "wintering"
    FARM = "farm"
    PASTURE = "pasture"
    PEASANT_FARM = "peasant_farm"
    HOMESTEAD = "homestead"
    OTHER = "other"


POPULATED = frozenset({PlaceKind.VILLAGE, PlaceKind.KENT, PlaceKind.CITY})


@dataclass(frozen=True, slots=True)
class _Noun:
    """The noun of a kind and the marks by which КАТО's names show it."""

    ru: str
    ru_genitive: str
    ru_locative: str
    kk: str
    ru_mark: str
    kk_mark: str
    ru_head_only: bool = False

    @property
    def kk_genitive(self) -> str:
        return self.kk + ("нің" if self.kk.endswith("і") else "ның")

    @property
    def kk_locative(self) -> str:
        return self.kk + ("нде" if self.kk.endswith("і") else "нда")


_K = PlaceKind
# Order matters: "с.о." is looked for before "с.", "Г.А." before "г.а." before "г.".
_NOUNS: dict[PlaceKind, _Noun] = {
    _K.OBLAST: _Noun("область", "области", "в области", "облысы", r"[Оо]бласть", r"облысы"),
    _K.CITY_AREA: _Noun("город", "города", "в городе", "қаласы", r"Г\.\s?А\.?",
                        r"(?:Қ\.\s?Ә|Г\.\s?А)\.?"),
    _K.OKRUG: _Noun("сельский округ", "сельского округа", "в сельском округе", "ауылдық округі",
                    r"с\.\s?о\.?|сельский округ", r"а\.\s?о\.?|ауылдық округі"),
    _K.TOWN_OFFICE: _Noun("городская администрация", "городской администрации",
                          "в городской администрации", "қалалық әкімшілігі",
                          r"г\.\s?а\.?", r"қ\.\s?ә\.?"),
    _K.KENT_OFFICE: _Noun("поселковая администрация", "поселковой администрации",
                          "в поселковой администрации", "кенттік әкімшілігі",
                          r"п\.\s?а\.?", r"к\.\s?ә\.?"),
    _K.VILLAGE_OFFICE: _Noun("сельская администрация", "сельской администрации",
                             "в сельской администрации", "ауылдық әкімшілігі",
                             r"с\.\s?а\.?", r"а\.\s?ә\.?"),
    _K.DISTRICT_OFFICE: _Noun("районная администрация", "районной администрации",
                              "в районной администрации", "аудандық әкімшілігі",
                              r"р\.\s?а\.?", r"а\.\s?ә\.?"),
    _K.DISTRICT: _Noun("район", "района", "в районе", "ауданы", r"[Рр]айон", r"ауданы"),
    _K.CITY: _Noun("город", "города", "в городе", "қаласы", r"г\.", r"қ\.?|қаласы"),
    _K.VILLAGE: _Noun("село", "села", "в селе", "ауылы", r"с\.", r"а\.?|с\.?|ауылы?"),
    _K.KENT: _Noun("посёлок", "посёлка", "в посёлке", "кенті", r"п\.|Пос[её]лок(?=\s)",
                   r"к\.?|кенті"),
    _K.PASTURE: _Noun("отгон", "отгона", "на отгоне", "жайылымы", r"отг\.(?:\s?ст\.)?",
                      r"(?:ст\.)?ж\.|жайылымы"),
    _K.STATION: _Noun("станция", "станции", "на станции", "станциясы", r"ст\.",
                      r"ст\.?|бекеті|стансасы|станциясы"),
    _K.SIDING: _Noun("разъезд", "разъезда", "на разъезде", "разъезі", r"рзд\.?", r"рзд\.?|разъезі"),
    _K.SECTION: _Noun("участок", "участка", "на участке", "учаскесі", r"уч\.|участок(?=\s)",
                      r"уч\.?|учаскесі"),
    _K.POINT: _Noun("точка", "точки", "на точке", "мекені", r"[Тт]очка(?=\s)",
                    r"мекені|мекен", ru_head_only=True),
    _K.WINTERING: _Noun("зимовка", "зимовки", "на зимовке", "қыстауы", r"зимовка(?=\s)",
                        r"[қк]ыстауы", ru_head_only=True),
    _K.FARM: _Noun("ферма", "фермы", "на ферме", "фермасы", r"[Фф]ерма(?=\s)",
                   r"[Фф]ермасы|[Фф]ерма", ru_head_only=True),
    _K.PEASANT_FARM: _Noun("крестьянское хозяйство", "крестьянского хозяйства",
                           "в крестьянском хозяйстве", "шаруа қожалығы",
                           r"кр\.\s?хоз\.?|КХ(?=\s)|КФК(?=\s)", r"шар\.?\s?қож\.?|КХ|КФК",
                           ru_head_only=True),
    _K.HOMESTEAD: _Noun("поселье", "поселья", "на поселье", "қонысы",
                        r"поселье(?=\s)|крес\.\s?пос\.",
                        r"(?:шар|шаруаш|шаруа)?\.?\s?қонысы", ru_head_only=True),
    _K.OTHER: _Noun("населённый пункт", "населённого пункта", "в населённом пункте",
                    "елді мекені", r"(?!)", r"(?!)"),
}  # fmt: skip

# An office has an akim of the place that it administers: its noun in the akim's title.
_OFFICES = {
    _K.TOWN_OFFICE: _K.CITY,
    _K.KENT_OFFICE: _K.KENT,
    _K.VILLAGE_OFFICE: _K.VILLAGE,
    _K.DISTRICT_OFFICE: _K.DISTRICT,
}

# Abbreviations inside the names of farms, depots and camps.
_INNER = (
    (r"^Отд\.\s?(?=\d)", "Отделение "),
    (r"^Жив\.\s?(?:т\.|точка)\s*", "Животноводческая точка "),
    (r"^Дом отд\.", "Дом отдыха"),
    (r"\bМаш\.\s?двор", "Машинный двор"),
    (r"\bМаш\.\s?ауласы", "Машина ауласы"),
    (r"\b([Оо])здоровит\.", r"\1здоровительный"),
    (r"\bОст\.\s?пункт", "Остановочный пункт"),
    (r"\bв с\.\s?", "в селе "),
    (r"\bжил\.\s?дом", "жилой дом"),
    (r"\bкр\.\s?хоз\b\.?", "крестьянского хозяйства"),
    (r"\b[Жж]елезнодорожная ст\.\s?", "Железнодорожная станция "),
    (r"\b[Тт]еміржол ст\.\s?", "Теміржол станциясы "),
)

_HONOURED_RU = re.compile(r"^(?:им\.|имени(?=\s))\s*")
_HONOURED_KK = re.compile(r"\s+(?:атындағы|атын\.?|ат\.)\s*$")
_ADJECTIVE = re.compile(r"(?:[иы]й|ой|ая|яя)$")
_QUOTED = re.compile(r'^"\s*([^"]+?)\s*"$')


@dataclass(frozen=True)
class PlaceName:
    """A name of КАТО taken apart: what the place is, and what it is called in both languages."""

    kind: PlaceKind
    stem: Named
    ru_adjective: bool = False
    honoured: bool = False  # "имени …", "… атындағы"

    @cached_property
    def short(self) -> Named:
        """The name alone: "Бугровое", "Бугровский" · "Бугров"."""
        return Named(kk=self.stem.kk, ru=self._ru_stem)

    @cached_property
    def full(self) -> Named:
        """The name with its noun: "село Бугровое" · "Бугровое ауылы"."""
        noun = _NOUNS[self.kind]
        return Named(kk=f"{self._kk_stem} {noun.kk}", ru=self._ru_with(noun.ru, ""))

    @cached_property
    def locative(self) -> Named:
        """Where: "в селе Бугровое" · "Бугровое ауылында"."""
        noun = _NOUNS[self.kind]
        preposition, words = noun.ru_locative.split(" ", 1)
        ru = f"{preposition} {self._ru_with(words, 'locative')}"
        return Named(kk=f"{self._kk_stem} {noun.kk_locative}", ru=ru)

    @cached_property
    def genitive(self) -> Named:
        """Whose: "села Бугровое", "Бугровского сельского округа" · "Бугров ауылдық округінің"."""
        noun = _NOUNS[self.kind]
        ru = self._ru_with(noun.ru_genitive, "genitive")
        return Named(kk=f"{self._kk_stem} {noun.kk_genitive}", ru=ru)

    @property
    def seat_kind(self) -> PlaceKind | None:
        """Of what kind the place is that an office ("Шарская г.а.") is named for."""
        return _OFFICES.get(self.kind)

    def akim(self, seat: "PlaceName | None" = None) -> Named:
        """The title of who heads the place: "Аким Бугровского сельского округа".

        The head of an office ("Шарская г.а.") is called by its town or village: `seat`.
        """
        kind = _OFFICES.get(self.kind, self.kind)
        named = PlaceName(kind, self.stem, self.ru_adjective, self.honoured)
        ru = self._seated(kind, seat).genitive.ru
        return Named(kk=f"{named.genitive.kk} әкімі", ru=f"Аким {ru}")

    def _seated(self, kind: PlaceKind, seat: "PlaceName | None") -> "PlaceName":
        """Whose akim it is in Russian: "Шарская" agrees with "администрация", not with "город"."""
        if seat is not None and kind is not self.kind and seat.kind is kind:
            return seat
        return self if self.ru_adjective else PlaceName(kind, self.stem, False, self.honoured)

    @property
    def _ru_stem(self) -> str:
        return f"имени {self.stem.ru}" if self.honoured else self.stem.ru

    @property
    def _kk_stem(self) -> str:
        return f"{self.stem.kk} атындағы" if self.honoured else self.stem.kk

    def _ru_with(self, noun: str, case: str) -> str:
        if not self.ru_adjective:
            return f"{noun} {self._ru_stem}"
        return f"{inflected(self.stem.ru, case)} {noun}"


@lru_cache(maxsize=32_768)
def place_name(name_kk: str, name_ru: str) -> PlaceName:
    """Reads the two names of a row of КАТО. What is neither marked nor known is kind OTHER."""
    ru, kk = tidy(name_ru), tidy(name_kk)
    for kind, noun in _NOUNS.items():
        stem = _cut(ru, noun.ru_mark, tail=not noun.ru_head_only)
        if stem:
            adjective = not ru.endswith(stem) and bool(_ADJECTIVE.search(stem))
            return _named(kind, stem, _kk_stem(kk, noun.kk_mark), adjective)
    return _named(PlaceKind.OTHER, ru, kk, False)


def path_text(names: Iterable[PlaceName]) -> Named:
    """Places from the smallest to the largest: "Бугровский сельский округ, Кызылжарский район, …".

    Neighbours that are called the same ("город Семей" in "город Семей") are said once.
    """
    said = list(dict.fromkeys(name.full for name in names))
    return Named(kk=", ".join(name.kk for name in reversed(said)), ru=", ".join(n.ru for n in said))


def inflected(adjective: str, case: str) -> str:
    """A Russian adjective in the nominative, "genitive" or "locative": "Бугровского"."""
    if not case:
        return adjective
    body, ending = adjective[:-2], adjective[-2:]
    if ending in ("ая", "яя"):
        return body + ("ой" if ending == "ая" else "ей")
    hard = ending != "ий" or body[-1:] in "кгх"
    forms = {"genitive": ("ого", "его"), "locative": ("ом", "ем")}[case]
    return body + forms[0 if hard else 1]


def _named(kind: PlaceKind, ru: str, kk: str, adjective: bool) -> PlaceName:
    ru_stem = _HONOURED_RU.sub("", ru)
    kk_stem = _HONOURED_KK.sub("", kk)
    stem = Named(kk=_clean(kk_stem), ru=_clean(ru_stem))
    return PlaceName(kind, stem, adjective, honoured=ru_stem != ru)


def _kk_stem(kk: str, mark: str) -> str:
    return _cut(kk, mark, tail=True) or kk


def _cut(name: str, mark: str, *, tail: bool) -> str:
    """The name without its mark in front or behind; empty when there is none, or nothing else."""
    head, tail_pattern = _patterns(mark)
    if found := head.match(name):
        return name[found.end() :].strip()
    if tail and (found := tail_pattern.search(name)):
        return name[: found.start()].strip()
    return ""


@cache
def _patterns(mark: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A mark in front needs a dot or a space after it; behind, a space, dot or figure before."""
    head = re.compile(rf"^(?:{mark})(?:(?<=\.)\s*|\s+)(?=\S)")
    before = r"(?:\s+|(?<=[\d.»\"]))"
    return head, re.compile(rf"{before}({mark})(?:{before}\1)?$")


def _clean(stem: str) -> str:
    for pattern, words in _INNER:
        stem = re.sub(pattern, words, stem)
    return _QUOTED.sub(r"\1", stem).strip()
