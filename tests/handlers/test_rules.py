"""The rules of a place, read in the chat, with the acts that decided them."""

import pytest
from support.talk import KK, OKRUG, RU, TELEGRAM, WHATSAPP, Talk

from conversation.message import ChannelName
from core.languages import Language
from services import rulebook

ACT = "Қызылжар аудандық мәслихатының 12.03.2024 № 15/3 шешімі"
EACH = pytest.mark.parametrize(
    ("language", "channel"), [(one, channel) for one in Language for channel in ChannelName]
)


@EACH
async def test_a_resident_reads_what_holds_at_home(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    person = await talk.resident(channel, language)
    await person.say("/help")
    await person.pick("menu-rules")
    assert person.hears("rule-adult-age", value=18)
    assert person.hears("rule-move-cooling-off", value=90)
    assert person.hears("rules-default")
    assert not person.hears("rule-invitation-term", value=7)
    async with talk.db.unit() as unit:
        await rulebook.decide(unit, "move-cooling-off", "30", OKRUG, ACT)
        await rulebook.decide(unit, "quiet-from", "22:00", OKRUG, ACT)
        await rulebook.decide(unit, "quiet-until", "7:30", OKRUG, ACT)
    await person.say("правила" if language is RU else "ережелер")
    assert person.hears("rule-move-cooling-off", value=30)
    kinds = person.t("notice-kind-urgent")
    assert person.hears("rule-quiet", begins="22:00", ends="07:30", kinds=kinds)
    assert person.text.count(ACT) == 2, "an act that decided one line twice is named once there"
    assert not person.hears("rules-default")


@pytest.mark.parametrize("language", [KK, RU])
async def test_an_akim_reads_those_of_the_office(talk: Talk, language: Language) -> None:
    akim = await talk.official(WHATSAPP, language)
    await akim.say("/rules")
    assert akim.hears("rule-invitation-term", value=7)
    assert akim.hears("rule-same-notice-within", value=24)
    assert akim.hears("rule-notice-waits", value=14)


@pytest.mark.parametrize("language", [KK, RU])
async def test_a_guest_reads_those_of_the_installation(talk: Talk, language: Language) -> None:
    async with talk.db.unit() as unit:
        await rulebook.decide(unit, "move-cooling-off", "0", None, ACT)
        await rulebook.decide(unit, "quiet-until", "21:00", None, ACT)
        await rulebook.decide(unit, "urgent-kinds", "", None, ACT)
    guest = talk.person(TELEGRAM)
    await guest.chooses(language)
    await guest.say("/rules")
    assert guest.hears("rules-all")
    assert guest.hears("rule-move-at-once")
    assert guest.hears("rule-no-quiet")
    async with talk.db.unit() as unit:
        await rulebook.decide(unit, "quiet-until", "6:00", None, ACT)
    await guest.say("/rules")
    assert guest.hears("rule-quiet-all", begins="21:00", ends="06:00")
