"""The words on the menu's buttons mean what the buttons do, typed anywhere outside a form."""

import pytest
from support.talk import KK, RU, TELEGRAM, Person, Talk

from conversation.message import ChannelName
from core.languages import Language
from services.roles import RoleName
from tests.handlers.test_broadcast import EACH


async def somebody(talk: Talk, who: str, channel: ChannelName, language: Language) -> Person:
    if who == "resident":
        return await talk.resident(channel, language)
    if who == "guest":
        person = talk.person(channel)
        await person.chooses(language)
        await person.say("/cancel")
        return person
    return await talk.official(channel, language, role=RoleName(who))


def in_language(person: Person, language: Language) -> list[str]:
    """The labels of the menu as they would be in this language."""
    was, person.language = person.language, language
    found = [person.t(key) for key in KEYS if _in(person, was, key)]
    person.language = was
    return found


KEYS = (
    *("menu-register", "menu-send", "menu-sent", "menu-roles", "menu-notices", "menu-profile"),
    *("menu-language", "menu-help"),
)


def _in(person: Person, language: Language, key: str) -> bool:
    now, person.language = person.language, language
    said, person.language = person.t(key), now
    return said in person.labels


@EACH
@pytest.mark.parametrize("who", ["guest", "resident", *RoleName])
async def test_the_words_of_a_button_typed_do_what_a_tap_does(
    talk: Talk, who: str, channel: ChannelName, language: Language
) -> None:
    person = await somebody(talk, who, channel, language)
    await person.say("/menu")
    labels, other = person.labels, in_language(person, language.other)
    assert len(labels) == len(other)
    for mine, theirs in zip(in_language(person, language), other, strict=True):
        await person.says("/cancel", "/menu")
        tapped = await person.tap(mine)
        for typed in (mine, theirs, mine.upper()):
            await person.says("/cancel", "/rules")
            assert mine not in person.labels
            assert await person.say(typed) == tapped, typed


@EACH
@pytest.mark.parametrize("role", [RoleName.AKIM, RoleName.CLERK])
async def test_a_word_for_a_notice_begins_one(
    talk: Talk, channel: ChannelName, language: Language, role: RoleName
) -> None:
    person = await talk.official(channel, language, role=role)
    for typed in ("хабар", "Сообщение", "хабар жіберу", "отправить сообщение"):
        await person.say("/rules")
        await person.say(typed)
        assert (await person.form()).form == "notice", typed  # type: ignore[union-attr]


@pytest.mark.parametrize("language", [KK, RU])
async def test_to_a_resident_it_is_what_came(talk: Talk, language: Language) -> None:
    person = await talk.resident(TELEGRAM, language)
    await person.say("сообщение")
    assert person.hears("notice-none")
    assert await person.form() is None
