"""One person on two messengers, a family on one phone: by conversation, in both languages."""

from datetime import timedelta

import pytest
from support.talk import KK, NAME, RU, TELEGRAM, WHATSAPP, Person, Talk

from bot.clockwork import Clockwork
from conversation.message import ChannelName
from core.languages import Language
from services import people

BOTH = pytest.mark.parametrize("language", [KK, RU])
EACH = pytest.mark.parametrize(("first", "second"), [(TELEGRAM, WHATSAPP), (WHATSAPP, TELEGRAM)])
COUNTED = (
    "SELECT count(*) FROM resident WHERE registered_at IS NOT NULL AND deleted_at IS NULL"
    " AND merged_into IS NULL"
)


def with_phone_of(talk: Talk, other: Person, channel: ChannelName) -> Person:
    """A new chat on this messenger with the other's number."""
    person = talk.person(channel)
    person.number = other.number
    return person


async def registered(talk: Talk, channel: ChannelName, language: Language) -> Person:
    """Somebody whose phone is proved."""
    person = talk.person(channel)
    await person.chooses(language)
    await person.registers(until="phone")
    if channel is TELEGRAM:
        await person.share()
    await person.pick("summary-yes")
    return person


async def asked(
    talk: Talk,
    first: ChannelName,
    second: ChannelName,
    language: Language,
    born: str = "01.01.1990",
) -> Person:
    """Somebody registered on the first messenger who is asked "is this you?" on the second; on
    Telegram that is after the date of birth."""
    known = await registered(talk, first, language)
    again = with_phone_of(talk, known, second)
    await again.chooses(language)
    if second is WHATSAPP:
        await again.pick("consent-yes")
    else:
        await again.registers(until="birth")
        await again.say(born)
        await again.share()
    assert again.t("join-no") in again.labels
    return again


@BOTH
async def test_a_birthday_that_was_told_is_not_asked_for_again(
    talk: Talk, language: Language
) -> None:
    again = await asked(talk, WHATSAPP, TELEGRAM, language, "05.03.1986")
    await again.pick_first("join-yes")
    assert again.hears("joined")
    assert await talk.one(COUNTED) == 1


@BOTH
@EACH
async def test_the_same_person_joins(
    talk: Talk, first: ChannelName, second: ChannelName, language: Language
) -> None:
    """Nobody is counted twice; the messenger that comes first is chosen; it can be undone."""
    again = await asked(talk, first, second, language)
    assert "Ахметов" not in again.text + "".join(again.labels), "only a first name and a letter"
    await again.pick_first("join-yes")
    assert again.hears("join-birth", name="Серік А.")
    if second is WHATSAPP:
        await again.say("01.01.1990")
    assert again.hears("join-birth-wrong", typed="01.01.1990")
    await again.say("05.03.1986")
    assert again.hears("joined")
    elsewhere = (await with_phone_of(talk, again, first).received())[-1]
    here = again.t(f"messenger-{second}")
    assert elsewhere.body == again.t("joined-elsewhere", messenger=here, name="Серік А.")
    assert await talk.one(COUNTED) == 1
    await again.pick("messenger-telegram")
    assert await talk.one("SELECT preferred_channel FROM resident WHERE preferred_channel"
                          " IS NOT NULL") == "telegram"  # fmt: skip
    await again.pick("menu-profile")
    await again.pick("part-menu")
    await again.pick("part-yes")
    assert again.hears("parted")
    elsewhere = (await with_phone_of(talk, again, first).received())[-1]
    assert elsewhere.body == again.t("parted-elsewhere", messenger=here)
    assert await again.form() is None
    await again.say("/menu")
    assert again.t("menu-register") in again.labels, "this chat speaks for nobody again"
    assert await talk.one(COUNTED) == 1


@BOTH
@EACH
async def test_somebody_else_with_the_same_number_does_not(
    talk: Talk, first: ChannelName, second: ChannelName, language: Language
) -> None:
    """Two wrong dates: not joined, nothing lost, the registration goes on."""
    again = await asked(talk, first, second, language)
    await again.pick_first("join-yes")
    if second is WHATSAPP:
        await again.say("01.01.1990")
    await again.say("02.01.1990")
    assert again.hears("join-not-you", tries=2, hours=24)
    if second is WHATSAPP:
        await again.says("Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990")
    await again.pick("summary-yes")
    assert await talk.one(COUNTED) == 2
    assert (await talk.audited()).count("join-birth-wrong") == 2


# "No" by mistake


async def said_no(
    talk: Talk, first: ChannelName, second: ChannelName, language: Language
) -> Person:
    """The same person on both messengers, who said that it is another one; at "my data"."""
    again = await asked(talk, first, second, language, "05.03.1986")
    await again.pick("join-no")
    if second is WHATSAPP:
        await again.says(NAME, "Бугровое", "да", "1", "05.03.1986")
    await again.pick("summary-yes")
    assert await talk.one(COUNTED) == 2
    await again.say("/data")
    return again


