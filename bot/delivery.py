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
from datetime import timedelta
from itertools import groupby
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from bot.channels.base import Channel, Part
from bot.database import Database
from bot.engine import is_transient
from bot.metrics import SENT
from bot.settling import Settler
from bot.slots import AccountHeld, Slots
from conversation.message import ChannelName, Content
from conversation.present import together
from core.clock import Clock
from core.crypto import Keyring
from core.outcomes import ARRIVED, WAITING, Outcome, SendResult
from core.pace import PER_SECOND
from services import outbox, quota, rulebook
from services.dead_letters import where
from services.outbox import Claimed, Settled

log = structlog.get_logger()

# PLATFORMS, limits: Telegram about 30 messages a second for a bot, WhatsApp 80 for a sender.
BURSTS = {ChannelName.TELEGRAM: (8, 1.0), ChannelName.WHATSAPP: (40, 1 / 6)}
RATES = {channel: PER_SECOND[channel] for channel in ChannelName}
IDLE = 0.5  # seconds between looks into the outbox when nothing wakes us
AWAY = 1.5  # when the database is back, outcomes are written before anything is leased
RENEW = outbox.LEASE.total_seconds() / 3  # a large file takes longer than a lease
IN_HAND = 32  # deliveries of a kind that a process has leased: about a second's worth
SOON = timedelta(seconds=1)  # a reply whose slot is further off waits in the outbox


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
class _InHand:
    """Deliveries of some priorities that are on their way, as tasks: one an address."""

    priorities: tuple[int, int]
    tasks: set[asyncio.Task[int]] = field(default_factory=set)
    deliveries: int = 0
    more: bool = False  # there may be more than there was room for

    @property
    def room(self) -> int:
        """How many more to lease; none before half of them are gone."""
        free = IN_HAND - self.deliveries
        return free if free * 2 >= IN_HAND else 0


@dataclass(slots=True)
class _Going:
    """How far the sending of one delivery has come."""

    rendered: bytes | None = None  # digest of what is sent
    parts_sent: int = 0  # how many are accepted, from the first one on


