"""Processes wake each other; a lost connection is made anew; nothing hangs on a wake-up."""

import asyncio
from uuid import UUID, uuid4

from sqlalchemy import text
from support.database import TestDatabase, until
from support.people import another_process, one, send_notice, settled
from support.world import World

from bot import delivery
from bot.wakeups import Wakeups
from services.roles import RoleName


class Process:
    """One process' wake-ups, running."""

    def __init__(self, db: TestDatabase) -> None:
        self.heard = 0
        self.wakeups = Wakeups(db.database.url, uuid4(), self._hear)
        self.task = asyncio.create_task(self.wakeups.run())

    def _hear(self) -> None:
        self.heard += 1

    async def until_heard(self, more_than: int) -> None:
        """Waits for one more."""

        async def enough() -> bool:
            return self.heard > more_than

        await until(enough)

    async def stop(self) -> None:
        """Ends it."""
        self.wakeups.stop()
        await asyncio.wait_for(self.task, 30)


async def test_the_others_hear_it_and_oneself_does_not(db: TestDatabase) -> None:
    first, second, third = (Process(db) for _ in range(3))
    for process in (first, second, third):
        await process.until_heard(0)  # each looks once when it begins to listen
    first.wakeups.tell()
    await second.until_heard(1)
    await third.until_heard(1)
    second.wakeups.tell()
    await first.until_heard(1)
    assert first.heard == 2, "what it told itself is no news"
    for process in (first, second, third):
        await process.stop()


async def test_a_hundred_are_told_as_a_few(db: TestDatabase) -> None:
    first, second = Process(db), Process(db)
    await first.until_heard(0)
    await second.until_heard(0)
    for _ in range(100):
        first.wakeups.tell()
    await second.until_heard(1)
    second.wakeups.tell()
    await first.until_heard(1)
    assert second.heard <= 3
    await first.stop()
    await second.stop()


async def test_a_lost_connection_is_made_anew(db: TestDatabase) -> None:
    first, second = Process(db), Process(db)
    await first.until_heard(0)
    await second.until_heard(0)
    async with db.database.work.begin() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'zhiyn wakeups' AND datname = current_database()"
            )
        )
    await first.until_heard(1)  # back again, and looks: something may have been told meanwhile
    await second.until_heard(1)
    heard = second.heard
    first.wakeups.tell()
    await second.until_heard(heard)
    await first.stop()
    await second.stop()


async def test_a_server_that_is_away_ends_with_the_process(db: TestDatabase) -> None:
    """Stopped while it waits to try again, it stops."""
    nowhere = "postgresql+asyncpg://postgres@127.0.0.1:1/none"
    wakeups = Wakeups(nowhere, UUID(int=1), lambda: None)
    task = asyncio.create_task(wakeups.run())
    await asyncio.sleep(0)
    wakeups.stop()
    await asyncio.wait_for(task, 30)


async def test_a_notice_queued_by_one_process_is_sent_by_another(world: World, monkeypatch) -> None:
    """Whoever queued it sends nothing; the other does not look by itself for an hour."""
    monkeypatch.setattr(delivery, "IDLE", 3600.0)
    akim = await settled(world, "akim", role=RoleName.AKIM)
    await settled(world, "petr")
    for sender in world.app.senders.values():
        sender.stop()
    async with another_process(world.db, world.app) as other:
        running = list(other.app.senders.values())

        async def asleep() -> bool:
            listening = "SELECT count(*) FROM pg_stat_activity WHERE application_name = :name"
            both = await one(world.db, listening, name="zhiyn wakeups")
            return both >= 2 and not any(sender._wake.is_set() for sender in running)

        await until(asleep)
        await send_notice(world, akim)
        await world.emulator.wait_for("petr", "Ремонт водопровода")
