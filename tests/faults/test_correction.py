"""A notice is corrected while it is being sent: everybody ends with the corrected text; who got
the first one gets the correction, who did not gets the new text alone; nobody a third message."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from support.database import until
from support.faults import PATIENCE, add_up, crowd, nothing_left, office
from support.people import (
    WORDS,
    Somebody,
    another_process,
    move_clock,
    one,
    rows,
    send_notice,
)
from support.world import OKRUG, World

from bot.delivery import IN_HAND
from core.languages import Language
from core.texts import texts
from handlers.notice import composed
from services import notice_changes, territory
from services.notices import NoticeText

NEWER = {
    Language.KK: NoticeText("Су болады", "Жөндеу кейінге қалды."),
    Language.RU: NoticeText("Вода будет", "Ремонт отложен."),
}


def got(world: World, who: Somebody) -> str:
    """What this person has, in order: "1" the first text, "2" the corrected one."""
    said = ""
    for text in world.emulator.texts(who.id):
        old = any(words.title in text for words in WORDS.values())
        new = any(words.title in text for words in NEWER.values())
        said += "1" * old + "2" * new
    return said


async def correct(world: World, akim: Somebody, notice: UUID) -> bool:
    """As the form does it."""
    async with world.db.unit() as unit:
        unit.actor = akim.resident
        place = await territory.akim_of(unit.session, OKRUG)
        stored = [
            {
                one: content.to_json()
                for one, content in composed(
                    texts(), place, notice, NEWER, revision=2, corrected=corrected
                ).items()
            }
            for corrected in (False, True)
        ]
        done = await notice_changes.correct(
            unit,
            notice,
            texts=NEWER,
            monolingual=None,
            revision=2,
            plain=stored[0],
            correction=stored[1],
        )
    world.app.wake()
    return done


async def everybody_ends_with_the_new_text(
    world: World, notice: UUID, many: Sequence[Somebody]
) -> dict[str, str]:
    found = {who.id: got(world, who) for who in many}
    assert set(found.values()) <= {"12", "2"}, found
    progress = await add_up(world, notice)
    assert progress.sent + progress.announced == progress.total == len(many)
    return found


async def test_while_it_is_being_sent(world: World) -> None:
    """Some have it, some are getting it this moment, most do not have it."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = [
        *await crowd(world, "t", 3 * IN_HAND),
        *await crowd(world, "w", 2 * IN_HAND, "whatsapp"),
        *await crowd(world, "o", 2 * IN_HAND, "whatsapp", window=False),
    ]
    for method in ("sendMessage", "messages.create"):
        emulator.fault(method, times=IN_HAND, hold=True)
    notice = await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held == 2 * IN_HAND, PATIENCE)
    assert await correct(world, akim, notice)
    emulator.release_answers()
    await nothing_left(db)
    found = await everybody_ends_with_the_new_text(world, notice, many)
    assert list(found.values()).count("12") >= 2 * IN_HAND, "who was getting it has the correction"
    assert list(found.values()).count("2") >= 3 * IN_HAND, "who had nothing has the new text alone"


async def test_at_two_processes_that_go_on_sending(world: World) -> None:
    """No moment is chosen: they send as fast as they can, and the correction falls where it
    falls."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = [
        *await crowd(world, "t", 120),
        *await crowd(world, "w", 80, "whatsapp"),
    ]
    async with another_process(db, world.app):
        notice = await send_notice(world, akim)
        await emulator.wait_until(lambda: sum(emulator.counters.received.values()) >= 30, PATIENCE)
        assert await correct(world, akim, notice)
        await nothing_left(db)
    found = await everybody_ends_with_the_new_text(world, notice, many)
    assert "12" in found.values()


async def test_twice_at_once(world: World) -> None:
    """The office presses "send the correction" at two processes: it is one correction."""
    db = world.db
    akim = await office(world)
    many = await crowd(world, "t", 20)
    notice = await send_notice(world, akim)
    await nothing_left(db)
    done = await asyncio.gather(*(correct(world, akim, notice) for _ in range(3)))
    assert sorted(done) == [False, False, True]
    await nothing_left(db)
    found = await everybody_ends_with_the_new_text(world, notice, many)
    assert set(found.values()) == {"12"}
    assert await one(db, "SELECT count(*) FROM audit WHERE action = 'notice-corrected'") == 1


async def test_whose_answer_was_lost(world: World) -> None:
    """They may have the first text: they get the correction, and the first one not again."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = await crowd(world, "t", 12)
    emulator.fault("sendMessage", times=3, drop="after")
    emulator.fault("sendMessage", times=3, drop="before")
    notice = await send_notice(world, akim)

    async def unknown() -> bool:
        waiting = "SELECT count(*) FROM delivery WHERE waiting_for = 'unknown'"
        return await one(db, f"{waiting} AND claimed_until IS NULL") == 6

    await until(unknown, PATIENCE)
    assert await correct(world, akim, notice)
    await move_clock(db, [world.app], timedelta(seconds=61))
    world.app.wake()
    await nothing_left(db)
    found = await everybody_ends_with_the_new_text(world, notice, many)
    assert list(found.values()).count("12") == 9
    outcomes = await rows(db, "SELECT outcome FROM delivery WHERE priority >= 2")
    assert [row.outcome for row in outcomes].count("unknown") == 6
