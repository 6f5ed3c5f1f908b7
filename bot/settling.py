"""What came of the calls, on its way into the table: outcomes that come together go together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from bot.database import Database
from bot.engine import is_transient
from core.clock import Clock
from core.outcomes import Outcome
from services import outbox
from services.dead_letters import where
from services.outbox import Settled

log = structlog.get_logger()

PATIENCE = outbox.LEASE / 2  # how long a process that stops still waits for a database
PAUSE = 0.25  # seconds between tries


@dataclass(slots=True, eq=False)
class _Waiting:
    """An outcome that is not written yet."""

    settled: Settled
    written: "asyncio.Future[Outcome | None]"


@dataclass(slots=True)
class Settler:
    """Writes the outcomes of one account. Nothing that was sent goes unwritten, however long the
    database is away: it would be sent again."""

    database: Database
    clock: Clock
    account: UUID
    held_until: datetime | None = None  # the platform said 429
    stopping: bool = False
    _waiting: list[_Waiting] = field(default_factory=list)
    _writing: asyncio.Task[None] | None = None

    async def settle(self, settled: Settled) -> Outcome | None:
        """The outcome, once it is written; None when the message is tried again."""
        one = _Waiting(settled, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await one.written

    async def _write(self) -> None:
        """Writes what has come meanwhile, until nothing more comes."""
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await self._patiently(group)
            except Exception as error:
                await self._apart(group, error)

    async def _patiently(self, group: Sequence[_Waiting]) -> None:
        began = self.clock.now()
        while True:
            try:
                return await self._together(group)
            except Exception as error:
                over = self.stopping and self.clock.now() > began + PATIENCE
                if over or not is_transient(error):
                    raise
                log.warning("settling-waits", error=where(error), outcomes=len(group))
                await asyncio.sleep(PAUSE)

    async def _apart(self, group: Sequence[_Waiting], error: Exception) -> None:
        """One that cannot be written keeps no other from it."""
        if len(group) == 1:
            if not group[0].written.done():
                group[0].written.set_exception(error)
            return
        for one in group:
            try:
                await self._together([one])
            except Exception as own:
                await self._apart([one], own)

    async def _together(self, group: Sequence[_Waiting]) -> None:
        async with self.database.turns.begin() as connection:
            outcomes = await outbox.settle_all(connection, [one.settled for one in group])
            if until := max(self._holds(group), default=None):
                await outbox.hold_account(connection, self.account, until)
        self.held_until = until or self.held_until
        for one, outcome in zip(group, outcomes, strict=True):
            if not one.written.done():
                one.written.set_result(outcome)

    def _holds(self, group: Sequence[_Waiting]) -> list[datetime]:
        """Until when the platform wants nothing from this account; our own brakes hold nobody
        else up."""
        return [
            one.settled.at + timedelta(seconds=one.settled.result.retry_after or 1)
            for one in group
            if one.settled.result.outcome is Outcome.THROTTLED and one.settled.rendered is not None
        ]
