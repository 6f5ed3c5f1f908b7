"""An akim with a notice to three villagers, for tests in conversation."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text

from bot.clockwork import Clockwork
from conversation.message import ChannelName, Content
from core.languages import Language
from services import notices
from services.notices import NoticeText
from services.outbox import CONTENT
from support.database import until
from support.talk import KK, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk

EACH = pytest.mark.parametrize(
    ("channel", "language"), [(TELEGRAM, KK), (TELEGRAM, RU), (WHATSAPP, KK), (WHATSAPP, RU)]
)
TEXTS = {KK: NoticeText("Су жоқ", "Ертең"), RU: NoticeText("Нет воды", "Завтра")}


class Office:
    """An akim with a notice to three villagers."""

    def __init__(self, talk: Talk, akim: Person, notice: UUID) -> None:
        self.talk, self.akim, self.notice = talk, akim, notice

    async def status(self) -> object:
        return await self.talk.one("SELECT status FROM notice WHERE id = :id", id=self.notice)


async def office(
    talk: Talk,
    channel: ChannelName,
    language: Language,
    later: timedelta | None = None,
    *,
    read: Language = KK,
) -> Office:
    """`read`: the villagers' language."""
    for village in ("Бугровое", "Бугровое", "Сосновка"):
        await talk.resident(TELEGRAM, read, village)
    akim = await talk.official(channel, language)
    return Office(talk, akim, await announced(talk, akim, later))


async def announced(
    talk: Talk, akim: Person, later: timedelta | None = None, place: str = OKRUG
) -> UUID:
    """A notice of theirs, queued as the form queues it, or planned."""
    author = await akim.address()
    async with talk.db.unit() as unit:
        unit.actor, notice = UUID(str(author["speaker_id"])), unit.new_id()
        status = await notices.announce(
            unit,
            again=True,
            notice=notice,
            author_address=UUID(str(author["id"])),
            place_code=place,
            audience=["595041100", "595041500", "595041600"],
            texts=TEXTS,
            monolingual=None,
            send_at=talk.clock.now() + later if later else None,
        )
        if status == "sending":
            contents = {one: Content(one, TEXTS[one].body).to_json() for one in Language}
            await notices.queue(unit, notice, contents)
    return notice


async def at_once(talk: Talk, *acts: Callable[[], Awaitable[object]]) -> None:
    """They meet at the notice: each has begun and waits for it when the first one goes on; the
    others follow in this order."""
    begun = []
    async with talk.db.session() as session:
        await session.execute(text("SELECT 1 FROM notice FOR UPDATE"))
        for many, act in enumerate(acts, 1):
            begun.append(asyncio.ensure_future(act()))
            await until(partial(_waiting, talk, many))
    await asyncio.gather(*begun)


async def _waiting(talk: Talk, many: int) -> bool:
    return await talk.one("SELECT count(*) FROM pg_locks WHERE NOT granted") == many


async def sent_all(talk: Talk, priority: int) -> None:
    """Everything of this priority has gone out."""
    async with talk.db.session() as session:
        await session.execute(
            text(
                "UPDATE delivery SET outcome = 'sent', sent_at = :at, finished_at = :at"
                " WHERE outcome IS NULL AND priority = :priority"
            ),
            {"at": talk.clock.now(), "priority": priority},
        )


async def live_message(talk: Talk) -> str:
    """What the clock brings the author's live message to."""
    talk.clock.advance(timedelta(minutes=1))
    clock = Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None)
    assert await clock.show_live() == 1
    (newest,) = await talk.rows(
        "SELECT m.id, m.content FROM delivery AS d JOIN message AS m ON m.id = d.message_id"
        " ORDER BY d.seq DESC LIMIT 1"
    )
    opened = talk.db.keyring.open(CONTENT, newest["id"], newest["content"])  # type: ignore[arg-type]
    return Content.from_json(json.loads(opened)).body
