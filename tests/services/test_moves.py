"""Moving: from which day the new place counts, slips corrected, the earlier right restored."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from models.people import Resident
from rules.notices import NoticeKind
from services import moves, residents, rulebook, wishes
from services.moves import MoveView, Standing
from services.unit import Refused
from tests.services.conftest import VILLAGE, Settler

SOSNOVKA, NOVOGEORGIEVKA, BESKOL = "595041600", "595041500", "595030100"
REGISTERED = date(2026, 11, 20)  # the day at which the clock stands
DAY = timedelta(days=1)


async def stored(db: TestDatabase, person: UUID) -> Resident:
    async with db.session() as session:
        return await session.get_one(Resident, person)


async def moves_to(
    db: TestDatabase, person: UUID, place: str, later: timedelta = timedelta()
) -> MoveView:
    db.clock.offset += later
    async with db.unit() as unit:
        unit.actor = person
        return await moves.move(unit, person, place)


async def stands(db: TestDatabase, person: UUID) -> Standing:
    async with db.unit() as unit:
        return await moves.standing(unit, person)


async def recorded(db: TestDatabase, person: UUID) -> list[tuple[str, str, date]]:
    async with db.unit() as unit:
        found = await moves.history(unit, person)
        return [(one.from_code, one.to_code, one.counts_from) for one in found]


async def audited(db: TestDatabase, action: str) -> list[dict[str, object]]:
    async with db.session() as session:
        found = text("SELECT details FROM audit WHERE action = :action ORDER BY id")
        return list(await session.scalars(found, {"action": action}))


async def test_a_move_counts_after_the_cooling_off(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle()
    seen = await moves_to(settled, person, SOSNOVKA, 2 * DAY)
    counts = REGISTERED + timedelta(days=92)
    assert seen == MoveView(counts, corrected=False)
    assert await stands(settled, person) == Standing(SOSNOVKA, True, counts, "declared", False)
    assert await recorded(settled, person) == [(VILLAGE, SOSNOVKA, counts)]
    [row] = await audited(settled, "resident-moved")
    assert row == {
        "place": SOSNOVKA,
        "before": VILLAGE,
        "counts_from": counts.isoformat(),
        "corrected": False,
    }


@pytest.mark.parametrize(("hour", "counts"), [(18, False), (19, True)])
async def test_the_new_place_counts_from_midnight_in_almaty(
    settled: TestDatabase, settle: Settler, hour: int, counts: bool
) -> None:
    """Midnight there is 19:00 UTC: 18 hours UTC is the evening before."""
    person, _ = await settle()
    seen = await moves_to(settled, person, SOSNOVKA, 2 * DAY)
    eve = datetime.combine(seen.counts_from - DAY, datetime.min.time(), UTC)
    settled.clock.offset = eve + timedelta(hours=hour) - datetime(2026, 11, 20, 5, tzinfo=UTC)
    assert (await stands(settled, person)).counts_today is counts


async def test_the_days_are_those_of_the_new_place(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        await rulebook.decide(unit, "move-cooling-off", "10", BESKOL, "Решение № 1")
        await rulebook.decide(unit, "move-cooling-off", "0", SOSNOVKA, "Решение № 2")
    seen = await moves_to(settled, person, BESKOL, 2 * DAY)
    assert seen.counts_from == REGISTERED + timedelta(days=12)
    at_once = await moves_to(settled, person, SOSNOVKA)
    assert at_once.counts_from == REGISTERED + 2 * DAY
    assert (await stands(settled, person)).counts_today


@pytest.mark.parametrize(
    ("later", "corrected"),
    [
        (timedelta(minutes=1), True),
        (timedelta(hours=23, minutes=59), True),
        (timedelta(hours=24), False),
    ],
)
async def test_another_place_within_a_day_of_registering_corrects_a_slip(
    settled: TestDatabase, settle: Settler, later: timedelta, corrected: bool
) -> None:
    person, _ = await settle()
    seen = await moves_to(settled, person, SOSNOVKA, later)
    assert seen.corrected is corrected
    found = await stands(settled, person)
    assert found.place_code == SOSNOVKA
    assert found.counts_today is corrected
    assert (found.counts_from is None) is corrected
    assert (await recorded(settled, person) == []) is corrected
    assert [row["corrected"] for row in await audited(settled, "resident-moved")] == [corrected]


async def test_how_long_a_slip_can_be_mended_is_for_the_rulebook(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        await rulebook.decide(unit, "correction-window", "2", None, "Решение от 01.11.2026 № 1")
    assert not (await moves_to(settled, person, SOSNOVKA, timedelta(hours=2))).corrected


async def test_moving_back_in_time_restores_the_earlier_right(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle()
    await moves_to(settled, person, SOSNOVKA, 2 * DAY)
    back = await moves_to(settled, person, VILLAGE, 30 * DAY)
    assert back == MoveView(REGISTERED, corrected=False)
    assert (await stands(settled, person)).counts_today
    # And the place that was passed through has to be waited for again.
    again = await moves_to(settled, person, SOSNOVKA, DAY)
    assert again.counts_from == REGISTERED + timedelta(days=2 + 30 + 1 + 90)
    assert not (await stands(settled, person)).counts_today
    assert len(await recorded(settled, person)) == 3


async def test_places_passed_through_do_not_stand_in_the_way_back(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle()
    await moves_to(settled, person, SOSNOVKA, 2 * DAY)
    third = await moves_to(settled, person, BESKOL, 5 * DAY)
    assert third.counts_from == REGISTERED + timedelta(days=97)
    through = await moves_to(settled, person, SOSNOVKA, DAY)
    assert through.counts_from == REGISTERED + timedelta(days=98), "Sosnovka never counted"
    back = await moves_to(settled, person, VILLAGE, DAY)
    assert back.counts_from == REGISTERED
    assert (await stands(settled, person)).counts_today


async def test_the_place_that_counted_is_the_last_one_and_its_date_comes_back(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle()
    second = await moves_to(settled, person, SOSNOVKA, 2 * DAY)
    third = await moves_to(settled, person, BESKOL, 200 * DAY)  # Sosnovka counted meanwhile
    assert third.counts_from == REGISTERED + timedelta(days=292)
    async with settled.unit() as unit:
        first = await moves.preview(unit, person, VILLAGE)
    assert first.counts_from == REGISTERED + timedelta(days=292), "it was left for good"
    back = await moves_to(settled, person, SOSNOVKA, DAY)
    assert back.counts_from == second.counts_from
    found = await stored(settled, person)
    assert (found.place_code, found.counts_from) == (SOSNOVKA, second.counts_from)
    assert (await stands(settled, person)).counts_today


async def test_moving_back_after_the_day_is_a_move_like_any_other(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle()
    await moves_to(settled, person, SOSNOVKA, 2 * DAY)
    back = await moves_to(settled, person, VILLAGE, 90 * DAY)
    assert back.counts_from == REGISTERED + timedelta(days=182)
    assert not (await stands(settled, person)).counts_today


async def test_the_same_place_is_no_move(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle()
    seen = await moves_to(settled, person, VILLAGE, 2 * DAY)
    assert seen == MoveView(REGISTERED, corrected=False)
    moved = await moves_to(settled, person, SOSNOVKA)
    assert await moves_to(settled, person, SOSNOVKA, DAY) == moved, "the day does not shift"
    assert len(await recorded(settled, person)) == 1
    assert len(await audited(settled, "resident-moved")) == 1


async def test_two_taps_at_once_are_one_move(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle()
    settled.clock.offset += 2 * DAY
    views = await asyncio.gather(*(moves_to(settled, person, SOSNOVKA) for _ in range(4)))
    assert len(set(views)) == 1
    assert len(await recorded(settled, person)) == 1
    assert len(await audited(settled, "resident-moved")) == 1


@pytest.mark.parametrize("place", ["000000000", "", "595041000", "590000000", SOSNOVKA])
async def test_a_place_where_nobody_can_live_is_refused(
    settled: TestDatabase, settle: Settler, place: str
) -> None:
    person, _ = await settle()
    async with settled.session() as session:
        await session.execute(
            text("UPDATE place SET abolished_at = now() WHERE code = :code"), {"code": SOSNOVKA}
        )
    async with settled.unit() as unit:
        with pytest.raises(Refused, match="refused-place"):
            await moves.move(unit, person, place)
        with pytest.raises(Refused, match="refused-place"):
            await moves.preview(unit, person, place)
    assert (await stored(settled, person)).place_code == VILLAGE
    assert len(await audited(settled, "place-refused")) == 2


async def test_nobody_moves_or_mutes_somebody_else(settled: TestDatabase, settle: Settler) -> None:
    person, address = await settle()
    stranger, _ = await settle()
    async with settled.unit() as unit:
        guest = await residents.new_person(unit, address, "kk")
        await residents.forget(unit, (gone := (await settle())[0]))
        for who, actor in ((person, stranger), (guest, guest), (gone, gone)):
            unit.actor = actor
            with pytest.raises(Refused, match="refused-guest"):
                await moves.move(unit, who, SOSNOVKA)
            with pytest.raises(Refused, match="refused-guest"):
                await wishes.mute(unit, who, NoticeKind.EVENT, muted=True)
    assert (await stored(settled, person)).place_code == VILLAGE
    assert (await stored(settled, person)).muted == []
    assert len(await audited(settled, "resident-refused")) == 6


async def test_a_minor_does_not_count_whatever_the_place(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle(birth_date=date(2008, 11, 21))
    assert await stands(settled, person) == Standing(
        VILLAGE, False, None, "declared", False, date(2026, 11, 21)
    )
    settled.clock.offset += DAY
    assert await stands(settled, person) == Standing(
        VILLAGE, True, None, "declared", True, date(2026, 11, 21)
    )
