"""Notices that are put aside: opened where they were left, by their author alone, never lost."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from support.talk import KK, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName, Medium
from conversation.state import FormState, State
from core.ids import short
from core.languages import Language
from rules.attachments import PDF
from services import drafts, intake
from tests.handlers.test_broadcast import (
    BOTH,
    WRITTEN,
    answers_of,
    begun,
    deliveries,
    previewed,
    step,
)

EACH = pytest.mark.parametrize(
    ("channel", "language"), [(TELEGRAM, KK), (TELEGRAM, RU), (WHATSAPP, KK), (WHATSAPP, RU)]
)


async def put_aside(talk: Talk, language: Language = RU, channel: ChannelName = TELEGRAM) -> Person:
    """An akim with a draft of both texts, at the menu."""
    akim = await previewed(talk, language, channel)
    await akim.pick("nav-cancel")
    await akim.pick("leave-keep")
    return akim


async def count(talk: Talk) -> object:
    return await talk.one("SELECT count(*) FROM draft")


def title(language: Language) -> str:
    return WRITTEN[language].partition("\n")[0]


async def set_form(talk: Talk, person: Person, form: FormState) -> None:
    """What an older version, or another day, has left."""
    address = await person.address()
    kept = State(turn=int(str(address["turn"])), parked=form).dump()
    identifier = UUID(str(address["id"]))
    sealed = talk.db.keyring.seal(intake.STATE, identifier, kept)
    async with talk.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE address SET state = :state WHERE id = :id"),
            {"state": sealed, "id": identifier},
        )


@EACH
async def test_kept_opened_and_sent(talk: Talk, channel: ChannelName, language: Language) -> None:
    akim = await put_aside(talk, language, channel)
    assert akim.hears("leave-kept")
    assert akim.t("menu-resume") not in akim.labels
    await akim.pick("menu-drafts")
    assert title(language) in akim.labels
    await akim.tap(title(language))
    assert WRITTEN[language].partition("\n")[2] in akim.text
    await akim.pick("menu-resume")
    assert await step(akim) == "preview"
    assert WRITTEN[language.other].partition("\n")[2] in akim.text
    await akim.pick("notice-send")
    assert await deliveries(talk) == ["kk", "kk", "ru"]
    assert await count(talk) == 0
    await akim.say("черновики")
    assert akim.hears("drafts-none")


async def test_it_opens_at_the_question_it_was_left_at(talk: Talk) -> None:
    akim = await begun(talk, RU)
    await akim.pick("audience-all-okrug")
    await akim.says("Ремонт водопровода", "отмена")
    await akim.pick("leave-keep")
    await akim.say("черновики")
    await akim.say("1")
    await akim.pick("menu-resume")
    assert akim.hears("words-no-body", title="Ремонт водопровода")
    await akim.say("Завтра.")
    assert await step(akim) == "other"


@BOTH
async def test_deleted_with_its_files(talk: Talk, language: Language) -> None:
    akim = await previewed(talk, language)
    await akim.send_file(Medium.DOCUMENT, mime=PDF, name="смета.pdf")
    await akim.pick("audience-done")
    await akim.pick("nav-cancel")
    await akim.pick("leave-keep")
    assert await talk.one("SELECT count(*) FROM file") == 1
    await akim.pick("menu-drafts")
    await akim.tap(title(language))
    await akim.pick("leave-drop")
    assert akim.hears("draft-dropped", title=title(language))
    assert await count(talk) == 0
    assert await talk.one("SELECT count(*) FROM file") == 0
    assert akim.t("menu-drafts") not in akim.labels


@BOTH
async def test_writing_goes_on_after_all(talk: Talk, language: Language) -> None:
    akim = await previewed(talk, language)
    await akim.pick("preview-kind")
    await akim.pick("nav-cancel")
    await akim.pick("leave-go-on")
    assert await step(akim) == "kind"
    await akim.pick("correct-keep")
    assert await step(akim) == "preview"
    await akim.says("отмена", "отмена")
    assert akim.hears("leave-ask")
    await akim.say("мәзір")
    await akim.pick("menu-resume")
    assert await step(akim) == "preview"


async def test_nothing_written_is_nothing_to_be_kept(talk: Talk) -> None:
    akim = await begun(talk, RU)
    await akim.pick("nav-cancel")
    assert akim.hears("notice-stopped")
    assert await akim.form() is None


@EACH
async def test_another_notice_while_one_waits(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = await previewed(talk, language, channel)
    await akim.say("мәзір")
    await akim.pick("menu-send")
    assert akim.hears("begun-ask", title=title(language))
    assert await count(talk) == 0
    await akim.pick("menu-resume")
    assert await step(akim) == "preview"
    await akim.say("мәзір")
    await akim.pick("menu-send")
    await akim.pick("begun-new")
    assert akim.hears("draft-aside")
    assert await step(akim) == "kind"
    assert await count(talk) == 1
    await akim.pick("nav-cancel")
    await akim.pick("menu-drafts")
    await akim.say("1")
    await akim.pick("menu-resume")
    assert await step(akim) == "preview"


async def test_one_that_waits_empty_is_no_question(talk: Talk) -> None:
    akim = await begun(talk, RU)
    await akim.say("меню")
    await akim.pick("menu-send")
    assert await step(akim) == "kind"


async def test_opening_a_draft_puts_aside_what_waits(talk: Talk) -> None:
    akim = await put_aside(talk)
    await akim.pick("menu-send")
    await akim.pick("kind-event")
    await akim.pick("audience-all-okrug")
    await akim.say("Праздник\nВ субботу.")
    await akim.say("черновики")
    await akim.tap(title(RU))
    await akim.pick("menu-resume")
    assert akim.hears("draft-aside")
    assert title(RU) in akim.text
    assert await count(talk) == 2


async def test_saving_again_is_the_same_draft(talk: Talk) -> None:
    akim = await put_aside(talk)
    for _ in range(2):
        await akim.pick("menu-drafts")
        await akim.say("1")
        await akim.pick("menu-resume")
        await akim.pick("nav-cancel")
        await akim.pick("leave-keep")
    assert await count(talk) == 1


async def test_twenty_are_the_most_and_nothing_is_lost(talk: Talk) -> None:
    akim = await put_aside(talk)
    speaker = UUID(str((await akim.address())["speaker_id"]))
    async with talk.db.unit() as unit:
        unit.actor = speaker
        for _ in range(drafts.MOST_DRAFTS - 1):
            assert await drafts.save(unit, unit.new_id(), "notice", 2, "own", {"id": "x"})
        assert not await drafts.save(unit, unit.new_id(), "notice", 2, "own", {"id": "x"})
    await akim.pick("menu-send")
    await akim.pick("kind-event")
    await akim.pick("audience-all-okrug")
    await akim.say("Праздник\nВ субботу.")
    await akim.pick("nav-cancel")
    await akim.pick("leave-keep")
    assert akim.hears("drafts-full", most=20)
    await akim.pick("leave-go-on")
    assert await step(akim) == "other"
    await akim.say("меню")
    await akim.pick("menu-send")
    await akim.pick("begun-new")
    assert akim.hears("drafts-full", most=20)
    await akim.pick("menu-resume")
    assert await step(akim) == "other"
    assert (await answers_of(akim))["text_ru"] == ["Праздник", "В субботу."]


async def test_nobody_elses(talk: Talk) -> None:
    await put_aside(talk)
    [draft] = await talk.rows("SELECT id FROM draft")
    other = await talk.official(TELEGRAM, RU)
    assert other.t("menu-drafts") not in other.labels
    for code in ("draft", "draft-open", "draft-drop"):
        turn = (await other.state()).turn
        await other.press(f"s.{turn:x}.{code}.{short(UUID(str(draft['id'])))}")
        assert other.hears("draft-gone")
    assert await count(talk) == 1
    assert (await talk.audited()).count("tap-refused") == 3


@pytest.mark.parametrize("ids", ["", ".x", f".{'A' * 22}"])
async def test_a_forged_draft(talk: Talk, ids: str) -> None:
    akim = await put_aside(talk)
    turn = (await akim.state()).turn
    await akim.press(f"s.{turn:x}.draft-open{ids}")
    assert akim.hears("draft-gone")


async def test_two_devices_send_one_draft_once(talk: Talk) -> None:
    """The same person on both messengers opens the same draft."""
    akim = await put_aside(talk, RU, TELEGRAM)
    speaker = (await akim.address())["speaker_id"]
    other = talk.person(WHATSAPP)
    await other.chooses(RU)
    async with talk.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE address SET speaker_id = :speaker WHERE id = :id"),
            {"speaker": speaker, "id": (await other.address())["id"]},
        )
    for person in (akim, other):
        await person.say("черновики")
        await person.say("1")
        await person.pick("menu-resume")
    await akim.pick("notice-send")
    await other.pick("notice-send")
    assert other.hears("notice-sent-before")
    assert await talk.one("SELECT count(*) FROM notice") == 1
    assert len(await deliveries(talk)) == 3


async def test_sealed_and_gone_after_ninety_days(talk: Talk) -> None:
    await put_aside(talk)
    [row] = await talk.rows("SELECT answers FROM draft")
    assert title(RU).encode() not in row["answers"]  # type: ignore[operator]
    talk.clock.advance(timedelta(days=89))
    for after, left in ((0, 1), (2, 0)):
        talk.clock.advance(timedelta(days=after))
        async with talk.db.unit() as unit:
            unit.now = talk.clock.now()
            await drafts.tidy(unit)
        assert await count(talk) == left


async def test_a_form_of_version_1_goes_on_with_its_answers(talk: Talk) -> None:
    akim = await begun(talk, RU)
    place, identifier = (await answers_of(akim))["place"], (await answers_of(akim))["id"]
    old = {
        "id": identifier,
        "places": [place],
        "place": place,
        "audience": ["595041100"],
        "whole": False,
        "first": "ru",
        "text_ru": ["Ремонт водопровода", "Завтра не будет воды."],
        "only": None,
        "text_kk": ["Су құбыры жөнделеді", "Ертең су болмайды."],
    }
    await set_form(talk, akim, FormState("notice", 1, "preview", old))
    await akim.say("меню")
    await akim.pick("menu-resume")
    assert await step(akim) == "attach"
    await akim.pick("attach-skip")
    assert "Ремонт водопровода" in akim.text
    await akim.pick("notice-send")
    assert await talk.one("SELECT kind FROM notice") == "announcement"


async def test_a_form_of_version_1_at_its_beginning(talk: Talk) -> None:
    akim = await begun(talk, RU)
    identifier = (await answers_of(akim))["id"]
    old = {"id": identifier, "places": ["595041000"], "place": "595041000"}
    await set_form(talk, akim, FormState("notice", 1, "audience", old))
    await akim.say("меню")
    await akim.pick("menu-resume")
    assert await step(akim) == "audience"


@EACH
async def test_a_long_title_is_shortened_in_lists_to_the_end_of_a_word(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Of a hundred characters, it made of WhatsApp's list a numbered text."""
    akim = await talk.official(channel, language)
    await talk.resident()
    long = "Су құбыры жөнделеді " * 5
    await akim.pick("menu-send")
    await akim.pick("kind-event")
    await akim.pick("audience-all-okrug")
    await akim.says(f"{long}\nБүгін.", f"{long}\nСегодня.")
    await akim.pick("attach-skip")
    await akim.pick("nav-cancel")
    await akim.pick("leave-keep")
    await akim.pick("menu-drafts")
    short_title = "Су құбыры жөнделеді Су құбыры жөнделеді Су құбыры…"
    assert akim.labels[0] == short_title
    await akim.tap(short_title)
    assert long.strip() in akim.text
    await akim.pick("menu-resume")
    await akim.pick("notice-send")
    await akim.say("/sent")
    assert akim.labels[0].endswith(f"· {short_title}")


