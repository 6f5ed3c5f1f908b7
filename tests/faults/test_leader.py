"""Three processes, one clock: what is due is done once, whoever dies at that moment."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text
from support.database import until
from support.faults import (
    PATIENCE,
    chain_holds,
    crowd,
    leases,
    letters,
    nothing_left,
    office,
    reckon,
)
from support.people import (
    VILLAGE,
    WORDS,
    Somebody,
    another_process,
    move_clock,
    one,
    rows,
)
from support.processes import Process, serving
from support.world import OKRUG, Running, World

from bot.app import App
from bot.clockwork import LEADER_LOCK, Clockwork
from bot.delivery import IN_HAND
from core.ids import new_id
from handlers import DUE
from services import due, notices
from services.due import DueRow
from services.unit import Unit

HOLDS = (
    f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {LEADER_LOCK} AND granted"
)
BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'recipient'::regclass"
HELD = IN_HAND + 8  # more answers than one process waits for: both that are left have some


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
    await has_ticked(4)
    leading = ticks[-1]
    others = sum(one is not leading for one in ticks)
    assert others <= 1, "who led before goes on without its lock"  # one tick until it hears of it
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


@asynccontextmanager
async def nobody_can_be_told(world: World) -> AsyncIterator[None]:
    """Whoever writes down to whom a notice goes waits, in its transaction, for the block's end."""
    async with world.db.database.work.connect() as connection:
        await connection.execute(text("LOCK TABLE recipient IN SHARE MODE"))
        yield


async def test_the_leading_process_is_killed_at_that_moment(outside: World, tmp_path: Path) -> None:
    """Three real ones. The leading one is killed within the transaction that queues the notice:
    nothing has happened, another one does it. Of the two that send, one is killed as well."""
    world, db, emulator = outside, outside.db, outside.emulator
    akim = await office(world)
    many = [*await crowd(world, "t", 60), *await crowd(world, "w", HELD, "whatsapp")]
    port = world.app.settings.port
    async with AsyncExitStack() as stack:

        async def start(number: int) -> Process:
            return await stack.enter_async_context(serving(world, tmp_path / str(number), port))

        leading = await start(1)
        first = await another_leader(world)
        doomed, _ = await asyncio.gather(start(2), start(3))
        notice = await schedule(world, akim)
        for method in ("sendMessage", "messages.create"):
            emulator.fault(method, times=HELD, hold=True)
        async with nobody_can_be_told(world):
            await move_clock(db, [world.app], timedelta(hours=1, seconds=1))

            async def in_its_transaction() -> bool:
                return await one(db, BLOCKED) == 1

            await until(in_its_transaction, PATIENCE)
            assert await leader(world) == first
            await leading.kill()
            await another_leader(world, than=first)
            assert await one(db, "SELECT queued_at FROM notice") is None
        await emulator.wait_until(lambda: emulator.faults.held == 2 * HELD, PATIENCE)
        await doomed.kill()
        in_flight = set().union(*(await leases(db)).values())
        emulator.release_answers()

        async def only_the_dead_holds_some() -> bool:
            free = "SELECT count(*) FROM delivery WHERE outcome IS NULL AND claimed_until IS NULL"
            return not await one(db, free) and len(await leases(db)) <= 1

        await until(only_the_dead_holds_some, PATIENCE)
        await move_clock(db, [world.app], timedelta(seconds=31))
        await nothing_left(db)
        await emulator.settle(PATIENCE)
        twice = {who.id for who in many if who.address in in_flight}
        assert (await reckon(world, notice, many, twice=twice)).sent == len(many)
    again = {who.id for who in many if letters(world, who.id) == 2}
    assert again, "nothing was in flight"
    assert {who[0] for who in again} == {"t"}, "WhatsApp's callbacks told us"
    assert await one(db, "SELECT result FROM due WHERE kind = 'notice-send'") == "done"
    assert await one(db, "SELECT count(*) FROM message WHERE notice_id = :n", n=notice) == 2


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
