"""The platforms refuse, are down, lose answers, report late: every person gets it once."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from urllib.parse import urldefrag

import pytest
from support.database import until
from support.faults import (
    PATIENCE,
    add_up,
    chain_holds,
    crowd,
    every_delivery_is_accounted_for,
    leases,
    letters,
    nothing_left,
    office,
    reckon,
)
from support.people import another_process, move_clock, one, rows, send_notice, settled, words
from support.wire import post_twilio
from support.world import SENDER, World

from bot.delivery import IN_HAND
from core.ids import short
from emulator.twilio_out import Sent
from services import outbox, reports

METHOD = {"telegram": "sendMessage", "whatsapp": "messages.create"}
BOTH = pytest.mark.parametrize("channel", ["telegram", "whatsapp"])


async def waiting(world: World, reason: str) -> int:
    """How many notices wait for this reason, and are in nobody's hands."""
    statement = (
        "SELECT count(*) FROM delivery WHERE priority >= 2 AND outcome IS NULL"
        " AND waiting_for = :reason AND claimed_until IS NULL"
    )
    return await one(world.db, statement, reason=reason)


# Slow


@BOTH
async def test_a_platform_slower_than_a_lease(world: World, channel: str) -> None:
    """A large file took a minute, its lease thirty seconds: another process sent it, too. What is
    in hand is renewed; a process that comes in meanwhile finds nothing to do."""
    emulator, db = world.emulator, world.db
    who = await settled(world, "petr", channel)
    emulator.hold_statuses()  # WhatsApp's word would settle it before its answer
    async with another_process(db, world.app) as running:
        emulator.fault(METHOD[channel], times=1, hold=True)
        act = emulator.say("petr", "меню")
        await emulator.wait_until(lambda: emulator.faults.held == 1, PATIENCE)
        for _ in range(3):
            await move_clock(db, [world.app, running.app], timedelta(seconds=29))

            async def renewed() -> bool:
                left = "SELECT claimed_until - :now FROM delivery WHERE attempts = 0"
                remaining: timedelta = await one(db, left, now=db.clock.now())
                return remaining > timedelta(seconds=25)

            await until(renewed, PATIENCE)
        assert await running.app.senders[who.account].pass_once() == 0
        emulator.release_answers()
        await emulator.wait_acknowledged(act, PATIENCE)
        await nothing_left(db)
    assert len(emulator.received("petr")) == 1


# 429


async def test_a_storm_of_429_at_three_processes(world: World) -> None:
    """Telegram says: 40 seconds. One process hears it, three obey; then everybody gets it."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = await crowd(world, "t", 90)
    async with AsyncExitStack() as stack:
        others = [await stack.enter_async_context(another_process(db, world.app)) for _ in range(2)]
        apps = [world.app, *(running.app for running in others)]
        emulator.fault("sendMessage", times=12, retry_after=40)
        notice = await send_notice(world, akim)
        for app in apps:
            app.wake()
        senders = [app.senders[many[0].account] for app in apps]

        async def all_have_stopped() -> bool:
            free = "SELECT count(*) FROM delivery WHERE claimed_until IS NOT NULL"
            left = await one(db, f"{free} AND outcome IS NULL")
            return not left and all(sender._held() for sender in senders)

        await until(all_have_stopped, PATIENCE)
        calls = emulator.counters.calls["sendMessage"]
        await asyncio.gather(*(sender.pass_once() for sender in senders))
        assert emulator.counters.calls["sendMessage"] == calls, "somebody did not obey"
        assert sum(letters(world, who.id) for who in many) < len(many)
        await move_clock(db, apps, timedelta(seconds=41))
        await nothing_left(db)
    assert emulator.counters.too_many == 12
    progress = await reckon(world, notice, many)
    assert progress.sent == len(many)


async def test_a_storm_by_telegrams_own_limits(world: World) -> None:
    """We believe in 400 a second, Telegram takes about 30, and nothing is scripted: what is in hand
    is refused, the others are not even tried, and so it goes until everybody has it."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = await crowd(world, "t", 200)
    emulator.switch(telegram_limits=True, telegram_retry_after=12)
    taken = emulator.switches.telegram_per_second + emulator.switches.telegram_slack
    async with another_process(db, world.app) as other:
        senders = [app.senders[many[0].account] for app in (world.app, other.app)]
        notice = await send_notice(world, akim)
        other.app.wake()

        async def all_have_stopped() -> bool:
            return all(sender._held() for sender in senders) and not await leases(db)

        await until(all_have_stopped, PATIENCE)
        calls = emulator.counters.calls["sendMessage"]
        # Until the first refusal is written down, what has gone makes room for as much again.
        assert taken < calls <= taken + 2 * len(senders) * IN_HAND < len(many)
        emulator.switch(telegram_retry_after=0, telegram_per_second=80)
        await nothing_left(db)
    assert (await reckon(world, notice, many)).sent == len(many)


