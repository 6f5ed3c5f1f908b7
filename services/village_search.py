"""Finds a village by its name as people type it: with mistakes, in Latin letters, in either
language, with "село" or "ауылы" beside it, with the district or oblast before or after it.

All settlements lie in memory, folded, once per process and revision of the territory. A query is
compared letter by letter and as it sounds (`services.village_names`).
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.names import fold, sort_key
from core.place_names import POPULATED, PlaceKind, PlaceName, place_name
from core.texts import Named
from models.territory import Place, PlaceLevel
from services.territory import revision
from services.village_names import EXACT, Names
from services.village_query import Query, Reading, read_query

SURE = 75.0  # below this one does not speak of "the" name that was meant
REGION_ENOUGH = 75.0
LIMIT = 10
_NAME_SHARE = 0.8
_REGION_FIRST_FINE = 0.5
_RANK = {PlaceKind.VILLAGE: 0, PlaceKind.KENT: 1, PlaceKind.CITY: 2}
_MINOR = 3
_MINOR_FINE = 4.0  # a wintering needs to be that much more alike than a village


@dataclass(frozen=True, slots=True)
class Site:
    """A place as the index needs it."""

    code: str
    level: PlaceLevel
    parent_code: str | None
    name: PlaceName


@dataclass(frozen=True, slots=True)
class Match:
    """A place offered for a query. `score` is 0 to 100; `likeness` that of the name alone,
    whatever was typed beside it; `namesakes` counts the places called so (villages, kents and
    towns, if there are such) in the country, or inside `within`."""

    code: str
    score: float
    likeness: float
    name: Named
    namesakes: int


class _Score(NamedTuple):
    """How well a place suits a query, and how like its name is to the one in it; 0 to 100."""

    score: float
    likeness: float


_UNLIKE = _Score(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Repeats:
    """Several places of one name: how many, and in which oblasts (else districts, else okrugs).

    "Жамбыл деген 37 ауыл бар. Қай облыста тұрасыз?" is asked when `level` is the oblast.
    """

    name: Named
    codes: Sequence[str]
    level: PlaceLevel
    by_region: Mapping[str, int]

    @property
    def count(self) -> int:
        """How many places are called so."""
        return len(self.codes)


class VillageIndex:
    """The settlements of one revision of the territory. Immutable; safe to share."""

    def __init__(self, sites: Iterable[Site], revision: int = 0) -> None:
        self.revision = revision
        self._sites = {site.code: site for site in sites}
        self._forms = {code: _forms(site.name) for code, site in self._sites.items()}
        self._above = {code: self._chain(code) for code in self._sites}
        self._homes = [site for site in self._sites.values() if self._is_home(site)]
        self._inside = self._by_region()
        self._by_name = self._grouped(self._homes)
        self._all = Names(self._by_name)
        self._regions = Names(self._region_names())
        self._within = {
            whole: Names(self._grouped(homes))
            for whole, homes in self._inside.items()
            if self._sites[whole].level is not PlaceLevel.SETTLEMENT
        }
        self._nowhere = Names({})

    def __len__(self) -> int:
        return len(self._homes)

    def find(self, query: str, within: str | None = None, limit: int = LIMIT) -> list[Match]:
        """The places that the query may mean, likeliest first; villages first among equals.

        `within` keeps to the places inside a place. Where the name is not exact, each name that
        is near shows its first place before any shows its second.
        """
        scores = self._understood(read_query(query), within)
        ranked = sorted(scores, key=lambda code: self._rank(code, scores[code].score))
        if ranked and scores[ranked[0]].score < EXACT - _REGION_FIRST_FINE:
            ranked = self._one_of_each_first(ranked)
        return [self._match(code, scores[code], within) for code in ranked[:limit]]

    def repeats(self, name: str, within: str | None = None) -> Repeats | None:
        """How often the name that a query means most likely is carried; None when only once.

        Villages, kents and towns are counted; winterings and sections only where no other is
        called so. A district or oblast named in the query narrows the count.
        """
        matches = self.find(name, within, limit=len(self._homes))
        if not matches or matches[0].score < SURE:
            return None
        best = [match for match in matches if match.score >= matches[0].score]
        same = self._populated(self._same_name(best[0].code, [match.code for match in best]))
        return self.told_apart(same) if len(same) > 1 else None

    def namesakes(self, code: str, within: str | None = None) -> list[str]:
        """The codes of all places that share a name with this one, itself included."""
        return self._same_name(code, self._called_like(code, within))

    def is_inside(self, code: str, whole: str) -> bool:
        """Whether a place is, or lies in, another."""
        return whole in self._above.get(code, ())

    def _understood(self, query: Query, within: str | None) -> Mapping[str, _Score]:
        scores = self._scores(query.readings, within)
        if max(scores.values(), default=_UNLIKE).score < SURE:
            for code, score in self._scores(query.fallbacks, within).items():
                scores[code] = max(scores.get(code, _UNLIKE), score)
        return scores

    def _scores(self, readings: Iterable[Reading], within: str | None) -> dict[str, _Score]:
        scores: dict[str, _Score] = defaultdict(lambda: _UNLIKE)
        for reading in readings:
            for code, score in self._read(reading, within):
                scores[code] = max(scores[code], score)
        return scores

    def _read(self, reading: Reading, within: str | None) -> Iterator[tuple[str, _Score]]:
        """A region counts for a fifth; it is missed when words were passed over."""
        if not reading.region:
            share = _NAME_SHARE if reading.passed_over else 1.0
            for code, likeness in self._named(reading.name, within, within):
                yield code, _Score(likeness * share, likeness)
            return
        for whole, near in self._regions_like(reading.region):
            for code, likeness in self._named(reading.name, whole, within):
                if code != whole:
                    both = likeness * _NAME_SHARE + near * (1 - _NAME_SHARE)
                    yield code, _Score(both - _REGION_FIRST_FINE * reading.region_first, likeness)

    def _named(
        self, name: str, whole: str | None, within: str | None
    ) -> Iterator[tuple[str, float]]:
        for likeness, codes in self._names_in(whole).like(name):
            for code in codes:
                if within is None or self.is_inside(code, within):
                    yield code, max(likeness - self._fine(code), 0.0)

    def _regions_like(self, region: str) -> Iterator[tuple[str, float]]:
        exact = self._regions.called(region)
        near = [(EXACT, exact)] if exact else self._regions.like(region, REGION_ENOUGH)
        for likeness, codes in near:
            for code in codes:
                yield code, likeness

    def _names_in(self, whole: str | None) -> "Names":
        """The names inside a place."""
        return self._all if whole is None else self._within.get(whole, self._nowhere)

    def _fine(self, code: str) -> float:
        return 0.0 if self._sites[code].name.kind in _RANK else _MINOR_FINE

    def _rank(self, code: str, score: float) -> tuple[object, ...]:
        name = self._sites[code].name
        return (-round(score, 1), _RANK.get(name.kind, _MINOR), sort_key(name.short.kk), code)

    def _one_of_each_first(self, ranked: Sequence[str]) -> list[str]:
        first: dict[str, str] = {}
        for code in ranked:
            first.setdefault(self._forms[code][-1], code)
        leaders = set(first.values())
        return [*first.values(), *(code for code in ranked if code not in leaders)]

    def _match(self, code: str, found: _Score, within: str | None) -> Match:
        name = self._sites[code].name
        count = len(self._populated(self.namesakes(code, within)))
        return Match(code, round(min(found.score, EXACT), 1), found.likeness, name.full, count)

    def _same_name(self, code: str, codes: Iterable[str]) -> list[str]:
        forms = set(self._forms[code])
        return [other for other in codes if not forms.isdisjoint(self._forms[other])]

    def _called_like(self, code: str, within: str | None) -> list[str]:
        forms = self._forms[code]
        codes = dict.fromkeys(other for form in forms for other in self._by_name[form])
        return [other for other in codes if within is None or self.is_inside(other, within)]

    def _populated(self, codes: Sequence[str]) -> list[str]:
        some = [code for code in codes if self._sites[code].name.kind in POPULATED]
        return some or list(codes)

    def told_apart(self, codes: Sequence[str]) -> Repeats:
        name = self._sites[codes[0]].name.short
        for level in (PlaceLevel.OBLAST, PlaceLevel.DISTRICT, PlaceLevel.SUB_DISTRICT):
            regions = self._count_by(codes, level)
            if len(regions) > 1:
                return Repeats(name, codes, level, regions)
        return Repeats(name, codes, PlaceLevel.SETTLEMENT, dict.fromkeys(codes, 1))

    def _count_by(self, codes: Iterable[str], level: PlaceLevel) -> dict[str, int]:
        counts: dict[str, int] = defaultdict(int)
        for code in codes:
            counts[self._at_level(code, level)] += 1
        ordered = sorted(counts, key=lambda code: sort_key(self._sites[code].name.short.kk))
        return {code: counts[code] for code in ordered}

    def _at_level(self, code: str, level: PlaceLevel) -> str:
        """The place of that level above a place; where there is none, the next one below it."""
        chain = [other for other in self._above[code] if self._level(other) >= _depth(level)]
        return chain[-1]

    def _level(self, code: str) -> int:
        return _depth(self._sites[code].level)

    def _chain(self, code: str) -> tuple[str, ...]:
        chain = [code]
        while (parent := self._sites[chain[-1]].parent_code) in self._sites and parent:
            chain.append(parent)
        return tuple(chain)

    def _is_home(self, site: Site) -> bool:
        """Settlements; cities and their districts too, unless a settlement row says the same."""
        if site.level is PlaceLevel.SETTLEMENT:
            return True
        if site.name.kind is PlaceKind.CITY:
            return True
        return site.level is PlaceLevel.SUB_DISTRICT and site.name.kind is PlaceKind.DISTRICT

    def _by_region(self) -> dict[str, list[Site]]:
        regions: dict[str, list[Site]] = defaultdict(list)
        for home in self._homes:
            for whole in self._above[home.code]:
                regions[whole].append(home)
        return regions

    def _grouped(self, sites: Iterable[Site]) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = defaultdict(list)
        for site in sites:
            for form in self._forms[site.code]:
                groups[form].append(site.code)
        return groups

    def _region_names(self) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = defaultdict(list)
        for site in self._sites.values():
            if site.level is not PlaceLevel.SETTLEMENT:
                for form in (*self._forms[site.code], *_initials(site)):
                    groups[form].append(site.code)
        return groups


class VillageFinder:
    """The index of this process, made anew when another process has imported a new edition."""

    def __init__(self) -> None:
        self._index = VillageIndex([])
        self._lock = asyncio.Lock()

    async def index(self, session: AsyncSession) -> VillageIndex:
        """The index of the revision that the session sees."""
        if self._index.revision != (now := await revision(session)):
            async with self._lock:
                if self._index.revision != now:
                    rows = await _standing(session)
                    self._index = await asyncio.to_thread(_built, rows, now)
        return self._index


Standing = tuple[str, PlaceLevel, str | None, str, str]


async def _standing(session: AsyncSession) -> list[Standing]:
    columns = select(Place.code, Place.level, Place.parent_code, Place.name_kk, Place.name_ru)
    rows = await session.execute(columns.where(Place.abolished_at.is_(None)))
    return [(code, level, parent, kk, ru) for code, level, parent, kk, ru in rows]


def _built(rows: Iterable[Standing], revision: int) -> VillageIndex:
    """Half a second for the whole КАТО: made in a thread, so that no turn waits for it."""
    sites = (Site(code, level, above, place_name(kk, ru)) for code, level, above, kk, ru in rows)
    return VillageIndex(sites, revision)


def _forms(name: PlaceName) -> list[str]:
    """The folded spellings of a name: Russian, Kazakh; each once."""
    return list(dict.fromkeys((fold(name.stem.ru), fold(name.stem.kk))))


def _initials(site: Site) -> list[str]:
    """ "ско", "вко": how people shorten an oblast of two words, in either language."""
    if site.level is not PlaceLevel.OBLAST:
        return []
    words = [fold(form).split() for form in (site.name.stem.ru, site.name.stem.kk)]
    return ["".join(word[0] for word in w) + "о" for w in words if len(w) > 1]


def _depth(level: PlaceLevel) -> int:
    return list(PlaceLevel).index(level)
