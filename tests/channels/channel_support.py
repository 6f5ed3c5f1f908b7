"""Hand-written fakes and constants for the tests of the channels."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from aiohttp import web

from conversation.message import FileRef
from core.languages import Language
from services.content_templates import NEW, NOT_MADE, Remembered, Slot

ACCOUNT = UUID("0192f0c1-0000-7000-8000-000000000001")
DELIVERY = UUID("0192f0c1-0000-7000-8000-000000000002")
TOKEN = "4242:test-token"
SID = "AC" + "1" * 32
SECRET = "twilio-secret"
SENDER = "whatsapp:+77001112233"


@dataclass
class MemoryFiles:
    """Stored files as a dictionary; notes what is asked of it."""

    contents: dict[UUID, bytes] = field(default_factory=dict)
    telegram: dict[UUID, str] = field(default_factory=dict)
    read: list[UUID] = field(default_factory=list)
    url: str = "http://127.0.0.1:1/files"

    async def telegram_file_id(self, file_id: UUID, account: UUID) -> str | None:
        return self.telegram.get(file_id)

    async def remember_telegram(self, file_id: UUID, account: UUID, telegram_id: str) -> None:
        self.telegram[file_id] = telegram_id

    async def bytes_of(self, file_id: UUID) -> bytes:
        self.read.append(file_id)
        return self.contents[file_id]

    async def public_url(self, file: FileRef) -> str:
        return f"{self.url}/{file.id}/{file.name}"


@dataclass
class MemoryTemplates:
    """What was made at Twilio, as a dictionary; `rival` is another process's resource."""

    made: dict[Slot, Remembered] = field(default_factory=dict)
    rival: str | None = None

    async def find(self, slot: Slot) -> Remembered | None:
        return self.made.get(slot)

    async def remember(self, slot: Slot, sid: str, now: datetime) -> Remembered:
        if slot not in self.made or self.made[slot].sid == NOT_MADE:
            self.made[slot] = Remembered(self.rival or sid, NEW, None)
        return self.made[slot]

    async def note(self, slot: Slot, status: str, now: datetime) -> None:
        self.made[slot] = Remembered(self.made[slot].sid, status, now)

    async def forget(self, slot: Slot, sid: str) -> None:
        self.made.pop(slot, None)


@dataclass
class Callbacks:
    """Our own POST /whatsapp/status, in small."""

    url: str = ""
    taken: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        url = f"{self.url}?{request.query_string}"
        self.taken.append((url, form, request.headers["X-Twilio-Signature"]))
        return web.Response(status=204)


def wording(kind: str, language: Language) -> tuple[str, str]:
    """A template's words, as the locales will have them."""
    if language is Language.KK:
        return "Әкімнен хабар ({{1}}): {{2}}. Толық оқу үшін басыңыз.", "Оқу"
    return "Сообщение от акима ({{1}}): {{2}}. Чтобы прочитать, нажмите.", "Прочитать"
