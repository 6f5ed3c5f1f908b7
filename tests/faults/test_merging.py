"""Two people who are not the same are taken for one: refused, or undone without loss, also in the
middle of a notice."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from support.database import until
from support.faults import (
    PATIENCE,
    add_up,
    chain_holds,
    letters,
    nothing_left,
    office,
    on_its_way,
    reckon,
)
from support.people import VILLAGE, Somebody, one, rows, send_notice, settled, words
from support.world import World

from services import people, residents
from services.residents import Registration
from services.roles import RoleName
from services.unit import Refused

PHONE, BIRTH = "+77011234567", date(1986, 3, 5)
WHOSE = (
    ("SELECT resident_id, address_id FROM resident_address ORDER BY 1, 2"),
    ("SELECT id, speaker_id FROM address ORDER BY 1"),
    ("SELECT resident_id, role, place_code FROM role WHERE revoked_at IS NULL ORDER BY 1, 2, 3"),
    ("SELECT id, merged_into, deleted_at FROM resident ORDER BY 1"),
    ("SELECT notice_id, resident_id, delivery_id, excluded FROM recipient ORDER BY 1, 2"),
)


async def proved(world: World, who: str, channel: str, born: date = BIRTH, **how: Any) -> Somebody:
    """Somebody whose messenger vouches for the number, which the other one has as well."""
    found = await settled(world, who, channel, phone=PHONE, name=f"Иванов {who}", **how)
    async with world.db.unit() as unit:
        given = Registration(f"Иванов {who}", VILLAGE, born, "ru", phone=PHONE, phone_proved=True)
        await residents.register(unit, found.address, found.resident, given)
    return found


async def join(world: World, kept: Somebody, gone: Somebody, birth: date = BIRTH) -> UUID:
    async with world.db.unit() as unit:
        unit.actor = gone.resident
        joined = await people.join(unit, kept.resident, gone.resident, gone.address, PHONE, birth)
    return joined.merge


async def part(world: World, kept: Somebody, merge: UUID) -> None:
    async with world.db.unit() as unit:
        unit.actor = kept.resident
        await people.part(unit, merge)


def blocks(world: World, who: Somebody, channel: str) -> None:
    """Without telling us."""
    if channel == "telegram":
        world.emulator.chat_state(who.id).blocked = True
        return
    refusal = {"code": 63033, "message": "Recipient has blocked the sender", "status": 400}
    to = world.emulator.person(who.id).address
    world.emulator.fault("messages.create", to=to, times=9, status=400, body=refusal)


async def whose(world: World) -> list[list[tuple]]:
    """What belongs to whom."""
    return [[tuple(row) for row in await rows(world.db, statement)] for statement in WHOSE]


async def test_a_wife_writes_from_the_same_number(world: World) -> None:
    """She says that she is her husband, and her own date of birth says that she is not: two
    people, each with their own data, and each gets the notice."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    petr = await proved(world, "Пётр", "telegram")
    emulator.add_person("wera", "Вера", "whatsapp", phone=PHONE)

    async def says(text: str, then: str) -> None:
        emulator.say("wera", text)
        await emulator.wait_for("wera", words("ru", then), timeout=PATIENCE)

    emulator.say("wera", "Сәлем")
    await emulator.wait_for("wera", words("kk", "first-contact"))
    await says("Русский", "consent-ask")
    await says("1", "join-ask")
    await says("1", "join-birth")
    await says("12.07.1988", "join-birth-wrong")
    await says("12.07.1988", "join-not-you")
    assert await one(db, "SELECT count(*) FROM resident WHERE registered_at IS NOT NULL") == 2
    assert await one(db, "SELECT count(*) FROM merge") == 0
    assert await one(db, "SELECT count(*) FROM audit WHERE action = 'join-birth-wrong'") == 2
    assert await one(db, "SELECT count(*) FROM resident_address WHERE resident_id = :r",
                     r=petr.resident) == 1  # fmt: skip
    async with db.unit() as unit:
        profile = await residents.profile(unit, petr.resident)
    assert profile is not None
    assert (profile.full_name, profile.birth_date) == ("Иванов Пётр", BIRTH)
    notice = await send_notice(world, akim)
    await nothing_left(db)
    assert letters(world, "wera") == 0, "she has not registered yet"
    assert (await reckon(world, notice, [petr])).total == 1
    await chain_holds(db)


async def test_twins_are_refused_by_nothing_and_parted_without_loss(world: World) -> None:
    """The same number and the same date of birth, and two people all the same. Joined while a
    notice waits in the outbox and parted before it goes: as if nothing had been."""
    db = world.db
    akim = await office(world)
    bolat = await proved(world, "Болат", "telegram", role=RoleName.DEPUTY)
    serik = await proved(world, "Серік", "whatsapp", role=RoleName.CLERK)
    async with on_its_way(world, akim, bolat, serik) as notice:
        before = await whose(world)
        merge = await join(world, bolat, serik)
        assert await whose(world) != before
        await part(world, bolat, merge)
        assert await whose(world) == before
    assert (await reckon(world, notice, [bolat, serik])).sent == 2
    again = await send_notice(world, akim)
    await nothing_left(db)
    assert (await add_up(world, again)).sent == 2
    assert [letters(world, who.id) for who in (bolat, serik)] == [2, 2]


