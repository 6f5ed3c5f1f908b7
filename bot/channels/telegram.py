"""Telegram's outbound side: the real aiogram client, one place that maps its exceptions.

`import aiogram` costs seconds of CPU: only what sends imports this module.
Sources: core.telegram.org/bots/api, aiogram/client/session/base.py (check_response).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from io import BytesIO
from uuid import UUID

import structlog
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    Message,
    MessageEntity,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from aiohttp import ClientConnectorError, ClientError, ClientTimeout, ConnectionTimeoutError

from bot.channels.base import DownloadRefused, Part
from bot.channels.files import FileSource
from bot.channels.telegram_render import CAPTION, Keyboard, Rows, TelegramPart, render
from bot.channels.wording import fits, shorten
from conversation.message import ChannelName, Content, FileRef, Medium
from core.languages import Language
from core.outcomes import Outcome, SendResult
from rules.attachments import DOCUMENT_BYTES, FileFault

SEND_SECONDS = 10
_SEND_TIMEOUT = ClientTimeout(SEND_SECONDS)
UPLOAD_SECONDS = 60
TOAST = 200  # characters, answerCallbackQuery
PHOTO_BYTES = 10 * 1024 * 1024  # Bot API, "Sending files"; larger ones go as documents
NO_WAIT_TOLD = 1.0  # seconds, for a 429 that names none
DETAIL = 200

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove | None

_log = structlog.get_logger(__name__)

# Beginnings and pieces of Telegram's words, in lower case, as tdlib/telegram-bot-api writes them.
_FORBIDDEN = (
    ("deactivated", Outcome.DEACTIVATED),
    ("was deleted", Outcome.DEACTIVATED),
    ("can't initiate", Outcome.NEVER_STARTED),
    ("can't send messages to bots", Outcome.BAD_RECIPIENT),
)  # any other 403 (blocked, kicked, not a member) is BLOCKED
_BAD_REQUEST = (
    ("chat not found", Outcome.BAD_RECIPIENT),
    ("user not found", Outcome.BAD_RECIPIENT),
    ("peer_id_invalid", Outcome.BAD_RECIPIENT),
    ("chat_write_forbidden", Outcome.BLOCKED),
    ("not enough rights", Outcome.BLOCKED),
    ("have no rights", Outcome.BLOCKED),
)  # any other 400 is REFUSED
_NOT_MODIFIED = "message is not modified"
_NO_TEXT = "there is no text in the message to edit"
_CANNOT_EDIT = (
    "message can't be edited",
    "message to edit not found",
    "message_id_invalid",
    "message identifier is not specified",
    "there is no caption in the message to edit",
)
_FILE_UNKNOWN = ("wrong file identifier", "wrong remote file", "file reference", "type of file")
_NO_PHOTO = ("image_process_failed", "photo_invalid_dimensions")
_LATER = ("temporarily unavailable",)
_LATE_ANSWER = ("query is too old", "query id is invalid")


def make_bot(token: str, api_url: str | None = None) -> Bot:
    """The client of one bot; `api_url` is any server that speaks the Bot API.

    Raises aiogram's TokenValidationError for what cannot be a token.
    """
    api = TelegramAPIServer.from_base(api_url) if api_url else PRODUCTION
    return Bot(token, session=AiohttpSession(api=api, timeout=SEND_SECONDS))


async def set_up_bot(bot: Bot, commands: Mapping[Language, Sequence[tuple[str, str]]]) -> None:
    """Tells Telegram the commands with their texts; those in Kazakh are for all others too."""
    for language, listed in commands.items():
        shown = [BotCommand(command=name, description=text) for name, text in listed]
        await bot.set_my_commands(shown, language_code=language.value)
        if language is Language.KK:
            await bot.set_my_commands(shown)


async def describe_bot(bot: Bot, texts: Mapping[Language, str]) -> None:
    """What people see before the first message; the Kazakh text is for all other languages too."""
    for language, text in texts.items():
        await bot.set_my_description(text, language_code=language.value)
        if language is Language.KK:
            await bot.set_my_description(text)


async def download(bot: Bot, reference: str) -> bytes:
    """The bytes of a file that somebody sent (Bot API getFile: up to 20 MB). Raises
    DownloadRefused for one that is too large or that Telegram does not give any more."""
    try:
        file = await bot.get_file(reference)
    except TelegramBadRequest as error:
        if _says(error, _LATER):
            raise
        large = _says(error, ("file is too big",))
        raise DownloadRefused(FileFault.TOO_LARGE if large else FileFault.GONE) from error
    if (file.file_size or 0) > DOCUMENT_BYTES:
        raise DownloadRefused(FileFault.TOO_LARGE)
    content = BytesIO()
    await bot.download_file(str(file.file_path), content, timeout=UPLOAD_SECONDS)
    return content.getvalue()


@dataclass(slots=True)
class TelegramChannel:
    """One bot: draws neutral content and sends it."""

    account: UUID
    bot: Bot
    files: FileSource
    name: ChannelName = ChannelName.TELEGRAM

    async def prepare(
        self, content: Content, *, window_open: bool = True
    ) -> Sequence[TelegramPart]:
        """The calls that show this content; Telegram has no window."""
        return render(content)

    async def send(
        self, to: str, part: Part, delivery: UUID, *, attempt: int = 0, followed: int | None = None
    ) -> SendResult:
        """Hands one part to Telegram; whatever it answers is one of the outcomes."""
        if not isinstance(part, TelegramPart):
            raise TypeError(f"not a part of Telegram's: {type(part).__name__}")
        result = await _settle(lambda: self._show(to, part))
        if result.moved_to is None:
            return result
        again = await _settle(lambda: self._show(str(result.moved_to), part))
        return replace(again, moved_to=result.moved_to)

    def opens_conversation(self, part: Part) -> bool:
        """Telegram knows no such quota."""
        return False

    async def toast(self, callback_id: str, text: str = "") -> None:
        """Answers a tap, best effort: a late answer gets a 400, which is nobody's loss.

        Without aiogram's models: every tap of a hot moment is answered, and nothing is learnt.
        """
        answer = {"callback_query_id": callback_id}
        if text:
            answer["text"] = shorten(text, TOAST)
        try:
            status, said = await self._post("answerCallbackQuery", answer)
        except (ClientError, TimeoutError) as error:
            _log.warning("toast not sent", error=type(error).__name__)
            return
        if status != HTTPStatus.OK and not any(words in said.lower() for words in _LATE_ANSWER):
            _log.warning("toast refused", status=status)

    async def _post(self, method: str, what: dict[str, str]) -> tuple[int, str]:
        """(status, answer) of a call as it is."""
        session = self.bot.session
        if not isinstance(session, AiohttpSession):
            raise TypeError("a call as it is needs aiogram's aiohttp session")
        http = await session.create_session()
        url = session.api.api_url(token=self.bot.token, method=method)
        async with http.post(url, json=what, timeout=_SEND_TIMEOUT) as answer:
            said = "" if answer.status == HTTPStatus.OK else await answer.text()
            return answer.status, said

    async def download(self, reference: str) -> bytes:
        """See Channel."""
        return await download(self.bot, reference)

    async def close(self) -> None:
        """Gives back connections."""
        await self.bot.session.close()

    async def _show(self, to: str, part: TelegramPart) -> str:
        if part.edits is not None and part.buttons_only:
            return await self._edit_buttons(to, part, part.edits)
        if part.edits is not None:
            return await self._edit(to, part, part.edits)
        if part.file is not None:
            return await self._send_file(to, part, part.file)
        message = await self.bot.send_message(
            to, part.text, entities=_entities(part), reply_markup=_markup(part)
        )
        return str(message.message_id)

    async def _edit(self, to: str, part: TelegramPart, target: int) -> str:
        """Edits the text, or the caption of a message with a medium, or sends anew."""
        try:
            await self.bot.edit_message_text(
                part.text,
                chat_id=to,
                message_id=target,
                entities=_entities(part),
                reply_markup=_inline(part.inline),
            )
        except TelegramBadRequest as error:
            if _says(error, (_NO_TEXT,)) and fits(part.text, CAPTION):
                return await self._edit_caption(to, part, target)
            return await self._after_refused_edit(to, part, target, error)
        return str(target)

    async def _edit_buttons(self, to: str, part: TelegramPart, target: int) -> str:
        """Changes the buttons; a message that is gone or too old keeps its own."""
        try:
            await self.bot.edit_message_reply_markup(
                chat_id=to, message_id=target, reply_markup=_inline(part.inline)
            )
        except TelegramBadRequest as error:
            if not _says(error, (_NOT_MODIFIED, *_CANNOT_EDIT)):
                raise
        return str(target)

    async def _edit_caption(self, to: str, part: TelegramPart, target: int) -> str:
        try:
            await self.bot.edit_message_caption(
                chat_id=to,
                message_id=target,
                caption=part.text,
                caption_entities=_entities(part),
                reply_markup=_inline(part.inline),
            )
        except TelegramBadRequest as error:
            return await self._after_refused_edit(to, part, target, error)
        return str(target)

    async def _after_refused_edit(
        self, to: str, part: TelegramPart, target: int, error: TelegramBadRequest
    ) -> str:
        if _says(error, (_NOT_MODIFIED,)):
            return str(target)
        if _says(error, (*_CANNOT_EDIT, _NO_TEXT)):
            return await self._show(to, replace(part, edits=None))
        raise error

    async def _send_file(self, to: str, part: TelegramPart, file: FileRef) -> str:
        """By Telegram's own id if it has the file, else with the bytes, remembering the id."""
        known = await self.files.telegram_file_id(file.id, self.account)
        if known is not None:
            try:
                sent = await self._upload(to, part, file.medium, known)
                return str(sent.message_id)
            except TelegramBadRequest as error:
                if not _says(error, _FILE_UNKNOWN):
                    raise
        return await self._send_bytes(to, part, file)

    async def _send_bytes(self, to: str, part: TelegramPart, file: FileRef) -> str:
        """A picture that is too large or too long for Telegram goes as a document."""
        content = await self.files.bytes_of(file.id)
        medium = file.medium if len(content) <= PHOTO_BYTES else Medium.DOCUMENT
        try:
            sent = await self._upload(to, part, medium, BufferedInputFile(content, file.name))
        except TelegramBadRequest as error:
            if not _says(error, _NO_PHOTO):
                raise
            source = BufferedInputFile(content, file.name)
            sent = await self._upload(to, part, Medium.DOCUMENT, source)
        if telegram_id := _file_id(sent):
            await self.files.remember_telegram(file.id, self.account, telegram_id)
        return str(sent.message_id)

    async def _upload(
        self, to: str, part: TelegramPart, medium: Medium, source: str | BufferedInputFile
    ) -> Message:
        caption, entities, markup = part.text or None, _entities(part), _markup(part)
        if medium is Medium.PHOTO:
            return await self.bot.send_photo(
                to,
                source,
                caption=caption,
                caption_entities=entities,
                reply_markup=markup,
                request_timeout=UPLOAD_SECONDS,
            )
        return await self.bot.send_document(
            to,
            source,
            caption=caption,
            caption_entities=entities,
            reply_markup=markup,
            request_timeout=UPLOAD_SECONDS,
        )


