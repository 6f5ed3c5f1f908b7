"""Pictures and documents of a notice, as its author sends them: by one, in one go, too many."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from support.talk import KK, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName, FileRef, Medium
from core.languages import Language
from rules.attachments import DOCX, PDF
from tests.handlers.test_broadcast import BOTH, WRITTEN, answers_of, begun, previewed, step

PHOTO, DOCUMENT = Medium.PHOTO, Medium.DOCUMENT
EACH = pytest.mark.parametrize(
    ("channel", "language"), [(TELEGRAM, KK), (TELEGRAM, RU), (WHATSAPP, KK), (WHATSAPP, RU)]
)
MB = 1024 * 1024


async def attaching(talk: Talk, channel: ChannelName, language: Language) -> Person:
    """An akim who is asked for pictures."""
    akim = await begun(talk, language, channel)
    await akim.pick("audience-all-okrug")
    await akim.says(WRITTEN[language], WRITTEN[language.other])
    return akim


async def kept(talk: Talk) -> list[Any]:
    """The files that are wanted, in the order in which they came."""
    return await talk.rows("SELECT * FROM file ORDER BY created_at, id")


def shown_files(person: Person) -> list[FileRef]:
    return [file for content in person.heard for file in content.files]


@EACH
async def test_a_document_and_no_more(talk: Talk, channel: ChannelName, language: Language) -> None:
    akim = await attaching(talk, channel, language)
    await akim.send_file(DOCUMENT, mime=PDF, name="смета.pdf", size=MB)
    assert akim.hears("attach-more", names="смета.pdf")
    await akim.pick("audience-done")
    assert await step(akim) == "preview"
    await akim.pick("notice-send")
    [file] = await kept(talk)
    assert await talk.one("SELECT files FROM notice") == [str(file["id"])]
    assert await talk.one("SELECT status FROM notice") == "scheduled", "it waits for its file"
    assert akim.hears("live-files")


@EACH
async def test_none_by_a_word(talk: Talk, channel: ChannelName, language: Language) -> None:
    akim = await attaching(talk, channel, language)
    await akim.say("жоқ" if language is KK else "нет")
    assert await step(akim) == "preview"


async def test_what_is_kept_is_sealed(talk: Talk) -> None:
    akim = await attaching(talk, WHATSAPP, RU)
    await akim.send_file(DOCUMENT, mime=PDF, name="смета.pdf")
    [file] = await kept(talk)
    for column in ("name", "reference"):
        assert b"file-" not in file[column]
        assert "смета".encode() not in file[column]
    assert file["content"] is None
    assert file["fetch_at"] is not None


async def test_an_album_is_counted_in_one_message_on_telegram(talk: Talk) -> None:
    akim = await attaching(talk, TELEGRAM, RU)
    await akim.send_file(PHOTO, album="a1")
    [first] = await talk.rows("SELECT id FROM delivery ORDER BY seq DESC LIMIT 1")
    for _ in range(2):
        await akim.send_file(PHOTO, album="a1")
        assert [content.replaces for content in akim.heard] == [first["id"]]
    names = ", ".join(akim.t("file-photo", number=n) for n in (1, 2, 3))
    assert akim.hears("attach-more", names=names)
    await akim.pick("audience-done")
    assert len((await answers_of(akim))["files"]) == 3


async def test_done_tapped_while_the_album_still_comes_is_done(talk: Talk) -> None:
    akim = await attaching(talk, TELEGRAM, RU)
    await akim.send_file(PHOTO, album="a1")
    done = next(b.payload for b in akim.buttons if b.label == akim.t("audience-done"))
    await akim.send_file(PHOTO, album="a1")
    await akim.press(done)
    assert await step(akim) == "preview"
    await akim.send_file(PHOTO, album="a1")
    names = ", ".join(akim.t("file-photo", number=n) for n in (1, 2, 3))
    assert akim.hears("attach-more", names=names), "the last one came after it"


async def test_several_in_one_go_are_answered_once_on_whatsapp(talk: Talk) -> None:
    akim = await attaching(talk, WHATSAPP, KK)
    await akim.send_file(PHOTO)
    assert akim.hears("attach-more", names=akim.t("file-photo", number=1))
    done = next(b.payload for b in akim.buttons if b.label == akim.t("audience-done"))
    for _ in range(2):
        await akim.send_file(PHOTO)
        assert akim.heard == []
    await akim.press(done)
    assert await step(akim) == "preview"
    assert len((await answers_of(akim))["files"]) == 3


async def test_one_that_comes_later_is_answered_by_itself(talk: Talk) -> None:
    for channel in ChannelName:
        akim = await attaching(talk, channel, RU)
        await akim.send_file(PHOTO)
        talk.clock.advance(timedelta(seconds=30))
        await akim.send_file(PHOTO)
        assert [content.replaces for content in akim.heard] == [None]
        names = ", ".join(akim.t("file-photo", number=n) for n in (1, 2))
        assert akim.hears("attach-more", names=names)


@EACH
async def test_five_are_the_most(talk: Talk, channel: ChannelName, language: Language) -> None:
    akim = await attaching(talk, channel, language)
    said = []
    for _ in range(8):
        await akim.send_file(PHOTO, album="a1" if channel is TELEGRAM else None)
        said.append(akim.hears("attach-too-many", most=5))
    assert said == [False] * 5 + [True, False, False], "it is said once"
    assert len((await answers_of(akim))["files"]) == 5
    assert len(await kept(talk)) == 5


@EACH
async def test_one_is_taken_out_and_another_put_in(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = await attaching(talk, channel, language)
    await akim.send_file(DOCUMENT, mime=PDF, name="ескі.pdf")
    await akim.tap("✕ ескі.pdf")
    assert akim.hears("attach-removed", name="ескі.pdf")
    assert akim.hears("attach-ask", most=5)
    assert await kept(talk) == []
    await akim.send_file(DOCUMENT, mime=DOCX, name="жаңа.docx")
    assert akim.hears("attach-more", names="жаңа.docx")


@pytest.mark.parametrize(
    ("medium", "given", "key", "args"),
    [
        (Medium.VOICE, {}, "attach-no-voice", {}),
        (Medium.VIDEO, {}, "attach-no-video", {}),
        (Medium.STICKER, {}, "attach-no-sticker", {}),
        (Medium.LOCATION, {}, "attach-kind", {}),
        (DOCUMENT, {"mime": "application/x-msdownload", "name": "a.exe"}, "attach-kind", {}),
        (DOCUMENT, {"mime": "application/msword", "name": "a.doc"}, "attach-kind", {}),
        (PHOTO, {"mime": "image/webp"}, "attach-kind", {}),
        (DOCUMENT, {"mime": PDF, "size": 16 * MB + 1}, "attach-too-large",
         {"size": 17, "most": 16}),
        (DOCUMENT, {"mime": "image/png", "size": 5 * MB + 1}, "attach-picture-too-large",
         {"size": 6, "most": 5}),
    ],
)  # fmt: skip
@BOTH
async def test_what_cannot_go_is_said_plainly(
    talk: Talk,
    language: Language,
    medium: Medium,
    given: dict[str, Any],
    key: str,
    args: dict[str, int],
) -> None:
    akim = await attaching(talk, TELEGRAM, language)
    await akim.send_file(medium, **given)
    assert akim.hears(key, **args)
    assert akim.hears("attach-ask", most=5)
    assert await kept(talk) == []


@EACH
async def test_a_photo_with_a_caption_is_text_and_picture(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = await begun(talk, language, channel)
    await akim.pick("audience-all-okrug")
    await akim.send_file(PHOTO, WRITTEN[language], album="a1")
    assert akim.hears("attach-count", count=1)
    assert akim.hears(f"notice-write-{language.other}")
    await akim.send_file(PHOTO, album="a1")
    assert akim.heard == [], "the rest of the album needs no word"
    await akim.say(WRITTEN[language.other])
    names = ", ".join(akim.t("file-photo", number=n) for n in (1, 2))
    assert akim.hears("attach-more", names=names)


@EACH
async def test_a_caption_beside_a_file_that_cannot_go_is_not_lost(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = await begun(talk, language, channel)
    await akim.pick("audience-all-okrug")
    await akim.send_file(Medium.VIDEO, WRITTEN[language])
    assert akim.hears("attach-no-video")
    assert await step(akim) == "other"


@BOTH
async def test_a_picture_before_the_words(talk: Talk, language: Language) -> None:
    akim = await begun(talk, language)
    await akim.pick("audience-all-okrug")
    await akim.send_file(PHOTO)
    assert akim.hears("attach-count", count=1)
    assert akim.hears(f"notice-write-{language}")
    assert await step(akim) == "own"


async def test_a_file_name_in_place_of_a_caption_is_no_text(talk: Talk) -> None:
    """WhatsApp [?]: a document without a caption may come with its name as the body."""
    akim = await begun(talk, RU, WHATSAPP)
    await akim.pick("audience-all-okrug")
    await akim.send_file(DOCUMENT, "План работ.pdf", mime=PDF)
    assert await step(akim) == "own"
    await akim.says(WRITTEN[RU], WRITTEN[KK])
    assert akim.hears("attach-more", names="План работ.pdf")


@EACH
async def test_a_picture_at_the_last_look(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = await previewed(talk, language, channel)
    await akim.send_file(PHOTO)
    assert akim.hears("attach-more", names=akim.t("file-photo", number=1))
    await akim.pick("audience-done")
    assert await step(akim) == "preview"
    assert [file.medium for file in shown_files(akim)] == ([PHOTO] if channel is TELEGRAM else [])
    assert akim.hears("preview-loading", count=1)
    await akim.pick("preview-files")
    await akim.tap(f"✕ {akim.t('file-photo', number=1)}")
    await akim.pick("attach-skip")
    assert await step(akim) == "preview"
    assert shown_files(akim) == []


async def test_one_that_could_not_be_fetched_falls_out(talk: Talk) -> None:
    akim = await attaching(talk, TELEGRAM, RU)
    await akim.send_file(PHOTO)
    await akim.send_file(DOCUMENT, mime=PDF, name="смета.pdf")
    async with talk.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE file SET failure = 'gone', fetch_at = NULL WHERE medium = 'photo'")
        )
    await akim.pick("audience-done")
    assert [file.name for file in shown_files(akim)] == ["смета.pdf"]
    await akim.pick("notice-send")
    assert len(await talk.one("SELECT files FROM notice")) == 1  # type: ignore[arg-type]


async def test_a_document_when_only_a_moment_is_asked_for(talk: Talk) -> None:
    akim = await previewed(talk, RU)
    await akim.pick("preview-when")
    await akim.send_file(DOCUMENT, mime=PDF)
    assert akim.hears("not-asked")
    assert await step(akim) == "when"


@EACH
@pytest.mark.parametrize("at", ["attach", "own", "preview"])
async def test_each_mistake_of_one_go_and_what_is_taken_after_it_has_its_answer(
    talk: Talk, channel: ChannelName, language: Language, at: str
) -> None:
    """On WhatsApp a picture within ten seconds of a refused voice message had no answer."""
    akim = await begun(talk, language, channel)
    await akim.pick("audience-all-okrug")
    if at != "own":
        await akim.says(WRITTEN[language], WRITTEN[language.other])
    if at == "preview":
        await akim.pick("attach-skip")
    await akim.send_file(Medium.VOICE)
    assert akim.hears("attach-no-voice")
    await akim.send_file(Medium.STICKER)
    assert akim.hears("attach-no-sticker")
    await akim.send_file(Medium.STICKER)
    assert akim.text == "", "the same twice is said once"
    await akim.send_file(PHOTO)
    assert akim.text != ""
    await akim.send_file(Medium.VIDEO)
    assert akim.hears("attach-no-video")
