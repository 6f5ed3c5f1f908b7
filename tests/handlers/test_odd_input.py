"""Odd input at every step of registration and profile: answered in our words, nothing is lost."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from support.talk import KK, NAME, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName, Kind, Medium
from core.clock import local_date
from core.languages import Language
from handlers.village import FIND

BOTH = pytest.mark.parametrize("language", [KK, RU])
WHERE = pytest.mark.parametrize("channel", ChannelName)
MOST = 1200  # characters of an answer: 5,000 typed ones are not said back

Odd = Callable[[Person], Awaitable[str]]


def typed(words: str) -> Odd:
    return lambda person: person.say(words)


def sent(medium: Medium) -> Odd:
    return lambda person: person.send_file(medium)


def tomorrow(person: Person) -> Awaitable[str]:
    day = local_date(person.talk.clock.now()) + timedelta(days=1)
    return person.say(f"{day:%d.%m.%Y}")


APOSTROPHES = ("Д'Артаньян Шарль", "О’Нил Пётр", "Мағжан-ұлы Әли")
ODD: dict[str, Odd] = {
    "photo": sent(Medium.PHOTO),
    "voice": sent(Medium.VOICE),
    "sticker": sent(Medium.STICKER),
    "location": sent(Medium.LOCATION),
    "document": sent(Medium.DOCUMENT),
    "long": typed("өте ұзын сөз " * 385),
    "emoji": typed("😀🌾"),
    "empty": typed(""),
    "blank": typed("  \n "),
    "dots": typed("..."),
    "contact": lambda person: person.share(own=False),
    "unknown kind": lambda person: person.does(Kind.OTHER),
    "no such day": typed("31.02.2010"),
    "long ago": typed("01.01.1890"),
    "year": typed("1890"),
    "tomorrow": tomorrow,
    "old button": lambda person: person.press("s.1.profile"),
    "forged button": lambda person: person.press("d.delete-yes"),
    "another month's choice": lambda person: person.press("s.2.s-yes"),
    "1": typed("1"),
    "99": typed("99"),
    **{name: typed(name) for name in APOSTROPHES},
}


async def registering(talk: Talk, channel: ChannelName, language: Language, step: str) -> Person:
    person = talk.person(channel, phone_known=False)
    await person.chooses(language)
    await person.registers(until=step)
    return person


def at(step: str, *then: str) -> Callable[[Talk, ChannelName, Language], Awaitable[Person]]:
    async def reach(talk: Talk, channel: ChannelName, language: Language) -> Person:
        person = await registering(talk, channel, language, step)
        await person.says(*then)
        return person

    return reach


def from_profile(
    key: str, *then: str
) -> Callable[[Talk, ChannelName, Language], Awaitable[Person]]:
    async def reach(talk: Talk, channel: ChannelName, language: Language) -> Person:
        person = await talk.resident(channel, language)
        talk.clock.advance(timedelta(days=3))
        await person.say("/data")
        if key:
            await person.pick(key)
        await person.says(*then)
        return person

    return reach


# Where one is, how one comes there, and which of the odd things are an answer there.
FREE = {"emoji", "dots", "1", "99", "year", *APOSTROPHES}  # a street may be called anything
STEPS = {
    "consent": (at("consent"), {"1"}),
    "name": (at("name"), set(APOSTROPHES)),
    "village": (at("village"), {"1"}),
    "village found": (at("village", "Бугровое"), {"1"}),
    "village list": (at("village", "1"), {"1"}),
    "street": (at("street"), FREE),
    "birth": (at("birth"), set()),
    "phone": (at("phone"), {"1"}),
    "summary": (at("summary"), {"1"}),
    "correction": (from_profile("profile-edit"), {"1"}),
    "correction of the name": (from_profile("profile-edit", "2"), set(APOSTROPHES)),
    "moving": (from_profile("profile-move"), {"1"}),
    "moving for sure": (from_profile("profile-move", "Сосновка", "да"), {"1"}),
}
SCREENS = {
    "menu": ("/menu",),
    "profile": ("/data",),
    "kinds of notices": ("/data", "profile-mute"),
    "deletion": ("/data", "profile-delete"),
}


def check(person: Person, name: str, answer: str) -> None:
    """Our words, short, in the person's language, with a way on; never the apology."""
    assert answer.strip(), name
    assert len(answer) < MOST, name
    assert "«»" not in answer, name
    assert not any(person.t("apology") in one.body for one in person.heard), name
    assert person.buttons or person.heard[-1].ask, name


