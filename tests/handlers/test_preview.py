"""The last look at a notice is what its readers get: here, and on the other messenger."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from support.talk import KK, RU, TELEGRAM, WHATSAPP, Person, Talk

from bot.channels import telegram_render, whatsapp_render
from bot.channels.looks import look
from bot.channels.whatsapp_render import InteractivePart, MediaPart, TemplatePart, TextPart
from conversation.looks import Look
from conversation.message import Button, ChannelName, Content, FileRef, Medium
from core.clock import local
from core.languages import Language
from core.texts import T, texts
from services.outbox import CONTENT
from tests.handlers.test_broadcast import WRITTEN, begun
from tests.handlers.test_sent import EACH

BODIES = {
    "short": "Ертең су болмайды. Завтра не будет воды.",
    "middling": "Алдын ала су құйып алыңыз. " * 45,  # 1,215: too long for a button on WhatsApp
    "long": "Алдын ала су құйып алыңыз. " * 100,  # 2,700
    "lines": "\n".join(f"{n} көше" for n in range(30)),
}

CASES = pytest.mark.parametrize(
    ("body", "photo"), [*((body, False) for body in BODIES), ("short", True)]
)


async def looking(
    talk: Talk,
    channel: ChannelName,
    language: Language,
    body: str,
    *,
    photo: bool = False,
    attached: Sequence[Medium] = (),
) -> Person:
    """An akim at the last look."""
    akim = await begun(talk, language, channel)
    await akim.pick("audience-all-okrug")
    await akim.says(f"Тақырып\n{body}", f"Заголовок\n{body}")
    attached = [Medium.PHOTO] if photo else attached
    if attached:
        for medium in attached:
            await akim.send_file(medium, mime=None if medium is Medium.PHOTO else "application/pdf")
        async with talk.db.session() as session:
            await session.execute(text("UPDATE file SET content = '\\x00', fetch_at = NULL"))
        await akim.pick("audience-done")
    else:
        await akim.pick("attach-skip")
    return akim


async def sent(talk: Talk) -> dict[Language, Content]:
    """What lies in the outbox for readers of each language."""
    rows = await talk.rows("SELECT id, content FROM message WHERE notice_id IS NOT NULL")
    found = [
        Content.from_json(json.loads(talk.db.keyring.open(CONTENT, row["id"], row["content"])))  # type: ignore[arg-type]
        for row in rows
    ]
    return {one.language: one for one in found}


def words_on(channel: ChannelName, contents: list[Content]) -> list[str]:
    """What stands in each message as the channel draws it, a button drawn as the preview draws
    it; a file is a message, too."""
    words: list[str] = []
    for content in contents:
        if channel is TELEGRAM:
            calls = telegram_render.render(content)
            words += [_file(call.file) + call.text + _drawn(call.inline) for call in calls]
            continue
        for part in whatsapp_render.render(content):
            match part:
                case TextPart(body):
                    words.append(body)
                case MediaPart(file, body):
                    words.append(_file(file) + body)
                case InteractivePart():
                    label = content.choices[0].label
                    plain = part.plain.removesuffix(f"\n\n1 {label}")
                    words.append(f"{plain}\n\n[ {label} ]")
    return words


def _file(file: FileRef | None) -> str:
    return f"({file.id})" if file else ""


def _drawn(rows: tuple[tuple[Button, ...], ...]) -> str:
    return "".join(f"\n\n[ {button.label} ]" for row in rows for button in row)


@EACH
@CASES
async def test_the_preview_is_what_is_sent(
    talk: Talk, channel: ChannelName, language: Language, body: str, photo: bool
) -> None:
    akim = await looking(talk, channel, language, BODIES[body].strip(), photo=photo)
    *letters, _ = akim.heard
    await akim.pick("notice-send")
    contents = await sent(talk)
    own, other = contents[language], replace(contents[language.other], files=())
    assert bool(own.files) == photo
    assert words_on(channel, letters) == words_on(channel, [own, other])


@pytest.mark.parametrize("channel", ChannelName)
@pytest.mark.parametrize(
    ("body", "attached"),
    [
        ("middling", [Medium.PHOTO]),
        ("short", [Medium.DOCUMENT]),
        ("long", [Medium.DOCUMENT]),
        ("short", [Medium.PHOTO, Medium.PHOTO, Medium.DOCUMENT]),
    ],
)
async def test_text_and_files_come_in_the_order_of_the_preview(
    talk: Talk, channel: ChannelName, body: str, attached: list[Medium]
) -> None:
    akim = await looking(talk, channel, KK, BODIES[body].strip(), attached=attached)
    *letters, _ = akim.heard
    await akim.pick("notice-send")
    contents = await sent(talk)
    own, other = contents[KK], replace(contents[RU], files=())
    assert [one.medium for one in own.files] == attached
    assert words_on(channel, letters) == words_on(channel, [own, other])


def told(akim: Person, channel: ChannelName, looks: Look, also: str = "") -> bool:
    """Does the last look say so of this messenger?"""
    label = akim.t("notice-read")
    if also:
        label = texts().say(Language(also), T("notice-read"))
    name = akim.t(f"messenger-{channel}") + (f", {akim.t(f'language-{also}')}" if also else "")
    button = akim.t("preview-button", label=label)
    return akim.hears("preview-looks", messenger=name, messages=looks.messages, button=button)


@EACH
@CASES
async def test_how_it_looks_on_the_other_messenger(
    talk: Talk, channel: ChannelName, language: Language, body: str, photo: bool
) -> None:
    akim = await looking(talk, channel, language, BODIES[body].strip(), photo=photo)
    said = akim.heard[-1].body
    await akim.pick("notice-send")
    other = WHATSAPP if channel is TELEGRAM else TELEGRAM
    really = look(other, (await sent(talk))[language])
    akim.heard = [replace(akim.heard[-1], body=said)]
    assert told(akim, other, really), said
    assert akim.hears("preview-files-whatsapp") == (photo and other is WHATSAPP)
    if other is WHATSAPP and not photo:
        several = {"short": 1, "middling": 2, "long": 3}
        assert body not in several or really.messages == several[body]


async def test_languages_that_look_different_are_told_apart(talk: Talk) -> None:
    akim = await begun(talk, RU, TELEGRAM)
    await akim.pick("audience-all-okrug")
    await akim.says(f"Заголовок\n{BODIES['long'].strip()}", WRITTEN[KK])
    await akim.pick("attach-skip")
    assert told(akim, WHATSAPP, Look(3), also="ru")
    assert told(akim, WHATSAPP, Look(1), also="kk")


@EACH
async def test_nothing_is_said_of_a_messenger_that_nobody_there_has(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    await talk.resident(channel, KK)
    akim = await talk.official(channel, language)
    await akim.pick("menu-send")
    await akim.pick("kind-event")
    await akim.pick("audience-all-okrug")
    await akim.says(WRITTEN[language], WRITTEN[language.other])
    await akim.pick("attach-skip")
    for messenger in ChannelName:
        assert f"{akim.t(f'messenger-{messenger}')}:" not in akim.text


@EACH
@pytest.mark.parametrize("end", ["", ".", "!"])
async def test_the_line_outside_the_window_in_both_languages(
    talk: Talk, channel: ChannelName, language: Language, end: str
) -> None:
    """The very words that the template is filled with; a title's own full stop is not doubled."""
    await begun(talk, language, channel)
    talk.clock.advance(timedelta(days=2))
    akim = await talk.official(channel, language)
    await akim.pick("menu-send")
    await akim.pick("kind-urgent")
    await akim.pick("audience-all-okrug")
    words = {one: said.replace("\n", f"{end}\n", 1) for one, said in WRITTEN.items()}
    await akim.says(words[language], words[language.other])
    await akim.pick("attach-skip")
    said = akim.heard[-1].body
    await akim.pick("notice-send")
    for content in (await sent(talk)).values():
        (part,) = whatsapp_render.render_template(content)
        assert isinstance(part, TemplatePart)
        line = part.template.body
        for number, value in part.template.fill(part.values, part.payload).items():
            line = line.replace(f"{{{{{number}}}}}", value)
        assert f"«{line}»" in said
        assert ".." not in line
        assert "!" not in line


