"""The office changes a planned notice at the very moment at which the clock takes it up: one after
the other, whoever comes first, and what is said is true."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import structlog
from support.office import EACH, Office, at_once, office
from support.talk import KK, Talk

from bot.clockwork import Clockwork
from conversation.message import ChannelName
from core.ids import short
from core.languages import Language
from core.texts import Near

DAY = timedelta(days=1)
Tap = Callable[[], Awaitable[str]]
Act = Callable[[Office], Awaitable[Tap]]


async def pause(here: Office) -> Tap:
    return lambda: here.akim.press(f"d.n-pause.{short(here.notice)}")


async def cancel(here: Office) -> Tap:
    await here.akim.press(f"d.n-cancel.{short(here.notice)}")
    return lambda: here.akim.pick("sent-cancel-yes")


async def correct(here: Office) -> Tap:
    await here.akim.press(f"d.n-correct.{short(here.notice)}")
    await here.akim.says("Жаңа\nБүгін болады.", "Новое\nСегодня будет.")
    return lambda: here.akim.tap(here.akim.labels[0])


async def move(here: Office) -> Tap:
    await here.akim.press(f"d.n-when.{short(here.notice)}")
    return lambda: here.akim.say("ертең 9:00" if here.akim.language is KK else "завтра 9:00")


# (what is done, is it first, status, what is said, how many lie in the outbox)
CASES = [
    (pause, True, "paused", "sent-paused", 0),
    (pause, False, "paused", "sent-paused", 3),
    (cancel, True, "cancelled", "sent-cancelled", 0),
    (cancel, False, "cancelled", "sent-cancelled", 0),
    (correct, True, "sending", "correct-done-before", 3),
    (correct, False, "sending", "correct-done", 3),
    (move, True, "scheduled", "moment-done", 0),
    (move, False, "sending", "sent-too-late", 3),
]
LIE = "SELECT count(*) FROM delivery WHERE priority > 1 AND outcome IS NULL"


@EACH
@pytest.mark.parametrize(
    ("act", "first", "status", "said", "left"),
    CASES,
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_the_office_and_the_clock(
    talk: Talk,
    channel: ChannelName,
    language: Language,
    act: Act,
    first: bool,
    status: str,
    said: str,
    left: int,
) -> None:
    """Before, who cancelled or moved it first and the clock waited for each other for ever: one
    of them was thrown out by the database."""
    here = await office(talk, channel, language, later=DAY)
    tap = await act(here)
    talk.clock.advance(DAY)
    clock = Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None)
    acts: list[Callable[[], Awaitable[object]]] = [tap, clock.work_due]
    with structlog.testing.capture_logs() as told:
        await at_once(talk, *(acts if first else reversed(acts)))
    assert told == []
    assert await here.status() == status
    moment = Near(talk.clock.now() + timedelta(hours=23), talk.clock.now())
    assert here.akim.hears(said, at=moment), here.akim.text
    assert await talk.one(LIE) == left
    if status == "scheduled":
        for _ in range(2):
            talk.clock.advance(DAY)
            await clock.work_due()
        assert await talk.one(LIE) == 3, "once, at its new moment"
