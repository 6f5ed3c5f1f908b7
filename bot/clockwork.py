"""The clock process: whoever holds the leader's advisory lock ticks; the tables are the truth.

APScheduler 3 with memory jobs is only the clock (PLATFORMS 7): every job asks the tables what is
due and locks what it takes, so that a second firing does nothing.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from bot.database import Database, advisory_lock
from bot.engine import is_transient, too_slow
from bot.metrics import LEADER, WAITING
from conversation.message import ChannelName, Content
from conversation.present import compose, renewed
from conversation.state import State
from core.clock import Clock
from core.crypto import Keyring
from core.texts import Texts, texts
from handlers import DUE
from handlers.notice_audience import line_to
from handlers.sent import card
from services import (
    audit,
    departures,
    drafts,
    due,
    files,
    intake,
    live,
    notices,
    outbox,
    quota,
    retired,
    waiting,
)
from services.dead_letters import where
from services.due import DueRow
from services.live import LiveDue
from services.unit import Unit

log = structlog.get_logger()

LEADER_LOCK = 7_100_004
RETRY = 2.0
LIVE_AT_ONCE = 50  # live messages a second at most: the clock has other work, too

Step = Callable[[Unit, AsyncConnection], Awaitable[object]]
TIDYING: Mapping[str, Step] = {
    "audit": lambda _, connection: audit.seal(connection, audit.EVER),
    "intake": lambda unit, connection: intake.forget_old(connection, unit.now),
    "chats": lambda unit, connection: intake.forget_chats(connection, unit.now),
    "words": lambda unit, connection: outbox.forget_words(connection, unit.now),
    "quota": lambda unit, connection: quota.forget(connection, unit.now),
    "links": lambda unit, _: files.forget_tokens(unit),
    "files": lambda unit, _: files.forget_unused(unit),
    "drafts": lambda unit, _: drafts.tidy(unit),
    "departures": lambda unit, _: departures.forget(unit),
    "waiting": lambda unit, _: waiting.end(unit),
    "retired": lambda unit, _: retired.end(unit),
}


@dataclass(slots=True)
class Clockwork:
    """The recurring work of an installation, in one process at a time."""

    database: Database
    keyring: Keyring
    clock: Clock
    wake: Callable[[], None]
    texts: Texts = field(default_factory=texts)
    handlers: Mapping[str, due.Handler] = field(default_factory=lambda: DUE)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Ticks while this process leads; otherwise waits to take over."""
        while not self._stopping.is_set():
            try:
                await self._lead()
            except Exception as error:  # whatever it is, the clock has to go on
                _report("clock-waits", error)
            LEADER.set(0)
            await self._pause(RETRY)

    def stop(self) -> None:
        """Ends `run`; another process takes over."""
        self._stopping.set()

    async def _lead(self) -> None:
        async with advisory_lock(self.database.work, LEADER_LOCK) as connection:
            if connection is None:
                return
            LEADER.set(1)
            scheduler = self._scheduler()
            scheduler.start()
            try:
                while not self._stopping.is_set():
                    await connection.scalar(text("SELECT 1"))
                    await connection.commit()
                    await self._pause(RETRY)
            finally:
                scheduler.shutdown(wait=False)

    def _scheduler(self) -> AsyncIOScheduler:
        scheduler = AsyncIOScheduler(timezone="UTC")
        jobs = ((self.seal, 1), (self.work_due, 1), (self.show_live, 1), (self.tidy, 600))
        for job, seconds in jobs:
            scheduler.add_job(
                _guarded(job), "interval", seconds=seconds, max_instances=1, coalesce=True
            )
        return scheduler

    async def seal(self) -> int:
        """Chains the audit rows that were committed."""
        async with self.database.work.begin() as connection:
            return await audit.seal(connection)

    async def work_due(self) -> int:
        """Does what is due, each row in a transaction of its own; how many were done."""
        done = 0
        while (row := await self._do_next()) is not None:
            done += row
        if done:
            self.wake()
        return done

    async def _do_next(self) -> bool | None:
        """Does the next row; False when it failed and waits for another try, None when there is
        none. Raises when the connection is lost."""
        async with self.database.work.connect() as connection:
            unit = self._unit(connection)
            row = await due.take(unit)
            if row is None:
                return None
            try:
                await self.handlers[row.kind](unit, row)
                await due.done(unit, row)
                await unit.session.flush()
                await audit.write(unit)
                await connection.commit()
            except Exception as error:
                if await _is_lost(connection):
                    with suppress(SQLAlchemyError, OSError):  # it waits as it is, if it must
                        await self._in_a_moment(row, error)
                    raise
                await (self._in_a_moment if _passes(error) else self._failed)(row, error)
                return False
        return True

    async def _in_a_moment(self, row: DueRow, error: Exception) -> None:
        """Not the row's fault, so nothing is counted; but the others go first."""
        log.warning("due-waits", error=where(error), kind=row.kind)
        async with self.database.work.begin() as connection:
            unit = self._unit(connection)
            await due.put_off(unit, row, unit.now + due.PAUSES[0])

    async def _failed(self, row: DueRow, error: Exception) -> None:
        log.error("due-failed", error=where(error), kind=row.kind, attempts=row.attempts)
        async with self.database.work.begin() as connection:
            if await due.failed(self._unit(connection), row):
                log.error("due-given-up", kind=row.kind, row=str(row.id))

    async def tidy(self) -> None:
        """Forgets what need not be known any more, each kind by itself: one that fails keeps no
        other from it."""
        for name, step in TIDYING.items():
            try:
                async with self.database.work.begin() as connection:
                    unit = self._unit(connection)
                    await step(unit, connection)
                    await unit.session.flush()
                    await audit.write(unit)
            except Exception as error:
                _report("tidying-failed", error, step=name)
        async with self.database.work.connect() as connection:
            open_ = await connection.scalar(
                text("SELECT count(*) FROM delivery WHERE outcome IS NULL")
            )
        WAITING.set(open_ or 0)

    async def show_live(self) -> int:
        """Brings the live messages of authors up to date, each in a transaction of its own; how
        many changed."""
        changed = 0
        for _ in range(LIVE_AT_ONCE):
            shown = await self._show_next()
            if shown is None:
                break
            changed += shown
        if changed:
            self.wake()
        return changed

    async def _show_next(self) -> bool | None:
        """Did the next live message change? None when there is none. Raises when the connection
        is lost."""
        async with self.database.work.connect() as connection:
            unit = self._unit(connection)
            due = await live.live_due(unit)
            if due is None:
                return None
            try:
                changed = await self._show(unit, due)
                await unit.session.flush()
                await connection.commit()
            except Exception as error:
                if await _is_lost(connection):
                    raise
                log.error("live-failed", error=where(error), notice=str(due.notice))
                await live.live_failed(self._unit(connection), due.notice)
                await connection.commit()
                return False
        return changed

    async def _show(self, unit: Unit, due: LiveDue) -> bool:
        """Telegram: edits as the counts change. WhatsApp cannot edit: once at the end."""
        counts = await notices.progress(await unit.connection(), due.notice)
        found = await notices.view(unit, due.notice)
        if found is None:
            return False
        whatsapp = due.channel == ChannelName.WHATSAPP
        role = await notices.seen_as(unit, found) if due.listens else None
        if role is None:
            await live.live_shown(unit, due, "", finished=counts.finished)
            return False
        to = await line_to(unit, found.place_code, found.audience)
        shown = compose(self.texts, due.language, card(found, counts, unit.now, to, role))
        content = shown.to_json()
        words = json.dumps(content, ensure_ascii=False)
        worth = counts.finished and not due.was_finished if whatsapp else True
        changed = worth and live.shown_digest(words) != due.shown
        if changed:
            delivery = await live.live_placed(unit, due, content)
            await outbox.enqueue(
                unit, due.address, due.account, due.language, content, outbox.REPLY,
                delivery=delivery,
            )  # fmt: skip
            await self._renumber(unit, due.address, shown)
        await live.live_shown(unit, due, words, finished=counts.finished)
        return changed

    async def _renumber(self, unit: Unit, address: UUID, shown: Content) -> None:
        """A number that is typed means the card as it stands now; not waited for while its
        author is being answered: that answer comes after it."""
        found = await intake.state_of(unit, address)
        if found is None:
            return
        state = State.load(*found)
        if renewed(state, shown):
            await intake.keep_state(unit, address, state.dump())

    def _unit(self, connection: AsyncConnection) -> Unit:
        session = AsyncSession(connection, expire_on_commit=False)
        return Unit(session, self.keyring, self.clock.now(), "clock")

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


async def _is_lost(connection: AsyncConnection) -> bool:
    """Undoes what was begun; is the connection gone, and with it perhaps the database?"""
    if connection.invalidated:
        return True
    try:
        await connection.rollback()
    except (SQLAlchemyError, OSError):
        return True
    return False


def _passes(error: Exception) -> bool:
    """On a connection that stands: a deadlock, a lock, a lack of room in the database."""
    return isinstance(error, DBAPIError) and is_transient(error) and not too_slow(error)


def _guarded(job: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    """A job that reports its failure and ticks on: the next time it finds the same rows due."""

    async def run() -> None:
        try:
            await job()
        except Exception as error:
            _report("clock-job-failed", error)

    return run


def _report(event: str, error: Exception, **more: str) -> None:
    level = log.warning if is_transient(error) else log.error
    level(event, error=where(error), **more)
