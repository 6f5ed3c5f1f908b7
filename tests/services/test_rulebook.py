"""The rulebook's values in the database: inherited, the nearest wins, kept with their acts."""

import asyncio

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from rules.rulebook import DEFAULTS, RuleWrong
from services import rulebook

OKRUG, OTHER_OKRUG, DISTRICT, OBLAST = "595041000", "595030000", "595000000", "590000000"
VILLAGE = "595041100"
ACT = "Решение Кызылжарского районного мәслихата от 12.03.2024 № 15/3"
PLACES = (VILLAGE, OKRUG, DISTRICT, OBLAST, None)


async def decide(
    db: TestDatabase, name: str, value: str | None, place: str | None, act: str = ACT
) -> None:
    async with db.unit() as unit:
        await rulebook.decide(unit, name, value, place, act)


async def value(db: TestDatabase, place: str | None, name: str = "move_cooling_off") -> object:
    async with db.session() as session:
        return getattr(await rulebook.of(session, place), name)


async def test_the_nearest_place_up_the_tree_wins(village: TestDatabase) -> None:
    assert await value(village, VILLAGE) == DEFAULTS.move_cooling_off == 90
    expected: dict[str | None, int] = dict.fromkeys(PLACES, 90)
    for days, place in enumerate(reversed(PLACES), start=1):
        await decide(village, "move-cooling-off", str(days), place)
        for below in PLACES[: PLACES.index(place) + 1]:
            expected[below] = days
        assert {one: await value(village, one) for one in PLACES} == expected
    assert await value(village, OTHER_OKRUG) == 3, "the neighbours keep the district's"


async def test_taken_back_the_value_from_above_holds(village: TestDatabase) -> None:
    await decide(village, "move-cooling-off", "30", DISTRICT)
    await decide(village, "move-cooling-off", "10", OKRUG)
    await decide(village, "move-cooling-off", None, OKRUG, "Решение № 2 об отмене")
    assert await value(village, VILLAGE) == 30
    async with village.session() as session:
        kept = await rulebook.history(session, OKRUG, "move-cooling-off")
        assert [(one.value, one.ended_at is None) for one in kept] == [(None, True), (10, False)]
        assert kept[0].act == "Решение № 2 об отмене"
        [view] = [v for v in await rulebook.show(session, VILLAGE) if v.name == "move-cooling-off"]
    assert (view.value, view.place_code, view.act) == (30, DISTRICT, ACT)


@pytest.mark.parametrize(
    ("name", "typed", "place", "act", "says"),
    [
        ("move-coolingoff", "5", OKRUG, ACT, "did you mean move-cooling-off"),
        ("move-coolingoff", None, None, ACT, "did you mean"),
        ("move-cooling-off", "много", OKRUG, ACT, "a whole number from 0 to 730"),
        ("move-cooling-off", "5", OKRUG, "", "act:"),
        ("move-cooling-off", "5", OKRUG, "решили так", "act:"),
        ("move-cooling-off", "5", OKRUG, "12.03.2024", "act:"),
        ("move-cooling-off", "5", OKRUG, "акт 1 " * 60, "act:"),
        ("move-cooling-off", "5", "000000000", ACT, "no place"),
        ("move-cooling-off", None, OKRUG, ACT, "nothing is decided"),
        ("whatsapp-people-a-day", "5", OKRUG, ACT, "whole installation"),
        ("youngest-age", "18", None, ACT, None),
    ],
)
async def test_what_cannot_be_decided_changes_nothing(
    village: TestDatabase, name: str, typed: str | None, place: str | None, act: str, says: str
) -> None:
    async with village.unit() as unit:
        if says is None:
            await rulebook.decide(unit, name, typed, place, act)
            return
        with pytest.raises(RuleWrong, match=says):
            await rulebook.decide(unit, name, typed, place, act)
        assert unit.audit_rows == []
    async with village.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM rule")) == 0


async def test_no_decision_for_a_place_that_is_no_more(village: TestDatabase) -> None:
    async with village.unit() as unit:
        await unit.session.execute(
            text("UPDATE place SET abolished_at = :now WHERE code = :code"),
            {"now": unit.now, "code": OKRUG},
        )
        with pytest.raises(RuleWrong, match="abolished"):
            await rulebook.decide(unit, "merge-undo", "5", OKRUG, ACT)


async def test_values_of_different_places_may_not_contradict(village: TestDatabase) -> None:
    """An okrug's adult age stands below what the district wants as the youngest age."""
    await decide(village, "adult-age", "16", OKRUG)
    async with village.unit() as unit:
        with pytest.raises(RuleWrong, match=rf"youngest-age \(17\).*at {OKRUG}"):
            await rulebook.decide(unit, "youngest-age", "17", DISTRICT, ACT)
    assert await value(village, DISTRICT, "youngest_age") == 14
    await decide(village, "youngest-age", "17", OTHER_OKRUG)
    await decide(village, "youngest-age", "16", DISTRICT)
    async with village.session() as session:
        standing = "SELECT count(*) FROM rule WHERE name = 'youngest-age' AND ended_at IS NULL"
        assert await session.scalar(text(standing)) == 2


async def test_two_decisions_at_the_same_moment_are_one_after_the_other(
    village: TestDatabase,
) -> None:
    """Before, the second broke on the unique index of what stands."""
    await asyncio.gather(*(decide(village, "merge-undo", str(n), OKRUG) for n in range(1, 9)))
    async with village.session() as session:
        rows = await rulebook.history(session, OKRUG, "merge-undo")
    assert len(rows) == 8
    assert [row.ended_at for row in rows].count(None) == 1
    assert sorted(row.value for row in rows) == list(range(1, 9))


async def test_contradictions_decided_at_the_same_moment(village: TestDatabase) -> None:
    """Each alone is right; together they are not: one of them is refused."""

    async def one(name: str, typed: str, place: str) -> bool:
        try:
            await decide(village, name, typed, place)
        except RuleWrong:
            return False
        return True

    done = await asyncio.gather(one("adult-age", "16", OKRUG), one("youngest-age", "17", DISTRICT))
    assert sorted(done) == [False, True]


async def test_a_decision_is_in_the_trail(village: TestDatabase) -> None:
    async with village.unit() as unit:
        await rulebook.decide(unit, "quiet-from", "22:00", OKRUG, f"  {ACT} ")
        [row] = unit.audit_rows
    assert (row.action, row.details) == (
        "rule-set",
        {"rule": "quiet-from", "place": OKRUG, "value": "22:00"},
    )
    async with village.session() as session:
        assert await session.scalar(text("SELECT act FROM rule")) == ACT


async def test_a_rule_of_a_later_version_is_left_alone(village: TestDatabase) -> None:
    async with village.session() as session:
        await session.execute(
            text(
                "INSERT INTO rule (id, name, value, act, set_at)"
                " VALUES (gen_random_uuid(), 'of-tomorrow', '1', 'x', '2026-01-01')"
            )
        )
        assert await rulebook.of(session, VILLAGE) == DEFAULTS