async def test_throttled_by_twilio(world: World) -> None:
    """429 names no time there: a second for the whole account, as often as it takes."""
    emulator = world.emulator
    akim = await office(world)
    many = await crowd(world, "w", 40, "whatsapp")
    emulator.fault("messages.create", times=20, retry_after=3)
    async with another_process(world.db, world.app):
        notice = await send_notice(world, akim)
        await nothing_left(world.db)
    assert emulator.counters.too_many == 20
    assert (await reckon(world, notice, many)).sent == len(many)
    assert emulator.counters.calls["messages.create"] == 20 + len(many)


# 5xx


@BOTH
async def test_server_errors_for_an_hour(world: World, channel: str) -> None:
    """Each try is refused until the platform is back: then everybody gets it, once."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = await crowd(world, "p", 30, channel)
    down = emulator.fault(METHOD[channel], times=10**6, status=503)
    notice = await send_notice(world, akim)
    for attempt, pause in enumerate(outbox.PAUSES, start=1):

        async def all_tried(attempt: int = attempt) -> bool:
            least = await one(db, "SELECT min(attempts) FROM delivery WHERE priority >= 2")
            return least >= attempt and await waiting(world, "transient") == len(many)

        await until(all_tried, PATIENCE)
        if attempt == len(outbox.PAUSES):
            down.times = 0
        await move_clock(db, [world.app], pause + timedelta(seconds=1))
        world.app.wake()
    await nothing_left(db)
    assert (await reckon(world, notice, many)).sent == len(many)


@BOTH
async def test_server_errors_for_ever(world: World, channel: str) -> None:
    """It ends: everybody has the outcome "unreachable", the notice is over, its author is told."""
    emulator, db = world.emulator, world.db
    other = "whatsapp" if channel == "telegram" else "telegram"
    akim = await office(world, other)
    many = await crowd(world, "p", 10, channel)
    emulator.fault(METHOD[channel], times=10**6, status=500)
    notice = await send_notice(world, akim)
    for attempt in range(1, outbox.NOTICE_TRIES):

        async def all_tried(attempt: int = attempt) -> bool:
            least = await one(db, "SELECT min(attempts) FROM delivery WHERE priority >= 2")
            return least >= attempt and await waiting(world, "transient") == len(many)

        await until(all_tried, PATIENCE)
        await move_clock(db, [world.app], timedelta(hours=1, seconds=1))
        world.app.wake()

    async def finished() -> bool:
        return await one(db, "SELECT status FROM notice") == "finished"

    await until(finished, PATIENCE)
    progress = await add_up(world, notice)
    assert progress.failed == {"unreachable": len(many)}
    assert sum(letters(world, who.id) for who in many) == 0
    details = await rows(db, "SELECT DISTINCT detail FROM delivery WHERE outcome = 'unreachable'")
    assert [row.detail for row in details] == ["5xx" if channel == "telegram" else "20500"]


# Lost answers and what the callbacks say


async def test_answers_lost_after_acceptance(world: World) -> None:
    """On WhatsApp the callbacks settle it; Telegram says nothing, so once more after a minute."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    tg = await crowd(world, "t", 12)
    wa = await crowd(world, "w", 12, "whatsapp")
    out = await crowd(world, "o", 12, "whatsapp", window=False)
    emulator.hold_statuses()
    emulator.fault("sendMessage", times=5, drop="after")
    emulator.fault("messages.create", times=24, drop="after")
    notice = await send_notice(world, akim)

    async def all_called() -> bool:
        return await waiting(world, "unknown") == 29

    await until(all_called, PATIENCE)
    emulator.release_statuses()

    async def telegram_alone() -> bool:
        return await waiting(world, "unknown") == 5

    await until(telegram_alone, PATIENCE)
    await move_clock(db, [world.app], timedelta(seconds=61))
    world.app.wake()
    await nothing_left(db)
    again = {who.id for who in tg if letters(world, who.id) == 2}
    assert len(again) == 5
    progress = await reckon(world, notice, [*tg, *wa, *out], twice=again)
    assert (progress.sent, progress.announced) == (24, 12), "an announcement is not the full text"
    assert emulator.counters.calls["messages.create"] == 24


