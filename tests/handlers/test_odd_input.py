"""Odd input at every step of every form: answered in our words, and nothing is lost."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from support.talk import KK, NAME, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName, Kind, Medium
from conversation.state import FormState
from core.clock import local_date
from core.ids import short
from core.languages import Language
from handlers.village import FIND
from services.roles import RoleName
from tests.handlers.test_sent import announced

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


LONG = "өте ұзын сөз " * 385  # 5,005 characters
PIECES = (LONG[:4082], LONG[4082:])  # as Telegram's apps send them
APOSTROPHES = ("Д'Артаньян Шарль", "О’Нил Пётр", "Мағжан-ұлы Әли")
ODD: dict[str, Odd] = {
    "photo": sent(Medium.PHOTO),
    "voice": sent(Medium.VOICE),
    "sticker": sent(Medium.STICKER),
    "location": sent(Medium.LOCATION),
    "document": sent(Medium.DOCUMENT),
    "long": typed(LONG),
    "cut by Telegram": lambda person: person.says(*PIECES),
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


def walking(
    start: str, *ways: str, role: RoleName = RoleName.AKIM
) -> Callable[[Talk, ChannelName, Language], Awaitable[Person]]:
    """An official's way into a form: names of buttons are ASCII, words are not."""

    async def reach(talk: Talk, channel: ChannelName, language: Language) -> Person:
        await talk.resident()
        person = await talk.official(channel, language, role=role)
        await START[start](talk, person)
        for way in ways:
            await (person.pick(way) if way.isascii() else person.say(way))
        talk.clock.advance(timedelta(minutes=1))
        return person

    return reach


async def to_a_notice(talk: Talk, person: Person) -> None:
    await person.pick("menu-send")


async def to_roles(talk: Talk, person: Person) -> None:
    await person.pick("menu-roles")


async def to_a_clerk(talk: Talk, person: Person) -> None:
    clerk = await talk.official(role=RoleName.CLERK)
    speaker = UUID(str((await clerk.address())["speaker_id"]))
    role = await talk.one("SELECT id FROM role WHERE resident_id = :id", id=speaker)
    await person.press(f"d.r-card.{short(UUID(str(role)))}")


def to_what_is_sent(code: str, later: timedelta | None = None) -> Callable[..., Awaitable[None]]:
    async def start(talk: Talk, person: Person) -> None:
        notice = await announced(talk, person, later)
        await person.press(f"d.{code}.{short(notice)}")

    return start


START: dict[str, Callable[[Talk, Person], Awaitable[None]]] = {
    "notice": to_a_notice,
    "roles": to_roles,
    "clerk": to_a_clerk,
    "correction": to_what_is_sent("n-correct"),
    "moment": to_what_is_sent("n-when", timedelta(days=1)),
}
TO_ALL = ("kind-event", "audience-all-okrug")
WRITTEN = (*TO_ALL, "Су\nЖоқ", "Вода\nНет")


# Where one is, how one comes there, and which of the odd things are an answer there.
FREE = {"emoji", "dots", "1", "99", "year", *APOSTROPHES}  # a street may be called anything
# Whoever is asked whether to keep a notice is led back to it by what is no answer at all.
GOES_BACK = {"unknown kind", "old button", "forged button", "another month's choice"}
WORDS = {
    "long": LONG,
    "cut by Telegram": LONG,
    "emoji": "😀🌾",
    "dots": "...",
    "no such day": "31.02.2010",
    "long ago": "01.01.1890",
    "year": "1890",
    "99": "99",
    **{name: name for name in APOSTROPHES},
}  # where a text is written they are one
PASSING = (FIND, "~gathering", "files", "typed")  # of the question itself
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
    "notice: kind": (walking("notice"), {"1"}),
    "notice: to whom": (walking("notice", "kind-event"), {"1"}),
    "notice: villages": (walking("notice", "kind-event", "audience-some"), {"1"}),
    "notice: first text": (walking("notice", *TO_ALL), {*WORDS, "1", "tomorrow", "photo"}),
    "notice: second text": (
        walking("notice", *TO_ALL, "Су\nЖоқ"),
        {*WORDS, "1", "tomorrow", "photo"},
    ),
    "notice: files": (walking("notice", *WRITTEN), {"1", "photo"}),
    "notice: last look": (walking("notice", *WRITTEN, "attach-skip"), {"1", "photo"}),
    "notice: when": (walking("notice", *WRITTEN, "attach-skip", "preview-when"), {"1"}),
    "notice: left": (walking("notice", *WRITTEN, "attach-skip", "nav-cancel"), {"1", *GOES_BACK}),
    "corrected text": (walking("correction"), {*WORDS, "1", "tomorrow"}),
    "corrected: last look": (walking("correction", "Су\nБар", "correct-keep"), {"1"}),
    "another moment": (walking("moment"), {"1"}),
    "invitation: role": (walking("roles", "roles-invite", role=RoleName.OPERATOR), {"1"}),
    "invitation: powers": (walking("roles", "roles-invite"), {"1"}),
    "invitation: until": (walking("roles", "roles-invite", "powers-done"), {"1", "tomorrow"}),
    "delegation": (walking("clerk", "role-powers-change"), {"1"}),
}
WRITING = ("notice: first text", "notice: second text", "corrected text")
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
        talk.clock.advance(timedelta(seconds=30))
        answer = await odd(person)
        check(person, name, answer)
        assert said(person, name), name
        after = await person.form()
        assert after is not None, name
        assert after.step == before.step, name
        assert lasting(after) == lasting(before), name
        assert not after.answers.get("files"), name
    assert await talk.rows("SELECT * FROM resident") == residents


def lasting(form: FormState) -> dict[str, Any]:
    return {key: value for key, value in form.answers.items() if key not in PASSING}


@BOTH
@WHERE
@pytest.mark.parametrize("step", WRITING)
async def test_where_a_text_is_written_whatever_is_typed_is_kept(
    talk: Talk, step: str, channel: ChannelName, language: Language
) -> None:
    person = await STEPS[step][0](talk, channel, language)
    before = await person.form()
    assert before is not None
    for name, words in WORDS.items():
        talk.clock.advance(timedelta(seconds=30))
        check(person, name, await ODD[name](person))
        after = await person.form()
        assert after is not None, name
        assert after.step == before.step, name
        (part,) = (
            value for key, value in after.answers.items() if key.startswith("part_") and value
        )
        kept = part["body"] or part["title"]
        assert kept.split() == words.split(), name
        await person.pick("nav-back")


@BOTH
@WHERE
@pytest.mark.parametrize("screen", SCREENS)
async def test_outside_a_form_nothing_happens_and_the_menu_comes(
    talk: Talk, screen: str, channel: ChannelName, language: Language
) -> None:
    """But the question of deletion: it stays until it is answered."""
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
        stays = screen == "deletion"
        assert person.hears("delete-ask" if stays else "menu-title"), name
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
