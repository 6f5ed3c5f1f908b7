"""Invariant 3: every message is a row, and ends in a written outcome; none is lost."""

import asyncio
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from support.database import until
from support.people import (
    ELSEWHERE,
    NEXT_VILLAGE,
    VILLAGE,
    another_process,
    move_clock,
    one,
    rows,
    send_notice,
    settled,
    words,
)
from support.wire import post_twilio
from support.world import SENDER, World

from bot.delivery import Sender
from bot.engine import is_transient
from conversation.message import Button, Content, Reply
from core.languages import Language
from core.outcomes import Outcome
from services import outbox
from services.roles import RoleName

RU = Language.RU
LEFT = "SELECT count(*) FROM delivery WHERE outcome IS NULL"


async def outcomes(world: World, priority: int = 3) -> dict[str, str | None]:
    """Person of the emulator → what became of their notice."""
    found = await rows(
        world.db,
        "SELECT d.outcome, d.waiting_for, a.id FROM delivery AS d JOIN address AS a"
        " ON a.id = d.address_id WHERE d.priority = :p",
        p=priority,
    )
    return {row.id: row.outcome or f"waits: {row.waiting_for}" for row in found}


async def nothing_left(world: World) -> None:
    """Waits until every delivery has its outcome."""

    async def done() -> bool:
        return not await one(world.db, LEFT)

    await until(done)


async def test_every_way_that_telegram_refuses(world: World) -> None:
    """Blocked, never started, gone, unknown, ours too long: each is told apart; nobody waits."""
    emulator = world.emulator
    akim = await settled(world, "akim", role=RoleName.AKIM)
    people = {who: await settled(world, who) for who in ("fine", "blocks", "gone", "lost", "wrong")}
    people["never"] = await settled(world, "never", started=False)
    emulator.chat_state("blocks").blocked = True  # without telling us
    emulator.change_person("gone", deactivated=True)
    chats = {who: str(emulator.person(who).telegram_id) for who in people}
    emulator.fault(
        "sendMessage",
        to=chats["lost"],
        status=400,
        body={"ok": False, "error_code": 400, "description": "Bad Request: chat not found"},
    )
    emulator.fault(
        "sendMessage",
        to=chats["wrong"],
        status=400,
        body={"ok": False, "error_code": 400, "description": "Bad Request: BUTTON_DATA_INVALID"},
    )
    await send_notice(world, akim)
    await nothing_left(world)
    found = await outcomes(world)
    assert {who: found[one.address] for who, one in people.items()} == {
        "fine": "sent",
        "blocks": "blocked",
        "gone": "deactivated",
        "lost": "bad-recipient",
        "wrong": "refused",
        "never": "never-started",
    }
    stopped = await rows(world.db, "SELECT id FROM address WHERE stopped_at IS NOT NULL")
    assert {row.id for row in stopped} == {people["blocks"].address, people["gone"].address}
    # The next notice does not even try those who take none; they are counted, and it finishes.
    await send_notice(world, akim)
    await nothing_left(world)
    counts = await rows(
        world.db, "SELECT recipients, unreachable FROM notice ORDER BY created_at DESC LIMIT 1"
    )
    assert [tuple(row) for row in counts] == [(7, 2)]
    clock = world.app.clockwork
    assert clock is not None
    await move_clock(world.db, [world.app], timedelta(seconds=5))

    async def finished() -> bool:
        left = await one(world.db, "SELECT count(*) FROM notice WHERE status <> 'finished'")
        return left == 0

    await until(finished)


async def test_a_storm_of_429(world: World) -> None:
    """The whole account waits as long as it is told; every message arrives, once."""
    emulator = world.emulator
    akim = await settled(world, "akim", role=RoleName.AKIM)
    crowd = [await settled(world, f"p{n}") for n in range(12)]
    emulator.fault("sendMessage", times=5, retry_after=1)
    began = time.monotonic()
    await send_notice(world, akim)
    await nothing_left(world)
    assert time.monotonic() - began > 1, "retry_after was not kept"
    assert set((await outcomes(world)).values()) == {"sent"}
    assert [len(emulator.received(one.id)) for one in crowd] == [1] * 12


