"""One bot on Telegram's side: its profile, its rate limits and the objects that describe it."""

import math
import time
from typing import Any

from emulator import limits
from emulator.config import Switches, TelegramBot
from emulator.rate import Bucket, Window
from emulator.store import Json
from emulator.tg_params import BotApiError
from emulator.world import Message, Person


class Pace:
    """30 a second over the bot, 1 a second in a chat, 20 a minute in a group; then 429."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._short = Window(switches.telegram_per_second + switches.telegram_slack, 1.0)
        self._long = Window(switches.telegram_per_second * 10, 10.0)
        self._chats: dict[int, Bucket] = {}
        self._groups: dict[int, Window] = {}
        self._refused_until = 0.0

    def check_penalty(self) -> None:
        """After a 429 everything is refused until it has passed."""
        left = self._refused_until - time.monotonic()
        if self._switches.telegram_limits and left > 0:
            raise too_many(math.ceil(left))

    def take(self, chat_id: int) -> None:
        """Counts one message, or raises the 429."""
        if not self._switches.telegram_limits:
            return
        self._short.limit = self._switches.telegram_per_second + self._switches.telegram_slack
        self._long.limit = self._switches.telegram_per_second * 10
        places: list[Window | Bucket] = [self._short, self._long, self._chat(chat_id)]
        wait = max(place.wait() for place in places)
        if wait > 0:
            self.refuse(self._switches.telegram_retry_after or max(1, math.ceil(wait)))
        for place in places:
            place.hit()

    def take_edit(self) -> None:
        """Counts an edit against the whole bot's limit, when edits count."""
        if self._switches.telegram_limits and self._switches.telegram_edits_count:
            wait = max(self._short.wait(), self._long.wait())
            if wait > 0:
                self.refuse(self._switches.telegram_retry_after or max(1, math.ceil(wait)))
            self._short.hit()
            self._long.hit()

    def refuse(self, seconds: int) -> None:
        """Raises a 429 and keeps refusing for that long."""
        self._refused_until = time.monotonic() + seconds
        raise too_many(seconds)

    def _chat(self, chat_id: int) -> Window | Bucket:
        if chat_id < 0:
            return self._groups.setdefault(chat_id, Window(limits.TG_GROUP_PER_MINUTE, 60.0))
        burst = self._switches.telegram_chat_burst
        return self._chats.setdefault(chat_id, Bucket(burst, 1.0))


def too_many(seconds: int) -> BotApiError:
    """429 in the Bot API's words."""
    text = f"Too Many Requests: retry after {seconds}"
    return BotApiError(429, text, {"retry_after": seconds})


def bot_user(bot: TelegramBot, name: str) -> Json:
    """The bot as a User."""
    return {"id": bot.user_id, "is_bot": True, "first_name": name, "username": bot.username}


def me(bot: TelegramBot, name: str) -> Json:
    """The bot as getMe tells it."""
    return bot_user(bot, name) | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def user_of(person: Person) -> Json:
    """A person as a User."""
    first, _, last = person.name.partition(" ")
    user: Json = {"id": person.telegram_id, "is_bot": False, "first_name": first or "-"}
    if last:
        user["last_name"] = last
    if person.username:
        user["username"] = person.username
    return user | {"language_code": person.language}


def chat_of_person(person: Person) -> Json:
    """A person (or group) as a Chat."""
    if person.group:
        return {"id": person.telegram_id, "title": person.name, "type": "supergroup"}
    user = user_of(person)
    chat = {key: user[key] for key in ("id", "first_name", "last_name", "username") if key in user}
    return chat | {"type": "private"}


def full_chat(person: Person) -> Json:
    """What getChat answers (ChatFullInfo)."""
    gifts = dict.fromkeys(
        ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription",
         "gifts_from_channels"), False,
    )  # fmt: skip
    return chat_of_person(person) | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": gifts,
    }


def media_fields(media: Json) -> Json:
    """The photo, document, voice, video or sticker field of a Message."""
    file: Json = {"file_id": media["file"], "file_unique_id": "U" + media["file"][-12:]}
    file["file_size"] = media.get("size", 0)
    kind = media["kind"]
    if kind == "photo":
        size = {"width": media.get("width", 640), "height": media.get("height", 640)}
        return {"photo": [file | size]}
    if kind == "document":
        return {"document": file | {"file_name": media["name"], "mime_type": media["mime"]}}
    if kind == "voice":
        return {"voice": file | {"duration": 3, "mime_type": media["mime"]}}
    return {"sticker": file | _sticker(media)}


def _sticker(media: Json) -> Json:
    shape: Json = {"type": "regular", "width": 512, "height": 512, "emoji": media.get("emoji")}
    return shape | {"is_animated": False, "is_video": False}


def raw_message(message: Message, sender: Json, chat: Json, **extra: Any) -> Json:
    """The Bot API's Message object of a bubble."""
    raw: Json = {"message_id": message.message_id, "from": sender, "chat": chat}
    raw["date"] = int(message.at)
    if message.media and "file" in message.media:
        raw |= media_fields(message.media)
        words, marks = "caption", "caption_entities"
    else:
        words, marks = "text", "entities"
    if message.text:
        raw[words] = message.text
    if message.entities:
        raw[marks] = message.entities
    return raw | extra
