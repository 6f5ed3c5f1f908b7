"""What a clerk does in the office's name is told to the akim, and to nobody else."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from support.office import EACH, announced
from support.talk import KK, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName, Content
from core.ids import short
from core.languages import Language
from services.roles import RoleName

WORDS = "Су жоқ\nЕртең болмайды.", "Нет воды\nЗавтра."
TITLE = {KK: "Су жоқ", RU: "Нет воды"}
DAY = timedelta(days=1)
Act = Callable[[Talk, Person], Awaitable[object]]


async def told(person: Person) -> list[Content]:
    """What this person was told of the office's notices unasked, all of it replies to nothing."""
    return [one for one in await person.received() if TITLE[person.language] in one.body]


async def written(clerk: Person) -> None:
    """The clerk has a notice at its last look."""
    await clerk.say("/menu")
    await clerk.pick("menu-send")
    await clerk.pick("kind-announcement")
    await clerk.pick("audience-all-okrug")
    await clerk.says(*(WORDS if clerk.language is KK else WORDS[::-1]))
    await clerk.pick("attach-skip")


async def send(talk: Talk, clerk: Person) -> None:
    await written(clerk)
    await clerk.pick("notice-send")


async def plan(talk: Talk, clerk: Person) -> None:
    await written(clerk)
    await clerk.pick("preview-when")
    await clerk.say("ертең 9:00" if clerk.language is KK else "завтра 9:00")
    await clerk.pick("notice-plan")


async def pause(talk: Talk, clerk: Person) -> None:
    await clerk.press(f"d.n-pause.{short(await announced(talk, clerk))}")


async def resume(talk: Talk, clerk: Person) -> None:
    await pause(talk, clerk)
    await clerk.pick("sent-resume")


async def cancel(talk: Talk, clerk: Person) -> None:
    await clerk.press(f"d.n-cancel.{short(await announced(talk, clerk, DAY))}")
    await clerk.pick("sent-cancel-yes")


async def correct(talk: Talk, clerk: Person) -> None:
    await clerk.press(f"d.n-correct.{short(await announced(talk, clerk))}")
    await clerk.pick("correct-keep")
    await clerk.say(f"{TITLE[clerk.language.other]}\nБүгін не сегодня.")
    await clerk.tap(clerk.labels[0])


async def move(talk: Talk, clerk: Person) -> None:
    await clerk.press(f"d.n-when.{short(await announced(talk, clerk, DAY))}")
    await clerk.say("ертең 9:00" if clerk.language is KK else "завтра 9:00")


async def now_instead(talk: Talk, clerk: Person) -> None:
    await clerk.press(f"d.n-when.{short(await announced(talk, clerk, DAY))}")
    await clerk.pick("when-now")


ACTS: list[tuple[Act, list[str]]] = [
    (send, ["clerk-sent"]),
    (plan, ["clerk-planned"]),
    (pause, ["clerk-paused"]),
    (resume, ["clerk-paused", "clerk-resumed"]),
    (cancel, ["clerk-cancelled"]),
    (correct, ["clerk-corrected"]),
    (move, ["clerk-moved"]),
    (now_instead, ["clerk-sent"]),
]
OF = pytest.mark.parametrize(
    ("act", "keys"), ACTS, ids=lambda value: getattr(value, "__name__", None)
)


@EACH
@OF
async def test_the_akim_hears_of_it(
    talk: Talk, channel: ChannelName, language: Language, act: Act, keys: list[str]
) -> None:
    """Nothing was said: an akim learned of a notice in his own name from the villagers."""
    for _ in range(3):
        await talk.resident(TELEGRAM, language)
    akim = await talk.official(channel, language)
    other = TELEGRAM if channel is WHATSAPP else WHATSAPP
    clerk = await talk.official(other, language.other, OKRUG, RoleName.CLERK)
    await act(talk, clerk)
    heard = await told(akim)
    assert len(heard) == len(keys)
    for one, key in zip(heard, keys, strict=True):
        begin = akim.t(key, title=TITLE[language], clerk="…", at="…").split("…")[0]
        assert one.body.startswith(begin), one.body
        assert [button.label for button in one.choices] == [akim.t("live-show")]
    await akim.press(heard[0].choices[0].payload)
    assert TITLE[language] in akim.text
    assert akim.t("live-show") in akim.labels


@EACH
@OF
async def test_what_an_akim_does_is_told_to_nobody(
    talk: Talk, channel: ChannelName, language: Language, act: Act, keys: list[str]
) -> None:
    await talk.resident(TELEGRAM, language)
    akim = await talk.official(channel, language)
    clerk = await talk.official(TELEGRAM, language, OKRUG, RoleName.CLERK)
    deputy = await talk.official(TELEGRAM, language, OKRUG, RoleName.AKIM)
    await act(talk, akim)
    assert await told(clerk) == []
    assert await told(deputy) == []


@EACH
async def test_not_to_a_chat_that_was_stopped(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    await talk.resident(TELEGRAM, language)
    akim = await talk.official(channel, language)
    await akim.say("/stop")
    clerk = await talk.official(TELEGRAM, language, OKRUG, RoleName.CLERK)
    await send(talk, clerk)
    assert await told(akim) == []


@EACH
async def test_another_offices_akim_is_left_alone(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    await talk.resident(TELEGRAM, language)
    above = await talk.official(channel, language, "595000000")
    clerk = await talk.official(TELEGRAM, language, OKRUG, RoleName.CLERK)
    await send(talk, clerk)
    assert await told(above) == []
