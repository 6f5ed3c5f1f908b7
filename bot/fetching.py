"""Fetching what people sent, after the turn was committed: in every process, each file by one.

A file is leased, downloaded without a transaction, and stored sealed; whoever sent one that will
not do is told so in a message of its own. A process that dies leaves a lease that runs out.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels.base import Channel, DownloadRefused
from bot.database import Database
from bot.engine import is_transient
from conversation.present import compose
from core.clock import Clock
from core.crypto import Keyring
from core.texts import Texts, texts
from handlers.notice_files import not_fetched
from rules.attachments import FileFault
from services import audit, files, installation, outbox
from services.dead_letters import where
from services.files import Wanted
from services.unit import Unit

log = structlog.get_logger()

IDLE = 1.0  # seconds between looks when nothing wakes us
AT_ONCE = 2  # files in memory, of at most 16 MB each
TAKES_AT_MOST = 120.0  # seconds, less than the lease


@dataclass(slots=True)
class Fetcher:
    """Fetches for the accounts that this process speaks for."""

    database: Database
    keyring: Keyring
    clock: Clock
    channels: Mapping[UUID, Channel]
    on_told: Callable[[], None]  # something new lies in the outbox
    texts: Texts = field(default_factory=texts)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False

    async def run(self) -> None:
        """Works until `stop`; a database that is away is waited for."""
        while not self._stopping:
            self._wake.clear()
            try:
                found = await self.pass_once()
            except Exception as error:
                self._report(error)
                found = 0
            if not found:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), IDLE)

    def stop(self) -> None:
        """Ends `run` after what is in flight."""
        self._stopping = True
        self._wake.set()

    def wake(self) -> None:
        """Somebody has sent a file."""
        self._wake.set()

    async def pass_once(self) -> int:
        """Fetches what is due, two files at a time; how many were tried."""
        async with self._unit() as unit:
            leased = await files.lease(unit, list(self.channels), AT_ONCE)
        await asyncio.gather(*(self._fetch(one) for one in leased))
        return len(leased)

    async def _fetch(self, wanted: Wanted) -> None:
        try:
            async with asyncio.timeout(TAKES_AT_MOST):
                content = await self.channels[wanted.account].download(wanted.reference)
        except DownloadRefused as refused:
            await self._missed(wanted, refused.fault)
        except Exception as error:
            log.warning("file-not-fetched", error=where(error), file=str(wanted.id))
            await self._missed(wanted, None)
        else:
            await self._arrived(wanted, content)

    async def _arrived(self, wanted: Wanted, content: bytes) -> None:
        async with self._unit() as unit:
            fault = await files.arrived(unit, wanted.id, content)
            if fault is not None:
                await self._tell(unit, wanted, fault)
        if fault is not None:
            self.on_told()

    async def _missed(self, wanted: Wanted, fault: FileFault | None) -> None:
        async with self._unit() as unit:
            final = await files.missed(unit, wanted.id, fault)
            if final is not None:
                await self._tell(unit, wanted, final)
        if final is not None:
            self.on_told()

    async def _tell(self, unit: Unit, wanted: Wanted, fault: FileFault) -> None:
        target = await installation.address_view(unit, wanted.address)
        if target is None:
            return
        content = compose(self.texts, target.language, not_fetched(wanted, fault))
        await outbox.enqueue(
            unit, target.id, target.account, target.language, content.to_json(), outbox.REPLY
        )

    @asynccontextmanager
    async def _unit(self) -> AsyncIterator[Unit]:
        async with AsyncSession(self.database.work) as session, session.begin():
            unit = Unit(session, self.keyring, self.clock.now(), "fetching")
            yield unit
            await session.flush()
            await audit.write(unit)

    def _report(self, error: Exception) -> None:
        level = log.warning if is_transient(error) else log.error
        level("fetching-failed", error=where(error))
