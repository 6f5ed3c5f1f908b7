"""People who are there already, a notice that is out, and more than one process."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from fluent.syntax import FluentParser, ast
from sqlalchemy import text

from bot.app import App, make_app
from bot.database import engines
from bot.serve import listen
from core.languages import Language
from core.texts import LOCALES, texts
from handlers.notice import composed
from services import notices, roles, territory
from services.notices import NoticeText
from services.residents import Registration
from services.roles import RoleName
from support.database import TestDatabase
from support.registered import registered
from support.world import OKRUG, Running, World, free_port

VILLAGE, NEXT_VILLAGE, ELSEWHERE = "595041100", "595041500", "595030100"
WORDS = {
    Language.KK: NoticeText("Су құбыры жөнделеді", "Ертең су болмайды."),
    Language.RU: NoticeText("Ремонт водопровода", "Завтра не будет воды."),
}


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person of the emulator, and who that is here."""

    id: str
    resident: UUID
    address: UUID
    account: UUID


async def settled(
    world: World,
    who: str,
    channel: str = "telegram",
    *,
    place: str = VILLAGE,
    name: str = "Иванов Пётр",
    language: str = "ru",
    phone: str = "",
    window: bool = True,
    started: bool = True,
    role: RoleName | None = None,
    street: str | None = None,
    born: date = date(1986, 3, 5),
) -> Somebody:
    """Registers somebody without a conversation; `window`: has written within 24 hours."""
    person = world.emulator.add_person(
        who, name, channel, phone=phone, started=started, window_open=window, language=language
    )
    account = next(one.id for one in world.app.accounts if one.channel == channel)
    alias = ("chat", str(person.telegram_id)) if channel == "telegram" else ("phone", person.phone)
    async with world.db.unit() as unit:
        given = Registration(name, place, born, language, street=street, phone=person.phone)
        silent = timedelta() if window else timedelta(days=3)
        address, resident = await registered(unit, account, [alias], given, silent=silent)
        if role is not None:
            await roles.grant(unit, resident, role, OKRUG)
    return Somebody(who, resident, address, account)


def words(language: str, key: str) -> str:
    """The longest piece of this text that holds no argument: what a reader would know it by."""
    found = _patterns(language)[key]
    pieces = [
        line.strip()
        for element in found.elements
        if isinstance(element, ast.TextElement)
        for line in element.value.splitlines()
    ]
    return max(pieces, key=len)


@cache
def _patterns(language: str) -> dict[str, ast.Pattern]:
    entries = [
        entry
        for path in (LOCALES / language).glob("*.ftl")
        for entry in FluentParser().parse(path.read_text(encoding="utf-8")).body
    ]
    return {e.id.name: e.value for e in entries if isinstance(e, ast.Message) and e.value}


async def send_notice(
    world: World,
    author: Somebody,
    audience: Sequence[str] = (VILLAGE,),
    words: Mapping[Language, NoticeText] = WORDS,
) -> UUID:
    """The akim's notice, queued as the form queues it."""
    async with world.db.unit() as unit:
        unit.actor = author.resident
        notice = unit.new_id()
        office = await territory.akim_of(unit.session, OKRUG)
        contents = composed(texts(), office, notice, words)
        status = await notices.announce(
            unit,
            again=True,
            notice=notice,
            author_address=author.address,
            place_code=OKRUG,
            audience=audience,
            texts=words,
            monolingual=None,
        )
        assert status == "sending"
        stored = {one: content.to_json() for one, content in contents.items()}
        assert await notices.queue(unit, notice, stored)
    world.app.wake()
    return notice


async def rows(db: TestDatabase, statement: str, **values: Any) -> list[Any]:
    """What a statement finds now."""
    async with db.session() as session:
        return list((await session.execute(text(statement), values)).all())


async def one(db: TestDatabase, statement: str, **values: Any) -> Any:
    """The only value that it finds."""
    ((value,),) = await rows(db, statement, **values)
    return value


async def move_clock(db: TestDatabase, apps: Sequence[App], by: timedelta) -> None:
    """Moves the time of the installation, for these processes at once."""
    statement = "UPDATE installation SET clock_offset = clock_offset + :by RETURNING clock_offset"
    offset = await one(db, statement, by=by)
    for clock in (db.clock, *(app.clock for app in apps)):
        clock.offset = offset


@asynccontextmanager
async def another_process(
    db: TestDatabase, like: App, *, serving: bool = True, port: int | None = None
) -> AsyncIterator[Running]:
    """The same program again: own engines, own port (or a shared one), the same database."""
    own = engines(db.database.url)
    settings = like.settings.model_copy(update={"port": port or free_port()})
    app = await make_app(settings, own)
    runner = await listen(app, "127.0.0.1")
    if serving:
        await app.start()
    running = Running(app, runner)
    try:
        yield running
    finally:
        if serving:
            await running.stop()
        else:
            await runner.cleanup()
        await own.turns.dispose()
        await own.work.dispose()


def address_of(running: Running) -> str:
    """Where this process listens."""
    return f"http://127.0.0.1:{running.app.settings.port}"
