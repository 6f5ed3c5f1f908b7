"""Who may do what is checked in the service; a hot turn takes three statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from support.database import TestDatabase, until
from support.people import (
    ELSEWHERE,
    NEXT_VILLAGE,
    VILLAGE,
    WORDS,
    move_clock,
    one,
    rows,
    send_notice,
    settled,
    words,
)
from support.wire import post_telegram, telegram_tap
from support.world import OKRUG, World

from bot.delivery import Sender
from core.ids import short
from core.languages import Language
from services import notices, residents, roles
from services.notices import NoticeText
from services.roles import RoleName
from services.unit import Refused


async def test_an_invitation_is_used_once(world: World) -> None:
    """The second to open the link, an unknown code, one of last month: no role, noted."""
    emulator = world.emulator
    async with world.db.unit() as unit:
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)
        late = await roles.invite(unit, RoleName.AKIM, OKRUG)
    for who in ("first", "second"):
        await settled(world, who)
    emulator.start_bot("first", f"i_{code}")
    await emulator.wait_for("first", words("ru", "role-granted"))
    emulator.start_bot("second", f"i_{code}")
    await emulator.wait_for("second", words("ru", "refused-invitation-used"))
    emulator.start_bot("second", f"i_{'X' * len(code)}")
    await emulator.wait_for("second", words("ru", "refused-invitation-unknown"))
    await move_clock(world.db, [world.app], timedelta(days=7))
    emulator.start_bot("second", f"i_{late}")
    await emulator.wait_for("second", words("ru", "refused-invitation-expired"))
    assert await one(world.db, "SELECT count(*) FROM role") == 1
    noted = await rows(
        world.db,
        "SELECT details->>'reason' AS why FROM audit WHERE action = 'invitation-refused'"
        " ORDER BY id",
    )
    assert [row.why for row in noted] == [
        f"refused-invitation-{why}" for why in ("used", "unknown", "expired")
    ]
    codes = await rows(world.db, "SELECT details::text, object_id FROM audit")
    assert code not in str(codes)


async def test_one_invitation_two_processes(world: World) -> None:
    """Both open the link at the same moment: one role."""
    import asyncio

    from support.wire import telegram_text

    async with world.db.unit() as unit:
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)
    updates = []
    for number, who in enumerate(("first", "second", "third")):
        await settled(world, who)
        person = world.emulator.person(who)
        updates.append(telegram_text(person, 7001 + number, f"/start i_{code}"))
    await asyncio.gather(*(post_telegram(world.url, update) for update in updates))
    assert await one(world.db, "SELECT count(*) FROM role") == 1
    refused = "SELECT count(*) FROM audit WHERE action = 'invitation-refused'"
    assert await one(world.db, refused) == 2


async def test_a_villager_forges_the_akims_buttons(world: World) -> None:
    """ "New notice" and "send" tapped by somebody without the role: refused, noted, nothing out."""
    emulator = world.emulator
    petr = await settled(world, "petr")
    deputy = await settled(world, "deputy", role=RoleName.DEPUTY)
    number = 9400
    for somebody in (petr, deputy):
        person = emulator.person(somebody.id)
        for code in ("notice-new", "n-send"):
            turn = await one(
                world.db, "SELECT turn FROM address WHERE id = :id", id=somebody.address
            )
            for head in (f"s.{turn}", "d"):
                number += 1
                tap = telegram_tap(person, number, f"{head}.{code}")
                assert await post_telegram(world.url, tap) == 200
        await emulator.wait_for(somebody.id, words("ru", "refused-role"))
    assert await one(world.db, "SELECT count(*) FROM notice") == 0
    assert await one(world.db, "SELECT count(*) FROM dead_letter") == 0
    noted = await rows(world.db, "SELECT actor_id, action FROM audit WHERE action IN"
                       " ('role-missing', 'tap-refused')")  # fmt: skip
    for somebody in (petr, deputy):
        mine = [row.action for row in noted if row.actor_id == somebody.resident]
        assert set(mine) == {"role-missing", "tap-refused"}, mine


async def test_the_service_refuses(village: TestDatabase) -> None:
    """notices.announce by itself: no role, outside the place, one language, role ended."""

    async def send(unit, actor, **changed) -> bool:
        unit.actor = actor
        given = {
            "notice": unit.new_id(),
            "author_address": unit.new_id(),
            "place_code": OKRUG,
            "audience": [VILLAGE],
            "texts": WORDS,
            "monolingual": None,
        }
        return await notices.announce(unit, **given | changed) is not None

    async with village.unit() as unit:
        person = residents.Resident(
            id=unit.new_id(), language="ru", level="declared", created_at=unit.now
        )
        unit.session.add(person)
        await unit.session.flush()

    async def refused(reason: str, actor, **changed) -> None:
        async with village.unit() as unit:
            with pytest.raises(Refused, match=reason):
                await send(unit, actor, **changed)

    await refused("refused-role", None)
    await refused("refused-role", person.id)
    async with village.unit() as unit:
        await roles.grant(unit, person.id, RoleName.AKIM, OKRUG)
    await refused("refused-role", person.id, audience=[VILLAGE, ELSEWHERE])
    await refused("refused-role", person.id, place_code="595030000", audience=[ELSEWHERE])
    await refused("refused-role", person.id, place_code="595000000", audience=[VILLAGE])
    await refused("refused-role", person.id, audience=["000000000"])
    only = {Language.KK: NoticeText("а", "б")}
    await refused("refused-one-language", person.id, texts=only)
    await refused("refused-one-language", person.id, monolingual=Language.KK)
    async with village.unit() as unit:
        assert await roles.revoke(unit, person.id, RoleName.AKIM, OKRUG)
    await refused("refused-role", person.id, audience=[NEXT_VILLAGE])
    assert await one(village, "SELECT count(*) FROM notice") == 0
    noted = "SELECT count(*) FROM audit WHERE action IN ('role-missing', 'audience-outside')"
    assert await one(village, noted) == 7


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """What is sent to the database by this engine meanwhile."""
    seen: list[str] = []

    def note(connection, cursor, statement, parameters, context, many) -> None:
        seen.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


async def test_a_receipt_takes_three_statements(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hot tap: intake, effect, finish, and no more (DESIGN 2, "shape"); also the second one."""

    idle: set[UUID] = set()

    async def nothing(sender: Sender, *_: object) -> list[object]:
        idle.add(sender.account)
        return []  # sending uses the same connections

    await settled(world, "petr")
    akim = await settled(world, "akim", role=RoleName.AKIM)
    notice = await send_notice(world, akim)
    await world.emulator.wait_for("petr", "Ремонт водопровода")
    person = world.emulator.person("petr")

    async def all_sent() -> bool:
        return not await one(world.db, "SELECT count(*) FROM delivery WHERE outcome IS NULL")

    await until(all_sent)
    monkeypatch.setattr(Sender, "send_now", nothing)
    monkeypatch.setattr(Sender, "_start_due", nothing)

    async def all_idle() -> bool:
        for sender in world.app.senders.values():
            sender.wake()
        return idle.issuperset(world.app.senders)

    await until(all_idle)  # the passes that were under way are over
    for number in (9001, 9002):
        tap = telegram_tap(person, number, f"d.read.{short(notice)}.1")
        with statements(world.app.database.turns) as seen:
            assert await post_telegram(world.url, tap) == 200
        assert len(seen) == 3, seen
    with statements(world.app.database.turns) as seen:
        assert await post_telegram(world.url, tap) == 200
    assert len(seen) == 1, "a duplicate costs one"
    heard = "SELECT count(*) FROM recipient WHERE acknowledged_at IS NOT NULL"
    assert await one(world.db, heard) == 1