def said(person: Person, name: str) -> bool:
    """An old button and what is no message at all are called by their names."""
    if name in ("old button", "forged button", "another month's choice"):
        return person.hears("stale-choice")
    if name == "unknown kind":
        return person.hears("unknown-kind")
    return True


@BOTH
@WHERE
@pytest.mark.parametrize("step", STEPS)
async def test_the_step_stays_and_so_do_the_answers(
    talk: Talk, step: str, channel: ChannelName, language: Language
) -> None:
    reach, fits = STEPS[step]
    person = await reach(talk, channel, language)
    before = await person.form()
    assert before is not None, step
    residents = await talk.rows("SELECT * FROM resident")
    for name, odd in ODD.items():
        if name in fits:
            continue
        answer = await odd(person)
        check(person, name, answer)
        assert said(person, name), name
        after = await person.form()
        assert after is not None, name
        assert after.step == before.step, name
        assert {**after.answers, FIND: None} == {**before.answers, FIND: None}, name
    assert await talk.rows("SELECT * FROM resident") == residents


@BOTH
@WHERE
@pytest.mark.parametrize("screen", SCREENS)
async def test_outside_a_form_nothing_happens_and_the_menu_comes(
    talk: Talk, screen: str, channel: ChannelName, language: Language
) -> None:
    person = await talk.resident(channel, language)
    residents = await talk.rows("SELECT * FROM resident")
    word, *keys = SCREENS[screen]
    for name, odd in ODD.items():
        if name == "1":
            continue
        await person.say(word)
        for key in keys:
            await person.pick(key)
        answer = await odd(person)
        check(person, name, answer)
        assert said(person, name), name
        assert person.hears("menu-title"), name
    assert await talk.rows("SELECT * FROM resident") == residents


@BOTH
@WHERE
@pytest.mark.parametrize("name", APOSTROPHES)
async def test_a_name_with_an_apostrophe_is_a_name(
    talk: Talk, name: str, channel: ChannelName, language: Language
) -> None:
    person = await registering(talk, channel, language, "name")
    await person.says(name, "Бугровое", "да", "1", "05.03.1986", "1")
    assert name in person.text
    await person.say("да")
    await person.say("/data")
    assert name in person.text


YES = ("да", "Иә", "ия!", "ok", "ОК", "верно", "ДҰРЫС")
NO = ("нет", "Жоқ", "жок.", "no")


@pytest.mark.parametrize(("language", "channel"), [(KK, TELEGRAM), (RU, WHATSAPP)])
@pytest.mark.parametrize("yes", YES)
async def test_yes_in_either_language_wherever_one_is_asked(
    talk: Talk, yes: str, language: Language, channel: ChannelName
) -> None:
    person = talk.person(channel)
    await person.chooses(language)
    await person.say(yes)
    assert person.hears("name-ask"), "consent"
    await person.says(NAME, "Бугровое", yes)
    assert person.hears("street-ask"), "village"
    await person.says("1", "05.03.1986")
    if channel is TELEGRAM:
        await person.say("1")
    await person.say(yes)
    assert await talk.one("SELECT count(*) FROM resident WHERE registered_at IS NOT NULL") == 1
    talk.clock.advance(timedelta(days=3))
    await person.say("/data")
    await person.pick("profile-move")
    await person.says("Сосновка", yes, yes)
    assert await talk.one("SELECT place_code FROM resident") == "595041600", "moving"
    await person.say("/data")
    await person.pick("profile-delete")
    await person.say(yes)
    assert person.hears("delete-done"), "deletion"


@BOTH
@pytest.mark.parametrize("no", NO)
async def test_no_in_either_language_wherever_one_is_asked(
    talk: Talk, no: str, language: Language
) -> None:
    person = talk.person(WHATSAPP)
    await person.chooses(language)
    await person.say(no)
    assert person.hears("consent-declined")
    await person.pick("menu-register")
    await person.says("1", NAME, "Бугровое", no)
    assert person.hears("village-ask")
    await person.says("Бугровое", "да", "1", "05.03.1986", no)
    assert person.hears("summary-unclear", typed=no)
    assert await talk.one("SELECT count(*) FROM resident") == 0
    await person.say("да")
    await person.say("/data")
    await person.pick("profile-delete")
    await person.say(no)
    assert NAME in person.text
    assert await talk.one("SELECT count(*) FROM resident WHERE deleted_at IS NULL") == 1
