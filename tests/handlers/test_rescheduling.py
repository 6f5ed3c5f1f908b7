"""Another moment for a notice that has not begun, from its card."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from support.office import TEXTS
from support.talk import OKRUG, RU, TELEGRAM, WHATSAPP, Talk

from bot.clockwork import Clockwork
from conversation.message import ChannelName
from core.clock import local
from core.ids import short
from core.languages import Language
from core.texts import Near
from services import roles
from services.roles import Power, RoleName
from tests.handlers.test_sent import EACH, Office, office

DAY = timedelta(days=1)


async def planned(talk: Talk, channel: ChannelName, language: Language) -> Office:
    """A notice for tomorrow, 10:00; its card is open."""
    here = await office(talk, channel, language, later=DAY)
    await here.akim.press(f"d.live.{short(here.notice)}")
    return here


async def at(talk: Talk, here: Office) -> str:
    """When it will be sent."""
    moment = await talk.one("SELECT send_at FROM notice WHERE id = :id", id=here.notice)
    return f"{local(moment):%d.%m %H:%M}"  # type: ignore[arg-type]


async def work(talk: Talk, by: timedelta) -> None:
    talk.clock.advance(by)
    clock = Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None)
    await clock.work_due()


@EACH
async def test_it_goes_at_the_new_moment_and_not_at_the_old_one(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    here = await planned(talk, channel, language)
    await here.akim.pick("sent-when")
    assert "21.11" not in here.akim.text
    await here.akim.say("31.02 10:00")
    assert here.akim.hears("when-no-day", typed="31.02 10:00", example="22.11 18:00")
    await here.akim.say("22.11 18:00")
    moment = datetime(2026, 11, 22, 13, tzinfo=UTC)
    assert here.akim.hears("moment-done", at=Near(moment, talk.clock.now()))
    assert here.akim.heard[-1].title == TEXTS[language].title, "which notice that is"
    assert here.akim.hears("words-day", words="«ертең», «завтра»", day=date(2026, 11, 23))
    assert await at(talk, here) == "22.11 18:00"
    assert await here.akim.form() is None
    await work(talk, DAY + timedelta(minutes=1))
    assert await here.status() == "scheduled"
    await work(talk, DAY + timedelta(hours=8))
    assert await here.status() == "sending"


@EACH
async def test_now(talk: Talk, channel: ChannelName, language: Language) -> None:
    here = await planned(talk, channel, language)
    await here.akim.pick("sent-when")
    await here.akim.pick("when-now")
    assert here.akim.hears("moment-now")
    await work(talk, timedelta(seconds=1))
    assert await here.status() == "sending"
    await work(talk, DAY)
    assert await talk.one("SELECT count(*) FROM recipient") == 3, "once"


@EACH
async def test_kept_cancelled_and_looked_away_from(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    here = await planned(talk, channel, language)
    for way in ("correct-keep", "nav-cancel"):
        await here.akim.press(f"d.n-when.{short(here.notice)}")
        await here.akim.pick(way)
        assert here.akim.hears("moment-undo")
        assert await at(talk, here) == "21.11 10:00"
    await here.akim.press(f"d.n-when.{short(here.notice)}")
    await here.akim.say("меню")
    assert here.akim.hears("parked-moment")


async def test_one_that_was_paused_goes_at_its_new_moment(talk: Talk) -> None:
    here = await planned(talk, TELEGRAM, RU)
    await here.akim.pick("sent-pause")
    await here.akim.pick("sent-when")
    await here.akim.say("завтра 9:00")
    assert await here.status() == "scheduled"
    assert await at(talk, here) == "21.11 09:00"


@pytest.mark.night
async def test_not_in_the_quiet_hours(talk: Talk) -> None:
    here = await planned(talk, TELEGRAM, RU)
    await here.akim.pick("sent-when")
    await here.akim.say("завтра 23:00")
    assert await at(talk, here) == "22.11 08:00"
    assert here.akim.t("preview-quiet", at="").split(":")[0] in here.akim.text


@EACH
async def test_not_once_it_has_begun(talk: Talk, channel: ChannelName, language: Language) -> None:
    here = await planned(talk, channel, language)
    await here.akim.pick("sent-when")
    await work(talk, DAY)
    await here.akim.say("завтра 9:00" if language is RU else "ертең 9:00")
    assert here.akim.hears("sent-too-late")
    assert here.akim.t("sent-when") not in here.akim.labels
    await here.akim.press(f"d.n-when.{short(here.notice)}")
    assert here.akim.hears("sent-too-late")


async def test_not_without_the_role_or_the_power(talk: Talk) -> None:
    here = await planned(talk, TELEGRAM, RU)
    clerk = await talk.official(WHATSAPP, RU, OKRUG, RoleName.CLERK)
    async with talk.db.unit() as unit:
        speaker = UUID(str((await clerk.address())["speaker_id"]))
        await roles.grant(unit, speaker, RoleName.CLERK, OKRUG, powers={Power.SEND})
    stranger = await talk.resident(WHATSAPP, RU)
    for person, refusal in ((clerk, "refused-role-power"), (stranger, "refused-role")):
        await person.press(f"d.n-when.{short(here.notice)}")
        assert person.hears(refusal)
    assert await at(talk, here) == "21.11 10:00"
    assert "role-missing" in await talk.audited()
