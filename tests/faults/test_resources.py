"""A full disk, a statement that hangs, a pool that is empty: 503, and later all of it, once. A
bug in a handler: kept, and replayed once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from support.database import TestDatabase
from support.faults import (
    PATIENCE,
    chain_holds,
    crowd,
    every_delivery_is_accounted_for,
    nothing_left,
    office,
    reckon,
    run_sql,
)
from support.people import WORDS, move_clock, one, send_notice, settled, words
from support.world import SENDER, World, free_port, run_app

from bot import database as databases
from bot.doctor import examine
from emulator.app import Emulator
from services import notices
from services.roles import RoleName

# PostgreSQL's own word for it (appendix A, class 53): disk_full.
FULL = """
CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
END $$
"""


@asynccontextmanager
async def disk_full(db: TestDatabase, *tables: str) -> AsyncIterator[None]:
    """Nothing can be written into these tables for the time of the block."""
    triggers = [
        f"CREATE TRIGGER full_{table} BEFORE INSERT OR UPDATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION disk_is_full()"
        for table in tables
    ]
    await run_sql(db, FULL, *triggers)
    try:
        yield
    finally:
        await run_sql(db, "DROP FUNCTION disk_is_full CASCADE")


async def refused_once(world: World, *acts: int | str) -> None:
    """Each of these updates was answered with 503."""
    emulator = world.emulator

    def refused(act: int | str) -> bool:
        if isinstance(act, str):
            return 503 in emulator.inbound(act).answers
        attempts = emulator.bot().updates.attempts
        return any(one["id"] == act and one["status"] == 503 for one in attempts)

    await emulator.wait_until(lambda: all(map(refused, acts)), PATIENCE)


def patient(world: World) -> None:
    """Twilio as the operator's guide sets it up: it comes again after 5xx."""
    world.emulator.switch(inbound_pause=0.5)
    world.emulator.add_sender(SENDER, webhook=f"{world.url}/whatsapp#rc=5&rp=all")


async def answered_once(world: World, *people: str) -> None:
    for who in people:
        await world.emulator.wait_for(who, "Бугров", timeout=PATIENCE)
    await world.emulator.settle(PATIENCE)
    await nothing_left(world.db)
    assert [len(world.emulator.received(who)) for who in people] == [1] * len(people)
    assert await one(world.db, "SELECT count(*) FROM dead_letter") == 0
    await every_delivery_is_accounted_for(world.db)
    await chain_holds(world.db)


@pytest.mark.parametrize("table", ["intake", "message", "audit", "address"])
async def test_a_full_disk_in_a_conversation(world: World, table: str) -> None:
    """Whatever of the turn cannot be written: nothing of it is, and it is done when it comes
    again."""
    emulator, db = world.emulator, world.db
    patient(world)
    await settled(world, "petr")
    await settled(world, "aigul", "whatsapp", language="kk")
    async with disk_full(db, table):
        acts = [emulator.say("petr", "меню"), emulator.say("aigul", "мәзір")]
        await refused_once(world, *acts)
        assert await one(db, "SELECT count(*) FROM delivery") == 0
    for act in acts:
        await emulator.wait_acknowledged(act, PATIENCE)
    await answered_once(world, "petr", "aigul")


async def test_a_full_disk_in_mid_broadcast(world: World) -> None:
    """Outcomes cannot be written for a while: nobody gets it twice, every outcome is there."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = [*await crowd(world, "t", 60), *await crowd(world, "w", 40, "whatsapp")]
    for method in ("sendMessage", "messages.create"):
        emulator.fault(method, times=8, hold=True)
    notice = await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held == 16, PATIENCE)
    async with disk_full(db, "delivery"):
        emulator.release_answers()
        act = emulator.say("t-1", "меню")
        await refused_once(world, act)
    await nothing_left(db)
    assert (await reckon(world, notice, many)).sent == len(many)


@asynccontextmanager
async def tight(world: World, emulator: Emulator) -> AsyncIterator[World]:
    """A process of its own with what the test has set for its connections."""
    own, port = databases.engines(world.db.database.url), free_port()
    emulator.add_sender(SENDER, webhook=f"http://127.0.0.1:{port}/whatsapp#rc=5&rp=all")
    emulator.switch(inbound_pause=0.5)
    db = TestDatabase(own, world.db.keyring, world.db.clock)
    running = await run_app(db, emulator.base, port)
    try:
        yield World(running.app, world.db, emulator)
    finally:
        await running.stop()
        await own.turns.dispose()
        await own.work.dispose()


@asynccontextmanager
async def locked(db: TestDatabase, *who) -> AsyncIterator[None]:
    """Somebody else has these people's chats in hand and does not let go."""
    async with db.database.work.connect() as connection:
        await connection.execute(
            text("SELECT 1 FROM address WHERE id = ANY(:ids) FOR UPDATE"),
            {"ids": [one.address for one in who]},
        )
        yield
        await connection.rollback()


