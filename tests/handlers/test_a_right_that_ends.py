"""The right ends between the last look and "Send", or before the planned moment: nothing goes, what
was typed is kept, and it is said why and noted."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from support.office import EACH, announced, sent_all
from support.talk import KK, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk

from bot.clockwork import Clockwork
from conversation.message import ChannelName
from core.ids import short
from core.languages import Language
from rules.notices import NoticeKind
from services import notices, roles
from services.outbox import NOTICE
from services.roles import Power, RoleName
from tests.handlers.test_broadcast import WRITTEN, deliveries, villagers
from tests.handlers.test_broadcast_when import once_more
from tests.handlers.test_roles import told

NEW = {KK: "Су бар\nБүгін болады.", RU: "Вода есть\nСегодня будет."}
OTHERS = {Power.SEND, Power.REPORT, Power.CORRECT}
Ends = Callable[[Talk, Person], Awaitable[None]]


async def speaker(person: Person) -> UUID:
    return UUID(str((await person.address())["speaker_id"]))


async def revoked(talk: Talk, person: Person) -> None:
    async with talk.db.unit() as unit:
        for role in RoleName:
            await roles.revoke(unit, await speaker(person), role, OKRUG)


async def over(talk: Talk, person: Person) -> None:
    """Its term ends; nobody has to do anything."""
    async with talk.db.session() as session:
        await session.execute(
            text("UPDATE role SET until = :at WHERE resident_id = :who"),
            {"at": talk.clock.now() + timedelta(minutes=5), "who": await speaker(person)},
        )
    talk.clock.advance(timedelta(minutes=6))


async def without_urgent(talk: Talk, person: Person) -> None:
    await may(talk, person, OTHERS)


async def may(talk: Talk, person: Person, powers: set[Power]) -> None:
    async with talk.db.unit() as unit:
        await roles.grant(unit, await speaker(person), RoleName.CLERK, OKRUG, powers=powers)


ENDS = pytest.mark.parametrize("ends", [revoked, over])


async def clerk_of(talk: Talk, channel: ChannelName, language: Language) -> Person:
    return await talk.official(channel, language, role=RoleName.CLERK)


# A notice


@EACH
async def test_whose_term_ends_before_sending(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """The words are shown, to be copied."""
    await villagers(talk)
    akim = await once_more(await talk.official(channel, language))
    await over(talk, akim)
    await akim.pick("notice-send")
    assert akim.hears("refused-role-ended")
    assert await deliveries(talk) == []
    assert "role-missing" in await talk.audited()
    await akim.pick("menu-resume")
    assert akim.hears("notice-barred")
    for words in WRITTEN.values():
        assert words in akim.text


@EACH
@ENDS
async def test_in_mid_form_it_is_said_at_once(
    talk: Talk, channel: ChannelName, language: Language, ends: Ends
) -> None:
    """What was typed last is kept with the rest, and nobody is counted for whom it was."""
    await villagers(talk)
    clerk = await clerk_of(talk, channel, language)
    await clerk.pick("menu-send")
    await clerk.pick("kind-event")
    await clerk.pick("audience-all-okrug")
    await clerk.say(WRITTEN[language])
    await ends(talk, clerk)
    await clerk.say(WRITTEN[language.other])
    assert clerk.hears("notice-barred")
    for words in WRITTEN.values():
        assert words in clerk.text
    assert "role-missing" in await talk.audited()
    await clerk.say("меню")
    await clerk.pick("menu-resume")
    assert clerk.hears("notice-barred")
    await clerk.pick("leave-drop")
    assert clerk.t("menu-resume") not in clerk.labels


@EACH
@ENDS
async def test_where_nothing_is_written_the_form_is_over(
    talk: Talk, channel: ChannelName, language: Language, ends: Ends
) -> None:
    await villagers(talk)
    clerk = await clerk_of(talk, channel, language)
    await clerk.pick("menu-send")
    await ends(talk, clerk)
    await clerk.pick("kind-event")
    assert clerk.hears("refused-role-ended")
    assert clerk.t("menu-resume") not in clerk.labels
    await clerk.say("меню")
    assert clerk.t("menu-resume") not in clerk.labels


@EACH
@pytest.mark.parametrize("ends", [revoked, over, without_urgent])
async def test_before_the_planned_moment(
    talk: Talk, channel: ChannelName, language: Language, ends: Ends
) -> None:
    """The author hears of it, and the akim, who can send it; its texts stay in the list."""
    await villagers(talk)
    akim = await talk.official(TELEGRAM, language.other)
    clerk = await once_more(await clerk_of(talk, channel, language), "urgent")
    await clerk.pick("preview-when")
    await clerk.say("ертең 9:00" if language is KK else "завтра 9:00")
    await clerk.pick("notice-plan")
    assert await talk.one("SELECT status FROM notice") == "scheduled"
    await ends(talk, clerk)
    talk.clock.advance(timedelta(days=1))
    clock = Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None)
    for _ in range(2):
        await clock.work_due()
    assert await deliveries(talk) == []
    assert await talk.one("SELECT status FROM notice") == "cancelled"
    for person, key in ((clerk, "sent-role-ended"), (akim, "sent-role-ended-office")):
        title = WRITTEN[person.language].partition("\n")[0]
        assert (await told(talk, person)).count(person.t(key, title=title)) == 1
    assert {"role-missing", "notice-withdrawn"} <= set(await talk.audited())
    async with talk.db.unit() as unit:
        found = await notices.view(unit, UUID(str(await talk.one("SELECT id FROM notice"))))
    assert found is not None
    assert {f"{one.title}\n{one.body}" for one in found.texts.values()} == {*WRITTEN.values()}


# A correction


async def correcting(
    talk: Talk, channel: ChannelName, language: Language, kind: NoticeKind = NoticeKind.ANNOUNCEMENT
) -> Person:
    """A clerk before "Send", with both texts anew; everybody has the older ones."""
    await villagers(talk)
    notice = await announced(talk, await talk.official(WHATSAPP, RU))
    await sent_all(talk, NOTICE)
    async with talk.db.session() as session:
        await session.execute(text("UPDATE notice SET kind = :kind"), {"kind": kind.value})
    clerk = await clerk_of(talk, channel, language)
    await clerk.press(f"d.n-correct.{short(notice)}")
    await clerk.says(NEW[language], NEW[language.other])
    return clerk


async def nothing_went(talk: Talk) -> bool:
    """Of the correction."""
    texts = await talk.one("SELECT count(*) FROM message WHERE notice_id IS NOT NULL")
    return (await talk.one("SELECT revision FROM notice"), texts) == (1, 2)


@EACH
@ENDS
@pytest.mark.parametrize("half", [False, True])
async def test_a_correction_of_who_may_not_any_more(
    talk: Talk, channel: ChannelName, language: Language, ends: Ends, half: bool
) -> None:
    """Before, "Continue" refused again and dropped what was typed."""
    clerk, typed = await correcting(talk, channel, language), dict(NEW)
    if half:
        await clerk.pick("notice-fix-ru")
        await clerk.say("Воды не будет")
        typed[RU] = "Воды не будет\nНикогда."
    await ends(talk, clerk)
    await (clerk.say("Никогда.") if half else clerk.pick("correct-send"))
    assert clerk.hears("refused-role-ended")
    assert await nothing_went(talk)
    assert "role-missing" in await talk.audited()
    for _ in range(2):
        await clerk.pick("menu-resume")
        assert clerk.hears("correct-barred")
        assert all(words in clerk.text for words in typed.values())
        assert clerk.labels == [clerk.t("leave-drop"), clerk.t("nav-menu")]
        await clerk.say("/menu")
    await clerk.pick("menu-resume")
    await clerk.pick("leave-drop")
    assert clerk.hears("correct-undo")
    assert clerk.t("menu-resume") not in clerk.labels
    assert await nothing_went(talk)


@EACH
@pytest.mark.parametrize(
    ("kind", "left"),
    [
        (NoticeKind.URGENT, OTHERS),
        (NoticeKind.ANNOUNCEMENT, {Power.URGENT, Power.CORRECT}),
        (NoticeKind.ANNOUNCEMENT, {Power.SEND, Power.URGENT}),
    ],
)
async def test_a_correction_by_a_power_that_was_taken_and_given_back(
    talk: Talk, channel: ChannelName, language: Language, kind: NoticeKind, left: set[Power]
) -> None:
    clerk = await correcting(talk, channel, language, kind)
    await may(talk, clerk, left)
    await clerk.pick("correct-send")
    assert clerk.hears("refused-role-power")
    assert await nothing_went(talk)
    assert "role-missing" in await talk.audited()
    await may(talk, clerk, set(Power))
    await clerk.pick("menu-resume")
    for words in NEW.values():
        assert words in clerk.text
    await clerk.pick("correct-send")
    assert clerk.hears("correct-done")
