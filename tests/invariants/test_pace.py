"""Slots and outcomes: all processes keep the account's pace, nothing sent is forgotten."""

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import InterfaceError
from support.database import TestDatabase, until
from support.people import one, rows, send_notice, settled
from support.world import World

from bot.settling import Settler
from bot.slots import HORIZON, AccountHeld, Slots
from core.clock import FrozenClock
from core.outcomes import Outcome, SendResult
from services import outbox
from services.installation import ensure_account
from services.outbox import Settled
from services.roles import RoleName

TENTH = timedelta(milliseconds=100)


class Jumping(FrozenClock):
    """A clock that is set to the moment a sleeper wanted, or to a later one."""

    late: timedelta = timedelta()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Jumping:
    """Nobody waits for real: sleeping sets the clock."""
    clock, sleep = Jumping(), asyncio.sleep

    async def jump(seconds: float) -> None:
        target = clock.now() + timedelta(seconds=seconds)
        await sleep(0)
        clock.at, clock.late = max(clock.now(), target) + clock.late, timedelta()

    monkeypatch.setattr("bot.slots.asyncio.sleep", jump)
    return clock


async def slots_of(db: TestDatabase, clock: Jumping, rate: float = 10) -> Slots:
    """An account's slots, ten a second."""
    async with db.unit() as unit:
        account = await ensure_account(unit, "telegram", "1", "bot", {})
    return Slots(db.database, clock, account.id, rate)


async def next_slot(db: TestDatabase) -> Any:
    """The account's next free slot."""
    return await one(db, "SELECT next_slot FROM account")


async def test_one_slot_after_the_other(db: TestDatabase, clock: Jumping) -> None:
    slots = await slots_of(db, clock)
    began = clock.now()
    taken = []
    for bulk in (False, True, True, False):
        await slots.take(bulk=bulk)
        taken.append(clock.now() - began)
    assert taken == [TENTH * n for n in range(4)]
    assert await next_slot(db) == began + 4 * TENTH


async def test_bulk_reserves_two_hundred_milliseconds_ahead(
    db: TestDatabase, clock: Jumping
) -> None:
    """However many wait: a reply that comes now gets the next slot after those."""
    slots = await slots_of(db, clock, rate=30)
    began = clock.now()
    waiting = [asyncio.create_task(slots.take(bulk=True)) for _ in range(20)]

    async def reserved() -> bool:
        return await next_slot(db) is not None

    await until(reserved)
    assert await next_slot(db) - began <= timedelta(milliseconds=200) + timedelta(seconds=1 / 30)
    await asyncio.gather(*waiting)
    assert await next_slot(db) - began >= timedelta(seconds=20 / 30) - timedelta(microseconds=20)


async def test_a_reply_does_not_queue_behind_bulk(db: TestDatabase, clock: Jumping) -> None:
    slots = await slots_of(db, clock)
    order: list[str] = []

    async def take(name: str, *, bulk: bool) -> None:
        await slots.take(bulk=bulk)
        order.append(name)

    bulk = [asyncio.create_task(take("bulk", bulk=True)) for _ in range(30)]
    await asyncio.sleep(0)
    reply = asyncio.create_task(take("reply", bulk=False))
    await asyncio.gather(reply, *bulk)
    assert order.index("reply") <= 3, order


async def test_who_wakes_late_takes_another_slot(db: TestDatabase, clock: Jumping) -> None:
    """A process that was held up for half a second: what it missed does not go at once."""
    slots = await slots_of(db, clock)
    began = clock.now()
    await slots.take(bulk=True)
    clock.late = timedelta(milliseconds=500)
    times = []
    for _ in range(3):
        await slots.take(bulk=True)
        times.append(clock.now() - began)
    assert all(later - sooner >= TENTH for sooner, later in itertools.pairwise(times))
    assert times[0] >= timedelta(milliseconds=600)


async def test_processes_share_the_slots(db: TestDatabase, clock: Jumping) -> None:
    """Three of them, each with ten messages: thirty slots, none twice."""
    first = await slots_of(db, clock, rate=1000)
    others = [replace(first, _waiting=[], _asking=None) for _ in range(2)]
    given, reserve = [], outbox.reserve_slots

    async def noted(*asked: Any) -> Any:
        start, count = await reserve(*asked)
        given.extend(start + n * timedelta(milliseconds=1) for n in range(count))
        return start, count

    patch = pytest.MonkeyPatch()
    patch.setattr(outbox, "reserve_slots", noted)
    try:
        await asyncio.gather(
            *(slots.take(bulk=n % 2 == 0) for slots in (first, *others) for n in range(10))
        )
    finally:
        patch.undo()
    assert len(given) == len(set(given)) == 30


