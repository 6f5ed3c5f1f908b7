"""Invariants 1 and 2: what comes twice, at once or later, has its effect exactly once."""

import asyncio
from datetime import timedelta

import pytest
from support.database import until
from support.people import (
    WORDS,
    address_of,
    another_process,
    move_clock,
    one,
    rows,
    send_notice,
    settled,
    words,
)
from support.wire import post_telegram, post_twilio, telegram_tap, telegram_text, twilio_form
from support.world import World

from core.ids import short
from services.roles import RoleName

REPLIES = "SELECT count(*) FROM delivery WHERE priority = 0"


pytestmark = pytest.mark.usefixtures("unhurried")


async def test_first_message_at_two_processes_at_once(world: World) -> None:
    """Two copies race for a person nobody knows yet: one address, one greeting."""
    aigul = world.emulator.add_person("aigul", "Айгүл", "telegram", started=True)
    bolat = world.emulator.add_person("bolat", "Болат", "whatsapp", window_open=True)
    update = telegram_text(aigul, 7001, "/start")
    form = twilio_form(bolat, "SM" + "1" * 32, Body="Сәлем")
    async with another_process(world.db, world.app) as second:
        both = (world.url, address_of(second))
        statuses = await asyncio.gather(
            *(post_telegram(url, update) for url in both * 2),
            *(post_twilio(url, form, public=world.url) for url in both * 2),
        )
    assert statuses == [200] * 8
    assert await one(world.db, "SELECT count(*) FROM address") == 2
    assert await one(world.db, REPLIES) == 2
    await world.emulator.wait_for("aigul", words("kk", "first-contact"))
    await world.emulator.wait_for("bolat", words("kk", "first-contact"))
    assert not world.emulator.duplicates()


async def test_two_different_first_messages_at_once(world: World) -> None:
    """Not a duplicate, but a race: both are answered, the person is one."""
    aigul = world.emulator.add_person("aigul", "Айгүл", "telegram", started=True)
    updates = [telegram_text(aigul, 7001 + n, "/start") for n in range(4)]
    async with another_process(world.db, world.app) as second:
        both = (world.url, address_of(second)) * 2
        statuses = await asyncio.gather(
            *(post_telegram(url, update) for url, update in zip(both, updates, strict=True))
        )
        await world.emulator.wait_for("aigul", words("kk", "first-contact"))

        async def all_said() -> bool:
            return not await one(world.db, "SELECT count(*) FROM delivery WHERE outcome IS NULL")

        await until(all_said)
    assert statuses == [200] * 4
    assert await one(world.db, "SELECT count(*) FROM address") == 1
    assert await one(world.db, "SELECT count(*) FROM address_alias") == 1
    assert await one(world.db, "SELECT turn FROM address") == 4
    assert await one(world.db, "SELECT count(*) FROM delivery") == 4


async def test_again_minutes_later(world: World) -> None:
    """WhatsApp through Twilio repeats up to two minutes later; Telegram redelivers."""
    emulator = world.emulator
    await settled(world, "petr", language="ru")
    await settled(world, "wera", "whatsapp", language="ru")
    emulator.duplicate_next()
    acts = [emulator.say("petr", "меню"), emulator.say("wera", "меню")]
    for who in ("petr", "wera"):
        await emulator.wait_for(who, "Бугровое")
    await emulator.settle()
    await move_clock(world.db, [world.app], timedelta(minutes=2))
    for act in acts:
        emulator.repeat(act)
    await emulator.settle()
    statuses = [a["status"] for a in emulator.bot().updates.attempts if a["id"] == acts[0]]
    assert statuses == [200] * 3
    assert emulator.inbound(str(acts[1])).answers == [200] * 3
    assert await one(world.db, REPLIES) == 2
    assert [len(emulator.received(who)) for who in ("petr", "wera")] == [1, 1]


async def test_same_tap_under_a_new_update_number(world: World) -> None:
    """An update's number may start again; the callback's id still tells."""
    petr = await settled(world, "petr")
    akim = await settled(world, "akim", role=RoleName.AKIM)
    notice = await send_notice(world, akim)
    await world.emulator.wait_for("petr", "Ремонт водопровода")
    person = world.emulator.person("petr")
    update = telegram_tap(person, 9001, f"d.read.{short(notice)}.1")
    renumbered = update | {"update_id": 31}
    assert [await post_telegram(world.url, u) for u in (update, renumbered)] == [200, 200]
    told = await rows(world.db, "SELECT actor_id FROM audit WHERE action = 'notice-acknowledged'")
    assert [row.actor_id for row in told] == [petr.resident]
    seen = "SELECT count(*) FROM delivery WHERE address_id = :a AND priority = 0"
    assert await one(world.db, seen, a=petr.address) == 1


async def test_two_taps_of_i_have_read_it_at_once(world: World) -> None:
    """Two fingers, two processes, two updates: acknowledged once, both answered."""
    petr = await settled(world, "petr")
    akim = await settled(world, "akim", role=RoleName.AKIM)
    notice = await send_notice(world, akim)
    await world.emulator.wait_for("petr", "Ремонт водопровода")
    person = world.emulator.person("petr")
    taps = [telegram_tap(person, 9001 + n, f"d.read.{short(notice)}.1") for n in range(6)]
    async with another_process(world.db, world.app) as second:
        both = (world.url, address_of(second)) * 3
        statuses = await asyncio.gather(
            *(post_telegram(url, tap) for url, tap in zip(both, taps, strict=True))
        )
    assert statuses == [200] * 6
    acknowledged = "SELECT count(*) FROM audit WHERE action = 'notice-acknowledged'"
    assert await one(world.db, acknowledged) == 1
    heard = "SELECT count(*) FROM recipient WHERE acknowledged_at IS NOT NULL"
    assert await one(world.db, heard) == 1
    mine = "SELECT acknowledged_at IS NOT NULL FROM recipient WHERE resident_id = :r"
    assert await one(world.db, mine, r=petr.resident)