async def test_a_long_429_of_another_process(world: World) -> None:
    """A process that finds the account held for an hour gives its leases back, and waits."""
    akim = await settled(world, "akim", role=RoleName.AKIM)
    petr = await settled(world, "petr")
    async with another_process(world.db, world.app, serving=False) as idle:
        app = idle.app
        own = world.app.senders[petr.account]
        sender = Sender(
            app.database, app.keyring, app.clock, app.engine.process, own.channel, own.rate
        )
        for running in world.app.senders.values():
            running.stop()
        await rows(
            world.db,
            "UPDATE account SET next_slot = :at RETURNING 1",
            at=world.db.clock.now() + timedelta(hours=1),
        )
        await send_notice(world, akim)
        await asyncio.wait_for(sender.pass_once(), 30)
        assert await one(world.db, "SELECT count(*) FROM delivery WHERE claimed_until IS NOT"
                         " NULL AND priority >= 2") == 0  # fmt: skip
        assert not world.emulator.received("petr")
        await move_clock(world.db, [world.app, app], timedelta(hours=1, seconds=5))
        await asyncio.wait_for(sender.pass_once(), 30)
    await world.emulator.wait_for("petr", "Ремонт водопровода")


async def test_server_errors(world: World) -> None:
    """5xx: six tries with growing pauses, then "unreachable"; one that passes is no loss."""
    emulator = world.emulator
    akim = await settled(world, "akim", role=RoleName.AKIM)
    passes, stays = await settled(world, "passes"), await settled(world, "stays")
    emulator.fault(
        "sendMessage", times=1, status=502, to=str(emulator.person("passes").telegram_id)
    )
    emulator.fault("sendMessage", times=9, status=500, to=str(emulator.person("stays").telegram_id))
    await send_notice(world, akim)

    async def tried(times: int) -> None:
        async def enough() -> bool:
            return times <= await one(
                world.db,
                "SELECT coalesce(max(attempts), 0) FROM delivery"
                " WHERE address_id = :a AND claimed_until IS NULL",
                a=stays.address,
            )

        await until(enough)

    for attempt in range(1, outbox.NOTICE_TRIES):
        await tried(attempt)
        await move_clock(world.db, [world.app], timedelta(hours=1, seconds=1))
        world.app.wake()
    await nothing_left(world)
    found = await outcomes(world)
    assert (found[passes.address], found[stays.address]) == ("sent", "unreachable")
    assert len(emulator.received("passes")) == 1


async def test_an_answer_that_was_lost(world: World) -> None:
    """WhatsApp took it, the answer did not come: the status callback settles it, no second one."""
    emulator = world.emulator
    akim = await settled(world, "akim", role=RoleName.AKIM)
    wera = await settled(world, "wera", "whatsapp")
    emulator.hold_statuses()
    emulator.fault("messages.create", drop="after")
    await send_notice(world, akim)
    await emulator.wait_for("wera", "Ремонт водопровода")

    async def unknown() -> bool:
        return (await outcomes(world))[wera.address] == "waits: unknown"

    await until(unknown)
    emulator.release_statuses()
    await nothing_left(world)
    await move_clock(world.db, [world.app], timedelta(minutes=2))
    world.app.wake()
    await emulator.settle()
    assert (await outcomes(world))[wera.address] == "sent"
    assert len(emulator.received("wera")) == 1


async def test_an_answer_lost_on_telegram(world: World) -> None:
    """Telegram reports nothing afterwards: once more after a minute, and no third time."""
    emulator = world.emulator
    akim = await settled(world, "akim", role=RoleName.AKIM)
    petr = await settled(world, "petr")
    chat = str(emulator.person("petr").telegram_id)
    emulator.fault("sendMessage", times=2, drop="after", to=chat)
    await send_notice(world, akim)

    async def waits() -> bool:
        return (await outcomes(world))[petr.address] == "waits: unknown"

    await until(waits)
    await move_clock(world.db, [world.app], timedelta(seconds=61))
    world.app.wake()
    await nothing_left(world)
    assert (await outcomes(world))[petr.address] == "unknown"
    assert len(emulator.received("petr")) == 2


