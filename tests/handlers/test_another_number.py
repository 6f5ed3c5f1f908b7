"""Another number: proved again on Telegram, the chat's own on WhatsApp; by conversation."""

from uuid import UUID

import pytest
from support.talk import KK, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import Alias, AliasKind, ChannelName, Contact, Kind
from core.languages import Language
from services import people, residents

BOTH = pytest.mark.parametrize("language", [KK, RU])
NEW = "+77779998877"


async def proved(
    talk: Talk, channel: ChannelName = TELEGRAM, language: Language = RU, number: int | None = None
) -> Person:
    """Somebody whose phone is proved."""
    person = talk.person(channel)
    person.number = number or person.number
    await person.chooses(language)
    await person.registers(until="phone")
    if channel is TELEGRAM:
        await person.share()
    await person.pick("summary-yes")
    return person


async def corrects_phone(person: Person) -> None:
    await person.say("/data")
    await person.pick("profile-edit")
    await person.pick("summary-phone")


async def shares(person: Person, phone: str) -> None:
    await person._send(Kind.CONTACT, contact=Contact(phone, own=True))


async def kept(person: Person) -> residents.Profile:
    speaker = (await person.address())["speaker_id"]
    assert isinstance(speaker, UUID)
    async with person.talk.db.unit() as unit:
        found = await residents.profile(unit, speaker)
    assert found is not None
    return found


async def on_both(talk: Talk, language: Language) -> tuple[Person, Person]:
    """One person on Telegram and WhatsApp, of the same number."""
    first = await proved(talk, TELEGRAM, language)
    second = talk.person(WHATSAPP)
    second.number = first.number
    await second.chooses(language)
    await second.pick("consent-yes")
    await second.pick_first("join-yes")
    await second.say("05.03.1986")
    assert second.hears("joined")
    return first, second


# Telegram


@BOTH
async def test_a_new_number_is_proved_again(talk: Talk, language: Language) -> None:
    """Before, a number that had been proved once could not be changed any more."""
    person = await proved(talk, TELEGRAM, language)
    await corrects_phone(person)
    assert person.hears("phone-change", phone=person.phone)
    assert person.t("phone-skip") not in person.labels, "nothing is lost by a slip"
    await person.share(own=False)
    assert person.hears("phone-foreign")
    await person.say("8 777 999 88 77")
    assert person.hears("phone-change-typed")
    assert (await kept(person)).phone == person.phone
    await shares(person, NEW)
    assert NEW in person.text
    await person.pick("summary-yes")
    assert person.hears("profile-corrected")
    mine = await kept(person)
    assert (mine.phone, mine.level) == (NEW, "phone")
    other = UUID(int=1)
    async with talk.db.unit() as unit:
        assert [one.id for one in await people.known_by_phone(unit, NEW, other, None)] == [mine.id]
        assert await people.known_by_phone(unit, person.phone, other, None) == []


@BOTH
async def test_back_keeps_the_number(talk: Talk, language: Language) -> None:
    person = await proved(talk, TELEGRAM, language)
    await corrects_phone(person)
    await person.pick("nav-back")
    assert person.phone in person.text
    await person.pick("summary-yes")
    mine = await kept(person)
    assert (mine.phone, mine.level) == (person.phone, "phone")


@BOTH
async def test_the_same_number_again_is_said(talk: Talk, language: Language) -> None:
    """Telegram still has the old one: it is to be changed there first."""
    person = await proved(talk, TELEGRAM, language)
    await corrects_phone(person)
    await person.share()
    assert person.hears("phone-same", phone=person.phone)
    await person.pick("summary-yes")
    assert (await kept(person)).level == "phone"


@BOTH
async def test_who_is_known_by_the_new_number_is_asked_about(
    talk: Talk, language: Language
) -> None:
    """On WhatsApp the same person came with the new number already."""
    known = await proved(talk, WHATSAPP, language)
    person = await proved(talk, TELEGRAM, language)
    await corrects_phone(person)
    await shares(person, known.phone)
    await person.pick("summary-yes")
    assert person.hears("profile-corrected")
    assert person.t("join-no") in person.labels
    await person.pick_first("join-yes")
    await person.say("05.03.1986")
    assert person.hears("joined")


@BOTH
async def test_a_number_is_exchanged_before_the_end_too(talk: Talk, language: Language) -> None:
    person = talk.person(TELEGRAM)
    await person.chooses(language)
    await person.registers(until="phone")
    await person.share()
    await person.pick("summary-phone")
    assert person.hears("phone-change", phone=person.phone)
    await shares(person, NEW)
    await person.pick("summary-yes")
    assert (await kept(person)).phone == NEW


# WhatsApp


@BOTH
async def test_on_whatsapp_it_is_the_number_of_the_chat(talk: Talk, language: Language) -> None:
    """The answer says so, with the way out; nothing else is asked or changed."""
    person = await proved(talk, WHATSAPP, language)
    await corrects_phone(person)
    assert person.hears("phone-chat-alone", phone=person.phone)
    assert person.t("summary-yes") in person.labels
    await person.pick("summary-yes")
    mine = await kept(person)
    assert (mine.phone, mine.level) == (person.phone, "phone")


