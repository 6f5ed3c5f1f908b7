"""Of what kind a notice is, when it goes, and that the same does not go twice by chance."""

from datetime import timedelta
from uuid import UUID

import pytest
from support.talk import KK, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk

from bot.clockwork import Clockwork
from conversation.message import Button, ChannelName
from core.languages import Language
from rules.notices import NoticeKind
from services import roles, rulebook
from services.roles import Power, RoleName
from tests.handlers.test_broadcast import (
    BOTH,
    WRITTEN,
    answers_of,
    deliveries,
    previewed,
    step,
    villagers,
)

EVENING = timedelta(hours=12)  # the tests' clock says 10:00 in Almaty


async def at_the_last_look(
    talk: Talk, language: Language = RU, channel: ChannelName = TELEGRAM, kind: str = "event"
) -> Person:
    await villagers(talk)
    akim = await talk.official(channel, language)
    return await once_more(akim, kind)


async def once_more(akim: Person, kind: str = "event", words: str = "") -> Person:
    await akim.pick("menu-send")
    await akim.pick(f"kind-{kind}")
    await akim.pick("audience-all-okrug")
    await akim.says(words or WRITTEN[akim.language], WRITTEN[akim.language.other])
    await akim.pick("attach-skip")
    return akim


# Kinds


@BOTH
@pytest.mark.parametrize("kind", NoticeKind)
async def test_the_kind_is_kept_and_shown(talk: Talk, language: Language, kind: NoticeKind) -> None:
    akim = await at_the_last_look(talk, language, kind=kind)
    said = akim.heard[0].heading or ""
    assert (akim.t(f"notice-kind-{kind}") in said) == (kind is not NoticeKind.ANNOUNCEMENT)
    await akim.pick("notice-send")
    assert await talk.one("SELECT kind FROM notice") == kind


async def clerk(talk: Talk, powers: set[Power]) -> Person:
    person = await talk.official(role=RoleName.CLERK)
    speaker = UUID(str((await person.address())["speaker_id"]))
    async with talk.db.unit() as unit:
        await roles.grant(unit, speaker, RoleName.CLERK, OKRUG, powers=powers)
    await person.say("меню")
    return person


async def test_a_clerk_sends_what_was_delegated(talk: Talk) -> None:
    await villagers(talk)
    person = await clerk(talk, {Power.SEND})
    await person.pick("menu-send")
    assert person.t("kind-urgent") not in person.labels
    assert person.hears("kind-ask")
    turn = (await person.state()).turn
    await person.press(f"s.{turn:x}.n-kind.urgent")
    assert await step(person) == "kind", "a forged tap"
    assert "tap-refused" in await talk.audited()
    await person.pick("kind-event")
    assert await step(person) == "audience"


@BOTH
@pytest.mark.parametrize("channel", ChannelName)
async def test_a_choice_that_was_not_offered_is_refused_and_noted(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    """A kind that was not delegated, a village of another okrug, a place, a role: forged."""
    await villagers(talk)
    akim = await talk.official(channel, language)
    await akim.pick("menu-send")
    for way, forged in (
        ("kind-event", ("n-kind.nonsense", "n-place.595030100", "n-send")),
        ("audience-some", ("n-village.595030100.0", "n-all.x")),
    ):
        for payload in forged:
            before = (await talk.audited()).count("tap-refused")
            here = await step(akim)
            turn = (await akim.state()).turn
            await akim.press(f"s.{turn:x}.{payload}", text="Шұғыл")
            assert akim.hears("stale-choice"), payload
            assert await step(akim) == here, payload
            assert (await talk.audited()).count("tap-refused") == before + 1, payload
        await akim.pick(way)
    assert "picked" in await answers_of(akim)


@BOTH
@pytest.mark.parametrize("channel", ChannelName)
async def test_a_kind_that_was_taken_from_the_clerk_meanwhile(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    await villagers(talk)
    person = await talk.official(channel, language, role=RoleName.CLERK)
    speaker = UUID(str((await person.address())["speaker_id"]))
    await person.pick("menu-send")
    async with talk.db.unit() as unit:
        await roles.grant(unit, speaker, RoleName.CLERK, OKRUG, powers={Power.SEND})
    await person.pick("kind-urgent")
    assert person.hears("refused-role-power")
    assert person.t("kind-urgent") not in person.labels
    assert "role-missing" in await talk.audited()
    await person.pick("kind-event")
    assert await step(person) == "audience"


async def test_a_clerk_with_the_urgent_power_alone(talk: Talk) -> None:
    await villagers(talk)
    person = await clerk(talk, {Power.URGENT})
    await person.pick("menu-send")
    assert [b.label for b in person.screen.choices] == [person.t("kind-urgent")]  # type: ignore[union-attr]


async def test_a_clerk_without_a_power_gets_no_entry_and_no_form(talk: Talk) -> None:
    person = await clerk(talk, {Power.REPORT})
    assert person.t("menu-send") not in person.labels
    turn = (await person.state()).turn
    await person.press(f"s.{turn:x}.notice-new")
    assert await person.form() is None
    assert "role-missing" in await talk.audited()


async def test_a_power_that_was_taken_back_meanwhile_loses_nothing(talk: Talk) -> None:
    await villagers(talk)
    person = await clerk(talk, {Power.SEND, Power.URGENT})
    await once_more(person, "urgent")
    speaker = UUID(str((await person.address())["speaker_id"]))
    async with talk.db.unit() as unit:
        await roles.grant(unit, speaker, RoleName.CLERK, OKRUG, powers={Power.SEND})
    await person.pick("notice-send")
    assert person.hears("refused-role-power")
    assert await talk.one("SELECT count(*) FROM notice") == 0
    await person.pick("menu-resume")
    await person.pick("preview-kind")
    await person.pick("kind-event")
    await person.pick("notice-send")
    assert await talk.one("SELECT kind FROM notice") == "event"


# Where


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ("595041100", "audience-all-village"),
        (OKRUG, "audience-all-okrug"),
        ("595000000", "audience-all-district"),
        ("590000000", "audience-all-oblast"),
    ],
)
@BOTH
async def test_the_whole_of_it_by_its_own_noun(
    talk: Talk, language: Language, place: str, key: str
) -> None:
    akim = await talk.official(TELEGRAM, language, place)
    await akim.pick("menu-send")
    await akim.pick("kind-announcement")
    assert akim.t(key) in akim.labels


