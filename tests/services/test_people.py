"""Joining and parting: what goes over, what is refused, what is never lost."""

import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from conversation.message import Content
from core.clock import FrozenClock
from core.languages import Language
from services import notices, people, residents, roles
from services.notices import NoticeText
from services.people import masked
from services.roles import RoleName
from services.unit import Refused
from tests.services.conftest import VILLAGE, Settler

KK, RU = Language
OKRUG, PHONE = "595041000", "+77010000001"
BIRTH = date(1986, 3, 5)

TEXTS = {KK: NoticeText("Су жоқ", "Ертең"), RU: NoticeText("Нет воды", "Завтра")}


@pytest.fixture
async def pair(settled: TestDatabase, settle: Settler) -> list[tuple[UUID, UUID]]:
    """The same person, registered on Telegram and on WhatsApp with the same proved phone."""
    return [
        await settle(channel=channel, phone=PHONE, phone_proved=True)
        for channel in ("telegram", "whatsapp")
    ]


async def join(
    db: TestDatabase,
    kept: UUID,
    gone: UUID,
    address: UUID,
    phone: str = PHONE,
    birth: date = BIRTH,
) -> UUID:
    async with db.unit() as unit:
        unit.actor = gone
        return (await people.join(unit, kept, gone, address, phone, birth)).merge


async def rows(db: TestDatabase, statement: str, **values: object) -> list:
    async with db.session() as session:
        return list((await session.execute(text(statement), values)).all())


async def send(db: TestDatabase, author: UUID, address: UUID) -> UUID:
    notice = uuid4()
    async with db.unit() as unit:
        unit.actor = author
        await notices.announce(
            unit,
            again=True,
            notice=notice,
            author_address=address,
            place_code=OKRUG,
            audience=[VILLAGE],
            texts=TEXTS,
            monolingual=None,
        )
        contents = {one: Content(one, TEXTS[one].body).to_json() for one in Language}
        await notices.queue(unit, notice, contents)
    return notice


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ахметов Серік Болатұлы", "Серік А."),
        ("О'Нил Пётр", "Пётр О."),
        ("Мадонна", "Мадонна"),
        ("Айгүл Серікқызы", "Айгүл С."),
        ("Серик Ахметов", "Серик А."),
    ],
)
def test_what_others_see_of_a_name(name: str, shown: str) -> None:
    assert masked(name) == shown


async def test_everything_counts_once(
    settled: TestDatabase, settle: Settler, pair: list[tuple[UUID, UUID]]
) -> None:
    """A notice under way: one of the two is withdrawn; the next one finds one person."""
    (kept, _), (gone, address) = pair
    author, chat = await settle("595030100")
    async with settled.unit() as unit:
        await roles.grant(unit, author, RoleName.AKIM, OKRUG)
        await roles.grant(unit, gone, RoleName.DEPUTY, "595000000")
    first = await send(settled, author, chat)
    await join(settled, kept, gone, address)
    async with settled.session() as session:
        counts = await notices.progress(await session.connection(), first)
    assert counts.total == 1
    assert len(await rows(settled, "SELECT 1 FROM delivery WHERE outcome = 'cancelled'")) == 1
    settled.clock.offset += timedelta(minutes=1)
    second = await send(settled, author, chat)
    assert len(await rows(settled, "SELECT 1 FROM recipient WHERE notice_id = :id", id=second)) == 1
    async with settled.unit() as unit:
        assert [view.role for view in await roles.standing(unit, kept)] == [RoleName.DEPUTY]
        assert await people.channels(unit, kept) == {"telegram", "whatsapp"}
        assert [one.id for one in await notices.latest(unit, kept)] == [second, first]


async def test_a_finished_notice_is_never_rewritten(
    settled: TestDatabase, settle: Settler, pair: list[tuple[UUID, UUID]]
) -> None:
    (kept, _), (gone, address) = pair
    author, chat = await settle("595030100")
    async with settled.unit() as unit:
        await roles.grant(unit, author, RoleName.AKIM, OKRUG)
    notice = await send(settled, author, chat)
    async with settled.session() as session:
        await session.execute(text("UPDATE notice SET status = 'finished'"))
    before = await rows(settled, "SELECT * FROM recipient ORDER BY resident_id")
    await join(settled, kept, gone, address)
    assert await rows(settled, "SELECT * FROM recipient ORDER BY resident_id") == before
    assert notice


