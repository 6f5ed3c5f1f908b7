"""A notice to very many people is taken on in the turn and queued by the clock: a turn's statements
have five seconds, and nobody's chat is held meanwhile."""

import pytest
from support.talk import KK, RU, TELEGRAM, Talk

from bot.clockwork import Clockwork
from conversation.message import ChannelName
from core.languages import Language
from services import notices
from services.outbox import NOTICE
from tests.handlers.test_broadcast import BOTH, deliveries, previewed
from tests.handlers.test_sent import live_message, sent_all


@pytest.fixture
def clock(talk: Talk) -> Clockwork:
    return Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None)


@BOTH
@pytest.mark.parametrize("channel", ChannelName)
async def test_the_clock_queues_it_and_its_author_is_told_so(
    talk: Talk,
    clock: Clockwork,
    language: Language,
    channel: ChannelName,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before, a hundred thousand were queued in the turn: it ran into its timeout, each time."""
    monkeypatch.setattr(notices, "MANY", 2)
    akim = await previewed(talk, language, channel)
    await akim.pick("notice-send")
    assert akim.hears("live-begins")
    assert not akim.hears("live-files")
    assert await talk.one("SELECT status FROM notice") == "scheduled"
    assert await deliveries(talk) == []
    await clock.work_due()
    assert await deliveries(talk) == ["kk", "kk", "ru"]
    await clock.work_due()
    assert len(await deliveries(talk)) == 3
    await akim.pick("live-show")
    assert akim.hears("live-sending", done=0, total=3)


async def test_its_live_message_goes_on_with_the_first(
    talk: Talk, clock: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What said that it begins is edited to say how it goes."""
    monkeypatch.setattr(notices, "MANY", 2)
    akim = await previewed(talk, RU, TELEGRAM)
    await akim.pick("notice-send")
    await sent_all(talk, 0)
    await clock.work_due()
    await sent_all(talk, NOTICE)
    assert await live_message(talk) == akim.t("live-finished", done=3, total=3) + "\n" + akim.t(
        "live-read", people=0, percent=0
    )


@pytest.mark.parametrize(("many", "status"), [(2, "scheduled"), (3, "sending")])
async def test_so_many_people_and_no_more_are_queued_at_once(
    talk: Talk, many: int, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three live there."""
    monkeypatch.setattr(notices, "MANY", many)
    akim = await previewed(talk, KK)
    await akim.pick("notice-send")
    assert await talk.one("SELECT status FROM notice") == status
