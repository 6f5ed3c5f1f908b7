"""Whoever taps under an older text gets the newest one once, whatever is on its way to them."""

import pytest
from sqlalchemy import text
from support.office import EACH, office, sent_all
from support.talk import KK, RU, TELEGRAM, Person, Talk

from conversation.message import ChannelName
from core.ids import short
from core.languages import Language
from services.outbox import NOTICE

NEW = "Бүгін болады."
PENDING = """
SELECT d.id FROM delivery AS d JOIN message AS m ON m.id = d.message_id
JOIN address AS a ON a.id = d.address_id
WHERE m.notice_id IS NOT NULL AND d.outcome IS NULL AND a.id = :address
"""


class Reader:
    """A resident with the first text, whose correction waits in the outbox."""

    def __init__(self, person: Person, akim: Person, notice: str) -> None:
        self.person, self.akim, self.notice = person, akim, notice

    async def taps(self, code: str = "read", revision: int = 1) -> str:
        return await self.person.press(f"d.{code}.{self.notice}.{revision}")

    async def waits(self) -> bool:
        """Is something of the notice still to come to this chat?"""
        address = (await self.person.address())["id"]
        return bool(await self.person.talk.rows(PENDING, address=address))


async def corrected(
    talk: Talk, channel: ChannelName, language: Language, *, paused: bool = False
) -> Reader:
    person = await talk.resident(channel, language)
    here = await office(talk, TELEGRAM, KK)
    await sent_all(talk, NOTICE)
    if paused:
        async with talk.db.session() as session:  # on its way to one of them
            await session.execute(
                text(
                    "UPDATE delivery SET outcome = NULL WHERE id IN (SELECT d.id FROM delivery"
                    " AS d JOIN message AS m ON m.id = d.message_id JOIN resident_address AS r"
                    " ON r.address_id = d.address_id WHERE m.notice_id IS NOT NULL"
                    " AND d.address_id <> :address LIMIT 1)"
                ),
                {"address": (await person.address())["id"]},
            )
        await here.akim.press(f"d.n-pause.{short(here.notice)}")
        assert await here.status() == "paused"
    await here.akim.press(f"d.n-correct.{short(here.notice)}")
    await here.akim.say(f"Су бар\n{NEW}")
    await here.akim.say("Вода есть\nЗавтра будет.")
    await here.akim.tap(here.akim.labels[0])
    assert await talk.one("SELECT revision FROM notice") == 2
    return Reader(person, here.akim, short(here.notice))


def text_of(language: Language) -> str:
    return NEW if language is KK else "Завтра будет."


@EACH
@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("code", ["read", "open"])
async def test_what_was_on_its_way_is_said_in_the_answer_and_not_once_more(
    talk: Talk, channel: ChannelName, language: Language, paused: bool, code: str
) -> None:
    """Айгүл tapped under the first text while its correction was going out, and got it twice."""
    reader = await corrected(talk, channel, language, paused=paused)
    assert await reader.waits()
    await reader.taps(code)
    assert text_of(language) in reader.person.text
    assert not await reader.waits()
    await reader.akim.press(f"d.live.{reader.notice}")
    assert "1 / 4" in reader.akim.text or not paused