@dataclass(slots=True)
class Sender:
    """Sends for one account. Several processes run one each and share the account's pace."""

    database: Database
    keyring: Keyring
    clock: Clock
    process: UUID
    channel: Channel
    rate: float
    slots: Slots = field(init=False)
    settler: Settler = field(init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _bursts: Bursts = field(init=False)
    _stopping: bool = False
    _going: set[UUID] = field(default_factory=set)  # in hand: a lease that ran out is no second one
    _left_behind: bool = False  # a reply waits for another one of its address
    _in_hand: tuple[_InHand, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._bursts = Bursts(self.channel.name)
        self.slots = Slots(self.database, self.clock, self.account, self.rate)
        self.settler = Settler(self.database, self.clock, self.account)
        replies = _InHand((outbox.REPLY, outbox.REMINDER))
        self._in_hand = (replies, _InHand((outbox.URGENT, outbox.NOTICE)))

    @property
    def account(self) -> UUID:
        """Whose outbox this is."""
        return self.channel.account

    @property
    def sends_at_once(self) -> bool:
        """Would a reply that is stored now go out within a second? If not, it is better left to
        whoever looks into the outbox then."""
        backlog = self._in_hand[0].more or self.slots.full_until > self.clock.now() + SOON
        return not backlog and not self._held()

    def wake(self) -> None:
        """Something new lies in the outbox."""
        self._wake.set()

    async def send_now(self, deliveries: Sequence[UUID]) -> None:
        """Sends the replies that a turn of this process has just stored."""
        try:
            async with self.database.turns.begin() as connection:
                claimed = await outbox.own(
                    connection, self.keyring, deliveries, self.process, self.clock.now()
                )
                if left := set(deliveries) - {one.id for one in claimed}:
                    self._left_behind = True
                    await outbox.release(connection, list(left), self.process)
            await self._one_after_the_other(claimed)
        except Exception as error:
            self._left_behind = True
            self._report(error)
        if self._left_behind:
            self._left_behind = False
            self.wake()

    async def run(self) -> None:
        """Works until `stop`; a database that is away is waited for."""
        renewing = asyncio.create_task(self._keep_leases())
        try:
            await self._work()
        finally:
            renewing.cancel()

    async def _work(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                found = len(await self._start_due())
            except Exception as error:
                self._report(error)
                found = 0
                await asyncio.sleep(AWAY if is_transient(error) else IDLE)
            if not found:
                await self._sleep(IDLE)
        await asyncio.gather(*(task for kind in self._in_hand for task in kind.tasks))

    async def _keep_leases(self) -> None:
        """What is in hand stays this process' however long the platform takes; a process that
        died renews nothing."""
        while True:
            await asyncio.sleep(RENEW)
            if not self._going:
                continue
            try:
                async with self.database.turns.begin() as connection:
                    now = self.clock.now()
                    await outbox.renew(connection, self._going, self.process, now)
            except Exception as error:
                self._report(error)

    def stop(self) -> None:
        """Ends `run` after what is in flight."""
        self._stopping = self.settler.stopping = True
        self.wake()

    async def pass_once(self) -> int:
        """Claims what is due and sends it; how many. Replies and reminders first, then bulk."""
        return sum(await asyncio.gather(*await self._start_due()))

    async def _start_due(self) -> list[asyncio.Task[int]]:
        """Leases as much as there is room for and begins to send it: one slow chat holds nobody
        else up."""
        started = []
        for kind in self._in_hand:
            if self._held() or not kind.room:
                continue
            room = kind.room
            claimed = await self._claim(kind.priorities, room)
            kind.more = len(claimed) == room
            new = [one for one in claimed if one.id not in self._going]
            for _, group in groupby(new, lambda one: one.address):
                started.append(self._start(kind, list(group)))
        return started

    def _start(self, kind: _InHand, claimed: Sequence[Claimed]) -> asyncio.Task[int]:
        task = asyncio.create_task(self._reported(claimed))
        kind.tasks.add(task)
        kind.deliveries += len(claimed)

        def over(task: asyncio.Task[int]) -> None:
            kind.tasks.discard(task)
            kind.deliveries -= len(claimed)
            if not kind.tasks or (kind.more and kind.room):
                self.wake()

        task.add_done_callback(over)
        return task

    async def _reported(self, claimed: Sequence[Claimed]) -> int:
        try:
            await self._one_after_the_other(claimed)
        except Exception as error:
            self._report(error)
        return len(claimed)

    async def _claim(self, priorities: tuple[int, int], limit: int) -> list[Claimed]:
        async with self.database.turns.begin() as connection:
            claimed = await outbox.claim(
                connection,
                self.keyring,
                self.account,
                self.process,
                self.clock.now(),
                limit=limit,
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

    async def _one_after_the_other(self, claimed: Sequence[Claimed]) -> None:
        """Sends to one address; what has to be tried again holds up what follows it."""
        self._going |= {one.id for one in claimed}
        try:
            for number, one in enumerate(claimed):
                if not await self._deliver(one):
                    return await self._release(claimed[number + 1 :])
        finally:
            self._going -= {one.id for one in claimed}

    async def _deliver(self, claimed: Claimed) -> bool:
        """Sends one delivery, all its parts, and writes what came of it; is that final?"""
        if self._held():
            await self._release([claimed])
            return False
        if not self._bursts.allows(claimed.address):
            return await self._settle(claimed, SendResult(Outcome.THROTTLED, retry_after=1))
        if claimed.stopped and claimed.priority != outbox.REPLY:
            return await self._settle(claimed, SendResult(Outcome.BLOCKED))
        going = _Going()
        try:
            result = await self._send(claimed, going)
        except AccountHeld as held:
            self.settler.held_until = held.until
            await self._release([claimed])
            return False
        except Exception as error:
            result = self._not_sent(claimed, error)
        return await self._settle(claimed, result, going)

    def _not_sent(self, claimed: Claimed, error: Exception) -> SendResult:
        """Our own failure: a database that is away passes, a bug does not."""
        transient = is_transient(error)
        level = log.warning if transient else log.error
        level("send-failed", error=where(error), delivery=str(claimed.id))
        outcome = Outcome.TRANSIENT if transient else Outcome.REFUSED
        return SendResult(outcome, detail=where(error))

    async def _send(self, claimed: Claimed, going: _Going) -> SendResult:
        if claimed.target is None:
            return SendResult(Outcome.BAD_RECIPIENT, detail="forgotten")
        content = await self._resolved(Content.from_json(claimed.content))
        parts = await self.channel.prepare(content, window_open=claimed.window_open)
        going.rendered = hashlib.sha256(repr(parts).encode()).digest()
        first = claimed.parts_sent if claimed.parts_sent < len(parts) else 0  # drawn otherwise now
        result = SendResult(Outcome.REFUSED, detail="nothing to send")
        for number in range(first, len(parts)):
            if number > first and not self._bursts.allows(claimed.address):
                going.rendered = None  # this chat alone is held up
                return SendResult(Outcome.THROTTLED, retry_after=1)
            followed = number + 1 if number < len(parts) - 1 else None
            result = await self._send_part(claimed, parts[number], followed)
            if result.outcome not in ARRIVED:
                return result
            going.parts_sent = number + 1
            if followed:
                await self._note_part(claimed, followed, result)
        return result

    async def _send_part(self, claimed: Claimed, part: Part, followed: int | None) -> SendResult:
        opens = self.channel.opens_conversation(part)
        counted, wait = await self._quota(claimed) if opens else (False, None)
        if wait is not None:
            return SendResult(Outcome.DAILY_LIMIT, retry_after=wait)
        try:
            await self.slots.take(bulk=claimed.priority >= outbox.URGENT)
        except BaseException:
            if counted:
                await self._give_back(claimed)
            raise
        result = await self.channel.send(
            str(claimed.target), part, claimed.id, attempt=claimed.attempts, followed=followed
        )
        if opens:
            await self._after_opening(claimed, result, counted)
        return result

    async def _note_part(self, claimed: Claimed, number: int, result: SendResult) -> None:
        """So that a crash does not repeat it. A database that is away hears of it with the
        outcome."""
        try:
            async with self.database.turns.begin() as connection:
                await outbox.part_sent(connection, claimed.id, number, result.platform_id)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("part-noted-later", error=where(error), delivery=str(claimed.id))

    async def _quota(self, claimed: Claimed) -> tuple[bool, float | None]:
        """(newly counted?, seconds until the day's quota lets us write to this person; None:
        now)."""
        now = self.clock.now()
        async with self.database.turns.begin() as connection:
            rules = await rulebook.of(AsyncSession(connection), None)
            counted, later = await quota.reserve(
                connection, self.account, claimed.address, now, rules.whatsapp_people_a_day
            )
        return counted, None if later is None else max((later - now).total_seconds(), 1.0)

    async def _after_opening(self, claimed: Claimed, result: SendResult, counted: bool) -> None:
        """An announcement that was not accepted does not count; a limit closes the quota."""
        if result.outcome in (*ARRIVED, Outcome.UNKNOWN):
            return
        if counted:
            await self._give_back(claimed)
        if result.outcome is Outcome.DAILY_LIMIT:
            async with self.database.turns.begin() as connection:
                await quota.close(connection, self.account, self.clock.now())

    async def _give_back(self, claimed: Claimed) -> None:
        async with self.database.turns.begin() as connection:
            await quota.give_back(connection, self.account, claimed.address)

    async def _resolved(self, content: Content) -> Content:
        """The platform's id of the message that this one edits, if that was sent."""
        if content.replaces is None:
            return content
        async with self.database.turns.connect() as connection:
            known = await connection.scalar(
                text("SELECT platform_id FROM delivery WHERE id = :id"), {"id": content.replaces}
            )
        return dataclasses.replace(content, replaces=None, replaces_platform_id=known)

    async def _settle(
        self, claimed: Claimed, result: SendResult, going: _Going | None = None
    ) -> bool:
        SENT.labels(self.channel.name.value, result.outcome.value).inc()
        going = going or _Going()
        now = self.clock.now()
        settled = Settled(claimed, result, now, going.rendered, going.parts_sent)
        outcome = await self.settler.settle(settled)
        return outcome is not None or result.outcome in WAITING

    def _held(self) -> bool:
        until = self.settler.held_until
        return until is not None and self.clock.now() < until

    async def _release(self, claimed: Sequence[Claimed]) -> None:
        self._going -= {one.id for one in claimed}  # or the next claim would skip them, leased
        async with self.database.turns.begin() as connection:
            await outbox.release(connection, [one.id for one in claimed], self.process)

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
