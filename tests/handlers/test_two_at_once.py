"""Akim and clerk act on one notice at the same moment, on two phones: one after the other, each is
told what is true, and no reader has an old and a new text without a mark."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from support.office import TEXTS, announced, at_once, sent_all
from support.talk import KK, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk

from core.ids import short
from core.languages import Language
from services import notices, roles
from services.roles import RoleName
from tests.services.test_notices_in_depth import claim, counts, settle_all

NEW = {KK: "Бүгін болады.", RU: "Сегодня будет."}


@dataclass(slots=True)
class Two:
    """Akim and clerk, who live in the village, too, with a notice that half of it has."""

    talk: Talk
    akim: Person
    clerk: Person
    notice: UUID
    got: dict[UUID, list[tuple[str, bool]]]  # chat → (text, is it marked as a correction)

    async def status(self) -> object:
        return await self.talk.one("SELECT status FROM notice")

    async def goes_out(self, most: int = 100) -> None:
        """So much of what is free of the notice is sent, after all answers."""
        await sent_all(self.talk, priority=0)
        leased = await claim(self.talk.db, most)
        for one in leased:
            body, heading = one.content["body"], one.content.get("heading") or ""
            if body in (*NEW.values(), *(words.body for words in TEXTS.values())):
                marked = any(word in heading for word in ("Түзету", "Исправление"))
                self.got.setdefault(one.address, []).append((body, marked))
        await settle_all(self.talk.db, leased)

    async def acted(self) -> set[object]:
        """Who changed the notice, by the trail."""
        rows = await self.talk.rows(
            "SELECT DISTINCT actor_id FROM audit WHERE object_id = :notice"
            " AND action IN ('notice-paused', 'notice-resumed', 'notice-cancelled',"
            " 'notice-corrected')",
            notice=str(self.notice),
        )
        return {row["actor_id"] for row in rows}


async def of_the_office(talk: Talk, role: RoleName, language: Language) -> Person:
    person = await talk.resident(TELEGRAM if role is RoleName.AKIM else WHATSAPP, language)
    async with talk.db.unit() as unit:
        speaker = UUID(str((await person.address())["speaker_id"]))
        await roles.grant(unit, speaker, role, OKRUG)
    return person


async def two(talk: Talk) -> Two:
    for language in (KK, RU, KK, RU):
        await talk.resident(TELEGRAM, language)
    akim = await of_the_office(talk, RoleName.AKIM, KK)
    clerk = await of_the_office(talk, RoleName.CLERK, RU)
    here = Two(talk, akim, clerk, await announced(talk, akim), {})
    await here.goes_out(2)
    assert len(here.got) >= 2
    return here


# What they do: all but the last tap, and that tap

Tap = Callable[[], Awaitable[str]]
Act = Callable[[Two, Person], Awaitable[Tap]]
How = Callable[..., Awaitable[None]]


async def pause(here: Two, person: Person) -> Tap:
    return lambda: person.press(f"d.n-pause.{short(here.notice)}")


async def resume(here: Two, person: Person) -> Tap:
    return lambda: person.press(f"d.n-resume.{short(here.notice)}")


async def cancel(here: Two, person: Person) -> Tap:
    await person.press(f"d.n-cancel.{short(here.notice)}")
    return lambda: person.pick("sent-cancel-yes")


async def correct(here: Two, person: Person) -> Tap:
    """The text in their own language."""
    await person.press(f"d.n-correct.{short(here.notice)}")
    await person.say(f"Жаңа\n{NEW[person.language]}")
    await person.pick("correct-keep")
    return lambda: person.tap(person.labels[0])


async def one_by_one(talk: Talk, *taps: Tap) -> None:
    for tap in taps:
        await tap()


# What comes of it


PAIRS = {
    (pause, correct): ("paused", "sent-paused", "correct-done-paused"),
    (correct, pause): ("paused", "correct-done", "sent-paused"),
    (pause, pause): ("paused", "sent-paused", "sent-too-late"),
    (cancel, resume): ("cancelled", "sent-cancelled", "sent-too-late"),
    (resume, cancel): ("cancelled", "sent-resumed", "sent-cancelled"),
    (cancel, correct): ("cancelled", "sent-cancelled", "sent-too-late"),
    (correct, cancel): ("cancelled", "correct-done", "sent-cancelled"),
}
ACTS = pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda act: act.__name__)
TURNED = pytest.mark.parametrize("turned", [False, True])


async def begin(here: Two, turned: bool, first: Act, second: Act) -> tuple[list[Person], list[Tap]]:
    if resume in (first, second):
        await (await pause(here, here.akim))()
    people = [here.clerk, here.akim] if turned else [here.akim, here.clerk]
    taps = [await act(here, person) for act, person in zip((first, second), people, strict=True)]
    return people, taps


async def ends_well(here: Two) -> None:
    """What is left goes out: everybody counts once and reads the newest, and an older text only
    with the mark after it; of a cancelled one nothing more."""
    status, before = await here.status(), {chat: len(all_) for chat, all_ in here.got.items()}
    if status == "paused":
        await (await resume(here, here.clerk))()
    for _ in range(4):
        await here.goes_out()
    for texts in here.got.values():
        assert [marked for _, marked in texts] == [False] + [True] * (len(texts) - 1), texts
        assert len({body for body, _ in texts}) == len(texts), texts
    found = await counts(here.talk.db, here.notice)
    assert found.total == 6
    if status == "cancelled":
        assert {chat: len(all_) for chat, all_ in here.got.items()} == before
        assert found.sent + found.failed["cancelled"] == 6
        return
    assert found.sent == len(here.got) == 6
    async with here.talk.db.unit() as unit:
        notice = await notices.view(unit, here.notice)
    assert notice is not None
    newest = {words.body for words in notice.texts.values()}
    assert {texts[-1][0] for texts in here.got.values()} == newest


async def names_who_changed_it(here: Two, people: Sequence[Person], said: Sequence[str]) -> None:
    """The trail; who came too late has changed nothing."""
    changed = [one for one, key in zip(people, said, strict=True) if key != "sent-too-late"]
    assert await here.acted() >= {(await one.address())["speaker_id"] for one in changed}


@ACTS
@TURNED
@pytest.mark.parametrize("how", [one_by_one, at_once])
async def test_each_hears_what_is_true(
    talk: Talk, first: Act, second: Act, turned: bool, how: How
) -> None:
    """Before, who corrected what was paused at that very moment was told that it goes now."""
    status, *said = PAIRS[first, second]
    here = await two(talk)
    people, taps = await begin(here, turned, first, second)
    await how(talk, *taps)
    assert await here.status() == status
    for person, key in zip(people, said, strict=True):
        assert person.hears(key), person.text
    await names_who_changed_it(here, people, said)
    await ends_well(here)


@ACTS
@TURNED
async def test_in_whatever_order_the_database_takes_them(
    talk: Talk, first: Act, second: Act, turned: bool
) -> None:
    here = await two(talk)
    people, taps = await begin(here, turned, first, second)
    await asyncio.gather(*(tap() for tap in taps))
    ends = [PAIRS[first, second]]
    if (second, first) in PAIRS:
        status, *said = PAIRS[second, first]
        ends.append((status, *reversed(said)))
    (said,) = [end[1:] for end in ends if all(map(Person.hears, people, end[1:]))] or [()]
    assert said, [person.text for person in people]
    assert await here.status() == ends[0][0]
    await names_who_changed_it(here, people, said)
    await ends_well(here)


@TURNED
@pytest.mark.parametrize("how", [one_by_one, at_once])
async def test_both_correct_each_in_the_own_language(talk: Talk, turned: bool, how: How) -> None:
    """Before, the second one's words were gone if both tapped at one moment: it was too late."""
    here = await two(talk)
    (first, second), taps = await begin(here, turned, correct, correct)
    await how(talk, *taps)
    assert first.hears("correct-done")
    assert second.hears("correct-meanwhile")
    for words in NEW.values():
        assert words in second.text or words == NEW[first.language]
    await second.pick("correct-send")
    assert second.hears("correct-done")
    await names_who_changed_it(here, [first, second], ["correct-done"] * 2)
    await ends_well(here)
    assert {texts[-1][0] for texts in here.got.values()} == set(NEW.values())