@EACH
async def test_texts_in_each_others_place(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    kazakh = "Су болмайды\nЕртең сағат оннан бастап ауылда су болмайды, құйып алыңыз."
    russian = "Не будет воды\nЗавтра с десяти часов в селе не будет воды, наберите заранее."
    akim = await begun(talk, language, channel)
    await akim.pick("audience-all-okrug")
    first, second = (russian, kazakh) if language is KK else (kazakh, russian)
    await akim.says(first, second)
    await akim.pick("attach-skip")
    assert akim.hears("words-not-kk"), "said, and left to the akim"
    assert akim.hears("words-not-ru")
    await akim.pick("notice-send")
    assert len(await sent(talk)) == 2


@EACH
async def test_tomorrow_is_another_day_for_who_reads_it_later(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Planned for the day after tomorrow, "tomorrow" is the day after that; today it is said of
    nothing."""
    akim = await begun(talk, language, channel)
    await akim.pick("audience-all-okrug")
    written = {
        KK: "Су болмайды\nЕртең, иә, ертең су болмайды. Таңғы ас дайындап қойыңыз.",
        RU: "Не будет воды\nЗавтра не будет воды. Завтрак приготовьте сегодня!",
    }
    await akim.says(written[language], written[language.other])
    await akim.pick("attach-skip")
    assert "⚠️" not in akim.text
    await akim.pick("preview-when")
    now = local(talk.clock.now())
    await akim.say(f"{now + timedelta(days=2):%d.%m} 10:00")
    day = now.date() + timedelta(days=2)
    assert akim.hears("words-day", words="«ертең», «завтра»", day=day + timedelta(days=1))
    assert akim.hears("words-day", words="«сегодня»", day=day)
    await akim.pick("preview-when-other")
    await akim.pick("when-now")
    assert "⚠️" not in akim.text


@EACH
async def test_texts_in_their_own_place(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = await begun(talk, language, channel)
    await akim.pick("audience-all-okrug")
    await akim.says(WRITTEN[language], WRITTEN[language.other])
    await akim.pick("attach-skip")
    assert not akim.hears("words-not-kk")
    assert not akim.hears("words-not-ru")
