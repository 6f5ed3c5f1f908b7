"""Our own polling of Telegram: the offset passes only what is committed.

aiogram's loop confirms updates before their handlers end; this one runs under the account's
advisory lock, chats in parallel, one chat in order, and asks again from the oldest update that
is not done. Source: core.telegram.org/bots/api#getupdates.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import AiogramError
from aiohttp import ClientError, ClientTimeout
from sqlalchemy import text

from bot.channels.telegram_updates import ALLOWED_UPDATES, chat_id_of
from bot.database import Database, advisory_lock
from bot.engine import Received, is_transient
from services.dead_letters import where

log = structlog.get_logger()

LONG_POLL = 25  # seconds
RETRY = 1.0
LIMIT = 100

Update = dict[str, Any]
Take = Callable[[UUID, Update], Awaitable[Received]]


class Refused(Exception):
    """Telegram answered, but gave no updates: 401, 409, 429, 5xx."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.code = answer.get("error_code", 0)
        self.retry_after = float((answer.get("parameters") or {}).get("retry_after") or RETRY * 3)
        super().__init__(self.code)


@dataclass(slots=True)
class Poller:
    """Polls for one account, in whichever process holds its lock."""

    database: Database
    account: UUID
    bot: Bot
    take: Take
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _open: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _chats: dict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _next: int | None = None

    async def run(self) -> None:
        """Polls until `stop`; another process takes over when this one loses its lock."""
        while not self._stopping.is_set():
            try:
                await self._under_lock()
            except Exception as error:  # whatever it is, somebody has to go on polling
                level = log.warning if is_transient(error) else log.error
                level("polling-waits", error=where(error))
            await self._pause(RETRY)

    def stop(self) -> None:
        """Ends `run`; what is not committed will come again."""
        self._stopping.set()

    async def _under_lock(self) -> None:
        key = self.account.int & ((1 << 63) - 1)
        async with advisory_lock(self.database.work, key) as connection:
            if connection is None:
                return
            await self._begin()
            while not self._stopping.is_set():
                await connection.scalar(text("SELECT 1"))
                await connection.commit()
                await self._round()

    async def _begin(self) -> None:
        self._next = None
        with suppress(AiogramError):
            await self.bot.delete_webhook()

    async def _round(self) -> None:
        """One getUpdates; comes back when something can be confirmed, or to ask for more."""
        try:
            updates = await self._fetch()
        except (ClientError, TimeoutError, OSError) as error:
            log.warning("polling-failed", error=type(error).__name__)
            return await self._pause(RETRY)
        except Refused as refused:
            log.warning("polling-refused", code=refused.code)
            return await self._pause(refused.retry_after)
        started = [self._start(update) for update in updates]
        if self._open and (not any(started) or len(updates) < LIMIT):
            await asyncio.wait(self._open.values(), return_when=asyncio.FIRST_COMPLETED)
        if not self._open:
            self._chats.clear()

    async def _fetch(self) -> list[Update]:
        """The updates as they are: also kinds and fields that aiogram does not know yet."""
        fetching = asyncio.ensure_future(self._get_updates())
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({fetching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if fetching.done():
            return fetching.result()
        fetching.cancel()
        return []

    async def _get_updates(self) -> list[Update]:
        session = self.bot.session
        if not isinstance(session, AiohttpSession):
            raise TypeError("polling needs aiogram's aiohttp session")
        http = await session.create_session()
        wait = 0 if self._open else LONG_POLL
        offset = min(self._open) if self._open else self._next
        request = {"limit": LIMIT, "timeout": wait, "allowed_updates": list(ALLOWED_UPDATES)}
        if offset is not None:
            request["offset"] = offset
        url = session.api.api_url(token=self.bot.token, method="getUpdates")
        async with http.post(url, json=request, timeout=ClientTimeout(wait + 15)) as response:
            answer = await response.json(content_type=None)
        if not isinstance(answer, dict) or not answer.get("ok"):
            raise Refused(answer if isinstance(answer, dict) else {})
        result: list[Update] = answer["result"]
        return result

    def _start(self, update: Update) -> bool:
        """Begins to deal with an update, unless that was begun before."""
        number = int(update["update_id"])
        if number in self._open or (self._next is not None and number < self._next):
            return False
        self._next = number + 1
        self._open[number] = asyncio.create_task(self._until_done(number, update))
        return True

    async def _until_done(self, number: int, update: Update) -> None:
        """Deals with one update, again and again while the database is away."""
        async with self._chats[chat_id_of(update) or 0]:
            while not self._stopping.is_set():
                if await self.take(self.account, update) is not Received.TRANSIENT:
                    del self._open[number]
                    return
                await self._pause(RETRY)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