async def test_joined_while_a_process_has_it_in_hand(world: World) -> None:
    """Both calls are under way: whoever was withdrawn has it all the same, and is counted again
    once they are two."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    bolat = await proved(world, "Болат", "telegram")
    serik = await proved(world, "Серік", "whatsapp")
    for method in ("sendMessage", "messages.create"):
        emulator.fault(method, hold=True)
    notice = await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held == 2, PATIENCE)
    merge = await join(world, bolat, serik)
    emulator.release_answers()
    await nothing_left(db)
    assert (await add_up(world, notice)).total == 1
    await part(world, bolat, merge)
    assert [letters(world, who.id) for who in (bolat, serik)] == [1, 1]
    await add_up(world, notice)
    assert await one(db, "SELECT count(*) FROM resident WHERE merged_into IS NOT NULL") == 0


@pytest.mark.parametrize("first", ["telegram", "whatsapp"])
async def test_parted_after_the_notice_has_ended(world: World, first: str) -> None:
    """Whoever was withdrawn gets it now, once; the notice is under way for that long, and its
    author's numbers are those of two people."""
    akim, db = await office(world), world.db
    bolat = await proved(world, "Болат", first)
    serik = await proved(world, "Серік", "whatsapp" if first == "telegram" else "telegram")
    async with on_its_way(world, akim, bolat, serik) as notice:
        merge = await join(world, bolat, serik)

    async def finished() -> bool:
        return bool(await one(db, "SELECT status = 'finished' FROM notice"))

    await until(finished, PATIENCE)
    assert [letters(world, who.id) for who in (bolat, serik)] == [1, 0]
    await part(world, bolat, merge)
    await until(finished, PATIENCE)
    progress = await reckon(world, notice, [bolat, serik])
    assert (progress.total, progress.sent) == (2, 2)


@pytest.mark.parametrize("first", ["telegram", "whatsapp"])
async def test_joined_while_a_notice_goes_and_the_kept_chat_fails(world: World, first: str) -> None:
    """What was withdrawn there as the second of one person is the other messenger's now: it was
    taken for sent, and nobody got the notice."""
    akim, db = await office(world), world.db
    other = "whatsapp" if first == "telegram" else "telegram"
    bolat = await proved(world, "Болат", first)
    serik = await proved(world, "Серік", other)
    async with on_its_way(world, akim, bolat, serik) as notice:
        await join(world, bolat, serik)
        blocks(world, bolat, first)
    assert [letters(world, who.id) for who in (bolat, serik)] == [0, 1]
    progress = await add_up(world, notice)
    assert (progress.total, progress.sent, progress.failed) == (1, 1, {})
    assert await one(db, "SELECT count(*) FROM delivery WHERE priority >= 2") == 2


@pytest.mark.parametrize("first", ["telegram", "whatsapp"])
async def test_joined_the_kept_chat_fails_and_parted(world: World, first: str) -> None:
    """WhatsApp says so by a callback. What came to the other chat instead came to somebody else, as
    it turns out: both were counted as reached, and one of them has nothing."""
    akim, db = await office(world), world.db
    bolat = await proved(world, "Болат", first)
    serik = await proved(world, "Серік", "whatsapp" if first == "telegram" else "telegram")
    async with on_its_way(world, akim, bolat, serik) as notice:
        merge = await join(world, bolat, serik)
        world.emulator.chat_state(bolat.id).blocked = True

    async def come() -> bool:
        return letters(world, serik.id) == 1

    await until(come, PATIENCE)
    await nothing_left(db)
    await world.emulator.settle(PATIENCE)
    progress = await add_up(world, notice)
    assert (progress.total, progress.sent) == (1, 1)
    await part(world, bolat, merge)
    await nothing_left(db)
    progress = await add_up(world, notice)
    assert [letters(world, who.id) for who in (bolat, serik)] == [0, 1]
    assert (progress.total, progress.sent, progress.failed) == (2, 1, {"blocked": 1})


async def test_joined_from_both_sides_while_a_notice_goes(world: World) -> None:
    """Each is joined with the other at the same moment, and the notice is on its way: they are
    one, no one waits for the other for ever, and one of them gets it."""
    akim = await office(world)
    bolat = await proved(world, "Болат", "telegram")
    serik = await proved(world, "Серік", "whatsapp")
    async with on_its_way(world, akim, bolat, serik) as notice:
        done = await asyncio.gather(
            join(world, bolat, serik), join(world, serik, bolat), return_exceptions=True
        )
        assert sorted(isinstance(one, Refused) for one in done) == [False, True]
    assert (await add_up(world, notice)).total == 1
    assert sum(letters(world, who.id) for who in (bolat, serik)) == 1


async def test_the_same_number_and_another_date_of_birth(world: World) -> None:
    """Father and son: refused whoever asks, by service as by form, and nothing has moved."""
    father = await proved(world, "Марат", "telegram")
    son = await proved(world, "Асқар", "whatsapp", date(2009, 1, 31))
    before = await whose(world)
    for kept, gone, birth in (
        (father, son, BIRTH),
        (son, father, BIRTH),
        (father, son, date(2009, 1, 31)),
    ):
        with pytest.raises(Refused):
            await join(world, kept, gone, birth)
    assert await whose(world) == before
    assert await one(world.db, "SELECT count(*) FROM merge") == 0


async def test_parted_twice_at_once(world: World) -> None:
    """Two taps of "apart again": undone once, and nothing given back twice."""
    bolat = await proved(world, "Болат", "telegram", role=RoleName.DEPUTY)
    serik = await proved(world, "Серік", "whatsapp", role=RoleName.CLERK)
    before = await whose(world)
    merge = await join(world, bolat, serik)
    done = await asyncio.gather(
        *(part(world, bolat, merge) for _ in range(3)), return_exceptions=True
    )
    assert sum(one is None for one in done) == 1
    assert all(one is None or isinstance(one, Refused) for one in done)
    assert await whose(world) == before
    assert await one(world.db, "SELECT count(*) FROM audit WHERE action = 'residents-parted'") == 1
    await chain_holds(world.db)
