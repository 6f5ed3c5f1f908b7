"""A notice to very many people that is corrected in one language: only its readers get it, before
and after the clock has queued it, and at the moment at which it does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import event
from support.office import EACH, at_once, sent_all
from support.talk import KK, RU, TELEGRAM, WHATSAPP, Person, Talk

from bot.clockwork import Clockwork
from conversation.message import ChannelName
from core.languages import Language
from services import notice_changes, notices
from tests.handlers.test_broadcast import BOTH, WRITTEN, previewed
from tests.services.test_notices_in_depth import claim, settle_all

NEW = {KK: "Су құбыры жөнделді\nСу бар.", RU: "Водопровод починили\nВода есть."}
OLD_BODY, NEW_BODY = ({one: all_[one].split("\n")[1] for one in all_} for all_ in (WRITTEN, NEW))
MARKS = ("Түзету", "Исправление")


@pytest.fixture(autouse=True)
def _two_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "MANY", 2)
    monkeypatch.setattr(notice_changes, "MANY", 2)


@pytest.fixture
def clock(talk: Talk) -> Clockwork:
    return Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None)


async def taken_on(talk: Talk, channel: ChannelName, language: Language) -> Person:
    """An akim whose notice to two who read Kazakh and one who reads Russian waits for the clock."""
    akim = await previewed(talk, language, channel)
    await akim.pick("notice-send")
    assert await talk.one("SELECT status FROM notice") == "scheduled"
    return akim


async def corrects(akim: Person, changed: Language) -> None:
    """One text, up to "Send"."""
    await akim.pick("sent-correct")
    for language in (akim.language, akim.language.other):
        await (akim.say(NEW[language]) if language is changed else akim.pick("correct-keep"))


async def goes_out(talk: Talk, most: int = 100) -> list[tuple[str, bool]]:
    """What readers get now, so many on each messenger: (text, is it marked as a correction)."""
    await sent_all(talk, priority=0)
    leased = await claim(talk.db, most)
    await settle_all(talk.db, leased)
    return sorted(
        (one.content["body"], any(mark in one.content["heading"] for mark in MARKS))
        for one in leased
        if one.content["body"] in (*OLD_BODY.values(), *NEW_BODY.values())
    )


def to_each(bodies: Mapping[Language, str], *, marked: bool = False) -> list[tuple[str, bool]]:
    readers = {KK: 2, RU: 1}
    return sorted((body, marked) for one, body in bodies.items() for _ in range(readers[one]))


@EACH
@pytest.mark.parametrize("changed", Language)
async def test_only_its_readers_get_it(
    talk: Talk, clock: Clockwork, channel: ChannelName, language: Language, changed: Language
) -> None:
    akim = await taken_on(talk, channel, language)
    await clock.work_due()
    assert await goes_out(talk) == to_each(OLD_BODY)
    await akim.pick("live-show")
    await corrects(akim, changed)
    assert akim.hears("correct-who", had=2 if changed is KK else 1, left=0)
    with statements(talk) as made:
        await akim.pick("correct-send")
    assert akim.hears("correct-done")
    assert "SET LOCAL statement_timeout = '120s'" in made, "a turn's five seconds are too few"
    assert await goes_out(talk) == to_each({changed: NEW_BODY[changed]}, marked=True)
    assert await goes_out(talk) == []
    assert await talk.one("SELECT count(*) FROM recipient") == 3


@contextmanager
def statements(talk: Talk) -> Iterator[list[str]]:
    """What turns ask the database meanwhile."""
    made: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        made.append(statement)

    engine = talk.db.database.turns.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield made
    event.remove(engine, "before_cursor_execute", note)


@BOTH
@pytest.mark.parametrize("changed", Language)
async def test_before_the_clock_has_queued_it(
    talk: Talk, clock: Clockwork, language: Language, changed: Language
) -> None:
    akim = await taken_on(talk, TELEGRAM, language)
    await corrects(akim, changed)
    assert akim.hears("correct-who-before")
    await akim.pick("correct-save")
    assert akim.hears("correct-done-before")
    assert await goes_out(talk) == []
    await clock.work_due()
    assert await goes_out(talk) == to_each({**OLD_BODY, changed: NEW_BODY[changed]})


@BOTH
@pytest.mark.parametrize("changed", Language)
@pytest.mark.parametrize("first", [True, False])
async def test_while_the_clock_queues_it(
    talk: Talk, clock: Clockwork, language: Language, changed: Language, first: bool
) -> None:
    """Nobody has it yet, whoever comes first: one text for each, without a mark."""
    akim = await taken_on(talk, WHATSAPP, language)
    await corrects(akim, changed)
    acts = [partial(akim.pick, "correct-save"), clock.work_due]
    await at_once(talk, *(acts if first else reversed(acts)))
    assert akim.hears("correct-done-before" if first else "correct-done"), akim.text
    assert await goes_out(talk) == to_each({**OLD_BODY, changed: NEW_BODY[changed]})
    assert await goes_out(talk) == []
    assert await talk.one("SELECT count(*) FROM recipient") == 3


@BOTH
@pytest.mark.parametrize("changed", Language)
async def test_in_the_middle_of_it(
    talk: Talk, clock: Clockwork, language: Language, changed: Language
) -> None:
    """Who has it gets the correction, who has not the new text alone; by language."""
    akim = await taken_on(talk, TELEGRAM, language)
    await clock.work_due()
    got = await goes_out(talk, most=1)
    await akim.pick("live-show")
    await corrects(akim, changed)
    await akim.pick("correct-send")
    corrected = got.count((OLD_BODY[changed], False))
    later = await goes_out(talk)
    assert [marked for _, marked in later].count(True) == corrected, (got, later)
    read = sorted(body for body, _ in got + later if body != OLD_BODY[changed])
    assert read == sorted(body for body, _ in to_each({**OLD_BODY, changed: NEW_BODY[changed]}))
