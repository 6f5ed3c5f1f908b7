"""Villages of a notice's audience, typed instead of tapped."""

import pytest
from support.talk import RU, Person, Talk

from conversation.message import ChannelName
from core.languages import Language
from tests.handlers.test_broadcast import EACH, answers_of, begun

BUGROVOE, NOVO, SOSNOVKA = "595041100", "595041500", "595041600"


@EACH
@pytest.mark.parametrize(
    ("typed", "picked"),
    [
        ("бугровое", [BUGROVOE]),
        ("Бугравое", [BUGROVOE]),
        ("sosnovka", [SOSNOVKA]),
        ("сосновка ауылы, bugrovoye", [BUGROVOE, SOSNOVKA]),
        ("с. Бугровое\nНовогеоргивка;Сосновка", [BUGROVOE, NOVO, SOSNOVKA]),
        ("бугровое и сосновка", [BUGROVOE, SOSNOVKA]),
        ("Бугровое сосновка", [BUGROVOE, SOSNOVKA]),
        ("1, 3", [BUGROVOE, SOSNOVKA]),
        ("1 2", [BUGROVOE, NOVO]),
    ],
)
async def test_names_and_numbers_tick_their_villages(
    talk: Talk, channel: ChannelName, language: Language, typed: str, picked: list[str]
) -> None:
    akim = await begun(talk, language, channel)
    await akim.pick("audience-some")
    await akim.say(typed)
    assert (await answers_of(akim))["picked"] == picked
    assert sum(label.startswith("✓") for label in akim.labels) == len(picked)
    await akim.say("сосновка")
    assert (await answers_of(akim))["picked"] == sorted({*picked, SOSNOVKA}), "it stays ticked"


@EACH
async def test_what_means_no_village_is_named_and_no_tick_is_lost(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = await begun(talk, language, channel)
    await akim.pick("audience-some")
    await akim.says("сосновка", "бугровое, Бесколь, 9")
    assert akim.hears("audience-unknown", typed="«Бесколь», «9»")
    assert (await answers_of(akim))["picked"] == [BUGROVOE, SOSNOVKA]
    await akim.say("барабан")
    assert akim.hears("audience-unclear", typed="барабан")
    assert (await answers_of(akim))["picked"] == [BUGROVOE, SOSNOVKA]


@EACH
async def test_a_village_is_typed_at_the_question_before(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = await begun(talk, language, channel)
    await akim.say("бугровое")
    assert (await answers_of(akim))["picked"] == [BUGROVOE]
    assert akim.t("audience-done") in akim.labels


@pytest.mark.parametrize("channel", ChannelName)
async def test_an_error_and_numbers_stay_on_the_page_shown(
    many: Talk, channel: ChannelName
) -> None:
    """After "I do not understand" the first page came back, and "1" ticked another village."""
    akim = await many.official(channel, RU, "110000000")
    await akim.pick("menu-send")
    await akim.pick("kind-announcement")
    await akim.pick("audience-some")
    await akim.pick("list-more")
    codes = on_the_page(akim)
    await akim.say("барабан")
    assert akim.hears("audience-unclear", typed="барабан")
    assert on_the_page(akim) == codes
    await akim.say("1")
    assert (await answers_of(akim))["picked"] == codes[:1]
    await akim.say("2, 3")
    assert (await answers_of(akim))["picked"] == sorted(codes[:3])
    assert on_the_page(akim) == codes


async def test_a_name_that_several_villages_bear_is_not_guessed(many: Talk) -> None:
    akim = await many.official(ChannelName.TELEGRAM, RU, "110000000")
    await akim.pick("menu-send")
    await akim.pick("kind-announcement")
    await akim.pick("audience-some")
    await akim.say("жамбыл")
    assert akim.hears("audience-several", typed="«жамбыл»")
    assert (await answers_of(akim))["picked"] == []


def on_the_page(akim: Person) -> list[str]:
    """The codes of the villages that are shown."""
    return [b.payload.split(".")[3] for b in akim.buttons if ".n-village." in b.payload]
