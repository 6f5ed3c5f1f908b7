"""The emulator as one object: servers on one port, and methods to script people and faults."""

# ruff: noqa: ASYNC109 - these timeouts are what the platforms and the scripts ask for
import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web

from emulator import limits
from emulator.clock import Clock
from emulator.config import Config, Switches, TelegramBot, TwilioAccount, WhatsAppSender
from emulator.content import Contents
from emulator.control import Control
from emulator.faults import Counters, Fault, Faults
from emulator.files import Files
from emulator.guard import Guard
from emulator.habits import Habits
from emulator.store import Json, Store
from emulator.telegram import Bot, Telegram, stop_all
from emulator.telegram_http import TelegramHttp
from emulator.tg_params import BotApiError, Params
from emulator.tg_people import TelegramPeople
from emulator.twilio_http import TwilioHttp
from emulator.twilio_in import Inbound, WhatsAppPeople
from emulator.twilio_out import Sent, TwilioOut
from emulator.twilio_post import Poster
from emulator.twilio_status import Statuses
from emulator.wire import is_loopback, must_be_loopback
from emulator.world import Channel, Chat, Message, Person, World

PATIENCE = 60.0  # seconds, for a busy machine; nothing that is waited for takes nearly that long

MAX_BODY: Final = 64 * 2**20
COLOURS: Final = ("#e17076", "#7bc862", "#65aadd", "#a695e7", "#ee7aae", "#6ec9cb", "#faa774")
# A 1x1 picture and a second of nothing, for tests that do not care what is in the file.
PIXEL: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


