"""Processes that die with kill -9, and a database that goes away: nothing is lost."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs
from support.database import SECRET, TestDatabase, until
from support.people import (
    address_of,
    another_process,
    move_clock,
    one,
    rows,
    send_notice,
    settled,
    words,
)
from support.wire import post_telegram, telegram_tap, telegram_text
from support.world import SENDER, TOKEN, WEBHOOK_SECRET, World, free_port, run_app

from bot.database import engines, migrate
from services.roles import RoleName


@asynccontextmanager
async def serve(world: World, folder: Path, root: Path) -> AsyncIterator[tuple[int, str]]:
    """`python -m bot serve` as a process of its own: its number and address."""
    port = free_port()
    settings = world.app.settings
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(root),
        "DATABASE_URL": world.db.database.url,
        "SECRET_KEY": SECRET,
        "PUBLIC_URL": str(settings.public_url),
        "TELEGRAM_TOKEN": TOKEN,
        "TELEGRAM_MODE": "webhook",
        "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "TELEGRAM_API_URL": world.emulator.base,
        "TWILIO_API_URL": world.emulator.base,
        "TWILIO_ACCOUNT_SID": str(settings.twilio_account_sid),
        "TWILIO_AUTH_TOKEN": str(settings.twilio_auth_token),
        "TWILIO_WHATSAPP_FROM": SENDER,
        "PORT": str(port),
    }
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "serve", env=environment, cwd=folder, stderr=log
        )

    async def ready() -> bool:
        assert process.returncode is None, (folder / "log").read_text()
        return '"event": "serving"' in (folder / "log").read_text()

    try:
        await until(ready, seconds=60)
        yield process.pid, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def stop_sending(world: World) -> None:
    """This process serves no more; another has the work."""
    for sender in world.app.senders.values():
        sender.stop()
    world.app.clockwork.stop()


async def test_kill_after_the_commit_and_in_mid_broadcast(
    world: World, tmp_path: Path, root: Path
) -> None:
    """kill -9 with a reply and a broadcast in flight: all arrive, at most those in flight twice."""
    emulator, db = world.emulator, world.db
    emulator.switch(telegram_limits=False)
    await settled(world, "petr")
    akim = await settled(world, "akim", role=RoleName.AKIM)
    crowd = [await settled(world, f"p{n}") for n in range(60)]
    await stop_sending(world)
    chat = str(emulator.person("petr").telegram_id)
    async with serve(world, tmp_path, root) as (number, url):
        # The reply is committed and acknowledged; its call hangs until the process is dead.
        emulator.fault("sendMessage", delay=60, to=chat)
        question = telegram_text(emulator.person("petr"), 7001, "меню")
        assert await post_telegram(url, question) == 200
        await emulator.wait_until(lambda: emulator.counters.calls["sendMessage"] >= 1)
        assert await one(db, "SELECT outcome FROM delivery WHERE priority = 0") is None

        notice = await send_notice(world, akim)
        received = emulator.counters.received
        await emulator.wait_until(lambda: sum(received.values()) >= 10, timeout=30)
        os.kill(number, signal.SIGKILL)
    under_way = await one(
        db, "SELECT count(*) FROM delivery WHERE outcome IS NULL AND claimed_until IS NOT NULL"
    )
    left = await one(db, "SELECT count(*) FROM delivery WHERE outcome IS NULL")
    assert left > under_way > 0, "it was not killed in the middle"
    assert "Иванов" not in (tmp_path / "log").read_text()

    async with another_process(db, world.app) as survivor:
        await move_clock(db, [survivor.app], timedelta(seconds=31))  # leases end
        survivor.app.wake()

        async def all_settled() -> bool:
            return not await one(db, "SELECT count(*) FROM delivery WHERE outcome IS NULL")

        await until(all_settled, seconds=30)
        await emulator.wait_for("petr", "Бугровое")
        # The same question again, two minutes later, at another process: answered already.
        assert (
            await post_telegram(f"http://127.0.0.1:{survivor.app.settings.port}", question) == 200
        )
    assert all(emulator.received(one.id) for one in crowd), "somebody got nothing"
    twice = emulator.duplicates()
    assert sum(twice.values()) <= under_way, "more than what was in flight came twice"
    ended = await rows(db, "SELECT DISTINCT outcome FROM delivery")
    assert [row.outcome for row in ended] == ["sent"]
    heard = "SELECT count(DISTINCT delivery_id) FROM recipient WHERE notice_id = :n"
    assert await one(db, heard, n=notice) == len(crowd) + 2


async def test_a_process_that_commits_and_never_sends(world: World) -> None:
    """Its senders are dead, its web server is not: the replies come from the other process."""
    emulator = world.emulator
    await settled(world, "petr")
    async with another_process(world.db, world.app, serving=False) as mute:
        url = address_of(mute)
        question = telegram_text(emulator.person("petr"), 7001, "меню")
        assert await post_telegram(url, question) == 200
        assert await one(world.db, "SELECT count(*) FROM delivery WHERE outcome IS NULL") == 1
        await move_clock(world.db, [world.app, mute.app], timedelta(seconds=31))
        world.app.wake()
        await emulator.wait_for("petr", "Бугровое")
        # A tap in the meantime is not stuck behind it either.
        tap = telegram_tap(emulator.person("petr"), 7002, "d.menu")
        assert await post_telegram(url, tap) == 200
        await move_clock(world.db, [world.app, mute.app], timedelta(seconds=31))
        world.app.wake()
        await emulator.wait_for("petr", "Бугровое", count=2)


async def test_the_leader_dies(world: World) -> None:
    """The clock's lock is lost with its connection: another process takes over."""

    async def leader() -> Sequence:
        return await rows(
            world.db,
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 7100004 AND granted",
        )

    async def led() -> bool:
        return bool(await leader())

    await until(led)
    (first,) = await leader()
    await rows(world.db, "SELECT pg_terminate_backend(:pid)", pid=first.pid)

    async def led_anew() -> bool:
        now = await leader()
        return bool(now) and now[0].pid != first.pid

    await until(led_anew)


