"""Telegram's Bot API: its methods, each as strict as the real one."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final

import aiohttp

from emulator import limits
from emulator.config import Switches, TelegramBot
from emulator.entities import CannotParse, parse, units
from emulator.files import Files
from emulator.store import Json
from emulator.tasks import Tasks
from emulator.tg_bot import Pace, bot_user, chat_of_person, full_chat, me, raw_message
from emulator.tg_markup import check_markup, inline_buttons, reply_keyboard
from emulator.tg_params import BotApiError, Params, Upload, bad_request
from emulator.tg_updates import Updates, Webhook
from emulator.wire import NotLoopback, fetch, must_be_loopback
from emulator.world import Chat, Message, Person, World

NOT_MODIFIED: Final = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
TOO_OLD: Final = "query is too old and response timeout expired or query ID is invalid"
Method = Callable[["Bot", Params], Awaitable[Any]]


class Bot:
    """A configured bot with its queue, pace, profile and callback queries."""

    def __init__(self, config: TelegramBot, updates: Updates, switches: Switches) -> None:
        self.config = config
        self.updates = updates
        self.pace = Pace(switches)
        self.profile: Json = {"name": config.name, "commands": {}, "descriptions": {}}
        self.callbacks: dict[str, Json] = {}  # id -> {person, at, seq, answered}

    @property
    def account(self) -> str:
        """The bot's user id: the account of its chats."""
        return str(self.config.user_id)

    @property
    def user(self) -> Json:
        """The bot as a User."""
        return bot_user(self.config, self.profile["name"])


