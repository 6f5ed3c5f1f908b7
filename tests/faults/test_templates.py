"""WhatsApp pauses the template in the middle of a notice, and approves it again; somebody deletes
it at Twilio; Twilio does not make it at all."""

from datetime import timedelta

import pytest
from support.database import until
from support.faults import PATIENCE, add_up, crowd, letters, nothing_left, office, reckon
from support.people import NEXT_VILLAGE, WORDS, move_clock, one, rows, send_notice, settled, words
from support.world import World

from bot.delivery import IN_HAND

WAITING = (
    "SELECT count(*) FROM delivery WHERE outcome IS NULL AND claimed_until IS NULL"
    " AND waiting_for = 'template-unavailable'"
)
DETAIL = "SELECT DISTINCT detail FROM delivery WHERE waiting_for = 'template-unavailable'"
STATUS = "SELECT status FROM content_template WHERE kind = 'notice' AND language = :language"


async def all_wait(world: World, many: int) -> None:
    async def waiting() -> bool:
        return await one(world.db, WAITING) == many

    await until(waiting, PATIENCE)


def templates(world: World) -> list[str]:
    """The resources that announce notices, one a language."""
    return [sid for sid, one in world.emulator.contents.all.items() if one.approval]


async def test_paused_and_told_by_callback(world: World) -> None:
    """Accepted, then 63041: those wait, the others are not even tried, at no process, until it is
    approved again; who writes in the meantime has the full text at once."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = await crowd(world, "o", 2 * IN_HAND, "whatsapp", window=False)
    late = await settled(world, "late", "whatsapp", place=NEXT_VILLAGE, window=False)
    emulator.fault("messages.create", times=IN_HAND, hold=True)
    notice = await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held == IN_HAND, PATIENCE)
    for sid in templates(world):
        emulator.template(sid, "paused")
    emulator.release_answers()
    await all_wait(world, IN_HAND)
    assert sum(letters(world, who.id) for who in many) == IN_HAND
    for language in ("kk", "ru"):
        assert await one(db, STATUS, language=language) == "63041"

    calls = emulator.counters.calls["messages.create"]
    await move_clock(db, [world.app], timedelta(seconds=6))
    other = await send_notice(world, akim, audience=(NEXT_VILLAGE,))
    await all_wait(world, IN_HAND + 1)
    assert emulator.counters.calls["messages.create"] == calls, "a paused template was used"

    curious = next(who for who in many if not letters(world, who.id))
    language = await one(db, "SELECT language FROM address WHERE id = :id", id=curious.address)
    emulator.say(curious.id, "меню" if language == "ru" else "мәзір")
    button = words(language, "notice-read")
    await emulator.wait_for(curious.id, button=button, timeout=PATIENCE)
    await all_wait(world, IN_HAND)

    for sid in templates(world):
        emulator.template(sid, "approved")
    await move_clock(db, [world.app], timedelta(minutes=11))
    world.app.wake()
    await nothing_left(db)
    progress = await reckon(world, notice, many)
    assert (progress.sent, progress.announced) == (1, 2 * IN_HAND - 1)
    assert (await reckon(world, other, [late])).announced == 1


async def test_paused_and_told_by_the_answer(world: World) -> None:
    """Twilio refuses at once: nothing was sent, the rest waits and goes when it is approved."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = await crowd(world, "o", 3 * IN_HAND, "whatsapp", window=False)
    emulator.fault("messages.create", times=IN_HAND // 2, hold=True)
    refusal = {"code": 63041, "message": "Template paused", "status": 400}
    refusing = emulator.fault("messages.create", times=10**6, status=400, body=refusal)
    notice = await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held == IN_HAND // 2, PATIENCE)
    for sid in templates(world):
        emulator.template(sid, "paused")
    emulator.release_answers()
    await all_wait(world, len(many) - IN_HAND // 2)
    assert emulator.counters.calls["messages.create"] <= 2 * IN_HAND, "it went on trying"

    await move_clock(db, [world.app], timedelta(minutes=11))
    world.app.wake()
    calls = emulator.counters.calls["messages.create"]
    asked = emulator.counters.calls["approval.fetch"]
    await emulator.wait_until(
        lambda: emulator.counters.calls["approval.fetch"] > asked, PATIENCE
    )  # asked, and told that it is paused still
    refusing.times = 0
    await all_wait(world, len(many) - IN_HAND // 2)
    assert emulator.counters.calls["messages.create"] == calls
    for sid in templates(world):
        emulator.template(sid, "approved")
    await move_clock(db, [world.app], timedelta(minutes=11))
    world.app.wake()
    await nothing_left(db)
    assert (await reckon(world, notice, many)).announced == len(many)


async def test_deleted_at_twilio(world: World) -> None:
    """The next notice makes it anew: everybody is announced to, nobody is refused."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = await crowd(world, "o", IN_HAND, "whatsapp", window=False)
    await send_notice(world, akim)
    await nothing_left(db)
    before = templates(world)
    for sid in before:
        emulator.contents.delete(sid)
    await move_clock(db, [world.app], timedelta(minutes=6))
    notice = await send_notice(world, akim)
    await nothing_left(db)
    assert (await add_up(world, notice)).announced == len(many)
    assert {letters(world, who.id) for who in many} == {2}
    assert len(templates(world)) == len(before), "one a language, not one a recipient"


@pytest.mark.parametrize("step", ["content.create", "approval.create"])
async def test_refused_by_twilio(world: World, step: str) -> None:
    """The WhatsApp account is not approved yet: the notice waits for everybody's own message, and
    goes to the others by itself once Twilio takes the template."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = await crowd(world, "o", 2 * IN_HAND, "whatsapp", window=False)
    refusal = {"code": 20001, "message": "No WhatsApp Business Account", "status": 400}
    refusing = emulator.fault(step, times=10**6, status=400, body=refusal)
    notice = await send_notice(world, akim)
    await all_wait(world, len(many))
    assert emulator.counters.calls[step] == len(WORDS), "one a language, not one a recipient"
    assert {row.detail for row in await rows(db, DETAIL)} == {"20001"}
    assert (await add_up(world, notice)).waiting == {"template-unavailable": len(many)}

    refusing.times = 0  # what shows buttons to those who write can be made
    for who in many[:2]:
        language = await one(db, "SELECT language FROM address WHERE id = :id", id=who.address)
        emulator.say(who.id, "меню" if language == "ru" else "мәзір")
        button = words(language, "notice-read")
        await emulator.wait_for(who.id, button=button, timeout=PATIENCE)
    await all_wait(world, len(many) - 2)
    await move_clock(db, [world.app], timedelta(minutes=11))
    world.app.wake()
    await nothing_left(db)
    progress = await reckon(world, notice, many)
    assert (progress.sent, progress.announced) == (2, len(many) - 2)
