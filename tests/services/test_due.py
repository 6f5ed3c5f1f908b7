"""What is due is done once, in its order, and what fails comes again."""

from datetime import timedelta
from uuid import UUID

import pytest
from support.database import TestDatabase

from bot.clockwork import Clockwork
from core.clock import FrozenClock
from core.ids import new_id
from services import due
from services.due import DueRow
from services.unit import Unit


class Worker:
    """A clock with handlers that note what they did."""

    def __init__(self, db: TestDatabase, *, fails: int = 0) -> None:
        self.db, self.clock, self.fails = db, FrozenClock(), fails
        self.did: list[UUID] = []
        db.clock = self.clock
        self.work = Clockwork(
            db.database, db.keyring, self.clock, lambda: None, handlers={"test": self.do}
        )

    async def do(self, unit: Unit, row: DueRow) -> None:
        if self.fails:
            self.fails -= 1
            raise ValueError("a bug")
        self.did.append(row.object_id)
        unit.audit("due-done", row.object_id)

    async def plan(self, after: timedelta, **more: object) -> UUID:
        identifier = new_id(self.clock.now())
        async with self.db.unit() as unit:
            await due.plan(unit, unit.now + after, "test", identifier, **more)
        return identifier


async def test_it_is_done_when_its_moment_has_come_and_once(db: TestDatabase) -> None:
    """Not before, in the order of the moments, and never again."""
    worker = Worker(db)
    later = await worker.plan(timedelta(hours=2))
    sooner = await worker.plan(timedelta(hours=1))
    assert await worker.work.work_due() == 0
    worker.clock.advance(timedelta(hours=3))
    assert await worker.work.work_due() == 2
    assert await worker.work.work_due() == 0
    assert worker.did == [sooner, later]


async def test_planning_twice_is_planning_once(db: TestDatabase) -> None:
    """The key keeps the second row away, also after it is done."""
    worker = Worker(db)
    identifier = await worker.plan(timedelta())
    await worker.work.work_due()
    async with db.unit() as unit:
        assert not await due.plan(unit, unit.now, "test", identifier)
    assert await worker.work.work_due() == 0


async def test_what_fails_comes_again_and_is_given_up_in_the_end(db: TestDatabase) -> None:
    """Its effect is rolled back; the pauses grow; in the end it is counted as given up."""
    worker = Worker(db, fails=100)
    await worker.plan(timedelta())
    for _ in range(len(due.PAUSES) + 1):
        await worker.work.work_due()
        worker.clock.advance(timedelta(hours=2))
    async with db.unit() as unit:
        assert await due.given_up(unit) == 1
    worker.fails = 0
    assert await worker.work.work_due() == 0
    assert worker.did == []


async def test_a_failure_holds_nobody_up(db: TestDatabase) -> None:
    """The next row is done in the same pass."""
    worker = Worker(db, fails=1)
    await worker.plan(timedelta())
    second = await worker.plan(timedelta(milliseconds=1))
    worker.clock.advance(timedelta(seconds=1))
    await worker.work.work_due()
    assert worker.did == [second]


@pytest.mark.parametrize("leaders", [3])
async def test_two_leaders_do_a_row_once(db: TestDatabase, leaders: int) -> None:
    """Even if two processes believed they led."""
    import asyncio

    worker = Worker(db)
    planned = [await worker.plan(timedelta()) for _ in range(20)]
    worker.clock.advance(timedelta(seconds=1))
    await asyncio.gather(*(worker.work.work_due() for _ in range(leaders)))
    assert sorted(worker.did) == sorted(planned)


async def test_what_is_cancelled_is_not_done(db: TestDatabase) -> None:
    worker = Worker(db)
    dropped = await worker.plan(timedelta())
    async with db.unit() as unit:
        assert await due.cancel(unit, dropped, {"test"}) == 1
    worker.clock.advance(timedelta(days=1))
    assert await worker.work.work_due() == 0
    assert worker.did == []
