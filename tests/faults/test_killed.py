"""kill -9 in the middle: every person gets it, at most those in flight twice."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from support.database import until
from support.faults import LEFT, PATIENCE, crowd, leases, letters, nothing_left, office, reckon
from support.people import (
    NEXT_VILLAGE,
    address_of,
    another_process,
    move_clock,
    one,
    rows,
    send_notice,
    settled,
)
from support.processes import serving
from support.wire import post_telegram, telegram_tap, telegram_text
from support.world import World

from bot.delivery import IN_HAND
from services import notice_changes

HELD = IN_HAND + 8  # more answers than one process waits for: both processes have some


async def test_a_process_dies_while_a_notice_goes_to_a_thousand(
    outside: World, tmp_path: Path
) -> None:
    """Two processes share the work; one dies with calls that were accepted and not written down.
    The other one sends the rest, and the dead one's part when its leases are over."""
    emulator, db = outside.emulator, outside.db
    akim = await office(outside)
    many = [
        *await crowd(outside, "t", 600),
        *await crowd(outside, "w", 250, "whatsapp"),
        *await crowd(outside, "o", 150, "whatsapp", window=False),
    ]
    curious = [who.id for who in (*many[:5], *many[600:605])]
    port = outside.app.settings.port
    async with AsyncExitStack() as stack:
        doomed, survivor = await asyncio.gather(
            stack.enter_async_context(serving(outside, tmp_path / "1", port)),
            stack.enter_async_context(serving(outside, tmp_path / "2", port)),
        )
        emulator.fault("sendMessage", times=HELD, hold=True)
        emulator.fault("messages.create", times=HELD, hold=True)
        notice = await send_notice(outside, akim)
        await emulator.wait_until(lambda: emulator.faults.held >= 2 * HELD, PATIENCE)
        asked = [emulator.say(who, "меню") for who in curious]
        await doomed.kill()
        in_flight = set().union(*(await leases(db)).values())
        assert await one(db, LEFT) > len(many) / 2, "it was not killed in the middle"
        emulator.release_answers()

        async def only_the_dead_holds_some() -> bool:
            loose = f"{LEFT} AND claimed_until IS NULL AND priority >= 2"
            return not await one(db, loose) and len(await leases(db)) <= 1

        await until(only_the_dead_holds_some, PATIENCE)
        for of_the_dead in (await leases(db)).values():  # on a slow machine they are over by now
            in_flight &= of_the_dead
        await move_clock(db, [outside.app], timedelta(seconds=31))
        await nothing_left(db)
        for act in asked:
            await emulator.wait_acknowledged(act, PATIENCE)
        for who in curious:
            await emulator.wait_for(who, "Бугровое", timeout=PATIENCE)
        await emulator.settle(PATIENCE)
        assert survivor.process.returncode is None
        # A busy machine holds answers longer than a call waits: they go once more after a minute.
        asked_again = await rows(db, "SELECT address_id FROM delivery WHERE attempts > 1")
        in_flight |= {row.address_id for row in asked_again}
        twice = {who.id for who in many if who.address in in_flight}
        progress = await reckon(outside, notice, many, twice=twice)
    assert (progress.sent, progress.announced) == (850, 150)
    again = {who.id for who in many if letters(outside, who.id) == 2}
    assert again, "nothing was in flight: the test shows nothing"
    assert not {who for who in again if not who.startswith("t-")}, "WhatsApp's callbacks told us"
    told = await rows(db, "SELECT count(*) AS n FROM delivery GROUP BY message_id, address_id")
    assert {row.n for row in told} == {1}
    for log in (doomed.log, survivor.log):
        assert "Тұрғын" not in log.read_text()
        assert emulator.person("w-1").phone not in log.read_text()


async def test_the_callbacks_come_when_the_leases_of_the_dead_are_over(
    outside: World, tmp_path: Path
) -> None:
    """All calls were accepted, all answers are lost with the process, and one of its two notices is
    cancelled before WhatsApp says anything. Whoever has it is counted so, and gets no other."""
    emulator, db = outside.emulator, outside.db
    akim = await office(outside)
    inside = await crowd(outside, "w", 6, "whatsapp")
    out = await crowd(outside, "o", 3, "whatsapp", window=False)
    others = await crowd(outside, "n", 6, "whatsapp", place=NEXT_VILLAGE)
    emulator.hold_statuses()
    emulator.fault("messages.create", times=15, hold=True)
    port = outside.app.settings.port
    async with serving(outside, tmp_path, port) as doomed:
        notice = await send_notice(outside, akim)
        cancelled = await send_notice(outside, akim, (NEXT_VILLAGE,))
        await emulator.wait_until(lambda: emulator.faults.held == 15, PATIENCE)
        await doomed.kill()
    emulator.release_answers()
    await emulator.settle(PATIENCE)
    await move_clock(db, [outside.app], timedelta(seconds=31))
    async with db.unit() as unit:
        unit.actor = akim.resident
        assert await notice_changes.cancel(unit, cancelled)
    outcomes = "SELECT DISTINCT outcome FROM delivery WHERE priority >= 2 ORDER BY 1"
    assert [row.outcome for row in await rows(db, outcomes)] == ["unknown", None]
    # Only that they are on their way: the phones are off, and no "delivered" proves anything.
    held = emulator.statuses.held or []
    said = [place for place, (_, status, _) in enumerate(held) if status == "sent"]
    async with another_process(db, outside.app, serving=False, port=port) as listening:
        emulator.release_statuses(said)
        await emulator.settle(PATIENCE)
        assert [row.outcome for row in await rows(db, outcomes)] == ["announced", "sent"]
        await move_clock(db, [outside.app, listening.app], timedelta(minutes=2))
        for sender in listening.app.senders.values():
            await sender.pass_once()
    assert emulator.counters.calls["messages.create"] == 15
    progress = await reckon(outside, notice, [*inside, *out])
    assert (progress.sent, progress.announced) == (6, 3)
    assert (await reckon(outside, cancelled, others)).sent == 6


async def test_a_process_that_commits_and_never_sends(world: World) -> None:
    """Its senders are dead, its web server is not: the replies come from the other process."""
    emulator, db = world.emulator, world.db
    await settled(world, "petr")
    async with another_process(db, world.app, serving=False) as mute:
        url = address_of(mute)
        question = telegram_text(emulator.person("petr"), 7001, "меню")
        assert await post_telegram(url, question) == 200
        assert await one(db, LEFT) == 1
        await move_clock(db, [world.app, mute.app], timedelta(seconds=31))
        world.app.wake()
        await emulator.wait_for("petr", "Бугровое", timeout=PATIENCE)
        # A tap in the meantime is not stuck behind it, and the same question again is answered
        # already.
        tap = telegram_tap(emulator.person("petr"), 7002, "d.menu")
        assert await post_telegram(url, tap) == 200
        assert await post_telegram(world.url, question) == 200
        await move_clock(db, [world.app, mute.app], timedelta(seconds=31))
        world.app.wake()
        await emulator.wait_for("petr", "Бугровое", count=2, timeout=PATIENCE)
    await nothing_left(db)
    assert len(emulator.received("petr")) == 2
