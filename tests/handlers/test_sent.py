"""What an office sees of its notices and does with them, in both languages on both messengers."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from support.office import EACH, TEXTS, Office, announced, live_message, office, sent_all
from support.talk import KK, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk

from bot.clockwork import Clockwork
from conversation.message import ChannelName, Content, Medium
from core.ids import short
from core.languages import Language
from core.pace import PER_SECOND
from core.texts import Near, texts
from handlers.notice_audience import where
from models.territory import Place
from services import files, notice_changes, notice_report, notices, roles
from services.notices import NoticeText
from services.outbox import CONTENT, NOTICE
from services.roles import RoleName
from services.unit import Refused


@EACH
async def test_list_pause_resume_cancel(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    here = await office(talk, channel, language)
    akim = here.akim
    await akim.say("/menu")
    await akim.pick("menu-sent")
    await akim.tap(f"20.11 · {TEXTS[language].title}")
    assert akim.hears("live-sending", done=0, total=3)
    await akim.pick("sent-pause")
    assert akim.hears("sent-paused")
    assert akim.hears("live-paused", done=0, total=3)
    assert await here.status() == "paused"
    await akim.pick("sent-resume")
    assert akim.hears("sent-resumed")
    assert await here.status() == "sending"
    await akim.pick("sent-cancel")
    assert akim.hears("sent-cancel-ask", had=0, left=3)
    assert await here.status() == "sending", "nothing before the answer"
    await akim.pick("sent-cancel-no")
    await akim.pick("sent-cancel")
    await akim.pick("sent-cancel-yes")
    assert akim.hears("sent-cancelled")
    assert await here.status() == "cancelled"
    assert akim.t("sent-pause") not in akim.labels


@EACH
async def test_before_it_begins(talk: Talk, channel: ChannelName, language: Language) -> None:
    here = await office(talk, channel, language, later=timedelta(days=1))
    akim = here.akim
    await akim.say("/sent")
    await akim.tap(f"21.11 · {TEXTS[language].title}")
    assert ("Завтра, 10:00" if language is RU else "ертең, сағат 10:00").lower() in (
        akim.text.lower()
    )
    await akim.pick("sent-cancel")
    assert akim.hears("sent-cancel-ask-scheduled")
    await akim.pick("sent-cancel-yes")
    assert await here.status() == "cancelled"
    assert akim.hears("live-cancelled-before")


async def test_a_button_of_yesterday_says_what_is_now(talk: Talk) -> None:
    """Pause tapped when it was cancelled; a durable button never does something else."""
    here = await office(talk, TELEGRAM, RU)
    await here.akim.press(f"d.n-cancel.{short(here.notice)}")
    await here.akim.pick("sent-cancel-yes")
    for code in ("n-pause", "n-resume"):
        await here.akim.press(f"d.{code}.{short(here.notice)}")
        assert here.akim.hears("sent-too-late")
    assert await here.status() == "cancelled"


@pytest.mark.parametrize("code", ["live", "n-pause", "n-resume", "n-cancel", "n-report"])
async def test_forged_taps_are_refused_and_noted(talk: Talk, code: str) -> None:
    here = await office(talk, TELEGRAM, RU)
    stranger = await talk.resident(WHATSAPP, RU)
    for payload in (
        f"d.{code}.{short(here.notice)}",
        f"d.{code}.{short(UUID(int=9))}",
        f"d.{code}",
    ):
        await stranger.press(payload)
        assert stranger.hears("refused-role")
    assert await here.status() == "sending"
    assert {"role-missing", "tap-refused"} <= set(await talk.audited())
    await stranger.say("/sent")
    assert stranger.hears("refused-role")


@pytest.mark.parametrize("language", [KK, RU])
async def test_a_supervisor_sees_and_does_not_touch(talk: Talk, language: Language) -> None:
    here = await office(talk, TELEGRAM, RU)
    watcher = await talk.official(WHATSAPP, language, "595000000", RoleName.SUPERVISOR)
    await watcher.say("/menu")
    await watcher.pick("menu-sent")
    await watcher.tap(f"20.11 · {TEXTS[language].title}")
    assert watcher.hears("live-sending", done=0, total=3)
    shown = set(watcher.labels)
    assert not shown & {watcher.t(key) for key in ("sent-pause", "sent-cancel", "sent-report")}
    for code in ("n-pause", "n-report"):
        await watcher.press(f"d.{code}.{short(here.notice)}")
        assert watcher.hears("refused-role")


@EACH
async def test_how_long_it_still_takes_is_told_on_request_and_by_itself(
    talk: Talk, channel: ChannelName, language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the pace of the recipients' messenger, whichever the author has."""
    for messenger, pace in ((TELEGRAM, 0.5), (WHATSAPP, 0.001)):
        monkeypatch.setitem(PER_SECOND, messenger.value, pace)
    here = await office(talk, channel, language)
    await here.akim.press(f"d.live.{short(here.notice)}")
    assert here.akim.hears("live-left", seconds=6)
    monkeypatch.setitem(PER_SECOND, TELEGRAM.value, 0.01)
    await here.akim.press(f"d.live.{short(here.notice)}")
    assert here.akim.hears("live-left-minutes", minutes=5)
    if channel is TELEGRAM:
        await sent_all(talk, priority=0)
        assert here.akim.t("live-left-minutes", minutes=5) in await live_message(talk)
    await here.akim.pick("sent-pause")
    assert not here.akim.hears("live-left-minutes", minutes=5)


