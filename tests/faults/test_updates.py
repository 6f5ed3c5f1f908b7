"""Updates that come twice, at once, in another order, at two processes behind one address."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from support.faults import PATIENCE, chain_holds, every_delivery_is_accounted_for, nothing_left
from support.people import another_process, move_clock, one, rows, send_notice, settled, words
from support.wire import post_telegram, post_twilio, telegram_tap, twilio_form
from support.world import World

from core.ids import short
from emulator.app import Emulator
from services.residents import NAME
from services.roles import RoleName


@pytest_asyncio.fixture
async def two(world: World) -> AsyncIterator[World]:
    """Two processes that share the port, as `zhiyn serve` started twice."""
    async with another_process(world.db, world.app, port=world.app.settings.port):
        yield world


class Trembling:
    """Somebody whose every update reaches the product three times at once."""

    def __init__(self, emulator: Emulator, who: str, language: str) -> None:
        self.emulator, self.who, self.language = emulator, who, language
        self.acts: list[int | str] = []
        self.asked: list[str] = []

    def said(self, key: str) -> str:
        return words(self.language, key)

    async def hears(self, key: str) -> None:
        self.asked.append(self.said(key))
        await self.emulator.wait_for(self.who, self.said(key), timeout=PATIENCE)

    def says(self, text: str) -> None:
        self.emulator.duplicate_next(2)
        self.acts.append(self.emulator.say(self.who, text))

    def taps(self, key: str) -> None:
        self.emulator.duplicate_next(2)
        self.acts.append(self.emulator.tap(self.who, self.said(key)))


@pytest.mark.parametrize(("channel", "language"), [("telegram", "kk"), ("whatsapp", "ru")])
async def test_a_registration_of_which_everything_comes_three_times(
    two: World, channel: str, language: str
) -> None:
    """One person, one resident, every question once; and all of it again two minutes later."""
    emulator, db = two.emulator, two.db
    emulator.add_person("aigul", "Айгүл", channel, phone="+77011234567", started=True)
    aigul = Trembling(emulator, "aigul", language)
    aigul.says("/start" if channel == "telegram" else "Сәлем")
    await emulator.wait_for("aigul", words("kk", "first-contact"), timeout=PATIENCE)
    emulator.duplicate_next(2)
    aigul.acts.append(emulator.tap("aigul", "Қазақша" if language == "kk" else "Русский"))
    await aigul.hears("consent-ask")
    aigul.taps("consent-yes")
    await aigul.hears("name-ask")
    aigul.says("Серікова Айгүл")
    await aigul.hears("village-ask")
    aigul.says("Бугровое")
    await aigul.hears("village-confirm")
    aigul.taps("village-yes")
    await aigul.hears("street-ask")
    aigul.taps("street-skip")
    await aigul.hears("birth-ask")
    aigul.says("05.03.1986")
    if channel == "telegram":
        await aigul.hears("phone-ask")
        emulator.duplicate_next(2)
        aigul.acts.append(emulator.share_contact("aigul"))
    await aigul.hears("summary-ask")
    aigul.says("1")
    await aigul.hears("registered")
    await emulator.settle(PATIENCE)
    await move_clock(db, [two.app], timedelta(minutes=2))
    for act in aigul.acts:
        emulator.repeat(act)
    await emulator.settle(PATIENCE)
    await nothing_left(db)
    assert not emulator.duplicates(), "a question was asked twice"
    heard = "\n".join(emulator.texts("aigul"))
    assert [question for question in aigul.asked if question not in heard] == []
    (found,) = await rows(db, "SELECT id, full_name FROM resident")
    assert db.keyring.open(NAME, found.id, found.full_name) == "Серікова Айгүл"
    assert await one(db, "SELECT count(*) FROM address") == 1
    assert await one(db, "SELECT turn FROM address") == len(aigul.acts)
    for action in ("language-chosen", "resident-registered"):
        assert await one(db, "SELECT count(*) FROM audit WHERE action = :a", a=action) == 1
    await every_delivery_is_accounted_for(db)
    await chain_holds(db)


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_in_another_order(two: World, channel: str) -> None:
    """The last first: each is answered once, none is taken for another, nobody is stuck."""
    emulator, db = two.emulator, two.db
    await settled(two, "petr", channel)
    emulator.hold_inbound()
    acts = [emulator.say("petr", said) for said in ("помощь", "стоп", "начать", "мои данные")]
    emulator.release_inbound(order=[3, 2, 1, 0])
    for act in acts:
        await emulator.wait_acknowledged(act, PATIENCE)
    await nothing_left(db)
    heard = "\n".join(emulator.texts("petr"))
    for key in ("help-text", "profile-text", "stopped"):
        assert heard.count(words("ru", key)) == 1, key
    assert await one(db, "SELECT turn FROM address") == 4
    assert await one(db, "SELECT stopped_at IS NOT NULL FROM address"), "stop came last"
    emulator.say("petr", "начать")
    await emulator.wait_for("petr", words("ru", "resumed"), timeout=PATIENCE)
    assert await one(db, "SELECT stopped_at IS NULL FROM address")


async def test_a_tap_that_overtakes_what_it_answers(two: World) -> None:
    """A stale button and the word that replaced it arrive the wrong way round: the form goes on
    where it stands and nothing typed is lost."""
    emulator, db = two.emulator, two.db
    emulator.add_person("petr", "Пётр", "whatsapp", phone="+77011234567")
    emulator.say("petr", "Сәлем")
    await emulator.wait_for("petr", words("kk", "first-contact"))
    emulator.hold_inbound()
    acts = [emulator.tap("petr", "Русский"), emulator.tap("petr", "Қазақша")]
    emulator.release_inbound(order=[1, 0])
    for act in acts:
        await emulator.wait_acknowledged(act, PATIENCE)
    await emulator.wait_for("petr", words("kk", "consent-ask"), timeout=PATIENCE)
    await nothing_left(db)
    assert await one(db, "SELECT language FROM address") == "kk", "the first that came counts"
    assert await one(db, "SELECT count(*) FROM audit WHERE action = 'language-chosen'") == 1


async def test_two_thumbs_on_two_messengers(two: World) -> None:
    """A family on one phone and a person on two: eight taps of "read" at once, one receipt each."""
    emulator, db = two.emulator, two.db
    akim = await settled(two, "akim", role=RoleName.AKIM, place="595030100")
    await settled(two, "petr")
    await settled(two, "wera", "whatsapp")
    notice = await send_notice(two, akim)
    for who in ("petr", "wera"):
        await emulator.wait_for(who, "Ремонт водопровода", timeout=PATIENCE)
    payload = f"d.read.{short(notice)}.1"
    petr, wera = emulator.person("petr"), emulator.person("wera")
    forms = [
        twilio_form(wera, f"SM{n:032d}", Body="Прочитал(а)", ButtonPayload=payload)
        for n in range(4)
    ]
    statuses = await asyncio.gather(
        *(post_telegram(two.url, telegram_tap(petr, 9001 + n, payload)) for n in range(4)),
        *(post_twilio(two.url, form) for form in forms),
    )
    assert statuses == [200] * 8
    told = "SELECT count(*) FROM audit WHERE action = 'notice-acknowledged'"
    assert await one(db, told) == 2
    assert await one(db, "SELECT count(acknowledged_at) FROM recipient") == 2
    await nothing_left(db)
    await chain_holds(db)
