"""Residents: what is stored is sealed, corrected in place, and gone when it is forgotten."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from models.people import Resident
from services import residents
from services.residents import NAME as NAME_PLACE
from services.residents import Registration
from services.unit import Refused
from tests.services.conftest import NAME, VILLAGE, Settler

BIRTH = date(1986, 3, 5)
GIVEN = Registration(NAME, VILLAGE, BIRTH, "kk", "Абай 12", "+77011234567", phone_proved=True)


async def stored(db: TestDatabase, person: UUID) -> Resident:
    async with db.session() as session:
        return await session.get_one(Resident, person)


async def test_nothing_personal_lies_in_clear(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle(street="Абай 12", phone="+77011234567", phone_proved=True)
    async with settled.session() as session:
        row = (await session.execute(text("SELECT resident::text FROM resident"))).scalar_one()
    for word in (NAME, "Абай 12", "+77011234567", "1986-03-05"):
        assert word.encode().hex() not in row
        assert word not in row
    found = await stored(settled, person)
    assert found.full_name is not None
    assert settled.keyring.open(NAME_PLACE, person, found.full_name) == NAME
    assert found.phone_hash == settled.keyring.index("phone", "+77011234567")


async def test_the_profile_is_what_was_given(settled: TestDatabase, settle: Settler) -> None:
    person, address = await settle(street="Абай 12", phone="+77011234567", phone_proved=True)
    async with settled.unit() as unit:
        profile = await residents.profile(unit, person)
        assert profile == residents.Profile(
            person, NAME, VILLAGE, "Абай 12", BIRTH, "+77011234567", "phone", True
        )
        assert await residents.speakers(unit, address) == [person]
        assert await residents.profile(unit, None) is None
        assert await residents.profile(unit, uuid4()) is None


@pytest.mark.parametrize(
    ("place", "abolished"),
    [
        pytest.param("000000000", False, id="unknown"),
        pytest.param("", False, id="empty"),
        pytest.param("595041000", False, id="an okrug"),
        pytest.param("595000000", False, id="a district"),
        pytest.param("590000000", False, id="an oblast"),
        pytest.param(VILLAGE, True, id="abolished"),
    ],
)
async def test_a_place_where_nobody_can_live_is_refused(
    settled: TestDatabase, settle: Settler, place: str, abolished: bool
) -> None:
    """Before, anybody could be registered in an oblast."""
    _, address = await settle("595041600")
    async with settled.session() as session:
        await session.execute(
            text("UPDATE place SET abolished_at = now() WHERE code = :code AND :gone"),
            {"code": place, "gone": abolished},
        )
    given = Registration("Басқа Адам", place, BIRTH, "kk")
    async with settled.unit() as unit:
        with pytest.raises(Refused, match="refused-place"):
            await residents.register(unit, address, None, given)
    async with settled.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM resident"))).scalar_one() == 1


@pytest.mark.parametrize(
    ("name", "birth", "refused"),
    [
        pytest.param("Серік  АХМЕТОВ", BIRTH, True, id="the same in other letters"),
        pytest.param("Ахметов Серик", BIRTH, True, id="in Russian letters"),
        pytest.param("Ахметов Берік", BIRTH, False, id="a twin"),
        pytest.param(NAME, date(1956, 3, 5), False, id="a namesake"),
    ],
)
async def test_nobody_is_registered_twice_behind_one_chat(
    settled: TestDatabase, settle: Settler, name: str, birth: date, refused: bool
) -> None:
    """Whatever the village; behind another chat it is a question (`people.join`)."""
    person, address = await settle()
    _, other = await settle(full_name="Иванов Пётр")
    given = Registration(name, "595041500", birth, "kk")
    async with settled.unit() as unit:
        if refused:
            with pytest.raises(Refused, match="refused-already"):
                await residents.register(unit, address, None, given)
        else:
            await residents.register(unit, address, None, given)
    async with settled.unit() as unit:
        await residents.register(unit, other, None, given)
        await residents.register(unit, address, person, replace(GIVEN, street="Мира 5"))


async def test_nobody_is_corrected_into_somebody_of_the_same_chat(
    settled: TestDatabase, settle: Settler
) -> None:
    """Who was registered twice before this rule can still correct the rest."""
    _, address = await settle()
    given = replace(GIVEN, full_name="Ахметов Берік")
    async with settled.unit() as unit:
        second = await residents.register(unit, address, None, given)
    async with settled.unit() as unit:
        with pytest.raises(Refused, match="refused-already"):
            await residents.register(unit, address, second, GIVEN)
    async with settled.session() as session:
        await session.execute(text("UPDATE resident SET deleted_at = now() WHERE id <> :id"),
                              {"id": second})  # fmt: skip
    async with settled.unit() as unit:
        await residents.register(unit, address, second, GIVEN)
    async with settled.session() as session:
        await session.execute(text("UPDATE resident SET deleted_at = NULL"))
    async with settled.unit() as unit:
        await residents.register(unit, address, second, replace(GIVEN, street="Мира 5"))


async def test_a_correction_keeps_the_person_and_the_moment_of_consent(
    settled: TestDatabase, settle: Settler
) -> None:
    """Before, each correction moved the moments of registration and consent."""
    person, address = await settle()
    before = await stored(settled, person)
    settled.clock.offset += timedelta(days=9)
    corrected = Registration("Ахметов Серік Болатұлы", "595041600", BIRTH, "ru")
    async with settled.unit() as unit:
        assert await residents.register(unit, address, person, corrected) == person
    after = await stored(settled, person)
    assert (after.registered_at, after.consented_at) == (before.registered_at, before.consented_at)
    assert (after.place_code, after.language) == ("595041600", "ru")
    async with settled.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM resident"))).scalar_one() == 1


@pytest.mark.parametrize(
    ("level", "changed", "expected"),
    [
        pytest.param("roll", {"street": "Мира 5"}, "roll", id="another street"),
        pytest.param("person", {"phone_proved": False}, "person", id="another phone"),
        pytest.param("roll", {"full_name": "Басқа Адам"}, "phone", id="another name"),
        pytest.param("person", {"birth_date": date(1990, 1, 1)}, "phone", id="another birth"),
        pytest.param("phone", {"phone_proved": False}, "declared", id="unproved phone"),
        pytest.param("declared", {}, "phone", id="proved now"),
    ],
)
async def test_who_was_recognised_stays_so_while_it_is_the_same_person(
    settled: TestDatabase, settle: Settler, level: str, changed: dict[str, object], expected: str
) -> None:
    """Before, correcting the street took somebody off the akim's list."""
    person, address = await settle()
    async with settled.session() as session:
        await session.execute(text("UPDATE resident SET level = :level"), {"level": level})
    given = Registration(**{**_as_dict(GIVEN), **changed})  # type: ignore[arg-type]
    async with settled.unit() as unit:
        await residents.register(unit, address, person, given)
    assert (await stored(settled, person)).level == expected


