"""What lies above and below a place, who heads it; and the command line's view of it."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console

from bot.territory_cli import import_with_bar, show, show_lines
from core.languages import Language
from core.texts import Named
from models.territory import PlaceLevel
from services import territory
from services.territory_import import DEMO_PLACES, import_territory
from tests.territory.conftest import Sessions

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)

EXTRA = """kato,type_code,name_ru,name_kk
590000000,0,Северо-Казахстанская область,Солтүстік Қазақстан облысы
595200000,4,Мамлютский район,Мамлют ауданы
595220000,1,Мамлютская г.а.,Мамлют қ.ә.
595220100,1,г.Мамлютка,Мамлют қ.
595220200,2,с.Ғалым,Ғалым а.
595220300,2,с.Галым,Галым а.
595200100,2,с.Дубровное,Дубровное а.
"""


@pytest_asyncio.fixture
async def known(sessions: Sessions, tmp_path: Path) -> Sessions:
    extra = tmp_path / "extra.csv"
    extra.write_text(EXTRA, encoding="utf-8")
    for path in (DEMO_PLACES, extra):
        async with sessions.begin() as session:
            await import_territory(session, path, NOW, partial=True)
    return sessions


async def test_ancestors_nearest_first(known: Sessions) -> None:
    async with known() as session:
        above = await territory.ancestors(session, "595041100")
        assert [place.code for place in above] == ["595041000", "595000000", "590000000"]
        assert await territory.ancestors(session, "590000000") == []


async def test_children_in_the_order_of_the_kazakh_alphabet(known: Sessions) -> None:
    async with known() as session:
        below = await territory.children(session, "595220000")
        assert [place.name_kk for place in below] == ["Галым а.", "Ғалым а.", "Мамлют қ."]
        in_russian = await territory.children(session, "595000000", Language.RU)
    assert [place.name_ru.split()[0] for place in in_russian] == [
        "Архангельский", "Асановский", "Бескольский", "Бугровский",
    ]  # fmt: skip


async def test_villages_of_an_okrug(known: Sessions) -> None:
    async with known() as session:
        villages = await territory.villages(session, "595041000")
    assert [place.code for place in villages] == ["595041100", "595041500", "595041600"]


async def test_settlements_of_a_district_include_those_without_okrug(known: Sessions) -> None:
    async with known() as session:
        codes = await territory.settlement_codes(session, "595200000")
        assert codes == ["595200100", "595220100", "595220200", "595220300"]
        alone = await territory.independent_villages(session, "595200000")
        assert [place.code for place in alone] == ["595200100"]
        assert len(await territory.settlement_codes(session, "590000000")) == 13
        assert await territory.settlement_codes(session, "595041100") == ["595041100"]


@pytest.mark.parametrize(
    ("code", "whole", "inside"),
    [
        ("595041100", "595041000", True),
        ("595041100", "595000000", True),
        ("595041100", "590000000", True),
        ("595041100", "595041100", True),
        ("595041100", "595030000", False),
        ("595041000", "595041100", False),
        ("999999999", "999999999", False),
        ("999999999", "590000000", False),
    ],
)
async def test_inside(known: Sessions, code: str, whole: str, inside: bool) -> None:
    async with known() as session:
        assert await territory.is_inside(session, code, whole) is inside


@pytest.mark.parametrize(
    ("code", "okrug"),
    [("595041100", "595041000"), ("595041000", "595041000"), ("595200100", "595200100")],
)
async def test_the_okrug_of_a_place(known: Sessions, code: str, okrug: str) -> None:
    async with known() as session:
        assert (await territory.okrug_of(session, code)).code == okrug


async def test_paths_and_titles(known: Sessions) -> None:
    async with known() as session:
        assert await territory.path_of(session, "595041100") == Named(
            kk="Солтүстік Қазақстан облысы, Қызылжар ауданы, Бугров ауылдық округі, Бугровое ауылы",
            ru="село Бугровое, Бугровский сельский округ, Кызылжарский район, "
            "Северо-Казахстанская область",
        )
        assert await territory.akim_of(session, "595041000") == Named(
            kk="Бугров ауылдық округінің әкімі", ru="Аким Бугровского сельского округа"
        )
        assert await territory.akim_of(session, "595220000") == Named(
            kk="Мамлют қаласының әкімі", ru="Аким города Мамлютка"
        )


async def test_unknown_codes(known: Sessions) -> None:
    async with known() as session:
        assert await territory.find_place(session, "999999999") is None
        with pytest.raises(territory.UnknownPlace):
            await territory.card(session, "999999999")


async def test_nothing_is_known_before_the_first_import(sessions: Sessions) -> None:
    async with sessions() as session:
        assert await territory.revision(session) == 0
        assert await territory.oblasts(session) == []


async def test_abolished_places_are_not_listed(known: Sessions, tmp_path: Path) -> None:
    lines = DEMO_PLACES.read_text(encoding="utf-8").splitlines()
    shorter = tmp_path / "shorter.csv"
    kept = [line for line in lines if not line.startswith("595035500")]
    shorter.write_text("\n".join([*kept, *EXTRA_AS_CSV]), encoding="utf-8")
    async with known.begin() as session:
        await import_territory(session, shorter, NOW)
    async with known() as session:
        below = await territory.children(session, "595035000")
        assert "595035500" not in [place.code for place in below]
        assert "595035500" not in await territory.settlement_codes(session, "590000000")
        assert (await territory.get_place(session, "595035500")).abolished_at == NOW
        assert await territory.standing_place(session, "595035500") is None


EXTRA_AS_CSV = [
    f"{code},,,{kind},{ru},{kk}"
    for code, kind, ru, kk in (line.split(",") for line in EXTRA.splitlines()[2:])
]


async def test_show(known: Sessions) -> None:
    shown = await show(known, "595041000")
    assert shown["full"]["kk"] == "Бугров ауылдық округі"
    assert [place["code"] for place in shown["above"]] == ["595000000", "590000000"]
    assert len(shown["children"]) == 3
    assert shown["history"] == []
    text = "\n".join(show_lines(shown))
    assert "Аким Бугровского сельского округа" in text
    assert "село Бугровое" in text


async def test_the_command_names_what_is_wrong(sessions: Sessions, tmp_path: Path) -> None:
    path = tmp_path / "kato.csv"
    path.write_text(EXTRA + "12,2,с.А,А а.\n", encoding="utf-8")
    console = Console(file=io.StringIO(), width=200)
    assert await import_with_bar(sessions, path, NOW, console) is None
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Nothing was imported: 1 problem(s)." in said
    assert "line 9: the code is not nine digits with an oblast: '12'" in said


async def test_the_command_says_what_it_did(sessions: Sessions) -> None:
    console = Console(file=io.StringIO(), width=200)
    report = await import_with_bar(sessions, DEMO_PLACES, NOW, console)
    assert report is not None
    assert "15 new" in console.file.getvalue()  # type: ignore[attr-defined]


def test_levels_are_those_of_the_classifier() -> None:
    assert [level.value for level in PlaceLevel] == [
        "oblast", "district", "sub_district", "settlement",
    ]  # fmt: skip