def _file_id(sent: Message) -> str | None:
    if sent.photo:
        return sent.photo[-1].file_id
    return sent.document.file_id if sent.document else None


def _entities(part: TelegramPart) -> list[MessageEntity] | None:
    """Bold by its place and not by markup: what people write needs no escaping."""
    if part.bold is None:
        return None
    offset, length = part.bold
    return [MessageEntity(type="bold", offset=offset, length=length)]


def _markup(part: TelegramPart) -> Markup:
    if part.keyboard is not None:
        return _share_keyboard(part.keyboard)
    if part.removes_keyboard:
        return ReplyKeyboardRemove(remove_keyboard=True)
    return _inline(part.inline)


def _inline(rows: Rows) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=b.label, callback_data=b.payload) for b in row]
            for row in rows
        ]
    )


def _share_keyboard(keyboard: Keyboard) -> ReplyKeyboardMarkup:
    share = [KeyboardButton(text=keyboard.share, request_contact=True)]
    words = [[KeyboardButton(text=word)] for word in keyboard.words]
    return ReplyKeyboardMarkup(
        keyboard=[share, *words], resize_keyboard=True, one_time_keyboard=True
    )


async def _settle(call: Callable[[], Awaitable[str]]) -> SendResult:
    """Makes the call; its answer or its exception as one of the outcomes."""
    try:
        return SendResult(Outcome.SENT, platform_id=await call())
    except (TelegramAPIError, ClientDecodeError) as error:
        return outcome_of(error)