async def test_a_statement_that_hangs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cut off by its timeout and answered with 503; then it comes again and is done."""
    emulator = world.emulator
    people = [await settled(world, "petr"), await settled(world, "aigul", "whatsapp")]
    monkeypatch.setattr(databases, "TURN_TIMEOUT", 200)
    async with tight(world, emulator) as slow:
        async with locked(world.db, *people):
            acts = [emulator.say("petr", "меню"), emulator.say("aigul", "меню")]
            await refused_once(slow, *acts)
        await answered_once(slow, "petr", "aigul")


async def test_an_empty_pool(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """All connections are taken: 503 in time, before the platform gives up, and later success."""
    emulator = world.emulator
    await settled(world, "petr")
    await settled(world, "aigul", "whatsapp", language="kk")
    make = databases.create_async_engine

    def small(url: str, **given):
        return make(url, **given | {"pool_size": 3, "max_overflow": 0, "pool_timeout": 0.2})

    monkeypatch.setattr(databases, "create_async_engine", small)
    async with tight(world, emulator) as slow:
        pool = slow.app.database.turns
        taken = [await _connection(pool) for _ in range(3)]
        acts = [emulator.say("petr", "меню"), emulator.say("aigul", "мәзір")]
        await refused_once(slow, *acts)
        for connection in taken:
            await connection.close()
        await answered_once(slow, "petr", "aigul")


async def _connection(pool):
    """One of the pool's, as soon as there is one."""
    while True:
        try:
            return await pool.connect()
        except PoolTimeout:
            continue


async def test_a_pool_that_waits_less_than_twilio(world: World) -> None:
    """Twilio gives up after 15 seconds (error 11205): ours is to be answered by then."""
    for engine in (world.app.database.turns, world.app.database.work):
        assert engine.pool.timeout() + databases.TURN_TIMEOUT / 1000 < 15


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_a_bug_while_a_notice_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch, channel: str
) -> None:
    """The akim presses "send" and a bug strikes: nothing went out, the tap is kept; mended and
    replayed, by two doctors at once, the notice goes out once."""
    emulator, db = world.emulator, world.db
    await settled(world, "akim", channel, role=RoleName.AKIM, place="595030100")
    many = [*await crowd(world, "t", 10), *await crowd(world, "w", 10, "whatsapp")]

    async def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    emulator.say("akim", "меню")
    await emulator.wait_for("akim", button=words("ru", "menu-send"))
    await _write(world, "akim")
    with monkeypatch.context() as bug:  # not undo(): by night it would undo the day as well
        bug.setattr(notices, "queue", broken)
        act = emulator.tap("akim", words("ru", "notice-send"))
        await emulator.wait_for("akim", words("ru", "apology"))
        await emulator.wait_acknowledged(act)
        emulator.repeat(act)
        await emulator.settle(PATIENCE)
        assert await one(db, "SELECT count(*) FROM notice") == 0
        assert await one(db, "SELECT count(*) FROM dead_letter") == 1
    found = await asyncio.gather(
        *(examine(db.database, world.app.settings, replay=True) for _ in range(2)),
        return_exceptions=True,
    )
    assert any(isinstance(one, dict) and one["replayed"] == 1 for one in found), found
    world.app.wake()
    await move_clock(db, [world.app], timedelta(seconds=31))  # the command's leases run out
    await nothing_left(db)
    notice = await one(db, "SELECT id FROM notice")
    assert (await reckon(world, notice, many)).sent == len(many)
    assert await one(db, "SELECT count(*) FROM dead_letter WHERE replayed_at IS NULL") == 0


async def _write(world: World, who: str) -> None:
    """Through the form to its preview, in Russian."""
    emulator = world.emulator

    async def tap(key: str) -> None:
        label = words("ru", key)
        await emulator.wait_for(who, button=label, timeout=PATIENCE)
        emulator.tap(who, label)

    for key in ("menu-send", "kind-announcement", "audience-all-okrug"):
        await tap(key)
    for language in ("ru", "kk"):
        await emulator.wait_for(who, words("ru", f"notice-write-{language}"), timeout=PATIENCE)
        emulator.say(who, f"{WORDS[language].title}\n{WORDS[language].body}")
    await tap("attach-skip")
    await emulator.wait_for(who, button=words("ru", "notice-send"), timeout=PATIENCE)
