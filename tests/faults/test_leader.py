"""Three processes, one clock: what is due is done once, whoever dies at that moment."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text
from support.database import until
from support.faults import PATIENCE, chain_holds, crowd, nothing_left, office, reckon
from support.people import (
    VILLAGE,
    WORDS,
    Somebody,
    another_process,
    move_clock,
    one,
    rows,
)
from support.world import OKRUG, Running, World

from bot.app import App
from bot.clockwork import LEADER_LOCK, Clockwork
from core.ids import new_id
from handlers import DUE
from services import due, notices
from services.due import DueRow
from services.unit import Unit

HOLDS = (
    f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {LEADER_LOCK} AND granted"
)


@dataclass(frozen=True, slots=True)
class Three:
    """Three processes on one database."""

    world: World
    others: list[Running]

    @property
    def apps(self) -> list[App]:
        return [self.world.app, *(running.app for running in self.others)]


@pytest_asyncio.fixture
async def three(world: World) -> AsyncIterator[Three]:
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(another_process(world.db, world.app)) for _ in range(2)
        ]
        yield Three(world, opened)


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[Clockwork]:
    """Who ticks, in order."""
    seen: list[Clockwork] = []
    seal = Clockwork.seal

    async def noted(self: Clockwork) -> int:
        seen.append(self)
        return await seal(self)

    monkeypatch.setattr(Clockwork, "seal", noted)
    return seen


async def leader(world: World) -> int | None:
    """The database's process that holds the leader's lock."""
    found = await rows(world.db, HOLDS)
    assert len(found) <= 1
    return found[0].pid if found else None


async def another_leader(world: World, than: int | None = None) -> int:
    async def led() -> bool:
        return await leader(world) not in (None, than)

    await until(led, PATIENCE)
    found = await leader(world)
    assert found is not None
    return found


async def terminate(world: World, *pids: int) -> None:
    for pid in pids:
        await rows(world.db, "SELECT pg_terminate_backend(:pid)", pid=pid)


async def announce(world: World, akim: Somebody, notice: UUID) -> str | None:
    """The notice for an hour from now, in a transaction of its own."""
    async with world.db.unit() as unit:
        unit.actor = akim.resident
        return await notices.announce(
            unit,
            notice=notice,
            author_address=akim.address,
            place_code=OKRUG,
            audience=(VILLAGE,),
            texts=WORDS,
            monolingual=None,
            send_at=unit.now + timedelta(hours=1),
        )


async def schedule(world: World, akim: Somebody) -> UUID:
    notice = new_id(world.db.clock.now())
    assert await announce(world, akim, notice) == "scheduled"
    return notice


async def test_one_of_three_ticks(ticks: list[Clockwork], three: Three) -> None:
    """Only the leader; when its connection is cut, one again; when it stops, another."""
    world = three.world
    first = await another_leader(world)

    async def has_ticked(times: int) -> None:
        async def enough() -> bool:
            return len(ticks) >= times

        await until(enough, PATIENCE)

    await has_ticked(2)
    assert len(set(map(id, ticks))) == 1
    await terminate(world, first)
    await another_leader(world, than=first)
    ticks.clear()
    await has_ticked(2)
    leading = ticks[-1]
    (stopping,) = [app for app in three.apps if app.clockwork is leading]
    before = await leader(world)
    leading.stop()
    await another_leader(world, than=before)
    ticks.clear()
    await has_ticked(2)
    assert stopping.clockwork is not ticks[-1]
    await chain_holds(world.db)


async def test_the_leader_loses_its_lock_while_it_works(three: Three) -> None:
    """Thirty things are due while the lock's connection is cut again and again: each is done
    once."""
    world, done = three.world, Counter[UUID]()

    async def work(unit: Unit, row: DueRow) -> None:
        unit.audit("worked", row.object_id)
        done[row.object_id] += 1

    for app in three.apps:
        assert app.clockwork is not None
        app.clockwork.handlers = {**DUE, "work": work}
    objects = []
    async with world.db.unit() as unit:
        for number in range(30):
            objects.append(unit.new_id())
            moment = unit.now + timedelta(milliseconds=100 * number)
            await due.plan(unit, moment, "work", objects[-1])
    for _ in range(2):
        await terminate(world, await another_leader(world))

    async def all_done() -> bool:
        return not await one(world.db, "SELECT count(*) FROM due WHERE done_at IS NULL")

    await until(all_done, PATIENCE)
    audited = await rows(world.db, "SELECT object_id FROM audit WHERE action = 'worked'")
    assert sorted(row.object_id for row in audited) == sorted(map(str, objects))
    await chain_holds(world.db)


async def test_a_scheduled_notice_at_three_processes(three: Three) -> None:
    """An hour later it goes out, once."""
    world = three.world
    akim = await office(world)
    many = [*await crowd(world, "t", 30), *await crowd(world, "w", 20, "whatsapp")]
    notice = await schedule(world, akim)
    await another_leader(world)
    assert await one(world.db, "SELECT count(*) FROM delivery") == 0
    await move_clock(world.db, three.apps, timedelta(hours=1, seconds=1))

    async def queued() -> bool:
        return bool(await one(world.db, "SELECT queued_at FROM notice"))

    await until(queued, PATIENCE)
    await nothing_left(world.db)
    assert (await reckon(world, notice, many)).sent == len(many)
    assert await one(world.db, "SELECT result FROM due WHERE kind = 'notice-send'") == "done"


async def test_the_leader_dies_at_that_moment(three: Three) -> None:
    """Everything is in the outbox and nothing is committed when both its connections are cut:
    nothing has happened, and the next leader does it."""
    world, tries = three.world, []
    akim = await office(world)
    many = [*await crowd(world, "t", 30), *await crowd(world, "w", 20, "whatsapp")]

    async def dying(unit: Unit, row: DueRow) -> None:
        await DUE[notices.SEND_DUE](unit, row)
        await unit.session.flush()
        tries.append(row.id)
        if len(tries) == 1:
            own = await unit.session.scalar(text("SELECT pg_backend_pid()"))
            lock = await leader(world)
            assert own is not None
            assert lock is not None
            await terminate(world, lock, own)

    for app in three.apps:
        assert app.clockwork is not None
        app.clockwork.handlers = {**DUE, notices.SEND_DUE: dying}
    notice = await schedule(world, akim)
    first = await another_leader(world)
    await move_clock(world.db, three.apps, timedelta(hours=1, seconds=1))
    await another_leader(world, than=first)

    async def queued() -> bool:
        return bool(await one(world.db, "SELECT queued_at FROM notice"))

    await until(queued, PATIENCE)
    await nothing_left(world.db)
    assert len(tries) == 2
    assert (await reckon(world, notice, many)).sent == len(many)
    assert await one(world.db, "SELECT count(*) FROM message WHERE notice_id = :n", n=notice) == 2


async def test_pressed_twice_for_the_same_moment(three: Three) -> None:
    """The form's notice taken on four times at once is one notice, due once."""
    world = three.world
    akim = await office(world)
    many = await crowd(world, "t", 10)
    notice = new_id(world.db.clock.now())
    made = await asyncio.gather(*(announce(world, akim, notice) for _ in range(4)))
    assert sorted(map(str, made)) == ["None", "None", "None", "scheduled"]
    await move_clock(world.db, three.apps, timedelta(hours=1, seconds=1))

    async def queued() -> bool:
        return bool(await one(world.db, "SELECT queued_at FROM notice"))

    await until(queued, PATIENCE)
    await nothing_left(world.db)
    assert (await reckon(world, notice, many)).sent == len(many)
