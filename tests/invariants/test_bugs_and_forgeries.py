"""A handler with a bug, forged and damaged requests, buttons that say something else."""

import asyncio
import io
import json
from datetime import date, timedelta
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs
from support.people import (
    ELSEWHERE,
    VILLAGE,
    Somebody,
    move_clock,
    one,
    rows,
    send_notice,
    settled,
    words,
)
from support.wire import (
    SECRET_HEADER,
    post_telegram,
    post_twilio,
    telegram_tap,
    telegram_text,
    telegram_user,
    twilio_form,
)
from support.world import AUTH, TOKEN, WEBHOOK_SECRET, World

from bot.doctor import examine, lines
from core.ids import new_id, short
from core.settings import Settings, SettingsWrong, check_to_serve
from services import people, residents
from services.residents import Registration
from services.roles import RoleName

HALF = text("UPDATE resident SET street = 'half done'::bytea WHERE id = :id")


def break_menu(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The menu's handler writes something, and then has a bug."""

    async def broken(turn) -> None:
        turn.unit.audit("half-done", turn.address)
        await turn.unit.session.execute(HALF, {"id": turn.speaker})
        raise KeyError(f"no {turn.incoming.text}")

    monkeypatch.setitem(world.app.engine.router.routes.commands, "menu", broken)
    monkeypatch.setitem(world.app.engine.router.routes.words, "секрет", "menu")


@pytest.mark.parametrize(
    ("channel", "language", "sorry"),
    [("telegram", "ru", words("ru", "apology")), ("whatsapp", "kk", words("kk", "apology"))],
)
async def test_a_handler_that_raises(
    world: World, monkeypatch: pytest.MonkeyPatch, channel: str, language: str, sorry: str
) -> None:
    """Rolled back, kept sealed, apologised for in their language, acknowledged; replayed later."""
    emulator, db = world.emulator, world.db
    await settled(world, "petr", channel, language=language)
    break_menu(world, monkeypatch)
    with capture_logs() as logs:
        act = emulator.say("petr", "секрет")
        await emulator.wait_for("petr", sorry)
        await emulator.wait_acknowledged(act)
        emulator.repeat(act)
        await emulator.settle()
    assert len(emulator.received("petr")) == 1, "a second delivery of the same update does nothing"
    assert await one(db, "SELECT count(*) FROM audit WHERE action = 'half-done'") == 0
    assert await one(db, "SELECT street FROM resident") is None
    (letter,) = await rows(db, "SELECT update, error, replayed_at FROM dead_letter")
    assert "секрет".encode() not in bytes(letter.update)
    assert letter.error.startswith("KeyError at invariants/test_bugs_and_forgeries.py:")
    for said in (letter.error, str(logs)):
        assert "секрет" not in said
        assert emulator.person("petr").phone not in said
        assert str(emulator.person("petr").telegram_id or "none") not in said
    assert [entry["event"] for entry in logs].count("turn-failed") == 1

    monkeypatch.undo()
    found = await examine(db.database, world.app.settings, replay=False)
    assert not found["healthy"]
    assert len(found["failed updates"]) == 1
    found = await examine(db.database, world.app.settings, replay=True)
    assert found["replayed"] == 1
    assert found["failed updates"] == []
    assert found["healthy"], found
    assert await one(db, "SELECT count(*) FROM dead_letter WHERE replayed_at IS NULL") == 0
    await move_clock(db, [world.app], timedelta(seconds=31))  # the command's lease runs out
    world.app.wake()
    await emulator.wait_for("petr", "«секрет»", after=emulator.last("petr").seq)


async def family_with_a_letter(
    world: World, monkeypatch: pytest.MonkeyPatch, channel: str, *, known: bool = True
) -> tuple[Somebody, UUID]:
    """Пётр's message could not be dealt with; now Анна, of the same chat, speaks."""
    petr = await settled(world, "petr", channel)
    async with world.db.unit() as unit:
        given = Registration("Иванова Анна", VILLAGE, date(1990, 1, 1), "ru")
        anna = await residents.register(unit, petr.address, None, given)
    await speaks(world, petr.resident if known else None)
    with monkeypatch.context() as bug:  # not undo(): by night it would undo the day as well
        break_menu(world, bug)
        act = world.emulator.say("petr", "меню")
        await world.emulator.wait_for("petr", words("ru", "apology"))
        await world.emulator.wait_acknowledged(act)
    await world.emulator.settle()
    await speaks(world, anna)
    return petr, anna


async def speaks(world: World, who: UUID | None) -> None:
    async with world.db.unit() as unit:
        await unit.session.execute(text("UPDATE address SET speaker_id = :who"), {"who": who})


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_a_replay_acts_as_who_wrote_it(
    world: World, monkeypatch: pytest.MonkeyPatch, channel: str
) -> None:
    """Before, it acted as whoever of the family speaks from that chat now."""
    emulator, db = world.emulator, world.db
    petr, _ = await family_with_a_letter(world, monkeypatch, channel)
    found = await examine(db.database, world.app.settings, replay=True)
    assert (found["replayed"], found["skipped"]) == (1, [])
    await move_clock(db, [world.app], timedelta(seconds=31))  # the command's lease runs out
    world.app.wake()
    await emulator.wait_for("petr", "Сейчас пишет: Пётр И.")
    assert await one(db, "SELECT speaker_id FROM address") == petr.resident


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_what_nobody_there_wrote_is_skipped(
    world: World, monkeypatch: pytest.MonkeyPatch, channel: str, known: bool
) -> None:
    """Пётр was taken off that phone, or nobody was known to speak: said plainly, and it is over."""
    db = world.db
    petr, anna = await family_with_a_letter(world, monkeypatch, channel, known=known)
    if known:
        async with db.unit() as unit:
            await people.take_off(unit, petr.resident, petr.address)
    sent = "SELECT count(*) FROM delivery"
    before = await one(db, sent)
    found = await examine(db.database, world.app.settings, replay=True)
    assert found["replayed"] == 0
    assert len(found["skipped"]) == 1
    assert any("is not behind that chat any more" in line for line in lines(found))
    assert found["healthy"], found
    assert await one(db, sent) == before
    assert await one(db, "SELECT speaker_id FROM address") == anna
    found = await examine(db.database, world.app.settings, replay=True)
    assert found["failed updates"] == []


async def test_an_apology_before_a_language_is_in_both(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(turn) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(world.app.engine.router, "hello", broken)
    world.emulator.add_person("aigul", "Айгүл", "telegram")
    world.emulator.press_start("aigul")
    got = await world.emulator.wait_for("aigul", words("kk", "apology"))
    assert words("ru", "apology") in got.text


# Who may knock


async def test_forged_telegram(world: World) -> None:
    """Without the secret nobody is Telegram; the update leaves no trace."""
    person = world.emulator.add_person("petr", "Пётр", "telegram", started=True)
    update = telegram_text(person, 7001, "/start")
    wrong = (None, "", "x", WEBHOOK_SECRET[:-1], WEBHOOK_SECRET + "x", WEBHOOK_SECRET.upper())
    statuses = [await post_telegram(world.url, update, secret) for secret in wrong]
    assert statuses == [403] * len(wrong)
    assert await one(world.db, "SELECT count(*) FROM intake") == 0
    assert await post_telegram(world.url, update) == 200
    assert await one(world.db, "SELECT count(*) FROM intake") == 2


async def test_a_secret_that_is_no_text(world: World) -> None:
    """Bytes above 127 in the header are refused like any other wrong secret."""
    port = world.app.settings.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /telegram HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: 2\r\nConnection: close\r\n{SECRET_HEADER}: "
    )
    writer.write(head.encode() + b"\xff\xfe\r\n\r\n{}")
    answer = await asyncio.wait_for(reader.readline(), 30)
    writer.close()
    assert b" 403 " in answer or b" 400 " in answer


async def test_an_empty_secret_admits_nobody(world: World) -> None:
    """An account without a webhook secret (polling) takes no webhook at all."""
    person = world.emulator.add_person("petr", "Пётр", "telegram")
    for account in world.app.accounts:
        account.secrets["webhook_secret"] = ""
    update = telegram_text(person, 7001, "/start")
    assert [await post_telegram(world.url, update, s) for s in ("", None, "x")] == [403] * 3


def test_webhook_without_a_secret_does_not_start() -> None:
    def lines(**given: object) -> list[str]:
        settings = Settings(_env_file=None, secret_key="k" * 32, telegram_token=TOKEN, **given)
        with pytest.raises(SettingsWrong) as wrong:
            check_to_serve(settings)
        return wrong.value.lines

    public = {"public_url": "https://zhiyn.example.kz", "telegram_mode": "webhook"}
    (line,) = lines(**public)
    assert line.startswith("TELEGRAM_WEBHOOK_SECRET: missing")
    (line,) = lines(telegram_mode="webhook", telegram_webhook_secret="s")
    assert line.startswith("PUBLIC_URL: missing")
    check_to_serve(
        Settings(
            _env_file=None,
            secret_key="k" * 32,
            telegram_token=TOKEN,
            telegram_webhook_secret="s",
            **public,
        )
    )


async def test_forged_twilio(world: World) -> None:
    """No signature, one of another token, of another address, of other parameters."""
    person = world.emulator.add_person("wera", "Вера", "whatsapp", window_open=True)
    form = twilio_form(person, "SM" + "1" * 32, Body="Сәлем")
    assert await post_twilio(world.url, form, signed_by=None) == 403
    assert await post_twilio(world.url, form, signed_by="another token") == 403
    assert await post_twilio(world.url, form, public="https://evil.example") == 403
    assert await post_twilio(world.url, form | {"To": "whatsapp:+77000000000"}) == 403
    status = {"MessageSid": "SM1", "MessageStatus": "delivered", "From": form["To"]}
    assert await post_twilio(world.url, status, "/whatsapp/status", signed_by=None) == 403
    async with aiohttp.ClientSession() as http:
        from emulator.wire import signature

        good = signature(AUTH, f"{world.url}/whatsapp", form)
        changed = form | {"Body": "тоқтату"}
        headers = {"X-Twilio-Signature": good}
        async with http.post(f"{world.url}/whatsapp", data=changed, headers=headers) as answer:
            assert answer.status == 403
    assert await one(world.db, "SELECT count(*) FROM intake") == 0
    assert await post_twilio(world.url, form) == 200
    assert await one(world.db, "SELECT count(*) FROM intake") == 1


# What nobody has foreseen


def strange_updates(world: World) -> list[dict]:
    person = world.emulator.add_person("petr", "Пётр", "telegram", started=True)
    chat = {"id": person.telegram_id, "type": "private"}
    user = telegram_user(person)
    channel = {"id": -1001, "type": "channel", "title": "Жаңалық"}
    group = {"id": -1002, "type": "supergroup", "title": "Ауыл"}
    bodies = [
        {},
        {"teleported": {"from": user, "chat": chat}},
        {"teleported": "yes"},
        {"message": None},
        {"message": {"message_id": 1, "date": 1, "chat": channel, "text": "x"}},
        {"channel_post": {"message_id": 1, "date": 1, "chat": channel, "text": "x"}},
        {"message": {"message_id": 2, "date": 1, "chat": group, "from": user, "text": "/start"}},
        {"message": {"message_id": 3, "date": 1, "chat": chat}},
        {"message": {"message_id": 4, "date": 1, "chat": chat, "from": user}},
        {"message": {"message_id": 5, "date": 1, "chat": chat, "from": user, "text": None}},
        {"message": {"message_id": 6, "date": 1, "chat": chat, "from": user, "contact": {}}},
        {"message": {"message_id": 7, "date": 1, "chat": chat, "from": user, "photo": [{}]}},
        {"message": {"message_id": 8, "date": 1, "chat": chat, "from": user, "location": {}}},
        {"message": {"message_id": 8, "date": 1, "chat": chat, "from": user, "contact": "x"}},
        {"message": {"message_id": 9, "date": 1, "chat": "x", "from": "y", "text": 3}},
        {"callback_query": {"from": user, "data": "d.menu"}},
        {"callback_query": {"id": "1", "from": user}},
        {"callback_query": {"id": "2", "from": user, "data": ""}},
        {"callback_query": {"id": "3", "from": user, "data": "\x00" * 64}},
        {"my_chat_member": {"chat": group, "from": user}},
        {"my_chat_member": {"chat": chat, "from": user, "new_chat_member": "x"}},
        {"inline_query": {"id": "1", "from": user, "query": "x", "offset": ""}},
        {"poll": {"id": "1"}},
    ]
    return [{"update_id": 8000 + number} | body for number, body in enumerate(bodies)]


async def test_strange_updates_are_acknowledged(world: World) -> None:
    """Whatever comes is acknowledged (else Telegram repeats it for a day), and the next works."""
    with capture_logs() as logs:
        for update in strange_updates(world):
            status = await post_telegram(world.url, update)
            assert status == 200, update
    assert "Пётр" not in str(logs)
    assert "turn-failed" not in [entry["event"] for entry in logs]
    assert await one(world.db, "SELECT count(*) FROM dead_letter") == 0
    assert await one(world.db, "SELECT count(*) FROM address") <= 1, "groups are no addresses"
    person = world.emulator.person("petr")
    assert await post_telegram(world.url, telegram_text(person, 9999, "/start")) == 200
    await world.emulator.wait_for("petr", words("kk", "first-contact"))


async def test_malformed_json(world: World) -> None:
    """Not Telegram's doing: refused as such, no error of ours."""
    headers = {SECRET_HEADER: WEBHOOK_SECRET, "Content-Type": "application/json"}
    async with aiohttp.ClientSession() as http:
        for body in (b"", b"{", b"[1]", b'"x"', b"null", b"\xff\xfe", b"7"):
            async with http.post(f"{world.url}/telegram", data=body, headers=headers) as answer:
                assert answer.status == 400, body


async def test_strange_messages_of_twilio(world: World) -> None:
    person = world.emulator.add_person("wera", "Вера", "whatsapp", window_open=True)
    plain = twilio_form(person, "SM" + "1" * 32, Body="x")
    for form in (
        {"To": plain["To"]},
        plain | {"From": ""},
        plain | {"From": "whatsapp:nobody"},
        plain | {"MessageSid": "", "SmsMessageSid": ""},
        plain | {"NumMedia": "many", "MessageSid": "SM2"},
        plain | {"NumMedia": "2", "MessageSid": "SM3"},
        plain | {"Latitude": "x", "Longitude": "y", "MessageSid": "SM4"},
        plain | {"MessageType": "hologram", "Body": "", "MessageSid": "SM5"},
    ):
        assert await post_twilio(world.url, form) == 200, form
    assert await one(world.db, "SELECT count(*) FROM dead_letter") == 0
    for status in ({}, {"MessageSid": "SM9"}, {"MessageSid": "SM9", "MessageStatus": "eaten"}):
        form = status | {"From": plain["To"]}
        assert await post_twilio(world.url, form, "/whatsapp/status") == 200
    late = {"MessageSid": "SM9", "MessageStatus": "delivered", "From": plain["To"]}
    path = f"/whatsapp/status?d={short(new_id(world.db.clock.now()))}"
    assert await post_twilio(world.url, late, path) == 200
    assert await post_twilio(world.url, late, "/whatsapp/status?d=!!") == 200


# Buttons


async def test_an_old_step_button(world: World) -> None:
    """A button of an earlier screen changes nothing, and the person sees where they stand."""
    emulator = world.emulator
    await settled(world, "petr")
    emulator.say("petr", "мои данные")
    await emulator.wait_for("petr", words("ru", "profile-text"))
    emulator.tap("petr", words("ru", "profile-delete"))
    asked = await emulator.wait_for("petr", words("ru", "delete-ask"))
    emulator.say("petr", "меню")
    await emulator.wait_for("petr", "Бугровое", after=asked.seq)
    emulator.tap("petr", words("ru", "delete-yes"), message=asked.seq)
    await emulator.wait_for("petr", words("ru", "stale-choice"))
    assert await one(world.db, "SELECT deleted_at FROM resident") is None


async def test_a_durable_button_weeks_later(world: World) -> None:
    """ "I have read it" under a notice of last month still means that notice, and only it."""
    emulator = world.emulator
    petr = await settled(world, "petr")
    akim = await settled(world, "akim", role=RoleName.AKIM)
    first = await send_notice(world, akim)
    old = await emulator.wait_for("petr", "Ремонт водопровода")
    await move_clock(world.db, [world.app], timedelta(days=30))
    await send_notice(world, akim)
    await emulator.wait_for("petr", "Ремонт водопровода", count=2)
    emulator.tap("petr", words("ru", "notice-read"), message=old.seq)
    await emulator.wait_until(
        lambda: (
            emulator.message("petr", old.seq).buttons[0][0]["text"]
            == words("ru", "notice-read-done")
        )
    )
    heard = await rows(
        world.db, "SELECT notice_id FROM recipient WHERE acknowledged_at IS NOT NULL"
    )
    assert [row.notice_id for row in heard] == [first]
    assert (
        await one(
            world.db,
            "SELECT count(*) FROM audit WHERE action = 'notice-acknowledged' AND actor_id = :r",
            r=petr.resident,
        )
        == 1
    )


async def test_a_forged_receipt(world: World) -> None:
    """A receipt for a notice that was not theirs: refused, noted, and nothing counted."""
    emulator = world.emulator
    await settled(world, "petr")
    stranger = await settled(world, "wera", "whatsapp", place=ELSEWHERE)
    akim = await settled(world, "akim", role=RoleName.AKIM)
    real = await send_notice(world, akim)
    unknown = new_id(world.db.clock.now())
    for notice in (real, unknown):
        for code in ("read", "open"):
            form = twilio_form(
                emulator.person("wera"),
                f"SM{code}{notice.hex}",
                ButtonPayload=f"d.{code}.{short(notice)}.1",
                Body=words("ru", "notice-read"),
            )
            assert await post_twilio(world.url, form) == 200
    await emulator.wait_for("wera", words("ru", "notice-not-yours"))
    assert await one(world.db, "SELECT count(*) FROM recipient WHERE acknowledged_at IS NOT"
                     " NULL") == 0  # fmt: skip
    refused = await rows(
        world.db, "SELECT actor_id, object_id FROM audit WHERE action = 'tap-refused' ORDER BY id"
    )
    assert [(row.actor_id, row.object_id) for row in refused] == [
        (stranger.resident, str(notice)) for notice in (real, real, unknown, unknown)
    ]
    assert "Ремонт" not in str(emulator.texts("wera"))


FORGED = (
    "d", "s", "s.1", "d..", "x.menu", "d.read", "d.read.x.y", "d.read.____.1", "d.nonsense",
    "s.a__b.menu", "s.a-.menu", "s._.menu", "s.-1.menu", "s.0x1.menu", "s.zzzzzzzzzzzz.menu",
    "d.lang.xx", "d.page.-1", "d.live.x", "d.open.1", "d.n-send", "d.profile.1.2.3",
    "привет", "' OR 1=1 --", "d.menu" + "x" * 60,
)  # fmt: skip


async def test_forged_payloads(world: World) -> None:
    """No button's data brings a handler down; what is not ours is answered with the screen."""
    await settled(world, "petr")
    person = world.emulator.person("petr")
    for number, data in enumerate(FORGED):
        tap = telegram_tap(person, 9301 + number, data)
        assert await post_telegram(world.url, tap) == 200, data
        assert await one(world.db, "SELECT count(*) FROM dead_letter") == 0, data
    replies = "SELECT count(*) FROM delivery WHERE priority = 0"
    assert await one(world.db, replies) == len(FORGED)
    refused = "SELECT count(*) FROM audit WHERE action = 'tap-refused'"
    assert await one(world.db, refused) == len([d for d in FORGED if not known(d)])


def known(data: str) -> bool:
    """Out of date: not the audit's business."""
    return data.startswith(("s.zzzz", "s.0x1"))


async def test_typed_words_are_no_payload(world: World) -> None:
    """Who types what a button carries has said something odd, and done nothing."""
    emulator = world.emulator
    await settled(world, "petr")
    akim = await settled(world, "akim", role=RoleName.AKIM)
    notice = await send_notice(world, akim)
    await emulator.wait_for("petr", "Ремонт водопровода")
    emulator.say("petr", "мои данные")
    await emulator.wait_for("petr", words("ru", "profile-text"))
    turn = await one(
        world.db,
        "SELECT turn FROM address AS a JOIN resident AS r ON r.id = a.speaker_id"
        " WHERE r.id <> :akim",
        akim=akim.resident,
    )
    for typed in (f"d.read.{short(notice)}.1", f"s.{turn}.delete", "d.delete-yes"):
        emulator.say("petr", typed)
        await emulator.wait_for("petr", f"«{typed}»")
    assert await one(world.db, "SELECT deleted_at FROM resident WHERE id <> :a",
                     a=akim.resident) is None  # fmt: skip
    assert await one(world.db, "SELECT count(*) FROM recipient WHERE acknowledged_at IS NOT"
                     " NULL") == 0  # fmt: skip


async def test_an_edited_message_repeats_nothing(world: World) -> None:
    emulator = world.emulator
    await settled(world, "petr")
    emulator.say("petr", "меню")
    await emulator.wait_for("petr", "Бугровое")
    mine = next(message for message in emulator.chat("petr") if message.mine)
    act = emulator.edit("petr", mine.seq, "стоп")
    await emulator.wait_acknowledged(act)
    assert await one(world.db, "SELECT stopped_at FROM address") is None
    assert len(emulator.received("petr")) == 1


def test_dead_letters_keep_every_field() -> None:
    """What is replayed is what came: attachments, contact, moments, enumerations."""
    from dataclasses import replace
    from datetime import UTC, datetime
    from uuid import uuid4

    from bot.engine import as_dict, from_dict
    from conversation.message import (
        Alias,
        AliasKind,
        ChannelName,
        Contact,
        Incoming,
        IncomingFile,
        Kind,
        Medium,
    )

    whole = Incoming(
        account=uuid4(),
        channel=ChannelName.WHATSAPP,
        external_ids=("m:1", "u:2"),
        aliases=(Alias(AliasKind.PHONE, "+77011234567"), Alias(AliasKind.SCOPED, "US.1")),
        received_at=datetime(2026, 11, 20, 5, 0, 1, 5, tzinfo=UTC),
        kind=Kind.ATTACHMENT,
        contact=Contact("+77011234567", own=True),
        files=(IncomingFile(Medium.PHOTO, "ref", "image/jpeg", 5, "a.jpg"),),
        album="7",
    )
    for incoming in (whole, replace(whole, files=(), contact=None, kind=Kind.CHOICE)):
        stored = json.load(io.StringIO(json.dumps(as_dict(incoming), default=str)))
        assert from_dict(stored) == incoming