async def test_statuses_before_the_answer_twice_and_backwards(world: World) -> None:
    """Read before sent, each twice, before Twilio has answered: one message, outcome sent."""
    emulator = world.emulator
    emulator.switch(status_copies=2)
    await settled(world, "wera", "whatsapp")
    emulator.hold_statuses()
    emulator.say("wera", "меню")
    await emulator.wait_for("wera", "Бугровое")
    await emulator.wait_until(lambda: len(emulator.statuses.held or ()) >= 4)
    emulator.release_statuses(order=[3, 2, 1, 0])
    await emulator.settle()
    await nothing_left(world)
    (row,) = await rows(
        world.db, "SELECT outcome, delivered_at, read_at FROM delivery WHERE priority = 0"
    )
    assert row.outcome == "sent"
    assert row.delivered_at is not None
    assert row.read_at is not None


FAILURES = (
    ("63016", "waits: window-closed"),
    ("63041", "waits: template-unavailable"),
    ("63038", "waits: daily-limit"),
    ("63018", "waits: throttled"),
    ("63012", "waits: transient"),
    ("63014", "blocked"),
    ("63024", "bad-recipient"),
    ("63049", "unreachable"),
)


async def fail(world: World, delivery, sid: str, code: str) -> None:
    """Twilio's callback that says this message has failed."""
    from core.ids import short

    form = {"MessageSid": sid, "MessageStatus": "failed", "From": SENDER, "ErrorCode": code}
    path = f"/whatsapp/status?d={short(delivery)}"
    assert await post_twilio(world.url, form, path) == 200


async def test_failures_by_callback(world: World) -> None:
    """Accepted, then failed: what can succeed is tried again (it used to end there)."""
    emulator = world.emulator
    akim = await settled(world, "akim", role=RoleName.AKIM)
    people = {code: await settled(world, f"w{code}", "whatsapp") for code, _ in FAILURES}
    emulator.hold_statuses()
    await send_notice(world, akim)
    await nothing_left(world)
    sent = await rows(
        world.db, "SELECT id, address_id, platform_id FROM delivery WHERE priority >= 2"
    )
    by_address = {row.address_id: row for row in sent}
    for code, _ in FAILURES:
        row = by_address[people[code].address]
        for _ in range(2):
            await fail(world, row.id, row.platform_id, code)
    found = await outcomes(world)
    assert {code: found[one.address] for code, one in people.items()} == dict(FAILURES)
    # A minute later the throttled and the interrupted one are sent once more; a late callback
    # about the first try does not bring them back again.
    await move_clock(world.db, [world.app], timedelta(seconds=61))
    world.app.wake()

    async def again() -> bool:
        found = await outcomes(world)
        return all(found[people[code].address] == "sent" for code in ("63018", "63012"))

    await until(again)
    for code in ("63018", "63012"):
        row = by_address[people[code].address]
        await fail(world, row.id, row.platform_id, code)
    assert await again()
    # The day's limit: tomorrow, or when they write.
    await move_clock(world.db, [world.app], timedelta(hours=23, minutes=59))
    world.app.wake()

    async def tomorrow() -> bool:
        return (await outcomes(world))[people["63038"].address] in ("sent", "announced")

    await until(tomorrow)