@EACH
@pytest.mark.parametrize("kept", [False, True])
async def test_of_a_dismissed_clerks_notice_the_words_are_left(
    talk: Talk, channel: ChannelName, language: Language, kept: bool
) -> None:
    """ "Go on" led to the whole last look, with how many would get it, and to a refusal."""
    clerk = await previewed(talk, language, channel)
    if kept:
        await clerk.pick("nav-cancel")
        await clerk.pick("leave-keep")
    async with talk.db.unit() as unit:
        await unit.session.execute(text("UPDATE role SET revoked_at = :now"), {"now": unit.now})
    if kept:
        await clerk.say("черновики")
        await clerk.tap(title(language))
    else:
        await clerk.pick("notice-send")
        assert clerk.hears("refused-role-ended")
    await clerk.pick("menu-resume")
    assert clerk.hears("notice-barred")
    assert WRITTEN[KK] in clerk.text
    assert WRITTEN[RU] in clerk.text
    assert not clerk.hears("preview-ask")
    assert clerk.labels == [clerk.t("leave-drop"), clerk.t("nav-menu")]
    assert "role-missing" in await talk.audited()
    await clerk.pick("leave-drop")
    assert clerk.hears("notice-undo")
    assert clerk.t("menu-resume") not in clerk.labels
    if kept:
        assert await count(talk) == 0
