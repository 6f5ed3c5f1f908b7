"""A notice is corrected while it is being sent: everybody ends with the corrected text; who got
the first one gets the correction, who did not gets the new text alone; nobody a third message."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
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
from services.unit import Unit

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


# In hand at that moment, and what comes of it then

CHANNELS = pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
Change = Callable[[Unit, UUID], Awaitable[bool]]
SLOW = 1.5  # seconds a refusal takes
METHOD = {"telegram": "sendMessage", "whatsapp": "messages.create"}


async def wait_for_reason(world: World, reason: str, many: int) -> None:
    """So many are back from the calls and wait for this."""
    waits = "SELECT count(*) FROM delivery WHERE waiting_for = :reason AND claimed_until IS NULL"

    async def come() -> bool:
        return await one(world.db, waits, reason=reason) >= many

    await until(come, PATIENCE)


async def leased(world: World, many: int) -> None:
    """So many calls are under way; the correction comes well before their answers."""
    leases = "SELECT count(*) FROM delivery WHERE claimed_until IS NOT NULL AND priority >= 2"

    async def taken() -> bool:
        return await one(world.db, leases) == many

    await until(taken, PATIENCE)
    await asyncio.sleep(SLOW / 3)


async def step(world: World, **by: float) -> None:
    await move_clock(world.db, [world.app], timedelta(**by))
    world.app.wake()


@CHANNELS
async def test_in_hand_and_the_answer_is_lost(world: World, channel: str) -> None:
    """They may have the first text: it does not go again, the correction does."""
    emulator = world.emulator
    akim = await office(world)
    many = await crowd(world, "t", 4, channel)
    emulator.hold_statuses()
    emulator.fault(METHOD[channel], times=4, hold=True, drop="after")
    notice = await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held == 4, PATIENCE)
    assert await correct(world, akim, notice)
    emulator.release_answers()
    await wait_for_reason(world, "unknown", 4)
    await step(world, seconds=61)
    await nothing_left(world.db)
    assert {got(world, who) for who in many} == {"12"}


@CHANNELS
async def test_in_hand_and_refused(world: World, channel: str) -> None:
    """Nothing was accepted: they get the new text alone, not marked as a correction."""
    emulator = world.emulator
    akim = await office(world)
    many = await crowd(world, "t", 4, channel)
    emulator.fault(METHOD[channel], times=4, status=503, delay=SLOW)
    notice = await send_notice(world, akim)
    await leased(world, 4)
    assert await correct(world, akim, notice)
    await wait_for_reason(world, "transient", 4)
    await step(world, seconds=16)
    await nothing_left(world.db)
    assert {got(world, who) for who in many} == {"2"}
    marked = ("📢 Түзету", "📢 Исправление")
    said = [text for who in many for text in emulator.texts(who.id)]
    assert not any(mark in text for mark in marked for text in said)
    assert (await add_up(world, notice)).sent == 4


async def test_in_hand_and_the_template_is_paused(world: World) -> None:
    """It waits, and the correction does not wait for it: the old text never comes last."""
    emulator = world.emulator
    akim = await office(world)
    many = await crowd(world, "o", 4, "whatsapp", window=False)
    refusal = {"code": 63041, "message": "template paused", "status": 400}
    emulator.fault("messages.create", times=4, status=400, body=refusal, delay=SLOW)
    notice = await send_notice(world, akim)
    await leased(world, 4)
    assert await correct(world, akim, notice)
    await wait_for_reason(world, "template-unavailable", 4)
    for _ in range(4):
        await step(world, minutes=6)
        await asyncio.sleep(0.3)
    await nothing_left(world.db)
    assert {got(world, who) for who in many} == {"2"}


@CHANNELS
@pytest.mark.parametrize("change", [notice_changes.pause, notice_changes.cancel])
async def test_stopped_while_nobody_knows_whether_it_arrived(
    world: World, channel: str, change: Change
) -> None:
    """After a lost answer it would go once more: not when its office has stopped it."""
    emulator = world.emulator
    akim = await office(world)
    many = await crowd(world, "t", 4, channel)
    emulator.fault(METHOD[channel], times=4, drop="before")
    notice = await send_notice(world, akim)
    await wait_for_reason(world, "unknown", 4)
    async with world.db.unit() as unit:
        unit.actor = akim.resident
        assert await change(unit, notice)
    for _ in range(4):
        await step(world, seconds=40)
        await asyncio.sleep(0.3)
    assert {got(world, who) for who in many} == {""}
    if change is notice_changes.cancel:
        assert (await add_up(world, notice)).failed == {"unknown": 4}
    else:
        async with world.db.unit() as unit:
            unit.actor = akim.resident
            assert await notice_changes.resume(unit, notice)
        world.app.wake()
        await nothing_left(world.db)
        assert {got(world, who) for who in many} == {"1"}
