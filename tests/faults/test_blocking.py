"""People who block us and come back in the middle of a notice."""

import pytest
from support.database import until
from support.faults import (
    PATIENCE,
    add_up,
    crowd,
    letters,
    nothing_left,
    office,
    on_its_way,
    reckon,
)
from support.people import Somebody, one, rows, send_notice, words
from support.wire import post_twilio
from support.world import SENDER, World

from core.ids import short


async def outcome(world: World, who: Somebody, notice: object) -> str | None:
    statement = (
        "SELECT d.outcome FROM recipient AS r JOIN delivery AS d ON d.id = r.delivery_id"
        " WHERE r.notice_id = :n AND r.resident_id = :r"
    )
    return await one(world.db, statement, n=notice, r=who.resident)


async def test_on_telegram(world: World) -> None:
    """Blocked and back before it was sent: gets it, once. Blocked: is not even tried. Blocked
    without a word to us: 403, and the next notice does not try. All of them come back."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = await crowd(world, "t", 30)
    back, blocked, silent, *rest = many
    async with on_its_way(world, akim, *many) as notice:
        for who in (back, blocked):
            await emulator.wait_acknowledged(emulator.block(who.id), PATIENCE)
        await emulator.wait_acknowledged(emulator.unblock(back.id), PATIENCE)
        emulator.chat_state(silent.id).blocked = True
    assert [await outcome(world, who, notice) for who in (back, blocked, silent)] == [
        "sent",
        "blocked",
        "blocked",
    ]
    assert letters(world, blocked.id) == letters(world, silent.id) == 0
    progress = await reckon(world, notice, [back, *rest])
    assert (progress.sent, progress.failed) == (28, {"blocked": 2})
    tried = emulator.counters.refused["Forbidden: bot was blocked by the user"]
    assert tried == 1, "who has told us is not tried"
    stopped = await rows(db, "SELECT id FROM address WHERE stopped_at IS NOT NULL")
    assert {row.id for row in stopped} == {blocked.address, silent.address}

    await emulator.wait_acknowledged(emulator.unblock(blocked.id), PATIENCE)
    emulator.chat_state(silent.id).blocked = False
    emulator.say(silent.id, "/start")  # the messenger's own word of it was lost
    language = await one(db, "SELECT language FROM address WHERE id = :id", id=silent.address)
    await emulator.wait_for(silent.id, words(language, "resumed"), timeout=PATIENCE)
    assert await one(db, "SELECT count(*) FROM address WHERE stopped_at IS NOT NULL") == 0
    again = await send_notice(world, akim)
    await nothing_left(db)
    assert (await add_up(world, again)).sent == 30
    assert [letters(world, who.id) for who in (back, blocked, silent)] == [2, 1, 1]
    assert await outcome(world, blocked, notice) == "blocked", "what was counted stays"


@pytest.mark.parametrize("window", [True, False])
async def test_on_whatsapp(world: World, *, window: bool) -> None:
    """The refusal comes by callback, after the message was accepted; whoever writes again and
    wants messages has them from the next notice on."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = await crowd(world, "w", 20, "whatsapp", window=window)
    back, blocked, *rest = many
    async with on_its_way(world, akim, *many) as notice:
        emulator.block(back.id)
        emulator.block(blocked.id)
        emulator.unblock(back.id)

    async def told() -> bool:
        return await outcome(world, blocked, notice) == "blocked"

    await until(told, PATIENCE)
    progress = await reckon(world, notice, [back, *rest])
    reached = progress.sent if window else progress.announced
    assert (reached, progress.failed) == (19, {"blocked": 1})
    stopped = await rows(db, "SELECT id FROM address WHERE stopped_at IS NOT NULL")
    assert [row.id for row in stopped] == [blocked.address]

    emulator.unblock(blocked.id)
    language = await one(db, "SELECT language FROM address WHERE id = :id", id=blocked.address)
    emulator.say(blocked.id, "бастау" if language == "kk" else "начать")
    await emulator.wait_for(blocked.id, words(language, "resumed"), timeout=PATIENCE)
    again = await send_notice(world, akim)
    await nothing_left(db)
    await add_up(world, again)
    assert letters(world, blocked.id) == 1


async def test_a_refusal_that_comes_late_stops_nobody_who_is_back(world: World) -> None:
    """WhatsApp: the callback comes once more after the person has come back."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    (who,) = await crowd(world, "w", 1, "whatsapp")
    emulator.chat_state(who.id).blocked = True
    notice = await send_notice(world, akim)

    async def told() -> bool:
        return await outcome(world, who, notice) == "blocked"

    await until(told, PATIENCE)
    (sent,) = await rows(db, "SELECT id, platform_id FROM delivery WHERE priority >= 2")
    emulator.unblock(who.id)
    language = await one(db, "SELECT language FROM address WHERE id = :id", id=who.address)
    emulator.say(who.id, "бастау" if language == "kk" else "начать")
    await emulator.wait_for(who.id, words(language, "resumed"), timeout=PATIENCE)
    form = {"MessageSid": sent.platform_id, "From": SENDER, "MessageStatus": "failed"}
    path = f"/whatsapp/status?d={short(sent.id)}&a=0"
    assert await post_twilio(world.url, form | {"ErrorCode": "63033"}, path) == 200
    assert await one(db, "SELECT count(*) FROM address WHERE stopped_at IS NOT NULL") == 0


async def test_a_refusal_under_way_while_the_person_comes_back(world: World) -> None:
    """Telegram: the 403 is on its way when the unblocking is told."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    (who,) = await crowd(world, "t", 1)
    emulator.chat_state(who.id).blocked = True
    emulator.fault("sendMessage", hold=True)
    await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held == 1, PATIENCE)
    await emulator.wait_acknowledged(emulator.unblock(who.id), PATIENCE)
    emulator.release_answers()
    await nothing_left(db)
    assert await one(db, "SELECT count(*) FROM address WHERE stopped_at IS NOT NULL") == 0