@pytest.mark.parametrize("window", [True, False])
async def test_callbacks_before_an_answer_that_is_lost(world: World, window: bool) -> None:
    """All callbacks have come while we wait for the answer, which never comes: nothing is to be
    settled later, and nothing is sent again."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    wa = await crowd(world, "w", 6, "whatsapp", window=window)
    emulator.fault("messages.create", times=6, hold=True, drop="after")
    notice = await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held == 6, PATIENCE)

    async def told() -> bool:
        return await one(db, "SELECT count(read_at) FROM delivery WHERE priority >= 2") == 6

    await until(told, PATIENCE)
    emulator.release_answers()
    await nothing_left(db)
    await move_clock(db, [world.app], timedelta(minutes=2))
    await asyncio.gather(*(sender.pass_once() for sender in world.app.senders.values()))
    progress = await reckon(world, notice, wa)
    assert (progress.sent, progress.announced) == ((6, 0) if window else (0, 6))


async def test_callbacks_before_the_answer(world: World) -> None:
    """The same, and the answer comes: what was sent is written down all the same."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    wa = await crowd(world, "w", 6, "whatsapp")
    emulator.fault("messages.create", times=6, hold=True)
    notice = await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held == 6, PATIENCE)

    async def told() -> bool:
        return await one(db, "SELECT count(read_at) FROM delivery WHERE priority >= 2") == 6

    await until(told, PATIENCE)
    emulator.release_answers()

    async def written() -> bool:
        return await one(db, "SELECT count(rendered) FROM delivery WHERE priority >= 2") == 6

    await until(written, PATIENCE)
    assert (await reckon(world, notice, wa)).sent == 6


async def test_callbacks_late_twice_and_in_any_order(world: World) -> None:
    """A day later, each twice, the last first: the counts are what they would have been."""
    emulator, db = world.emulator, world.db
    emulator.switch(status_copies=2)
    akim = await office(world)
    wa = await crowd(world, "w", 5, "whatsapp")
    out = await crowd(world, "o", 5, "whatsapp", window=False)
    emulator.hold_statuses()
    notice = await send_notice(world, akim)
    await nothing_left(db)
    await emulator.wait_until(lambda: len(emulator.statuses.held or ()) == 40, PATIENCE)
    await move_clock(db, [world.app], timedelta(days=1))
    emulator.release_statuses(order=list(reversed(range(40))))
    await emulator.settle(PATIENCE)
    progress = await reckon(world, notice, [*wa, *out])
    assert (progress.sent, progress.announced) == (5, 5)
    assert (progress.delivered, progress.read) == (10, 5), "an announcement is one line"
    assert {entry["http"] for entry in emulator.statuses.log} == {200}