async def test_a_slot_far_off_is_none(db: TestDatabase, clock: Jumping) -> None:
    """The account is held: everybody who waits is told so, and takes nothing."""
    slots = await slots_of(db, clock)
    until_then = clock.now() + HORIZON + timedelta(minutes=5)
    async with db.database.work.begin() as connection:
        await outbox.hold_account(connection, slots.account, until_then)
    waiting = [slots.take(bulk=bulk) for bulk in (True, False, True)]
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [error.until for error in found if isinstance(error, AccountHeld)] == [until_then] * 3
    assert await next_slot(db) == until_then


# Outcomes


async def test_sent_while_the_database_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcome waits for the database, not the lease: nobody gets it twice."""
    akim = await settled(world, "akim", role=RoleName.AKIM)
    crowd = [await settled(world, f"p{n}") for n in range(6)]
    settle, failures = outbox.settle_all, []
    monkeypatch.setattr("bot.settling.PAUSE", 0)

    async def away(connection: Any, outcomes: Any) -> Any:
        if len(failures) < 3:
            failures.append(len(outcomes))
            raise InterfaceError("", None, ConnectionResetError())
        return await settle(connection, outcomes)

    monkeypatch.setattr(outbox, "settle_all", away)
    await send_notice(world, akim)

    async def over() -> bool:
        return not await one(world.db, "SELECT count(*) FROM delivery WHERE outcome IS NULL")

    await until(over)
    assert len(failures) == 3
    assert [len(world.emulator.received(one.id)) for one in crowd] == [1] * 6
    found = await rows(world.db, "SELECT DISTINCT outcome, attempts FROM delivery")
    assert [tuple(row) for row in found] == [("sent", 1)]


async def test_one_outcome_that_cannot_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps none of its neighbours from being written."""
    people = [await settled(world, f"p{n}") for n in range(3)]
    await world.app.stop()
    ids = []
    for person in people:
        async with world.db.unit() as unit:
            content = {"v": 1, "language": "ru", "body": "сөз"}
            ids.append(await outbox.enqueue(unit, person.address, person.account, "ru", content, 0))
    sender = world.app.senders[people[0].account]
    async with world.db.database.work.begin() as connection:
        now = world.db.clock.now()
        claimed = await outbox.claim(
            connection, world.db.keyring, sender.account, sender.process, now, limit=10
        )
    assert [one.id for one in claimed] == ids
    settler = Settler(world.db.database, world.db.clock, sender.account)
    done = [Settled(one, SendResult(Outcome.SENT, platform_id="1"), now, b"x") for one in claimed]
    done[1] = replace(done[1], rendered="no bytes")  # type: ignore[arg-type]
    found = await asyncio.gather(*map(settler.settle, done), return_exceptions=True)
    assert [found[0], found[2]] == [Outcome.SENT, Outcome.SENT]
    assert isinstance(found[1], Exception)
    told = await rows(world.db, "SELECT outcome FROM delivery ORDER BY seq")
    assert [row.outcome for row in told] == ["sent", None, "sent"]


async def test_many_outcomes_are_written_in_one_statement(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that come while the first is being written go together."""
    akim = await settled(world, "akim", role=RoleName.AKIM)
    crowd = [await settled(world, f"p{n}") for n in range(20)]
    world.emulator.switch(telegram_limits=False)
    for sender in world.app.senders.values():
        sender.slots.rate = 10_000
    settle, groups, go_on = outbox.settle_all, [], asyncio.Event()

    async def slowly(connection: Any, outcomes: Any) -> Any:
        groups.append(len(outcomes))
        await go_on.wait()
        return await settle(connection, outcomes)

    monkeypatch.setattr(outbox, "settle_all", slowly)
    await send_notice(world, akim)
    received = world.emulator.counters.received
    await world.emulator.wait_until(lambda: sum(received.values()) >= 21)
    go_on.set()

    async def over() -> bool:
        return not await one(world.db, "SELECT count(*) FROM delivery WHERE outcome IS NULL")

    await until(over)
    assert sum(groups) == len(crowd) + 1
    assert len(groups) < 8, groups
