"""A family on one phone: who is speaking is asked where it matters, and can be changed; wrong turns
of joining; two names of one sender."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from support.talk import KK, NAME, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import Alias, AliasKind, ChannelName, Contact, Kind, Medium
from core.ids import short
from core.languages import Language
from services import people, residents, roles, rulebook
from services.residents import Registration
from services.roles import RoleName

BOTH = pytest.mark.parametrize("language", [KK, RU])
CHANNELS = pytest.mark.parametrize("channel", ChannelName)
COUNTED = (
    "SELECT count(*) FROM resident WHERE registered_at IS NOT NULL AND deleted_at IS NULL"
    " AND merged_into IS NULL"
)
SERIK, AIGUL = "Серік А.", "Айгүл А."


async def proved(talk: Talk, channel: ChannelName = TELEGRAM, language: Language = RU) -> Person:
    """Somebody whose phone is proved."""
    person = talk.person(channel)
    await person.chooses(language)
    await person.registers(until="phone")
    if channel is TELEGRAM:
        await person.share()
    await person.pick("summary-yes")
    return person


async def with_number_of(
    talk: Talk, other: Person, channel: ChannelName, language: Language = RU
) -> Person:
    """A new chat on this messenger, of the other's number, that has agreed."""
    person = talk.person(channel)
    person.number = other.number
    await person.chooses(language)
    await person.pick("consent-yes")
    return person


async def family(talk: Talk, channel: ChannelName = TELEGRAM, language: Language = RU) -> Person:
    """Серік and Айгүл on one phone; a quarter of an hour ago somebody wrote."""
    person = await proved(talk, channel, language)
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    await person.says("1", "Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990")
    await person.pick("summary-yes")
    talk.clock.advance(timedelta(minutes=20))
    await person.say("/menu")
    return person


async def ids(talk: Talk) -> dict[str, UUID]:
    """The registered people by what others see of their names."""
    addresses = await talk.rows("SELECT id FROM address")
    async with talk.db.unit() as unit:
        found = [await people.members(unit, row["id"]) for row in addresses]  # type: ignore[arg-type]
    return {one.shown: one.id for members in found for one in members}


async def speaker(person: Person) -> object:
    return (await person.address())["speaker_id"]


# Who is speaking


