"""Delivery: leases of the outbox become calls, calls become written outcomes, at the account's
pace. Replies go out at once from the process that stored them; everything else, and whatever a
crash left behind, is found in the outbox by any process.
"""

import asyncio
import dataclasses
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from bot.channels.base import Channel
from bot.database import Database
from bot.engine import is_transient
from bot.metrics import SENT
from conversation.message import ChannelName, Content
from conversation.present import together
from core.clock import Clock
from core.crypto import Keyring
from core.outcomes import ARRIVED, WAITING, Outcome, SendResult
from core.pace import PER_SECOND
from services import outbox, quota, rulebook
from services.dead_letters import where
from services.outbox import Claimed

log = structlog.get_logger()

# PLATFORMS, limits: Telegram about 30 messages a second for a bot, WhatsApp 80 for a sender.
BURSTS = {ChannelName.TELEGRAM: (8, 1.0), ChannelName.WHATSAPP: (40, 1 / 6)}
RATES = {channel: PER_SECOND[channel] for channel in ChannelName}
AHEAD = timedelta(milliseconds=200)  # how far bulk may reserve: a reply waits no longer
IDLE = 0.5  # seconds between looks into the outbox when nothing wakes us
BATCH = 32
PARALLEL = 16


class _AccountHeld(Exception):
    """The account's next slot is far away; its leases are given back."""


class Bursts:
    """What one chat takes: Telegram about a message a second, short bursts pass (Bot FAQ);
    WhatsApp one in six seconds, bursts up to 45 pass (Meta, pair rate limit). A chat that is over
    it waits by itself, before the platform makes the whole account wait."""

    def __init__(self, channel: ChannelName) -> None:
        self._burst, self._per_second = BURSTS[channel]
        self._full_at: dict[UUID, float] = {}

    def allows(self, address: UUID) -> bool:
        """May this chat get one more now? If so, it is counted."""
        now = time.monotonic()
        full_at = max(self._full_at.get(address, now), now) + 1 / self._per_second
        if full_at - now > self._burst / self._per_second:
            return False
        if len(self._full_at) > 10_000:
            self._full_at = {a: at for a, at in self._full_at.items() if at > now}
        self._full_at[address] = full_at
        return True


