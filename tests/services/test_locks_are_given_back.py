"""The lock of the leader, and of who polls, goes back with its work, whatever ended that."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import structlog
from sqlalchemy import event, text
from support.database import TestDatabase, until

from bot.channels.telegram import make_bot
from bot.clockwork import Clockwork
from bot.engine import Received
from bot.polling import Poller

HELD = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
ACCOUNT = UUID(int=4242)


@dataclass(frozen=True, slots=True)
class Loop:
    """Something that works under a lock: how it is run and ended, what it says of a failure."""

    run: Callable[[], Awaitable[None]]
    stop: Callable[[], None]
    close: Callable[[], Awaitable[None]]
    failed: str


def leader(db: TestDatabase) -> Loop:
    work = Clockwork(db.database, db.keyring, db.clock, lambda: None)

    async def nothing() -> None: ...

    return Loop(work.run, work.stop, nothing, "clock-waits")


def poller(db: TestDatabase) -> Loop:
    async def take(*_: object) -> Received:
        return Received.DONE

    bot = make_bot("4242:AAtest-token-of-a-bot-that-nobody-answers", "http://127.0.0.1:9")
    polls = Poller(db.database, ACCOUNT, bot, take)
    return Loop(polls.run, polls.stop, bot.session.close, "polling-waits")


@pytest.fixture
def cancelled(db: TestDatabase) -> Iterator[None]:
    """Every sign of life that a lock's connection gives is cancelled, as an operator may do with
    pg_cancel_backend."""

    def cancel(*call: Any) -> tuple[str, Any]:
        _, _, statement, values, *_ = call
        mine = "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)"
        return (mine if statement == "SELECT 1" else statement), values

    engine = db.database.work.sync_engine
    event.listen(engine, "before_cursor_execute", cancel, retval=True)
    yield
    event.remove(engine, "before_cursor_execute", cancel)


@pytest.mark.usefixtures("cancelled")
@pytest.mark.parametrize("make", [leader, poller])
async def test_a_statement_that_fails_on_the_locks_connection(
    db: TestDatabase, make: Callable[[TestDatabase], Loop]
) -> None:
    """The connection stands. Before, its transaction was broken, the unlocking failed in it, and
    the lock went into the pool with the connection: no other process could take over."""
    loop = make(db)
    with structlog.testing.capture_logs() as told:

        async def failed() -> bool:
            return any(one["event"] == loop.failed for one in told)

        running = asyncio.create_task(loop.run())
        try:
            await until(failed)
        finally:
            loop.stop()
            await running
            await loop.close()
    async with db.session() as session:
        assert not (await session.execute(text(HELD))).all()
