"""What people do on Telegram: each act changes their phone and becomes an update."""

from typing import Any

from emulator.entities import commands
from emulator.store import Json
from emulator.telegram import Bot, Telegram
from emulator.tg_bot import chat_of_person, raw_message, user_of
from emulator.world import Message, Person


class TelegramPeople:
    """Acts of people towards a bot; each returns the update's id."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self._world = telegram.world

    def say(self, bot: Bot, person: Person, text: str, author: Person | None = None) -> int:
        """Types a text; "/start …" also starts the bot. In a group, `author` speaks."""
        if text.startswith("/start"):
            self._start(bot, person)
        message = self._bubble(bot, person, text, entities=commands(text))
        return self._send(bot, person, message, author)

    def _start(self, bot: Bot, person: Person) -> None:
        chat = self._world.chat(person.id, bot.account)
        was_blocked, chat.started, chat.blocked = chat.blocked, True, False
        chat.start_payload = ""
        self._world.save_chat(chat)
        if was_blocked:
            self._member(bot, person, "kicked", "member")

    def _bubble(self, bot: Bot, person: Person, text: str, **extra: Any) -> Message:
        return Message(
            self._world.next_seq(), person.id, bot.account, True, text, self._world.clock.now(),
            message_id=self._world.store.next_id(f"message_id:{bot.account}"), status="read",
            **extra,
        )  # fmt: skip

    def _send(
        self, bot: Bot, person: Person, message: Message, author: Person | None = None,
        **fields: Any,
    ) -> int:  # fmt: skip
        sender = user_of(author or person)
        message.raw = raw_message(message, sender, chat_of_person(person), **fields)
        self._world.show(message)
        return bot.updates.add({"message": message.raw})

    def tap(self, bot: Bot, person: Person, message: Message, button: Json,
            inaccessible: bool = False) -> int:  # fmt: skip
        """Taps an inline button: a callback query, also of a message long gone by."""
        number = str(self._world.store.next_id(f"callback:{bot.account}", 4_000_000_000_001))
        query: Json = {"id": number, "person": person.id, "at": self._world.clock.now()}
        query |= {"seq": message.seq, "answered": False}
        bot.callbacks[number] = query
        self._world.store.put(f"callback:{bot.account}", number, lambda: query)
        shown = message.raw
        if inaccessible:
            shown = {"chat": shown["chat"], "message_id": shown["message_id"], "date": 0}
        body = {"id": number, "from": user_of(person), "message": shown}
        body |= {"chat_instance": f"-{person.telegram_id}77", "data": button["data"]}
        return bot.updates.add({"callback_query": body})

    def share_contact(self, bot: Bot, person: Person, whose: Json | None = None) -> int:
        """Shares the own contact, or somebody else's {name, phone, user_id?}."""
        if whose is None:
            whose = {"name": person.name, "phone": person.phone, "user_id": person.telegram_id}
        first, _, last = str(whose["name"]).partition(" ")
        contact: Json = {"phone_number": whose["phone"].lstrip("+"), "first_name": first}
        if last:
            contact["last_name"] = last
        if whose.get("user_id"):
            contact["user_id"] = whose["user_id"]
        media = {"kind": "contact", "name": whose["name"], "phone": whose["phone"]}
        message = self._bubble(bot, person, "", media=media)
        return self._send(bot, person, message, contact=contact)

    def share_location(self, bot: Bot, person: Person, latitude: float, longitude: float) -> int:
        """Sends a place."""
        place = {"latitude": latitude, "longitude": longitude}
        message = self._bubble(bot, person, "", media={"kind": "location"} | place)
        return self._send(bot, person, message, location=place)

    def send_file(self, bot: Bot, person: Person, kind: str, content: bytes, name: str,
                  mime: str, caption: str, album: str) -> int:  # fmt: skip
        """Sends a photo, document, voice or sticker."""
        meta = self._telegram.files.add(content, name, mime, "BQAC")
        message = self._bubble(bot, person, caption, media=meta | {"kind": kind}, album=album)
        fields: Json = {"media_group_id": album} if album else {}
        return self._send(bot, person, message, None, **fields)

    def edit(self, bot: Bot, person: Person, message: Message, text: str) -> int:
        """Rewrites an own message."""
        message.text, message.entities = text, commands(text)
        message.edits += 1
        words = "caption" if message.media else "text"
        now = int(self._world.clock.now())
        message.raw = message.raw | {words: text, "edit_date": now}
        self._world.changed(message)
        return bot.updates.add({"edited_message": message.raw})

    def block(self, bot: Bot, person: Person, blocked: bool) -> int:
        """Blocks or unblocks the bot; in a group, removes or adds it."""
        chat = self._world.chat(person.id, bot.account)
        chat.blocked = blocked
        chat.started = chat.started or person.group
        self._world.save_chat(chat)
        old, new = ("member", "kicked") if blocked else ("kicked", "member")
        return self._member(bot, person, old, new)

    def _member(self, bot: Bot, person: Person, old: str, new: str) -> int:
        body: Json = {"chat": chat_of_person(person), "from": user_of(person)}
        body["date"] = int(self._world.clock.now())
        for name, status in (("old_chat_member", old), ("new_chat_member", new)):
            body[name] = {"user": bot.user, "status": status}
            if status == "kicked":
                body[name]["until_date"] = 0
        return bot.updates.add({"my_chat_member": body})

    def migrate(self, bot: Bot, group: Person, new: Person, announce: bool) -> None:
        """Turns a group into a supergroup with another id, told or only found out."""
        group.username = f"migrated:{new.telegram_id}"
        self._world.save_person(group)
        if announce:
            message = self._bubble(bot, group, "")
            self._send(bot, group, message, migrate_to_chat_id=new.telegram_id)