@pytest.mark.parametrize("channel", ChannelName)
async def test_a_tick_stays_on_its_page(many: Talk, channel: ChannelName) -> None:
    akim = await many.official(channel, RU, "110000000")
    await akim.pick("menu-send")
    await akim.pick("kind-announcement")
    await akim.pick("audience-some")
    await akim.pick("list-more")
    codes = [b.payload.split(".")[3] for b in _on_the_page(akim)]
    for place, ticked in ((1, 1), (2, 2)):
        await akim.press(_on_the_page(akim)[place].payload)
        assert [b.payload.split(".")[3] for b in _on_the_page(akim)] == codes
        assert sum(b.label.startswith("✓") for b in _on_the_page(akim)) == ticked
    assert (await answers_of(akim))["picked"] == sorted(codes[1:3])
    await akim.pick("list-previous")
    assert not any(b.label.startswith("✓") for b in _on_the_page(akim))
    assert akim.t("audience-done") in akim.labels, "on every page"


def _on_the_page(akim: Person) -> list[Button]:
    return [b for b in akim.buttons if ".n-village." in b.payload]


# When


@BOTH
@pytest.mark.parametrize(
    ("typed", "local"),
    [
        ("ертең 9:00", "2026-11-21 09:00"),
        ("завтра в 9", "2026-11-21 09:00"),
        ("25.11 18:00", "2026-11-25 18:00"),
        ("через 2 часа", "2026-11-20 12:"),
        ("2 сағаттан кейін", "2026-11-20 12:"),
    ],
)
async def test_a_moment_that_is_typed(
    talk: Talk, language: Language, typed: str, local: str
) -> None:
    akim = await at_the_last_look(talk, language)
    await akim.pick("preview-when")
    await akim.say(typed)
    assert await step(akim) == "preview"
    assert akim.t("preview-when-other") in akim.labels
    await akim.pick("notice-plan")
    moment = await talk.one(
        "SELECT to_char(send_at AT TIME ZONE 'Asia/Almaty', 'YYYY-MM-DD HH24:MI') FROM notice"
    )
    assert str(moment).startswith(local)
    assert await talk.one("SELECT status FROM notice") == "scheduled"
    assert await deliveries(talk) == []


@BOTH
@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("бүгін 9:00", "when-past"),
        ("24.11", "when-no-hour"),
        ("31.02 9:00", "when-no-day"),
        ("ертең 25:00", "when-no-such-hour"),
        ("01.11.2030 9:00", "when-far"),
        ("кешікпей", "when-unclear"),
    ],
)
async def test_a_moment_that_does_not_do_says_why(
    talk: Talk, language: Language, typed: str, key: str
) -> None:
    akim = await at_the_last_look(talk, language)
    await akim.pick("preview-when")
    await akim.say(typed)
    asked = akim.t(key, typed=typed, example="22.11 18:00", at="\0", days=90)
    assert all(piece in akim.text for piece in asked.split("\0"))
    assert await step(akim) == "when"