def outcome_of(error: AiogramError) -> SendResult:
    """The one place where aiogram's exceptions become outcomes.

    Details hold Telegram's words only where these hold nobody's chat id.
    """
    match error:
        case TelegramRetryAfter():
            wait = float(error.retry_after)
            return SendResult(Outcome.THROTTLED, retry_after=wait, detail="429")
        case TelegramMigrateToChat():
            moved = str(error.migrate_to_chat_id)
            return SendResult(Outcome.TRANSIENT, moved_to=moved, detail="migrated")
        case TelegramForbiddenError():
            return _worded(error, _FORBIDDEN, Outcome.BLOCKED)
        case TelegramBadRequest():
            return _worded(error, _BAD_REQUEST, Outcome.REFUSED)
        case TelegramEntityTooLarge():
            return SendResult(Outcome.REFUSED, detail="413")
        case TelegramNetworkError():
            return _not_answered(error)
        case TelegramServerError():
            return SendResult(Outcome.TRANSIENT, detail="5xx")
        case TelegramUnauthorizedError() | TelegramNotFound() | TelegramConflictError():
            fault = f"the account's fault: {error.message}"[:DETAIL]
            return SendResult(Outcome.TRANSIENT, detail=fault)
        case ClientDecodeError():
            # A gateway's page in place of JSON: the request may have got through.
            return SendResult(Outcome.UNKNOWN, detail="the answer is no JSON")
        case TelegramAPIError() if _says(error, ("too many requests",)):
            return SendResult(Outcome.THROTTLED, retry_after=NO_WAIT_TOLD, detail="429")
    return SendResult(Outcome.REFUSED, detail=type(error).__name__)


def _not_answered(error: TelegramNetworkError) -> SendResult:
    """Not connected: nothing was sent. Anything later: it may have been."""
    cause = error.__cause__
    before = isinstance(cause, ClientConnectorError | ConnectionTimeoutError)
    outcome = Outcome.TRANSIENT if before else Outcome.UNKNOWN
    return SendResult(outcome, detail=type(cause).__name__)


def _worded(
    error: TelegramAPIError, wordings: Sequence[tuple[str, Outcome]], otherwise: Outcome
) -> SendResult:
    said = error.message.lower()
    outcome = next((outcome for words, outcome in wordings if words in said), otherwise)
    return SendResult(outcome, detail=error.message[:DETAIL])


def _says(error: TelegramAPIError, wordings: Sequence[str]) -> bool:
    said = error.message.lower()
    return any(words in said for words in wordings)
