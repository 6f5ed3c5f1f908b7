"""Imports of КАТО: all or nothing, repeatable, with history; each broken line by its number."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select, text

from models.territory import Place, PlaceChange, PlaceHistory, PlaceLevel
from services.territory import get_place, history, revision, standing_place
from services.territory_file import Reason, read_territory
from services.territory_import import (
    DEMO_PLACES,
    ImportReport,
    TerritoryRefused,
    import_territory,
)
from tests.territory.conftest import Sessions

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=90)
HEADER = "kato,kato_version,level,type_code,name_ru,name_kk"
DEMO = DEMO_PLACES.read_text(encoding="utf-8").splitlines()[1:]


def written(folder: Path, lines: Iterable[str], header: str = HEADER) -> Path:
    path = folder / "kato.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def replaced(old: str, new: str) -> list[str]:
    lines = [line.replace(old, new) for line in DEMO]
    assert lines != DEMO
    return lines


def without(*codes: str) -> list[str]:
    return [line for line in DEMO if not line.startswith(codes)]


async def imported(
    sessions: Sessions, path: Path, now: datetime = NOW, **how: bool
) -> ImportReport:
    async with sessions.begin() as session:
        return await import_territory(session, path, now, **how)  # type: ignore[arg-type]


async def refused(sessions: Sessions, path: Path) -> list[tuple[int, Reason]]:
    with pytest.raises(TerritoryRefused) as caught:
        await imported(sessions, path)
    return [(problem.line, problem.reason) for problem in caught.value.problems]


async def count(sessions: Sessions, what: type[Place] | type[PlaceHistory]) -> int:
    async with sessions() as session:
        return await session.scalar(select(func.count()).select_from(what)) or 0


async def stored(sessions: Sessions, code: str) -> Place:
    async with sessions() as session:
        return await get_place(session, code)


async def changes(sessions: Sessions, code: str) -> list[PlaceChange]:
    async with sessions() as session:
        return [past.change for past in await history(session, code)]


async def test_the_demo_places(sessions: Sessions) -> None:
    assert await imported(sessions, DEMO_PLACES) == ImportReport(new=15)
    village = await stored(sessions, "595041100")
    assert (village.name_ru, village.name_kk) == ("с.Бугровое", "Бугровое а.")
    assert village.level is PlaceLevel.SETTLEMENT
    assert village.parent_code == "595041000"
    assert village.updated_at == NOW
    assert (await stored(sessions, "590000000")).parent_code is None


async def test_a_second_import_changes_nothing(sessions: Sessions) -> None:
    await imported(sessions, DEMO_PLACES)
    assert await imported(sessions, DEMO_PLACES, LATER) == ImportReport(unchanged=15)
    assert await count(sessions, PlaceHistory) == 0
    assert (await stored(sessions, "595041100")).updated_at == NOW
    async with sessions() as session:
        assert await revision(session) == 1


async def test_a_new_edition_alone_is_no_change(sessions: Sessions, tmp_path: Path) -> None:
    await imported(sessions, DEMO_PLACES)
    newer = written(tmp_path, replaced("11-2025", "11-2027"))
    assert await imported(sessions, newer, LATER) == ImportReport(unchanged=15)
    assert (await stored(sessions, "595041100")).classifier == "NK RK 11-2027"


async def test_renamed(sessions: Sessions, tmp_path: Path) -> None:
    await imported(sessions, DEMO_PLACES)
    report = await imported(sessions, written(tmp_path, replaced("Сосновка", "Қарағайлы")), LATER)
    assert report == ImportReport(renamed=1, unchanged=14)
    async with sessions() as session:
        past = (await history(session, "595041600"))[0]
        assert await revision(session) == 2
    assert (past.change, past.changed_at) == (PlaceChange.RENAMED, LATER)
    assert (past.old_name_ru, past.old_name_kk) == ("с.Сосновка", "Сосновка а.")
    assert past.old_parent_code == "595041000"
    assert (await stored(sessions, "595041600")).name_kk == "Қарағайлы а."


async def test_a_village_that_becomes_a_kent_is_reclassified(
    sessions: Sessions, tmp_path: Path
) -> None:
    await imported(sessions, DEMO_PLACES)
    lines = [line.replace("2,с.Плоское,Плоское а.", "1,п.Плоское,Плоское к.") for line in DEMO]
    report = await imported(sessions, written(tmp_path, lines), LATER)
    assert report == ImportReport(renamed=1, reclassified=1, unchanged=14)


TOWN = "595220100,NK,settlement,1,г.Мамлютка,Мамлют қ."
TOWN_DISTRICT = "595200000,NK,district,4,Мамлютский район,Мамлют ауданы"
TOWN_OFFICE = "595220000,NK,sub_district,1,Мамлютская г.а.,Мамлют қ.ә."


async def test_moved_when_an_office_row_comes_between(sessions: Sessions, tmp_path: Path) -> None:
    await imported(sessions, written(tmp_path, [*DEMO, TOWN_DISTRICT, TOWN]))
    assert (await stored(sessions, "595220100")).parent_code == "595200000"
    lines = [*DEMO, TOWN_DISTRICT, TOWN, TOWN_OFFICE]
    report = await imported(sessions, written(tmp_path, lines), LATER)
    assert report == ImportReport(new=1, moved=1, unchanged=16)
    assert (await stored(sessions, "595220100")).parent_code == "595220000"
    async with sessions() as session:
        assert (await history(session, "595220100"))[0].old_parent_code == "595200000"


async def test_abolished_and_kept_then_revived(sessions: Sessions, tmp_path: Path) -> None:
    await imported(sessions, DEMO_PLACES)
    report = await imported(sessions, written(tmp_path, without("595035500")), LATER)
    assert report == ImportReport(abolished=1, unchanged=14)
    assert (await stored(sessions, "595035500")).abolished_at == LATER
    again = await imported(sessions, written(tmp_path, without("595035500")), LATER)
    assert again == ImportReport(unchanged=14)
    assert await imported(sessions, DEMO_PLACES, LATER) == ImportReport(revived=1, unchanged=14)
    assert (await stored(sessions, "595035500")).abolished_at is None
    told = await changes(sessions, "595035500")
    assert told == [PlaceChange.ABOLISHED, PlaceChange.REVIVED]


async def test_merged_into_another(sessions: Sessions, tmp_path: Path) -> None:
    await imported(sessions, DEMO_PLACES)
    lines = [line + (",595041100" if line.startswith("595041600") else ",") for line in DEMO]
    path = written(tmp_path, lines, HEADER + ",replaced_by")
    assert await imported(sessions, path, LATER) == ImportReport(merged=1, unchanged=14)
    place = await stored(sessions, "595041600")
    assert (place.abolished_at, place.replaced_by) == (LATER, "595041100")
    assert await imported(sessions, path, LATER) == ImportReport(unchanged=15)
    async with sessions() as session:
        successor = await standing_place(session, "595041600")
        assert successor is not None
        assert successor.code == "595041100"


async def test_an_okrug_is_not_merged_away_from_above_its_villages(
    sessions: Sessions, tmp_path: Path
) -> None:
    lines = [line + (",595030000" if line.startswith("595041000") else ",") for line in DEMO]
    path = written(tmp_path, lines, HEADER + ",replaced_by")
    assert await refused(sessions, path) == [(n, Reason.ORPHAN) for n in (5, 6, 7)]


async def test_a_successor_has_to_stand(sessions: Sessions, tmp_path: Path) -> None:
    lines = [line + (",595099900" if line.startswith("595041600") else ",") for line in DEMO]
    path = written(tmp_path, lines, HEADER + ",replaced_by")
    assert await refused(sessions, path) == [(7, Reason.BAD_SUCCESSOR)]


async def test_a_fifth_may_not_vanish_unless_forced(sessions: Sessions, tmp_path: Path) -> None:
    await imported(sessions, DEMO_PLACES)
    short = written(tmp_path, without("595035"))
    assert await refused(sessions, short) == [(0, Reason.TOO_MANY_VANISH)]
    report = await imported(sessions, short, LATER, force=True)
    assert report == ImportReport(abolished=4, unchanged=11)


OTHER_OBLAST = [
    "550000000,NK,oblast,0,Павлодарская область,Павлодар облысы",
    "556000000,NK,district,2,Успенский район,Успен ауданы",
]


async def test_only_oblasts_whose_row_is_in_the_file_lose_places(
    sessions: Sessions, tmp_path: Path
) -> None:
    await imported(sessions, DEMO_PLACES)
    report = await imported(sessions, written(tmp_path, OTHER_OBLAST), LATER)
    assert report == ImportReport(new=2)
    one_okrug = [line for line in DEMO if line.startswith("595041")]
    report = await imported(sessions, written(tmp_path, one_okrug), LATER)
    assert report == ImportReport(unchanged=4)


async def test_a_partial_import_abolishes_nothing(sessions: Sessions, tmp_path: Path) -> None:
    await imported(sessions, written(tmp_path, [*DEMO, TOWN_DISTRICT, TOWN]))
    assert await imported(sessions, DEMO_PLACES, partial=True) == ImportReport(unchanged=15)
    assert (await stored(sessions, "595220100")).abolished_at is None


BROKEN: list[tuple[str, list[str], list[tuple[int, Reason]]]] = [
    ("eight digits", ["59504110,NK,settlement,2,с.А,А а."], [(17, Reason.BAD_CODE)]),
    ("letters", ["59504110О,NK,settlement,2,с.А,А а."], [(17, Reason.BAD_CODE)]),
    ("no oblast", ["001041100,NK,settlement,2,с.А,А а."], [(17, Reason.BAD_CODE)]),
    ("wrong level", ["595041700,NK,district,2,с.А,А а."], [(17, Reason.BAD_LEVEL)]),
    ("unknown type", ["595041700,NK,settlement,7,с.А,А а."], [(17, Reason.BAD_TYPE)]),
    ("no Kazakh name", ["595041700,NK,settlement,2,с.А,"], [(17, Reason.NO_NAME)]),
    ("no Russian name", ["595041700,NK,settlement,2, ,А а."], [(17, Reason.NO_NAME)]),
    ("twice", ["595041100,NK,settlement,2,с.А,А а."], [(17, Reason.TWICE)]),
    ("village without okrug", ["595099100,NK,settlement,2,с.А,А а."], [(17, Reason.ORPHAN)]),
    ("okrug without district", ["597041000,NK,sub_district,2,А с.о.,А а.о."],
     [(17, Reason.ORPHAN)]),
    ("district without oblast", ["611000000,NK,district,2,А район,А ауданы"],
     [(17, Reason.ORPHAN)]),
    ("under a broken okrug", ["595099000,NK,sub_district,9,А с.о.,А а.о.",
                              "595099100,NK,settlement,2,с.А,А а."], [(17, Reason.BAD_TYPE)]),
    ("several at once", ["1,NK,settlement,2,с.А,А а.", "595041700,NK,district,8,,А а."],
     [(17, Reason.BAD_CODE), (18, Reason.BAD_LEVEL), (18, Reason.BAD_TYPE),
      (18, Reason.NO_NAME)]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "problems"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
async def test_broken_lines_are_all_named_and_nothing_is_imported(
    sessions: Sessions, tmp_path: Path, lines: list[str], problems: list[tuple[int, Reason]]
) -> None:
    assert await refused(sessions, written(tmp_path, [*DEMO, *lines])) == problems
    assert await count(sessions, Place) == 0


async def test_an_okrug_that_is_gone_leaves_no_village_standing(
    sessions: Sessions, tmp_path: Path
) -> None:
    await imported(sessions, DEMO_PLACES)
    path = written(tmp_path, without("595041000"))
    assert await refused(sessions, path) == [(n, Reason.ORPHAN) for n in (4, 5, 6)]


def test_files_that_are_none(tmp_path: Path) -> None:
    absent = read_territory(tmp_path / "none.csv").problems
    empty = read_territory(written(tmp_path, [])).problems
    (tmp_path / "zip.xlsx").write_bytes(b"PK nonsense")
    (tmp_path / "1251.csv").write_bytes(f"{HEADER}\n".encode() + "с.Бугровое".encode("cp1251"))
    broken = read_territory(tmp_path / "zip.xlsx").problems
    foreign = read_territory(tmp_path / "1251.csv").problems
    columns = read_territory(written(tmp_path, ["1,2"], "kato,name_ru")).problems
    assert [p[0].reason for p in (absent, empty, broken, foreign, columns)] == [
        Reason.UNREADABLE,
        Reason.NO_ROWS,
        Reason.UNREADABLE,
        Reason.UNREADABLE,
        Reason.NO_HEADER,
    ]
    assert columns[0].found == "type_code, name_kk"


def test_problems_read_as_lines(tmp_path: Path) -> None:
    path = written(tmp_path, ["595041700,NK,district,2,с.А,А а."])
    (problem,) = read_territory(path).problems
    assert str(problem) == (
        "line 2: the level differs from what the code says: "
        "595041700 is a settlement, not a district"
    )


def workbook(path: Path, rows: Sequence[Sequence[object]], title: bool = False) -> Path:
    book = Workbook(write_only=True)
    book.create_sheet("Титул").append(["Классификатор"])
    sheet = book.create_sheet("КАТО")
    if title:
        sheet.append(["КАТО на 17.07.2026"])
    sheet.append(["te", "ab", "cd", "ef", "hij", "k", "name_kaz", "name_rus", "nn"])
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


def as_bureau(line: str, number: bool) -> list[object]:
    code, _, _, kind, ru, kk = line.split(",")
    groups: list[object] = [code[:2], code[2:4], code[4:6], code[6:]]
    if number:
        return [int(code), *(int(str(group)) for group in groups), int(kind), kk, ru, 1]
    return [code, *groups, kind, kk, ru, None]


@pytest.mark.parametrize("number", [True, False], ids=["numbers", "text"])
def test_the_workbook_of_the_bureau_says_the_same(tmp_path: Path, number: bool) -> None:
    republic: list[object] = [0, 0, 0, 0, 0, 0, "Қазақстан", "Казахстан", 1]
    blank: list[object] = [None] * 9
    rows = [republic, *(as_bureau(line, number) for line in DEMO), blank]
    book = read_territory(workbook(tmp_path / "kato.xlsx", rows, title=True))
    plain = read_territory(DEMO_PLACES)
    assert book.problems == []
    said = [(r.code, r.type_code, r.name_ru, r.name_kk) for r in book.rows]
    assert said == [(r.code, r.type_code, r.name_ru, r.name_kk) for r in plain.rows]


def test_a_leading_zero_comes_back_to_a_number(tmp_path: Path) -> None:
    rows = [[10000000, 1, 0, 0, 0, 0, "А облысы", "А область", 1]]
    book = read_territory(workbook(tmp_path / "kato.xlsx", rows))
    assert [row.code for row in book.rows] == ["010000000"]


def test_groups_of_the_workbook_have_to_agree(tmp_path: Path) -> None:
    row = as_bureau(DEMO[3], number=True)
    row[3] = 99
    book = read_territory(workbook(tmp_path / "kato.xlsx", [row]))
    assert [(p.line, p.reason) for p in book.problems] == [(2, Reason.BAD_GROUPS)]


async def test_a_workbook_after_a_csv_keeps_the_edition(sessions: Sessions, tmp_path: Path) -> None:
    await imported(sessions, DEMO_PLACES)
    book = workbook(tmp_path / "kato.xlsx", [as_bureau(line, True) for line in DEMO])
    assert await imported(sessions, book, LATER) == ImportReport(unchanged=15)
    assert (await stored(sessions, "595041100")).classifier == "NK RK 11-2025"


async def test_progress_ends_at_the_total(sessions: Sessions) -> None:
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        async with sessions.begin() as session:
            await import_territory(
                session, DEMO_PLACES, NOW, progress=lambda done, total: seen.append((done, total))
            )
        assert seen[-1] == (15, 15)
        assert seen == sorted(seen)
        seen.clear()


async def test_the_planner_knows_the_territory_after_an_import(sessions: Sessions) -> None:
    """Without it, the settlements of an oblast took 750 ms right after the first import."""
    await imported(sessions, DEMO_PLACES)
    counted = text("SELECT reltuples FROM pg_class WHERE relname = 'place'")
    async with sessions() as session:
        assert await session.scalar(counted) == 15


async def test_two_imports_at_once_follow_one_another(sessions: Sessions) -> None:
    reports = await asyncio.gather(*(imported(sessions, DEMO_PLACES) for _ in range(3)))
    assert sorted(report.new for report in reports) == [0, 0, 15]


async def test_the_whole_classifier_twice(sessions: Sessions, kato: Path) -> None:
    assert await imported(sessions, kato) == ImportReport(new=15_594)
    assert await imported(sessions, kato, LATER) == ImportReport(unchanged=15_594)
    async with sessions() as session:
        orphans = select(func.count()).where(
            Place.parent_code.is_(None), Place.level != PlaceLevel.OBLAST
        )
        assert await session.scalar(orphans) == 0
    parents = {
        "113820100": "113800000",  # a town without an office row: its district
        "151011100": "151000000",  # a district in a city
        "711110000": "710000000",  # a district of the capital
        "631000200": "631000000",  # a village that belongs to no okrug
        "103233127": "103233000",  # the village of an okrug, not of its main village
    }
    for code, parent in parents.items():
        assert (await stored(sessions, code)).parent_code == parent
    assert await refused(sessions, DEMO_PLACES) == [(0, Reason.TOO_MANY_VANISH)]
