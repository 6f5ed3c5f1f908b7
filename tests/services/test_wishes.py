"""Kinds of notices are muted and heard again; what is urgent always comes."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from models.people import Resident
from rules.notices import NoticeKind
from services import people, rulebook, wishes
from services.unit import Refused
from tests.services.conftest import VILLAGE, Settler

ANNOUNCEMENT, UTILITIES, EVENT, URGENT = NoticeKind


async def muted(db: TestDatabase, person: UUID) -> list[str]:
    async with db.session() as session:
        return (await session.get_one(Resident, person)).muted


async def mute(db: TestDatabase, person: UUID, kind: NoticeKind, *, off: bool = True) -> None:
    async with db.unit() as unit:
        unit.actor = person
        await wishes.mute(unit, person, kind, muted=off)


async def test_kinds_are_muted_and_heard_again(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        assert await wishes.wishes(unit, person) == wishes.Wishes(
            (ANNOUNCEMENT, UTILITIES, EVENT), frozenset(), (URGENT,), None
        )
    for kind in (UTILITIES, EVENT, EVENT):
        await mute(settled, person, kind)
    assert await muted(settled, person) == ["event", "utilities"]
    await mute(settled, person, EVENT, off=False)
    await mute(settled, person, ANNOUNCEMENT, off=False)
    assert await muted(settled, person) == ["utilities"]
    async with settled.unit() as unit:
        await people.prefer(unit, person, "whatsapp")
        found = await wishes.wishes(unit, person)
        assert (found.muted, found.first) == ({UTILITIES}, "whatsapp")
        audited = await unit.session.scalars(
            text("SELECT details FROM audit WHERE action = 'kinds-muted' ORDER BY id")
        )
    changes = [["utilities"], ["event", "utilities"], ["utilities"]]
    assert [row["kinds"] for row in audited] == changes, "what changed nothing is not noted"


async def test_two_taps_at_once_lose_neither(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle()
    await asyncio.gather(*(mute(settled, person, one) for one in (ANNOUNCEMENT, UTILITIES, EVENT)))
    assert await muted(settled, person) == ["announcement", "event", "utilities"]


async def test_what_is_urgent_is_not_muted(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle()
    await mute(settled, person, UTILITIES)
    async with settled.unit() as unit:
        await rulebook.decide(unit, "urgent-kinds", "urgent,utilities", VILLAGE, "Решение № 1")
        after = await wishes.wishes(unit, person)
        assert (after.may_mute, after.muted) == ((ANNOUNCEMENT, EVENT), frozenset())
        for kind in (URGENT, UTILITIES):
            with pytest.raises(Refused, match="refused-urgent"):
                await wishes.mute(unit, person, kind, muted=True)
        # The choice of before is kept, and does not stand in the way of another one.
        await wishes.mute(unit, person, EVENT, muted=True)
    assert await muted(settled, person) == ["event", "utilities"]
    async with settled.session() as session:
        refused = text("SELECT count(*) FROM audit WHERE action = 'mute-refused'")
        assert (await session.execute(refused)).scalar_one() == 2
