"""The real aiogram client over HTTP against the strict emulator: what arrives, what is answered."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from aiogram.exceptions import TelegramBadRequest
from channels.channel_support import ACCOUNT, DELIVERY, MemoryFiles

from bot.channels.base import DownloadRefused
from bot.channels.telegram import TelegramChannel, download, make_bot, set_up_bot
from bot.channels.whatsapp_render import TextPart
from conversation.message import Ask, Button, Content, FileRef, Medium
from core.languages import Language
from core.outcomes import Outcome, SendResult
from emulator.app import PIXEL, Emulator
from emulator.world import Person

KK = Language.KK
PHOTO = FileRef(UUID(int=1), Medium.PHOTO, "image/png", "көпір.png")
PDF = FileRef(UUID(int=2), Medium.DOCUMENT, "application/pdf", "хаттама.pdf")
READ = Button("1s.read.BBBB", "Оқыдым")
NOTICE = Content(KK, "<b>Су</b> & _болмайды_", "📢 Әкім", "Су құбыры 👨‍👩‍👧 жөнделеді", (READ,))


@pytest.fixture
def aigul(emulator: Emulator) -> Person:
    return emulator.add_person("aigul", "Айгүл", started=True)


async def send(channel: TelegramChannel, to: int, content: Content) -> list[SendResult]:
    parts = await channel.prepare(content, window_open=True)
    return [await channel.send(str(to), part, DELIVERY) for part in parts]


async def test_a_notice_arrives_as_written(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person
) -> None:
    [result] = await send(telegram, aigul.telegram_id, NOTICE)
    shown = emulator.last("aigul")
    assert result == SendResult(Outcome.SENT, platform_id=str(shown.message_id))
    assert shown.text == "📢 Әкім\nСу құбыры 👨‍👩‍👧 жөнделеді\n<b>Су</b> & _болмайды_"
    assert shown.buttons == [[{"text": "Оқыдым", "data": "1s.read.BBBB"}]]
    [bold] = shown.entities
    encoded = shown.text.encode("utf-16-le")
    start, end = 2 * bold["offset"], 2 * (bold["offset"] + bold["length"])
    assert (bold["type"], encoded[start:end].decode("utf-16-le")) == ("bold", NOTICE.title)
    assert emulator.counters.violations == []


async def test_long_text_comes_in_pieces(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person
) -> None:
    body = "\n\n".join(f"{n}. " + "сөз 😀 " * 150 for n in range(9))
    results = await send(telegram, aigul.telegram_id, Content(KK, body, choices=(READ,)))
    assert [result.outcome for result in results] == [Outcome.SENT] * len(results)
    assert "".join("".join(emulator.texts("aigul")).split()) == "".join(body.split())
    assert [bool(m.buttons) for m in emulator.received("aigul")][-1]
    assert not any(m.buttons for m in emulator.received("aigul")[:-1])


async def test_contact_keyboard_and_its_end(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person
) -> None:
    back = Button("1c.back", "Артқа")
    asking = Content(KK, "Телефоныңыз?", nav=(back,), ask=Ask.CONTACT, ask_label="Нөмірім")
    await send(telegram, aigul.telegram_id, asking)
    keyboard = emulator.keyboard("aigul")
    assert keyboard is not None
    assert keyboard["rows"] == [[{"text": "Нөмірім", "contact": True}], [{"text": "Артқа"}]]
    assert keyboard["once"]
    closing = Content(KK, "Рақмет.\n\nҚай ауыл?", choices=(READ,), closes_keyboard=True)
    await send(telegram, aigul.telegram_id, closing)
    assert emulator.keyboard("aigul") is None
    assert emulator.texts("aigul")[1:] == ["Рақмет.", "Қай ауыл?"]
    assert emulator.last("aigul").buttons


async def test_edit_and_edit_of_the_same(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person
) -> None:
    [first] = await send(telegram, aigul.telegram_id, NOTICE)
    counted = replace(NOTICE, body="812 / 942", replaces_platform_id=first.platform_id)
    for _ in range(2):  # the second time Telegram says that nothing is changed
        assert await send(telegram, aigul.telegram_id, counted) == [first]
    [shown] = emulator.received("aigul")
    assert shown.text.endswith("812 / 942")
    assert shown.buttons


async def test_edit_of_what_is_gone_sends_anew(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person
) -> None:
    content = replace(NOTICE, replaces_platform_id="99999")
    [result] = await send(telegram, aigul.telegram_id, content)
    assert result.outcome is Outcome.SENT
    assert result.platform_id == str(emulator.last("aigul").message_id) != "99999"


async def test_edit_of_a_picture_edits_its_caption(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person, files: MemoryFiles
) -> None:
    files.contents[PHOTO.id] = PIXEL
    [first] = await send(telegram, aigul.telegram_id, replace(NOTICE, files=(PHOTO,)))
    content = replace(NOTICE, body="жаңа", replaces_platform_id=first.platform_id)
    assert await send(telegram, aigul.telegram_id, content) == [first]
    [shown] = emulator.received("aigul")
    assert shown.text.endswith("жаңа")
    too_long = replace(content, body="й" * 2000)
    [result] = await send(telegram, aigul.telegram_id, too_long)
    assert result.platform_id != first.platform_id
    assert len(emulator.received("aigul")) == 2


@pytest.mark.parametrize(("file", "kind"), [(PHOTO, "photo"), (PDF, "document")])
async def test_a_file_is_uploaded_once(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person, files: MemoryFiles,
    file: FileRef, kind: str,
) -> None:  # fmt: skip
    files.contents[file.id] = PIXEL
    content = Content(KK, "Қараңыз", choices=(READ,), files=(file,))
    for _ in range(2):
        [result] = await send(telegram, aigul.telegram_id, content)
        assert result.outcome is Outcome.SENT
    assert files.read == [file.id]
    for shown in emulator.received("aigul"):
        assert shown.media is not None
        assert shown.media["kind"] == kind
        assert (shown.text, bool(shown.buttons)) == ("Қараңыз", True)


async def test_a_file_id_that_telegram_forgot(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person, files: MemoryFiles
) -> None:
    files.contents[PHOTO.id], files.telegram[PHOTO.id] = PIXEL, "AgAC-forgotten"
    [result] = await send(telegram, aigul.telegram_id, Content(KK, "", files=(PHOTO,)))
    assert result.outcome is Outcome.SENT
    assert files.telegram[PHOTO.id] != "AgAC-forgotten"


async def test_a_picture_that_is_none_goes_as_a_document(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person, files: MemoryFiles
) -> None:
    files.contents[PHOTO.id] = b"no picture"
    [result] = await send(telegram, aigul.telegram_id, Content(KK, "", files=(PHOTO,)))
    assert result.outcome is Outcome.SENT
    media = emulator.last("aigul").media
    assert media is not None
    assert media["kind"] == "document"


FORBIDDEN = "Forbidden: "
BAD = "Bad Request: "


@pytest.mark.parametrize(
    ("status", "description", "outcome"),
    [
        (403, FORBIDDEN + "bot was blocked by the user", Outcome.BLOCKED),
        (403, FORBIDDEN + "bot was kicked from the supergroup chat", Outcome.BLOCKED),
        (403, FORBIDDEN + "bot is not a member of the channel chat", Outcome.BLOCKED),
        (403, FORBIDDEN + "user is deactivated", Outcome.DEACTIVATED),
        (403, FORBIDDEN + "the group chat was deleted", Outcome.DEACTIVATED),
        (403, FORBIDDEN + "bot can't initiate conversation with a user", Outcome.NEVER_STARTED),
        (403, FORBIDDEN + "bot can't send messages to bots", Outcome.BAD_RECIPIENT),
        (400, BAD + "chat not found", Outcome.BAD_RECIPIENT),
        (400, BAD + "PEER_ID_INVALID", Outcome.BAD_RECIPIENT),
        (400, BAD + "not enough rights to send text messages to the chat", Outcome.BLOCKED),
        (400, BAD + "message is too long", Outcome.REFUSED),
        (401, "Unauthorized", Outcome.TRANSIENT),
        (404, "Not Found", Outcome.TRANSIENT),
        (413, "Request Entity Too Large", Outcome.REFUSED),
        (429, "Too Many Requests", Outcome.THROTTLED),
        (500, "Internal Server Error", Outcome.TRANSIENT),
        (502, "Bad Gateway", Outcome.TRANSIENT),
    ],
)
async def test_refusals(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person,
    status: int, description: str, outcome: Outcome,
) -> None:  # fmt: skip
    body = {"ok": False, "error_code": status, "description": description}
    emulator.fault("sendMessage", status=status, body=body)
    [result] = await send(telegram, aigul.telegram_id, NOTICE)
    assert result.outcome is outcome
    assert str(aigul.telegram_id) not in str(result)
    assert emulator.received("aigul") == []


async def test_what_the_emulator_itself_refuses(
    emulator: Emulator, telegram: TelegramChannel
) -> None:
    new = emulator.add_person("new", "Жаңа")
    gone = emulator.add_person("gone", "Кеткен", started=True)
    emulator.change_person("gone", deactivated=True)
    blocker = emulator.add_person("blocker", "Бұғаттаған", started=True)
    emulator.block("blocker")
    outcomes = [
        (await send(telegram, to, NOTICE))[0].outcome
        for to in (new.telegram_id, gone.telegram_id, blocker.telegram_id, 1)
    ]
    assert outcomes == [
        Outcome.NEVER_STARTED, Outcome.DEACTIVATED, Outcome.BLOCKED, Outcome.BAD_RECIPIENT,
    ]  # fmt: skip


async def test_throttled(emulator: Emulator, telegram: TelegramChannel, aigul: Person) -> None:
    emulator.fault("sendMessage", retry_after=7)
    [result] = await send(telegram, aigul.telegram_id, NOTICE)
    assert (result.outcome, result.retry_after) == (Outcome.THROTTLED, 7.0)
    assert str(aigul.telegram_id) not in str(result)


@pytest.mark.parametrize(("drop", "received"), [("before", 0), ("after", 1)])
async def test_a_lost_answer_is_unknown(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person, drop: Any, received: int
) -> None:
    emulator.fault("sendMessage", drop=drop)
    [result] = await send(telegram, aigul.telegram_id, NOTICE)
    assert result.outcome is Outcome.UNKNOWN
    assert len(emulator.received("aigul")) == received


async def test_an_answer_that_takes_too_long_is_unknown(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person
) -> None:
    telegram.bot.session.timeout = 0.05
    emulator.fault("sendMessage", delay=0.3)
    [result] = await send(telegram, aigul.telegram_id, NOTICE)
    assert result.outcome is Outcome.UNKNOWN
    await emulator.wait_for("aigul")  # and it did arrive


async def test_a_server_that_is_not_there_is_transient(files: MemoryFiles) -> None:
    channel = TelegramChannel(ACCOUNT, make_bot("4242:test-token", "http://127.0.0.1:1"), files)
    [result] = await send(channel, 1, NOTICE)
    assert result.outcome is Outcome.TRANSIENT
    await channel.close()


async def test_a_page_instead_of_json_is_unknown(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(text: str) -> Any:
        raise ValueError(text)

    monkeypatch.setattr(telegram.bot.session, "json_loads", broken)
    [result] = await send(telegram, aigul.telegram_id, NOTICE)
    assert result.outcome is Outcome.UNKNOWN


async def test_a_migrated_group_is_followed(emulator: Emulator, telegram: TelegramChannel) -> None:
    group = emulator.add_group("village", "Бугровое ауылы")
    old = group.telegram_id
    new = emulator.migrate_group("village", announce=False)
    [result] = await send(telegram, old, NOTICE)
    assert result.outcome is Outcome.SENT
    assert result.moved_to == str(new.telegram_id) != str(old)
    [shown] = emulator.received(new.id)
    assert str(shown.message_id) == result.platform_id


async def test_toast_and_a_late_toast(
    emulator: Emulator, telegram: TelegramChannel, aigul: Person
) -> None:
    await send(telegram, aigul.telegram_id, NOTICE)
    emulator.tap("aigul", "Оқыдым")
    [query] = emulator.bot().callbacks
    await telegram.toast(query, "й" * 300)
    assert len(emulator.bot().callbacks[query]["toast"]) == 200
    emulator.advance(hours=1)
    await telegram.toast(query, "Рақмет")
    await telegram.toast("unknown")
    emulator.fault("answerCallbackQuery", drop="before")
    await telegram.toast(query)


async def test_download(emulator: Emulator, telegram: TelegramChannel, aigul: Person) -> None:
    emulator.send_file("aigul", "photo", content=PIXEL)
    [update] = await telegram.bot.get_updates()
    assert update.message is not None
    assert update.message.photo is not None
    assert await download(telegram.bot, update.message.photo[-1].file_id) == PIXEL


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("Bad Request: file is too big", DownloadRefused),
        ("Bad Request: wrong file_id or the file is temporarily unavailable", TelegramBadRequest),
        ("Bad Request: invalid file_id", DownloadRefused),
    ],
)
async def test_a_file_that_telegram_does_not_give(
    emulator: Emulator,
    telegram: TelegramChannel,
    aigul: Person,
    words: str,
    why: type[Exception],
) -> None:
    """What another try does not mend is told apart."""
    answer = {"ok": False, "error_code": 400, "description": words}
    emulator.fault("getFile", status=400, body=answer)
    with pytest.raises(why):
        await telegram.download("AgAC-1")


async def test_commands_in_both_languages(emulator: Emulator, telegram: TelegramChannel) -> None:
    await set_up_bot(telegram.bot, {KK: [("menu", "Мәзір")], Language.RU: [("menu", "Меню")]})
    for code, text in (("kk", "Мәзір"), ("ru", "Меню"), (None, "Мәзір")):
        [command] = await telegram.bot.get_my_commands(language_code=code)
        assert (command.command, command.description) == ("menu", text)


async def test_a_part_of_another_channel_is_a_mistake(telegram: TelegramChannel) -> None:
    with pytest.raises(TypeError):
        await telegram.send("1", TextPart("Сәлем"), DELIVERY)