async def test_a_failure_before_the_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The callback overtakes the response: what it says stands, and the message waits."""
    emulator = world.emulator
    akim = await settled(world, "akim", role=RoleName.AKIM)
    wera = await settled(world, "wera", "whatsapp")
    emulator.switch(window_seconds=0.0, status_queued=False)  # we still think the window open
    messages = type(world.app.channels[wera.account].client.messages)
    create, settle, settled_as = messages.create_async, Sender._settle, []

    async def waits() -> bool:
        return (await outcomes(world))[wera.address] == "waits: window-closed"

    async def slowly(self, **given):
        message = await create(self, **given)
        await until(waits)
        return message

    async def noted(self, claimed, result, rendered):
        settled_as.append((result.outcome, await settle(self, claimed, result, rendered)))

    with monkeypatch.context() as patch:  # not undo(): it would undo the day as well
        patch.setattr(messages, "create_async", slowly)
        patch.setattr(Sender, "_settle", noted)
        await send_notice(world, akim)
        await emulator.wait_until(lambda: len(settled_as) == 2)  # the akim's and hers
        assert await waits()
    emulator.switch(window_seconds=86_400.0)
    emulator.say("wera", "меню")
    await emulator.wait_for("wera", "Завтра не будет воды.")


async def test_outside_the_window(world: World) -> None:
    """Announced by the template, brought in full by the tap; told apart until then."""
    emulator = world.emulator
    akim = await settled(world, "akim", role=RoleName.AKIM)
    wera = await settled(world, "wera", "whatsapp", window=False)
    await send_notice(world, akim)
    await nothing_left(world)
    assert (await outcomes(world))[wera.address] == "announced"
    announced = await emulator.wait_for(
        "wera", "Ремонт водопровода", button=words("ru", "template-notice-button")
    )
    assert "Завтра не будет воды" not in announced.text
    emulator.tap("wera", words("ru", "template-notice-button"))
    await emulator.wait_for("wera", "Завтра не будет воды.", button=words("ru", "notice-read"))
    assert (await outcomes(world))[wera.address] == "sent"
    emulator.tap("wera", words("ru", "notice-read"))
    await emulator.wait_for("wera", words("ru", "notice-read-receipt"))
    heard = "SELECT count(*) FROM recipient WHERE acknowledged_at IS NOT NULL"
    assert await one(world.db, heard) == 1


async def test_a_template_that_is_not_approved(world: World) -> None:
    """It waits, holds up nobody, and goes in full when the person writes."""
    emulator = world.emulator
    emulator.switch(auto_approve=False)
    akim = await settled(world, "akim", role=RoleName.AKIM)
    wera = await settled(world, "wera", "whatsapp", window=False)
    await send_notice(world, akim)

    async def waits() -> bool:
        return (await outcomes(world))[wera.address] == "waits: template-unavailable"

    await until(waits)
    assert not emulator.received("wera")
    emulator.say("wera", "меню")
    await emulator.wait_for("wera", "Завтра не будет воды.", button=words("ru", "notice-read"))
    await nothing_left(world)
    texts = emulator.texts("wera")
    assert "Бугровое" in texts[0], "the reply goes first"
    assert (await outcomes(world))[wera.address] == "sent"


async def test_who_said_stop(world: World) -> None:
    """No notices any more, replies still; registered they stay."""
    emulator = world.emulator
    akim = await settled(world, "akim", role=RoleName.AKIM)
    await settled(world, "petr")
    emulator.say("petr", "стоп")
    await emulator.wait_for("petr", words("ru", "stopped"))
    await send_notice(world, akim)
    await nothing_left(world)
    emulator.say("petr", "помощь")
    await emulator.wait_for("petr", words("ru", "help-text"))
    assert "Ремонт" not in str(emulator.texts("petr"))
    emulator.say("petr", "начать")
    await emulator.wait_for("petr", words("ru", "resumed"))
    await send_notice(world, akim)
    await emulator.wait_for("petr", "Ремонт водопровода")


async def test_stopped_after_it_was_queued(world: World) -> None:
    """The queue does not know: what is queued for somebody who stopped is not sent."""
    akim = await settled(world, "akim", role=RoleName.AKIM)
    petr = await settled(world, "petr")
    for sender in world.app.senders.values():
        sender.settler.held_until = world.db.clock.now() + timedelta(hours=1)
    await send_notice(world, akim)
    await rows(
        world.db,
        "UPDATE address SET stopped_at = created_at, stop_reason = 'asked'"
        " WHERE id = :id RETURNING 1",
        id=petr.address,
    )
    for sender in world.app.senders.values():
        sender.settler.held_until = None
        sender.wake()
    await nothing_left(world)
    assert (await outcomes(world))[petr.address] == "blocked"
    assert not world.emulator.received("petr")


async def test_the_audience_is_the_audience(world: World) -> None:
    """Only these villages; only those who have not left; a family on one phone once."""
    emulator = world.emulator
    akim = await settled(world, "akim", role=RoleName.AKIM)
    for who, place in (("here", VILLAGE), ("next", NEXT_VILLAGE), ("far", ELSEWHERE)):
        await settled(world, who, place=place)
    here = await settled(world, "family")
    async with world.db.unit() as unit:  # a second person behind the same phone
        from datetime import date

        from services import residents
        from services.residents import Registration

        given = Registration("Иванова Анна", VILLAGE, date(1990, 1, 1), "ru")
        await residents.register(unit, here.address, None, given)
    await send_notice(world, akim, audience=(VILLAGE,))
    await nothing_left(world)
    got = {who: len(emulator.received(who)) for who in ("here", "next", "far", "family")}
    assert got == {"here": 1, "next": 0, "far": 0, "family": 1}
    assert await one(world.db, "SELECT recipients FROM notice") == 4
    assert await one(world.db, "SELECT count(DISTINCT delivery_id) FROM recipient") == 3


# Order


async def test_two_replies_stay_in_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first has to be tried again: the second of the same turn does not overtake it."""
    emulator = world.emulator

    async def two(turn) -> list[Reply]:
        return [Reply("бірінші"), Reply("екінші")]

    monkeypatch.setitem(world.app.engine.router.routes.commands, "menu", two)
    await settled(world, "petr")
    emulator.fault("sendMessage", status=500)
    emulator.say("petr", "меню")
    await emulator.wait_for("petr", "екінші")
    said = "\n\n".join(emulator.texts("petr"))  # together, if they piled up
    assert said == "бірінші\n\nекінші"


