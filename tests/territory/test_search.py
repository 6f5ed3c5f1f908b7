"""What a query finds: nouns, regions, languages, repeats; and when the index is made anew."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.place_names import place_name
from models.territory import PlaceLevel
from services.territory_codes import above, level_of
from services.territory_file import read_territory
from services.territory_import import DEMO_PLACES, import_territory
from services.village_query import Reading, read_query
from services.village_search import Site, VillageFinder, VillageIndex
from tests.territory.conftest import Sessions

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)

PLACES = [
    ("590000000", "Северо-Казахстанская область", "Солтүстік Қазақстан облысы"),
    ("595000000", "Кызылжарский район", "Қызылжар ауданы"),
    ("595041000", "Бугровский с.о.", "Бугров а.о."),
    ("595041100", "с.Бугровое", "Бугровое а."),
    ("595041200", "с.Жамбыл", "Жамбыл а."),
    ("595041300", "зимовка Жамбыл", "Жамбыл қыстауы"),
    ("595041400", "зимовка Шалқыма", "Шалқыма қыстауы"),
    ("594000000", "Жамбылский район", "Жамбыл ауданы"),
    ("594033000", "Благовещенский с.о.", "Благовещенка а.о."),
    ("594033100", "с.Кызылжар", "Қызылжар а."),
    ("594033200", "с.Жамбыл", "Жамбыл а."),
    ("594033300", "с.Благовещенка", "Благовещенка а."),
    ("594033400", "с.Кабанбай батыра", "Қабанбай батыр а."),
    ("594033500", "с.Жети аул", "Жеті ауыл а."),
    ("551000000", "Павлодар Г.А.", "Павлодар Қ.Ә."),
    ("550000000", "Павлодарская область", "Павлодар облысы"),
    ("551010000", "г.Павлодар", "Павлодар қ."),
    ("551041000", "Павлодарская с.а.", "Павлодар  а.ә."),
    ("551041100", "с.Павлодарское", "Павлодарское а."),
    ("551043100", "с.Жамбыл", "Жамбыл а."),
    ("553620000", "Аягоз г.а.", "Аягөз қ.ә."),
    ("553620100", "г.Аягоз", "Аягөз қ."),
    ("710000000", "г.Астана", "Астана қ."),
    ("711110000", "район Алматы", "Алматы ауданы"),
]


@pytest.fixture(scope="module")
def index() -> VillageIndex:
    codes = {code for code, _, _ in PLACES}
    return VillageIndex(
        Site(
            code,
            level_of(code),
            next((other for other in above(code) if other in codes), None),
            place_name(kk, ru),
        )
        for code, ru, kk in PLACES
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Бугровое", "595041100"),
        ("бугравое", "595041100"),
        ("БУГРОВОЕ!!", "595041100"),
        ("Bugrovoe", "595041100"),
        ("село Бугровое", "595041100"),
        ("с.Бугровое", "595041100"),
        ("Бугровое ауылы", "595041100"),
        ("aul Bugrovoe", "595041100"),
        ("Бугровое, Кызылжарский район, СКО", "595041100"),
        ("Қызылжар ауданы Бугровое", "595041100"),
        ("Qyzyljar audany, Bugrovoe awyly", "595041100"),
        ("бугровое кызылжарский р-н", "595041100"),
        ("Северо-Казахстанская область, Бугровое", "595041100"),
        ("Бугровое Солтүстік Қазақстан облысы", "595041100"),
        ("живу в бугровое", "595041100"),
        ("кызылжар", "594033100"),
        ("қызылжар ауылы", "594033100"),
        ("Кызылжар жамбыл", "594033100"),
        ("жамбыл қызылжар", "595041200"),
        ("жамбыл кызылжарский", "595041200"),
        ("Жамбыл павлодар", "551043100"),
        ("жамбыл Павлодарская область", "551043100"),
        ("Кабанбай", "594033400"),
        ("жети аул", "594033500"),
        ("шалкыма", "595041400"),
        ("Павлодар", "551010000"),
        ("город аягоз", "553620100"),
        ("Astana", "710000000"),
        ("Алматы ауданы", "711110000"),
    ],
)
def test_the_first_match(index: VillageIndex, query: str, code: str) -> None:
    assert index.find(query)[0].code == code


@pytest.mark.parametrize("query", ["", "  ", "!!!", "ыыыыыыыыы", "12345678"])
def test_nothing_is_found(index: VillageIndex, query: str) -> None:
    assert index.find(query) == []
    assert index.repeats(query) is None


@given(st.text(max_size=60))
def test_no_text_breaks_the_search(index: VillageIndex, text: str) -> None:
    matches = index.find(text, limit=3)
    assert len(matches) <= 3
    assert all(0 < match.score <= 100 for match in matches)


def test_villages_come_before_winterings_of_the_same_name(index: VillageIndex) -> None:
    found = [match.code for match in index.find("Жамбыл")]
    assert set(found[:3]) == {"551043100", "594033200", "595041200"}
    assert found[3] == "595041300"


def test_offices_and_areas_are_no_homes(index: VillageIndex) -> None:
    codes = {match.code for query in ("Павлодар", "Аягоз") for match in index.find(query)}
    assert codes.isdisjoint({"551000000", "551041000", "553620000", "550000000"})


def test_a_near_miss_shows_each_name_before_repeats(index: VillageIndex) -> None:
    names = [match.name.kk for match in index.find("жамбул")]
    assert names[0] == "Жамбыл ауылы"
    assert index.find("жамбул")[0].namesakes == 3


def test_within_keeps_to_a_place(index: VillageIndex) -> None:
    assert [match.code for match in index.find("жамбыл", within="595000000")] == [
        "595041200", "595041300",
    ]  # fmt: skip
    assert index.find("Бугровое", within="594000000") == []
    assert index.find("Бугровое", within="000000000") == []


def test_repeats_aretold_apart_by_oblast_first(index: VillageIndex) -> None:
    repeats = index.repeats("жамбыл")
    assert repeats is not None
    assert (repeats.count, repeats.level, repeats.name.kk) == (3, PlaceLevel.OBLAST, "Жамбыл")
    assert repeats.by_region == {"550000000": 1, "590000000": 2}


def test_then_by_district(index: VillageIndex) -> None:
    for repeats in (index.repeats("жамбыл", within="590000000"), index.repeats("жамбыл ско")):
        assert repeats is not None
        assert (repeats.count, repeats.level) == (2, PlaceLevel.DISTRICT)
        assert repeats.by_region == {"594000000": 1, "595000000": 1}


def test_a_name_carried_once_has_no_repeats(index: VillageIndex) -> None:
    assert index.repeats("бугровое") is None
    assert index.repeats("жамбыл", within="551000000") is None
    assert index.repeats("жамбыл қызылжар") is None  # the wintering there does not count


def test_inside(index: VillageIndex) -> None:
    assert index.is_inside("595041100", "590000000")
    assert not index.is_inside("595041100", "594000000")
    assert not index.is_inside("000000000", "590000000")


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("Бугровое", Reading("бугровое")),
        ("с. Бугровое", Reading("бугровое")),
        ("Бугровое, Кызылжарский район", Reading("бугровое", "кызылжарский")),
        ("Бугровое Қызылжар ауданы", Reading("бугровое", "кызылжар")),
        ("район Алтай Бугровое", Reading("бугровое", "алтай")),
        ("Кызылжар Жамбыл", Reading("кызылжар", "жамбыл")),
        ("Кызылжар Жамбыл", Reading("жамбыл", "кызылжар", region_first=True)),
        ("Бугровое Северо-Казахстанская обл.", Reading("бугровое", "северо казахстанская")),
        ("Кызылжарский район", Reading("кызылжарский")),
        ("Жети аул", Reading("жети аул")),
    ],
)
def test_readings(text: str, reading: Reading) -> None:
    assert reading in read_query(text).readings


async def test_the_index_follows_the_territory(sessions: Sessions, tmp_path: Path) -> None:
    finder = VillageFinder()
    async with sessions() as session:
        assert (await finder.index(session)).find("бугровое") == []
    async with sessions.begin() as session:
        await import_territory(session, DEMO_PLACES, NOW)
    async with sessions() as session:
        index = await finder.index(session)
        assert index.find("бугравое")[0].code == "595041100"
        assert await finder.index(session) is index
    lines = DEMO_PLACES.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "kato.csv"
    path.write_text("\n".join(x for x in lines if not x.startswith("595041600")), encoding="utf-8")
    async with sessions.begin() as session:
        await import_territory(session, path, NOW)
    async with sessions() as session:
        found = (await finder.index(session)).find("сосновка")
    assert "595041600" not in [match.code for match in found]


@pytest.fixture(scope="module")
def whole(kato: Path) -> VillageIndex:
    rows = read_territory(kato).rows
    codes = {row.code for row in rows}
    return VillageIndex(
        Site(
            row.code,
            row.level,
            next((code for code in above(row.code) if code in codes), None),
            place_name(row.name_kk, row.name_ru),
        )
        for row in rows
    )


@pytest.mark.parametrize(("name", "count"), [("Жамбыл", 37), ("бирлик", 34), ("Birlik", 34)])
def test_repeats_of_the_whole_classifier(whole: VillageIndex, name: str, count: int) -> None:
    repeats = whole.repeats(name)
    assert repeats is not None
    assert (repeats.count, repeats.level) == (count, PlaceLevel.OBLAST)
    assert sum(repeats.by_region.values()) == count


def test_every_home_of_the_classifier_is_found_by_its_own_name(whole: VillageIndex) -> None:
    for code, site in list(whole._sites.items())[::97]:
        if whole._is_home(site):
            same = whole.namesakes(code)
            found = whole.find(site.name.stem.ru, limit=len(same) + 200)
            assert code in [match.code for match in found], site
