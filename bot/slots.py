"""The pace of an account: sending slots that all processes share, reserved a few at a time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.database import Database
from core.clock import Clock
from services import outbox

AHEAD = timedelta(milliseconds=200)  # how far bulk may reserve: a reply waits no longer
LATE = timedelta(milliseconds=50)  # whoever wakes later than this after its slot takes another
HORIZON = outbox.LEASE / 3  # a slot further off is none: the lease would not last
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class AccountHeld(Exception):
    """The account's next slot is far away: the platform told some process to wait."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


@dataclass(slots=True, eq=False)
class _Asked:
    """Somebody who waits for a slot."""

    bulk: bool
    slot: "asyncio.Future[datetime]"


@dataclass(slots=True)
class Slots:
    """One process' share of the slots. Those who wait ask together; replies are served first."""

    database: Database
    clock: Clock
    account: UUID
    rate: float  # messages a second of the account
    full_until: datetime = _LONG_AGO  # as far as this process has heard, no slot is free before
    _waiting: list[_Asked] = field(default_factory=list)
    _asking: asyncio.Task[None] | None = None
    _reply_came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, *, bulk: bool) -> None:
        """Waits for a slot and for its moment. A process that was held up takes a later one, so
        that what it missed does not go all at once.

        Raises AccountHeld, and whatever the database raises.
        """
        late = True
        while late:
            slot = await self._reserved(bulk)
            due = max(slot, self.clock.now())
            await asyncio.sleep((due - self.clock.now()).total_seconds())
            late = self.clock.now() - due > LATE

    def _reserved(self, bulk: bool) -> "asyncio.Future[datetime]":
        asked = _Asked(bulk, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if not bulk:
            self._reply_came.set()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return asked.slot

    async def _ask(self) -> None:
        """Reserves until nobody waits."""
        while self._waiting:
            self._reply_came.clear()
            asked = sorted(self._waiting, key=lambda one: one.bulk)
            try:
                served = await self._reserve(asked)
            except Exception as error:
                served = asked
                for one in asked:
                    if not one.slot.done():
                        one.slot.set_exception(error)
            self._waiting = [one for one in self._waiting if one not in served]
            if self._waiting and len(served) < len(asked):
                await self._until_some_are_free()

    async def _reserve(self, asked: Sequence[_Asked]) -> Sequence[_Asked]:
        """Reserves for those who ask, replies first; who got one."""
        now, interval = self.clock.now(), timedelta(seconds=1 / self.rate)
        at_once = sum(not one.bulk for one in asked)
        async with self.database.turns.begin() as connection:
            first, count = await outbox.reserve_slots(
                connection, self.account, now, interval, at_once, len(asked), now + AHEAD
            )
        self.full_until = first + count * interval
        if first - now > HORIZON:
            raise AccountHeld(first)
        served = asked[:count]
        for number, one in enumerate(served):
            if not one.slot.done():
                one.slot.set_result(first + number * interval)
        return served

    async def _until_some_are_free(self) -> None:
        """Waits until bulk may reserve again, or a reply wants a slot."""
        wait = self.full_until - self.clock.now() - AHEAD / 2
        with suppress(TimeoutError):
            await asyncio.wait_for(
                self._reply_came.wait(), max(wait.total_seconds(), 1 / self.rate)
            )