@pytest.mark.parametrize("channel", ChannelName)
@BOTH
async def test_the_usual_moments(talk: Talk, language: Language, channel: ChannelName) -> None:
    """With a moment the button plans, not sends; where nothing changed nothing is "above"."""
    akim = await at_the_last_look(talk, language, channel)
    assert akim.hears("preview-above")
    await akim.pick("preview-when")
    await akim.tap(akim.t("when-today", hour="18:00"))
    assert "18:00" in akim.text
    assert akim.labels[0] == akim.t("notice-plan")
    await akim.pick("preview-when-other")
    await akim.pick("correct-keep")
    assert len(akim.heard) == 1, "the notice itself has not changed"
    assert not akim.hears("preview-above")
    await akim.pick("preview-when-other")
    await akim.tap(akim.t("when-tomorrow", hour="9:00"))
    assert "09:00" in akim.text
    await akim.pick("preview-when-other")
    await akim.pick("when-now")
    assert akim.hears("preview-above")
    await akim.pick("notice-send")
    assert await talk.one("SELECT send_at FROM notice") is None


async def test_today_is_not_offered_in_the_evening(talk: Talk) -> None:
    talk.clock.advance(EVENING)
    akim = await at_the_last_look(talk, RU)
    await akim.pick("preview-when")
    assert akim.t("when-today", hour="18:00") not in akim.labels
    turn = (await akim.state()).turn
    await akim.press(f"s.{turn:x}.n-at.today")
    assert await step(akim) == "when", "a button of the afternoon"


async def test_a_moment_that_passed_while_it_waited_is_asked_for_again(talk: Talk) -> None:
    akim = await at_the_last_look(talk, RU)
    await akim.pick("preview-when")
    await akim.say("через час")
    talk.clock.advance(timedelta(hours=2))
    await akim.pick("notice-plan")
    assert akim.hears("preview-passed")
    assert await talk.one("SELECT count(*) FROM notice") == 0
    await akim.pick("notice-send")
    assert await talk.one("SELECT status FROM notice") == "sending"


async def test_it_goes_at_its_moment_and_once(talk: Talk) -> None:
    akim = await at_the_last_look(talk, RU)
    await akim.pick("preview-when")
    await akim.say("завтра 9:00")
    send = next(b.payload for b in akim.buttons if b.label == akim.t("notice-plan"))
    await akim.press(send)
    await akim.press(send)
    clockwork = Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None)
    await clockwork.work_due()
    assert await deliveries(talk) == []
    talk.clock.advance(timedelta(days=1))
    await clockwork.work_due()
    await clockwork.work_due()
    assert await deliveries(talk) == ["kk", "kk", "ru"]


@BOTH
@pytest.mark.night
async def test_at_night_it_waits_for_the_morning(talk: Talk, language: Language) -> None:
    talk.clock.advance(EVENING)
    akim = await at_the_last_look(talk, language)
    assert "08:00" in akim.text
    assert akim.hears("preview-quiet-urgent")
    await akim.pick("notice-send")
    assert await talk.one("SELECT status FROM notice") == "scheduled"
    assert "08:00" in akim.text


@pytest.mark.night
async def test_at_night_what_is_urgent_goes_and_is_not_offered_to_who_may_not(talk: Talk) -> None:
    talk.clock.advance(EVENING)
    await villagers(talk)
    person = await clerk(talk, {Power.SEND})
    await once_more(person)
    assert not person.hears("preview-quiet-urgent")
    akim = await talk.official(TELEGRAM, RU)
    await once_more(akim, "urgent")
    assert "08:00" not in akim.text
    await akim.pick("notice-send")
    assert await talk.one("SELECT status FROM notice") == "sending"


# The same again