async def test_parting_gives_everything_back(
    settled: TestDatabase, pair: list[tuple[UUID, UUID]]
) -> None:
    (kept, _), (gone, address) = pair
    async with settled.unit() as unit:
        await roles.grant(unit, gone, RoleName.DEPUTY, "595000000")
        await roles.grant(unit, kept, RoleName.CLERK, OKRUG)
        await roles.grant(unit, gone, RoleName.CLERK, OKRUG)
    tables = "SELECT resident_id, address_id FROM resident_address ORDER BY 1, 2"
    before = await rows(settled, tables)
    held = "SELECT resident_id, role FROM role WHERE revoked_at IS NULL ORDER BY 1, 2"
    roles_before = await rows(settled, held)
    merge = await join(settled, kept, gone, address)
    assert len(await rows(settled, held)) == 2, "a role held twice is held once"
    async with settled.unit() as unit:
        unit.actor = gone
        with pytest.raises(Refused):
            await people.part(unit, merge)
    async with settled.unit() as unit:
        unit.actor = kept
        await people.part(unit, merge)
    assert await rows(settled, tables) == before
    assert await rows(settled, held) == roles_before
    async with settled.unit() as unit:
        assert await residents.profile(unit, gone) is not None
        unit.actor = kept
        with pytest.raises(Refused):
            await people.part(unit, merge)
    again = await join(settled, kept, gone, address)
    assert isinstance(settled.clock, FrozenClock)
    settled.clock.advance(timedelta(days=31))
    async with settled.unit() as unit:
        unit.actor = kept
        with pytest.raises(Refused):
            await people.part(unit, again)


async def test_two_people_are_not_joined(settled: TestDatabase, settle: Settler) -> None:
    """Another date of birth, another or unproved phone, themselves, somebody deleted."""
    kept, _ = await settle(phone=PHONE, phone_proved=True)
    son, address = await settle(phone=PHONE, phone_proved=True, birth_date=date(2005, 1, 1))
    unproved, chat = await settle(phone=PHONE)
    deleted, _ = await settle(phone=PHONE, phone_proved=True)
    async with settled.unit() as unit:
        await residents.forget(unit, deleted)
    for pair in (
        (kept, son, address, PHONE),
        (unproved, kept, chat, PHONE),
        (kept, unproved, chat, "+77019999999"),
        (kept, kept, address, PHONE),
        (deleted, unproved, chat, PHONE),
    ):
        with pytest.raises(Refused):
            await join(settled, *pair)
    assert await rows(settled, "SELECT 1 FROM merge") == []
    assert await rows(settled, "SELECT 1 FROM resident WHERE merged_into IS NOT NULL") == []


async def test_both_ways_at_once_is_joined_once(
    settled: TestDatabase, pair: list[tuple[UUID, UUID]]
) -> None:
    (first, first_chat), (second, second_chat) = pair
    done = await asyncio.gather(
        join(settled, first, second, second_chat),
        join(settled, second, first, first_chat),
        return_exceptions=True,
    )
    assert sorted(isinstance(one, Refused) for one in done) == [False, True]
    assert len(await rows(settled, "SELECT 1 FROM merge")) == 1


async def test_deleting_the_one_deletes_both_records(
    settled: TestDatabase, pair: list[tuple[UUID, UUID]]
) -> None:
    (kept, _), (gone, address) = pair
    await join(settled, kept, gone, address)
    async with settled.unit() as unit:
        await residents.forget(unit, kept)
    left = await rows(
        settled,
        "SELECT 1 FROM resident WHERE full_name IS NOT NULL OR birth_date IS NOT NULL"
        " OR phone IS NOT NULL OR phone_hash IS NOT NULL OR street IS NOT NULL",
    )
    assert left == []
    assert await rows(settled, "SELECT 1 FROM resident_address") == []
