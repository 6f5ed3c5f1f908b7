"""The village search on the whole КАТО: building the index, the time of a query, its quality.

Quality as tests/territory/test_search_quality.py asks for it, with the same ways to misspell.
"""

import time
from random import Random

from benchmarks.processes import ROOT
from benchmarks.results import Made, Options, Skipped, Tables, median, quantile
from core.names import fold
from core.place_names import PlaceKind, place_name
from services.territory_codes import above
from services.territory_file import read_territory
from services.village_search import Site, VillageIndex
from tests.territory.misspelling import WAYS

KATO = ROOT.parent / "shared" / "data" / "kato.csv"
SEED, EACH_WAY, FIRST, SHORTEST = 20261120, 100, 3, 4


async def run(options: Options) -> Tables:
    """Build, ask, count misses."""
    if not KATO.exists():
        raise Skipped(f"the classifier is not at {KATO}")
    sites = _sites()
    builds = []
    for _ in range(options.repeat):
        began = time.perf_counter()
        index = VillageIndex(sites)
        builds.append(time.perf_counter() - began)
    times: dict[str, list[float]] = {"exact name": [], "misspelt": [], "with district": []}
    right = _ask(index, sites, times)
    made = Made(
        f"village search: {len(sites)} places, {len(index)} of them settlements",
        ("query", "queries", "p50 ms", "p99 ms", "right one among the first 3"),
        note=f"index built in {median(builds):.2f} s (median of {options.repeat})",
    )
    for kind, taken in times.items():
        share = f"{100 * right[kind]:.1f}%"
        made.add(kind, len(taken), f"{quantile(taken, 0.5):.2f}", f"{quantile(taken, 0.99):.2f}",
                 share)  # fmt: skip
    return [made]


def _sites() -> list[Site]:
    rows = read_territory(KATO).rows
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


def _ask(index: VillageIndex, sites: list[Site], times: dict[str, list[float]]) -> dict[str, float]:
    random, by_code = Random(SEED), {site.code: site for site in sites}
    villages = [
        site
        for site in sites
        if site.name.kind is PlaceKind.VILLAGE
        and min(len(site.name.stem.kk), len(site.name.stem.ru)) >= SHORTEST
    ]
    good = dict.fromkeys(times, 0)

    def ask(kind: str, typed: str, meant: Site) -> None:
        began = time.perf_counter()
        found = index.find(typed, limit=FIRST)
        times[kind].append(1000 * (time.perf_counter() - began))
        good[kind] += any(_names(by_code[match.code]) & _names(meant) for match in found)

    for way in WAYS:
        for site in random.sample(villages, EACH_WAY):
            ask(
                "misspelt", way(random.choice((site.name.stem.kk, site.name.stem.ru)), random), site
            )
    for site in random.sample(villages, 300):
        ask("exact name", site.name.stem.ru, site)
        district = by_code.get(next((c for c in above(site.code) if c[4:] == "00000"), ""))
        if district is not None:
            ask("with district", f"{district.name.stem.ru} {site.name.stem.ru}", site)
    return {kind: good[kind] / max(len(taken), 1) for kind, taken in times.items()}


def _names(site: Site) -> set[str]:
    return {fold(site.name.stem.kk), fold(site.name.stem.ru)}
