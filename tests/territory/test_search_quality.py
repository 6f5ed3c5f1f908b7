"""How often the right village is among the first three, on misspelt names of the whole КАТО."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from core.names import fold
from core.place_names import PlaceKind, place_name
from services.territory_codes import above
from services.territory_file import read_territory
from services.village_search import Site, VillageIndex
from tests.territory.misspelling import WAYS

SEED = 20261120
EACH_WAY = 100
SHORTEST = 4  # letters: a slip in "Ұш" leaves nothing to go by
FIRST = 3


@pytest.fixture(scope="module")
def sites(kato: Path) -> list[Site]:
    rows = read_territory(kato).rows
    codes = {row.code for row in rows}
    return [
        Site(
            row.code,
            row.level,
            next((code for code in above(row.code) if code in codes), None),
            place_name(row.name_kk, row.name_ru),
        )
        for row in rows
    ]


@pytest.fixture(scope="module")
def index(sites: list[Site]) -> VillageIndex:
    return VillageIndex(sites)


@pytest.fixture(scope="module")
def villages(sites: list[Site]) -> list[Site]:
    return [
        site
        for site in sites
        if site.name.kind is PlaceKind.VILLAGE
        and min(len(site.name.stem.kk), len(site.name.stem.ru)) >= SHORTEST
    ]


def names(site: Site) -> set[str]:
    return {fold(site.name.stem.kk), fold(site.name.stem.ru)}


def missed(
    index: VillageIndex, sites: Sequence[Site], villages: Sequence[Site]
) -> tuple[Counter[str], list[str]]:
    """The misses by way of misspelling, and each of them in words."""
    random, by_code = Random(SEED), {site.code: site for site in sites}
    misses: Counter[str] = Counter()
    told = []
    for way in WAYS:
        for site in random.sample(villages, EACH_WAY):
            typed = way(random.choice((site.name.stem.kk, site.name.stem.ru)), random)
            found = index.find(typed, limit=FIRST)
            if not any(names(by_code[match.code]) & names(site) for match in found):
                misses[way.__name__] += 1
                told.append(f"{site.name.stem.kk}: {typed} → {[m.name.kk for m in found]}")
    return misses, told


def test_the_right_village_is_among_the_first_three_of_95_in_100(
    index: VillageIndex, sites: list[Site], villages: list[Site]
) -> None:
    misses, told = missed(index, sites, villages)
    share = 1 - misses.total() / (EACH_WAY * len(WAYS))
    assert share >= 0.95, f"{share:.1%}; {misses}; {told[:40]}"


def test_the_exact_name_comes_first_in_both_languages(
    index: VillageIndex, sites: list[Site], villages: list[Site]
) -> None:
    by_code = {site.code: site for site in sites}
    for site in Random(SEED).sample(villages, 200):
        for typed in (site.name.stem.kk, site.name.stem.ru):
            first = index.find(typed, limit=1)[0]
            assert fold(typed) in names(by_code[first.code]), typed
            assert first.score == 100
