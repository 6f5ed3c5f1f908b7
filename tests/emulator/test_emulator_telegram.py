"""The emulated Bot API against the real aiogram: happy paths and every refusal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    KeyboardButton,
    MessageEntity,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from emulator.app import PIXEL, Emulator
from emulator.entities import CannotParse, parse_html, units

if TYPE_CHECKING:
    from tests.emulator.conftest import Product


def inline(*buttons: tuple[str, str]) -> InlineKeyboardMarkup:
    rows = [[InlineKeyboardButton(text=text, callback_data=data)] for text, data in buttons]
    return InlineKeyboardMarkup(inline_keyboard=rows)


@pytest.fixture
def aigul(emulator: Emulator) -> int:
    person = emulator.add_person("aigul", "Айгүл Сапарова", started=True, phone="+77051112233")
    return person.telegram_id


async def take(bot: Bot, **options: Any) -> list[Any]:
    updates = await bot.get_updates(timeout=5, **options)
    await bot.get_updates(offset=updates[-1].update_id + 1, limit=1, timeout=0)
    return updates


async def test_a_message_is_sent_shown_edited_and_deleted(
    emulator: Emulator, bot: Bot, aigul: int
) -> None:
    sent = await bot.send_message(
        aigul, "<b>Сәлем</b> &amp; <a href='https://a.kz'>қош</a>", parse_mode="HTML",
        reply_markup=inline(("Иә", "v1:yes")),
    )  # fmt: skip
    assert (sent.text, [e.type for e in sent.entities or []]) == (
        "Сәлем & қош", ["bold", "text_link"],
    )  # fmt: skip
    assert emulator.last("aigul").buttons == [[{"text": "Иә", "data": "v1:yes"}]]
    await bot.edit_message_text("жаңа", chat_id=aigul, message_id=sent.message_id)
    assert (emulator.last("aigul").text, emulator.last("aigul").edits) == ("жаңа", 1)
    assert emulator.last("aigul").buttons == []
    await bot.delete_message(aigul, sent.message_id)
    assert emulator.texts("aigul") == []
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await bot.edit_message_text("x", chat_id=aigul, message_id=sent.message_id)


REFUSED_MESSAGES: list[tuple[str, dict[str, Any], str]] = [
    ("empty", {"text": "  "}, "message text is empty"),
    ("long", {"text": "а" * 4097}, "message is too long"),
    ("pairs", {"text": "😀" * 2049}, "message is too long"),
    ("data", {"text": "a", "reply_markup": inline(("a", "қ" * 33))}, "BUTTON_DATA_INVALID"),
    ("label", {"text": "a", "reply_markup": inline((" ", "x"))}, "non-empty"),
    ("many", {"text": "a", "reply_markup": inline(*[("a", "b")] * 101)}, "MARKUP_TOO_LONG"),
    ("open tag", {"text": "<b>a", "parse_mode": "HTML"}, "can't parse entities"),
    ("strange tag", {"text": "<br>a", "parse_mode": "HTML"}, "Unsupported start tag"),
    ("bare <", {"text": "1 < 2", "parse_mode": "HTML"}, "can't parse entities"),
    ("entity", {"text": "ab", "entities": [MessageEntity(type="bold", offset=1, length=2)]},
     "can't parse entities"),
    ("reply", {"text": "a", "reply_to_message_id": 77}, "message to be replied not found"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"), [c[1:] for c in REFUSED_MESSAGES], ids=[c[0] for c in REFUSED_MESSAGES]
)
async def test_what_telegram_refuses_is_refused(
    emulator: Emulator, bot: Bot, aigul: int, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(TelegramBadRequest, match=words):
        await bot.send_message(aigul, **arguments)
    assert emulator.texts("aigul") == []


async def test_what_just_fits_is_taken(emulator: Emulator, bot: Bot, aigul: int) -> None:
    await bot.send_message(aigul, "<b>" + "а" * 4096 + "</b>", parse_mode="HTML")
    await bot.send_message(aigul, "a", reply_markup=inline(("a", "қ" * 32)))
    assert len(emulator.texts("aigul")) == 2


async def test_edits_are_strict(emulator: Emulator, bot: Bot, aigul: int) -> None:
    sent = await bot.send_message(aigul, "бір", reply_markup=inline(("a", "b")))
    same = {"chat_id": aigul, "message_id": sent.message_id, "reply_markup": inline(("a", "b"))}
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await bot.edit_message_text("бір", **same)
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await bot.edit_message_reply_markup(**same)
    emulator.message("aigul", emulator.last("aigul").seq).editable = False
    with pytest.raises(TelegramBadRequest, match="message can't be edited"):
        await bot.edit_message_text("екі", **same)
    emulator.say("aigul", "менікі")
    own = emulator.chat("aigul")[-1].message_id
    with pytest.raises(TelegramBadRequest, match="message can't be edited"):
        await bot.edit_message_text("екі", chat_id=aigul, message_id=own)
    emulator.advance(hours=49)
    with pytest.raises(TelegramBadRequest, match="can't be deleted"):
        await bot.delete_message(aigul, sent.message_id)


async def test_who_may_be_written_to(emulator: Emulator, bot: Bot, aigul: int) -> None:
    stranger = emulator.add_person("s", "Бөтен")
    with pytest.raises(TelegramForbiddenError, match="can't initiate conversation"):
        await bot.send_message(stranger.telegram_id, "a")
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(99, "a")
    emulator.block("aigul")
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_message(aigul, "a")
    emulator.unblock("aigul")
    emulator.change_person("aigul", deactivated=True)
    with pytest.raises(TelegramForbiddenError, match="user is deactivated"):
        await bot.send_message(aigul, "a")
    members = [u.my_chat_member for u in await take(bot)]
    assert [m.new_chat_member.status for m in members] == ["kicked", "member"]


async def test_an_unknown_token_and_an_unknown_method(emulator: Emulator, bot: Bot) -> None:
    other = Bot("1:no", session=bot.session)
    with pytest.raises(TelegramUnauthorizedError):
        await other.get_me()
    assert (await bot.get_me()).username == "zhiyn_bot"
    async with emulator.session().get(f"{emulator.base}/bot{bot.token}/fly") as answer:
        assert (await answer.json())["error_code"] == 404


async def test_a_tap_comes_with_its_message_and_is_answered(
    emulator: Emulator, bot: Bot, aigul: int
) -> None:
    await bot.send_message(aigul, "ескі", reply_markup=inline(("Иә", "old")))
    first = emulator.last("aigul").seq
    await bot.send_message(aigul, "жаңа", reply_markup=inline(("Иә", "new")))
    emulator.tap("aigul", "Иә")
    emulator.tap("aigul", "Иә", message=first)
    emulator.tap("aigul", "new", inaccessible=True)
    queries = [update.callback_query for update in await take(bot)]
    assert [q.data for q in queries] == ["new", "old", "new"]
    assert queries[0].message.text == "жаңа"
    assert type(queries[2].message).__name__ == "InaccessibleMessage"
    assert await bot.answer_callback_query(queries[0].id, "Қабылданды")
    with pytest.raises(TelegramBadRequest, match="MESSAGE_TOO_LONG"):
        await bot.answer_callback_query(queries[0].id, "а" * 201)
    with pytest.raises(TelegramBadRequest, match="query ID is invalid"):
        await bot.answer_callback_query("77")
    emulator.advance(seconds=61)
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query(queries[1].id)


async def test_reply_keyboards_share_the_contact(emulator: Emulator, bot: Bot, aigul: int) -> None:
    keyboard = ReplyKeyboardMarkup(
        keyboard=[[KeyboardButton(text="Нөмір", request_contact=True)]], one_time_keyboard=True
    )
    await bot.send_message(aigul, "телефон?", reply_markup=keyboard)
    emulator.tap("aigul", "Нөмір")
    assert emulator.keyboard("aigul") is None
    emulator.share_contact("aigul", {"name": "Досы", "phone": "+77770000000"})
    own, other = [u.message.contact for u in await take(bot)]
    assert (own.phone_number, own.user_id) == ("77051112233", aigul)
    assert (other.phone_number, other.user_id) == ("77770000000", None)
    await bot.send_message(aigul, "a", reply_markup=keyboard)
    await bot.send_message(aigul, "b", reply_markup=ReplyKeyboardRemove())
    assert emulator.keyboard("aigul") is None


async def test_files_go_both_ways(emulator: Emulator, bot: Bot, aigul: int) -> None:
    sent = await bot.send_photo(aigul, BufferedInputFile(PIXEL, "a.png"), caption="сурет")
    assert sent.photo
    assert (sent.photo[0].width, sent.caption) == (1, "сурет")
    again = await bot.send_photo(aigul, sent.photo[0].file_id)
    assert again.photo
    assert again.photo[0].file_id == sent.photo[0].file_id
    document = await bot.send_document(aigul, BufferedInputFile(b"%PDF", "хаттама.pdf"))
    assert document.document
    assert document.document.file_name == "хаттама.pdf"
    album = await bot.send_media_group(
        aigul, [InputMediaPhoto(media=BufferedInputFile(PIXEL, f"{n}.png")) for n in "ab"]
    )
    assert len({message.media_group_id for message in album}) == 1
    with pytest.raises(TelegramBadRequest, match="caption is too long"):
        await bot.send_photo(aigul, BufferedInputFile(PIXEL, "a.png"), caption="а" * 1025)
    with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await bot.send_photo(aigul, BufferedInputFile(b"no picture", "a.png"))
    with pytest.raises(TelegramBadRequest, match="wrong file identifier"):
        await bot.send_document(aigul, "nonsense")
    for kind in ("photo", "voice", "sticker", "document"):
        emulator.send_file("aigul", kind)  # type: ignore[arg-type]
    messages = [update.message for update in await take(bot)]
    assert messages[1].voice
    assert messages[2].sticker
    assert messages[3].document
    downloaded = await bot.download(messages[0].photo[0].file_id)
    assert downloaded
    assert downloaded.read() == PIXEL
    with pytest.raises(TelegramBadRequest, match="invalid file_id"):
        await bot.get_file("nonsense")


async def test_the_profile_is_kept(emulator: Emulator, bot: Bot, aigul: int) -> None:
    commands = [BotCommand(command="start", description="Бастау")]
    assert await bot.set_my_commands(commands, language_code="kk")
    kept = await bot.get_my_commands(language_code="kk")
    assert [(c.command, c.description) for c in kept] == [("start", "Бастау")]
    assert await bot.get_my_commands() == []
    assert await bot.set_my_description("Ауыл жиыны")
    assert await bot.set_chat_menu_button()
    assert await bot.set_my_name("Жиын боты")
    assert (await bot.get_me()).first_name == "Жиын боты"
    assert (await bot.get_chat(aigul)).first_name == "Айгүл"
    assert await bot.send_chat_action(aigul, "typing")
    with pytest.raises(TelegramBadRequest, match="COMMAND_INVALID"):
        await bot.set_my_commands([BotCommand(command="Старт", description="a")])


# --- updates --------------------------------------------------------------------------------
async def test_offsets_confirm(emulator: Emulator, bot: Bot, aigul: int) -> None:
    ids = [int(emulator.say("aigul", str(n))) for n in range(4)]
    assert [u.update_id for u in await bot.get_updates(limit=2)] == ids[:2]
    assert [u.update_id for u in await bot.get_updates()] == ids
    assert [u.update_id for u in await bot.get_updates(offset=ids[1])] == ids[1:]
    assert emulator.acknowledged(ids[0])
    assert not emulator.acknowledged(ids[1])
    assert [u.update_id for u in await bot.get_updates(offset=-1)] == ids[3:]
    assert await bot.get_updates(offset=ids[3] + 1) == []


async def test_a_poll_waits_and_a_second_poll_ends_it(
    emulator: Emulator, bot: Bot, aigul: int
) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await emulator.wait_until(lambda: emulator.counters.calls["getUpdates"] == 1)
    await emulator.wait_until(lambda: emulator.bot().updates._poll is not None)
    second = asyncio.create_task(bot.get_updates(timeout=20))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates"):
        await first
    emulator.say("aigul", "сәлем")
    assert [u.message.text for u in await second if u.message] == ["сәлем"]


async def test_edits_and_unknown_updates_come_through(
    emulator: Emulator, bot: Bot, aigul: int
) -> None:
    emulator.say("aigul", "қате")
    emulator.edit("aigul", emulator.chat("aigul")[-1].seq, "дұрыс")
    emulator.inject({"something_new": {"a": 1}})
    emulator.send_location("aigul", 54.9, 69.1)
    updates = await take(bot)
    assert updates[1].edited_message.text == "дұрыс"
    assert updates[2].model_extra == {"something_new": {"a": 1}}
    assert updates[3].message.location.latitude == 54.9


async def test_the_webhook_gets_the_secret_and_excludes_polling(
    emulator: Emulator, bot: Bot, product: Product, aigul: int
) -> None:
    await bot.set_webhook(f"{product.url}/telegram", secret_token="abc_1")
    await emulator.wait_acknowledged(emulator.say("aigul", "сәлем"))
    assert product.headers[0]["X-Telegram-Bot-Api-Secret-Token"] == "abc_1"
    assert product.updates[0]["message"]["text"] == "сәлем"
    with pytest.raises(TelegramConflictError, match="webhook is active"):
        await bot.get_updates()
    with pytest.raises(TelegramBadRequest, match="unallowed characters"):
        await bot.set_webhook(f"{product.url}/telegram", secret_token="құпия")
    with pytest.raises(TelegramBadRequest, match="loopback"):
        await bot.set_webhook("https://example.com/telegram")
    await bot.delete_webhook()
    assert await bot.get_updates() == []


async def test_a_refused_delivery_comes_again_in_order(
    emulator: Emulator, bot: Bot, product: Product, aigul: int
) -> None:
    await bot.set_webhook(f"{product.url}/telegram")
    product.answers = [503, 500, 200, 200]
    for text in ("бір", "екі"):
        emulator.say("aigul", text)
    await emulator.settle()
    assert [u["message"]["text"] for u in product.updates] == ["бір", "бір", "бір", "екі"]
    info = await bot.get_webhook_info()
    assert info.last_error_message == "Wrong response from the webhook: 500"


async def test_chats_go_in_parallel_up_to_max_connections(
    emulator: Emulator, bot: Bot, product: Product
) -> None:
    await bot.set_webhook(f"{product.url}/telegram", max_connections=2)
    product.gate = asyncio.Event()
    for person in emulator.add_people(3):
        emulator.say(person.id, "сәлем")
    await emulator.wait_until(lambda: product.at_once == 2)
    product.gate.set()
    await emulator.settle()
    assert (len(product.updates), product.most_at_once) == (3, 2)


async def test_a_call_in_the_webhooks_answer_is_executed(
    emulator: Emulator, bot: Bot, product: Product, aigul: int
) -> None:
    product.updates_answer = {"method": "sendMessage", "chat_id": aigul, "text": "жауап"}
    await bot.set_webhook(f"{product.url}/telegram")
    emulator.say("aigul", "сәлем")
    assert (await emulator.wait_for("aigul", "жауап")).text == "жауап"


async def test_duplicates_and_reorder_over_the_webhook(
    emulator: Emulator, bot: Bot, product: Product, aigul: int
) -> None:
    await bot.set_webhook(f"{product.url}/telegram")
    emulator.duplicate_next()
    first = emulator.say("aigul", "бір")
    await emulator.wait_until(lambda: len(product.updates) == 2)
    emulator.repeat(first)
    await emulator.wait_until(lambda: len(product.updates) == 3)
    assert {u["update_id"] for u in product.updates} == {first}
    emulator.hold_inbound()
    for text in ("екі", "үш"):
        emulator.say("aigul", text)
    emulator.release_inbound([1, 0])
    await emulator.settle()
    assert [u["message"]["text"] for u in product.updates[3:]] == ["үш", "екі"]


async def test_a_repeat_reaches_a_polling_bot(emulator: Emulator, bot: Bot, aigul: int) -> None:
    act = emulator.say("aigul", "бір")
    await take(bot)
    emulator.repeat(act)
    assert [u.update_id for u in await bot.get_updates(offset=int(act) + 1)] == [act]


# --- limits and faults ------------------------------------------------------------------------
async def test_more_than_thirty_a_second_is_refused_for_the_whole_bot(
    emulator: Emulator, bot: Bot
) -> None:
    emulator.switch(telegram_slack=0, telegram_per_second=5)
    people = emulator.add_people(7)
    for person in people[:5]:
        await bot.send_message(person.telegram_id, "a")
    with pytest.raises(TelegramRetryAfter) as refused:
        await bot.send_message(people[5].telegram_id, "a")
    assert refused.value.retry_after >= 1
    with pytest.raises(TelegramRetryAfter):
        await bot.send_message(people[6].telegram_id, "a")
    assert emulator.counters.too_many == 2
    emulator.switch(telegram_limits=False)
    await bot.send_message(people[6].telegram_id, "a")


async def test_one_chat_may_burst_and_a_group_gets_twenty(emulator: Emulator, bot: Bot) -> None:
    emulator.switch(telegram_chat_burst=3)
    person, group = emulator.add_people(1)[0], emulator.add_group("g", "Ауыл")
    for _ in range(3):
        await bot.send_message(person.telegram_id, "a")
    for _ in range(20):
        await bot.send_message(group.telegram_id, "a")
    with pytest.raises(TelegramRetryAfter) as refused:
        await bot.send_message(group.telegram_id, "a")
    assert refused.value.retry_after > 30
    emulator.bot().pace._refused_until = 0
    with pytest.raises(TelegramRetryAfter):
        await bot.send_message(person.telegram_id, "a")


async def test_edits_count_unless_switched_off(emulator: Emulator, bot: Bot, aigul: int) -> None:
    emulator.switch(telegram_slack=0, telegram_per_second=2)
    sent = await bot.send_message(aigul, "0")
    edit = {"chat_id": aigul, "message_id": sent.message_id}
    await bot.edit_message_text("1", **edit)
    with pytest.raises(TelegramRetryAfter):
        await bot.edit_message_text("2", **edit)
    emulator.bot().pace._refused_until = 0
    emulator.switch(telegram_edits_count=False)
    for n in range(3, 9):
        await bot.edit_message_text(str(n), **edit)


async def test_scripted_faults(emulator: Emulator, bot: Bot, aigul: int) -> None:
    emulator.fault("sendMessage", status=502)
    with pytest.raises(TelegramServerError):
        await bot.send_message(aigul, "a")
    emulator.fault("sendMessage", retry_after=7)
    with pytest.raises(TelegramRetryAfter) as refused:
        await bot.send_message(aigul, "a")
    assert refused.value.retry_after == 7
    emulator.fault("sendMessage", drop="before")
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(aigul, "a")
    assert emulator.texts("aigul") == []
    emulator.fault("sendMessage", drop="after", to=str(aigul))
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(aigul, "жоғалған жауап")
    assert emulator.texts("aigul") == ["жоғалған жауап"]
    await bot.send_message(aigul, "жоғалған жауап")
    assert emulator.duplicates() == {"aigul": 1}
    assert emulator.counters.calls["sendMessage"] == 5


async def test_an_answer_is_held_back(emulator: Emulator, bot: Bot, aigul: int) -> None:
    """The effect is there, the answer is not; then it goes, or is cut."""
    emulator.fault("sendMessage", hold=True)
    sending = asyncio.create_task(bot.send_message(aigul, "бірінші"))
    await emulator.wait_until(lambda: emulator.faults.held == 1)
    assert emulator.texts("aigul") == ["бірінші"]
    assert not sending.done()
    emulator.release_answers()
    assert (await sending).text == "бірінші"
    emulator.fault("sendMessage", hold=True, drop="after")
    sending = asyncio.create_task(bot.send_message(aigul, "екінші"))
    await emulator.wait_until(lambda: emulator.faults.held == 1)
    emulator.release_answers()
    with pytest.raises(TelegramNetworkError):
        await sending
    assert emulator.texts("aigul") == ["бірінші", "екінші"]


async def test_a_group_migrates_by_error(emulator: Emulator, bot: Bot) -> None:
    group = emulator.add_group("g", "Ауыл")
    new = emulator.migrate_group("g", announce=False)
    with pytest.raises(TelegramMigrateToChat) as told:
        await bot.send_message(group.telegram_id, "a")
    assert told.value.migrate_to_chat_id == new.telegram_id
    emulator.block("g-migrated")
    with pytest.raises(TelegramForbiddenError, match="kicked"):
        await bot.send_message(new.telegram_id, "a")


async def test_links_show_start_and_carry_the_payload(emulator: Emulator, bot: Bot) -> None:
    emulator.add_person("k", "Қанат")
    emulator.open_link("k", "https://t.me/zhiyn_bot?start=inv_42")
    emulator.press_start("k")
    assert (await take(bot))[0].message.text == "/start inv_42"
    with pytest.raises(ValueError, match="A-Za-z0-9"):
        emulator.start_bot("k", "а б")


def test_html_is_counted_in_utf16() -> None:
    assert parse_html("😀<b>a</b>")[1] == [{"type": "bold", "offset": 2, "length": 1}]
    assert units("😀ә") == 3
    with pytest.raises(CannotParse):
        parse_html("<b><i>a</b></i>")