def _as_dict(given: Registration) -> dict[str, object]:
    return {name: getattr(given, name) for name in given.__dataclass_fields__}


@pytest.mark.parametrize(
    ("birth", "adult_on"),
    [
        (date(2008, 11, 20), None),
        (date(2008, 11, 21), date(2026, 11, 21)),
        (date(2008, 2, 29), None),
        (date(2012, 2, 29), date(2030, 3, 1)),
    ],
)
async def test_majority_is_a_day_in_kazakhstan(
    settled: TestDatabase, settle: Settler, birth: date, adult_on: date | None
) -> None:
    person, _ = await settle(birth_date=birth)
    assert (await stored(settled, person)).adult_on == adult_on
    if adult_on is None:
        return
    for moment, adult in ((18, False), (19, True)):  # midnight in Almaty is 19:00 UTC
        eve = datetime(adult_on.year, adult_on.month, adult_on.day, moment, tzinfo=UTC)
        settled.clock.offset = eve - timedelta(days=1) - datetime(2026, 11, 20, 5, tzinfo=UTC)
        async with settled.unit() as unit:
            profile = await residents.profile(unit, person)
            assert profile is not None
            assert profile.adult == adult


async def test_forgotten_is_gone_everywhere(settled: TestDatabase, settle: Settler) -> None:
    person, address = await settle(street="Абай 12", phone="+77011234567")
    other, _ = await settle()
    async with settled.session() as session:
        await session.execute(
            text("UPDATE address SET speaker_id = :person WHERE id = :address"),
            {"person": person, "address": address},
        )
    async with settled.unit() as unit:
        await residents.forget(unit, person)
    found = await stored(settled, person)
    personal = ("full_name", "street", "birth_date", "phone", "phone_hash", "adult_on")
    assert [getattr(found, name) for name in personal] == [None] * len(personal)
    assert found.deleted_at is not None
    async with settled.unit() as unit:
        assert await residents.profile(unit, person) is None
        assert await residents.speakers(unit, address) == []
        assert await residents.profile(unit, other) is not None
        session = unit.session
        speaker = await session.scalar(
            text("SELECT speaker_id FROM address WHERE id = :id"), {"id": address}
        )
        assert speaker is None
        audited = await session.scalars(text("SELECT action FROM audit WHERE object_id = :id"),
                                        {"id": str(person)})  # fmt: skip
        assert "resident-deleted" in list(audited)