def also(person: Person) -> str:
    other = TELEGRAM if person.channel is WHATSAPP else WHATSAPP
    return person.t(f"join-also-{other}")


@BOTH
@EACH
async def test_a_mistaken_no_can_be_taken_back(
    talk: Talk, first: ChannelName, second: ChannelName, language: Language
) -> None:
    """Before, who tapped the wrong button counted twice, and nothing led back to the question."""
    again = await said_no(talk, first, second, language)
    await again.tap(also(again))
    assert "Серік А." in again.text
    await again.pick("join-no")
    assert again.hears("join-undo")
    await again.say("/data")
    await again.tap(also(again))
    await again.pick_first("join-yes")
    assert again.hears("join-birth", name="Серік А.")
    await again.say("05.03.1986")
    assert again.hears("joined")
    assert await talk.one(COUNTED) == 1
    await again.say("/data")
    assert also(again) not in again.labels
    assert again.t("part-menu") in again.labels


@BOTH
async def test_a_no_that_was_right_gives_no_more_tries(talk: Talk, language: Language) -> None:
    """A guessed birthday counts here too: after two nothing is offered for a day."""
    again = await said_no(talk, TELEGRAM, WHATSAPP, language)
    await again.tap(also(again))
    await again.pick_first("join-yes")
    await again.says("01.01.1990", "02.01.1990")
    assert again.hears("join-not-you", tries=2, hours=24)
    await again.say("/data")
    assert also(again) not in again.labels
    await again.press(again.buttons[0].payload.replace(".profile-edit", ".also"))
    assert again.hears("join-undo")
    assert await talk.one(COUNTED) == 2
    talk.clock.advance(timedelta(hours=25))
    await again.say("/data")
    assert also(again) in again.labels


@BOTH
async def test_a_family_is_asked_who_it_is(talk: Talk, language: Language) -> None:
    """One of two on WhatsApp is the one on Telegram."""
    again = await said_no(talk, TELEGRAM, WHATSAPP, language)
    await again.pick("family-menu")
    await again.pick("family-add")
    await again.pick("consent-yes")
    await again.pick("join-no")
    await again.says("Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990")
    await again.pick("summary-yes")
    await again.say("/data")
    await again.tap("Айгүл А.")
    talk.clock.advance(timedelta(minutes=20))
    await again.tap(also(again))
    assert again.hears("family-who")
    await again.tap("Серік А.")
    await again.pick_first("join-yes")
    await again.say("05.03.1986")
    assert again.hears("joined")
    assert await talk.one(COUNTED) == 2


@BOTH
async def test_nothing_is_offered_by_a_number_that_is_not_proved_or_not_elsewhere(
    talk: Talk, language: Language
) -> None:
    known = await registered(talk, WHATSAPP, language)
    again = with_phone_of(talk, known, TELEGRAM)
    await again.chooses(language)
    await again.registers()
    await again.say("/data")
    assert also(again) not in again.labels, "no number was shared"
    await known.say("/data")
    await known.pick("family-menu")
    await known.pick("family-add")
    await known.says("1", "Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990")
    await known.pick("summary-yes")
    await known.say("/data")
    await known.tap("Серік А.")
    await known.pick("family-menu")
    await known.tap(known.t("family-off", name="Айгүл А."))
    await known.pick("family-off-yes")
    await known.say("/data")
    assert also(known) not in known.labels, "she has no chat on the other messenger"


# One messenger again


@BOTH
@EACH
async def test_after_parting_no_messenger_comes_first(
    talk: Talk, first: ChannelName, second: ChannelName, language: Language
) -> None:
    """Before, "all as it was", and the profile named a messenger that the person has not."""
    again = await asked(talk, first, second, language, "05.03.1986")
    await again.pick_first("join-yes")
    if second is WHATSAPP:
        await again.say("05.03.1986")
    await again.pick(f"messenger-{second}")
    await again.say("/data")
    assert again.hears("profile-messengers-first", first=again.t(f"messenger-{second}"),
                       all="Telegram, WhatsApp")  # fmt: skip
    await again.pick("part-menu")
    await again.pick("part-yes")
    assert await talk.one("SELECT count(preferred_channel) FROM resident") == 0


@BOTH
async def test_who_is_taken_off_one_of_two_has_none_that_comes_first(
    talk: Talk, language: Language
) -> None:
    again = await asked(talk, TELEGRAM, WHATSAPP, language)
    await again.pick_first("join-yes")
    await again.say("05.03.1986")
    assert again.hears("joined")
    await again.pick("messenger-whatsapp")
    await again.say("/data")
    await again.pick("family-menu")
    await again.pick("family-add")
    await again.says("1", "Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990", "1")
    await again.say("/data")
    await again.tap("Серік А.")
    await again.pick("family-menu")
    await again.tap(again.t("family-off", name="Серік А."))
    await again.pick("family-off-yes")
    assert await talk.one("SELECT count(preferred_channel) FROM resident") == 0