async def test_a_callback_that_meets_no_database_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its failure is not lost: Twilio is asked to come again, and the person is not counted as
    reached."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    (wera,) = await crowd(world, "w", 1, "whatsapp")
    emulator.chat_state("w-1").blocked = True
    original, away = reports.take, [1, 1, 1]

    async def sometimes(*given, **more) -> None:
        if away:
            away.pop()
            raise ConnectionResetError
        await original(*given, **more)

    monkeypatch.setattr(reports, "take", sometimes)
    notice = await send_notice(world, akim)
    await nothing_left(db)

    async def blocked() -> bool:
        return await one(db, "SELECT outcome FROM delivery WHERE priority >= 2") == "blocked"

    await until(blocked, PATIENCE)
    assert (await add_up(world, notice)).failed == {"blocked": 1}
    assert letters(world, wera.id) == 0


@pytest.mark.parametrize("signed", [True, False])
async def test_whether_or_not_the_overrides_are_signed(world: World, *, signed: bool) -> None:
    """ "#rc=5&rp=all": nobody has written down whether Twilio signs it; both are taken."""
    emulator, db = world.emulator, world.db
    emulator.switch(fragment_signed=signed)
    emulator.add_sender(SENDER, webhook=f"{world.url}/whatsapp#rc=5&rp=all")
    await settled(world, "wera", "whatsapp")
    emulator.say("wera", "меню")
    await emulator.wait_for("wera", "Бугровое", timeout=PATIENCE)
    await emulator.settle(PATIENCE)
    assert await one(db, "SELECT count(read_at) FROM delivery") == 1


async def test_a_callback_of_an_earlier_try(world: World) -> None:
    """The first try failed; its late "sent" says nothing of the second one, which is under way."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    (wera,) = await crowd(world, "w", 1, "whatsapp")
    emulator.hold_statuses()
    notice = await send_notice(world, akim)
    await nothing_left(db)
    (first,) = await rows(db, "SELECT id, platform_id FROM delivery WHERE priority >= 2")
    form = {"MessageSid": first.platform_id, "From": SENDER}
    path = f"/whatsapp/status?d={short(first.id)}"
    failed = form | {"MessageStatus": "failed", "ErrorCode": "63012"}
    assert await post_twilio(world.url, failed, path) == 200
    assert await waiting(world, "transient") == 1
    emulator.fault("messages.create", hold=True, drop="after")
    await move_clock(db, [world.app], timedelta(seconds=16))
    world.app.wake()
    await emulator.wait_until(lambda: emulator.faults.held == 1, PATIENCE)
    assert await post_twilio(world.url, form | {"MessageStatus": "sent"}, path) == 200
    assert await one(db, "SELECT outcome FROM delivery WHERE priority >= 2") is None
    emulator.release_answers()

    async def unknown() -> bool:
        return await waiting(world, "unknown") == 1

    await until(unknown, PATIENCE)
    emulator.release_statuses()  # among them those of the second try
    await emulator.settle(PATIENCE)
    assert (await reckon(world, notice, [wera], twice=[wera.id])).sent == 1


@pytest.mark.parametrize("early", [True, False])
async def test_a_failure_that_is_told_again_during_the_next_try(
    world: World, *, early: bool
) -> None:
    """The first try failed, said before its answer or after it. That word comes once more (Twilio
    repeats itself) while the second try is in hand: it was taken for the second's, whose answer
    was thrown away, and there was a third."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    (wera,) = await crowd(world, "w", 1, "whatsapp")
    emulator.hold_statuses()
    emulator.fault("messages.create", times=2, hold=True)
    notice = await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held == 1, PATIENCE)
    if not early:
        emulator.release_answers()
        await nothing_left(db)
    (first,) = (sent for sent in emulator.out.sent.values() if not sent.inbound)
    failed = {"MessageSid": first.sid, "From": SENDER, "MessageStatus": "failed"}
    path = urldefrag(first.callback).url.removeprefix(world.url)

    async def says_that_it_failed() -> None:
        assert await post_twilio(world.url, failed | {"ErrorCode": "63012"}, path) == 200

    async def in_nobodys_hands() -> bool:
        return not world.app.senders[wera.account]._going

    await says_that_it_failed()
    emulator.release_answers()
    await until(in_nobodys_hands, PATIENCE)
    assert await waiting(world, "transient") == 1
    await move_clock(db, [world.app], timedelta(seconds=16))
    world.app.wake()
    await emulator.wait_until(lambda: emulator.faults.held == 1, PATIENCE)
    in_hand = "SELECT attempts, waiting_for FROM delivery WHERE claimed_until IS NOT NULL"
    before = await rows(db, in_hand)
    await says_that_it_failed()
    assert await rows(db, in_hand) == before != []
    emulator.release_answers()
    await nothing_left(db)
    await says_that_it_failed()
    assert await one(db, "SELECT attempts FROM delivery WHERE outcome = 'sent'") == 2
    assert emulator.counters.calls["messages.create"] == 2
    assert (await reckon(world, notice, [wera], twice=[wera.id])).sent == 1