@BOTH
@CHANNELS
async def test_who_speaks_is_seen_and_changed_in_the_menu(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    person = await family(talk, channel, language)
    known = await ids(talk)
    assert person.hears("family-speaking", name=AIGUL)
    await person.pick("family-change")
    assert person.hears("family-who")
    await person.tap(SERIK)
    assert person.hears("family-speaking", name=SERIK)
    assert await speaker(person) == known[SERIK]
    await person.say("/data")
    assert NAME in person.text, "who has just said who they are is not asked again"


@BOTH
@pytest.mark.parametrize("wish", ["profile-edit", "profile-move", "profile-mute", "profile-delete"])
async def test_an_old_screen_acts_for_nobody_unasked(
    talk: Talk, language: Language, wish: str
) -> None:
    """The father's data are on the screen; an hour later the daughter taps "delete"."""
    person = await family(talk, TELEGRAM, language)
    await person.say("/data")
    await person.tap(SERIK)
    talk.clock.advance(timedelta(hours=1))
    await person.pick(wish)
    assert person.hears("family-who")
    assert await talk.one(COUNTED) == 2
    await person.tap(AIGUL)
    assert await speaker(person) == (await ids(talk))[AIGUL]
    assert not person.hears("family-who")


@BOTH
async def test_a_notice_is_sent_by_who_holds_the_role(talk: Talk, language: Language) -> None:
    person = await family(talk, TELEGRAM, language)
    async with talk.db.unit() as unit:
        await roles.grant(unit, (await ids(talk))[AIGUL], RoleName.AKIM, OKRUG)
    await person.say("/menu")
    await person.pick("menu-send")
    assert person.hears("family-who")
    await person.tap(SERIK)
    assert person.hears("refused-role")
    await person.say("/menu")
    assert person.t("menu-send") not in person.labels
    await person.pick("family-change")
    await person.tap(AIGUL)
    await person.pick("menu-send")
    assert not person.hears("family-who")
    assert person.t("nav-cancel") in person.labels, "the first question of the notice"


@BOTH
async def test_an_invitation_is_for_who_says_so(talk: Talk, language: Language) -> None:
    person = await family(talk, WHATSAPP, language)
    async with talk.db.unit() as unit:
        code = await roles.invite(unit, RoleName.DEPUTY, OKRUG)
    await person.start(f"i_{code}")
    assert person.hears("family-who")
    assert await talk.one("SELECT count(*) FROM role") == 0
    await person.tap(SERIK)
    held = await talk.one("SELECT resident_id FROM role WHERE revoked_at IS NULL")
    assert held == (await ids(talk))[SERIK]


@BOTH
async def test_after_one_is_deleted_the_other_speaks(talk: Talk, language: Language) -> None:
    """Before, the chat spoke for nobody and the other one was asked to register again."""
    person = await family(talk, TELEGRAM, language)
    await person.say("/data")
    await person.tap(AIGUL)
    await person.pick("profile-delete")
    await person.pick("delete-yes")
    assert await speaker(person) == (await ids(talk))[SERIK]
    await person.say("/menu")
    assert person.t("menu-profile") in person.labels
    assert person.t("family-change") not in person.labels


@BOTH
async def test_when_nobody_is_known_to_speak_it_is_asked_first(
    talk: Talk, language: Language
) -> None:
    """Three people, the one who spoke is deleted: no menu of somebody who never registered."""
    person = await family(talk, TELEGRAM, language)
    await person.say("/data")
    await person.tap(SERIK)
    await person.pick("family-menu")
    await person.pick("family-add")
    await person.says("1", "Ахметов Әлі", "Бугровое", "да", "1", "12.04.1992")
    await person.pick("summary-yes")
    await person.say("/data")
    await person.tap("Әлі А.")
    await person.pick("profile-delete")
    await person.pick("delete-yes")
    assert person.hears("delete-done-family", name="Әлі А.", names=f"{SERIK}, {AIGUL}")
    assert person.hears("family-who")
    assert await speaker(person) is None
    await person.tap(SERIK)
    assert person.hears("family-speaking", name=SERIK)


@BOTH
@CHANNELS
@pytest.mark.parametrize("typed", ["айгүл", "АЙГУЛ!", "Aigul", "Айгүл Ахметова", "ахметова айгүл"])
async def test_a_typed_first_name_says_who_it_is(
    talk: Talk, channel: ChannelName, language: Language, typed: str
) -> None:
    """Before, "I do not understand", and the question was gone."""
    person = await family(talk, channel, language)
    await person.say("/data")
    await person.say(typed)
    assert "Ахметова Айгүл" in person.text, "on with what was wanted"
    assert await speaker(person) == (await ids(talk))[AIGUL]


@BOTH
@CHANNELS
async def test_what_says_nobody_leaves_the_question(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Words, a picture, an old button: the question is asked again, with what was wanted."""
    person = await family(talk, channel, language)
    await person.say("/menu")
    old = person.buttons[0].payload
    await person.say("/data")
    for typed in ("бәлкім", "х" * 5000, "Болат", "айгүл серік", "а", "9"):
        await person.say(typed)
        assert person.hears("family-who"), typed
        assert person.hears("not-understood", typed=typed[:200])
    await person.send_file(Medium.PHOTO)
    assert person.hears("family-who")
    await person.press(old)
    assert person.hears("stale-choice")
    assert person.hears("family-who")
    await person.say("серик")
    assert NAME in person.text
    await person.say("бәлкім")
    assert not person.hears("family-who")


@BOTH
async def test_two_of_one_first_name_are_told_apart(talk: Talk, language: Language) -> None:
    person = await family(talk, TELEGRAM, language)
    await adds(person, "Бекова Айгүл", "12.04.1991")
    await person.pick("summary-yes")
    talk.clock.advance(timedelta(minutes=20))
    await person.say("/data")
    await person.say("айгүл")
    assert person.hears("family-who"), "which of them?"
    await person.say("Айгүл Бекова")
    assert "Бекова Айгүл" in person.text


@BOTH
@CHANNELS
async def test_two_of_one_name_are_told_apart_by_the_year(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Before: two buttons that said "Серік А."."""
    person = await family(talk, channel, language)
    await adds(person, "Ахметов Серік", "12.04.2001", "Бугровое")
    await person.pick("summary-yes")
    talk.clock.advance(timedelta(minutes=20))
    await person.say("/data")
    assert person.hears("family-who")
    await person.tap("Серік А. 2001")
    assert "12.04.2001" in person.text
    talk.clock.advance(timedelta(minutes=20))
    await person.say("/data")
    await person.say("Серік 1986")
    assert "05.03.1986" in person.text


@BOTH
async def test_the_menu_of_a_phone_nobody_speaks_from_understands_a_name(
    talk: Talk, language: Language
) -> None:
    person = await family(talk, TELEGRAM, language)
    async with talk.db.session() as session:
        await session.execute(text("UPDATE address SET speaker_id = NULL"))
    await person.say("/menu")
    assert person.hears("family-who")
    await person.say("айгүл")
    assert person.hears("family-speaking", name=AIGUL)


@BOTH
async def test_words_at_another_question_name_nobody(talk: Talk, language: Language) -> None:
    """ "Delete the data" stands there for one person: a name typed then is no answer to it."""
    person = await family(talk, TELEGRAM, language)
    await person.say("/data")
    await person.tap(SERIK)
    await person.pick("family-menu")
    await person.tap(person.t("family-off", name=AIGUL))
    await person.say("айгүл")
    assert not person.hears("family-who")
    assert not person.hears("delete-ask")


# One more, who is here already


async def adds(person: Person, name: str, born: str, village: str = "Сосновка") -> None:
    """One more person, up to the date of birth; Серік says that it is he."""
    await person.say("/data")
    await person.tap(SERIK)
    await person.pick("family-menu")
    await person.pick("family-add")
    await person.says("1", name, village, "да", "1", born)


@BOTH
@CHANNELS
async def test_who_is_here_already_is_not_one_more(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Before, Айгүл was entered again with another village, and counted twice."""
    person = await family(talk, channel, language)
    await adds(person, "айгүл  АХМЕТОВА", "12.04.1990")
    assert person.hears("family-already", name=AIGUL)
    await person.say("бәлкім")
    assert person.hears("family-already", name=AIGUL), "the question stays"
    assert await talk.one(COUNTED) == 2
    await person.pick("family-already-data")
    assert "Ахметова Айгүл" in person.text
    assert await speaker(person) == (await ids(talk))[AIGUL]
    assert person.t("profile-move") in person.labels
    await person.say("/menu")
    assert person.hears("parked-relative"), "what was typed is not lost"
    await person.pick("menu-resume")
    assert person.hears("family-already", name=AIGUL)
    await person.pick("nav-back")
    assert person.hears("birth-ask")
    await person.say("13.04.1990")
    assert "Сосновка" in person.text
    await person.pick("summary-yes")
    assert await talk.one(COUNTED) == 3


@BOTH
async def test_the_data_of_who_speaks_already(talk: Talk, language: Language) -> None:
    """The form waits, whoever's data are looked at: words typed then are no answer to it."""
    person = await family(talk, TELEGRAM, language)
    await adds(person, NAME, "05.03.1986")
    await person.pick("family-already-data")
    assert NAME in person.text
    assert await person.form() is None


@BOTH
async def test_nor_by_a_correction_at_the_last_look(talk: Talk, language: Language) -> None:
    person = await family(talk, TELEGRAM, language)
    await adds(person, "Ахметова Айгерим", "12.04.1990")
    await person.pick("summary-name")
    await person.say("Ахметова Айгүл")
    await person.pick("summary-yes")
    assert person.hears("family-already", name=AIGUL)
    await person.pick("nav-back")
    assert "Сосновка" in person.text
    await person.pick("summary-name")
    await person.say("Ахметова Айгерим")
    await person.pick("summary-yes")
    assert person.hears("registered", village=sosnovka(language))
    assert await talk.one(COUNTED) == 3


def sosnovka(language: Language) -> str:
    return {KK: "Сосновка ауылы", RU: "село Сосновка"}[language]


@BOTH
async def test_twins_are_two(talk: Talk, language: Language) -> None:
    person = await family(talk, TELEGRAM, language)
    await adds(person, "Ахметов Берік Болатұлы", "05.03.1986", "Бугровое")
    await person.pick("summary-yes")
    assert await talk.one(COUNTED) == 3


@BOTH
async def test_nobody_becomes_another_one_of_the_family(talk: Talk, language: Language) -> None:
    """Entered under another name, and corrected afterwards."""
    person = await family(talk, WHATSAPP, language)
    await adds(person, "Ахметова Айгерим", "12.04.1990")
    await person.pick("summary-yes")
    await person.say("/data")
    await person.tap("Айгерим А.")
    await person.pick("profile-edit")
    await person.pick("summary-name")
    await person.say("Ахметова Айгүл")
    await person.pick("summary-yes")
    assert person.hears("family-already", name=AIGUL)
    await person.pick("nav-back")
    await person.say("/cancel")
    assert person.hears("profile-unchanged")
    assert "Айгерим А." in await ids(talk)


@BOTH
async def test_who_is_taken_off_meanwhile_may_be_entered(talk: Talk, language: Language) -> None:
    """The form waits at "is here already", and that is so no longer."""
    person = await family(talk, TELEGRAM, language)
    await adds(person, "Ахметова Айгүл", "12.04.1990")
    assert person.hears("family-already", name=AIGUL)
    await person.say("/data")
    await person.pick("family-menu")
    await person.tap(person.t("family-off", name=AIGUL))
    await person.pick("family-off-yes")
    await person.pick("menu-resume")
    assert person.hears("family-already-not")
    await person.pick("menu-resume")
    await person.pick("summary-yes")
    assert person.hears("registered", village=sosnovka(language))


# One less, and back


@BOTH
async def test_taken_off_and_back_by_joining(talk: Talk, language: Language) -> None:
    """Said plainly that nothing comes any more; the same person comes back by their birthday."""
    person = await family(talk, TELEGRAM, language)
    await person.say("/data")
    await person.tap(SERIK)
    await person.pick("family-menu")
    await person.tap(person.t("family-off", name=AIGUL))
    assert person.hears("family-off-ask-alone", name=AIGUL)
    await person.pick("family-off-yes")
    assert await talk.one(COUNTED) == 2
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    await person.pick("consent-yes")
    await person.tap(person.t("join-yes", name=AIGUL))
    await person.say("12.04.1990")
    assert person.hears("joined-here")
    assert person.hears("family-speaking", name=AIGUL)
    assert await talk.one(COUNTED) == 2


@BOTH
async def test_instead_of_taking_off_all_can_be_deleted(talk: Talk, language: Language) -> None:
    person = await family(talk, TELEGRAM, language)
    await person.say("/data")
    await person.tap(SERIK)
    await person.pick("family-menu")
    await person.tap(person.t("family-off", name=AIGUL))
    await person.pick("family-forget")
    assert person.hears("delete-ask")
    await person.pick("delete-yes")
    assert await talk.one(COUNTED) == 1
    assert await speaker(person) == (await ids(talk))[SERIK]


async def test_a_large_family_fits_its_pages(talk: Talk) -> None:
    """Twelve people: the question and the screen turn their pages and stay what they are."""
    person = await proved(talk)
    async with talk.db.unit() as unit:
        await rulebook.decide(unit, "people-on-a-phone", "12", "595041100", act="Решение № 15/3")
        address = UUID(str((await person.address())["id"]))
        for n, letter in enumerate("БВГДЕЖЗИКЛМ", 1):
            given = Registration(f"{letter}еков Әлі", "595041100", date(1990, 1, n), "ru")
            await residents.register(unit, address, None, given)
    await person.say("/data")
    assert person.hears("family-who")
    first = set(person.labels)
    await person.pick("list-more")
    assert person.hears("family-who")
    later = [one for one in person.labels if one.startswith("Әлі") and one not in first]
    assert later
    await person.tap(later[-1])
    assert person.t("family-menu") in person.labels, "on with what was wanted"
    await person.pick("family-menu")
    await person.pick("list-more")
    assert person.t("family-off", name=later[-1]) in person.labels


# Joining: wrong turns


@BOTH
async def test_strange_answers_to_is_this_you(talk: Talk, language: Language) -> None:
    """Each is answered, the question stays, nothing is joined."""
    known = await proved(talk)
    again = await with_number_of(talk, known, WHATSAPP, language)
    assert SERIK in again.text
    assert "Бугровое" in again.text, "with the village, so that one knows oneself"
    for typed in ("бәлкім", "х" * 5000, "😀😀", "05.03.1986", "31.02.2010"):
        await again.say(typed)
        assert again.t("join-no") in again.labels, typed
    for medium in (Medium.PHOTO, Medium.VOICE, Medium.LOCATION, Medium.STICKER):
        await again.send_file(medium)
        assert again.t("join-no") in again.labels
    await again.share(own=False)
    assert again.t("join-no") in again.labels
    turn = (await again.state()).turn
    for forged in ("x", short(UUID(int=7)), ""):
        payload = ".".join(["s", _base36(turn), "j-yes", *([forged] if forged else [])])
        await again.press(payload)
        assert again.t("join-no") in again.labels
        turn = (await again.state()).turn
    assert await talk.one("SELECT count(*) FROM merge") == 0


@BOTH
@pytest.mark.parametrize(("typed", "joins"), [("иә", True), ("да", True), ("жоқ", False),
                                              ("нет", False)])  # fmt: skip
async def test_yes_and_no_in_words(talk: Talk, language: Language, typed: str, joins: bool) -> None:
    known = await proved(talk)
    again = await with_number_of(talk, known, WHATSAPP, language)
    await again.say(typed)
    assert again.hears("join-birth", name=SERIK) if joins else again.hears("name-ask")


@BOTH
async def test_strange_dates_cost_no_try(talk: Talk, language: Language) -> None:
    """Only a real date that is another one counts as a guess."""
    known = await proved(talk)
    again = await with_number_of(talk, known, WHATSAPP, language)
    await again.pick_first("join-yes")
    for typed in ("кеше", "31.02.2010", "х" * 5000, "1"):
        await again.say(typed)
        assert again.t("nav-back") in again.labels, typed
    await again.send_file(Medium.VOICE)
    await again.say("артқа")
    assert SERIK in again.text
    await again.pick_first("join-yes")
    await again.say("5 наурыз 1986")
    assert again.hears("joined")
    assert "join-birth-wrong" not in await talk.audited()


@BOTH
async def test_guessing_ends_for_the_day_whatever_is_begun_anew(
    talk: Talk, language: Language
) -> None:
    """Before, cancelling and beginning again gave two more tries, for ever."""
    known = await proved(talk)
    again = await with_number_of(talk, known, WHATSAPP, language)
    await again.pick_first("join-yes")
    await again.says("01.01.1990", "02.01.1990")
    assert again.hears("join-not-you", tries=2, hours=24)
    assert again.hears("name-ask"), "registration goes on as somebody else"
    await again.say("/cancel")
    await again.pick("menu-register")
    await again.pick("consent-yes")
    assert again.hears("name-ask")
    await again.say("/cancel")
    talk.clock.advance(timedelta(hours=25))
    await again.pick("menu-register")
    await again.pick("consent-yes")
    await again.pick_first("join-yes")
    await again.say("05.03.1986")
    assert again.hears("joined")


@BOTH
async def test_of_a_family_the_right_one_is_chosen(talk: Talk, language: Language) -> None:
    """Both are offered; a wrong birthday twice leaves the other one to be chosen."""
    await family(talk, TELEGRAM)
    known = await ids(talk)
    first = talk.person(WHATSAPP)
    first.number = 1
    await first.chooses(language)
    await first.pick("consent-yes")
    assert {first.t("join-yes", name=SERIK), first.t("join-yes", name=AIGUL)} < set(first.labels)
    await first.say("иә")
    assert first.t("join-no") in first.labels, "yes, but who?"
    await first.tap(first.t("join-yes", name=SERIK))
    await first.says("12.04.1990", "13.04.1990")
    assert first.hears("join-not-you", tries=2, hours=24)
    assert first.t("join-yes", name=SERIK) not in first.labels
    await first.tap(first.t("join-yes", name=AIGUL))
    await first.say("12.04.1990")
    assert first.hears("joined")
    assert await speaker(first) == known[AIGUL]
    assert await talk.one(COUNTED) == 2


@BOTH
async def test_an_official_who_joins_brings_the_role(talk: Talk, language: Language) -> None:
    """Came by an invitation on Telegram, is registered on WhatsApp."""
    known = await proved(talk, WHATSAPP)
    akim = await talk.official(TELEGRAM, language)
    await akim.pick("menu-register")
    await akim.registers(until="phone")
    await akim._send(Kind.CONTACT, contact=Contact(known.phone, own=True))
    await akim.pick_first("join-yes")
    assert akim.hears("joined")
    kept = (await ids(talk))[SERIK]
    assert await talk.one("SELECT resident_id FROM role WHERE revoked_at IS NULL") == kept
    await akim.say("/menu")
    assert akim.t("menu-send") in akim.labels
    await known.say("/menu")
    assert known.t("menu-send") in known.labels, "on the other messenger too"


@BOTH
async def test_a_phone_added_at_the_last_look_is_recognised_too(
    talk: Talk, language: Language
) -> None:
    """Before, whoever skipped the phone and added it at the summary became two people."""
    known = await proved(talk, WHATSAPP)
    again = talk.person(TELEGRAM)
    again.number = known.number
    await again.chooses(language)
    await again.registers(until="summary")
    await again.pick("summary-phone")
    await again.share()
    await again.pick("summary-yes")
    assert again.t("join-no") in again.labels
    await again.pick_first("join-yes")
    await again.say("05.03.1986")
    assert again.hears("joined")
    assert await talk.one(COUNTED) == 1


@BOTH
async def test_who_said_no_is_not_asked_at_every_correction(talk: Talk, language: Language) -> None:
    known = await proved(talk)
    again = await with_number_of(talk, known, WHATSAPP, language)
    await again.pick("join-no")
    await again.says("Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990", "1")
    await again.say("/data")
    await again.pick("profile-edit")
    await again.pick("summary-street")
    await again.says("Мира 5", "1")
    assert again.hears("profile-corrected")
    assert again.t("join-no") not in again.labels


async def test_somebody_recognised_proves_nothing_by_a_typed_number(talk: Talk) -> None:
    """On the akim's list with a number that was only typed: nobody's record is offered."""
    victim = await proved(talk)
    hidden = talk.person(WHATSAPP, phone_known=False)
    await hidden.chooses(RU)
    await hidden.registers(until="phone")
    await hidden.says(victim.phone, "1")
    async with talk.db.session() as session:
        await session.execute(text("UPDATE resident SET level = 'roll' WHERE level = 'declared'"))
    await hidden.say("/data")
    await hidden.pick("family-menu")
    await hidden.pick("family-add")
    await hidden.pick("consent-yes")
    assert hidden.hears("name-ask")
    assert SERIK not in hidden.text


# Two names of one sender


@BOTH
async def test_two_names_of_one_sender_are_asked_about_once(talk: Talk, language: Language) -> None:
    """WhatsApp first hid the number: two chats. When it gives both names they are never joined
    in silence; the menu asks."""
    seen = await proved(talk, WHATSAPP)
    hidden = talk.person(WHATSAPP, phone_known=False)
    await hidden.chooses(language)
    hidden.also = (Alias(AliasKind.PHONE, seen.phone),)
    await hidden.say("/menu")
    assert await talk.one("SELECT count(*) FROM merge") == 0
    await hidden.pick("join-menu")
    assert SERIK in hidden.text
    await hidden.pick_first("join-yes")
    await hidden.say("05.03.1986")
    assert hidden.hears("joined-here")
    assert await speaker(hidden) == (await ids(talk))[SERIK]
    await hidden.say("/menu")
    assert hidden.t("join-menu") not in hidden.labels


@BOTH
async def test_who_is_somebody_else_is_not_asked_again(talk: Talk, language: Language) -> None:
    seen = await proved(talk, WHATSAPP)
    hidden = talk.person(WHATSAPP, phone_known=False)
    await hidden.chooses(language)
    hidden.also = (Alias(AliasKind.PHONE, seen.phone),)
    await hidden.say("/menu")
    await hidden.pick("join-menu")
    await hidden.pick("join-no")
    assert hidden.hears("join-undo")
    await hidden.say("/menu")
    assert hidden.t("join-menu") not in hidden.labels
    assert await talk.one("SELECT count(*) FROM merge") == 0


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"


# What is said of them


@BOTH
@CHANNELS
async def test_a_shortened_name_ends_no_sentence(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Before: "На этом телефоне: Серік А.., Айгүл А..", with two full stops."""
    person = await family(talk, channel, language)
    said = [person.text]
    await person.say("/data")
    said.append(await person.tap(SERIK))
    said.append(await person.pick("family-menu"))
    said.append(await person.tap(person.t("family-off", name=AIGUL)))
    await person.say("/data")
    said.append(await person.pick("profile-delete"))
    if channel is TELEGRAM:
        again = await with_number_of(talk, person, WHATSAPP, language)
        said += [again.text, await again.pick_first("join-yes")]
        assert again.hears("join-birth", name=SERIK)
    said.append(await person.pick("delete-yes"))
    assert not [words for words in said if ".." in words]
    assert person.hears("family-speaking", name=AIGUL)


@BOTH
async def test_who_was_deleted_and_who_stays_is_said(talk: Talk, language: Language) -> None:
    """Before, "your data are deleted, choose «Register»" stood above the menu of the other one,
    who may think that they are the one who is gone, and has no such button."""
    person = await family(talk, WHATSAPP, language)
    await person.say("/data")
    await person.tap(AIGUL)
    await person.pick("profile-delete")
    await person.pick("delete-yes")
    assert person.hears("delete-done-family", name=AIGUL, names=SERIK)
    assert not person.hears("delete-done")
    assert person.hears("family-speaking", name=SERIK)


@BOTH
async def test_one_more_is_asked_as_somebody_new(talk: Talk, language: Language) -> None:
    """Before, "your name", "your village" with no word that another person is meant; and a no
    ended in "choose «Register»", which this menu does not have."""
    person = await proved(talk, TELEGRAM, language)
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    assert person.hears("family-add-begin")
    await person.pick("consent-no")
    assert person.hears("consent-declined-other")
    assert not person.hears("consent-declined")


@BOTH
async def test_an_official_who_declines_keeps_the_role(talk: Talk, language: Language) -> None:
    """Before: "besides the chat and the language nothing is stored"."""
    akim = await talk.official(TELEGRAM, language)
    await akim.pick("menu-register")
    await akim.pick("consent-no")
    assert akim.hears("consent-declined-official")
    assert not akim.hears("consent-declined")