@pytest.fixture
async def own_database(migrated, tmp_path: Path) -> AsyncIterator[TestDatabase]:
    """A database that may be shut without disturbing the others."""
    name = f"zhiyn_{uuid4().hex[:8]}"
    async with migrated.work.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"CREATE DATABASE {name}"))
    database = engines(migrated.url.replace("/postgres?", f"/{name}?"))
    await migrate(database.work)
    yield TestDatabase(database, None, None)
    await database.turns.dispose()
    await database.work.dispose()
    async with migrated.work.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


async def test_a_database_that_goes_away(own_database: TestDatabase, emulator, migrated) -> None:
    """Polling, clock and sending outlive it; the update that came meanwhile is dealt with."""
    emulator.add_person("petr", "Пётр", "telegram", started=True)
    emulator.add_sender(SENDER)
    running = await run_app(own_database, emulator.base, free_port(), "polling")
    name = own_database.database.url.rsplit("/", 1)[1].partition("?")[0]
    try:
        emulator.say("petr", "/start")
        await emulator.wait_for("petr", words("kk", "first-contact"))

        async def database(*statements: str) -> None:
            async with migrated.work.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                for statement in statements:
                    await connection.execute(text(statement))

        with capture_logs() as logs:
            await database(
                f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
            )
            # Something that needs no database ends the long poll.
            channel = {"id": -1001, "type": "channel", "title": "x"}
            emulator.inject({"message": {"message_id": 1, "date": 1, "chat": channel}})

            async def all_have_met_it() -> bool:
                events = {entry["event"] for entry in logs}
                return events >= {"polling-waits", "clock-waits", "delivery-waits"}

            await until(all_have_met_it)
        assert {entry["log_level"] for entry in logs} == {"warning"}
        emulator.say("petr", "/start")
        await database(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await emulator.wait_for("petr", words("kk", "first-contact"), count=2, timeout=20)
        assert not [task for task in running.app._tasks if task.done()]
    finally:
        await running.stop()