class Emulator:
    """Telegram, Twilio and WhatsApp on loopback.

    `async with Emulator(config) as base_url` or `start()` and `stop()`.
    """

    def __init__(
        self,
        config: Config | None = None,
        data: Path | str | None = None,
        switches: Switches | None = None,
    ) -> None:
        self.config = config or Config()
        self.switches = switches or Switches()
        self.clock = Clock()
        self.counters = Counters()
        self.faults = Faults()
        self.guide: list[Json] = []
        self.base = ""
        self.store = Store(Path(data) if data else None)
        self.files = Files(self.store)
        self.world = World(self.store, self.clock, self.counters)
        self.contents = Contents(self.store, self.clock)
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._build()

    def _build(self) -> None:
        poster = Poster(self.config, self.switches, self.session)
        self.statuses = Statuses(self.world, self.config, self.switches, poster)
        self.out = TwilioOut(
            self.world, self.files, self.contents, self.switches, self.config, self.statuses,
            self.session,
        )  # fmt: skip
        self.statuses.on_change = self.out.save
        self.whatsapp = WhatsAppPeople(
            self.world, self.files, self.config, self.switches, poster, self.out
        )
        self.telegram = Telegram(self.world, self.files, self.switches, self.session, self._execute)
        self.telegram_people = TelegramPeople(self.telegram)
        self.habits = Habits(self.world, self.whatsapp.tasks, self.tap)
        guard = Guard(self.faults, self.counters, self.world.wake)
        self._telegram_http = TelegramHttp(self.telegram, self.files, guard)
        self._twilio_http = TwilioHttp(
            self.out, self.contents, self.files, guard, self.config, self.switches
        )

    # life -----------------------------------------------------------------------------------
    async def start(self, port: int = 0, host: str = "127.0.0.1") -> str:
        """Serves on the port (0: any free one); returns the base url."""
        if not is_loopback(host):
            raise ValueError("the emulator listens on loopback only")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=200), cookie_jar=aiohttp.DummyCookieJar()
        )
        self._load()
        app = web.Application(client_max_size=MAX_BODY)
        app.add_routes(self._telegram_http.routes())
        app.add_routes(self._twilio_http.routes())
        Control(self).install(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.base = f"http://{host}:{self._runner.addresses[0][1]}"
        self._twilio_http.base = self.whatsapp.base = self.base
        self._start_bots()
        return self.base

    def _load(self) -> None:
        self.world.load()
        self.contents.load()
        self.out.load()
        self.store.start()
        for body in self.store.load("setting"):
            self.clock.offset = body["offset"]
            self.guide = body["guide"]

    def _start_bots(self) -> None:
        for config in self.config.bots:
            self.telegram.add_bot(config)

    async def stop(self) -> None:
        """Stops everything and writes what is left to write."""
        self.world.tell({"type": "stop"})
        self.faults.clear()
        await stop_all(self.telegram)
        await self.statuses.tasks.stop()
        await self.whatsapp.tasks.stop()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()
        await self.store.stop()

    async def __aenter__(self) -> str:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def session(self) -> aiohttp.ClientSession:
        """The client for webhooks and media."""
        if self._session is None:
            raise RuntimeError("the emulator is not started")
        return self._session

    async def _execute(self, token: str, method: str, body: Json) -> None:
        """A method call that came in a webhook's answer; its errors are only counted."""
        if method.lower() not in self.telegram.methods:
            return
        self.counters.calls[method] += 1
        try:
            bot = self.telegram.bots[token]
            await self._telegram_http.execute(bot, method.lower(), Params(body))
        except BotApiError as error:
            self.counters.refuse(method, error.description)

    # configuration --------------------------------------------------------------------------
    def add_bot(self, token: str, username: str, id: int = 0, name: str = "Жиын") -> TelegramBot:
        """Makes a bot's token valid."""
        config = TelegramBot(token, username, id, name)
        self.config.bots.append(config)
        if self._session is not None:
            self.telegram.add_bot(config)
        return config

    def set_account(self, sid: str, auth_token: str) -> None:
        """Makes the Twilio account valid."""
        self.config.account = TwilioAccount(sid, auth_token)

    def add_sender(
        self, address: str, webhook: str = "", name: str = "Жиын", status_webhook: str = ""
    ) -> WhatsAppSender:
        """Adds a WhatsApp sender, or changes where its inbound messages go."""
        for url in (webhook, status_webhook):
            _ = must_be_loopback(url) if url else ""
        address = address if address.startswith("whatsapp:") else f"whatsapp:{address}"
        for sender in self.config.senders:
            if sender.address == address:
                sender.webhook, sender.name = webhook, name
                sender.status_webhook = status_webhook
                return sender
        self.config.senders.append(WhatsAppSender(address, webhook, name, status_webhook))
        return self.config.senders[-1]

    def bot(self, account: str | None = None) -> Bot:
        """The bot of that user id, token or username; the first one by default."""
        for bot in self.telegram.bots.values():
            if account in (None, bot.account, bot.config.token, bot.config.username):
                return bot
        raise KeyError(f"no bot {account!r}")

    def sender(self, account: str | None = None) -> WhatsAppSender:
        """The sender of that address; the first one by default."""
        for sender in self.config.senders:
            if account in (None, sender.address, sender.address.removeprefix("whatsapp:")):
                return sender
        raise KeyError(f"no sender {account!r}")

    # people ---------------------------------------------------------------------------------
    def add_person(
        self,
        id: str,
        name: str,
        channel: Channel = "telegram",
        *,
        started: bool = False,
        telegram_id: int = 0,
        username: str = "",
        phone: str = "",
        external_id: str = "",
        hidden: bool = False,
        language: str = "kk",
        on_page: bool = False,
        role: str = "",
        colour: str = "",
        reads: bool = True,
        window_open: bool = False,
        exist_ok: bool = False,
        taps: float = 0.0,
    ) -> Person:
        """Adds somebody; ids, phone and colour are chosen when not given.

        `exist_ok`: somebody of that id from an earlier run is returned as they are.
        """
        if exist_ok and id in self.world.people:
            return self.world.people[id]
        number = self.store.next_id("person")
        person = Person(
            id, name, channel,
            telegram_id=telegram_id or (1_000_000_000 + number if channel == "telegram" else 0),
            username=username, phone=phone or f"+7705{number:07d}",
            external_id=external_id or (f"US.{10**12 + number}" if hidden else ""),
            hidden=hidden, language=language, on_page=on_page, role=role,
            colour=colour or COLOURS[number % len(COLOURS)], reads=reads, taps=taps,
        )  # fmt: skip
        self.world.add(person)
        if started or window_open:
            self._open(person, started, window_open)
        return person

    def _open(self, person: Person, started: bool, window_open: bool) -> None:
        for account in self.accounts(person):
            chat = self.world.chat(person.id, account)
            chat.started = started
            chat.last_inbound = self.clock.now() if window_open else None
            self.world.save_chat(chat)

    def accounts(self, person: Person) -> list[str]:
        """The bots or senders this person can talk to."""
        if person.channel == "telegram":
            return [str(bot.user_id) for bot in self.config.bots]
        return [sender.address for sender in self.config.senders]

    def add_people(
        self, count: int, channel: Channel = "telegram", *, prefix: str = "",
        started: bool = True, window_open: bool = False, language: str = "kk", reads: bool = True,
        taps: float = 0.0,
    ) -> list[Person]:  # fmt: skip
        """Adds many silent people (not on the page) with ids prefix-1, prefix-2, …"""
        prefix = prefix or ("tg" if channel == "telegram" else "wa")
        have = sum(name.startswith(f"{prefix}-") for name in self.world.people)
        return [
            self.add_person(
                f"{prefix}-{n}", f"Тұрғын {n}", channel, started=started,
                window_open=window_open, language=language, reads=reads, taps=taps,
            )
            for n in range(have + 1, have + count + 1)
        ]  # fmt: skip

    def add_group(self, id: str, title: str, telegram_id: int = 0) -> Person:
        """Adds a Telegram group that the bots are members of."""
        number = telegram_id or -1_000_000_000_000 - self.store.next_id("group")
        person = self.world.add(Person(id, title, "telegram", telegram_id=number, group=True))
        self._open(person, True, False)
        return person

    def migrate_group(self, group: str, announce: bool = True) -> Person:
        """Turns the group into a supergroup: a service message, or only the error tells."""
        old = self.world.person(group)
        new = self.add_group(f"{group}-migrated", old.name)
        self.telegram_people.migrate(self.bot(), old, new, announce)
        return new

    def person(self, person: str) -> Person:
        """Somebody by id."""
        return self.world.person(person)

    def change_person(self, person: str, **changes: Any) -> Person:
        """Changes fields of a person: reads, language, deactivated, on_page, role …"""
        found = self.world.person(person)
        for name, value in changes.items():
            if not hasattr(found, name) or name in ("id", "channel"):
                raise ValueError(f"cannot change {name!r}")
            setattr(found, name, value)
        self.world._index(found)
        self.world.save_person(found)
        return found

    # acts -----------------------------------------------------------------------------------
    def say(
        self, person: str, text: str, account: str | None = None, author: str | None = None
    ) -> int | str:
        """Types a text; returns the update id (Telegram) or MessageSid (WhatsApp).

        In a Telegram group, `person` is the group and `author` who speaks.
        """
        who = self.world.person(person)
        if who.channel == "telegram":
            speaker = self.world.person(author) if author else None
            return self.telegram_people.say(self.bot(account), who, text, speaker)
        return self.whatsapp.say(self.sender(account), who, text)

    def start_bot(self, person: str, payload: str = "", account: str | None = None) -> int | str:
        """Presses START on Telegram, with the payload of a deep link if there is one."""
        if payload and not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", payload):
            raise ValueError(f"Telegram's links carry 1-{limits.TG_START} of [A-Za-z0-9_-]")
        return self.say(person, f"/start {payload}".strip(), account)

    def open_link(self, person: str, url: str) -> Chat:
        """Taps a t.me or wa.me link: START appears, or the composer is filled in."""
        who, parts = self.world.person(person), urlsplit(url if "//" in url else f"https://{url}")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        target = parts.path.strip("/").removeprefix("+")
        if who.channel == "telegram":
            if parts.hostname not in ("t.me", "telegram.me"):
                raise ValueError("Telegram opens t.me links")
            chat = self.world.chat(person, self.bot(target).account)
            chat.start_payload = query.get("start", "") or "-"
        else:
            if parts.hostname not in ("wa.me", "api.whatsapp.com"):
                raise ValueError("WhatsApp opens wa.me links")
            phone = query.get("phone", target).lstrip("+")
            chat = self.world.chat(person, self.sender(f"+{phone}").address)
            chat.draft = query.get("text", "")
        self.world.save_chat(chat)
        return chat

    def press_start(self, person: str, account: str | None = None) -> int | str:
        """Presses the START that stands at the bottom, after a link or before anything."""
        chat = self.world.chat(person, self.bot(account).account)
        payload = chat.start_payload.removeprefix("-") if chat.start_payload else ""
        return self.start_bot(person, payload, account)

    def tap(
        self, person: str, button: str, message: int | None = None, account: str | None = None,
        inaccessible: bool = False,
    ) -> int | str:  # fmt: skip
        """Taps a button by its label or data: of message `seq`, or the newest that has it.

        Finds inline buttons, quick replies, list rows and Telegram's reply keyboard.
        """
        who = self.world.person(person)
        found = self._find_button(person, button, message)
        if found is None:
            return self._tap_keyboard(who, button, account)
        bubble, choice, is_row = found
        if who.channel == "telegram":
            return self._tap_inline(who, bubble, choice, inaccessible)
        sender = self.sender(bubble.account)
        act = self.whatsapp.choose if is_row else self.whatsapp.tap
        return act(sender, who, bubble, choice)

    def _tap_inline(
        self, who: Person, bubble: Message, choice: Json, inaccessible: bool
    ) -> int | str:
        if "data" in choice:
            bot = self.bot(bubble.account)
            return self.telegram_people.tap(bot, who, bubble, choice, inaccessible)
        url = str(choice.get("url", ""))
        if urlsplit(url).hostname == "t.me":
            self.open_link(who.id, url)
        return 0

    def choose(
        self, person: str, row: str, message: int | None = None, account: str | None = None
    ) -> int | str:
        """Chooses a row of a WhatsApp list by title or id."""
        return self.tap(person, row, message, account)

    def _find_button(
        self, person: str, button: str, seq: int | None
    ) -> tuple[Message, Json, bool] | None:
        for same in (_exactly, _contains):
            for bubble in reversed(self.world.messages[person]):
                if bubble.mine or bubble.deleted or seq not in (None, bubble.seq):
                    continue
                for choice, is_row in _choices(bubble):
                    if same(choice, button):
                        return bubble, choice, is_row
        return None

    def _tap_keyboard(self, who: Person, label: str, account: str | None) -> int | str:
        if who.channel == "telegram":
            chat = self.world.chat(who.id, self.bot(account).account)
            keyboard = chat.keyboard or {"rows": []}
            for key in (key for row in keyboard["rows"] for key in row):
                if key["text"] == label:
                    return self._press_key(who, chat, key)
        raise LookupError(f"{who.id} sees no button {label!r}")

    def _press_key(self, who: Person, chat: Chat, key: Json) -> int | str:
        if chat.keyboard and chat.keyboard["once"]:
            chat.keyboard = None
            self.world.save_chat(chat)
        if key.get("contact"):
            return self.share_contact(who.id, account=chat.account)
        if key.get("location"):
            return self.send_location(who.id, account=chat.account)
        return self.say(who.id, key["text"], chat.account)

    def share_contact(
        self, person: str, of: Json | str | None = None, account: str | None = None
    ) -> int | str:
        """Shares the own contact, another person's (id), or {name, phone, user_id?}.

        On WhatsApp it arrives as a medium of type text/vcard.
        """
        who = self.world.person(person)
        if isinstance(of, str):
            other = self.world.person(of)
            of = {"name": other.name, "phone": other.phone, "user_id": other.telegram_id or None}
        if who.channel == "whatsapp":
            whose = of or {"name": who.name, "phone": who.phone}
            return self.whatsapp.share_contact(self.sender(account), who, whose)
        return self.telegram_people.share_contact(self.bot(account), who, of)

    def send_location(
        self, person: str, latitude: float = 54.87, longitude: float = 69.15,
        account: str | None = None,
    ) -> int | str:  # fmt: skip
        """Sends a place (Petropavl by default)."""
        who = self.world.person(person)
        if who.channel == "telegram":
            bot = self.bot(account)
            return self.telegram_people.share_location(bot, who, latitude, longitude)
        return self.whatsapp.share_location(self.sender(account), who, latitude, longitude)

    def send_file(
        self, person: str, kind: Literal["photo", "document", "voice", "sticker"],
        content: bytes = b"", name: str = "", mime: str = "", caption: str = "",
        account: str | None = None, album: str = "",
    ) -> int | str:  # fmt: skip
        """Sends a picture, document, voice message or (Telegram) sticker."""
        standard = {
            "photo": ("photo.png", "image/png", PIXEL), "voice": ("voice.ogg", "audio/ogg", b"Ogg"),
            "document": ("paper.pdf", "application/pdf", b"%PDF-1.4\n%%EOF"),
            "sticker": ("sticker.webp", "image/webp", b"RIFF"),
        }[kind]  # fmt: skip
        name, mime, content = name or standard[0], mime or standard[1], content or standard[2]
        who = self.world.person(person)
        if who.channel == "telegram":
            bot = self.bot(account)
            return self.telegram_people.send_file(
                bot, who, kind, content, name, mime, caption, album
            )
        sender = self.sender(account)
        return self.whatsapp.send_file(sender, who, kind, content, name, mime, caption)

    def edit(self, person: str, seq: int, text: str) -> int | str:
        """Rewrites an own Telegram message."""
        who, message = self.world.person(person), self.message(person, seq)
        if who.channel != "telegram" or not message.mine:
            raise ValueError("only an own Telegram message can be rewritten")
        return self.telegram_people.edit(self.bot(message.account), who, message, text)

    def block(self, person: str, blocked: bool = True, account: str | None = None) -> int | str:
        """Blocks (or unblocks) the bot or sender."""
        who = self.world.person(person)
        if who.channel == "telegram":
            return self.telegram_people.block(self.bot(account), who, blocked)
        chat = self.world.chat(person, self.sender(account).address)
        chat.blocked = blocked
        self.world.save_chat(chat)
        return ""

    def unblock(self, person: str, account: str | None = None) -> int | str:
        """Takes the block back."""
        return self.block(person, False, account)

    def mark_read(self, person: str) -> None:
        """A WhatsApp person with reads=False opens the chat: blue ticks, "read" callbacks."""
        for message in self.world.messages[person]:
            sent = self.out.sent.get(message.sid)
            if sent and not message.mine and sent.status == "delivered":
                self.statuses.more(sent, "read")

    # reading --------------------------------------------------------------------------------
    def chat(self, person: str, account: str | None = None) -> list[Message]:
        """All bubbles of a person that are not deleted, oldest first."""
        self.world.person(person)
        return [
            message
            for message in self.world.messages[person]
            if not message.deleted and account in (None, message.account)
        ]

    def received(self, person: str) -> list[Message]:
        """Only what came from the bot or sender."""
        return [message for message in self.chat(person) if not message.mine]

    def texts(self, person: str) -> list[str]:
        """The texts a person received."""
        return [message.text for message in self.received(person)]

    def last(self, person: str) -> Message:
        """The newest message received; LookupError when there is none."""
        received = self.received(person)
        if not received:
            raise LookupError(f"{person} has received nothing")
        return received[-1]

    def message(self, person: str, seq: int) -> Message:
        """One bubble."""
        for message in self.world.messages[person]:
            if message.seq == seq:
                return message
        raise LookupError(f"{person} has no message {seq}")

    def keyboard(self, person: str, account: str | None = None) -> Json | None:
        """The reply keyboard that stands on a Telegram phone now."""
        return self.world.chat(person, self.bot(account).account).keyboard

    def chat_state(self, person: str, account: str | None = None) -> Chat:
        """started, blocked, opted_out, last_inbound …"""
        who = self.world.person(person)
        telegram = who.channel == "telegram"
        key = self.bot(account).account if telegram else self.sender(account).address
        return self.world.chat(person, key)

    # waiting --------------------------------------------------------------------------------
    async def wait_for(
        self, person: str, contains: str = "", *, count: int = 1, after: int = 0,
        button: str = "", timeout: float = PATIENCE,
    ) -> Message:  # fmt: skip
        """The newest of at least `count` received messages that fit; TimeoutError with the chat.

        Fit: newer than `after` (a seq), contain the text, have the button.
        """

        def fits() -> list[Message]:
            return [
                message
                for message in self.received(person)
                if message.seq > after
                and contains in message.text
                and (not button or any(_exactly(c, button) for c, _ in _choices(message)))
            ]

        try:
            await self.wait_until(lambda: len(fits()) >= count, timeout)
        except TimeoutError:
            raise TimeoutError(self._why(person, contains, button, count)) from None
        return fits()[-1]

    def _why(self, person: str, contains: str, button: str, count: int) -> str:
        tail = "\n".join(
            f"  {'>' if message.mine else '<'} {message.text}" for message in self.chat(person)[-8:]
        )
        return (
            f"{person} did not get {count} x {contains!r} {button!r}; the chat ends with\n{tail}\n"
            f"refusals: {self.counters.violations[-3:]}"
        )

    async def wait_until(self, condition: Any, timeout: float = PATIENCE) -> None:
        """Returns when `condition()` holds; it is asked again after every change."""
        async with asyncio.timeout(timeout):
            while not condition():
                try:
                    await asyncio.wait_for(self.world.until_changed(), 0.5)
                except TimeoutError:
                    continue

    async def wait_acknowledged(self, act: int | str, timeout: float = PATIENCE) -> None:
        """Returns when the product has acknowledged what an act returned."""
        await self.wait_until(lambda: self.acknowledged(act), timeout)

    def acknowledged(self, act: int | str) -> bool:
        """Whether the product has taken the update (2xx or later offset; 2xx from a webhook)."""
        if isinstance(act, int):
            return all(bot.updates.acknowledged(act) for bot in self.telegram.bots.values())
        inbound = self.whatsapp.inbound.get(act)
        return inbound is not None and any(200 <= status < 300 for status in inbound.answers)

    async def wait_sent(self, status: str, sid: str, timeout: float = PATIENCE) -> Sent:
        """Returns when the WhatsApp message has reached that status."""
        await self.wait_until(lambda: self.out.sent[sid].status == status, timeout)
        return self.out.sent[sid]

    async def settle(self, timeout: float = PATIENCE) -> None:
        """Returns when nothing is under way: all updates taken, all callbacks posted."""
        await self.wait_until(self._quiet, timeout)

    def _quiet(self) -> bool:
        waiting = any(
            bot.updates.pending or bot.updates.tasks.busy for bot in self.telegram.bots.values()
        )
        return not (waiting or self.statuses.tasks.busy or self.whatsapp.tasks.busy)

    # faults ---------------------------------------------------------------------------------
    def fault(
        self, method: str, times: int = 1, *, status: int | None = None,
        body: Json | None = None, retry_after: int | None = None, delay: float = 0.0,
        drop: Literal["before", "after"] | None = None, hold: bool = False, to: str | None = None,
    ) -> Fault:  # fmt: skip
        """The next calls of a method go wrong; see README for the names."""
        fault = Fault(method, times, status, body, retry_after, delay, drop, hold, to)
        self.faults.add(fault)
        return fault

    def release_answers(self) -> None:
        """Lets the answers go that faults with `hold` keep back, or cuts those to be dropped."""
        self.faults.release()

    def inject(self, update: Json, account: str | None = None) -> int:
        """Puts a raw update into a bot's queue; update_id is given unless it brings one."""
        return self.bot(account).updates.add(update)

    def repeat(self, act: int | str) -> None:
        """Delivers an update or inbound message once more, whenever that is asked."""
        if isinstance(act, str):
            self.whatsapp.repeat(self.whatsapp.inbound[act])
            return
        for bot in self.telegram.bots.values():
            for attempt in reversed(bot.updates.attempts):
                if attempt["id"] == act:
                    bot.updates.repeat(attempt["update"])
                    return
        raise LookupError(f"update {act} was never delivered")

    def duplicate_next(self, copies: int = 1, account: str | None = None) -> None:
        """The next inbound update or message is delivered that many more times, concurrently."""
        self.whatsapp.copies = copies
        for bot in self.telegram.bots.values():
            bot.updates.copies = copies

    def hold_inbound(self) -> None:
        """From now on nothing reaches the product until `release_inbound`."""
        self.whatsapp.held = []
        for bot in self.telegram.bots.values():
            bot.updates.held = []

    def release_inbound(self, order: list[int] | None = None) -> None:
        """Lets held ones go, as they came or in the order of `order` (places from 0)."""
        if self.whatsapp.held is not None:
            self.whatsapp.release(order if self.whatsapp.held else None)
        for bot in self.telegram.bots.values():
            if bot.updates.held is not None:
                bot.updates.release(order if bot.updates.held else None)

    def hold_statuses(self) -> None:
        """Keeps status callbacks back until `release_statuses`."""
        self.statuses.held = []

    def release_statuses(self, order: list[int] | None = None) -> None:
        """Posts held callbacks, as they came or in the order of `order` (places from 0)."""
        self.statuses.release(order)

    def template(
        self, sid: str, status: Literal["approved", "rejected", "pending", "paused"],
        reason: str = "",
    ) -> None:  # fmt: skip
        """Decides about a template."""
        self.contents.decide(sid, status, reason)

    def switch(self, **values: Any) -> None:
        """Changes switches by name."""
        self.switches.change(values)

    def duplicates(self) -> dict[str, int]:
        """How many texts each person received more than once (same text, same buttons)."""
        found: dict[str, int] = {}
        for person in self.world.people:
            seen = [(m.text, str(m.buttons)) for m in self.received(person)]
            if extra := len(seen) - len(set(seen)):
                found[person] = extra
        return found

    def reset_counters(self) -> None:
        """Counters to zero."""
        self.counters.calls.clear()
        self.counters.refused.clear()
        self.counters.received.clear()
        self.counters.violations.clear()
        self.counters.too_many = 0

    def reset(self) -> None:
        """Forgets people, messages, contents and faults; ids never start again."""
        for bot in self.telegram.bots.values():
            bot.updates.clear()
            bot.callbacks.clear()
        for table in (self.contents.all, self.whatsapp.inbound):
            table.clear()
        self.out.clear()
        self.faults.clear()
        self.reset_counters()
        self.store.clear()
        self.world.clear()

    # clock and guide ------------------------------------------------------------------------
    def advance(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> float:
        """Moves the emulator's clock; returns its offset in seconds."""
        offset = self.clock.advance(days=days, hours=hours, seconds=seconds)
        self.save_settings()
        self.world.tell({"type": "clock", "offset": offset})
        return offset

    def set_guide(self, steps: Iterable[Json]) -> None:
        """Steps of the page's guide: {kk, ru, done_when?}."""
        self.guide = list(steps)
        self.save_settings()
        self.world.tell({"type": "guide", "steps": self.guide})

    def save_settings(self) -> None:
        """Writes the clock's offset and the guide."""
        self.store.put("setting", "all", lambda: {"offset": self.clock.offset, "guide": self.guide})

    def inbound(self, sid: str) -> Inbound:
        """How the delivery of a WhatsApp message went: answers, TwiML replies."""
        return self.whatsapp.inbound[sid]


def _choices(message: Message) -> list[tuple[Json, bool]]:
    """Every button of a message, and every row of its list (True)."""
    buttons = [(button, False) for row in message.buttons for button in row]
    rows = message.listing["items"] if message.listing else []
    return buttons + [(row, True) for row in rows]


def _exactly(choice: Json, wanted: str) -> bool:
    return wanted in (
        choice.get("text"), choice.get("data"), choice.get("id"), choice.get("title"),
    )  # fmt: skip


def _contains(choice: Json, wanted: str) -> bool:
    return wanted in str(choice.get("text") or choice.get("title") or "")