@EACH
async def test_who_has_the_newest_hears_that_it_was_corrected(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    reader = await corrected(talk, channel, language)
    await sent_all(talk, NOTICE)
    for _ in range(2):
        await reader.taps()
        assert text_of(language) not in reader.person.text
        if channel is TELEGRAM:  # the old button leads to it, and the toast says so
            [changed] = reader.person.heard
            assert changed.buttons_only
            assert reader.person.labels == [reader.person.t("notice-show-new")]
        assert reader.person.hears("notice-corrected-here")
    await reader.taps("open", 2)
    assert text_of(language) in reader.person.text


@EACH
async def test_a_tap_under_an_older_text_twice_shows_the_newest_once(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    reader = await corrected(talk, channel, language)
    await reader.taps()
    await reader.taps()
    assert text_of(language) not in reader.person.text
    assert reader.person.hears("notice-corrected-here")


async def in_hand(talk: Talk) -> None:
    """A process is sending what waits of notices."""
    async with talk.db.session() as session:
        await session.execute(
            text("UPDATE delivery SET claimed_until = :at WHERE outcome IS NULL AND priority = 3"),
            {"at": talk.clock.now().replace(year=2027)},
        )


@EACH
async def test_what_a_process_has_in_hand_is_not_said_beside_it(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    reader = await corrected(talk, channel, language)
    await in_hand(talk)
    await reader.taps()
    assert text_of(language) not in reader.person.text
    assert reader.person.hears("notice-corrected-comes")
    assert await reader.waits()


@EACH
async def test_the_button_of_an_announcement_takes_what_a_process_has_in_hand(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Its answer may be lost: the text is said now, and nothing of it is to come."""
    reader = await corrected(talk, channel, language)
    await in_hand(talk)
    await reader.taps("open", 2)
    assert text_of(language) in reader.person.text
    assert not await reader.waits()


@EACH
async def test_of_what_was_only_announced_the_text_is_shown(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """The line outside WhatsApp's window is not the text; a tap under the older one brings it."""
    reader = await corrected(talk, channel, language)
    async with talk.db.session() as session:
        await session.execute(
            text("UPDATE delivery SET outcome = 'announced' WHERE outcome IS NULL AND priority = 3")
        )
    await reader.taps()
    assert text_of(language) in reader.person.text
    address = (await reader.person.address())["id"]
    found = await talk.rows(
        "SELECT outcome FROM delivery WHERE outcome = 'announced' AND address_id = :address",
        address=address,
    )
    assert not found


@EACH
async def test_two_on_one_phone_are_shown_it_once(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Both are recipients of one delivery; both count as reached."""
    reader = await corrected(talk, channel, language)
    address = (await reader.person.address())["id"]
    async with talk.db.session() as session:
        await session.execute(
            text(
                "UPDATE recipient SET delivery_id = (SELECT d.id FROM delivery AS d WHERE"
                " d.address_id = :address AND d.outcome IS NULL AND d.priority = 3)"
                " WHERE resident_id = (SELECT resident_id FROM recipient WHERE resident_id NOT IN"
                " (SELECT resident_id FROM resident_address WHERE address_id = :address) LIMIT 1)"
            ),
            {"address": address},
        )
    await reader.taps()
    assert text_of(language) in reader.person.text
    assert not await reader.waits()
    await reader.akim.press(f"d.live.{reader.notice}")
    assert reader.akim.hears("live-sending", done=2, total=4)


@EACH
@pytest.mark.parametrize("word", ["Оқыдым", "прочитал(а)", "Прочитал"])
async def test_the_words_of_the_button_acknowledge_what_came_last(
    talk: Talk, channel: ChannelName, language: Language, word: str
) -> None:
    """ "Прочитал(а)", typed under a notice, was "I do not understand". A form stays under way."""
    person = await talk.resident(channel, language)
    await person.say(word)
    assert person.hears("notice-none")
    await office(talk, TELEGRAM, KK)
    await sent_all(talk, NOTICE)
    await person.say("/move")
    before = await person.form()
    await person.say(word)
    assert person.hears("notice-read-receipt")
    assert await person.form() == before
    assert await talk.one("SELECT count(*) FROM recipient WHERE acknowledged_at IS NOT NULL") == 1


@EACH
async def test_nothing_comes_to_who_reads_the_other_language(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """The akim is told so; what was read stays read, and the old button stays good."""
    reader = await talk.resident(channel, language)
    here = await office(talk, TELEGRAM, KK)
    await sent_all(talk, NOTICE)
    other = language.other
    akim = here.akim
    await akim.press(f"d.n-correct.{short(here.notice)}")
    for one in (KK, RU):
        await (akim.say(f"Жаңа\n{NEW}") if one is other else akim.pick("correct-keep"))
    if other is KK:
        assert akim.hears("correct-only-kk")
        assert akim.hears("correct-who", had=3, left=0)
    else:
        assert akim.hears("correct-nobody")
    assert NEW in akim.text
    assert ("Ертең" if language is KK else "Завтра") not in akim.text
    await akim.pick("correct-send")
    assert akim.hears("correct-done" if other is KK else "correct-done-nobody")
    address = (await reader.address())["id"]
    assert not await talk.rows(PENDING, address=address)
    await reader.press(f"d.read.{short(here.notice)}.1")
    assert reader.hears("notice-read-receipt")
    await reader.press(f"d.open.{short(here.notice)}.1")
    assert ("Ертең" if language is KK else "Завтра") in reader.text
    marked = reader.t("notice-heading-corrected", office="").strip()
    assert marked not in str(reader.heard[0].heading)
    await reader.press(f"d.read.{short(here.notice)}.2")
    assert reader.hears("notice-read-before")
    assert await talk.one("SELECT count(*) FROM recipient WHERE acknowledged_at IS NOT NULL") == 1


@EACH
async def test_a_text_in_the_other_languages_place_is_doubted(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """A correction is asked for in both languages, and one is easily typed under the other."""
    here = await office(talk, channel, language)
    await sent_all(talk, NOTICE)
    await here.akim.press(f"d.n-correct.{short(here.notice)}")
    if language is RU:
        await here.akim.pick("correct-keep")
    await here.akim.say("Сход в четверг\nСход пройдёт в четверг в школе, приходите.")
    if language is KK:
        await here.akim.pick("correct-keep")
    assert here.akim.hears("words-not-kk")
    assert not here.akim.hears("words-not-ru")