async def test_a_reply_goes_before_notices_and_keeps_its_order(world: World) -> None:
    """Two turns at two processes and a notice: each address gets its messages as they came."""
    emulator = world.emulator
    await settled(world, "petr")
    emulator.fault("sendMessage", status=500, times=1)
    emulator.say("petr", "помощь")
    emulator.say("petr", "мои данные")
    await emulator.wait_for("petr", words("ru", "profile-text"))
    said = "\n".join(emulator.texts("petr"))
    assert said.index(words("ru", "help-text")) < said.index(words("ru", "profile-text"))


# The database


async def test_a_database_that_blinks_loses_no_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken connection while a slot is reserved used to end the message as "refused"."""
    petr = await settled(world, "petr")
    original, broken = outbox.reserve_slots, []

    async def once(connection, account, *rest):
        if account == petr.account and not broken:
            broken.append(True)
            raise ConnectionResetError
        return await original(connection, account, *rest)

    monkeypatch.setattr(outbox, "reserve_slots", once)
    world.emulator.say("petr", "меню")
    await world.emulator.wait_for("petr", "Бугровое")
    await nothing_left(world)
    (row,) = await rows(world.db, "SELECT outcome, attempts FROM delivery")
    assert (row.outcome, row.attempts) == (Outcome.SENT, 2)


async def test_what_passes_and_what_is_a_bug(world: World) -> None:
    """A pool that is full, a server that starts, come again; a wrong argument does not."""
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    assert is_transient(PoolTimeout())
    assert is_transient(ConnectionRefusedError())
    assert not is_transient(KeyError("x"))
    async with world.db.database.work.connect() as connection:
        with pytest.raises(DBAPIError) as wrong:
            await connection.exec_driver_sql("SELECT $1::int", ("no number",))
    assert not is_transient(wrong.value)
    async with world.db.database.work.connect() as connection:
        await connection.execute(text("SET statement_timeout = 1"))
        with pytest.raises(DBAPIError) as slow:
            await connection.execute(text("SELECT pg_sleep(1)"))
    assert is_transient(slow.value)


async def test_replies_that_piled_up_are_said_together(world: World) -> None:
    """Three answers that waited go as one message with the last one's buttons, each once."""
    emulator, db = world.emulator, world.db
    petr = await settled(world, "petr")
    sender = world.app.senders[petr.account]
    await world.app.stop()
    for text_ in ("первый", "второй", "третий"):
        content = {"v": 1, "language": "ru", "body": text_}
        if text_ == "третий":
            content["choices"] = [["d.menu", "Меню", None]]
        async with db.unit() as unit:
            await outbox.enqueue(unit, petr.address, petr.account, "ru", content, outbox.REPLY)
    assert await sender.pass_once() == 1
    assert await sender.pass_once() == 0
    (bubble,) = emulator.received("petr")
    assert bubble.text == "первый\n\nвторой\n\nтретий"
    assert bubble.buttons[0][0]["text"] == "Меню"
    found = await rows(db, "SELECT outcome FROM delivery ORDER BY seq")
    assert [row.outcome for row in found] == ["superseded", "superseded", "sent"]


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_a_reply_that_others_will_edit_keeps_its_message(world: World, channel: str) -> None:
    """It was merged into the menu behind it: each change of the counts was a new message, and the
    buttons that pause and cancel were gone."""
    emulator, db = world.emulator, world.db
    akim = await settled(world, "akim", channel)
    sender, live = world.app.senders[akim.account], uuid4()
    await world.app.stop()
    pause = Button("d.n-pause", "Приостановить")

    async def says(content: Content) -> None:
        async with db.unit() as unit:
            stored, account = content.to_json(), akim.account
            await outbox.enqueue(
                unit, akim.address, account, "ru", stored, outbox.REPLY, delivery=content.delivery
            )

    await says(Content(RU, "Отправлено: 0", choices=(pause,), delivery=live))
    await says(Content(RU, "Меню"))
    for sent in range(1, 4):
        while await sender.pass_once():
            pass
        await says(Content(RU, f"Отправлено: {sent}", choices=(pause,), replaces=live))
    await sender.pass_once()
    found = await rows(db, "SELECT DISTINCT outcome FROM delivery")
    assert [row.outcome for row in found] == ["sent"]
    bubbles = emulator.received("akim")
    assert all(bubble.buttons for bubble in bubbles if "Отправлено" in bubble.text)
    said = [bubble.text for bubble in bubbles]
    if channel == "telegram":
        assert said == ["Отправлено: 3", "Меню"]
    else:  # it cannot edit
        assert said == ["Отправлено: 0", "Меню", *(f"Отправлено: {n}" for n in range(1, 4))]