@EACH
@pytest.mark.night
async def test_at_night_it_says_when_it_goes_on(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    here = await office(talk, channel, language)
    await here.akim.press(f"d.n-pause.{short(here.notice)}")
    talk.clock.advance(timedelta(hours=12))
    await here.akim.press(f"d.n-resume.{short(here.notice)}")
    assert here.akim.hears("sent-resumed")
    morning, now = talk.clock.now() + timedelta(hours=10), talk.clock.now()
    assert here.akim.hears("live-quiet", people=3, at=Near(morning, now))
    assert not here.akim.hears("live-left", seconds=1)
    talk.clock.advance(timedelta(hours=10))
    await here.akim.press(f"d.live.{short(here.notice)}")
    assert here.akim.hears("live-left", seconds=1)
    assert here.akim.t("live-quiet", people=3, at="").partition(":")[0] not in here.akim.text


@EACH
async def test_what_waits_for_a_persons_message_is_stopped_from_the_card(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Sent to all but who has to write first: the card still offers to stop it."""
    here = await office(talk, channel, language)
    await sent_all(talk, NOTICE)
    async with talk.db.session() as session:
        await session.execute(text("UPDATE notice SET status = 'finished'"))
    await here.akim.press(f"d.live.{short(here.notice)}")
    assert here.akim.t("sent-cancel") not in here.akim.labels
    async with talk.db.session() as session:
        await session.execute(
            text("UPDATE delivery SET outcome = NULL, waiting_for = 'window-closed'"
                 " WHERE id = (SELECT delivery_id FROM recipient LIMIT 1)")
        )  # fmt: skip
    await here.akim.press(f"d.live.{short(here.notice)}")
    assert here.akim.hears("live-waiting", people=1)
    assert here.akim.t("sent-pause") in here.akim.labels
    await here.akim.pick("sent-cancel")
    assert here.akim.hears("sent-cancel-ask", had=2, left=1)
    await here.akim.pick("sent-cancel-yes")
    assert here.akim.hears("sent-cancelled")
    assert await talk.one("SELECT count(*) FROM delivery WHERE outcome = 'cancelled'") == 1


@EACH
async def test_a_role_above_the_office_sees_numbers_and_no_names(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """The consent says: the data are seen by the akim's office of the okrug alone."""
    here = await office(talk, TELEGRAM, RU)
    above = await talk.official(channel, language, "595000000", RoleName.AKIM)
    await above.press(f"d.live.{short(here.notice)}")
    assert above.hears("live-sending", done=0, total=3)
    assert above.t("sent-report") not in above.labels
    await above.press(f"d.n-report.{short(here.notice)}")
    assert above.hears("refused-role")
    assert "role-missing" in await talk.audited()
    assert not await talk.rows("SELECT 1 FROM due WHERE kind = 'notice-report'")


async def test_who_holds_a_role_here_and_above_sees_the_names(talk: Talk) -> None:
    here = await office(talk, TELEGRAM, RU)
    both = await talk.official(TELEGRAM, RU, "595000000", RoleName.AKIM)
    async with talk.db.unit() as unit:
        speaker = UUID(str((await both.address())["speaker_id"]))
        await roles.grant(unit, speaker, RoleName.CLERK, OKRUG)
    await both.press(f"d.live.{short(here.notice)}")
    await both.pick("sent-report")
    assert both.hears("sent-report-coming")


@EACH
async def test_the_report_comes_as_a_file(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """CSV on Telegram, XLSX on WhatsApp; names, villages, outcomes; gone after two days."""
    here = await office(talk, channel, language)
    akim = here.akim
    await akim.press(f"d.n-report.{short(here.notice)}")
    assert akim.hears("sent-report-coming")
    clock = Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None)
    talk.clock.advance(timedelta(seconds=1))
    assert await clock.work_due() == 1
    (kept,) = await talk.rows("SELECT id FROM file")
    async with talk.db.unit() as unit:
        stored = await files.fetch(unit, UUID(str(kept["id"])))
    assert stored is not None
    if channel is TELEGRAM:
        assert stored.mime == "text/csv"
        table = stored.content.decode("utf-8-sig")
        assert table.count("\r\n") == 4
        assert table.count("Ахметов Серік Болатұлы") == 3
        assert akim.t("state-pending") in table
    else:
        assert stored.name.endswith(".xlsx")
        assert stored.content.startswith(b"PK")
    talk.clock.advance(timedelta(days=3))
    await clock.work_due()
    assert await talk.rows("SELECT id FROM file") == []


async def test_a_report_is_not_made_for_a_role_that_ended_meanwhile(talk: Talk) -> None:
    here = await office(talk, TELEGRAM, RU)
    await here.akim.press(f"d.n-report.{short(here.notice)}")
    (role,) = await talk.rows("SELECT resident_id FROM role")
    async with talk.db.unit() as unit:
        await roles.revoke(unit, UUID(str(role["resident_id"])), RoleName.AKIM, OKRUG)
    talk.clock.advance(timedelta(seconds=1))
    clock = Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None)
    await clock.work_due()
    assert await talk.rows("SELECT id FROM file") == []
    assert "role-missing" in await talk.audited()
    assert notice_report.REPORT_DUE in [
        row["kind"] for row in await talk.rows("SELECT kind FROM due WHERE done_at IS NOT NULL")
    ], "refused for good, not tried again and again"


@EACH
async def test_a_correction_from_the_phone(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """The akim's own language first. One text is changed, the other kept; what nobody changed
    is not sent; cancel changes nothing."""
    here = await office(talk, channel, language)
    akim = here.akim
    await akim.press(f"d.n-correct.{short(here.notice)}")
    assert asked_for(akim, language)
    await akim.pick("correct-keep")
    assert asked_for(akim, language.other)
    await akim.pick("correct-keep")
    assert akim.hears("correct-nothing")
    await akim.pick("notice-fix-ru")
    await akim.say("Без текста")
    assert akim.hears("words-no-body", title="Без текста")
    await akim.pick("nav-back")
    await akim.say("Нет воды до вечера\nВода будет в 20:00.")
    assert "Вода будет в 20:00." in akim.text
    assert await talk.one("SELECT revision FROM notice") == 1
    await akim.pick("correct-send")
    assert akim.hears("correct-done-nobody"), "everybody here reads Kazakh"
    assert await talk.one("SELECT revision FROM notice") == 2
    async with talk.db.unit() as unit:
        found = await notices.view(unit, here.notice)
    assert found is not None
    assert found.texts[KK] == TEXTS[KK]
    assert found.texts[RU] == NoticeText("Нет воды до вечера", "Вода будет в 20:00.")
    await akim.press(f"d.n-correct.{short(here.notice)}")
    await akim.pick("nav-cancel")
    assert akim.hears("correct-undo")
    assert await talk.one("SELECT revision FROM notice") == 2


def asked_for(akim: Person, language: Language) -> bool:
    """Is this text shown, to be written anew?"""
    now = TEXTS[language]
    return akim.hears(f"correct-write-{language}", title=now.title, body=now.body)


NEW = {KK: ["Су бар", "Бүгін."], RU: ["Вода есть", "Сегодня."]}


async def says_anew(akim: Person, language: Language) -> None:
    """The new text."""
    await akim.says("\n".join(NEW[language]))


async def correcting(talk: Talk, channel: ChannelName, language: Language) -> Office:
    """An akim who is asked for the new text in their own language, which the villagers read."""
    here = await office(talk, channel, language, read=language)
    await here.akim.press(f"d.n-correct.{short(here.notice)}")
    assert asked_for(here.akim, language)
    return here


async def typed(person: Person) -> dict[str, Any]:
    form = await person.form()
    assert form is not None
    return form.answers


@EACH
async def test_nothing_typed_into_a_correction_is_lost(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """A title that is too long, a text that is, and one that Telegram cut in two."""
    akim = (await correcting(talk, channel, language)).akim
    await akim.say("Су " * 60 + "\nЕртең болмайды.")
    await akim.say("Су жоқ")
    assert asked_for(akim, language.other)
    body = "Воды не будет. " * 320
    await akim.says(f"Ремонт\n{body[:4080].strip()}", body[4080:].strip())
    answers = await typed(akim)
    assert answers[f"text_{language}"][0] == "Су жоқ"
    assert answers[f"text_{language}"][1].endswith("Ертең болмайды.")
    assert answers[f"part_{language.other}"]["body"].split() == body.split()
    await akim.pick("words-take-body")
    assert akim.t("correct-send") in akim.labels


@EACH
async def test_the_caption_of_a_picture_is_the_corrected_text(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = (await correcting(talk, channel, language)).akim
    await akim.send_file(Medium.PHOTO)
    assert akim.hears("correct-no-files")
    assert asked_for(akim, language)
    await akim.send_file(Medium.PHOTO, "\n".join(NEW[language]))
    assert akim.hears("correct-no-files")
    assert (await typed(akim))[f"text_{language}"] == NEW[language]


@EACH
async def test_a_plain_yes_sends_the_correction_and_a_no_does_not(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = (await correcting(talk, channel, language)).akim
    await says_anew(akim, language)
    await akim.pick("correct-keep")
    await akim.say("жоқ")
    assert akim.hears("notice-preview-unclear", typed="жоқ")
    assert await talk.one("SELECT revision FROM notice") == 1
    await akim.say("иә")
    assert await talk.one("SELECT revision FROM notice") == 2


@EACH
async def test_a_correction_that_waits_is_gone_on_with(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    here = await correcting(talk, channel, language)
    akim = here.akim
    await says_anew(akim, language)
    await akim.say("меню")
    await akim.press(f"d.n-correct.{short(here.notice)}")
    assert asked_for(akim, language.other)
    await akim.pick("correct-keep")
    await akim.pick("correct-send")
    assert akim.hears("correct-done")


@EACH
async def test_a_correction_begun_before_an_update_is_gone_on_with(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Kazakh was asked for first then."""
    akim = (await correcting(talk, channel, language)).akim
    state = await akim.state()
    assert state.form is not None
    state.form.version, state.form.step = 1, "ru"
    del state.form.answers["languages"]
    state.form.answers |= {"asked_kk": True, "asked_ru": True, "seen_kk": True}
    state.form.answers["text_kk"] = NEW[KK]
    await akim.stores(state.dump())
    await akim.say("/menu")
    await akim.pick("menu-resume")
    assert asked_for(akim, RU)
    await akim.say("\n".join(NEW[RU]))
    for one in Language:
        assert NEW[one][1] in akim.text
    await akim.pick("correct-send")
    assert akim.hears("correct-done")


@EACH
async def test_a_correction_of_another_notice_is_not_dropped_unasked(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    here = await correcting(talk, channel, language)
    akim = here.akim
    other = await announced(talk, akim)
    await says_anew(akim, language)
    await akim.press(f"d.n-correct.{short(other)}")
    assert akim.hears("correct-waits", waits=TEXTS[language].title, title=TEXTS[language].title)
    await akim.pick("correct-go-on")
    assert (await typed(akim))["id"] == str(here.notice)
    assert (await typed(akim))[f"text_{language}"] == NEW[language]
    await akim.press(f"d.n-correct.{short(other)}")
    await akim.pick("correct-begin")
    assert (await typed(akim))["id"] == str(other)
    assert f"text_{language}" not in await typed(akim)


async def test_two_correct_at_once(talk: Talk) -> None:
    """The second one learns that there is another text by now, sees it together with the own
    words, which are kept, and decides."""
    here = await office(talk, TELEGRAM, RU)
    clerk = await talk.official(WHATSAPP, RU, OKRUG, RoleName.CLERK)
    for somebody in (here.akim, clerk):
        await somebody.press(f"d.n-correct.{short(here.notice)}")
        await somebody.pick("correct-keep")
        await somebody.say(f"Су\n{somebody.channel}")
    await here.akim.pick("correct-send")
    await clerk.pick("correct-send")
    assert clerk.hears("correct-meanwhile")
    assert await kazakh(talk, here.notice) == "telegram", "not overwritten unseen"
    await clerk.pick("correct-send")
    assert await kazakh(talk, here.notice) == "whatsapp"


async def kazakh(talk: Talk, notice: UUID) -> str:
    async with talk.db.unit() as unit:
        found = await notices.view(unit, notice)
    assert found is not None
    return found.texts[KK].body


@EACH
@pytest.mark.parametrize("had", [True, False])
async def test_only_who_had_the_first_text_reads_that_it_was_corrected(
    talk: Talk, channel: ChannelName, language: Language, had: bool
) -> None:
    reader = await talk.resident(channel, language)
    here = await office(talk, TELEGRAM, KK)
    if had:
        await sent_all(talk, priority=NOTICE)
    await here.akim.press(f"d.n-correct.{short(here.notice)}")
    await here.akim.say("Су бар\nБүгін.")
    await here.akim.say("Вода есть\nСегодня.")
    await here.akim.pick("correct-send")
    await sent_all(talk, priority=NOTICE)
    await reader.press(f"d.open.{short(here.notice)}.2")
    (shown,) = reader.heard
    office_name = "Бугров ауылдық округінің әкімі"
    if language is RU:
        office_name = "Аким Бугровского сельского округа"
    marked = shown.heading == reader.t("notice-heading-corrected", office=office_name)
    assert shown.heading is not None
    assert marked == had, shown.heading


CHANGES = ("n-pause", "n-resume", "n-cancel", "n-correct", "n-when")


@EACH
@pytest.mark.parametrize("later", [None, timedelta(days=1)])
async def test_a_role_above_the_office_changes_nothing_of_its_notice(
    talk: Talk, channel: ChannelName, language: Language, later: timedelta | None
) -> None:
    """An akim of the district paused and corrected an okrug's notice, in the okrug's name."""
    here = await office(talk, TELEGRAM, RU, later)
    above = await talk.official(channel, language, "595000000", RoleName.AKIM)
    before = await here.status()
    await above.press(f"d.live.{short(here.notice)}")
    assert above.labels == [above.t("live-show"), above.t("nav-menu")]
    for code in CHANGES:
        await above.press(f"d.{code}.{short(here.notice)}")
        assert above.hears("refused-role"), code
    assert (await talk.audited()).count("role-missing") == len(CHANGES)
    assert await here.status() == before
    async with talk.db.unit() as unit:
        unit.actor = UUID(str((await above.address())["speaker_id"]))
        for change in (
            notice_changes.pause(unit, here.notice),
            notice_changes.resume(unit, here.notice),
            notice_changes.cancel(unit, here.notice),
            notice_changes.reschedule(unit, here.notice, unit.now + timedelta(days=2)),
        ):
            with pytest.raises(Refused):
                await change


@EACH
@pytest.mark.parametrize("code", CHANGES)
async def test_a_clerk_without_the_power_is_refused_where_it_is_asked(
    talk: Talk, channel: ChannelName, language: Language, code: str
) -> None:
    """A forged cancel was answered with the question, and noted by nobody."""
    here = await office(talk, TELEGRAM, RU)
    clerk = await talk.official(channel, language, OKRUG, RoleName.CLERK)
    async with talk.db.unit() as unit:
        speaker = UUID(str((await clerk.address())["speaker_id"]))
        await roles.grant(unit, speaker, RoleName.CLERK, OKRUG, powers=[roles.Power.SEND])
    await clerk.press(f"d.{code}.{short(here.notice)}")
    assert clerk.hears("refused-role-power")
    assert "role-missing" in await talk.audited()
    assert await here.status() == "sending"


@EACH
async def test_the_card_before_says_where_the_new_one_is(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """ "815 of 944, about 5 seconds left" stood there for ever. WhatsApp cannot edit."""
    here = await office(talk, channel, language)
    akim = here.akim
    await akim.press(f"d.live.{short(here.notice)}")
    await all_shown(talk, "500")
    await corrects(akim, here.notice)
    await akim.tap(akim.labels[0])
    card, *before = akim.heard
    assert akim.t("live-corrected", revision=2) in card.body
    if channel is WHATSAPP:
        assert not before
        return
    assert before[0].body == akim.t("live-elsewhere")
    assert [button.label for button in before[0].choices] == [akim.t("live-show")]
    kept = before[0].replaces
    assert await talk.one("SELECT platform_id FROM delivery WHERE id = :id", id=kept) == "500"


@EACH
@pytest.mark.parametrize("answer", ["2", "sent-pause"])
async def test_the_new_card_takes_typed_answers_though_one_was_shown_before(
    talk: Talk, channel: ChannelName, language: Language, answer: str
) -> None:
    """The edit of the card before, on Telegram, took the new one's numbers and words away."""
    here = await office(talk, channel, language, timedelta(days=1))
    akim = here.akim
    await akim.press(f"d.live.{short(here.notice)}")
    await all_shown(talk, "500")
    await akim.say(akim.t("menu-sent"))
    await akim.say("1")
    assert len(akim.heard) == (1 if channel is WHATSAPP else 2)
    await akim.say(answer if answer == "2" else akim.t(answer))
    assert akim.hears("sent-paused"), akim.text
    assert await here.status() == "paused"


async def edited_by_the_clock(talk: Talk) -> str:
    """The platform's message that the clock's next look at the notice is put into."""
    (newest,) = await clock_says(talk)
    assert newest.replaces is not None
    found = await talk.one("SELECT platform_id FROM delivery WHERE id = :id", id=newest.replaces)
    return str(found)


async def clock_says(talk: Talk) -> list[Content]:
    before = await talk.one("SELECT coalesce(max(seq), 0) FROM delivery")
    talk.clock.advance(timedelta(minutes=1))
    clock = Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None)
    await clock.show_live()
    rows = await talk.rows(
        "SELECT m.id, m.content FROM delivery AS d JOIN message AS m ON m.id = d.message_id"
        " WHERE d.seq > :before ORDER BY d.seq",
        before=before,
    )
    keyring = talk.db.keyring
    return [
        Content.from_json(json.loads(keyring.open(CONTENT, row["id"], row["content"])))  # type: ignore[arg-type]
        for row in rows
    ]


async def all_shown(talk: Talk, platform_id: str) -> None:
    """All answers have gone out; the last one is this message, or edits it."""
    async with talk.db.session() as session:
        await session.execute(
            text(
                "UPDATE delivery SET outcome = 'sent', finished_at = :at, platform_id = :id"
                " WHERE outcome IS NULL AND priority = 0"
            ),
            {"at": talk.clock.now(), "id": platform_id},
        )


@pytest.mark.parametrize("language", [KK, RU])
async def test_the_card_that_came_last_is_the_live_one(talk: Talk, language: Language) -> None:
    """After a correction and a resumption the card at the bottom stood still for ever, while one
    many screens above went on counting."""
    here = await office(talk, TELEGRAM, language)
    akim, notice = here.akim, short(here.notice)
    await akim.press(f"d.n-pause.{notice}")
    await all_shown(talk, "77")
    assert await edited_by_the_clock(talk) == "77"
    await all_shown(talk, "77")
    await akim.press(f"d.n-correct.{notice}")
    await says_anew(akim, language)
    await akim.pick("correct-keep")
    await akim.tap(akim.labels[0])
    await all_shown(talk, "901")
    assert await edited_by_the_clock(talk) == "901"
    await all_shown(talk, "901")
    await akim.press(f"d.n-resume.{notice}")
    await all_shown(talk, "902")
    assert await edited_by_the_clock(talk) == "902"
    await all_shown(talk, "902")
    await akim.say("/sent")
    await akim.tap(akim.labels[0])
    await all_shown(talk, "903")
    assert await edited_by_the_clock(talk) == "903"
    await all_shown(talk, "903")
    assert not await clock_says(talk), "nothing has changed since"


@pytest.mark.parametrize("language", [KK, RU])
async def test_a_card_that_somebody_else_looks_at_is_not_the_live_one(
    talk: Talk, language: Language
) -> None:
    here = await office(talk, TELEGRAM, language)
    clerk = await talk.official(TELEGRAM, language, OKRUG, RoleName.CLERK)
    await here.akim.press(f"d.live.{short(here.notice)}")
    await all_shown(talk, "901")
    await clerk.press(f"d.live.{short(here.notice)}")
    await all_shown(talk, "902")
    assert await edited_by_the_clock(talk) == "901"


@pytest.mark.parametrize("language", [KK, RU])
async def test_a_look_does_not_wait_for_a_notice_that_is_being_changed(
    talk: Talk, language: Language
) -> None:
    here = await office(talk, TELEGRAM, language)
    async with talk.db.session() as session:
        await session.execute(text("SELECT 1 FROM notice FOR UPDATE"))
        await here.akim.press(f"d.live.{short(here.notice)}")
    assert here.akim.hears("live-sending", done=0, total=3)


@pytest.mark.parametrize("language", [KK, RU])
async def test_on_whatsapp_the_count_comes_at_the_end_however_often_it_was_looked_at(
    talk: Talk, language: Language
) -> None:
    here = await office(talk, WHATSAPP, language)
    for _ in range(2):
        await here.akim.press(f"d.live.{short(here.notice)}")
        await sent_all(talk, priority=0)
        assert not await clock_says(talk)
    await sent_all(talk, priority=NOTICE)
    (final,) = await clock_says(talk)
    assert here.akim.t("live-finished", done=3, total=3) in final.body
    await sent_all(talk, priority=0)
    assert not await clock_says(talk)


@EACH
async def test_what_is_typed_means_the_cards_choices_when_it_came_last(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Typed "2" opened another notice, "исправить" was not understood."""
    here = await office(talk, channel, language)
    akim = here.akim
    talk.clock.advance(timedelta(minutes=1))
    other = await announced(talk, akim)
    await akim.say("/sent")
    await akim.say("2")
    assert akim.labels[1] == akim.t("sent-pause")
    await akim.say("2")
    assert akim.hears("sent-paused")
    assert await here.status() == "paused"
    assert await talk.one("SELECT status FROM notice WHERE id = :id", id=other) == "sending"
    await akim.say(akim.t("sent-resume").upper())
    assert akim.hears("sent-resumed")
    await akim.say(akim.t("sent-cancel"))
    assert akim.hears("sent-cancel-ask", had=0, left=3)
    await akim.say(akim.t("sent-cancel-no"))
    await akim.say(akim.t("sent-correct"))
    assert asked_for(akim, language)
    await akim.pick("nav-cancel")
    assert akim.t("live-show") not in akim.labels, "the menu is the latest now"
    await akim.say("1")
    assert not akim.hears("live-sending", done=0, total=3)


@EACH
async def test_what_is_typed_right_after_sending(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    await office(talk, TELEGRAM, KK)
    akim = await talk.official(channel, language)
    await akim.pick("menu-send")
    await akim.pick("kind-event")
    await akim.pick("audience-all-okrug")
    await akim.says("Жиналыс\nЕртең сағат 10-да.", "Собрание\nЗавтра в 10.")
    await akim.pick("attach-skip")
    await akim.pick("notice-send")
    assert akim.labels[1] == akim.t("sent-pause")
    await akim.say("2")
    assert akim.hears("sent-paused")


@EACH
async def test_the_words_of_a_form_stay_its_own_beside_a_card(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """A look at a notice while another is being written: numbers are of the card, which came
    last; the form's buttons and their words lead on in the form."""
    here = await office(talk, channel, language)
    akim = here.akim
    await akim.say("/menu")
    await akim.pick("menu-send")
    question = akim.screen
    await akim.press(f"d.live.{short(here.notice)}")
    await akim.say("2")
    assert await here.status() == "paused"
    await akim.say(akim.t("kind-event"))
    assert akim.t("audience-some") in akim.labels
    await akim.press(f"d.live.{short(here.notice)}")
    akim.screen = question
    await akim.pick("kind-event")  # of the question before: what it says is asked again
    assert akim.hears("stale-choice")
    await akim.press(f"d.live.{short(here.notice)}")
    await akim.say(akim.t("audience-some"))
    assert akim.hears("audience-pick", chosen=akim.t("audience-none"))


@EACH
async def test_a_notice_that_was_opened_is_acknowledged_by_its_number(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """On WhatsApp a long one has no button: "1 Прочитал(а)" opened the list's first notice."""
    reader = await talk.resident(channel, language)
    await office(talk, TELEGRAM, KK)
    await reader.say("новости")
    await reader.say("1")
    assert reader.labels == [reader.t("notice-read")]
    await reader.say("1")
    assert reader.hears("notice-read-receipt")


@EACH
async def test_numbers_follow_the_card_as_the_clock_renews_it(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Once all has gone there is nothing to pause: "2" is what stands second by then."""
    here = await office(talk, channel, language)
    akim = here.akim
    await akim.press(f"d.live.{short(here.notice)}")
    await sent_all(talk, priority=0)
    await sent_all(talk, priority=NOTICE)
    (renewed,) = await clock_says(talk)
    assert renewed.choices[1].label == akim.t("sent-correct")
    await akim.say("2")
    assert asked_for(akim, language)


@EACH
async def test_what_the_clock_renews_takes_no_numbers_from_another_screen(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    here = await office(talk, channel, language)
    await here.akim.press(f"d.live.{short(here.notice)}")
    await here.akim.say("/menu")
    before = (await here.akim.state()).offered
    await sent_all(talk, priority=0)
    await sent_all(talk, priority=NOTICE)
    assert await clock_says(talk)
    assert (await here.akim.state()).offered == before


async def corrects(akim: Person, notice: UUID) -> None:
    """Another text in their own language, up to the last look."""
    await akim.press(f"d.n-correct.{short(notice)}")
    await says_anew(akim, akim.language)
    await akim.pick("correct-keep")


@EACH
async def test_what_is_paused_is_not_said_to_be_on_its_way(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """ "The correction is being sent", and two lines below: paused, 0 of 943."""
    here = await office(talk, channel, language)
    akim = here.akim
    await akim.press(f"d.n-pause.{short(here.notice)}")
    await corrects(akim, here.notice)
    assert akim.hears("correct-ask-paused")
    await akim.pick("correct-save")
    assert akim.hears("correct-done-paused")
    assert akim.hears("live-corrected-paused", revision=2)
    assert not akim.hears("live-corrected", revision=2)
    await akim.pick("sent-resume")
    assert akim.hears("live-corrected", revision=2)
    await akim.pick("sent-cancel")
    await akim.pick("sent-cancel-yes")
    assert akim.hears("live-corrected-over", revision=2)
    assert not akim.hears("live-corrected", revision=2)


@EACH
async def test_what_has_all_gone_is_not_said_to_be_on_its_way(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    here = await office(talk, channel, language, read=language)
    await corrects(here.akim, here.notice)
    await here.akim.pick("correct-send")
    assert here.akim.hears("correct-done")
    assert here.akim.hears("live-corrected", revision=2)
    await sent_all(talk, priority=NOTICE)
    await here.akim.pick("live-show")
    assert here.akim.hears("live-corrected-over", revision=2)


@EACH
@pytest.mark.parametrize("held", [False, True])
async def test_of_what_has_not_begun_only_the_new_text_goes(
    talk: Talk, channel: ChannelName, language: Language, held: bool
) -> None:
    here = await office(talk, channel, language, later=timedelta(days=1))
    akim = here.akim
    if held:
        await akim.press(f"d.n-pause.{short(here.notice)}")
    await corrects(akim, here.notice)
    assert akim.hears("correct-who-before")
    assert akim.hears("correct-ask-paused" if held else "correct-ask-before")
    await akim.pick("correct-save")
    assert akim.hears("correct-done-paused" if held else "correct-done-before")
    assert akim.hears("live-corrected-over", revision=2)


@EACH
async def test_who_keeps_the_older_text_is_told_before_it_is_cancelled(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Cancelled in mid-correction: "received by 48, not by 896", and 759 had the older text."""
    here = await office(talk, channel, language, read=language)
    akim = here.akim
    await sent_all(talk, priority=NOTICE)
    await corrects(akim, here.notice)
    await akim.pick("correct-send")
    await akim.press(f"d.n-cancel.{short(here.notice)}")
    assert akim.hears("sent-cancel-ask-older", had=0, older=3, left=0)
    await akim.pick("sent-cancel-yes")
    assert akim.hears("sent-cancelled")
    assert akim.hears("live-older", people=3)
    assert akim.hears("live-cancelled", done=3, total=3)
    assert akim.t("sent-correct") not in akim.labels


@EACH
@pytest.mark.night
async def test_a_correction_at_night_goes_in_the_morning(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    here = await office(talk, channel, language, read=language)
    await sent_all(talk, priority=NOTICE)
    talk.clock.advance(timedelta(hours=12))
    await corrects(here.akim, here.notice)
    await here.akim.pick("correct-send")
    assert not here.akim.hears("correct-done")
    morning, now = talk.clock.now() + timedelta(hours=10), talk.clock.now()
    said = here.akim.t("correct-done-quiet", at=Near(morning, now)).split(",")[0]
    assert said in here.akim.text
    assert here.akim.hears("live-corrected-over", revision=2)


@EACH
async def test_the_office_reads_to_which_villages_it_goes(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """A wrong tick among the villages was not to be noticed, before or after."""
    await office(talk, TELEGRAM, KK)
    akim = await talk.official(channel, language)
    names = await write_to(akim, 1)
    to = akim.t("audience-to", where=names[0])
    assert to in akim.text
    await akim.pick("notice-send")
    assert to in akim.text
    await akim.say("/sent")
    assert names[0] in (akim.buttons[0].description or "")
    await akim.tap(akim.labels[0])
    assert to in akim.text
    if channel is TELEGRAM:
        await sent_all(talk, priority=0)
        assert any(to in one.body for one in await clock_says(talk))


@EACH
async def test_of_the_whole_okrug_no_village_is_named(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    await office(talk, TELEGRAM, KK)
    akim = await talk.official(channel, language)
    names = await write_to(akim, 2)
    assert akim.t("audience-to", where=", ".join(names)) in akim.text
    await akim.pick("notice-fix-audience")
    await akim.pick("audience-all-okrug")
    assert akim.t("preview-ask") in akim.text
    assert akim.t("audience-to", where="").rstrip(" .") not in akim.text


@pytest.mark.parametrize(
    ("picked", "said"),
    [
        ("1234", None),
        ("", None),
        ("2", "село Б"),
        ("13", "село А, село В"),
        ("123", "село А, село Б и ещё 1"),
    ],
)
def test_of_many_villages_two_are_named(picked: str, said: str | None) -> None:
    villages = [Place(code=str(n), name_kk=f"{one} а.", name_ru=f"с.{one}")
                for n, one in enumerate("АБВГ", 1)]  # fmt: skip
    found = where(villages, list(picked))
    assert said == (None if found is None else texts().say(RU, found))


async def write_to(akim: Person, villages: int) -> list[str]:
    """A notice to the first so many villages, up to the last look; their names."""
    await akim.pick("menu-send")
    await akim.pick("kind-event")
    await akim.pick("audience-some")
    names = [akim.labels[n] for n in range(villages)]
    for name in names:
        await akim.tap(name)
    await akim.pick("audience-done")
    await akim.says("Жиналыс\nЕртең сағат 10-да.", "Собрание\nЗавтра в 10.")
    await akim.pick("attach-skip")
    return names


@EACH
async def test_a_question_that_was_answered_no_is_over(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """After "no, keep it" a typed "1" or "yes", and the old button, cancelled the notice."""
    here = await office(talk, channel, language)
    akim = here.akim
    await akim.press(f"d.n-cancel.{short(here.notice)}")
    yes = akim.buttons[0].payload
    await akim.pick("sent-cancel-no")
    await akim.says("1", "да", "иә")
    await akim.press(yes)
    assert akim.hears("stale-choice")
    assert await here.status() == "sending"


@EACH
async def test_the_live_message_offers_what_its_reader_may_do(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """The clock's message had buttons that its author, a clerk, was refused."""
    for _ in range(2):
        await talk.resident(TELEGRAM, KK)
    clerk = await talk.official(channel, language, OKRUG, RoleName.CLERK)
    async with talk.db.unit() as unit:
        speaker = UUID(str((await clerk.address())["speaker_id"]))
        await roles.grant(unit, speaker, RoleName.CLERK, OKRUG, powers=[roles.Power.SEND])
    await announced(talk, clerk)
    await sent_all(talk, priority=0)
    await sent_all(talk, priority=NOTICE)
    (final,) = await clock_says(talk)
    assert [button.label for button in final.choices] == [clerk.t("live-show")]


@EACH
async def test_the_akim_of_a_district_sees_no_names_of_its_own_notice_either(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """People agreed that the office of their okrug sees them, and nobody else."""
    await talk.resident(TELEGRAM, KK)
    akim = await talk.official(channel, language, place="595000000")
    notice = await announced(talk, akim, place="595000000")
    await akim.press(f"d.live.{short(notice)}")
    assert akim.hears("live-sending", done=0, total=1)
    assert akim.t("sent-report") not in akim.labels
    assert akim.t("sent-pause") in akim.labels
    await akim.press(f"d.n-report.{short(notice)}")
    assert akim.hears("refused-role")
    assert "role-missing" in await talk.audited()