@BOTH
async def test_while_registering_nothing_is_there_to_delete(talk: Talk, language: Language) -> None:
    person = talk.person(WHATSAPP)
    await person.chooses(language)
    await person.registers(until="summary")
    await person.pick("summary-phone")
    assert person.hears("phone-chat", phone=person.phone)


@BOTH
async def test_who_is_on_telegram_too_changes_it_there(talk: Talk, language: Language) -> None:
    """And then writes from the new number on WhatsApp and is known."""
    first, second = await on_both(talk, language)
    await corrects_phone(second)
    assert second.hears("phone-chat-telegram", phone=second.phone)
    await corrects_phone(first)
    fresh = talk.person(WHATSAPP)
    await shares(first, fresh.phone)
    await first.pick("summary-yes")
    await fresh.chooses(language)
    await fresh.pick("consent-yes")
    assert fresh.t("join-yes", name="Серік А.") in fresh.labels
    await corrects_phone(second)
    assert second.hears("phone-chat-taken", phone=second.phone)
    assert fresh.phone not in second.text
    await second.pick("summary-yes")
    assert (await kept(second)).phone == second.phone


@BOTH
async def test_a_correction_that_waits_brings_no_old_number_back(
    talk: Talk, language: Language
) -> None:
    """Begun on WhatsApp, the number exchanged on Telegram, then finished on WhatsApp."""
    first, second = await on_both(talk, language)
    await second.say("/data")
    await second.pick("profile-edit")
    await corrects_phone(first)
    await shares(first, NEW)
    await first.pick("summary-yes")
    await second.pick("summary-yes")
    assert second.hears("profile-unchanged")
    mine = await kept(second)
    assert (mine.phone, mine.level) == (NEW, "phone")


@BOTH
async def test_a_chat_that_hides_its_number_proves_none(talk: Talk, language: Language) -> None:
    """Before, a number that was typed would have taken the proved one's place."""
    seen = await proved(talk, WHATSAPP, language)
    hidden = talk.person(WHATSAPP, phone_known=False)
    await hidden.chooses(language)
    hidden.also = (Alias(AliasKind.PHONE, seen.phone),)
    await hidden.say("/menu")
    await hidden.pick("join-menu")
    await hidden.pick_first("join-yes")
    await hidden.say("05.03.1986")
    hidden.also = ()
    await corrects_phone(hidden)
    assert hidden.hears("phone-hidden", phone=seen.phone)
    await hidden.pick("summary-yes")
    assert (await kept(hidden)).level == "phone"


# A number that nobody asked for


@BOTH
@pytest.mark.parametrize("where", ["menu", "correction", "waiting"])
async def test_the_own_number_is_taken_where_none_is_proved(
    talk: Talk, language: Language, where: str
) -> None:
    """Before: "no number is needed now", where the data say "phone: none", and nobody could ever
    be joined."""
    person = await talk.resident(TELEGRAM, language)
    await person.say("/data")
    if where != "menu":
        await person.pick("profile-edit")
    if where == "waiting":
        await person.pick("summary-street")
        await person.say("Мира, 5")
        await person.pick("summary-phone")
        await person.say("/menu")
    await person.share(own=False)
    assert (await kept(person)).phone is None
    await person.share()
    assert person.hears("phone-taken", phone=person.phone) or where == "waiting"
    assert person.phone in person.text
    await person.pick("summary-yes")
    assert person.hears("profile-corrected")
    mine = await kept(person)
    assert (mine.phone, mine.level) == (person.phone, "phone")
    assert mine.street == ("Мира, 5" if where == "waiting" else "Абай көшесі, 12")
    await person.share()
    assert person.hears("not-asked"), "it is proved already"


@BOTH
@pytest.mark.parametrize("until", ["street", "phone", "summary"])
async def test_the_own_number_goes_into_a_registration_that_waits(
    talk: Talk, language: Language, until: str
) -> None:
    person = talk.person(TELEGRAM)
    await person.chooses(language)
    await person.share()
    assert not person.hears("phone-taken", phone=person.phone), "nobody has agreed yet"
    await person.registers(until=until)
    if until != "summary":
        await person.say("/menu")
    await person.share()
    if until == "street":
        assert person.hears("street-ask")
        await person.says("1", "05.03.1986")
    await person.pick("summary-yes")
    assert (await kept(person)).level == "phone"


@BOTH
async def test_a_correction_of_nothing_does_not_wait(talk: Talk, language: Language) -> None:
    """Before, a look at the data left "continue" in the menu, with nothing to continue."""
    person = await talk.resident(TELEGRAM, language)
    await person.say("/data")
    await person.pick("profile-edit")
    await person.say("/menu")
    assert person.t("menu-resume") not in person.labels
    await person.say("/data")
    await person.pick("profile-edit")
    await person.pick("summary-street")
    await person.say("Мира, 5")
    await person.say("/menu")
    assert person.t("menu-resume") in person.labels
