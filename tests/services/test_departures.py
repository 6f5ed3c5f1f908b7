"""Who deletes their data and registers again votes nowhere sooner than who moves."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from core.clock import FrozenClock
from services import departures, moves, people, residents, rulebook
from services.moves import Standing
from services.residents import Registration
from services.unit import Refused
from tests.services.conftest import NAME, VILLAGE, Settler

SOSNOVKA, BESKOL, NOVOGEORGIEVKA = "595041600", "595030100", "595041500"
PHONE = "+77010000001"
TODAY = date(2026, 11, 20)  # the day at which the clock stands
ACT = "Решение районного мәслихата от 12.03.2024 № 15/3"
BIRTH, DAY = date(1986, 3, 5), timedelta(days=1)


async def leaves(db: TestDatabase, person: UUID) -> None:
    async with db.unit() as unit:
        await residents.forget(unit, person)


async def registers(
    db: TestDatabase,
    address: UUID,
    place: str,
    phone: str | None = None,
    birth: date = BIRTH,
    name: str = NAME,
) -> UUID:
    async with db.unit() as unit:
        given = Registration(name, place, birth, "kk", phone=phone, phone_proved=phone is not None)
        return await residents.register(unit, address, None, given)


async def stands(db: TestDatabase, person: UUID) -> Standing:
    async with db.unit() as unit:
        return await moves.standing(unit, person)


async def marks(db: TestDatabase) -> list[tuple[object, ...]]:
    async with db.session() as session:
        found = await session.execute(text("SELECT resident_id, place_code FROM departure"))
        return [tuple(row) for row in found]


@pytest.mark.parametrize("known_by", ["chat", "phone"])
async def test_another_place_counts_as_after_a_move(
    settled: TestDatabase, settle: Settler, known_by: str
) -> None:
    """Before, it counted at once: delete, register in the village that votes tomorrow, vote."""
    person, chat = await settle(phone=PHONE, phone_proved=True)
    await leaves(settled, person)
    settled.clock.offset += 10 * DAY
    if known_by == "chat":
        again = await registers(settled, chat, SOSNOVKA)
    else:
        again, _ = await settle(SOSNOVKA, phone=PHONE, phone_proved=True)
    found = await stands(settled, again)
    assert (found.counts_from, found.counts_today) == (TODAY + 90 * DAY, False)
    settled.clock.offset += timedelta(hours=1)
    async with settled.unit() as unit:
        seen = await moves.move(unit, again, BESKOL)  # within a day of registering: no slip
    assert not seen.corrected
    assert seen.counts_from == TODAY + 100 * DAY
    settled.clock.offset += timedelta(hours=1)
    async with settled.unit() as unit:
        back = await moves.move(unit, again, VILLAGE)
    assert back.counts_from <= TODAY + 10 * DAY, "nobody loses the place that they left"


async def test_the_same_place_is_as_it_was(settled: TestDatabase, settle: Settler) -> None:
    person, chat = await settle()
    await leaves(settled, person)
    again = await registers(settled, chat, VILLAGE)
    assert (await stands(settled, again)).counts_today
    settled.clock.offset += 2 * DAY
    async with settled.unit() as unit:
        moved = await moves.move(unit, again, SOSNOVKA)
    await leaves(settled, again)
    settled.clock.offset += DAY
    third = await registers(settled, chat, SOSNOVKA)
    assert (await stands(settled, third)).counts_from == moved.counts_from, "cooling goes on"


async def test_others_of_the_family_and_later_times_are_not_meant(
    settled: TestDatabase, settle: Settler
) -> None:
    person, chat = await settle(phone=PHONE, phone_proved=True)
    await leaves(settled, person)
    other = await registers(settled, chat, SOSNOVKA, PHONE, date(2001, 1, 2), "Ахметов Марат")
    assert (await stands(settled, other)).counts_today
    settled.clock.offset += 90 * DAY
    late = await registers(settled, chat, SOSNOVKA, PHONE)
    assert (await stands(settled, late)).counts_today
    assert len(await marks(settled)) == 4, "the phone's and the chat's, by birthday and by name"
    async with settled.unit() as unit:
        await departures.forget(unit)
    assert await marks(settled) == []


async def test_without_a_cooling_off_nothing_is_kept(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        await rulebook.decide(unit, "move-cooling-off", "0", VILLAGE, act=ACT)
        assert await departures.until(unit, VILLAGE) is None
    await leaves(settled, person)
    assert await marks(settled) == []


async def test_joining_undoes_no_cooling_off(settled: TestDatabase, settle: Settler) -> None:
    """Before, the record that was cooling off went, and the kept one counted at once."""
    kept, _ = await settle(SOSNOVKA, phone=PHONE, phone_proved=True)
    gone, chat = await settle(channel="whatsapp", phone=PHONE, phone_proved=True)
    settled.clock.offset += 2 * DAY
    async with settled.unit() as unit:
        moved = await moves.move(unit, gone, SOSNOVKA)
    async with settled.unit() as unit:
        unit.actor = gone
        joined = await people.join(unit, kept, gone, chat, PHONE, BIRTH)
    assert joined.kept == kept
    assert (await stands(settled, kept)).counts_from == moved.counts_from
    async with settled.unit() as unit:
        unit.actor = kept
        await people.part(unit, joined.merge)
    assert (await stands(settled, kept)).counts_today, "parted: as it was"


async def test_the_limit_of_a_phone_is_the_services(settled: TestDatabase, settle: Settler) -> None:
    known, _ = await settle(phone=PHONE, phone_proved=True)
    _, chat = await settle(channel="whatsapp")
    async with settled.unit() as unit:
        await rulebook.decide(unit, "people-on-a-phone", "1", VILLAGE, act=ACT)
    with pytest.raises(Refused, match="refused-room"):
        await registers(settled, chat, VILLAGE, birth=date(1990, 1, 1))
    with pytest.raises(Refused, match="refused-room"):
        async with settled.unit() as unit:
            await people.join(unit, known, None, chat, PHONE, BIRTH)


async def test_majority_goes_by_the_place(settled: TestDatabase, settle: Settler) -> None:
    settled.clock = FrozenClock()
    async with settled.unit() as unit:
        await rulebook.decide(unit, "adult-age", "21", BESKOL, act=ACT)
    person, _ = await settle(birth_date=date(2007, 1, 10))
    assert (await stands(settled, person)).adult
    settled.clock.offset += 2 * DAY
    async with settled.unit() as unit:
        await moves.move(unit, person, BESKOL)
    found = await stands(settled, person)
    assert (found.adult, found.adult_on) == (False, date(2028, 1, 10))


# Another date of birth


YOUNG, GROWN, LATER = date(2012, 3, 5), date(1990, 3, 5), TODAY + 90 * DAY


@pytest.mark.parametrize("name", ["Ахметов Серик", "СЕРІК Ахметов", "Akhmetov Serik Bolatuly"])
@pytest.mark.parametrize("known_by", ["chat", "phone"])
async def test_a_minor_who_comes_again_with_another_birthday(
    settled: TestDatabase, settle: Settler, known_by: str, name: str
) -> None:
    """Before, who deleted and told another date of birth was of age at once."""
    minor, chat = await settle(birth_date=YOUNG, phone=PHONE, phone_proved=True)
    await leaves(settled, minor)
    if known_by == "chat":
        again = await registers(settled, chat, VILLAGE, birth=GROWN, name=name)
    else:
        again, chat = await settle(full_name=name, birth_date=GROWN, phone=PHONE, phone_proved=True)
    found = await stands(settled, again)
    assert (found.adult, found.adult_on, found.counts_from) == (False, LATER, None)
    # Nor by a correction within a day, by a move, or by leaving once more.
    async with settled.unit() as unit:
        older = Registration(name, VILLAGE, date(1980, 1, 1), "kk")
        await residents.register(unit, chat, again, older)
    assert (await stands(settled, again)).adult_on == LATER
    async with settled.unit() as unit:
        await moves.move(unit, again, SOSNOVKA)
    assert (await stands(settled, again)).adult_on == LATER
    settled.clock.offset += 2 * DAY
    await leaves(settled, again)
    third = await registers(settled, chat, SOSNOVKA, birth=date(1980, 1, 1), name=name)
    assert (await stands(settled, third)).adult_on == LATER + 2 * DAY
    settled.clock.offset += 92 * DAY
    assert (await stands(settled, third)).adult


async def test_a_minor_who_tells_the_same_birthday_comes_of_age_on_it(
    settled: TestDatabase, settle: Settler
) -> None:
    soon = date(2008, 11, 25)
    minor, chat = await settle(birth_date=soon)
    await leaves(settled, minor)
    again = await registers(settled, chat, VILLAGE, birth=soon)
    assert (await stands(settled, again)).adult_on == date(2026, 11, 25)


async def test_a_parent_on_the_familys_phone_is_somebody_else(
    settled: TestDatabase, settle: Settler
) -> None:
    minor, chat = await settle(birth_date=YOUNG, phone=PHONE, phone_proved=True)
    await leaves(settled, minor)
    parent = await registers(settled, chat, SOSNOVKA, PHONE, GROWN, "Ахметов Болат")
    found = await stands(settled, parent)
    assert (found.adult, found.counts_today) == (True, True)


async def test_an_adult_with_another_birthday_moves_as_anybody(
    settled: TestDatabase, settle: Settler
) -> None:
    person, chat = await settle()
    await leaves(settled, person)
    again = await registers(settled, chat, SOSNOVKA, birth=GROWN)
    found = await stands(settled, again)
    assert (found.adult, found.adult_on, found.counts_from) == (True, None, LATER)


@pytest.mark.parametrize("place", [SOSNOVKA, BESKOL])
async def test_a_place_that_did_not_count_when_it_was_left_gives_no_right_back(
    settled: TestDatabase, settle: Settler, place: str
) -> None:
    """Before, to leave again and to return made it count from the day of registering."""
    person, chat = await settle()
    settled.clock.offset += 2 * DAY
    async with settled.unit() as unit:
        await moves.move(unit, person, SOSNOVKA)
    await leaves(settled, person)
    settled.clock.offset += 2 * DAY
    again = await registers(settled, chat, place)
    for to in (NOVOGEORGIEVKA, SOSNOVKA, BESKOL, SOSNOVKA):
        settled.clock.offset += timedelta(hours=1)
        async with settled.unit() as unit:
            await moves.move(unit, again, to)
        found = await stands(settled, again)
        assert found.counts_from is not None
        assert found.counts_from >= TODAY + 92 * DAY
