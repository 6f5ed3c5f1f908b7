"""People who talk with the real engine, router and database; no messenger between.

What they hear is read from the outbox. A bug in a handler is raised, not apologised for.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import text as sql

from bot.engine import Engine, Received, Result
from conversation.message import (
    Alias,
    AliasKind,
    Attachments,
    Button,
    ChannelName,
    Contact,
    Content,
    Incoming,
    IncomingFile,
    Kind,
    Medium,
)
from conversation.state import FormState, State
from core.clock import FrozenClock
from core.languages import Language
from core.texts import Argument, T, texts
from handlers import make_router
from services import conversations, intake, roles
from services.installation import Links, ensure_account
from services.outbox import CONTENT, REPLY
from services.residents import Registration
from services.roles import RoleName
from support.database import TestDatabase
from support.registered import registered

KK, RU = Language
TELEGRAM, WHATSAPP = ChannelName
OKRUG = "595041000"
NAME = "Ахметов Серік Болатұлы"


class Loud(Engine):
    """The engine, but what a handler does wrong comes out."""

    async def _failed(self, incoming: Incoming, error: Exception) -> Result:
        raise error


@dataclass(slots=True)
class Talk:
    """The engine with one account on each messenger and a clock that stands."""

    db: TestDatabase
    engine: Engine
    clock: FrozenClock
    accounts: dict[ChannelName, UUID]
    people: int = 0

    def person(self, channel: ChannelName = TELEGRAM, **how: object) -> "Person":
        """Somebody who has not written yet."""
        self.people += 1
        return Person(self, channel, self.people, **how)  # type: ignore[arg-type]

    async def resident(
        self,
        channel: ChannelName = TELEGRAM,
        language: Language = RU,
        village: str = "Бугровое",
    ) -> "Person":
        """Somebody who is registered, has said nothing else, and has the menu before them."""
        person = self.person(channel)
        person.language = language
        proved = person.phone if channel is WHATSAPP else None
        given = Registration(
            NAME, _VILLAGES[village], BORN, language, STREET, proved, phone_proved=bool(proved)
        )
        async with self.db.unit() as unit:
            await registered(unit, self.accounts[channel], [person.alias], given)
        await person.start()
        return person

    async def official(
        self,
        channel: ChannelName = TELEGRAM,
        language: Language = RU,
        place: str = OKRUG,
        role: RoleName = RoleName.AKIM,
    ) -> "Person":
        """Somebody who came by an invitation and holds the role."""
        async with self.db.unit() as unit:
            code = await roles.invite(unit, role, place)
        person = self.person(channel)
        await person.start(f"i_{code}")
        await person.chooses(language)
        return person

    async def rows(self, statement: str, **values: object) -> list[dict[str, object]]:
        """What a query finds."""
        async with self.db.session() as session:
            return [dict(row) for row in (await session.execute(sql(statement), values)).mappings()]

    async def one(self, statement: str, **values: object) -> object:
        """The single value that a query finds."""
        async with self.db.session() as session:
            return (await session.execute(sql(statement), values)).scalar_one()

    async def audited(self) -> list[str]:
        """The actions in the audit trail."""
        return [str(row["action"]) for row in await self.rows("SELECT action FROM audit")]


async def start_talk(db: TestDatabase) -> Talk:
    """The engine on this database."""
    clock = FrozenClock()
    db = dataclasses.replace(db, clock=clock)
    accounts = {}
    async with db.unit() as unit:
        for channel in ChannelName:
            made = await ensure_account(unit, channel.value, f"sender-{channel}", "bot", {})
            accounts[channel] = made.id
    engine = Loud(db.database, db.keyring, clock, make_router(), links=Links())
    return Talk(db, engine, clock, accounts)


@dataclass(slots=True)
class Person:
    """One person on one messenger: says, taps, and remembers what was heard."""

    talk: Talk
    channel: ChannelName
    number: int
    phone_known: bool = True  # WhatsApp: the message carries the phone number
    also: tuple[Alias, ...] = ()  # other names that the messenger gives of the same sender
    heard: list[Content] = field(default_factory=list)  # the answer to the latest message
    screen: Content | None = None  # the latest that had something to tap
    updates: int = 0
    language: Language = KK

    @property
    def phone(self) -> str:
        """Their number."""
        return f"+7701{self.number:07}"

    @property
    def text(self) -> str:
        """All words of the latest answer."""
        return "\n".join(part for c in self.heard for part in (c.heading, c.title, c.body) if part)

    @property
    def buttons(self) -> list[Button]:
        """What can be tapped, ways out last."""
        return [*self.screen.choices, *self.screen.nav] if self.screen else []

    @property
    def labels(self) -> list[str]:
        """The words on the buttons."""
        return [button.label for button in self.buttons]

    def t(self, key: str, **args: Argument) -> str:
        """This text in their language."""
        return texts().say(self.language, T(key, **args))

    def hears(self, key: str, **args: Argument) -> bool:
        """Is this text part of the latest answer?"""
        return self.t(key, **args) in self.text

    async def pick(self, key: str) -> str:
        """Taps the button whose words this text is."""
        return await self.tap(self.t(key))

    async def pick_first(self, key: str, name: str = "Серік А.") -> str:
        """Taps the button whose words are this text with this name."""
        return await self.tap(self.t(key, name=name))

    async def say(self, text: str) -> str:
        """Types this; what is answered."""
        return await self._send(Kind.TEXT, text=text)

    async def says(self, *texts: str) -> str:
        """Types these one after the other; the last answer."""
        for text in texts:
            await self.say(text)
        return self.text

    async def tap(self, label: str) -> str:
        """Taps the button of the current screen that says this."""
        found = [b.payload for b in self.buttons if b.label == label]
        assert len(found) == 1, f"{label!r} is not one of {self.labels}: {self.text}"
        return await self.press(found[0])

    async def press(self, payload: str, text: str = "") -> str:
        """A tap that carries this payload, be it old or forged."""
        return await self._send(Kind.CHOICE, payload=payload, text=text, tapped_message="77")

    async def start(self, parameter: str = "") -> str:
        """Telegram's start button, or WhatsApp's prefilled words."""
        if self.channel is WHATSAPP:
            return await self.say(parameter or "/start")
        return await self._send(Kind.START, start=parameter or None)

    async def share(self, own: bool = True) -> str:
        """Shares a contact: the own one or somebody else's."""
        number = self.phone if own else "+77770000000"
        return await self._send(Kind.CONTACT, contact=Contact(number, own))

    async def send_file(
        self,
        medium: Medium,
        caption: str = "",
        *,
        mime: str | None = None,
        name: str | None = None,
        size: int | None = None,
        album: str | None = None,
    ) -> str:
        """Sends a photo, a document, a voice message, a place …; a photo is a JPEG."""
        mime = mime or ("image/jpeg" if medium is Medium.PHOTO else None)
        files: Attachments = (IncomingFile(medium, f"file-{self.updates}", mime, size, name),)
        return await self._send(Kind.ATTACHMENT, files=files, text=caption, album=album)

    async def does(self, kind: Kind) -> str:
        """Blocks, edits, or something that this version does not know."""
        return await self._send(kind)

    async def chooses(self, language: Language) -> str:
        """Comes in and takes a language."""
        if self.screen is None:
            await self.start()
        self.language = language
        return await self.pick(f"language-{language}")

    async def registers(self, village: str = "Бугровое", until: str = "") -> str:
        """Answers everything, or stops before the step named."""
        for step, answers in _ANSWERS.items():
            if step == until:
                return self.text
            if step == "phone" and self.channel is WHATSAPP and self.phone_known:
                continue
            await self.says(*(answer or village for answer in answers))
        return self.text

    async def state(self) -> State:
        """What is stored of the conversation."""
        address = await self.address()
        keyring = self.talk.db.keyring
        stored = keyring.open(intake.STATE, address["id"], address["state"])  # type: ignore[arg-type]
        return State.load(stored, int(str(address["turn"])))

    async def stores(self, state: str) -> None:
        """This is stored of the conversation instead."""
        address = await self.address()
        async with self.talk.db.unit() as unit:
            await conversations.store(unit, UUID(str(address["id"])), state)

    async def form(self) -> FormState | None:
        """The form under way, as stored."""
        return (await self.state()).form

    async def address(self) -> dict[str, object]:
        """The stored address."""
        hashed = intake.alias_hash(self.talk.db.keyring, *self.alias)
        [row] = await self.talk.rows(
            "SELECT a.* FROM address AS a JOIN address_alias AS l ON l.address_id = a.id"
            " WHERE l.hash = :hash",
            hash=hashed,
        )
        return row

    async def received(self) -> list[Content]:
        """All replies that were put out for them, also unasked ones, but those without words."""
        rows = await self.talk.rows(
            "SELECT d.id FROM delivery AS d JOIN message AS m ON m.id = d.message_id"
            " WHERE d.address_id = :id AND d.priority = :reply AND m.content <> '' ORDER BY d.seq",
            id=(await self.address())["id"],
            reply=REPLY,
        )
        return await _contents(self.talk.db, [row["id"] for row in rows])  # type: ignore[misc]

    @property
    def alias(self) -> tuple[str, str]:
        """By what the messenger tells them from others."""
        if self.channel is TELEGRAM:
            return AliasKind.CHAT.value, str(1000 + self.number)
        if self.phone_known:
            return AliasKind.PHONE.value, self.phone
        return AliasKind.SCOPED.value, f"KZ.{self.number}"

    async def _send(self, kind: Kind, **what: object) -> str:
        self.updates += 1
        self.talk.clock.advance(timedelta(seconds=1))
        alias_kind, value = self.alias
        incoming = Incoming(
            account=self.talk.accounts[self.channel],
            channel=self.channel,
            external_ids=(f"u:{self.number}:{self.updates}",),
            aliases=(Alias(AliasKind(alias_kind), value), *self.also),
            received_at=self.talk.clock.now(),
            kind=kind,
            **what,  # type: ignore[arg-type]
        )
        result = await self.talk.engine.receive(incoming)
        assert result.received in (Received.DONE, Received.IGNORED)
        self.heard = await _contents(self.talk.db, result.deliveries)
        for content in self.heard:
            if content.choices or content.nav:
                self.screen = content
        return self.text