@dataclass(slots=True)
class Sender:
    """Sends for one account. Several processes run one each and share the account's pace."""

    database: Database
    keyring: Keyring
    clock: Clock
    process: UUID
    channel: Channel
    rate: float
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _bursts: Bursts = field(init=False)
    _ahead: asyncio.Semaphore = field(init=False)
    _stopping: bool = False
    _held_until: datetime | None = None
    _busy: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PARALLEL))

    def __post_init__(self) -> None:
        self._bursts = Bursts(self.channel.name)
        self._ahead = asyncio.Semaphore(max(int(AHEAD.total_seconds() * self.rate), 1))

    @property
    def account(self) -> UUID:
        """Whose outbox this is."""
        return self.channel.account

    def wake(self) -> None:
        """Something new lies in the outbox."""
        self._wake.set()

    async def send_now(self, deliveries: Sequence[UUID]) -> None:
        """Sends the replies that a turn of this process has just stored."""
        try:
            async with self.database.work.connect() as connection:
                claimed = await outbox.own(
                    connection, self.keyring, deliveries, self.process, self.clock.now()
                )
                if left := set(deliveries) - {one.id for one in claimed}:
                    await outbox.release(connection, list(left), self.process)
                await connection.commit()
            await self._one_after_the_other(claimed)
        except Exception as error:
            self._report(error)
        self.wake()

    async def run(self) -> None:
        """Works until `stop`; a database that is away is waited for."""
        while not self._stopping:
            self._wake.clear()
            try:
                found = await self.pass_once()
            except Exception as error:
                self._report(error)
                found = 0
                await asyncio.sleep(IDLE)
            if not found:
                await self._sleep(IDLE)

    def stop(self) -> None:
        """Ends `run` after what is in flight."""
        self._stopping = True
        self.wake()

    async def pass_once(self) -> int:
        """Claims what is due and sends it; how many. Replies and reminders first, then bulk."""
        found = 0
        for priorities in ((outbox.REPLY, outbox.REMINDER), (outbox.NOTICE, outbox.NOTICE)):
            if self._held():
                return found
            claimed = await self._claim(priorities)
            found += len(claimed)
            addresses = [list(group) for _, group in groupby(claimed, lambda one: one.address)]
            await asyncio.gather(*(self._in_its_turn(group) for group in addresses))
        return found

    async def _claim(self, priorities: tuple[int, int]) -> list[Claimed]:
        async with self.database.work.begin() as connection:
            claimed = await outbox.claim(
                connection,
                self.keyring,
                self.account,
                self.process,
                self.clock.now(),
                limit=BATCH,
                priorities=priorities,
            )
            if priorities[0] != outbox.REPLY or not claimed:
                return claimed
            return await self._together(connection, claimed)

    async def _together(
        self, connection: AsyncConnection, claimed: Sequence[Claimed]
    ) -> list[Claimed]:
        """Replies that piled up for one address are said in one message, and go once."""
        now = self.clock.now()
        first = [one for one in claimed if one.priority == outbox.REPLY and not one.parts_sent]
        waiting = await outbox.behind(connection, self.keyring, first, self.process, now)
        going = {one.id: one for one in claimed}
        for one in first:
            pile = [one, *(other for other in waiting if other.address == one.address)]
            if len(pile) == 1:
                continue
            content = together([Content.from_json(each.content) for each in pile])
            if content is None:
                await outbox.release(connection, [each.id for each in pile[1:]], self.process)
                continue
            *older, newest = pile
            stored = content.to_json()
            await outbox.say_together(connection, self.keyring, older, newest, stored, now)
            del going[one.id]
            going[newest.id] = dataclasses.replace(newest, content=stored)
        return list(going.values())

    async def _in_its_turn(self, claimed: Sequence[Claimed]) -> None:
        async with self._busy:
            await self._one_after_the_other(claimed)

    async def _one_after_the_other(self, claimed: Sequence[Claimed]) -> None:
        """Sends to one address; what has to be tried again holds up what follows it."""
        for number, one in enumerate(claimed):
            if not await self._deliver(one):
                return await self._release(claimed[number + 1 :])

    async def _deliver(self, claimed: Claimed) -> bool:
        """Sends one delivery, all its parts, and writes what came of it; is that final?"""
        if self._held():
            await self._release([claimed])
            return False
        if not self._bursts.allows(claimed.address):
            return await self._settle(claimed, SendResult(Outcome.THROTTLED, retry_after=1), None)
        if claimed.stopped and claimed.priority != outbox.REPLY:
            return await self._settle(claimed, SendResult(Outcome.BLOCKED), None)
        try:
            result, rendered = await self._send(claimed)
        except _AccountHeld:
            await self._release([claimed])
            return False
        except Exception as error:
            result, rendered = self._not_sent(claimed, error), None
        return await self._settle(claimed, result, rendered)

    def _not_sent(self, claimed: Claimed, error: Exception) -> SendResult:
        """Our own failure: a database that is away passes, a bug does not."""
        transient = is_transient(error)
        level = log.warning if transient else log.error
        level("send-failed", error=where(error), delivery=str(claimed.id))
        outcome = Outcome.TRANSIENT if transient else Outcome.REFUSED
        return SendResult(outcome, detail=where(error))

    async def _send(self, claimed: Claimed) -> tuple[SendResult, bytes]:
        content = await self._resolved(Content.from_json(claimed.content))
        parts = await self.channel.prepare(content, window_open=claimed.window_open)
        rendered = hashlib.sha256(repr(parts).encode()).digest()
        result = SendResult(Outcome.REFUSED, detail="nothing to send")
        for number, part in enumerate(parts):
            if number < claimed.parts_sent:
                continue
            opens = self.channel.opens_conversation(part)
            counted, wait = await self._quota(claimed) if opens else (False, None)
            if wait is not None:
                return SendResult(Outcome.DAILY_LIMIT, retry_after=wait), rendered
            await self._slot(claimed.priority)
            result = await self.channel.send(claimed.target, part, claimed.id)
            if opens:
                await self._after_opening(claimed, result, counted)
            if result.outcome not in ARRIVED:
                break
            if number < len(parts) - 1:
                async with self.database.work.begin() as connection:
                    await outbox.part_sent(connection, claimed.id, result.platform_id)
        return result, rendered

    async def _quota(self, claimed: Claimed) -> tuple[bool, float | None]:
        """(newly counted?, seconds until the day's quota lets us write to this person; None:
        now)."""
        now = self.clock.now()
        async with self.database.work.begin() as connection:
            rules = await rulebook.of(AsyncSession(connection), None)
            counted, later = await quota.reserve(
                connection, self.account, claimed.address, now, rules.whatsapp_people_a_day
            )
        return counted, None if later is None else max((later - now).total_seconds(), 1.0)

    async def _after_opening(self, claimed: Claimed, result: SendResult, counted: bool) -> None:
        """An announcement that was not accepted does not count; a limit closes the quota."""
        if result.outcome in (*ARRIVED, Outcome.UNKNOWN):
            return
        async with self.database.work.begin() as connection:
            if counted:
                await quota.give_back(connection, self.account, claimed.address)
            if result.outcome is Outcome.DAILY_LIMIT:
                await quota.close(connection, self.account, self.clock.now())

    async def _resolved(self, content: Content) -> Content:
        """The platform's id of the message that this one edits, if that was sent."""
        if content.replaces is None:
            return content
        async with self.database.work.connect() as connection:
            known = await connection.scalar(
                text("SELECT platform_id FROM delivery WHERE id = :id"), {"id": content.replaces}
            )
        return dataclasses.replace(content, replaces=None, replaces_platform_id=known)

    async def _settle(self, claimed: Claimed, result: SendResult, rendered: bytes | None) -> bool:
        now = self.clock.now()
        SENT.labels(self.channel.name.value, result.outcome.value).inc()
        async with self.database.work.begin() as connection:
            outcome = await outbox.settle(connection, claimed, result, now, rendered)
            if result.outcome is Outcome.THROTTLED and rendered is not None:
                await self._hold(connection, now + timedelta(seconds=result.retry_after or 1))
        return outcome is not None or result.outcome in WAITING

    async def _hold(self, connection: AsyncConnection, until: datetime) -> None:
        self._held_until = until
        await outbox.hold_account(connection, self.account, until)

    def _held(self) -> bool:
        return self._held_until is not None and self.clock.now() < self._held_until

    async def _release(self, claimed: Sequence[Claimed]) -> None:
        async with self.database.work.begin() as connection:
            await outbox.release(connection, [one.id for one in claimed], self.process)

    async def _slot(self, priority: int) -> None:
        """Waits for a slot of the account; bulk never holds slots more than 200 ms ahead, so
        that a reply waits no longer than that."""
        if priority != outbox.NOTICE:
            return await self._next_slot()
        async with self._ahead:
            await self._next_slot()

    async def _next_slot(self) -> None:
        """Waits for the account's next slot, which all processes share.

        Raises _AccountHeld when it is so far off that the lease would not last: another process
        was told to wait.
        """
        async with self.database.work.begin() as connection:
            slot = await outbox.reserve_slots(
                connection, self.account, self.clock.now(), timedelta(seconds=1 / self.rate), 1
            )
        wait = slot - self.clock.now()
        if wait > outbox.LEASE / 3:
            self._held_until = slot
            raise _AccountHeld
        await asyncio.sleep(max(wait.total_seconds(), 0))

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

    def _report(self, error: Exception) -> None:
        if is_transient(error):
            log.warning("delivery-waits", error=where(error))
        else:
            log.error("delivery-failed", error=where(error))