async def test_two_taps_of_send_at_once(world: World) -> None:
    """The akim's thumb trembles over "send": one notice, one message each."""
    emulator = world.emulator
    await settled(world, "petr")
    await settled(world, "akim", role=RoleName.AKIM)
    emulator.say("akim", "меню")
    await emulator.wait_for("akim", button=words("ru", "menu-send"))
    emulator.tap("akim", words("ru", "menu-send"))
    await emulator.wait_for("akim", words("ru", "kind-ask"))
    emulator.tap("akim", words("ru", "kind-announcement"))
    await emulator.wait_for("akim", words("ru", "audience-ask"))
    emulator.tap("akim", words("ru", "audience-all-okrug"))
    await emulator.wait_for("akim", words("ru", "notice-write-ru"))
    emulator.say("akim", f"{WORDS['ru'].title}\n{WORDS['ru'].body}")
    await emulator.wait_for("akim", words("ru", "notice-write-kk"))
    emulator.say("akim", f"{WORDS['kk'].title}\n{WORDS['kk'].body}")
    await emulator.wait_for("akim", words("ru", "attach-ask"))
    emulator.tap("akim", words("ru", "attach-skip"))
    await emulator.wait_for("akim", words("ru", "preview-ask"))
    payload = next(
        button["data"]
        for line in emulator.last("akim").buttons
        for button in line
        if button["text"] == words("ru", "notice-send")
    )
    person = emulator.person("akim")
    taps = [telegram_tap(person, 9101 + n, payload) for n in range(4)]
    async with another_process(world.db, world.app) as second:
        both = (world.url, address_of(second)) * 2
        statuses = await asyncio.gather(
            *(post_telegram(url, tap) for url, tap in zip(both, taps, strict=True))
        )
        await emulator.wait_for("petr", "Ремонт водопровода")
        await emulator.wait_for("akim", "Ремонт водопровода", button=words("ru", "notice-read"))
    assert statuses == [200] * 4
    assert await one(world.db, "SELECT count(*) FROM notice") == 1
    assert await one(world.db, "SELECT count(*) FROM audit WHERE action = 'notice-sent'") == 1
    assert await one(world.db, "SELECT count(*) FROM delivery WHERE priority >= 2") == 2
    assert len(emulator.received("petr")) == 1


async def test_two_taps_of_a_language_at_once(world: World) -> None:
    """One language is chosen, registration begins once, the form is not skipped through."""
    emulator = world.emulator
    person = emulator.add_person("aigul", "Айгүл", "telegram")
    emulator.press_start("aigul")
    hello = await emulator.wait_for("aigul", words("kk", "first-contact"))
    kazakh, russian = (row[0]["data"] for row in hello.buttons)
    taps = [telegram_tap(person, 9201, kazakh), telegram_tap(person, 9202, russian)]
    async with another_process(world.db, world.app) as second:
        statuses = await asyncio.gather(
            post_telegram(world.url, taps[0]), post_telegram(address_of(second), taps[1])
        )
    assert statuses == [200, 200]
    assert await one(world.db, "SELECT count(*) FROM audit WHERE action = 'language-chosen'") == 1
    chosen = await one(world.db, "SELECT details->>'language' FROM audit WHERE action ="
                       " 'language-chosen'")  # fmt: skip
    assert await one(world.db, "SELECT language FROM address") == chosen
    await emulator.wait_for("aigul", words(chosen, "consent-ask"))
    await emulator.wait_for("aigul", words(chosen, "stale-choice"))  # said with the question


async def test_registered_once_though_confirmed_twice(world: World) -> None:
    """The last "yes" of the registration on two processes: one resident."""
    emulator = world.emulator
    person = emulator.add_person("petr", "Пётр", "whatsapp", phone="+77011234567")
    for typed, expected in (
        ("Сәлем", words("kk", "first-contact")),
        ("2", words("ru", "consent-ask")),
        ("1", words("ru", "name-ask")),
        ("Иванов Пётр", words("ru", "village-ask")),
        ("Бугровое", words("ru", "village-confirm")),
        ("да", words("ru", "street-ask")),
        (words("ru", "street-skip"), words("ru", "birth-ask")),
        ("05.03.1986", words("ru", "summary-ask")),
    ):
        emulator.say("petr", typed)
        await emulator.wait_for("petr", expected)
    forms = [twilio_form(person, f"SM{n:032d}", Body="1") for n in range(4)]
    async with another_process(world.db, world.app) as second:
        both = (world.url, address_of(second)) * 2
        statuses = await asyncio.gather(
            *(post_twilio(u, form, public=world.url) for u, form in zip(both, forms, strict=True))
        )
    assert statuses == [200] * 4
    assert await one(world.db, "SELECT count(*) FROM resident") == 1
    registered = "SELECT count(*) FROM audit WHERE action = 'resident-registered'"
    assert await one(world.db, registered) == 1