_VILLAGES = {"Бугровое": "595041100", "Сосновка": "595041600"}
STREET, BORN = "Абай көшесі, 12", date(1986, 3, 5)

# In every language; a tap by its number, words where words are asked for.
_ANSWERS = {
    "consent": ("1",),
    "name": (NAME,),
    "village": ("", "да"),
    "street": (STREET,),
    "birth": (f"{BORN:%d.%m.%Y}",),
    "phone": ("1",),
    "summary": ("1",),
}


async def _contents(db: TestDatabase, deliveries: Sequence[UUID]) -> list[Content]:
    async with db.session() as session:
        rows = await session.execute(
            sql(
                "SELECT m.id, m.content FROM delivery AS d JOIN message AS m ON m.id = d.message_id"
                " WHERE d.id = ANY(:ids) ORDER BY d.seq"
            ),
            {"ids": list(deliveries)},
        )
        return [
            Content.from_json(json.loads(db.keyring.open(CONTENT, row.id, row.content)))
            for row in rows
        ]


# Twelve villages called Жамбыл: nine in the first oblast (five and four by district), two in the
# second, one in the third.
_OBLASTS = (
    ("11", "Акмолинская область", "Ақмола облысы"),
    ("27", "Карагандинская область", "Қарағанды облысы"),
    ("35", "Алматинская область", "Алматы облысы"),
)
_DISTRICTS = (
    ("1130", "Аршалынский район", "Аршалы ауданы", 5),
    ("1150", "Буландынский район", "Бұланды ауданы", 4),
    ("2730", "Абайский район", "Абай ауданы", 2),
    ("3530", "Карасайский район", "Қарасай ауданы", 1),
)


def namesakes(folder: Path) -> Path:
    """An edition of КАТО with them, and with villages that are called like commands."""
    lines = ["kato,kato_version,level,type_code,name_ru,name_kk"]

    def add(code: str, level: str, kind: str, ru: str, kk: str) -> None:
        lines.append(f"{code},NK RK 11-2025,{level},{kind},{ru},{kk}")

    for start, ru, kk in _OBLASTS:
        add(f"{start}0000000", "oblast", "0", ru, kk)
    for start, ru, kk, count in _DISTRICTS:
        add(f"{start}00000", "district", "2", ru, kk)
        for n in range(1, count + 1):
            okrug = f"{start}{30 + n}"
            add(f"{okrug}000", "sub_district", "2", f"Округ{n}ский с.о.", f"Округ{n} а.о.")
            add(f"{okrug}100", "settlement", "2", "с.Жамбыл", "Жамбыл а.")
    add("353031200", "settlement", "2", "с.Тохта", "Тоқта а.")
    add("353031300", "settlement", "2", "с.Бастау", "Бастау а.")
    path = folder / "namesakes.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