async def test_a_live_message_that_was_not_sent_is_followed_by_one_that_is_edited(
    world: World,
) -> None:
    """The first was refused: each change of the counts was a new message to the author."""
    emulator, db = world.emulator, world.db
    akim = await settled(world, "akim", place=ELSEWHERE, role=RoleName.AKIM)
    await settled(world, "petr")
    refusal = {"ok": False, "error_code": 400, "description": "Bad Request: BUTTON_DATA_INVALID"}
    chat = str(emulator.person("akim").telegram_id)
    emulator.fault("sendMessage", to=chat, status=400, body=refusal)
    async with db.unit() as unit:
        first = Content(RU, "Отправлено: 0", delivery=unit.new_id())
        await outbox.enqueue(
            unit, akim.address, akim.account, "ru", first.to_json(), outbox.REPLY,
            delivery=first.delivery,
        )  # fmt: skip
    await nothing_left(world)
    notice = await send_notice(world, akim)
    async with db.session() as session:
        begins = text("UPDATE notice SET live_message = :first WHERE live_message IS NULL")
        await session.execute(begins, {"first": first.delivery})
    await emulator.wait_for("akim", button=words("ru", "sent-report"))
    live = "SELECT live_message, live_shown FROM notice WHERE id = :n"
    ((message, shown),) = await rows(db, live, n=notice)
    assert message != first.delivery
    emulator.tap("petr", words("ru", "notice-read"))

    async def changed() -> bool:
        ((same, now),) = await rows(db, live, n=notice)
        assert same == message
        return bool(now != shown)

    await until(changed)
    await nothing_left(world)
    (bubble,) = emulator.received("akim")
    assert bubble.edits
    labels = [button["text"] for row in bubble.buttons for button in row]
    assert words("ru", "sent-correct") in labels