@BOTH
async def test_the_profile_shows_that_both_messengers_are_one_person(
    talk: Talk, language: Language
) -> None:
    """Before, nothing of the joining was to be seen there."""
    again = await asked(talk, TELEGRAM, WHATSAPP, language)
    await again.say("/data")
    await again.pick("menu-resume")
    await again.pick_first("join-yes")
    await again.say("05.03.1986")
    await again.pick("prefer-last")
    await again.say("/data")
    assert again.hears("profile-messengers", all="Telegram, WhatsApp")


# Twice at once, and after the term


async def test_two_taps_and_two_chats_at_once_join_once(talk: Talk) -> None:
    again = await asked(talk, TELEGRAM, WHATSAPP, RU)
    await again.pick_first("join-yes")
    await again.say("05.03.1986")
    await again.say("05.03.1986")
    assert await talk.one("SELECT count(*) FROM merge") == 1
    assert await talk.one(COUNTED) == 1


async def test_after_the_term_nothing_personal_is_left_of_the_record_that_went(
    talk: Talk,
) -> None:
    """And parting is refused."""
    again = await asked(talk, TELEGRAM, WHATSAPP, RU)
    await again.pick_first("join-yes")
    await again.say("05.03.1986")
    talk.clock.advance(timedelta(days=31))
    clock = Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None)
    await clock.work_due()
    (gone,) = await talk.rows("SELECT * FROM resident WHERE merged_into IS NOT NULL")
    assert gone["full_name"] is gone["birth_date"] is gone["phone"] is None
    await again.say("/data")
    assert again.t("part-menu") not in again.labels


# A family


@BOTH
@pytest.mark.parametrize("channel", ChannelName)
async def test_a_family_on_one_phone(talk: Talk, channel: ChannelName, language: Language) -> None:
    """One more is registered, who speaks is asked where it matters, one less can be undone."""
    person = await registered(talk, channel, language)
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    await person.says("1", "Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990")
    await person.pick("summary-yes")
    assert await talk.one(COUNTED) == 2
    assert await talk.one("SELECT count(*) FROM address") == 1
    assert person.hears("family-speaking", name="Айгүл А.")
    talk.clock.advance(timedelta(minutes=20))
    await person.say("/data")
    assert person.hears("family-who")
    await person.tap("Серік А.")
    assert "Ахметов Серік" in person.text
    await person.say("/data")
    assert "Ахметов Серік" in person.text, "within a quarter of an hour it is not asked again"
    await person.pick("family-menu")
    await person.tap(person.t("family-off", name="Айгүл А."))
    assert person.hears("family-off-ask-alone", name="Айгүл А.")
    await person.pick("family-off-yes")
    assert person.hears("family-off-alone", name="Айгүл А.")
    async with talk.db.unit() as unit:
        address = (await person.address())["id"]
        assert len(await people.members(unit, address)) == 1  # type: ignore[arg-type]
    assert await talk.one(COUNTED) == 2, "the data stay"


async def test_a_phone_has_room_for_so_many(talk: Talk) -> None:
    async with talk.db.unit() as unit:
        from services import rulebook

        await rulebook.decide(unit, "people-on-a-phone", "1", None, "Приказ от 01.11.2026 № 1")
    person = await talk.resident(TELEGRAM, RU)
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    assert person.hears("family-full", most=1)


async def test_nobody_speaks_for_somebody_of_another_phone(talk: Talk) -> None:
    """A forged tap is refused and noted."""
    from core.ids import short

    person, other = await talk.resident(TELEGRAM, RU), await talk.resident(WHATSAPP, RU)
    stranger = (await other.address())["speaker_id"]
    await person.say("/data")
    turn = (await person.state()).turn
    for code in ("who", "family-off", "family-off-yes"):
        await person.press(f"s.{_base36(turn)}.{code}.{short(stranger)}.profile")  # type: ignore[arg-type]
        assert person.hears("refused-member")
        turn = (await person.state()).turn
    assert (await person.address())["speaker_id"] != stranger
    assert (await talk.audited()).count("tap-refused") >= 3


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"


# A slip in one of two records


@BOTH
@EACH
async def test_a_slip_in_the_birthday_is_corrected_and_then_joined(
    talk: Talk, first: ChannelName, second: ChannelName, language: Language
) -> None:
    """Before, after a mistaken no and a slip in the date, "ask the akim's office", who can do
    nothing about it."""
    again = await asked(talk, first, second, language, "05.04.1986")
    await again.pick("join-no")
    if second is WHATSAPP:
        await again.says(NAME, "Бугровое", "да", "1", "05.04.1986")
    await again.pick("summary-yes")
    await again.say("/data")
    await again.tap(also(again))
    await again.pick_first("join-yes")
    await again.say("05.03.1986")
    assert again.hears("refused-join-birth")
    await again.say("/data")
    await again.pick("profile-edit")
    await again.pick("summary-birth")
    await again.say("05.03.1986")
    await again.pick("summary-yes")
    await again.say("/data")
    await again.tap(also(again))
    await again.pick_first("join-yes")
    await again.say("05.03.1986")
    assert again.hears("joined")
    assert await talk.one(COUNTED) == 1