@BOTH
@pytest.mark.parametrize("channel", ChannelName)
async def test_the_same_again_is_asked_about(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    akim = await at_the_last_look(talk, language, channel)
    await akim.pick("notice-send")
    await akim.say("мәзір")
    await once_more(akim)
    await akim.pick("notice-send")
    assert await talk.one("SELECT count(*) FROM notice") == 1
    assert await step(akim) == "same"
    assert akim.t("same-show") in akim.labels
    await akim.pick("nav-back")
    assert await step(akim) == "preview"
    await akim.pick("notice-send")
    await akim.say("жоқ")
    assert await talk.one("SELECT count(*) FROM notice") == 1
    await akim.pick("same-again")
    assert await talk.one("SELECT count(*) FROM notice") == 2


async def test_other_words_or_another_day_are_not_the_same(talk: Talk) -> None:
    akim = await at_the_last_look(talk, RU)
    await akim.pick("notice-send")
    await akim.say("меню")
    await once_more(akim, words="Другой заголовок\nДругой текст.")
    await akim.pick("notice-send")
    assert await talk.one("SELECT count(*) FROM notice") == 2
    hours = rulebook.rulebook.DEFAULTS.same_notice_within
    talk.clock.advance(timedelta(hours=hours, minutes=1))
    await akim.say("меню")
    await once_more(akim)
    await akim.pick("notice-send")
    assert await talk.one("SELECT count(*) FROM notice") == 3


async def test_the_other_messenger_tells_that_it_went(talk: Talk) -> None:
    """Two devices: the same office from its other chat."""
    first = await at_the_last_look(talk, RU, TELEGRAM)
    second = await talk.official(WHATSAPP, KK)
    await once_more(second)
    await first.pick("notice-send")
    await second.pick("notice-send")
    assert await step(second) == "same"
    assert await talk.one("SELECT count(*) FROM notice") == 1


# The numbers


@BOTH
async def test_the_numbers_and_what_differs_elsewhere(talk: Talk, language: Language) -> None:
    await talk.resident(TELEGRAM, KK)
    await talk.resident(WHATSAPP, RU)
    stopped = await talk.resident(TELEGRAM, RU)
    await stopped.say("стоп")
    talk.clock.advance(timedelta(hours=25))
    akim = await talk.official(TELEGRAM, language)
    await once_more(akim)
    assert akim.hears("notice-preview-unreachable", people=1)
    by = akim.t("preview-by-telegram", people=1) + ", " + akim.t("preview-by-whatsapp", people=1)
    assert by in akim.text
    title = WRITTEN[language].partition("\n")[0]
    office = "Бугров ауылдық округінің әкімі" if language is KK else "Аким Бугровского"
    line = akim.text[akim.text.index(akim.t("template-notice", first="", second="")[:8]) :]
    assert office in line
    assert title in line
    assert akim.hears("preview-under-minute")


async def test_the_quota_spreads_it_over_days(talk: Talk) -> None:
    for _ in range(3):
        await talk.resident(WHATSAPP, RU)
    talk.clock.advance(timedelta(hours=25))
    async with talk.db.unit() as unit:
        await rulebook.decide(unit, "whatsapp-people-a-day", "1", None, "Решение от 20.11.2026 № 1")
    akim = await talk.official(TELEGRAM, RU)
    await once_more(akim)
    assert akim.hears("preview-days", days=3, first=1)


@BOTH
async def test_the_letter_is_as_it_arrives(talk: Talk, language: Language) -> None:
    akim = await previewed(talk, language)
    own, other, question = akim.heard
    for content, said in ((own, language), (other, language.other)):
        assert f"{content.title}\n{content.body}".startswith(WRITTEN[said])
        assert content.choices == ()
    assert akim.t("notice-read") in own.body
    assert question.choices != ()
    await akim.pick("notice-send")
    sent = await talk.rows("SELECT language, content, id FROM message WHERE notice_id IS NOT NULL")
    assert len(sent) == 2


@BOTH
@pytest.mark.parametrize("channel", ChannelName)
@pytest.mark.parametrize("typed", ["ертең 9:30", "завтра в 9:30"])
async def test_a_moment_in_answer_to_send_is_the_moment(
    talk: Talk, language: Language, channel: ChannelName, typed: str
) -> None:
    akim = await at_the_last_look(talk, language, channel)
    await akim.say(typed)
    assert await step(akim) == "preview"
    assert "9:30" in akim.text
    assert await talk.one("SELECT count(*) FROM notice") == 0
    await akim.pick("notice-plan")
    assert await talk.one("SELECT status FROM notice") == "scheduled"


@BOTH
@pytest.mark.parametrize(
    ("typed", "key"), [("завтра", "when-no-hour"), ("31.02 9:00", "when-no-day")]
)
async def test_half_a_moment_in_answer_to_send_says_what_is_missing(
    talk: Talk, language: Language, typed: str, key: str
) -> None:
    akim = await at_the_last_look(talk, language)
    await akim.say(typed)
    example = f"{talk.db.clock.now() + timedelta(days=2):%d.%m} 18:00"
    assert akim.t(key, typed=typed, example=example) in akim.text
    assert akim.t("notice-send") in akim.labels
    assert await step(akim) == "preview"


@BOTH
async def test_a_number_that_is_not_in_the_list_is_no_hour(talk: Talk, language: Language) -> None:
    akim = await at_the_last_look(talk, language)
    await akim.say("18")
    assert akim.hears("notice-preview-unclear", typed="18")
