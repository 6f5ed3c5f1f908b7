"""The people, their chats with bots and senders, and the messages that stand in those chats."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from emulator.clock import Clock
from emulator.faults import Counters
from emulator.store import Json, Store

Channel = Literal["telegram", "whatsapp"]


@dataclass
class Person:
    """Somebody with a phone (or, on Telegram, a group)."""

    id: str
    name: str
    channel: Channel
    telegram_id: int = 0
    username: str = ""
    phone: str = ""  # E.164 with the plus
    external_id: str = ""  # WhatsApp's business-scoped id, "US.1234"
    hidden: bool = False  # WhatsApp: the phone is not shown to businesses
    language: str = "kk"
    on_page: bool = False
    role: str = ""
    colour: str = ""
    reads: bool = True  # WhatsApp: reads at once and lets the sender know
    deactivated: bool = False
    group: bool = False
    taps: float = 0.0  # the chance that this silent person taps what they get (emulator.habits)

    @property
    def address(self) -> str:
        """What a WhatsApp business sees in From and may put into To."""
        return f"whatsapp:{self.external_id}" if self.hidden else f"whatsapp:{self.phone}"


@dataclass
class Chat:
    """One person's conversation with one bot (its user id) or sender (its address)."""

    person: str
    account: str
    started: bool = False
    blocked: bool = False
    opted_out: bool = False
    keyboard: Json | None = None  # Telegram's reply keyboard that stands now
    last_inbound: float | None = None  # emulator's clock; opens WhatsApp's window
    start_payload: str = ""  # of a link that was opened and not started yet
    draft: str = ""  # prefilled text of a wa.me link

    @property
    def key(self) -> str:
        """The chat's name in the store."""
        return f"{self.person}|{self.account}"


@dataclass
class Message:
    """One bubble on a phone."""

    seq: int  # grows over all chats; never repeats
    person: str
    account: str
    mine: bool  # written by the person
    text: str
    at: float
    entities: list[Json] = field(default_factory=list)
    message_id: int = 0  # Telegram's
    sid: str = ""  # Twilio's
    buttons: list[list[Json]] = field(default_factory=list)  # {text, data|url|id}
    listing: Json | None = None  # WhatsApp list: {button, items: [{id, title, description}]}
    keyboard: Json | None = None  # the reply keyboard that came with it
    media: Json | None = None  # {kind, file, url, name, mime, size, ...}
    raw: Json = field(default_factory=dict)  # Telegram's own Message object
    edits: int = 0
    deleted: bool = False
    editable: bool = True
    status: str = ""  # sent, delivered, read
    template: str = ""  # ContentSid of an approved template
    note: str = ""  # a line of the messenger itself, not a bubble
    album: str = ""

    def to_json(self) -> Json:
        """As the page and the control API see it."""
        body = asdict(self)
        del body["raw"]
        return body


Listener = Callable[[Json], None]


class World:
    """Everything that is remembered of people and chats."""

    def __init__(self, store: Store, clock: Clock, counters: Counters) -> None:
        self.on_show: Callable[[Message], None] = lambda message: None
        self.store = store
        self.clock = clock
        self.counters = counters
        self.people: dict[str, Person] = {}
        self.chats: dict[tuple[str, str], Chat] = {}
        self.messages: dict[str, list[Message]] = defaultdict(list)
        self._by_number: dict[tuple[str, int], Message] = {}
        self._by_address: dict[str, Person] = {}
        self._listeners: list[Listener] = []
        self._changed = asyncio.Event()

    # loading --------------------------------------------------------------------------------
    def load(self) -> None:
        """Reads what an earlier run left in the store."""
        for body in self.store.load("person"):
            self._index(Person(**body))
        for body in self.store.load("chat"):
            chat = Chat(**body)
            self.chats[(chat.person, chat.account)] = chat
        for body in self.store.load("message"):
            self._keep(Message(**body))
        for messages in self.messages.values():
            messages.sort(key=lambda message: message.seq)

    def clear(self) -> None:
        """Forgets all people and messages."""
        for table in (self.people, self.chats, self.messages, self._by_number, self._by_address):
            table.clear()
        self.tell({"type": "reset"})

    # people ---------------------------------------------------------------------------------
    def add(self, person: Person) -> Person:
        """Takes somebody in; an id that is known already raises ValueError."""
        if person.id in self.people:
            raise ValueError(f"there is already a person called {person.id!r}")
        self._index(person)
        self.save_person(person)
        return person

    def _index(self, person: Person) -> None:
        self.people[person.id] = person
        for address in _addresses(person):
            self._by_address[address] = person

    def save_person(self, person: Person) -> None:
        """Writes the person and tells the page."""
        self.store.put("person", person.id, lambda: asdict(person))
        if person.on_page:
            self.tell({"type": "person", "person": asdict(person)})

    def person(self, person_id: str) -> Person:
        """The person of that id; KeyError with a clear text when there is none."""
        if person_id not in self.people:
            raise KeyError(f"no person called {person_id!r}")
        return self.people[person_id]

    def by_address(self, address: str) -> Person | None:
        """Who has this chat id ("tg:123") or WhatsApp address ("whatsapp:+7...")."""
        return self._by_address.get(address)

    # chats ----------------------------------------------------------------------------------
    def chat(self, person_id: str, account: str) -> Chat:
        """The conversation, made when there was none."""
        key = (person_id, account)
        if key not in self.chats:
            self.chats[key] = Chat(person_id, account)
        return self.chats[key]

    def save_chat(self, chat: Chat) -> None:
        """Writes the chat and tells the page."""
        self.store.put("chat", chat.key, lambda: asdict(chat))
        if self.people[chat.person].on_page:
            self.tell({"type": "chat", "person": chat.person, "chat": asdict(chat)})

    # messages -------------------------------------------------------------------------------
    def _keep(self, message: Message) -> None:
        self.messages[message.person].append(message)
        if message.message_id:
            self._by_number[(message.account, message.message_id)] = message

    def show(self, message: Message) -> Message:
        """Puts a new bubble on the person's phone."""
        self._keep(message)
        if not message.mine and not message.note:
            self.counters.received[message.person] += 1
        self.changed(message)
        self.on_show(message)
        return message

    def changed(self, message: Message) -> None:
        """Writes a message that is new or was edited, and wakes who waits for it."""
        self.store.put("message", str(message.seq), lambda: asdict(message))
        self.wake()
        if self.people[message.person].on_page:
            self.tell({"type": "message", "person": message.person, "message": message.to_json()})

    def numbered(self, account: str, person_id: str, message_id: int) -> Message | None:
        """Telegram's message of that number in that chat, deleted ones left out."""
        found = self._by_number.get((account, message_id))
        return found if found and found.person == person_id and not found.deleted else None

    def next_seq(self) -> int:
        """A number for the next bubble."""
        return self.store.next_id("seq")

    # news -----------------------------------------------------------------------------------
    def wake(self) -> None:
        """Lets everybody who waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until_changed(self) -> None:
        """Returns when something has changed."""
        await self._changed.wait()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with each piece of news; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, news: Json) -> None:
        """Passes news on to the pages that are open."""
        for listener in list(self._listeners):
            listener(news)


def _addresses(person: Person) -> list[str]:
    if person.channel == "telegram":
        return [f"tg:{person.telegram_id}"]
    known = [person.phone, person.external_id]
    return [f"whatsapp:{address}" for address in known if address]


def plain(value: Any) -> Json:
    """A dataclass as JSON."""
    return asdict(value)