class Telegram:
    """All bots and the methods they may call."""

    def __init__(
        self,
        world: World,
        files: Files,
        switches: Switches,
        session: Callable[[], aiohttp.ClientSession],
        execute: Callable[[str, str, Json], Awaitable[None]],
    ) -> None:
        self.world = world
        self.files = files
        self.switches = switches
        self.session = session
        self.bots: dict[str, Bot] = {}  # by token
        self._execute = execute
        self.methods: dict[str, Method] = {
            name.lower(): getattr(self, _snake(name)) for name in METHODS
        }

    def add_bot(self, config: TelegramBot) -> Bot:
        """Lets a token in."""

        async def inline(method: str, body: Json) -> None:
            await self._execute(config.token, method, body)

        updates = Updates(
            str(config.user_id), self.world.store, self.world.clock, self.switches,
            self.session, self.world.wake, inline, Tasks(self.world.counters),
        )  # fmt: skip
        bot = self.bots[config.token] = Bot(config, updates, self.switches)
        for body in self.world.store.load(f"profile:{bot.account}"):
            bot.profile = body
        for body in self.world.store.load(f"callback:{bot.account}"):
            bot.callbacks[body["id"]] = body
        updates.load()
        return bot

    # finding and checking -------------------------------------------------------------------
    def _person(self, params: Params) -> Person:
        chat_id = params.text("chat_id")
        if not chat_id:
            raise bad_request("chat_id is empty")
        person = self.world.by_address(f"tg:{chat_id}")
        if person is None:
            raise bad_request("chat not found")
        return person

    def _writable(self, bot: Bot, params: Params) -> tuple[Person, Chat]:
        person = self._person(params)
        chat = self.world.chat(person.id, bot.account)
        if person.username.startswith("migrated:"):
            to = int(person.username.split(":")[1])
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise BotApiError(400, text, {"migrate_to_chat_id": to})
        if person.deactivated:
            raise BotApiError(403, "Forbidden: user is deactivated")
        if chat.blocked:
            kicked = "bot was kicked from the supergroup chat"
            raise BotApiError(
                403, f"Forbidden: {kicked if person.group else 'bot was blocked by the user'}"
            )
        if not chat.started:
            raise BotApiError(403, "Forbidden: bot can't initiate conversation with a user")
        return person, chat

    def _text(self, params: Params, name: str, most: int, marks: str) -> tuple[str, list[Json]]:
        source, entities = params.text(name), params.list(marks)
        try:
            text, entities = parse(source, params.text("parse_mode"), entities)
        except CannotParse as error:
            raise bad_request(f"can't parse entities: {error}") from None
        if units(text) > most:
            caption = "message caption is too long"
            raise bad_request("message is too long" if name == "text" else caption)
        return text, entities

    def _own_message(self, bot: Bot, params: Params, missing: str) -> tuple[Person, Message]:
        person = self._person(params)
        number = params.int("message_id")
        message = self.world.numbered(bot.account, person.id, number)
        if message is None:
            raise bad_request(missing)
        return person, message

    # updates --------------------------------------------------------------------------------
    async def get_me(self, bot: Bot, params: Params) -> Json:
        return me(bot.config, bot.profile["name"])

    async def get_updates(self, bot: Bot, params: Params) -> list[Json]:
        return await bot.updates.poll(
            params.int("offset"),
            params.int("limit", limits.TG_UPDATES),
            min(params.int("timeout"), 50),
            params.json("allowed_updates"),
        )

    async def set_webhook(self, bot: Bot, params: Params) -> bool:
        url, secret = params.text("url"), params.text("secret_token")
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise bad_request("secret token contains unallowed characters")
        connections = params.int("max_connections", 40)
        if not 1 <= connections <= limits.TG_CONNECTIONS:
            raise bad_request("max_connections must be between 1 and 100")
        try:
            webhook = Webhook(must_be_loopback(url) if url else "", secret, connections)
        except NotLoopback as error:
            raise bad_request(f"bad webhook: {error}") from None
        webhook.allowed_updates = params.list("allowed_updates")
        bot.updates.set_webhook(webhook, params.bool("drop_pending_updates"))
        return True

    async def delete_webhook(self, bot: Bot, params: Params) -> bool:
        bot.updates.set_webhook(Webhook(), params.bool("drop_pending_updates"))
        return True

    async def get_webhook_info(self, bot: Bot, params: Params) -> Json:
        hook = bot.updates.webhook
        info: Json = {
            "url": hook.url,
            "has_custom_certificate": False,
            "pending_update_count": bot.updates.pending,
            "max_connections": hook.max_connections,
        }
        if hook.last_error:
            info |= {"last_error_date": hook.last_error_at, "last_error_message": hook.last_error}
        if hook.allowed_updates:
            info["allowed_updates"] = hook.allowed_updates
        return info

    # sending --------------------------------------------------------------------------------
    async def send_message(self, bot: Bot, params: Params) -> Json:
        text, entities = self._text(params, "text", limits.TG_TEXT, "entities")
        if not text.strip():
            raise bad_request("message text is empty")
        return self._send(bot, params, text, entities, None)

    async def send_photo(self, bot: Bot, params: Params) -> Json:
        return await self._send_file(bot, params, "photo")

    async def send_document(self, bot: Bot, params: Params) -> Json:
        return await self._send_file(bot, params, "document")

    async def send_voice(self, bot: Bot, params: Params) -> Json:
        return await self._send_file(bot, params, "voice")

    async def _send_file(self, bot: Bot, params: Params, kind: str) -> Json:
        text, entities = self._text(params, "caption", limits.TG_CAPTION, "caption_entities")
        media = await self._media(params, kind, params.text(kind))
        return self._send(bot, params, text, entities, media)

    async def send_media_group(self, bot: Bot, params: Params) -> list[Json]:
        items = params.list("media")
        least, most = limits.TG_ALBUM
        if not least <= len(items) <= most:
            raise bad_request("media group must include 2-10 items")
        album, sent = str(self.world.store.next_id("album")), []
        for item in items:
            one = Params(params.values | item | {"reply_markup": None}, params.files)
            text, entities = self._text(one, "caption", limits.TG_CAPTION, "caption_entities")
            media = await self._media(params, item["type"], item["media"])
            sent.append(self._send(bot, one, text, entities, media, album))
        return sent

    async def _media(self, params: Params, kind: str, value: str) -> Json:
        """A new upload, a file_id that is known, or an http address on loopback."""
        upload = params.files.get(value.removeprefix("attach://")) or params.files.get(kind)
        if upload is None and value.startswith("http"):
            upload = await self._download(value)
        if upload is None:
            known = self.files.get(value)
            if known is None:
                raise bad_request("wrong file identifier/HTTP URL specified")
            return known[0] | {"kind": kind}
        most = limits.TG_PHOTO_BYTES if kind == "photo" else limits.TG_FILE_BYTES
        if len(upload.content) > most:
            raise BotApiError(413, "Request Entity Too Large")
        meta = self.files.add(upload.content, upload.name, upload.mime, "AgAC")
        if not upload.content:
            raise bad_request("file must be non-empty")
        if kind == "photo" and "width" not in meta:
            raise bad_request("IMAGE_PROCESS_FAILED")
        return meta | {"kind": kind}

    async def _download(self, url: str) -> Upload:
        try:
            answer = await fetch(self.session(), must_be_loopback(url))
        except NotLoopback:
            raise bad_request("failed to get HTTP URL content") from None
        if not answer.ok:
            raise bad_request("failed to get HTTP URL content")
        return Upload(url.rsplit("/", 1)[-1], answer.content_type, answer.body)

    def _send(
        self, bot: Bot, params: Params, text: str, entities: list[Json], media: Json | None,
        album: str = "",
    ) -> Json:  # fmt: skip
        markup = check_markup(params.json("reply_markup"))
        person, chat = self._writable(bot, params)
        self._check_reply(bot, person, params)
        bot.pace.take(person.telegram_id)
        message = Message(
            self.world.next_seq(), person.id, bot.account, False, text, self.world.clock.now(),
            entities=entities, media=media, buttons=inline_buttons(markup), album=album,
            keyboard=reply_keyboard(markup), status="sent",
            message_id=self.world.store.next_id(f"message_id:{bot.account}"),
        )  # fmt: skip
        self._set_keyboard(chat, markup)
        extra: Json = {"reply_markup": markup} if "inline_keyboard" in markup else {}
        if album:
            extra["media_group_id"] = album
        message.raw = raw_message(message, bot.user, chat_of_person(person), **extra)
        self.world.show(message)
        return message.raw

    def _check_reply(self, bot: Bot, person: Person, params: Params) -> None:
        reply = params.json("reply_parameters") or {}
        number = int(reply.get("message_id") or params.int("reply_to_message_id"))
        lenient = reply.get("allow_sending_without_reply") or not number
        if not lenient and self.world.numbered(bot.account, person.id, number) is None:
            raise bad_request("message to be replied not found")

    def _set_keyboard(self, chat: Chat, markup: Json) -> None:
        if "keyboard" in markup:
            chat.keyboard = reply_keyboard(markup)
        elif markup.get("remove_keyboard"):
            chat.keyboard = None
        else:
            return
        self.world.save_chat(chat)

    async def send_chat_action(self, bot: Bot, params: Params) -> bool:
        person, _ = self._writable(bot, params)
        self.world.tell({"type": "typing", "person": person.id, "account": bot.account})
        return True

    # editing --------------------------------------------------------------------------------
    async def edit_message_text(self, bot: Bot, params: Params) -> Json:
        text, entities = self._text(params, "text", limits.TG_TEXT, "entities")
        if not text.strip():
            raise bad_request("message text is empty")
        return self._edit(bot, params, (text, entities))

    async def edit_message_caption(self, bot: Bot, params: Params) -> Json:
        caption = self._text(params, "caption", limits.TG_CAPTION, "caption_entities")
        return self._edit(bot, params, caption, caption=True)

    async def edit_message_reply_markup(self, bot: Bot, params: Params) -> Json:
        return self._edit(bot, params, None)

    def _edit(
        self, bot: Bot, params: Params, words: tuple[str, list[Json]] | None,
        caption: bool = False,
    ) -> Json:  # fmt: skip
        markup = check_markup(params.json("reply_markup"))
        person, message = self._own_message(bot, params, "message to edit not found")
        if message.mine or not message.editable:
            raise bad_request("message can't be edited")
        if words and message.media and not caption:
            raise bad_request("there is no text in the message to edit")
        self._writable(bot, params)
        text, entities = words or (message.text, message.entities)
        old = message.raw.get("reply_markup") or {}
        if (text, entities, markup) == (message.text, message.entities, old):
            raise bad_request(NOT_MODIFIED)
        bot.pace.take_edit()
        message.text, message.entities = text, entities
        message.buttons = inline_buttons(markup)
        message.edits += 1 if words else 0
        extra: Json = {"edit_date": int(self.world.clock.now())}
        if "inline_keyboard" in markup:
            extra["reply_markup"] = markup
        message.raw = raw_message(message, bot.user, chat_of_person(person), **extra)
        self.world.changed(message)
        return message.raw

    async def delete_message(self, bot: Bot, params: Params) -> bool:
        _, message = self._own_message(bot, params, "message to delete not found")
        if self.world.clock.now() - message.at > limits.TG_DELETE_SECONDS:
            raise bad_request("message can't be deleted for everyone")
        message.deleted = True
        self.world.changed(message)
        return True

    async def answer_callback_query(self, bot: Bot, params: Params) -> bool:
        query = bot.callbacks.get(params.text("callback_query_id"))
        age = self.world.clock.now() - query["at"] if query else 0.0
        if query is None or age > self.switches.callback_seconds:
            raise bad_request(TOO_OLD)
        text = params.text("text")
        if units(text) > limits.TG_TOAST:
            raise bad_request("MESSAGE_TOO_LONG")
        query["answered"] = True
        query["toast"] = text
        self.world.tell(
            {"type": "toast", "person": query["person"], "text": text, "seq": query["seq"],
             "alert": params.bool("show_alert")}
        )  # fmt: skip
        self.world.wake()
        return True

    # files ----------------------------------------------------------------------------------
    async def get_file(self, bot: Bot, params: Params) -> Json:
        known = self.files.get(params.text("file_id"))
        if known is None:
            raise bad_request("invalid file_id")
        meta, _ = known
        if meta["size"] > limits.TG_DOWNLOAD_BYTES:
            raise bad_request("file is too big")
        path = f"documents/{meta['file']}"
        unique = "U" + meta["file"][-12:]
        return {"file_id": meta["file"], "file_unique_id": unique, "file_size": meta["size"],
                "file_path": path}  # fmt: skip

    # profile --------------------------------------------------------------------------------
    async def get_chat(self, bot: Bot, params: Params) -> Json:
        return full_chat(self._person(params))

    async def set_my_commands(self, bot: Bot, params: Params) -> bool:
        commands = params.list("commands")
        if len(commands) > limits.TG_COMMANDS:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", ""))):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= units(str(command.get("description", ""))) <= limits.TG_COMMAND_TEXT:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        bot.profile["commands"][_scope(params)] = commands
        return self._save_profile(bot)

    async def get_my_commands(self, bot: Bot, params: Params) -> list[Json]:
        found: list[Json] = bot.profile["commands"].get(_scope(params), [])
        return found

    async def delete_my_commands(self, bot: Bot, params: Params) -> bool:
        bot.profile["commands"].pop(_scope(params), None)
        return self._save_profile(bot)

    async def set_my_description(self, bot: Bot, params: Params) -> bool:
        return self._describe(bot, params, "description", limits.TG_DESCRIPTION)

    async def set_my_short_description(self, bot: Bot, params: Params) -> bool:
        return self._describe(bot, params, "short_description", limits.TG_SHORT_DESCRIPTION)

    async def set_my_name(self, bot: Bot, params: Params) -> bool:
        name = params.text("name")
        if units(name) > limits.TG_NAME:
            raise bad_request("BOT_TITLE_INVALID")
        if not params.text("language_code"):
            bot.profile["name"] = name or bot.config.name
        return self._save_profile(bot)

    def _describe(self, bot: Bot, params: Params, field: str, most: int) -> bool:
        text = params.text(field)
        if units(text) > most:
            raise bad_request("BOT_DESCRIPTION_INVALID")
        bot.profile["descriptions"][f"{field}:{params.text('language_code')}"] = text
        return self._save_profile(bot)

    async def set_chat_menu_button(self, bot: Bot, params: Params) -> bool:
        bot.profile["menu_button"] = params.json("menu_button") or {"type": "default"}
        return self._save_profile(bot)

    def _save_profile(self, bot: Bot) -> bool:
        self.world.store.put(f"profile:{bot.account}", "profile", lambda: bot.profile)
        self.world.tell({"type": "profile", "account": bot.account, "profile": bot.profile})
        return True


METHODS: Final = (
    "getMe", "getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo", "sendMessage",
    "sendPhoto", "sendDocument", "sendVoice", "sendMediaGroup", "sendChatAction",
    "editMessageText", "editMessageCaption", "editMessageReplyMarkup", "deleteMessage",
    "answerCallbackQuery", "getFile", "getChat", "setMyCommands", "getMyCommands",
    "deleteMyCommands", "setMyDescription", "setMyShortDescription", "setMyName",
    "setChatMenuButton",
)  # fmt: skip


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: "_" + match.group(0).lower(), name)


def _scope(params: Params) -> str:
    scope = params.json("scope") or {"type": "default"}
    return json.dumps(scope, sort_keys=True) + params.text("language_code")


async def stop_all(telegram: Telegram) -> None:
    """Ends every bot's deliveries."""
    await asyncio.gather(*(bot.updates.stop() for bot in telegram.bots.values()))


def webhook_json(bot: Bot) -> Json:
    """A bot's webhook for the control API."""
    return asdict(bot.updates.webhook)