async def test_callbacks_for_nothing_that_we_know(world: World) -> None:
    """A delivery that is not there, one that cannot be, none at all: acknowledged, no effect."""
    (wera,) = await crowd(world, "w", 1, "whatsapp")
    form = {"MessageSid": "SM" + "0" * 32, "MessageStatus": "delivered", "From": SENDER}
    for query in (f"?d={short(wera.address)}", "?d=!!", "?d=", "", "?d=x&t=HX&p=99999"):
        path = f"/whatsapp/status{query}"
        assert await post_twilio(world.url, form, path) == 200
        failed = form | {"MessageStatus": "failed", "ErrorCode": "63014"}
        assert await post_twilio(world.url, failed, path) == 200
    assert await one(world.db, "SELECT count(*) FROM address WHERE stopped_at IS NOT NULL") == 0


# Several parts


async def test_the_answer_to_the_first_of_two_parts_is_lost(world: World) -> None:
    """Its callback says that it went: only the second part is sent, and that ends it."""
    emulator, db = world.emulator, world.db
    wera = await settled(world, "wera", "whatsapp")
    text = "абв " * 500  # over 1,600 characters
    emulator.hold_statuses()
    emulator.fault("messages.create", drop="after")
    async with db.unit() as unit:
        content = {"v": 1, "language": "ru", "body": text.strip()}
        await outbox.enqueue(unit, wera.address, wera.account, "ru", content, outbox.REPLY)
    world.app.wake()

    async def unknown() -> bool:
        return await one(db, "SELECT waiting_for FROM delivery") == "unknown"

    await until(unknown, PATIENCE)
    first = next(sent for sent in emulator.out.sent.values() if not sent.inbound)
    assert isinstance(first, Sent)
    emulator.release_statuses()
    await emulator.settle(PATIENCE)
    assert await one(db, "SELECT outcome FROM delivery") is None, "the second part is missing"
    await move_clock(db, [world.app], timedelta(seconds=61))
    world.app.wake()
    await nothing_left(db)
    parts = emulator.texts("wera")
    assert len(parts) == len(set(parts)) == 2
    assert "".join(parts).count("абв") == 500
    assert await one(db, "SELECT outcome FROM delivery") == "sent"


async def test_replies_survive_too(world: World) -> None:
    """A conversation in the middle of all that: 5xx once, then an answer that is lost."""
    emulator, db = world.emulator, world.db
    await settled(world, "petr")
    await settled(world, "wera", "whatsapp", language="kk")
    for method in METHOD.values():
        emulator.fault(method, status=502)
    for who, language in (("petr", "ru"), ("wera", "kk")):
        emulator.say(who, "меню" if language == "ru" else "мәзір")

    async def both_wait() -> bool:
        left = "SELECT count(*) FROM delivery WHERE outcome IS NULL AND waiting_for = 'transient'"
        return await one(db, left) == 2

    await until(both_wait, PATIENCE)
    await move_clock(db, [world.app], timedelta(seconds=3))
    world.app.wake()
    for who in ("petr", "wera"):
        await emulator.wait_for(who, "Бугров", timeout=PATIENCE)
    await nothing_left(db)
    assert [len(emulator.received(who)) for who in ("petr", "wera")] == [1, 1]
    assert words("ru", "help-text") not in str(emulator.texts("petr"))
    await every_delivery_is_accounted_for(db)
    await chain_holds(db)
