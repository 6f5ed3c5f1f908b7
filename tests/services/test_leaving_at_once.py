"""Data are deleted at the very moment at which something else concerns the same person."""

import asyncio
from datetime import date
from uuid import UUID, uuid4

from support.database import TestDatabase, until

from services import notices, people, residents, roles
from services.roles import RoleName
from services.unit import Refused
from tests.services.conftest import VILLAGE, Settler
from tests.services.test_notices_in_depth import (
    OKRUG,
    TEXTS,
    Office,
    claim,
    contents,
    office,
    rows,
)

__all__ = ["office"]
PHONE = "+77010000001"
PERSONAL = "SELECT count(full_name) FROM resident WHERE id = ANY(:ids)"
WAITS = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


async def forget(db: TestDatabase, resident: UUID) -> None:
    async with db.unit() as unit:
        unit.actor = resident
        await residents.forget(unit, resident)


async def waiting(db: TestDatabase) -> None:
    """Somebody waits for a lock."""

    async def found() -> bool:
        return bool(await rows(db, WAITS))

    await until(found)


async def test_while_a_notice_is_being_queued(office: Office, settle: Settler) -> None:
    """Queued by the list of a moment before: it went to somebody who was gone."""
    resident, _ = await settle()
    other, _ = await settle()
    notice = uuid4()
    async with office.db.unit() as unit:
        unit.actor = office.person
        await notices.announce(
            unit, again=True, notice=notice, author_address=office.address, place_code=OKRUG,
            audience=[VILLAGE], texts=TEXTS, monolingual=None,
        )  # fmt: skip
        await notices.queue(unit, notice, contents())
        await forget(office.db, resident)
    found = [one.id for one in await claim(office.db) if one.notice == notice]
    mine = "SELECT delivery_id FROM recipient WHERE resident_id = :r"
    assert [(one,) for one in found] == await rows(office.db, mine, r=other)


async def pair(settle: Settler) -> list[tuple[UUID, UUID]]:
    return [
        await settle(channel=channel, phone=PHONE, phone_proved=True)
        for channel in ("telegram", "whatsapp")
    ]


async def test_while_the_record_is_being_joined(settled: TestDatabase, settle: Settler) -> None:
    """From either chat: both records are the person's by then, and nothing is kept of either."""
    for leaves in (0, 1):
        (kept, _), (gone, address) = await pair(settle)
        async with settled.unit() as unit:
            unit.actor = gone
            await people.join(unit, kept, gone, address, PHONE, date(1986, 3, 5))
            leaving = asyncio.create_task(forget(settled, (kept, gone)[leaves]))
            await waiting(settled)
        await leaving
        assert await rows(settled, PERSONAL, ids=[kept, gone]) == [(0,)]
        await rows(settled, "DELETE FROM departure RETURNING 1")


async def test_while_a_role_is_being_given(settled: TestDatabase, settle: Settler) -> None:
    """Whichever comes first: nobody who is gone holds a role."""
    standing = "SELECT 1 FROM role WHERE revoked_at IS NULL"
    resident, _ = await settle()
    async with settled.unit() as unit:
        await roles.grant(unit, resident, RoleName.AKIM, OKRUG)
        leaving = asyncio.create_task(forget(settled, resident))
        await waiting(settled)
    await leaving
    assert await rows(settled, standing) == []

    async def granted() -> None:
        async with settled.unit() as unit:
            await roles.grant(unit, resident, RoleName.AKIM, OKRUG)

    resident, _ = await settle()
    async with settled.unit() as unit:
        await residents.forget(unit, resident)
        giving = asyncio.create_task(granted())
        await waiting(settled)
    (refused,) = await asyncio.gather(giving, return_exceptions=True)
    assert isinstance(refused, Refused)
    assert await rows(settled, standing) == []
